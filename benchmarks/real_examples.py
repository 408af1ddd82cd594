"""IMA on real data of several kinds, as they are and with known faults, against its alternatives.

    python benchmarks/real_examples.py nutrimouse --data FOLDER --seeds 5 > nutrimouse.csv
    python benchmarks/real_examples.py --table nutrimouse.csv

A fifth of the items is new: nothing is fitted to them, and retrieval looks for their neighbours
among the fitted ones. The settings are the same for all data: the defaults of `ima.IMA`, with
layers of HIDDEN and squared errors. MCCA and GCCA are those of cca-zoo, where it is installed. The
results are in docs/examples.md.
"""

import argparse
import csv
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from example_data import EXAMPLES, Example, load
from foreign_views import make, ridge_residuals
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GroupKFold, GroupShuffleSplit
from sklearn.neighbors import NearestNeighbors

from ima import IMA
from ima.models.autoencoder import Stage1
from ima.utils.errors import InputError

HIDDEN = 100
#: Of the covariances of MCCA and GCCA: without any they overfit where features outnumber items.
SHRINKAGE = 0.1
CASES = {
    "nothing wrong": "the data as they are",
    "white noise in a tenth": "a tenth of the last view's items is white noise",
    "a tenth exchanged": "a tenth of the last view's items is in the wrong place",
    "an irrelevant view added": "one more view: the last one's items in random order",
    "shuffled": "all views but the first in random order: nothing is shared",
}
RETRIEVAL = ("weighted", "unweighted", "raw", "pca", "pca_each", "mcca", "gcca", "chance")
NOISE = ("f1", "f1_forest", "f1_mixture", "auc", "auc_forest", "auc_mixture")
PAIR = ("auc_concordance", "auc_ridge")
NUMBERS = ("importance", "importance_others", "concordance", *NOISE, *PAIR, *RETRIEVAL)
FIELDS = ("example", "case", "seed", "label", "view", "fitted", "new", "k", *NUMBERS)

Views = dict[str, np.ndarray]


def splits(example: Example, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield row numbers of the items that are fitted, and of those that are new."""
    rows = np.arange(len(example.groups))
    if example.folds:
        cut = GroupKFold(example.folds, shuffle=True, random_state=seed)
    else:
        cut = GroupShuffleSplit(1, test_size=0.2, random_state=seed)
    yield from cut.split(rows, groups=example.groups)


def spoil(case: str, x: Views, rng: np.random.Generator) -> tuple[Views, str, np.ndarray]:
    """Return the views with a fault, the view that has it, and which of its rows (n,) do."""
    view, n = list(x)[-1], len(next(iter(x.values())))
    if case == "an irrelevant view added":
        return {**x, "irrelevant": x[view][rng.permutation(n)]}, "irrelevant", np.ones(n, bool)
    if case == "shuffled":
        first, *others = x
        return (
            {first: x[first]} | {v: x[v][rng.permutation(n)] for v in others},
            view,
            np.ones(n, bool),
        )
    fault = {"white noise in a tenth": "white", "a tenth exchanged": "exchanged"}.get(case)
    x, _, wrong = make(fault, view, x, np.zeros(n, int), rng)
    return x, view, wrong[view]


def linear(fitted: Views, new: Views, latent: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return by name linear representations of fitted and of new items, of `latent` dimensions."""
    whole = [np.concatenate(list(of.values()), 1) for of in (fitted, new)]
    pca = PCA(min(latent, *whole[0].shape)).fit(whole[0])
    each = []
    for name, of in fitted.items():
        one = PCA(min(max(1, latent // len(fitted)), *of.shape)).fit(of)
        each.append([one.transform(of), one.transform(new[name])])
    found = {"raw": tuple(whole), "pca": tuple(pca.transform(of) for of in whole)}
    found["pca_each"] = tuple(np.concatenate(of, 1) for of in zip(*each, strict=True))
    if importlib.util.find_spec("cca_zoo"):
        from cca_zoo.linear import GCCA, MCCA

        size = min(latent, *(min(of.shape) for of in fitted.values()))
        for name, kind in (("mcca", MCCA), ("gcca", GCCA)):
            model = kind(n_components=size, shrinkage=SHRINKAGE).fit(list(fitted.values()))
            parts = [model.transform(list(of.values())) for of in (fitted, new)]
            found[name] = tuple(np.mean(of, 0) for of in parts)
    return found


def neighbours(z: tuple[np.ndarray, np.ndarray], k: int) -> np.ndarray:
    """Return which of the fitted items are the k nearest (n, k) of each new one."""
    return NearestNeighbors(n_neighbors=k).fit(z[0]).kneighbors(z[1], return_distance=False)


def rivals(fitted: np.ndarray, new: np.ndarray, share: float, seed: int) -> Views:
    """Return by rival how much new items look like noise, by one view alone.

    Args:
        fitted, new: a view (n, D), (m, D).
        share: of noise, which only the forest needs: it is given the truth.
        seed: of both.

    Returns:
        `forest` (m,), above 0 for noise; `mixture` (m,), the probability of the smaller of two
        Gaussians of the principal components that importance networks see, too.
    """
    forest = IsolationForest(contamination=share, random_state=seed).fit(fitted)
    pca = PCA(min(20, *fitted.shape)).fit(fitted)
    seen = pca.transform(fitted)
    two = GaussianMixture(2, reg_covar=1e-3, random_state=seed, n_init=3).fit(seen)
    smaller = int(np.argmin(two.weights_))
    probability = two.predict_proba(pca.transform(new))[:, smaller]
    return {"forest": -forest.decision_function(new), "mixture": probability}


def score(
    name: str, example: Example, case: str, seed: int, stage1: Stage1 | None = None
) -> list[dict]:
    """Return a row a label: importances of the view at fault, how faults are found, retrieval.

    Args:
        name: of the example.
        example: its views and labels.
        case: one of CASES.
        seed: of splits, faults and models.
        stage1: settings of the autoencoder's training; None for the defaults.
    """
    rng = np.random.default_rng([seed, sum(map(ord, case))])
    stage1 = stage1 or Stage1()
    parts = [one_split(example, case, seed, rng, *rows, stage1) for rows in splits(example, seed)]
    parts, views, counts = zip(*parts, strict=True)
    of = {key: np.concatenate([p[key] for p in parts if key in p]) for key in parts[0]}
    row = {"example": name, "case": case, "seed": seed, "view": views[0], "k": example.k}
    row |= {"fitted": counts[0], "new": len(of["rows"])}
    row |= {key: of[key].mean() for key in ("importance", "importance_others")}
    row["concordance"] = np.nanmean(of["concordance"])
    if 0 < of["wrong"].mean() < 1:
        row |= noise_scores(of)
    found = []
    for label, values in example.labels.items():
        own = values[of["rows"]][:, None]
        hits = {key: (values[of[key]] == own).mean() for key in RETRIEVAL[:-1] if key in of}
        hits["chance"] = (rng.permutation(values)[of["weighted"]] == own).mean()
        found.append({**row, "label": label, **hits})
    number = (float, np.floating)
    return [
        {k: round(float(c), 4) if isinstance(c, number) else c for k, c in r.items()} for r in found
    ]


def noise_scores(of: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return how well new items at fault, and fitted pairs at fault, are found."""
    wrong, known = of["wrong"], np.isfinite(of["concordance"])  # of few pairs, those held out
    scores = {"f1": f1_score(wrong, of["importance"] < 0.5)}
    scores["auc"] = roc_auc_score(wrong, -of["importance"])
    for rival, least in (("forest", 0.0), ("mixture", 0.5)):
        scores[f"f1_{rival}"] = f1_score(wrong, of[rival] > least)
        scores[f"auc_{rival}"] = roc_auc_score(wrong, of[rival])
    pairs = of["wrong_fitted"]
    scores["auc_concordance"] = roc_auc_score(pairs[known], -of["concordance"][known])
    return scores | {"auc_ridge": roc_auc_score(pairs, of["ridge"])}


def one_split(
    example: Example,
    case: str,
    seed: int,
    rng: np.random.Generator,
    fitted: np.ndarray,
    new: np.ndarray,
    stage1: Stage1,
) -> tuple[dict[str, np.ndarray], str, int]:
    """Return of a split, by name, values a new item (or a fitted one); the view at fault; n fitted.

    Among them by representation the fitted items (m, k) that are nearest to each new one.
    """
    x = {}
    for v, values in example.views.items():
        x[v] = (values - values[fitted].mean(0)) / values[fitted].std(0).clip(1e-9)
    x, view, wrong = spoil(case, x, rng)
    known, unseen = ({v: of[rows] for v, of in x.items()} for rows in (fitted, new))
    layers = {v: {"hidden": HIDDEN, "loss": "sse"} for v in x}
    model = IMA(layers, stage1=stage1, seed=seed).fit(known)
    z = {
        "weighted": tuple(model.transform(of) for of in (known, unseen)),
        "unweighted": tuple(model.transform(of, weighted=False) for of in (known, unseen)),
        **linear(known, unseen, model.latent),
    }
    found = {key: fitted[neighbours(of, example.k)] for key, of in z.items()}
    y = {v: model.importance(v, of) for v, of in unseen.items()}
    found["importance"] = y.pop(view)
    found["importance_others"] = np.mean(list(y.values()), 0)
    found |= {"concordance": model.concordance[view], "rows": new}
    found |= {"wrong": wrong[new], "wrong_fitted": wrong[fitted]}
    if 0 < wrong.mean() < 1:
        found |= rivals(known[view], unseen[view], wrong.mean(), seed)
        found["ridge"] = ridge_residuals(view, known)
    return found, view, len(fitted)


def table(rows: list[Mapping[str, str]]) -> str:
    """Return the mean, and the deviation over seeds in brackets, of rows of `score` as Markdown."""
    keys = list(dict.fromkeys((r["example"], r["case"], r["label"]) for r in rows))
    used = [n for n in NUMBERS if any(r[n] for r in rows)]
    lines = [["example", "case", "label", "seeds", *used]]
    lines.append(["---"] * len(lines[0]))
    for key in keys:
        mine = [r for r in rows if (r["example"], r["case"], r["label"]) == key]
        lines.append([*key, str(len(mine))])
        for name in used:
            values = np.array([float(r[name]) for r in mine if r[name]])
            deviation = f" ({values.std(ddof=1):.3f})" if len(values) > 1 else ""
            lines[-1].append(f"{values.mean():.3f}{deviation}" if len(values) else "")
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Write a row a seed, case and label; or the mean of such rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("example", choices=EXAMPLES, nargs="?")
    parser.add_argument("--data", type=Path, help="the folder of its files, if it has any")
    parser.add_argument("--case", choices=CASES, action="append", help="one of several; else all")
    parser.add_argument("--seeds", type=int, default=3, help="1 to this are run")
    parser.add_argument("--cache", type=Path, help="a file .npz that keeps what was measured")
    parser.add_argument("--epochs", type=int, default=Stage1.epochs, help="of the autoencoder")
    parser.add_argument("--patience", type=int, default=Stage1.patience, help="in epochs")
    parser.add_argument("--table", type=Path, nargs="+", help="written before: print their means")
    given = parser.parse_args()
    if given.table:
        print(table([row for file in given.table for row in csv.DictReader(file.open())]))
        return
    if not given.example:
        parser.error(f"which example? One of {', '.join(EXAMPLES)}")
    torch.set_num_threads(1)
    try:
        example = load(given.example, given.data, given.cache)
    except InputError as error:
        sys.exit(str(error))
    stage1 = Stage1(epochs=given.epochs, patience=given.patience)
    writer = csv.DictWriter(sys.stdout, FIELDS, lineterminator="\n")
    writer.writeheader()
    for seed in range(1, given.seeds + 1):
        for case in given.case or CASES:
            writer.writerows(score(given.example, example, case, seed, stage1))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
