"""results/tables/table3.csv: the classifier (Table 3), by `ima.tables_digits.table3`."""

from ima import job
from ima.classify import Classifier
from ima.io import write_csv
from ima.tables_digits import table3


def main(snakemake):
    settings = Classifier(**snakemake.params.settings)
    table = table3(settings, snakemake.params.run)
    write_csv(table, snakemake.output.table)
    print(f"{len(table)} settings")


if __name__ == "__main__":
    job.run(main, snakemake)
