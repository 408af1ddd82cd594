"""figure3.pdf and .png: words by importance, by `ima.reporting.figures.emotion.figure3` (6.1)."""

from ima.evaluation.emotion.utterances import with_importances
from ima.reporting.figures import save
from ima.reporting.figures.emotion import choose, figure3
from ima.utils.emotions import chosen_classes
from ima.utils.io import read_parquet
from ima.utils.schemas_emotion import EMOTION_TOKENS, EMOTION_UTTERANCES, TOKEN_IMPORTANCES
from ima.workflow import script


def main(snakemake):
    params, given, made = snakemake.params, snakemake.input, snakemake.output
    table = read_parquet(given.utterances, EMOTION_UTTERANCES)
    tokens = read_parquet(given.tokens, EMOTION_TOKENS)
    classes = chosen_classes(params.classes)
    files = zip(given.importances, params.labels, made.pdf, made.png, strict=True)
    for importances, label, pdf, png in files:
        utterances = with_importances(table, tokens, read_parquet(importances, TOKEN_IMPORTANCES))
        corpus = f"{label}; {params.corpus}"
        save(figure3(choose(utterances, classes), corpus), pdf, png)
        print(f"{label}: chosen from {len(utterances)} utterances")


if __name__ == "__main__":
    script.run(main, snakemake)
