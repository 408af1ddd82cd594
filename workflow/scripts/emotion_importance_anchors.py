"""importance_anchors.parquet, by `ima.importance_baselines.baseline_rows` (6.1)."""

import pyarrow.compute as pc

from ima import data, job
from ima.importance_baselines import baseline_rows
from ima.importance_emotion import importance_table, references
from ima.io import read_parquet, write_parquet
from ima.schema_emotion import (
    EMOTION_TRUTH,
    IMPORTANCE_EMOTION,
    ITEMS_EMOTION,
    LEXICON,
    WORD_VECTORS,
)
from ima.train import device


def main(snakemake):
    voices = data.load_features({"acoustic": snakemake.input.acoustic}, device())["acoustic"]
    items = read_parquet(snakemake.input.tokens, ITEMS_EMOTION)
    items = items.filter(pc.equal(items["split"], "validation"))
    emotional = read_parquet(snakemake.input.lexicon, LEXICON)["emotional"]
    truth = snakemake.input.get("truth")
    truth = read_parquet(truth, EMOTION_TRUTH) if truth else None
    actual = references(items, emotional.to_numpy(zero_copy_only=False), truth)
    words = read_parquet(snakemake.input.verbal[0], WORD_VECTORS)
    rows = baseline_rows(items, actual, words, voices.cpu().numpy())
    write_parquet(importance_table(rows), snakemake.output.anchors, IMPORTANCE_EMOTION)
    print(f"{len(rows)} rows on {len(items)} tokens")


if __name__ == "__main__":
    job.run(main, snakemake)
