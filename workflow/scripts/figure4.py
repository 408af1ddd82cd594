"""figure4.pdf and .png: t-SNE of representations (6.3), by
`ima.reporting.figures.importance.figure4`.
"""

from ima.reporting.figures import save
from ima.reporting.figures.importance import figure4
from ima.reporting.figures.palettes import PALETTES
from ima.utils.io import read_parquet
from ima.utils.schemas import EMBEDDINGS
from ima.workflow import script, summary


def main(snakemake):
    params, made = snakemake.params, snakemake.output
    files = zip(snakemake.input.embeddings, params.labels, made.pdf, made.png, strict=True)
    for coordinates, label, *figures in files:
        embeddings = read_parquet(coordinates, EMBEDDINGS)
        save(figure4(embeddings, title=label, palette=PALETTES[params.palette]), *figures)
        print(f"{label}: {summary.points(embeddings)}")


if __name__ == "__main__":
    script.run(main, snakemake)
