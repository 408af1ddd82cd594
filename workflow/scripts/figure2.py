"""figure2.pdf and .png: t-SNE of hidden layers, by `ima.figures_importance.figure2` (6.1)."""

from ima import job, told
from ima.figures import save
from ima.figures_importance import figure2
from ima.io import read_parquet
from ima.schema import EMBEDDINGS


def main(snakemake):
    embeddings = read_parquet(snakemake.input.embeddings, EMBEDDINGS)
    save(figure2(embeddings), snakemake.output.pdf, snakemake.output.png)
    print(told.points(embeddings))


if __name__ == "__main__":
    job.run(main, snakemake)
