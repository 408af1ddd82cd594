"""rho_sweep.parquet of a model, by `ima.evaluation.emotion.importance.train_over_rho` (6.1)."""

import pyarrow as pa
import pyarrow.compute as pc

from ima.evaluation.emotion.importance import rarity, references, sweep_rows, train_over_rho
from ima.models import checkpoints
from ima.models.importance import Stage2
from ima.training.loop import device
from ima.utils.io import read_parquet, read_tensors, write_parquet
from ima.utils.schemas_emotion import (
    EMOTION_TRUTH,
    IMPORTANCE_EMOTION,
    ITEMS_EMOTION,
    LEXICON,
    WORD_VECTORS,
)
from ima.workflow import script


def main(snakemake):
    state, config = read_tensors(snakemake.input.autoencoder)
    autoencoder = checkpoints.build_autoencoder(config, state).to(device())
    params = snakemake.params
    settings = Stage2(restarts=params.restarts, **params.settings)
    pairs, held_out = (
        checkpoints.load_pairs(snakemake.input[name]) for name in ("pairs", "validation")
    )
    x = checkpoints.load_features({name: snakemake.input[name] for name in pairs}, device())
    seed = int(snakemake.wildcards.seed)
    y = train_over_rho(autoencoder, x, pairs, params.rho, params.hidden, settings, seed, held_out)
    items = read_parquet(snakemake.input.tokens, ITEMS_EMOTION)
    items = items.filter(pc.equal(items["split"], "validation"))
    lexicon = read_parquet(snakemake.input.lexicon, LEXICON)
    truth = snakemake.input.get("truth")
    actual = references(
        items,
        lexicon["emotional"].to_numpy(zero_copy_only=False),
        read_parquet(truth[0], EMOTION_TRUTH) if truth else None,
    )
    strata = rarity(read_parquet(snakemake.input.verbal[0], WORD_VECTORS)["count"].to_numpy())
    rows = sweep_rows(y, params.rho, items, actual, strata)
    write_parquet(pa.Table.from_pylist(rows, IMPORTANCE_EMOTION), snakemake.output.sweep)
    print(f"{len(params.rho)} values of rho, {len(rows)} rows")


if __name__ == "__main__":
    script.run(main, snakemake)
