"""Baselines of word and voice importances (6.1), by
`ima.evaluation.emotion.importance_reference.baseline_rows`.
"""

import pyarrow as pa
import pyarrow.compute as pc

from ima.evaluation.emotion.importance import references
from ima.evaluation.emotion.importance_reference import baseline_rows
from ima.models import checkpoints
from ima.training.loop import device
from ima.utils.io import read_parquet, write_parquet
from ima.utils.schemas_emotion import (
    EMOTION_TRUTH,
    IMPORTANCE_EMOTION,
    ITEMS_EMOTION,
    LEXICON,
    WORD_VECTORS,
)
from ima.workflow import script


def main(snakemake):
    files = {m: snakemake.input[m] for m in ("verbal", "acoustic")}
    voices = checkpoints.load_features(files, device())["acoustic"]  # both are checked
    items = read_parquet(snakemake.input.tokens, ITEMS_EMOTION)
    items = items.filter(pc.equal(items["split"], "validation"))
    emotional = read_parquet(snakemake.input.lexicon, LEXICON)["emotional"]
    truth = snakemake.input.get("truth")
    truth = read_parquet(truth[0], EMOTION_TRUTH) if truth else None
    actual = references(items, emotional.to_numpy(zero_copy_only=False), truth)
    words = read_parquet(snakemake.input.verbal[0], WORD_VECTORS)
    rows = baseline_rows(items, actual, words, voices.cpu().numpy(), snakemake.params.rho)
    write_parquet(pa.Table.from_pylist(rows, IMPORTANCE_EMOTION), snakemake.output.anchors)
    print(f"{len(rows)} rows on {len(items)} tokens")


if __name__ == "__main__":
    script.run(main, snakemake)
