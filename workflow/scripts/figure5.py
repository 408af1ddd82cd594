"""figure5.pdf and .png: words and voices by t-SNE, by `ima.figures_emotion.figure5` (6.1)."""

from ima import job, told
from ima.figures import save
from ima.figures_emotion import figure5
from ima.io import read_parquet
from ima.schema_emotion import EMBEDDINGS_EMOTION


def main(snakemake):
    embeddings = read_parquet(snakemake.input.embeddings, EMBEDDINGS_EMOTION, rows=True)
    figure = figure5(embeddings, snakemake.params.corpus)
    save(figure, snakemake.output.pdf, snakemake.output.png)
    print(told.points(embeddings))


if __name__ == "__main__":
    job.run(main, snakemake)
