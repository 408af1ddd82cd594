"""results/<run>/pairs/{train,test}.parquet: pairs by label, by `ima.pairing.pair_splits`."""

from ima import job
from ima.io import read_parquet, write_parquet
from ima.pairing import pair_splits
from ima.schema import ITEMS, pairs_schema


def main(snakemake):
    items = {name: read_parquet(snakemake.input[name], ITEMS) for name in ("image", "speech")}
    params = snakemake.params
    totals = {"train": params.train, "test": params.test}
    for split, pairs in pair_splits(items, params.R, totals, params.seed).items():
        write_parquet(pairs, snakemake.output[split], pairs_schema(items))
        print(f"{split}: {len(pairs)} pairs")


if __name__ == "__main__":
    job.run(main, snakemake)
