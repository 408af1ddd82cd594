"""results/tables/table3.csv: the classifiers (Table 3), by `ima.tables_digits.table3`."""

from ima import job
from ima.classify import Classifier
from ima.io import write_csv
from ima.tables_digits import table3


def main(snakemake):
    datasets = {
        name: Classifier(**settings) for name, settings in snakemake.params.settings.items()
    }
    table = table3(datasets, snakemake.params.run)
    write_csv(table, snakemake.output.table)
    print(f"{len(table)} settings of {len(datasets)} data sets")


if __name__ == "__main__":
    job.run(main, snakemake)
