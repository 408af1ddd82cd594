"""results/<run>/tables/retrieval.csv: Precision@K on own data, by `ima.tables.table1`."""

from ima import job, told
from ima.io import read_json, write_csv
from ima.tables import table1


def main(snakemake):
    scores = [read_json(path) for path in snakemake.input.scores]
    table = table1(scores, read_json(snakemake.input.anchors), [], snakemake.params.run)
    write_csv(table.drop_columns(["paper"]), snakemake.output.table)
    print(told.first(table, "precision"))


if __name__ == "__main__":
    job.run(main, snakemake)
