"""results/tables/table5.csv: classification accuracy (Table 5), by
`ima.reporting.tables.digits.table5`.
"""

from ima.reporting.tables import read_paper_values
from ima.reporting.tables.digits import table5
from ima.utils.io import read_rows, write_csv
from ima.workflow import script, summary
from ima.workflow.peers import trained


def main(snakemake):
    rows = [row for path in snakemake.input.accuracies for row in read_rows(path)]
    for peer in trained(snakemake.input.peers):
        about = {key: peer[key] for key in ("model", "latent", "seed")}
        rows += [{**about, **row} for row in peer["accuracy"]]
    table = table5(rows, read_paper_values(snakemake.input.paper), snakemake.params.run)
    write_csv(table, snakemake.output.table)
    print(summary.first(table, "accuracy"))


if __name__ == "__main__":
    script.run(main, snakemake)
