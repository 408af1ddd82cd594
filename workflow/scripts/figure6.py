"""figure6.pdf, .png and .csv: noise found over rho, by `ima.figures_importance.figure6` (6.1)."""

from ima import job
from ima.figures_importance import figure6, figure6_table, paper_rho, save
from ima.io import read_parquet, write_csv
from ima.schema import RHO_SWEEP
from ima.tables import read_paper_values


def main(snakemake):
    sweeps = [read_parquet(path, RHO_SWEEP) for path in snakemake.input.sweeps]
    table = figure6_table(sweeps, snakemake.params.run)
    write_csv(table, snakemake.output.table)
    figure = figure6(table, paper_rho(read_paper_values(snakemake.input.paper)))
    for path in (snakemake.output.pdf, snakemake.output.png):
        save(figure, path)


if __name__ == "__main__":
    job.run(main, snakemake)
