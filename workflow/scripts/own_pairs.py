"""results/<run>/own/pairs/: row numbers of paired user items, by `ima.pairing.user.pair_own`."""

import pyarrow.compute as pc

from ima.pairing.user import pair_own
from ima.pairing.user_listed import read_listed
from ima.utils.io import read_parquet, write_json, write_parquet
from ima.utils.schemas import OWN_ITEMS, labelled, pairs_schema
from ima.workflow import script


def main(snakemake):
    given, options = snakemake.input, snakemake.params.pairs
    items = {m: read_parquet(given[m][0], OWN_ITEMS) for m in snakemake.params.modalities}
    by, params = options["by"], snakemake.params
    listed = read_listed(options["file"], options, items) if by == "file" else None
    missing = options["missing"]
    pairs, classes = pair_own(items, by, params.shares, params.seed, listed, missing)
    for split, table in pairs.items():
        write_parquet(table, snakemake.output[split], labelled(pairs_schema(items), table))
        labelled_pairs = pc.sum(pc.greater_equal(table["label"], 0)).as_py() if classes else 0
        print(f"{split}: {len(table)} pairs" + f", {labelled_pairs} with a label" * bool(classes))
    write_json(classes, snakemake.output.classes)


if __name__ == "__main__":
    script.run(main, snakemake)
