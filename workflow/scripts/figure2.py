"""figure2.pdf and .png: t-SNE of hidden layers, by `ima.figures_importance.figure2` (6.1)."""

from ima import job, told
from ima.figures import save
from ima.figures_importance import figure2
from ima.io import read_parquet
from ima.palettes import palette
from ima.schema import EMBEDDINGS, representations_schema


def main(snakemake):
    params, given, made = snakemake.params, snakemake.input, snakemake.output
    schema = representations_schema(params.modalities)
    files = zip(
        given.embeddings, given.representations, params.labels, made.pdf, made.png, strict=True
    )
    for coordinates, representations, label, *figures in files:
        embeddings = read_parquet(coordinates, EMBEDDINGS)
        table = read_parquet(representations, schema)
        y = {name: table[f"y_{name}"].to_numpy() for name in params.modalities}
        save(figure2(embeddings, y, title=label, palette=palette(params.palette)), *figures)
        print(f"{label}: {told.points(embeddings)}")


if __name__ == "__main__":
    job.run(main, snakemake)
