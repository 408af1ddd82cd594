"""results/<run>/tables/classifier.csv: accuracy on user data, by
`ima.reporting.tables.digits.table5`.
"""

from ima.reporting.tables.digits import table5
from ima.utils.io import read_json, write_csv
from ima.workflow import script, summary


def main(snakemake):
    rows = [row for path in snakemake.input.accuracies for row in read_json(path)]
    table = table5(rows, [], snakemake.params.run)
    write_csv(table.drop_columns(["paper"]), snakemake.output.table)
    print(summary.first(table, "accuracy"))


if __name__ == "__main__":
    script.run(main, snakemake)
