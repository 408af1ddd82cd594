"""accuracy.json of IMA's seeds: classifiers of its representations, by `ima.classify.predict`."""

import numpy as np

from ima import data, job, told
from ima.classify import Classifier, accuracy_rows
from ima.io import read_tensors, write_json
from ima.model import fuse
from ima.pairing import read_pairs
from ima.represent import represent
from ima.train import device


def main(snakemake):
    tables = [read_pairs(snakemake.input[split]) for split in ("train", "test")]
    pairs = [data.load_pairs(snakemake.input[split]) for split in ("train", "test")]
    x = data.load_features({name: snakemake.input[name] for name in pairs[0]}, device())
    labels = [table["label"].to_numpy() for table in tables]
    kinds = np.array(tables[1]["kind"].to_pylist())
    seeds = [int(seed) for seed in snakemake.wildcards.seeds.split("-")]
    files = zip(seeds, snakemake.input.autoencoders, snakemake.input.importances, strict=True)
    rows = []
    for seed, autoencoder, importance in files:
        state, config = read_tensors(autoencoder)
        stage1 = data.build_autoencoder(config, state)
        state, config = read_tensors(importance)
        model = data.build_ima(stage1, config, state).to(device())
        views = [views_of(**represent(model, x, some)) for some in pairs]
        settings = Classifier(**snakemake.params.settings)
        of = {
            "model": snakemake.params.label,
            "latent": int(snakemake.wildcards.latent),
            "seed": seed,
        }
        rows += [{**of, **row} for row in accuracy_rows(*views, labels, kinds, settings, seed)]
    write_json(rows, snakemake.output.accuracy)
    print(told.accuracies(rows))


def views_of(u, y):
    """Return the representations (N, L) of pairs by name, of their latents and importances."""
    z = {"weighted": fuse(u, y), "unweighted": fuse(u), **u}
    if len(u) > 2:  # of two, what is left is the other's own
        z |= {f"without {m}": fuse({n: u[n] for n in u if n != m}, y) for m in u}
    return {name: value.cpu().numpy() for name, value in z.items()}


if __name__ == "__main__":
    job.run(main, snakemake)
