"""complexity.pdf and .png: cost over modalities (Table 4), by `ima.figures_training.complexity`."""

from ima import job
from ima.figures import save
from ima.figures_training import complexity
from ima.io import read_csv


def main(snakemake):
    rows = read_csv(snakemake.input.table, first="run").to_pylist()
    figure = complexity([row for row in rows if row["setting"] == "equal"])
    save(figure, snakemake.output.pdf, snakemake.output.png)
    print(f"{len(rows)} rows of Table 4 drawn")


if __name__ == "__main__":
    job.run(main, snakemake)
