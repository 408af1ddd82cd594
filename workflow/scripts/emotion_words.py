"""results/<run>/emotion/{words,lexicon}.parquet, by `ima.features.glove.vocabulary` (A.2)."""

import pyarrow as pa

from ima.features.glove import load_glove, vocabulary
from ima.features.lexicon import load_lexicon
from ima.utils.io import read_parquet, write_csv, write_parquet
from ima.utils.schemas_emotion import EMOTION_TOKENS, LEXICON, WORD_FEATURES
from ima.workflow import script


def main(snakemake):
    params, output = snakemake.params.words, snakemake.output
    tokens = read_parquet(snakemake.input.tokens, EMOTION_TOKENS)["token"].to_pylist()
    glove = load_glove(params["glove"], params["dimension"], words=set(tokens))
    vectors, words = vocabulary(tokens, glove, params["min_count"])
    lexicon = load_lexicon(params["lexicon"])
    broken = [dict(zip(("line", "text", "reason"), row, strict=True)) for row in lexicon.broken]
    columns = [("line", pa.int32()), ("text", pa.string()), ("reason", pa.string())]
    write_csv(pa.Table.from_pylist(broken, schema=pa.schema(columns)), output.broken)
    write_csv(words, output.vocabulary)
    vectors = vectors.append_column("id", vectors["word"])
    write_parquet(vectors, output.words, WORD_FEATURES)
    write_parquet(lexicon.table(vectors["word"].to_pylist()), output.lexicon, LEXICON)
    print(f"{len(vectors)} of {len(words)} words; {len(broken)} invalid lines in {lexicon.name}")


if __name__ == "__main__":
    script.run(main, snakemake)
