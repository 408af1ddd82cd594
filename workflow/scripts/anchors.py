"""results/<run>/anchors.json: raw, PCA and CCA, by `ima.evaluation.reference.score_anchors`."""

from ima.evaluation.reference import score_anchors
from ima.pairing.by_label import modalities, read_pairs
from ima.utils.io import write_json
from ima.utils.matrices import read_matrix
from ima.workflow import script, summary


def main(snakemake):
    given = snakemake.input
    pairs = [read_pairs(file) for file in (given.train, given.validation, given.test)]
    x = {name: read_matrix(given[name]) for name in modalities(pairs[0])}
    rows = score_anchors(x, *pairs, snakemake.params.latents, snakemake.params.k)
    write_json(rows, snakemake.output.scores)
    print(summary.precisions(rows))


if __name__ == "__main__":
    script.run(main, snakemake)
