"""t-SNE of user data, as in Figures 2 and 4, by `ima.reporting.figures.importance.figure2`."""

from ima.reporting.figures import save
from ima.reporting.figures.importance import figure2, figure4
from ima.reporting.figures.palettes import PALETTES
from ima.utils.arrow import conform
from ima.utils.io import read_json, read_parquet
from ima.utils.schemas import EMBEDDINGS, labelled, representations_schema
from ima.workflow import script, summary


def main(snakemake):
    names, noise = snakemake.params.modalities, snakemake.params.noise
    embeddings = read_parquet(snakemake.input.embeddings)
    embeddings = conform(embeddings, labelled(EMBEDDINGS, embeddings), snakemake.input.embeddings)
    table = read_parquet(snakemake.input.importances, representations_schema(names))
    y = {name: table[f"y_{name}"].to_numpy() for name in names}
    classes = read_json(snakemake.input.classes)
    colours = PALETTES[snakemake.params.palette]
    figures = {
        "importances": figure2(embeddings, y, classes, noise, colours, scale=True),
        "representations": figure4(embeddings, classes, noise, colours),
    }
    for name, figure in figures.items():
        save(figure, *snakemake.output[name])
    print(summary.points(embeddings))


if __name__ == "__main__":
    script.run(main, snakemake)
