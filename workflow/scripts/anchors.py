"""results/<run>/anchors.json: raw features and PCA, by `ima.evaluation.reference.score_anchors`."""

from ima.evaluation.reference import score_anchors
from ima.pairing.by_label import modalities, read_pairs
from ima.utils.io import read_matrix, write_json
from ima.workflow import script, summary


def main(snakemake):
    train, test = read_pairs(snakemake.input.train), read_pairs(snakemake.input.test)
    x = {name: read_matrix(snakemake.input[name]) for name in modalities(train)}
    rows = score_anchors(x, train, test, snakemake.params.latents, snakemake.params.k)
    write_json(rows, snakemake.output.scores)
    print(summary.precisions(rows))


if __name__ == "__main__":
    script.run(main, snakemake)
