"""weights.csv, .pdf and .png: weights by type of pair (6.3), by
`ima.reporting.figures.weights.weight_rows`.
"""

from ima.pairing.by_label import modalities, read_pairs
from ima.reporting.figures import save
from ima.reporting.figures.palettes import PALETTES
from ima.reporting.figures.weights import draw, weight_rows, weight_table
from ima.utils.io import read_parquet, write_csv
from ima.utils.schemas import representations_schema
from ima.workflow import script, summary


def main(snakemake):
    params = snakemake.params
    pairs = read_pairs(snakemake.input.pairs)
    names, pair_types = modalities(pairs), pairs["pair_type"].to_numpy(zero_copy_only=False)
    figures = list(zip(snakemake.output.pdf, snakemake.output.png, strict=True))
    rows, drawn = [], set()
    for model, path in zip(params.models, snakemake.input.representations, strict=True):
        table = read_parquet(path, representations_schema(names))
        y = {name: table[f"y_{name}"].to_numpy() for name in names}
        rows += [{**model, **row} for row in weight_rows(y, pair_types, model["seed"])]
        if model["variant"] not in drawn:
            title = f"{model['model']}, {len(pairs)} test pairs"
            figure = draw(y, pair_types, title, PALETTES[params.palette], model["seed"])
            save(figure, *figures[len(drawn)])
            drawn.add(model["variant"])
    table = weight_table(rows, params.run)
    write_csv(table, snakemake.output.table)
    print(summary.first(table, f"weight_{names[0]}"))


if __name__ == "__main__":
    script.run(main, snakemake)
