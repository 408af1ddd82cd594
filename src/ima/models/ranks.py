"""How well a pair's items fit each other, against shuffled pairs: the evidence of `mixture`.

An item shares something with its partners if these fit it better than the partners of other pairs
do. The rank of its own among all is uniform where nothing is shared, whatever the items look like.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ima.models.cca import ERRORS, Canonical, canonical
from ima.models.ima import Autoencoder
from ima.models.rank_density import LITTLE, likelihood
from ima.pairing.by_label import ABSENT
from ima.training.loop import gather

#: What pairs are compared by: latents, principal components, or both.
KINDS = ("latents", "components", "both")
#: Share of the greatest variance that is added to all in canonical coordinates.
RIDGE = 1e-3
#: Other pairs that a rank is taken among, at the most, and rows of the matrix of fits at a time.
PARTNERS, ROWS = 2000, 1024


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


class Fitted(NamedTuple):
    """The canonical step of a fold, and how its held-out pairs lie in it.

    Attributes:
        kind: one of KINDS.
        canonical: maps z of the other modalities, side by side, and the own values to
            coordinates of mean 0 and deviation 1 among the held-out pairs.
        a, b: coordinates (H, K) of z and of the item.
        own, partner: (H,), the importance of the item, and the probability that another one of
            the pair is informative; 0 where the pair doesn't count.
        counts: (H,), whether it has the modality and another one.
    """

    kind: str
    canonical: Canonical
    a: Tensor
    b: Tensor
    own: Tensor
    partner: Tensor
    counts: Tensor


class Ranks(NamedTuple):
    """Ranks of the held-out pairs of all folds, one fold after the other.

    Attributes:
        rank: (N,) in (0, 1], the share of other pairs whose partners fit the item as well as its
            own; .5 on average if nothing is shared. Where none does it is half a pair's, times
            how much less likely the next best is. 1 where the pair doesn't count.
        counts: (N,), whether a pair has the modality and another one.
        correlations: canonical correlations (K,) of the held-out pairs; 0 where they are not
            ERRORS standard errors above 0. All are 0 where the modality shares nothing.
        fitted: of each fold; empty where ranks are not from folds.
    """

    rank: Tensor
    counts: Tensor
    correlations: Tensor
    fitted: Sequence[Fitted] = ()


def rank_partners(
    folds: Sequence[Fold],
    name: str,
    y: Mapping[str, Tensor],
    seed: int,
    components: Mapping[str, Tensor] | None = None,
) -> Ranks:
    """Rank the partners of a modality's items, in the held-out pairs of all folds.

    Fit is the likelihood ratio of canonical correlation analysis: of the partners' z and the item
    in canonical coordinates a and b of correlation c, sum_k log p(a_k, b_k) / (p(a_k) p(b_k)).
    Ranked is how likely a partner takes this item among all items, so that none fits many.
    Coordinates are fitted to the training pairs of a fold, c to held-out pairs. Pairs are compared
    by latents, by principal components or by both: by what makes their ranks most likely.

    Args:
        folds: their held-out pairs are ranked.
        name: of the modality.
        y: by modality, the importance (n_m,) of each item by what is known so far: pairs count
            by it.
        seed: of the partners that stand for all where there are many.
        components: by modality, principal components (n_m, K_m) of all items, of mean 0 and
            deviation 1; None to compare latents only.
    """
    kinds = KINDS[:1] if components is None else KINDS
    found = [_rank(kind, folds, name, y, seed, components) for kind in kinds]
    return max(found, key=likelihood)


def _rank(kind, folds, name, y, seed, components) -> Ranks:
    """Return the ranks by one of KINDS."""
    fitted = [_fit(kind, fold, name, y, components) for fold in folds]
    a, b = (torch.cat([of._asdict()[side] for of in fitted]) for side in "ab")
    w = torch.cat([of.own * of.partner for of in fitted])
    rows = {m: torch.cat([fold.held[m] for fold in folds]) for m in y}
    distinct = min(len(of[of != ABSENT].unique()) for of in rows.values())
    c = w / w.sum().clamp_min(1e-12) @ (a * b)
    c = torch.where(c > ERRORS / max(distinct, 1) ** 0.5, c, 0).clamp_max(0.99)
    rank = torch.cat(
        [rank_among(of.a, of.b, Among.of(of, c, seed), torch.arange(len(of.a))) for of in fitted]
    )
    counts = torch.cat([of.counts for of in fitted])
    return Ranks(torch.where(counts, rank, 1), counts, c, fitted)


def _fit(kind: str, fold: Fold, name: str, y, components) -> Fitted:
    """Return the canonical step of a fold's training pairs, and its held-out pairs in it."""
    values = {
        m: values_of(
            kind, fold.u[m], scale_of(fold.u[m], fold.train[m]), components and components[m]
        )
        for m in y
    }
    z, of, own, partner, _ = _weighted(values, fold.train, name, y)
    fitted = canonical(z, of, own * partner + LITTLE, RIDGE)
    z, of, own, partner, counts = _weighted(values, fold.held, name, y)
    share = (own * partner + LITTLE) / (own * partner + LITTLE).sum()
    mean_z, map_z = _standard(z, fitted.mean_z, fitted.map_z, share)
    mean_u, map_u = _standard(of, fitted.mean_u, fitted.map_u, share)
    standard = Canonical(mean_z, mean_u, map_z, map_u)
    return Fitted(kind, standard, *coordinates(standard, z, of), own, partner, counts)


def values_of(kind: str, u: Tensor, scale: Tensor, components: Tensor | None) -> Tensor:
    """Return what items are compared by (n, D), of mean 0 and deviation 1.

    Args:
        kind: one of KINDS.
        u: latents (n, L).
        scale: of `scale_of`.
        components: principal components (n, K); None where `kind` is latents.
    """
    if kind == "components":
        return components.double()
    u = (u.double() - scale[0]) / scale[1]
    return u if kind == "latents" else torch.cat((u, components.double()), 1)


def scale_of(u: Tensor, rows: Tensor) -> Tensor:
    """Return mean and deviation (2, L) of the latents u (n, L) of pairs' rows."""
    there = u[rows[rows != ABSENT]].double()
    return torch.stack((there.mean(0), there.std(0, correction=0).clamp_min(1e-6)))


def coordinates(fitted: Canonical, z: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Return canonical coordinates (N, K) of z (N, D) and u (N, D_m)."""
    return (z - fitted.mean_z) @ fitted.map_z, (u - fitted.mean_u) @ fitted.map_u


def _standard(x: Tensor, mean: Tensor, way: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and map by which x (N, D) of weights w has coordinates of deviation 1."""
    mean_x = w @ x
    spread = w @ ((x - mean_x) @ way).square()
    return mean_x, way / spread.sqrt().clamp_min(1e-9)


def _weighted(
    values: Mapping[str, Tensor], pairs: Mapping[str, Tensor], name: str, y: Mapping[str, Tensor]
) -> tuple[Tensor, ...]:
    """Return of pairs (N,) the others' z and the own values; and the rest as `Fitted` has it."""
    there = {m: rows != ABSENT for m, rows in pairs.items()}
    weight = {m: y[m][rows.clamp_min(0)] * there[m] for m, rows in pairs.items()}
    of = gather(values, pairs).x
    counts = there[name] & torch.stack([there[m] for m in y if m != name]).any(0)
    own, partner = weight[name] * counts, informed(weight, name) * counts
    return joined(of, weight, name), of[name], own, partner, counts


def joined(of: Mapping[str, Tensor], y: Mapping[str, Tensor], name: str) -> Tensor:
    """Return z (N, D): values of all modalities but `name`, each times its importance y (N,)."""
    return torch.cat([y[m].unsqueeze(1) * of[m] for m in y if m != name], 1)


def informed(y: Mapping[str, Tensor], name: str) -> Tensor:
    """Return the probability (N,) that an item other than that of `name` is informative."""
    return 1 - torch.stack([1 - of for m, of in y.items() if m != name]).prod(0)


def fits(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Return how well items b (N, K) fit partners a (P, K), a log likelihood ratio (N, P)."""
    rest = 1 - c.square()
    bend = c.square() / (2 * rest)
    return (b * (c / rest)) @ a.T - (b.square() @ bend)[:, None] - a.square() @ bend


def _fit_of_each(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Return the diagonal (N,) of `fits` of a and b (N, K)."""
    rest = 1 - c.square()
    return (a * b) @ (c / rest) - (a.square() + b.square()) @ (c.square() / (2 * rest))


class Among(NamedTuple):
    """Pairs among which partners are ranked: P held-out pairs of a fold.

    Attributes:
        a, b, own, partner: as of `Fitted`, of these pairs.
        c: correlations (K,).
        number: (P,), which of the fold's held-out pairs they are.
        taken: (P,), log of how likely each partner takes an item, on average over the items.
    """

    a: Tensor
    b: Tensor
    own: Tensor
    partner: Tensor
    c: Tensor
    number: Tensor
    taken: Tensor

    @classmethod
    def of(cls, fitted: Fitted, c: Tensor, seed: int) -> "Among":
        """Return all held-out pairs of a fold; PARTNERS of them where there are more."""
        generator = torch.Generator().manual_seed(seed)
        some = torch.randperm(len(fitted.a), generator=generator)[:PARTNERS]
        of = (of[some] for of in (fitted.a, fitted.b, fitted.own, fitted.partner))
        among = cls(*of, c, some, torch.zeros(len(some), dtype=c.dtype))
        return among._replace(taken=_taken(among.a, among, some))


def _taken(a: Tensor, among: Among, number: Tensor | None) -> Tensor:
    """Return how likely partners a (N, K) take an item other than their own (log of the mean)."""
    w = among.own.expand(len(a), -1)
    if number is not None:
        w = w * (number[:, None] != among.number)
    w = w + LITTLE
    fit = fits(a, among.b, among.c).T  # (N, P)
    return (fit + w.log()).logsumexp(1) - w.sum(1).log()


def rank_among(a: Tensor, b: Tensor, among: Among, number: Tensor | None = None) -> Tensor:
    """Return the ranks (N,) of partners a (N, K) of items b (N, K), as `Ranks` has them.

    Args:
        a, b: canonical coordinates.
        among: pairs whose partners they are ranked among.
        number: which of the fold's held-out pairs they are (N,), so that none is its own rival;
            None for other pairs.
    """
    if not among.c.any():
        return torch.full((len(a),), 0.5, dtype=a.dtype)
    found = []
    for rows in torch.arange(len(a)).split(ROWS):
        which = None if number is None else number[rows]
        own = _fit_of_each(a[rows], b[rows], among.c) - _taken(a[rows], among, which)
        fit = fits(among.a, b[rows], among.c) - among.taken  # (R, P)
        w = among.partner.expand(len(rows), -1)
        if which is not None:
            w = w * (which[:, None] != among.number)
        above = (w * ((fit > own[:, None]) + 0.5 * (fit == own[:, None]))).sum(1)
        best = fit.masked_fill(w == 0, -torch.inf).max(1).values
        ahead = torch.where((above == 0) & best.isfinite(), own - best, 0)
        # Half a pair more on each side: the rank of the own one is neither 0 nor 1.
        found.append((above + 0.5) / (w.sum(1) + 1) * (-ahead).exp())
    return torch.cat(found).clamp_min(LITTLE)
