"""figure3.pdf, .png and .html: words shaded by importance (6.1), by
`ima.reporting.figures.emotion.figure3`.
"""

from ima.evaluation.emotion.utterances import with_importances
from ima.reporting.figures import save
from ima.reporting.figures.emotion import choose, figure3
from ima.reporting.page.utterances import page
from ima.utils.atomic_files import whole_file
from ima.utils.io import read_parquet
from ima.utils.schemas_emotion import EMOTION_TOKENS, EMOTION_UTTERANCES, TOKEN_IMPORTANCES
from ima.workflow import script


def main(snakemake):
    params, given, made = snakemake.params, snakemake.input, snakemake.output
    table = read_parquet(given.utterances, EMOTION_UTTERANCES)
    tokens = read_parquet(given.tokens, EMOTION_TOKENS)
    files = zip(given.importances, params.labels, made.pdf, made.png, made.html, strict=True)
    for importances, label, pdf, png, html in files:
        utterances = with_importances(table, tokens, read_parquet(importances, TOKEN_IMPORTANCES))
        corpus = f"{label}; {params.corpus}"
        save(figure3(choose(utterances), corpus), pdf, png)
        with whole_file(html) as temporary:
            temporary.write_text(page(utterances, params.run, corpus), encoding="utf-8")
        print(f"{label}: {len(utterances)} utterances on the page")


if __name__ == "__main__":
    script.run(main, snakemake)
