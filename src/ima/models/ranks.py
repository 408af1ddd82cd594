"""How well a pair's items fit each other, against shuffled pairs: the evidence of `mixture`.

An item shares something with its partners if these fit it better than the partners of other pairs
do. The rank of its own among all is uniform where nothing is shared, whatever the items look like.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from sklearn.isotonic import IsotonicRegression
from torch import Tensor

from ima.models.cca import ERRORS, canonical
from ima.models.ima import Autoencoder, fuse
from ima.pairing.by_label import ABSENT
from ima.training.loop import gather

#: Share of the greatest variance that is added to all in canonical coordinates.
RIDGE = 1e-5
#: Other pairs that a rank is taken among, at the most, and rows of the matrix of fits at a time.
PARTNERS, ROWS = 2000, 1024
#: Weight of what has none, so that no sum of weights is 0.
LITTLE = 1e-9
#: Bins of the density of ranks. Above EDGE all density is that of pairs that share nothing.
BINS, EDGE = 20, 0.8


class Fold(NamedTuple):
    """Pairs that an autoencoder wasn't trained on, and those that it was.

    Attributes:
        u: by modality, its latents (n_m, L) of all items; on the CPU, as the pairs.
        train, held: by modality, row numbers (N,), (H,) of these pairs.
        pair: (H,), which of all pairs those are that are held out.
    """

    u: Mapping[str, Tensor]
    train: Mapping[str, Tensor]
    held: Mapping[str, Tensor]
    pair: Tensor


@torch.no_grad()
def latents_of(autoencoder: Autoencoder, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return by modality the latents (n_m, L) of all items, on the CPU."""
    return {m: u.cpu() for m, u in autoencoder.encode(x).items()}


def held_out_fold(
    autoencoder: Autoencoder,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    held_out: Mapping[str, Tensor],
) -> Fold:
    """Return the fold of an autoencoder that was trained on `items`; its pairs' numbers follow."""
    first, count = (len(next(iter(pairs.values()))) for pairs in (items, held_out))
    number = torch.arange(first, first + count)
    return Fold(latents_of(autoencoder, x), items, held_out, number)


class Ranks(NamedTuple):
    """Ranks of the held-out pairs of all folds, one fold after the other.

    Attributes:
        rank: (N,) in [0, 1], the share of other pairs whose partners fit the item as well as its
            own; .5 on average if nothing is shared. 1 where the pair doesn't count.
        counts: (N,), whether a pair has the modality and another one.
        correlations: canonical correlations (L,) of the held-out pairs; 0 where they are not
            ERRORS standard errors above 0. All are 0 where the modality shares nothing.
    """

    rank: Tensor
    counts: Tensor
    correlations: Tensor


def rank_partners(folds: Sequence[Fold], name: str, y: Mapping[str, Tensor], seed: int) -> Ranks:
    """Rank the partners of a modality's items, in the held-out pairs of all folds.

    What is ranked is the likelihood ratio of canonical correlation analysis: of the partners' z
    and the item's u in canonical coordinates a and b of correlation c, sum_k log p(a_k, b_k) /
    (p(a_k) p(b_k)). Coordinates are fitted to the training pairs of a fold, c to held-out pairs.

    Args:
        folds: their held-out pairs are ranked.
        name: of the modality.
        y: by modality, the importance (n_m,) of each item by what is known so far: pairs count
            by it.
        seed: of the partners that stand for all where there are many.
    """
    parts = zip(*(_coordinates(fold, name, y) for fold in folds), strict=True)
    a, b, own, partner, there = (torch.cat(part) for part in parts)
    w = own * partner / (own * partner).sum().clamp_min(1e-12)
    rows = {m: torch.cat([fold.held[m] for fold in folds]) for m in y}
    distinct = min(len(of[of != ABSENT].unique()) for of in rows.values())
    c = w @ (a * b)
    c = torch.where(c > ERRORS / max(distinct, 1) ** 0.5, c, 0).clamp_max(0.99)
    rank, first = torch.ones_like(w), 0
    for fold in folds:
        held = slice(first, first := first + len(fold.held[name]))
        rank[held] = _ranks(a[held], b[held], c, partner[held], seed)
    return Ranks(torch.where(there, rank, 1), there, c)


def _coordinates(fold: Fold, name: str, y: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """Return canonical coordinates of z and of u (H, L) of held-out pairs; and (H,) the importance
    of their item, the probability that another is informative, and whether they count.
    """
    z, u, own, partner, _ = _weighted(fold.u, fold.train, name, y)
    fitted = canonical(z, u, own * partner + LITTLE, RIDGE)
    z, u, own, partner, counts = _weighted(fold.u, fold.held, name, y)
    share = (own * partner + LITTLE) / (own * partner + LITTLE).sum()
    a, b = (z - fitted.mean_z) @ fitted.map_z, (u - fitted.mean_u) @ fitted.map_u
    return _standard(a, share), _standard(b, share), own, partner, counts


def _weighted(
    u: Mapping[str, Tensor], pairs: Mapping[str, Tensor], name: str, y: Mapping[str, Tensor]
) -> tuple[Tensor, ...]:
    """Return of pairs (N,) the others' z and the own u (N, L); and as `_coordinates` the rest."""
    others = [m for m in y if m != name]
    u, there = gather(u, pairs).x, {m: rows != ABSENT for m, rows in pairs.items()}
    weight = {m: y[m][rows.clamp_min(0)] * there[m] for m, rows in pairs.items()}
    z = fuse({m: u[m].double() for m in others}, {m: weight[m] + LITTLE for m in others})
    counts = there[name] & torch.stack([there[m] for m in others]).any(0)
    return z, u[name].double(), weight[name] * counts, informed(weight, name) * counts, counts


def informed(y: Mapping[str, Tensor], name: str) -> Tensor:
    """Return the probability (N,) that an item other than that of `name` is informative."""
    return 1 - torch.stack([1 - of for m, of in y.items() if m != name]).prod(0)


def _standard(values: Tensor, w: Tensor) -> Tensor:
    """Return values (N, L) of a weighted mean of 0 and a deviation of 1."""
    values = values - w @ values
    return values / (w @ values.square()).sqrt().clamp_min(1e-9)


def _ranks(a: Tensor, b: Tensor, c: Tensor, w: Tensor, seed: int) -> Tensor:
    """Return the ranks (H,) of the fit of a_i to b_i among those of all a_j, of weights w_j."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(a), generator=generator)[:PARTNERS]
    rest = 1 - c.square()
    own_sum = (a.square() * (c.square() / (2 * rest))).sum(1)  # (H,)
    found = []
    for rows in torch.arange(len(a)).split(ROWS):
        towards = b[rows] * c / rest  # (R, L)
        own = (towards * a[rows]).sum(1) - own_sum[rows]
        fits = towards @ a[chosen].T - own_sum[chosen]  # (R, P)
        others = w[chosen] * (rows[:, None] != chosen)
        above = (fits > own[:, None]) + 0.5 * (fits == own[:, None])
        # Half a pair more on each side: the rank of the own one is neither 0 nor 1.
        found.append(((others * above).sum(1) + 0.5) / (others.sum(1) + 1))
    return torch.cat(found)


def informative_density(ranks: Ranks, w: Tensor) -> tuple[Tensor, float]:
    """Return the density of each rank among informative items; among others it is 1.

    Two groups: the density of all ranks is pi_0 + (1 - pi_0) f(rank), with f non-increasing, and
    pi_0 the density at ranks above EDGE, which informative items hardly have.

    Args:
        ranks: of a modality.
        w: weight (N,) of each pair in the density.

    Returns:
        f(rank) (N,), at least 0; 1 where a pair doesn't count. And 1 - pi_0, the share of items
        that are informative, in [0, 1].
    """
    w = (w * ranks.counts).double()
    if not ranks.correlations.any() or w.sum() <= 0:
        return torch.ones_like(w), 0.0
    bins = (ranks.rank * BINS).long().clamp_max(BINS - 1)
    density = torch.zeros(BINS, dtype=w.dtype).index_add(0, bins, w / w.sum()) * BINS
    falling = IsotonicRegression(increasing=False)
    density = falling.fit_transform(np.arange(BINS), density.numpy())
    pi_0 = min(float(density[int(EDGE * BINS) :].mean()), 1.0)
    informative = np.maximum(density - pi_0, 0) / max(1 - pi_0, 1e-3)
    centres = (np.arange(BINS) + 0.5) / BINS
    found = torch.from_numpy(np.interp(ranks.rank.numpy(), centres, informative))
    return torch.where(ranks.counts, found, 1), 1 - pi_0
