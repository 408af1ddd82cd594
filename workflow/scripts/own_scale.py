"""results/<run>/own/scaled/: standardized items of a user modality, by
`ima.pairing.user_scaled.scale_items`."""

from ima.datasets.user_vectors import names_of
from ima.pairing.by_label import read_pairs, row_numbers
from ima.pairing.user_scaled import scale_items
from ima.utils.io import read_parquet, write_tensors
from ima.utils.matrices import write_arrow
from ima.utils.schemas import OWN_ITEMS
from ima.workflow import script


def main(snakemake):
    name, standardize = snakemake.wildcards.modality, snakemake.params.standardize
    items = read_parquet(snakemake.input.raw, OWN_ITEMS)
    rows = row_numbers(read_pairs(snakemake.input.pairs), name)
    items, scale = scale_items(items, rows, standardize, name)
    write_arrow(items, snakemake.output.features, OWN_ITEMS)
    columns = names_of(items)
    write_tensors(scale, snakemake.output.scale, {"modality": name, "columns": columns})
    print("standardized by training items" if scale else "not standardized")


if __name__ == "__main__":
    script.run(main, snakemake)
