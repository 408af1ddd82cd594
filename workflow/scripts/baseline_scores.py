"""A baseline's Precision@K for several seeds, by `ima.evaluation.metrics.score_views` (5.4)."""

import pyarrow.compute as pc

from ima.evaluation.metrics import score_views
from ima.pairing.by_label import modalities, read_pairs
from ima.utils.arrow import matrix
from ima.utils.errors import InputError
from ima.utils.io import read_parquet, write_json
from ima.utils.schemas import baseline_schema
from ima.workflow import script, summary


def main(snakemake):
    pairs = read_pairs(snakemake.input.pairs)
    names = modalities(pairs)
    table = read_parquet(snakemake.input.representations, baseline_schema(names), rows=True)
    columns = {"joint": "z", **{m: f"u_{m}" for m in names}}
    widths = {column: table[column].type.list_size for column in columns.values()}
    if len(set(widths.values())) > 1:
        raise InputError(
            snakemake.input.representations, expected="vectors of one width", found=widths
        )
    scores = []
    for seed in table["seed"].unique().to_pylist():
        own = table.filter(pc.equal(table["seed"], seed))
        views = {
            name: matrix(own, column, absent=column != "z") for name, column in columns.items()
        }
        scores.append(
            {
                "model": snakemake.params.label,
                "latent": int(snakemake.wildcards.latent),
                "seed": seed,
                "retrieval": score_views(views, pairs, snakemake.params.k),
            }
        )
    write_json(scores, snakemake.output.scores)
    print(summary.precisions(row for one in scores for row in one["retrieval"]))


if __name__ == "__main__":
    script.run(main, snakemake)
