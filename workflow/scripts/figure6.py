"""figure6.pdf, .png and .csv, and rho.csv: noise found over rho, by `ima.figure6.draw` (6.1)."""

from ima import figure6, job, told
from ima.figures import save
from ima.io import read_parquet, write_csv
from ima.schema import RHO_SWEEP
from ima.tables import read_paper_values


def main(snakemake):
    sweeps = [read_parquet(path, RHO_SWEEP, rows=True) for path in snakemake.input.sweeps]
    paper = figure6.paper_rho(read_paper_values(snakemake.input.paper))
    table = figure6.table(sweeps, snakemake.params.run)
    write_csv(table, snakemake.output.table)
    chosen = figure6.rho_table(table, paper)
    write_csv(chosen, snakemake.output.rho)
    figure = figure6.draw(table, paper, labels=snakemake.params.labels)
    save(figure, snakemake.output.pdf, snakemake.output.png)
    print(told.first(chosen, "rho"))


if __name__ == "__main__":
    job.run(main, snakemake)
