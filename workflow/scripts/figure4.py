"""figure4.pdf and .png: t-SNE of representations, by `ima.figures_importance.figure4` (6.2)."""

from ima import job
from ima.figures import save
from ima.figures_importance import figure4
from ima.io import read_parquet
from ima.schema import EMBEDDINGS


def main(snakemake):
    embeddings = read_parquet(snakemake.input.embeddings, EMBEDDINGS)
    figure = figure4(embeddings)
    for path in (snakemake.output.pdf, snakemake.output.png):
        save(figure, path)
    print(f"{len(embeddings)} points of {len(embeddings['view'].unique())} views")


if __name__ == "__main__":
    job.run(main, snakemake)
