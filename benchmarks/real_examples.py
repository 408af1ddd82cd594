"""Compare IMA with alternatives on several real data sets, unchanged and with known faults.

    python benchmarks/real_examples.py nutrimouse --data FOLDER --seeds 5 > nutrimouse.csv
    python benchmarks/real_examples.py --table nutrimouse.csv

A fifth of the items is new, i.e. not used for fitting; retrieval looks for their neighbours among
the fitted items. All data sets use the same settings: the defaults of `ima.IMA` and `Stage1`, with
HIDDEN units and squared errors. MCCA and GCCA come from cca-zoo, if it is installed.
docs/examples.md has the results.
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
#: Shrinkage of the covariances of MCCA and GCCA, which otherwise overfit if features outnumber
#: items.
SHRINKAGE = 0.1
CASES = {
    "nothing wrong": "the unchanged data",
    "white noise in a tenth": "a tenth of the last view's items is replaced by white noise",
    "a tenth exchanged": "a tenth of the last view's items is permuted",
    "an irrelevant view added": "an additional view: the last one with items in random order",
    "shuffled": "items of all views but the first in random order, so that nothing is shared",
}
RETRIEVAL = ("weighted", "unweighted", "raw", "pca", "pca_each", "mcca", "gcca", "chance")
NOISE = ("f1", "f1_forest", "f1_mixture", "auc", "auc_forest", "auc_mixture")
PAIR = ("auc_concordance", "auc_ridge")
NUMBERS = ("importance", "importance_others", "concordance", *NOISE, *PAIR, *RETRIEVAL)
FIELDS = ("example", "case", "seed", "label", "view", "fitted", "new", "k", *NUMBERS)

Views = dict[str, np.ndarray]


def splits(example: Example, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the row numbers of fitted items and of new items."""
    rows = np.arange(len(example.groups))
    if example.folds:
        cut = GroupKFold(example.folds, shuffle=True, random_state=seed)
    else:
        cut = GroupShuffleSplit(1, test_size=0.2, random_state=seed)
    yield from cut.split(rows, groups=example.groups)


def spoil(case: str, x: Views, rng: np.random.Generator) -> tuple[Views, str, np.ndarray]:
    """Return the views with a fault, the name of the faulty view and its faulty rows (n,)."""
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
    """Return linear representations of fitted and new items with at most `latent` dimensions."""
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
    """Return the k nearest fitted items (n, k) of each new item."""
    return NearestNeighbors(n_neighbors=k).fit(z[0]).kneighbors(z[1], return_distance=False)


def rivals(fitted: np.ndarray, new: np.ndarray, share: float, seed: int) -> Views:
    """Return noise scores of new items from outlier detectors that use a single view.

    Args:
        fitted, new: fitted (n, D) and new (m, D) items of the view.
        share: true share of noise, which only the isolation forest uses.
        seed: seed of both detectors.

    Returns:
        `forest` (m,), above 0 for noise; and `mixture` (m,), the probability of the smaller of two
        Gaussians fitted to the principal components that importance networks also use.
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
    """Return one row per label: importances of the faulty view, fault detection and retrieval.

    Args:
        name: name of the example.
        example: its views and labels.
        case: one of CASES.
        seed: seed for splits, faults and models.
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
    """Return detection scores for faulty new items and faulty fitted pairs."""
    # With few pairs, only held-out pairs have a concordance.
    wrong, known = of["wrong"], np.isfinite(of["concordance"])
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
    """Fit one split; return arrays by name, the faulty view and the number of fitted items.

    The arrays have one row per new item or per fitted pair. For each representation, they include
    the fitted items (m, k) nearest to each new item.
    """
    x = {}
    for v, values in example.views.items():
        x[v] = (values - values[fitted].mean(0)) / values[fitted].std(0).clip(1e-9)
    x, view, wrong = spoil(case, x, rng)
    known, unseen = ({v: of[rows] for v, of in x.items()} for rows in (fitted, new))
    layers = {v: {"hidden": HIDDEN, "loss": "sse"} for v in x}
    model = IMA(layers, stage1=stage1, random_state=seed).fit(known)
    z = {
        "weighted": tuple(model.transform(of) for of in (known, unseen)),
        "unweighted": tuple(model.transform(of, weights="equal") for of in (known, unseen)),
        **linear(known, unseen, model.latent),
    }
    found = {key: fitted[neighbours(of, example.k)] for key, of in z.items()}
    y = model.importance(unseen)
    found["importance"] = y.pop(view)
    found["importance_others"] = np.mean(list(y.values()), 0)
    found |= {"concordance": model.concordance_[view], "rows": new}
    found |= {"wrong": wrong[new], "wrong_fitted": wrong[fitted]}
    if 0 < wrong.mean() < 1:
        found |= rivals(known[view], unseen[view], wrong.mean(), seed)
        found["ridge"] = ridge_residuals(view, known)
    return found, view, len(fitted)


def table(rows: list[Mapping[str, str]]) -> str:
    """Return means and standard deviations over seeds of rows of `score` as a Markdown table."""
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
    """Write one row per seed, case and label, or print the means of such rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("example", choices=EXAMPLES, nargs="?")
    parser.add_argument("--data", type=Path, help="folder of the data, if needed")
    parser.add_argument("--case", choices=CASES, action="append", help="repeatable; default: all")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, from 1")
    parser.add_argument("--cache", type=Path, help=".npz file that stores the features")
    parser.add_argument("--epochs", type=int, default=Stage1.epochs, help="epochs of stage 1")
    parser.add_argument("--patience", type=int, default=Stage1.patience, help="in epochs")
    parser.add_argument("--table", type=Path, nargs="+", help="print the means of these outputs")
    given = parser.parse_args()
    if given.table:
        print(table([row for file in given.table for row in csv.DictReader(file.open())]))
        return
    if not given.example:
        parser.error(f"expected an example, one of {', '.join(EXAMPLES)}")
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
