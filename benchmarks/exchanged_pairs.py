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
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import KFold
from sklearn.neural_network import MLPClassifier
from torch.nn.functional import cross_entropy, normalize

from ima import IMA
from ima.models.autoencoder import Stage1
from ima.models.ima import mlp
from ima.pairing.by_label import draw
from ima.utils.arrow import matrix
from ima.utils.io import read_parquet

MODALITIES = ("image", "speech")
LAYERS = {"image": {"hidden": 500, "activation": "tanh"}}
LAYERS |= {"speech": {"hidden": 100, "activation": "tanh"}}
FIELDS = ("seed", "control", "method", "auc", "f1", "called_wrong", "auc_new")
#: Contrastive encoders: hidden width, embedding size, temperature, and pairs per step.
HIDDEN, SIZE, TEMPERATURE, BATCH = 256, 32, 0.1, 128


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


class Contrastive(torch.nn.Module):
    """Two encoders trained to agree on pairs with InfoNCE (van den Oord et al., 2018)."""

    def __init__(self, x: dict[str, torch.Tensor]):
        super().__init__()
        widths = {m: (of.shape[1], HIDDEN, SIZE) for m, of in x.items()}
        self.encoders = torch.nn.ModuleDict({m: mlp(*of) for m, of in widths.items()})
        self.optimizer = torch.optim.AdamW(self.parameters(), 1e-3, weight_decay=1e-2)

    def similarity(self, x) -> torch.Tensor:
        """Return the similarity (N, N) of all images and recordings, divided by the temperature."""
        a, b = (normalize(self.encoders[m](x[m]), dim=1) for m in MODALITIES)
        return a @ b.T / TEMPERATURE

    def losses(self, x) -> torch.Tensor:
        """Return the loss (N,) of each pair within this batch, averaged over both directions."""
        s = self.similarity(x)
        own = torch.arange(len(s))
        return (
            cross_entropy(s, own, reduction="none") + cross_entropy(s.T, own, reduction="none")
        ) / 2

    def train_epoch(self, x, w: torch.Tensor, generator) -> None:
        """Train on each pair once, weighting its loss by w (N,)."""
        for rows in torch.randperm(len(w), generator=generator).split(BATCH):
            losses = self.losses({m: of[rows] for m, of in x.items()})
            loss = (losses * w[rows]).sum() / w[rows].sum().clamp_min(1)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    @torch.no_grad()
    def each(self, x) -> np.ndarray:
        """Return the loss (N,) of each pair in batches of BATCH, averaged over several draws."""
        total, generator = torch.zeros(len(x["image"])), torch.Generator().manual_seed(0)
        for _ in range(5):
            for rows in torch.randperm(len(total), generator=generator).split(BATCH):
                total[rows] += self.losses({m: of[rows] for m, of in x.items()})
        return (total / 5).numpy()


def two_groups(values: np.ndarray) -> np.ndarray:
    """Return the probability (N,) of the component with the lower mean, of two Gaussians."""
    values = ((values - values.min()) / max(np.ptp(values), 1e-9))[:, None]
    mixture = GaussianMixture(2, max_iter=50, tol=1e-4, reg_covar=5e-4, random_state=0).fit(values)
    return mixture.predict_proba(values)[:, mixture.means_.argmin()]


def by_co_divide(pairs: Pairs, new: Pairs, seed: int, epochs: int):
    """Score pairs with two networks that select training pairs for each other.

    This follows DivideMix (Li et al., 2020) and NCR (Huang et al., 2021). All pairs are used for a
    fifth of the epochs; then each network trains on the pairs that a mixture of two Gaussians,
    fitted to the other network's losses, classifies as clean.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    x, new = (
        {m: torch.from_numpy(of).float() for m, of in some.x.items()} for some in (pairs, new)
    )
    networks = [Contrastive(x), Contrastive(x)]
    w = [torch.ones(len(x["image"]))] * 2
    for epoch in range(epochs):
        if epoch >= epochs // 5:
            clean = [torch.from_numpy(two_groups(net.each(x))).float() for net in networks]
            w = [of * (of > 0.5) for of in clean[::-1]]
        for net, of in zip(networks, w, strict=True):
            net.train_epoch(x, of, generator)
    clean = np.mean([two_groups(net.each(x)) for net in networks], 0)
    losses = np.mean([net.each(x) for net in networks], 0)
    return -losses, clean < 0.5, -np.mean([net.each(new) for net in networks], 0)


def by_similarity(pairs: Pairs, new: Pairs, seed: int, epochs: int):
    """Score pairs by the negative loss of contrastive networks not trained on them (five folds)."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    x, new = (
        {m: torch.from_numpy(of).float() for m, of in some.x.items()} for some in (pairs, new)
    )
    found, of_new = np.zeros(len(x["image"])), []
    for fit, left in KFold(5, shuffle=True, random_state=seed).split(found):
        part, held = ({m: of[rows] for m, of in x.items()} for rows in (fit, left))
        net = Contrastive(x)
        for _ in range(epochs):
            net.train_epoch(part, torch.ones(len(fit)), generator)
        found[left] = net.each(held)
        of_new.append(net.each(new))
    return -found, two_groups(found) < 0.5, -np.mean(of_new, 0)


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
