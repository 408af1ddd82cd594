"""Detect good items in wrong pairs: concordance against noisy-correspondence methods.

    python benchmarks/exchanged_pairs.py results/open/features --seeds 1 2 3 > table.csv

The folder contains image.parquet (MNIST) and speech.parquet (FSDD) of the open run: `snakemake
--cores 8 results/open/features/{image,speech}.parquet --configfile config/open.yaml`. Images and
recordings of a class are paired at random, each at most once, and a tenth of the pairs exchange
their recordings across classes. With `--pairs 10000 --repeat` there are 10,000 pairs of as many
images, and a recording occurs in three or four pairs, right and wrong ones. Without labels, each
method scores how well each pair fits together and decides with its own threshold which pairs are
wrong; `labels` is an upper bound, which is trained on them. In the control `shuffled` all pairs are
random, so that nothing can be detected. docs/importance.md has the results.
"""

import argparse
import csv
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeCV
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import KFold
from sklearn.neural_network import MLPClassifier

from ima import IMA
from ima.models.autoencoder import Stage1
from ima.models.checkpoints import modalities_of
from ima.models.contrastive import (
    Contrastive,
    co_divide,
    fit_contrastive,
    pair_losses,
    two_groups,
)
from ima.pairing.by_label import draw
from ima.training.loop import Training
from ima.utils.arrow import matrix
from ima.utils.io import read_parquet

MODALITIES = ("image", "speech")
LAYERS = {"image": {"hidden": 500, "activation": "tanh"}}
LAYERS |= {"speech": {"hidden": 100, "activation": "tanh"}}
FIELDS = ("seed", "control", "method", "auc", "f1", "called_wrong", "auc_new")
#: Hidden width of the classifiers, and pairs per step of contrastive networks.
HIDDEN, BATCH = 256, 128


def load(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return each modality's items x (n, D), labels (n,) and whether they are training items."""
    tables = {m: read_parquet(folder / f"{m}.parquet") for m in MODALITIES}
    return {
        m: (matrix(of, "x"), of["label"].to_numpy(), np.array(of["split"].to_pylist()) == "train")
        for m, of in tables.items()
    }


class Pairs(NamedTuple):
    """Pairs (N,): by modality, their features x, row numbers and labels; and which are wrong."""

    x: dict[str, np.ndarray]
    rows: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    wrong: np.ndarray

    @classmethod
    def of(cls, items, rows: dict[str, np.ndarray]) -> "Pairs":
        """Return pairs of items from `load`; a pair is wrong if its labels differ."""
        x, labels = ({m: items[m][part][of] for m, of in rows.items()} for part in (0, 1))
        return cls(x, rows, labels, labels["image"] != labels["speech"])


def pair(items, train: bool, count: int, wrong: float, repeat: bool, rng) -> Pairs:
    """Pair items by label, and exchange the recordings of some pairs across classes.

    Args:
        items: items from `load`.
        train: whether to use training items or the others.
        count: largest number of pairs.
        wrong: share of pairs exchanged across classes; 1 shuffles all pairs.
        repeat: whether recordings, which are fewer, occur in several pairs; else no item does.
        rng: source of randomness.
    """
    rows = {m: [] for m in MODALITIES}
    for c in range(10):
        of = {m: np.flatnonzero((y == c) & (t == train)) for m, (_, y, t) in items.items()}
        size = min(count // 10, (max if repeat else min)(map(len, of.values())))
        for m, found in of.items():
            rows[m].append(draw(found, size, rng))
    order = rng.permutation(sum(map(len, rows["image"])))
    rows = {m: np.concatenate(parts)[order] for m, parts in rows.items()}
    if wrong == 1:
        return Pairs.of(items, rows | {"speech": rng.permutation(rows["speech"])})
    labels = items["image"][1][rows["image"]]
    some = np.sort(rng.permutation(len(order))[: round(wrong * len(order))])
    some = some[np.argsort(labels[some], kind="stable")]
    # Rolling the sorted pairs by the size of the largest class changes the class of every pair.
    most = np.bincount(labels[some]).max()
    rows["speech"][some] = rows["speech"][np.roll(some, most)]
    return Pairs.of(items, rows)


def by_concordance(pairs: Pairs, new: Pairs, seed: int, epochs: int):
    """Return the concordance of fitted pairs, which of them are wrong, and that of new pairs."""
    found = {
        m: np.unique(of, return_index=True, return_inverse=True) for m, of in pairs.rows.items()
    }
    x = {m: pairs.x[m][first] for m, (_, first, _) in found.items()}
    model = IMA(LAYERS, latent=50, stage1=Stage1(epochs=epochs), random_state=seed)
    model.fit(x, pairs={m: number for m, (_, _, number) in found.items()})
    c = np.minimum(*model.concordance_.values())
    return c, c < 0.5, np.minimum(*model.pair_concordance(new.x).values())


def tensors(pairs: Pairs) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Return the items of pairs, and the row numbers of the pairs in them."""
    x = {m: torch.from_numpy(of).float() for m, of in pairs.x.items()}
    return x, {m: torch.arange(len(of)) for m, of in x.items()}


def by_co_divide(pairs: Pairs, new: Pairs, seed: int, epochs: int):
    """Score pairs by two contrastive networks that select training pairs for each other."""
    (x, rows), of_new = tensors(pairs), tensors(new)
    networks = co_divide(modalities_of(x, LAYERS), x, rows, Training(epochs, BATCH), seed)
    losses = [pair_losses(network, x, rows) for network in networks]
    clean = np.mean([two_groups(of) for of in losses], 0)
    losses_new = [pair_losses(network, *of_new) for network in networks]
    return -np.mean(losses, 0), clean < 0.5, -np.mean(losses_new, 0)


def by_similarity(pairs: Pairs, new: Pairs, seed: int, epochs: int):
    """Score pairs by the negative loss of contrastive networks not trained on them (five folds)."""
    torch.manual_seed(seed)
    (x, rows), of_new = tensors(pairs), tensors(new)
    found, found_new = np.zeros(len(pairs.wrong)), []
    for fit, left in KFold(5, shuffle=True, random_state=seed).split(found):
        part, held = ({m: of[some] for m, of in rows.items()} for some in (fit, left))
        network = Contrastive(modalities_of(x, LAYERS))
        fit_contrastive(network, x, part, Training(epochs, BATCH), seed)
        found[left] = pair_losses(network, x, held)
        found_new.append(pair_losses(network, *of_new))
    return -found, two_groups(found) < 0.5, -np.mean(found_new, 0)


def by_ridge(pairs: Pairs, new: Pairs, seed: int, epochs: int):
    """Score pairs by how well 50 principal components of each modality predict the other's.

    Predictions are out of fold (five folds). The error of each component is weighted by the share
    of its variance that is predictable.
    """
    pcs = {m: PCA(50, whiten=True, random_state=0).fit(of) for m, of in pairs.x.items()}
    x, new = ({m: pcs[m].transform(of) for m, of in some.x.items()} for some in (pairs, new))
    found, of_new = np.zeros(len(x["image"])), np.zeros(len(new["image"]))
    for fit, left in KFold(5, shuffle=True, random_state=seed).split(found):
        for a, b in (MODALITIES, MODALITIES[::-1]):
            ridge = RidgeCV(np.logspace(-2, 4, 13)).fit(x[a][fit], x[b][fit])
            error = (x[b][left] - ridge.predict(x[a][left])) ** 2
            known = np.clip(1 - error.mean(0) / x[b][left].var(0), 0, 1)
            found[left] += error @ known
            of_new += (new[b] - ridge.predict(new[a])) ** 2 @ known
    return -found, two_groups(found) < 0.5, -of_new


def by_labels(pairs: Pairs, new: Pairs, seed: int, epochs: int):
    """Score pairs by the probability that their items have the same label: an upper bound.

    Classifiers are trained on the true labels of the pairs outside a fold (five folds). The prior
    probability of a wrong pair is the true share.
    """
    found, of_new = np.zeros(len(pairs.wrong)), np.zeros(len(new.wrong))
    odds = (1 - pairs.wrong.mean()) / max(pairs.wrong.mean(), 1e-9)
    for fit, left in KFold(5, shuffle=True, random_state=seed).split(found):
        left_p, new_p = {}, {}
        for m in MODALITIES:
            net = MLPClassifier(HIDDEN, max_iter=epochs, random_state=seed)
            net.fit(pairs.x[m][fit], pairs.labels[m][fit])
            left_p[m], new_p[m] = (net.predict_proba(x) for x in (pairs.x[m][left], new.x[m]))
        same, same_new = (np.prod([*p.values()], 0).sum(1) for p in (left_p, new_p))
        ratio, ratio_new = (odds * 9 * s / np.clip(1 - s, 1e-12, 1) for s in (same, same_new))
        found[left] = ratio / (1 + ratio)
        of_new += ratio_new / (1 + ratio_new) / 5
    return found, found < 0.5, of_new


METHODS = {
    "concordance": by_concordance,
    "co-divide": by_co_divide,
    "contrastive": by_similarity,
    "ridge": by_ridge,
    "labels": by_labels,
}


def score(items, seed: int, given: argparse.Namespace, shuffled: bool) -> list[dict]:
    """Return one row per method: detection scores for exchanged pairs, fitted and new."""
    rng = np.random.default_rng([seed, shuffled])
    pairs, new = (
        pair(items, train, given.pairs, 1 if shuffled else 0.1, given.repeat, rng)
        for train in (True, False)
    )
    rows = []
    for name in given.method or METHODS:
        fits, called, of_new = METHODS[name](pairs, new, seed, given.epochs)
        row = {"seed": seed, "control": shuffled, "method": name, "called_wrong": called.mean()}
        if not shuffled:
            row |= {"auc": roc_auc_score(pairs.wrong, -fits), "f1": f1_score(pairs.wrong, called)}
            row["auc_new"] = roc_auc_score(new.wrong, -of_new)
        rows.append({k: round(float(v), 4) if isinstance(v, float) else v for k, v in row.items()})
    return rows


def main():
    """Write the table, with one row per seed and method, including the shuffled control."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="has image.parquet, speech.parquet")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--pairs", type=int, default=2500, help="largest number of pairs")
    parser.add_argument("--repeat", action="store_true", help="recordings occur in several pairs")
    parser.add_argument("--epochs", type=int, default=20, help="epochs of each method")
    parser.add_argument(
        "--method", choices=METHODS, action="append", help="repeatable; default: all"
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    items = load(given.folder)
    writer = csv.DictWriter(sys.stdout, FIELDS)
    writer.writeheader()
    for seed in given.seeds:
        for shuffled in (False, True) if seed == given.seeds[0] else (False,):
            writer.writerows(score(items, seed, given, shuffled))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
