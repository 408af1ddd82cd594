"""results/tables/table1.csv: Precision@K (Table 1), by `ima.reporting.tables.table1`."""

from ima.reporting.tables import read_paper_values, table1
from ima.utils.io import read_json, write_csv
from ima.workflow import script, summary
from ima.workflow.peers import trained


def main(snakemake):
    files = [read_json(path, ["model", "latent", "seed"]) for path in snakemake.input.scores]
    table = table1(
        [*(model for file in files for model in file), *trained(snakemake.input.peers)],
        read_json(snakemake.input.anchors, ["model", "precision"]),
        read_paper_values(snakemake.input.paper),
        snakemake.params.run,
    )
    write_csv(table, snakemake.output.table)
    print(summary.first(table, "precision"))


if __name__ == "__main__":
    script.run(main, snakemake)
