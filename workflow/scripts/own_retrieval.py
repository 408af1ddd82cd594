"""results/<run>/tables/retrieval.csv: Precision@K of user data, by
`ima.reporting.tables.table1`.
"""

from ima.pairing.by_label import read_pairs
from ima.reporting.tables import table1
from ima.reporting.tables.user import fusion_rows
from ima.utils.io import read_json, read_parquet, write_csv
from ima.workflow import script, summary


def main(snakemake):
    params, given = snakemake.params, snakemake.input
    scores = [model for path in given.scores for model in read_json(path)]
    if params.fusion != "importance":
        pairs = read_pairs(given.pairs)
        for of, path in zip(scores, given.representations, strict=True):
            of["retrieval"] += fusion_rows(read_parquet(path), pairs, params.k, params.fusion)
    table = table1(scores, read_json(given.anchors), [], params.run)
    write_csv(table.drop_columns(["paper"]), snakemake.output.table)
    print(summary.first(table, "precision"))


if __name__ == "__main__":
    script.run(main, snakemake)
