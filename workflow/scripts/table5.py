"""results/tables/table5.csv: accuracy of classifiers (Table 5), by `ima.tables_digits.table5`."""

from ima import job, told
from ima.io import read_rows, write_csv
from ima.tables import read_paper_values
from ima.tables_digits import table5


def main(snakemake):
    rows = [row for path in snakemake.input.accuracies for row in read_rows(path)]
    table = table5(rows, read_paper_values(snakemake.input.paper), snakemake.params.run)
    write_csv(table, snakemake.output.table)
    print(told.first(table, "accuracy"))


if __name__ == "__main__":
    job.run(main, snakemake)
