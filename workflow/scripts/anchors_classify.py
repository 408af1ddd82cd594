"""accuracy.json of anchors: raw, PCA, chance, by `ima.anchors_accuracy.classify_anchors`."""

from ima import job, told
from ima.anchors_accuracy import classify_anchors
from ima.classify import Classifier
from ima.io import read_matrix, write_json
from ima.pairing import modalities, read_pairs


def main(snakemake):
    train, test = read_pairs(snakemake.input.train), read_pairs(snakemake.input.test)
    x = {name: read_matrix(snakemake.input[name]) for name in modalities(train)}
    params = snakemake.params
    rows = classify_anchors(
        x,
        train,
        test,
        params.latents,
        {name: params.layers[name]["hidden"] for name in x},
        Classifier(**params.settings),
        [int(seed) for seed in snakemake.wildcards.seeds.split("-")],
    )
    write_json(rows, snakemake.output.accuracy)
    print(told.accuracies(rows))


if __name__ == "__main__":
    job.run(main, snakemake)
