"""t-SNE figures of own data, as Figures 2 and 4, by `ima.figures_importance.figure2`."""

from ima import job, told
from ima.figures import save
from ima.figures_importance import figure2, figure4
from ima.io import read_json, read_parquet
from ima.palettes import palette
from ima.schema import EMBEDDINGS, representations_schema


def main(snakemake):
    names, noise = snakemake.params.modalities, snakemake.params.noise
    embeddings = read_parquet(snakemake.input.embeddings, EMBEDDINGS)
    table = read_parquet(snakemake.input.importances, representations_schema(names))
    y = {name: table[f"y_{name}"].to_numpy() for name in names}
    classes = read_json(snakemake.input.classes)
    colours = palette(snakemake.params.palette)
    figures = {
        "importances": figure2(embeddings, y, classes, noise, colours, scale=True),
        "representations": figure4(embeddings, classes, noise, colours),
    }
    for name, figure in figures.items():
        save(figure, *snakemake.output[name])
    print(told.points(embeddings))


if __name__ == "__main__":
    job.run(main, snakemake)
