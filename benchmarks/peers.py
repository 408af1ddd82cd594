"""Compare IMA with its peers on UCI's multiple features, clean and with noise in one view.

    python benchmarks/peers.py FOLDER --seeds 3 > peers.csv
    python benchmarks/peers.py --table peers.csv

FOLDER is that of `foreign_views.py`, whose settings are used: latent size 10, hidden layers of 100,
tanh, squared errors, at most 40 epochs and batches of 64. Of 2,000 digits, 400 are new; of the
others, a fifth is held out for early stopping. All methods have the same pairs. Precision@10 is the
share of the 10 nearest fitted digits that are the same digit as a new one; labels are used for
this and for the accuracy of a classifier only. docs/examples.md has the results.
"""

import argparse
import csv
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from foreign_views import VIEWS, load, make
from real_examples import neighbours

from ima import IMA
from ima.evaluation.classifier import Classifier, classify
from ima.models.autoencoder import Stage1
from ima.models.ima import Modality
from ima.models.peers import PEERS, lacking
from ima.models.peers.views import Problem
from ima.training.loop import Training

LATENT, EPOCHS, NOISY = 10, 40, "pix"
CASES = {"nothing wrong": None, f"white noise in a tenth of {NOISY}": "white"}
NUMBERS = ("precision", "precision_noise", "unimodal", "accuracy", "cpu_seconds", "parameters")


def score(case: str, seed: int, x: Mapping[str, np.ndarray], digits: np.ndarray) -> Iterator[dict]:
    """Yield one row per method."""
    rng = np.random.default_rng([seed, sum(map(ord, case))])
    order = rng.permutation(len(digits))
    cuts = {"train": order[:1280], "validation": order[1280:1600], "new": order[1600:]}
    seen = order[:1600]
    x = {v: (of - of[seen].mean(0)) / of[seen].std(0).clip(1e-9) for v, of in x.items()}
    x, digits, wrong = make(CASES[case], NOISY, x, digits, rng)
    x = {v: of.astype("float32") for v, of in x.items()}
    parts = {split: {v: of[rows] for v, of in x.items()} for split, rows in cuts.items()}
    for name in ("ima", *PEERS):
        if name != "ima" and (why := lacking(name)):
            print(why, file=sys.stderr)
            continue
        torch.manual_seed(seed)
        began = time.process_time()
        methods, parameters = fit_ima(seed, parts) if name == "ima" else fit_peer(name, seed, parts)
        took = time.process_time() - began
        for label, transform in methods.items():
            row = {"case": case, "seed": seed, "method": label}
            row |= scores_of(transform, parts, cuts, digits, wrong[NOISY], seed)
            yield {**row, "cpu_seconds": took, "parameters": parameters}


def fit_ima(seed: int, parts: Mapping[str, Mapping[str, np.ndarray]]) -> tuple[dict, int]:
    """Return IMA's representations by name, and its number of parameters."""
    layers = {v: {"hidden": 100, "loss": "sse", "activation": "tanh"} for v in VIEWS}
    model = IMA(layers, latent=LATENT, stage1=Stage1(epochs=EPOCHS), random_state=seed)
    both = {v: np.concatenate([parts["train"][v], parts["validation"][v]]) for v in VIEWS}
    model.fit(both, validation=np.arange(1280, 1600))
    found = {
        "IMA, weighted": model.transform,
        "IMA, unweighted": lambda of: model.transform(of, weights="equal"),
    }
    return found, sum(weight.numel() for weight in model.network_.parameters())


def fit_peer(
    name: str, seed: int, parts: Mapping[str, Mapping[str, np.ndarray]]
) -> tuple[dict, int]:
    """Return a peer's representation by its name, and its number of parameters."""
    train, validation = (
        {v: torch.from_numpy(of) for v, of in parts[split].items()}
        for split in ("train", "validation")
    )
    modalities = {v: Modality(of.shape[1], 100, "sse", "tanh") for v, of in train.items()}
    settings = Training(epochs=EPOCHS)
    problem = Problem(train, validation, modalities, LATENT, settings, seed)
    fitted = PEERS[name].fitted(problem)

    def transform(of: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return z (N, L) of some or all views."""
        return fitted.transform({v: torch.from_numpy(x) for v, x in of.items()}).numpy()

    return {PEERS[name].label: transform}, fitted.parameters


def scores_of(transform, parts, cuts, digits, wrong, seed) -> dict[str, float]:
    """Return Precision@10 of new digits, of the noisy ones and by single views, and accuracy."""
    fitted = {v: np.concatenate([parts["train"][v], parts["validation"][v]]) for v in VIEWS}
    known, new = digits[np.concatenate([cuts["train"], cuts["validation"]])], digits[cuts["new"]]

    def hits(views: tuple[str, ...]) -> np.ndarray:
        """Return each new digit's Precision@10 (400,) from some views."""
        z = [transform({v: of[v] for v in views}) for of in (fitted, parts["new"])]
        return (known[neighbours(tuple(z), 10)] == new[:, None]).mean(1)

    joint, noisy = hits(VIEWS), wrong[cuts["new"]]
    z = [transform(of) for of in (fitted, parts["new"])]
    return {
        "precision": joint.mean(),
        "precision_noise": joint[noisy].mean() if noisy.any() else None,
        "unimodal": np.mean([hits((v,)).mean() for v in VIEWS]),
        "accuracy": classify(z[0], known, z[1], new, Classifier(epochs=20), seed),
    }


def table(rows: list[Mapping[str, str]]) -> str:
    """Return means and standard deviations over seeds as a Markdown table."""
    lines = [["case", "method", *NUMBERS], ["---"] * (2 + len(NUMBERS))]
    for key in dict.fromkeys((row["case"], row["method"]) for row in rows):
        mine = [row for row in rows if (row["case"], row["method"]) == key]
        lines.append([*key])
        for name in NUMBERS:
            values = np.array([float(row[name]) for row in mine if row[name]])
            digits = 0 if name in ("cpu_seconds", "parameters") else 3
            deviation = f" ({values.std(ddof=1):.3f})" if digits and len(values) > 1 else ""
            lines[-1].append(f"{values.mean():.{digits}f}{deviation}" if len(values) else "")
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Write one row per seed, case and method, or print the means of such rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="folder with mfeat-fou.csv etc.")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, from 1")
    parser.add_argument("--table", type=Path, help="print the means of this output")
    given = parser.parse_args()
    if given.table:
        print(table([*csv.DictReader(given.table.open())]))
        return
    torch.set_num_threads(1)
    x, digits = load(given.folder)
    writer = csv.DictWriter(sys.stdout, ("case", "seed", "method", *NUMBERS), lineterminator="\n")
    writer.writeheader()
    for seed in range(1, given.seeds + 1):
        for case in CASES:
            for row in score(case, seed, x, digits):
                writer.writerow(row)
                sys.stdout.flush()


if __name__ == "__main__":
    main()
