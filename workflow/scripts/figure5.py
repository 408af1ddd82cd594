"""figure5.pdf and .png: t-SNE of words and voices (6.3), by
`ima.reporting.figures.emotion.figure5`.
"""

from ima.reporting.figures import save
from ima.reporting.figures.emotion import figure5
from ima.reporting.figures.palettes import PALETTES
from ima.utils.io import read_parquet
from ima.utils.schemas_emotion import EMBEDDINGS_EMOTION
from ima.workflow import script, summary


def main(snakemake):
    params, made = snakemake.params, snakemake.output
    files = zip(snakemake.input.embeddings, params.labels, made.pdf, made.png, strict=True)
    for coordinates, label, *figures in files:
        embeddings = read_parquet(coordinates, EMBEDDINGS_EMOTION, rows=True)
        figure = figure5(embeddings, f"{label}; {params.corpus}", PALETTES[params.palette])
        save(figure, *figures)
        print(f"{label}: {summary.points(embeddings)}")


if __name__ == "__main__":
    script.run(main, snakemake)
