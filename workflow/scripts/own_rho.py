"""Tables and figure of a sweep over rho on user data, by `ima.reporting.tables.rho.rho_table`."""

from ima.reporting.figures import rho as figure6
from ima.reporting.figures import save
from ima.reporting.tables.rho import rho_table, sweep_table
from ima.reporting.tables.user import without_noise
from ima.utils.io import read_parquet, write_csv
from ima.utils.schemas import RHO_SWEEP
from ima.workflow import script, summary


def main(snakemake):
    out, noise = snakemake.output, snakemake.params.noise
    sweeps = [read_parquet(path, RHO_SWEEP) for path in snakemake.input.sweeps]
    swept = sweep_table(sweeps, snakemake.params.run)
    rho = rho_table(swept, paper={}).drop_columns(["rho_paper", "f1_at_rho_paper"])
    write_csv(swept if noise else without_noise(swept), out.table)
    write_csv(rho if noise else without_noise(rho), out.rho)
    styles = figure6.SCORE_STYLES if noise else figure6.LABEL_FREE_STYLES
    figure = figure6.draw(
        swept, {}, styles, "scores of noise, test pairs" if noise else "proportion"
    )
    save(figure, out.pdf, out.png)
    print(summary.first(rho, "rho"))


if __name__ == "__main__":
    script.run(main, snakemake)
