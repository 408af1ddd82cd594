"""convergence.pdf and .png: validation losses, by `ima.reporting.figures.training.convergence`."""

from collections import defaultdict

from ima.reporting.figures import save
from ima.reporting.figures.training import convergence
from ima.utils.io import read_csv
from ima.workflow import script


def main(snakemake):
    histories = defaultdict(lambda: defaultdict(list))
    for (label, latent), path in zip(
        snakemake.params.models, snakemake.input.histories, strict=True
    ):
        seeds = defaultdict(list)
        for row in read_csv(path, ["epoch", "validation"]).to_pylist():
            seeds[row.get("seed")].append(row["validation"])  # files of one seed have no column
        histories[label][latent] += seeds.values()
    figure = convergence(histories)
    save(figure, snakemake.output.pdf, snakemake.output.png)
    print(f"{len(snakemake.input.histories)} histories of {len(histories)} models drawn")


if __name__ == "__main__":
    script.run(main, snakemake)
