"""Tuning of any model on validation pairs: activation, schedule, epochs and batch size.

    python benchmarks/tuning.py results/open --model ima mvae --latent 2 \\
        --settings 'tanh epochs=60 learning_rate=0.003' 'relu epochs=60'

The script reads the features and pairs of an existing run (pairs/validation.parquet,
features/*.parquet). Each setting (an activation, and changes to `ima.training.loop.Training`, to
the model's own settings or to `hidden`, the width for images) is trained on the training pairs and
scored on the validation pairs, whose items are in no other split. The score is joint Precision@K
without neighbours that share an item. For IMA it is that of the plain mean of the latents and, as
`oracle`, of the mean of those that are not noise (what true importances would give). Test pairs are
not read. PCA and raw features are scored in the same way.
"""

import argparse
import itertools
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
import yaml

from ima.evaluation.metrics import precision_at_k
from ima.evaluation.reference import pca, views
from ima.models import checkpoints
from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.baselines import BASELINES, build, represent
from ima.models.ima import Autoencoder, Modality, fuse
from ima.pairing.by_label import modalities, noise_type, read_pairs
from ima.utils.io import write_csv

HIDDEN = {"image": 500, "speech": 100}
K = (10, 50)


def main() -> None:
    """Train the requested settings, and write and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--model", nargs="+", default=["ima"], choices=["ima", *BASELINES])
    parser.add_argument("--latent", type=int, nargs="+", default=[2, 50])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--settings", nargs="+", default=["relu", "gelu", "tanh", "tanh learning_rate=0.003"]
    )
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    x, train, validation, scorer = load(options.run)
    rows = anchors(x, train, validation, options.latent, scorer)
    for row in rows:
        print(row, flush=True)
    for kind, latent, name, seed in itertools.product(
        options.model, options.latent, options.settings, options.seeds
    ):
        rows.append(study(kind, name, latent, seed, x, train, validation, scorer))
        print(rows[-1], flush=True)
    if options.out:
        write_csv(pa.Table.from_pandas(pd.DataFrame(rows)), options.out)


def load(run: Path):
    """Return features, training and validation pairs, and a function to score representations."""
    pairs = {split: run / f"pairs/{split}.parquet" for split in ("train", "validation")}
    table = read_pairs(pairs["validation"])
    names = modalities(table)
    paths = {m: [run / f"features/{m}.parquet", run / f"features/{m}_noise.parquet"] for m in names}
    x = checkpoints.load_features(paths, torch.device("cpu"))
    pair_types, labels = np.array(table["pair_type"].to_pylist()), table["label"].to_numpy()
    items = [table[f"item_{m}"].to_numpy() for m in names]
    real = {m: torch.from_numpy((pair_types != noise_type(m)).astype("float32")) for m in names}

    def scorer(u) -> dict[str, float]:
        joint = (
            {"unweighted": fuse(u), "oracle": fuse(u, real)}
            if isinstance(u, dict)
            else {"unweighted": u}
        )
        return {
            f"{name} P@{k}": round(float(p.mean()), 4)
            for name, z in joint.items()
            for k, p in precision_at_k(np.asarray(z), labels, K, items).items()
        }

    return (
        x,
        checkpoints.load_pairs(pairs["train"]),
        checkpoints.load_pairs(pairs["validation"]),
        scorer,
    )


def anchors(x, train, validation, latents, scorer) -> list[dict]:
    """Score PCA and raw features of the validation pairs."""
    x = {m: values.numpy() for m, values in x.items()}
    fit, raw = (views(x, {m: r.numpy() for m, r in p.items()}) for p in (train, validation))
    rows = [{"model": "raw", **scorer(raw["joint"])}]
    for latent in latents:
        found = scorer(pca(fit, raw, latent)["joint"])
        rows.append({"model": "PCA", "latent": latent, **found})
    return rows


def study(kind, name, latent, seed, x, train, validation, scorer) -> dict:
    """Train one setting of a model, and return its row of results."""
    activation, *given = name.split()
    settings = {key: yaml.safe_load(value) for key, value in (one.split("=") for one in given)}
    torch.manual_seed(seed)
    hidden = HIDDEN | {"image": settings.pop("hidden", HIDDEN["image"])}
    layers = {m: Modality(x[m].shape[1], hidden[m], "bce", activation) for m in x}
    start = time.process_time()
    if kind == "ima":
        model = Autoencoder(layers, latent)
        history = fit_autoencoder(model, x, train, Stage1(**settings), seed, validation)
        with torch.no_grad():
            z = model.encode({m: x[m][rows] for m, rows in validation.items()})
    else:
        of = BASELINES[kind].settings(**settings)
        model = build(kind, layers, latent, of)
        history = BASELINES[kind].fit(model, x, train, of, seed, validation)
        z = represent(model, x, validation)["joint"]
    seconds = time.process_time() - start
    kept = min(history, key=lambda row: row["validation"])
    return {
        "model": kind,
        "setting": name,
        "latent": latent,
        "seed": seed,
        "epochs": len(history),
        "kept": kept["epoch"],
        "validation loss": round(kept["validation"], 2),
        **{f"|u| {m}": round(kept[f"norm_{m}"], 3) for m in x if f"norm_{m}" in kept},
        **scorer(z),
        "CPU s": round(seconds),
    }


if __name__ == "__main__":
    main()
