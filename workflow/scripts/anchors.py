"""results/<run>/anchors.json: raw features and PCA, by `ima.anchors.score_anchors`."""

from ima import job, told
from ima.anchors import score_anchors
from ima.io import read_matrix, write_json
from ima.pairing import modalities, read_pairs


def main(snakemake):
    train, test = read_pairs(snakemake.input.train), read_pairs(snakemake.input.test)
    x = {name: read_matrix(snakemake.input[name]) for name in modalities(train)}
    rows = score_anchors(x, train, test, snakemake.params.latents, snakemake.params.k)
    write_json(rows, snakemake.output.scores)
    print(told.precisions(rows))


if __name__ == "__main__":
    job.run(main, snakemake)
