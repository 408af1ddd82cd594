"""results/<run>/emotion/pairs/ and items.parquet (Section 4, A.2), by
`ima.pairing.words_voices.split_pairs`.
"""

from ima.pairing.words_voices import split_pairs, token_items, warn_of_unscored
from ima.utils.io import read_parquet, write_parquet
from ima.utils.schemas import pairs_schema
from ima.utils.schemas_emotion import (
    EMOTION_TOKENS,
    EMOTION_UTTERANCES,
    ITEMS_EMOTION,
    WORD_VECTORS,
)
from ima.workflow import script


def main(snakemake):
    output, schema = snakemake.output, pairs_schema(["verbal", "acoustic"])
    utterances = read_parquet(snakemake.input.utterances, EMOTION_UTTERANCES)
    items = token_items(
        utterances,
        read_parquet(snakemake.input.tokens, EMOTION_TOKENS),
        read_parquet(snakemake.input.words, WORD_VECTORS)["word"].to_pylist(),
    )
    warn_of_unscored(utterances, items)
    train, stopping = split_pairs(items, **snakemake.params.pairs)
    write_parquet(items, output.usable, ITEMS_EMOTION)
    write_parquet(train, output.train, schema)
    write_parquet(stopping, output.stopping, schema)
    print(f"{len(items)} usable tokens; {len(train)} training and {len(stopping)} stopping pairs")


if __name__ == "__main__":
    script.run(main, snakemake)
