"""results/<run>/tables/retrieval.csv: Precision@K of user data, by
`ima.reporting.tables.table1`.
"""

from ima.reporting.tables import table1
from ima.utils.io import read_json, write_csv
from ima.workflow import script, summary


def main(snakemake):
    scores = [read_json(path) for path in snakemake.input.scores]
    table = table1(scores, read_json(snakemake.input.anchors), [], snakemake.params.run)
    write_csv(table.drop_columns(["paper"]), snakemake.output.table)
    print(summary.first(table, "precision"))


if __name__ == "__main__":
    script.run(main, snakemake)
