"""figure4.pdf and .png: t-SNE of representations, by `ima.figures_importance.figure4` (6.3)."""

from ima import job, told
from ima.figures import save
from ima.figures_importance import figure4
from ima.io import read_parquet
from ima.palettes import palette
from ima.schema import EMBEDDINGS


def main(snakemake):
    params, made = snakemake.params, snakemake.output
    files = zip(snakemake.input.embeddings, params.labels, made.pdf, made.png, strict=True)
    for coordinates, label, *figures in files:
        embeddings = read_parquet(coordinates, EMBEDDINGS)
        save(figure4(embeddings, title=label, palette=palette(params.palette)), *figures)
        print(f"{label}: {told.points(embeddings)}")


if __name__ == "__main__":
    job.run(main, snakemake)
