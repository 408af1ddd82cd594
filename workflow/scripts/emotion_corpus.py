"""results/<run>/emotion/{utterances,tokens,spans}, by `ima.datasets.emotion.read_iemocap` (4)."""

import functools

from ima.datasets.emotion import (
    check_classes,
    check_skipped,
    read_iemocap,
    read_ravdess_meld,
)
from ima.utils.emotions import chosen_classes
from ima.utils.io import write_csv, write_parquet
from ima.utils.schemas_emotion import CORPUS_WORDS, EMOTION_TOKENS, EMOTION_UTTERANCES, SPANS
from ima.workflow import script


def main(snakemake):
    params, output = snakemake.params, snakemake.output
    settings = dict(params.settings)
    max_skipped = settings.pop("max_skipped")
    settings["classes"] = chosen_classes(settings["classes"])
    if params.corpus == "iemocap":
        settings |= params.fold
        corpus = read_iemocap(params.roots["iemocap"], nominal=params.nominal, **settings)
    else:
        from ima.alignment.sentences import align_sentences  # compiles code that others do not need

        settings["validation"] = params.fold["validation"]
        align = functools.partial(align_sentences, processes=snakemake.threads)
        corpus = read_ravdess_meld(params.roots, align=align, **settings)
    write_csv(corpus.skipped, output.skipped)
    write_csv(corpus.counts, output.counts)
    check_skipped(corpus, max_skipped)
    check_classes(corpus, settings["classes"])
    write_parquet(corpus.utterances, output.utterances, EMOTION_UTTERANCES)
    write_parquet(corpus.tokens, output.tokens, EMOTION_TOKENS)
    write_parquet(corpus.spans, output.spans, SPANS)
    if corpus.words is not None:
        write_parquet(corpus.words, output.words, CORPUS_WORDS)
    print(
        f"{len(corpus.utterances)} utterances, {len(corpus.tokens)} tokens, {len(corpus.skipped)} "
        f"skipped (skipped.csv), tokens dropped by rule: {corpus.dropped}"
    )


if __name__ == "__main__":
    script.run(main, snakemake)
