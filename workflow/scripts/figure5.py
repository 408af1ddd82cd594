"""figure5.pdf and .png: words and voices by t-SNE, by `ima.figures_emotion.figure5` (6.3)."""

from ima import job, told
from ima.figures import save
from ima.figures_emotion import figure5
from ima.io import read_parquet
from ima.palettes import palette
from ima.schema_emotion import EMBEDDINGS_EMOTION


def main(snakemake):
    params, made = snakemake.params, snakemake.output
    files = zip(snakemake.input.embeddings, params.labels, made.pdf, made.png, strict=True)
    for coordinates, label, *figures in files:
        embeddings = read_parquet(coordinates, EMBEDDINGS_EMOTION, rows=True)
        figure = figure5(embeddings, f"{label}; {params.corpus}", palette(params.palette))
        save(figure, *figures)
        print(f"{label}: {told.points(embeddings)}")


if __name__ == "__main__":
    job.run(main, snakemake)
