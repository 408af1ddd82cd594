"""figure3.pdf, .png, .html: words by importance, by `ima.figures_emotion.figure3` (6.1)."""

from ima import job
from ima.figures import save
from ima.figures_emotion import choose, figure3
from ima.files import whole_file
from ima.io import read_parquet
from ima.schema_emotion import EMOTION_TOKENS, EMOTION_UTTERANCES, TOKEN_IMPORTANCES
from ima.utterance_page import page
from ima.utterances import with_importances


def main(snakemake):
    utterances = with_importances(
        read_parquet(snakemake.input.utterances, EMOTION_UTTERANCES),
        read_parquet(snakemake.input.tokens, EMOTION_TOKENS),
        read_parquet(snakemake.input.importances, TOKEN_IMPORTANCES),
    )
    corpus = snakemake.params.corpus
    figure = figure3(choose(utterances), corpus)
    save(figure, snakemake.output.pdf, snakemake.output.png)
    with whole_file(snakemake.output.html) as temporary:
        text = page(utterances, snakemake.params.run, corpus)
        temporary.write_text(text, encoding="utf-8")
    print(f"{len(utterances)} utterances on the page")


if __name__ == "__main__":
    job.run(main, snakemake)
