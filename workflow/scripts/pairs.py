"""results/<run>/pairs/{train,validation,test}.parquet, by `ima.pairing.by_label.pair_splits`."""

from ima.pairing.by_label import pair_splits
from ima.utils.io import read_parquet, write_parquet
from ima.utils.schemas import ITEMS, pairs_schema
from ima.workflow import script


def main(snakemake):
    items = {name: read_parquet(snakemake.input[name], ITEMS) for name in ("image", "speech")}
    params = snakemake.params
    splits = pair_splits(
        items, params.R, params.totals, params.validation_share, params.seed, params.sizes
    )
    for split, pairs in splits.items():
        write_parquet(pairs, snakemake.output[split], pairs_schema(items))
        print(f"{split}: {len(pairs)} pairs")


if __name__ == "__main__":
    script.run(main, snakemake)
