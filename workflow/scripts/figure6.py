"""figure6.pdf, .png and .csv, and rho.csv: noise detection over rho (6.1), by
`ima.reporting.figures.rho.draw`.
"""

from ima.reporting.figures import rho as figure6
from ima.reporting.figures import save
from ima.reporting.tables import read_paper_values
from ima.reporting.tables.rho import paper_rho, rho_table, sweep_table
from ima.utils.io import read_parquet, write_csv
from ima.utils.schemas import RHO_SWEEP
from ima.workflow import script, summary


def main(snakemake):
    sweeps = [read_parquet(path, RHO_SWEEP, rows=True) for path in snakemake.input.sweeps]
    paper = paper_rho(read_paper_values(snakemake.input.paper))
    table = sweep_table(sweeps, snakemake.params.run)
    write_csv(table, snakemake.output.table)
    chosen = rho_table(table, paper)
    write_csv(chosen, snakemake.output.rho)
    figure = figure6.draw(table, paper, labels=snakemake.params.labels)
    save(figure, snakemake.output.pdf, snakemake.output.png)
    print(summary.first(chosen, "rho"))


if __name__ == "__main__":
    script.run(main, snakemake)
