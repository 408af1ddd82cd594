"""Accuracy of raw features, PCA and chance (Table 5), by
`ima.evaluation.reference_accuracy.classify_anchors`.
"""

from ima.evaluation.classifier import Classifier
from ima.evaluation.reference_accuracy import classify_anchors
from ima.models.checkpoints import hidden_width
from ima.pairing.by_label import modalities, read_pairs
from ima.utils.io import write_json
from ima.utils.matrices import read_matrix
from ima.workflow import script, summary


def main(snakemake):
    train, test = read_pairs(snakemake.input.train), read_pairs(snakemake.input.test)
    x = {name: read_matrix(snakemake.input[name]) for name in modalities(train)}
    params = snakemake.params
    rows = classify_anchors(
        x,
        train,
        test,
        params.latents,
        {name: hidden_width(params.layers[name]) for name in x},
        Classifier(**params.settings),
        [int(seed) for seed in snakemake.wildcards.seeds.split("-")],
    )
    write_json(rows, snakemake.output.accuracy)
    print(summary.accuracies(rows))


if __name__ == "__main__":
    script.run(main, snakemake)
