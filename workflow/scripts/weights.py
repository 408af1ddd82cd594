"""weights.csv, .pdf and .png: weights by kind of pair, by `ima.weights.weight_rows` (6.3)."""

from ima import job, told
from ima.figures import save
from ima.io import read_parquet, write_csv
from ima.pairing import modalities, read_pairs
from ima.palettes import palette
from ima.schema import representations_schema
from ima.weights import draw, weight_rows, weight_table


def main(snakemake):
    params = snakemake.params
    pairs = read_pairs(snakemake.input.pairs)
    names, kinds = modalities(pairs), pairs["kind"].to_numpy(zero_copy_only=False)
    figures = list(zip(snakemake.output.pdf, snakemake.output.png, strict=True))
    rows, drawn = [], set()
    for model, path in zip(params.models, snakemake.input.representations, strict=True):
        table = read_parquet(path, representations_schema(names))
        y = {name: table[f"y_{name}"].to_numpy() for name in names}
        rows += [{**model, **row} for row in weight_rows(y, kinds, model["seed"])]
        if model["variant"] not in drawn:
            title = f"{model['model']}, {len(pairs)} test pairs"
            figure = draw(y, kinds, title, palette(params.palette), model["seed"])
            save(figure, *figures[len(drawn)])
            drawn.add(model["variant"])
    table = weight_table(rows, params.run)
    write_csv(table, snakemake.output.table)
    print(told.first(table, f"weight_{names[0]}"))


if __name__ == "__main__":
    job.run(main, snakemake)
