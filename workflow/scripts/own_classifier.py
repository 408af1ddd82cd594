"""results/<run>/tables/classifier.csv: accuracy on own data, by `ima.tables_digits.table5`."""

from ima import job, told
from ima.io import read_json, write_csv
from ima.tables_digits import table5


def main(snakemake):
    rows = [row for path in snakemake.input.accuracies for row in read_json(path)]
    table = table5(rows, [], snakemake.params.run)
    write_csv(table.drop_columns(["paper"]), snakemake.output.table)
    print(told.first(table, "accuracy"))


if __name__ == "__main__":
    job.run(main, snakemake)
