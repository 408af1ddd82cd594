"""results/tables/table3.csv: classifier settings (Table 3), by
`ima.reporting.tables.digits.table3`.
"""

from ima.evaluation.classifier import Classifier
from ima.reporting.tables.digits import table3
from ima.utils.io import write_csv
from ima.workflow import script


def main(snakemake):
    datasets = {
        name: Classifier(**settings) for name, settings in snakemake.params.settings.items()
    }
    table = table3(datasets, snakemake.params.run)
    write_csv(table, snakemake.output.table)
    print(f"{len(table)} settings of {len(datasets)} data sets")


if __name__ == "__main__":
    script.run(main, snakemake)
