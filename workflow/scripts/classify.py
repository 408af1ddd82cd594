"""Accuracy of classifiers of IMA's representations for several seeds, by
`ima.evaluation.classifier.predict` (Table 5).
"""

import numpy as np

from ima.evaluation.classifier import Classifier, accuracy_rows
from ima.evaluation.represent import joint, represent
from ima.models import checkpoints
from ima.models.shared_encoders import latents_of
from ima.pairing.by_label import read_pairs
from ima.training.loop import device
from ima.utils.io import write_json
from ima.workflow import script, summary


def main(snakemake):
    tables = [read_pairs(snakemake.input[split]) for split in ("train", "test")]
    x, pairs = checkpoints.load_data(snakemake.input, ("train", "test"), device())
    labels = [table["label"].to_numpy() for table in tables]
    there = [present_of(some) for some in pairs]
    seeds = [int(seed) for seed in snakemake.wildcards.seeds.split("-")]
    files = zip(seeds, snakemake.input.autoencoders, snakemake.input.importances, strict=True)
    rows = []
    for seed, autoencoder, importance in files:
        model = checkpoints.load_ima(autoencoder, importance, device())
        represented = [represent(model, x, some) for some in pairs]
        views = [views_of(**of) for of in represented]
        if encoders_files := snakemake.input.get("shared_encoders"):
            encoders = checkpoints.load_shared_encoders(encoders_files[seeds.index(seed)], model)
            for view, some, of in zip(views, pairs, represented, strict=True):
                view |= shared_views(latents_of(encoders, x, some), of["y"], of["present"])
        settings = Classifier(**snakemake.params.settings)
        of = {
            "model": snakemake.params.label,
            "latent": int(snakemake.wildcards.latent),
            "seed": seed,
        }
        scores = accuracy_rows(*views, labels, tables[1], settings, seed, there)
        rows += [{**of, **row} for row in scores]
    write_json(rows, snakemake.output.accuracy)
    print(summary.accuracies(rows))


def views_of(u, y, present):
    """Return the representations (N, L) of pairs by name, given their latents and importances."""
    z = {"weighted": joint(u, y, present), "unweighted": joint(u, None, present), **u}
    if len(u) > 2:  # with two, what remains is the other modality's own representation
        z |= {f"without {m}": joint({n: u[n] for n in u if n != m}, y, present) for m in u}
    return {name: value.cpu().numpy() for name, value in z.items()}


def shared_views(g, y, present):
    """Return the joint representations (N, L) by shared encoders, given their latents g."""
    if present is not None:
        g = {m: of * present[m].unsqueeze(-1) for m, of in g.items()}
    z = {"contrastive": joint(g, y, present), "contrastive_unweighted": joint(g, None, present)}
    return {name: value.cpu().numpy() for name, value in z.items()}


def present_of(items):
    """Return, by name, which pairs (N,) have the views that do not use all modalities."""
    has = {m: (rows >= 0).cpu().numpy() for m, rows in items.items()}
    others = {m: np.any([has[n] for n in has if n != m], axis=0) for m in has}
    return has | {f"without {m}": of for m, of in others.items()}


if __name__ == "__main__":
    script.run(main, snakemake)
