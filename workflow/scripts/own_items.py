"""Table and pictures of the least important user items, by
`ima.evaluation.user.least_important.least_table`."""

import numpy as np
import pyarrow.parquet as pq

from ima.evaluation.user.least_important import items_of, least_table
from ima.pairing.by_label import read_pairs
from ima.reporting.figures import save
from ima.reporting.figures.items import contact_sheet
from ima.utils.arrow import conform, matrix
from ima.utils.io import read_json, read_parquet, write_csv
from ima.utils.schemas import OWN_IMPORTANCES, OWN_ITEMS
from ima.workflow import script, summary


def main(snakemake):
    given, out, params = snakemake.input, snakemake.output, snakemake.params
    features = {m: read_parquet(given[m][0], OWN_ITEMS) for m in params.modalities}
    # read_parquet would reject ids that occur in several modalities.
    seeds = [conform(pq.read_table(path), OWN_IMPORTANCES, path) for path in given.importances]
    modality = np.array(seeds[0]["modality"].to_pylist())
    y = np.array([table["importance"].to_numpy() for table in seeds])  # (S, all items)
    items = items_of(
        {m: table.select(["id", "label", "noise"]) for m, table in features.items()},
        {m: matrix(table, "x") for m, table in features.items()},
        {m: y[:, modality == m] for m in features},
        dict(zip(("train", "validation", "test"), map(read_pairs, given.pairs), strict=True)),
        read_json(given.classes),
        params.noise,
    )
    table = least_table(items, params.latent, params.run)
    write_csv(table, out.table)
    if params.shapes:
        save(contact_sheet(items, params.shapes, seed=0), *out.figure)
    print(summary.first(table, "importance"))


if __name__ == "__main__":
    script.run(main, snakemake)
