"""figure2.pdf and .png: t-SNE of hidden layers (6.1), by
`ima.reporting.figures.importance.figure2`.
"""

from ima.reporting.figures import save
from ima.reporting.figures.importance import figure2
from ima.reporting.figures.palettes import PALETTES
from ima.utils.io import read_parquet
from ima.utils.schemas import EMBEDDINGS, representations_schema
from ima.workflow import script, summary


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
        save(figure2(embeddings, y, title=label, palette=PALETTES[params.palette]), *figures)
        print(f"{label}: {summary.points(embeddings)}")


if __name__ == "__main__":
    script.run(main, snakemake)
