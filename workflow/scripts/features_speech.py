"""results/<run>/features/speech.parquet: MFCC in [0, 1], by `ima.features.mfcc.UnitInterval`."""

from ima.features.mfcc import UnitInterval
from ima.utils.arrow import vector_column
from ima.utils.io import read_parquet, write_json, write_parquet
from ima.utils.matrices import chosen_rows, read_matrix
from ima.utils.schemas import FEATURES, ITEMS
from ima.workflow import script


def main(snakemake):
    table = read_parquet(snakemake.input.mfcc, ITEMS)
    x = read_matrix([snakemake.input.mfcc])
    train = table["split"].to_numpy() == "train"
    known = chosen_rows(x, train)
    mapping = UnitInterval.fit(known, snakemake.params.mapping, snakemake.params.coefficients)
    mapped = table.append_column("x", vector_column(mapping(x)))
    write_parquet(mapped, snakemake.output.features, FEATURES)
    write_json(mapping.as_dict(), snakemake.output.mapping)
    print(f"{len(x)} digits mapped by {snakemake.params.mapping}, fitted to {train.sum()} of them")


if __name__ == "__main__":
    script.run(main, snakemake)
