"""results/<run>/features/speech.parquet: MFCC in [0, 1], by `ima.features.mfcc.UnitInterval`."""

from ima.features.mfcc import UnitInterval
from ima.utils.arrow import matrix, vector_column
from ima.utils.io import read_parquet, write_json, write_parquet
from ima.utils.schemas import FEATURES
from ima.workflow import script


def main(snakemake):
    table = read_parquet(snakemake.input.mfcc, FEATURES)
    x = matrix(table, "x")
    train = table["split"].to_numpy() == "train"
    mapping = UnitInterval.fit(x[train], snakemake.params.mapping, snakemake.params.coefficients)
    column = table.column_names.index("x")
    mapped = table.set_column(column, "x", vector_column(mapping(x)))
    write_parquet(mapped, snakemake.output.features, FEATURES)
    write_json(mapping.as_dict(), snakemake.output.mapping)
    print(f"{len(x)} digits mapped by {snakemake.params.mapping}, fitted to {train.sum()} of them")


if __name__ == "__main__":
    script.run(main, snakemake)
