"""results/<run>/own/pairs/: pairs of a user's own items, by `ima.own_pairs.pair_own`."""

from ima import job
from ima.io import read_parquet, write_json, write_parquet
from ima.own_pairs import pair_own, read_listed
from ima.schema import OWN_ITEMS, pairs_schema


def main(snakemake):
    given, options = snakemake.input, snakemake.params.pairs
    items = {m: read_parquet(given[m][0], OWN_ITEMS) for m in snakemake.params.modalities}
    by, params = options["by"], snakemake.params
    listed = read_listed(given.listed, options, items) if by == "file" else None
    missing = options["missing"]
    pairs, classes = pair_own(items, by, params.shares, params.seed, listed, missing)
    for split, table in pairs.items():
        write_parquet(table, snakemake.output[split], pairs_schema(items))
        print(f"{split}: {len(table)} pairs")
    write_json(classes, snakemake.output.classes)


if __name__ == "__main__":
    job.run(main, snakemake)
