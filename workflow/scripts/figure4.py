"""figure4.pdf and .png: t-SNE of representations, by `ima.figures_importance.figure4` (6.2)."""

from ima import job, told
from ima.figures import save
from ima.figures_importance import figure4
from ima.io import read_parquet
from ima.schema import EMBEDDINGS


def main(snakemake):
    embeddings = read_parquet(snakemake.input.embeddings, EMBEDDINGS)
    save(figure4(embeddings), snakemake.output.pdf, snakemake.output.png)
    print(told.points(embeddings))


if __name__ == "__main__":
    job.run(main, snakemake)
