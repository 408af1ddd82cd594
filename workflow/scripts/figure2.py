"""figure2.pdf and .png: t-SNE of hidden layers, by `ima.figures_importance.figure2` (6.1)."""

from ima import job
from ima.figures_importance import figure2, save
from ima.io import read_parquet
from ima.schema import EMBEDDINGS


def main(snakemake):
    figure = figure2(read_parquet(snakemake.input.embeddings, EMBEDDINGS))
    for path in (snakemake.output.pdf, snakemake.output.png):
        save(figure, path)


if __name__ == "__main__":
    job.run(main, snakemake)
