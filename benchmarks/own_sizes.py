"""Choose the width and length of stage 1 training by data size, for `ima.training.sizes`.

    PYTHONPATH=src python benchmarks/own_sizes.py [--out results/own_sizes.csv]

The data are standardized views of scikit-learn's wine, breast cancer and diabetes data, and of a
synthetic generator (tanh of mixed latent variables, with noise). Settings differ from a base
setting in one option at a time. All scores use validation pairs: the lowest validation loss per
dimension, and the share of items whose nearest item of the other view, by latents, is their
partner (mean over ordered pairs of views).
"""

import argparse
import csv
import itertools
import math
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.preprocessing import StandardScaler

from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.ima import Autoencoder, Modality

#: Base setting, changed in one option at a time; patience is a share of the epochs.
BASE = {"hidden": 100, "batch_size": 64, "updates": 1000, "latent": 10, "activation": "tanh"}
BASE |= {"patience": 0.1}
CHANGES = {
    "hidden": [30, 300],
    "batch_size": [16, 256],
    "updates": [250, 2000],
    "activation": ["relu"],
    "patience": [0],
}


def data_sets(seed: int) -> dict[str, list[np.ndarray]]:
    """Return the views (n, D) of each data set, by name."""
    found = {
        "wine": np.split(load_wine().data, [6], axis=1),
        "cancer": np.split(load_breast_cancer().data, 3, axis=1),
        "diabetes": np.split(load_diabetes().data, [5], axis=1),
    }
    rng = np.random.default_rng(seed)
    for n, d in ((100, 20),):
        z = rng.normal(size=(n, 5))
        views = [np.tanh(z @ rng.normal(size=(5, d)) / 2) for _ in range(2)]
        found[f"made {n}x{d}"] = [v + 0.3 * rng.normal(size=v.shape) for v in views]
    return found


def scores(views: list[np.ndarray], seed: int, setting: dict) -> dict:
    """Return validation scores of stage 1, trained on four fifths of the pairs."""
    n = len(views[0])
    order = np.random.default_rng(seed).permutation(n)
    train, held = order[n // 5 :], order[: n // 5]
    x = {f"v{i}": StandardScaler().fit(v[train]).transform(v) for i, v in enumerate(views)}
    x = {m: torch.tensor(v, dtype=torch.float32) for m, v in x.items()}
    pairs, out = (dict.fromkeys(x, torch.tensor(rows)) for rows in (train, held))
    epochs = math.ceil(setting["updates"] / math.ceil(len(train) / setting["batch_size"]))
    patience = max(5, round(setting["patience"] * epochs))
    torch.manual_seed(seed)
    layers = {"hidden": setting["hidden"], "loss": "sse", "activation": setting["activation"]}
    model = Autoencoder(
        {m: Modality(v.shape[1], **layers) for m, v in x.items()}, setting["latent"]
    )
    settings = Stage1(epochs=epochs, batch_size=setting["batch_size"], patience=patience)
    start = time.perf_counter()
    history = fit_autoencoder(model, x, pairs, settings, seed, out)
    seconds = time.perf_counter() - start
    with torch.no_grad():
        u = {m: of[held] for m, of in model.encode(x).items()}
    hits = [
        (torch.cdist(u[a], u[b]).argmin(1) == torch.arange(len(held))).float().mean()
        for a, b in itertools.permutations(u, 2)
    ]
    best = min(row["validation"] for row in history)
    dimensions = sum(v.shape[1] for v in x.values())
    return {
        "loss": best / dimensions,
        "partner": float(np.mean(hits)),
        "epochs": len(history),
        "seconds": seconds,
    }


def main() -> None:
    """Write one row per data set, setting and seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("results/own_sizes.csv"))
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    settings = [("base", "", BASE)]
    settings += [(k, v, {**BASE, k: v}) for k, values in CHANGES.items() for v in values]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.open("w", newline="") as file:
        writer = None
        for seed in range(options.seeds):
            for (name, views), (key, value, setting) in itertools.product(
                data_sets(seed).items(), settings
            ):
                row = {"data": name, "changed": key, "to": value, "seed": seed}
                row |= scores(views, seed, setting)
                writer = writer or csv.DictWriter(file, row)
                if file.tell() == 0:
                    writer.writeheader()
                writer.writerow(row)
                file.flush()


if __name__ == "__main__":
    main()
