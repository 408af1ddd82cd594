"""Ranks of partners: how well the items of a pair fit each other, compared with shuffled pairs.

They are the evidence of the objective `mixture`. An item shares information with its partners if
they fit it better than the partners from other pairs do. If nothing is shared, the rank of the own
partners among all partners is uniform, whatever the items look like.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ima.models.cca import ERRORS, Canonical, canonical
from ima.models.compared import FEATURES, KINDS, latent_scale, values_of
from ima.models.ima import Autoencoder
from ima.models.rank_density import LITTLE, likelihood
from ima.pairing.by_label import ABSENT
from ima.training.loop import gather

#: Maximum number of canonical coordinates.
COORDINATES = 50
#: Limit of canonical coordinates in correlations, in standard deviations: Fourier features have
#: outliers, by which items that share nothing may seem correlated.
LIMIT = 3.0
#: Share of the largest variance added to all variances in canonical correlation analysis.
RIDGE = 1e-3
#: Maximum number of pairs among which a partner is ranked; rows of the fit matrix computed at once.
PARTNERS, ROWS = 2000, 1024


class Fold(NamedTuple):
    """Training and held-out pairs of one autoencoder, and its latents.

    Attributes:
        u: by modality, the latents (n_m, L) of all items. Latents and pairs are on the CPU.
        train, held: by modality, the row numbers (N,) of the training pairs and (H,) of the
            held-out pairs.
        pair: numbers (H,) of the held-out pairs among all pairs.
    """

    u: Mapping[str, Tensor]
    train: Mapping[str, Tensor]
    held: Mapping[str, Tensor]
    pair: Tensor


@torch.no_grad()
def latents_of(autoencoder: Autoencoder, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the latents (n_m, L) of all items by modality, on the CPU."""
    return {m: u.cpu() for m, u in autoencoder.encode(x).items()}


def held_out_fold(
    autoencoder: Autoencoder,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    held_out: Mapping[str, Tensor],
) -> Fold:
    """Return the fold of an autoencoder trained on `items`.

    The held-out pairs are numbered after the N training pairs, from N on.
    """
    first, count = (len(next(iter(pairs.values()))) for pairs in (items, held_out))
    number = torch.arange(first, first + count)
    return Fold(latents_of(autoencoder, x), items, held_out, number)


class Fitted(NamedTuple):
    """Canonical correlation analysis of a fold, and its held-out pairs in canonical coordinates.

    Attributes:
        kind: one of `ima.models.compared.KINDS`.
        canonical: maps z (the concatenated values of the other modalities) and the item's values
            to canonical coordinates with mean 0 and standard deviation 1 over the held-out pairs.
        a, b: canonical coordinates (H, K) of z and of the item.
        own: importance (H,) of the item; 0 if the pair does not count.
        partner: probability (H,) that another item of the pair is informative; 0 if the pair does
            not count.
        counts: whether each pair has this modality and another one (H,).
    """

    kind: str
    canonical: Canonical
    a: Tensor
    b: Tensor
    own: Tensor
    partner: Tensor
    counts: Tensor


class Ranks(NamedTuple):
    """Ranks of the held-out pairs of all folds, concatenated fold by fold.

    Attributes:
        rank: (N,) in (0, 1], the share of other pairs whose partners fit the item at least as well
            as its own partners; .5 on average if nothing is shared. If none fits as well, the rank
            is the share of half a pair times the likelihood ratio of the best other partners to the
            own ones. It is 1 if the pair does not count.
        counts: whether each pair has this modality and another one (N,).
        correlations: canonical correlations (K,) of the held-out pairs, with coordinates within
            LIMIT, set to 0 unless ERRORS standard errors above 0. All are 0 if the modality shares
            nothing.
        fitted: the analysis of each fold; empty if the ranks are not computed from folds.
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

    The fit of partners and an item is the log likelihood ratio of canonical correlation analysis,
    sum_k log p(a_k, b_k) / (p(a_k) p(b_k)), where a and b are the canonical coordinates of the
    partners' z and of the item, with correlations c. Partners are ranked by their fit to this item
    relative to their mean fit to all items, so that no partner fits many items. The coordinates are
    fitted to the training pairs of a fold, c to the held-out pairs. Pairs are compared by that of
    KINDS which gives the ranks the highest likelihood.

    Args:
        folds: folds whose held-out pairs are ranked.
        name: name of the modality.
        y: by modality, the current importance (n_m,) of each item, by which pairs are weighted.
        seed: seed of the sample of partners that is used if there are more than PARTNERS.
        components: by modality, the principal components (n_m, K_m) of all items, with mean 0 and
            standard deviation 1; None to compare latents only.
    """
    kinds = KINDS[:1] if components is None else KINDS
    candidates = [_rank(kind, folds, name, y, seed, components) for kind in kinds]
    return max(candidates, key=likelihood)


def _rank(
    kind: str,
    folds: Sequence[Fold],
    name: str,
    y: Mapping[str, Tensor],
    seed: int,
    components: Mapping[str, Tensor] | None,
) -> Ranks:
    """Return the ranks of partners compared by `kind`, one of KINDS."""
    fitted = [_fit(kind, fold, name, y, components) for fold in folds]
    a, b = (torch.cat([fit._asdict()[side] for fit in fitted]) for side in "ab")
    w = torch.cat([fit.own * fit.partner for fit in fitted])
    rows = {m: torch.cat([fold.held[m] for fold in folds]) for m in y}
    distinct = min(len(numbers[numbers != ABSENT].unique()) for numbers in rows.values())
    c = w / w.sum().clamp_min(1e-12) @ (a.clamp(-LIMIT, LIMIT) * b.clamp(-LIMIT, LIMIT))
    c = torch.where(c > ERRORS / max(distinct, 1) ** 0.5, c, 0).clamp_max(0.99)
    rank = torch.cat(
        [
            rank_among(fit.a, fit.b, RankReference.of(fit, c, seed), torch.arange(len(fit.a)))
            for fit in fitted
        ]
    )
    counts = torch.cat([fit.counts for fit in fitted])
    return Ranks(torch.where(counts, rank, 1), counts, c, fitted)


def _fit(
    kind: str,
    fold: Fold,
    name: str,
    y: Mapping[str, Tensor],
    components: Mapping[str, Tensor] | None,
) -> Fitted:
    """Fit the analysis to a fold's training pairs, and return it with the held-out pairs."""
    values = {
        m: values_of(
            kind,
            fold.u[m],
            latent_scale(fold.u[m], fold.train[m]),
            components and components[m],
            FEATURES // len(y),
        )
        for m in y
    }
    z, u, own, partner, _ = _weighted(values, fold.train, name, y)
    fitted = canonical(z, u, own * partner + LITTLE, RIDGE)
    fitted = Canonical(*fitted[:2], *(of[:, :COORDINATES] for of in fitted[2:]))
    z, u, own, partner, counts = _weighted(values, fold.held, name, y)
    share = (own * partner + LITTLE) / (own * partner + LITTLE).sum()
    mean_z, map_z = _standard(z, fitted.map_z, share)
    mean_u, map_u = _standard(u, fitted.map_u, share)
    standard = Canonical(mean_z, mean_u, map_z, map_u)
    return Fitted(kind, standard, *coordinates(standard, z, u), own, partner, counts)


def coordinates(fitted: Canonical, z: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Return the canonical coordinates (N, K) of z (N, D) and of u (N, D_m)."""
    return (z - fitted.mean_z) @ fitted.map_z, (u - fitted.mean_u) @ fitted.map_u


def _standard(x: Tensor, directions: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean of x (N, D) with weights w, and directions scaled to unit deviation."""
    mean_x = w @ x
    variance = w @ ((x - mean_x) @ directions).square()
    return mean_x, directions / variance.sqrt().clamp_min(1e-9)


def _weighted(
    values: Mapping[str, Tensor], pairs: Mapping[str, Tensor], name: str, y: Mapping[str, Tensor]
) -> tuple[Tensor, ...]:
    """Return z of the other modalities, the item's values, `own`, `partner` and `counts`.

    All are of pairs (N,); the last three are described in `Fitted`.
    """
    present = {m: rows != ABSENT for m, rows in pairs.items()}
    # In the order of y, in which `joined` puts the values.
    weight = {m: y_m[pairs[m].clamp_min(0)] * present[m] for m, y_m in y.items()}
    x = gather(values, pairs).x
    counts = present[name] & torch.stack([present[m] for m in y if m != name]).any(0)
    own, partner = weight[name] * counts, informed(weight, name) * counts
    return joined(x, weight, name), x[name], own, partner, counts


def joined(values: Mapping[str, Tensor], y: Mapping[str, Tensor], name: str) -> Tensor:
    """Return z (N, D), the values of all modalities but `name`, times their importances y (N,)."""
    return torch.cat([y[m].unsqueeze(1) * values[m] for m in y if m != name], 1)


def informed(y: Mapping[str, Tensor], name: str) -> Tensor:
    """Return the probability (N,) that an item of a modality other than `name` is informative."""
    return 1 - torch.stack([1 - y_m for m, y_m in y.items() if m != name]).prod(0)


def fits(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Return the fit (N, P) of items b (N, K) and partners a (P, K), a log likelihood ratio."""
    rest = 1 - c.square()
    quadratic = c.square() / (2 * rest)
    return (b * (c / rest)) @ a.T - (b.square() @ quadratic)[:, None] - a.square() @ quadratic


def _fit_of_each(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Return the fit (N,) of item i and partner i, the diagonal of `fits`, of a and b (N, K)."""
    rest = 1 - c.square()
    return (a * b) @ (c / rest) - (a.square() + b.square()) @ (c.square() / (2 * rest))


class RankReference(NamedTuple):
    """The P held-out pairs of a fold among which partners are ranked.

    Attributes:
        a, b, own, partner: as in `Fitted`, of these pairs.
        c: canonical correlations (K,).
        number: numbers (P,) of these pairs among the fold's held-out pairs.
        taken: log of the mean likelihood ratio (P,) of each partner over the items.
    """

    a: Tensor
    b: Tensor
    own: Tensor
    partner: Tensor
    c: Tensor
    number: Tensor
    taken: Tensor

    @classmethod
    def of(cls, fitted: Fitted, c: Tensor, seed: int) -> "RankReference":
        """Return the held-out pairs of a fold, or a random PARTNERS of them if there are more."""
        generator = torch.Generator().manual_seed(seed)
        some = torch.randperm(len(fitted.a), generator=generator)[:PARTNERS]
        a, b, own, partner = (t[some] for t in (fitted.a, fitted.b, fitted.own, fitted.partner))
        reference = cls(a, b, own, partner, c, some, torch.zeros(len(some), dtype=c.dtype))
        return reference._replace(taken=_taken(reference.a, reference, some))


def _taken(a: Tensor, reference: RankReference, number: Tensor | None) -> Tensor:
    """Return the log of the mean likelihood ratio (N,) of partners a (N, K) and others' items."""
    w = reference.own.expand(len(a), -1)
    if number is not None:
        w = w * (number[:, None] != reference.number)
    w = w + LITTLE
    fit = fits(a, reference.b, reference.c).T  # (N, P)
    return (fit + w.log()).logsumexp(1) - w.sum(1).log()


def rank_among(
    a: Tensor, b: Tensor, reference: RankReference, number: Tensor | None = None
) -> Tensor:
    """Return the ranks (N,) of partners a (N, K) of items b (N, K), as in `Ranks`.

    Args:
        a, b: canonical coordinates.
        reference: pairs among whose partners they are ranked.
        number: numbers (N,) of the pairs among the fold's held-out pairs, so that no pair is
            compared with itself; None for other pairs.
    """
    if not reference.c.any():
        return torch.full((len(a),), 0.5, dtype=a.dtype)
    ranks = []
    for rows in torch.arange(len(a)).split(ROWS):
        which = None if number is None else number[rows]
        own = _fit_of_each(a[rows], b[rows], reference.c) - _taken(a[rows], reference, which)
        fit = fits(reference.a, b[rows], reference.c) - reference.taken  # (R, P)
        w = reference.partner.expand(len(rows), -1)
        if which is not None:
            w = w * (which[:, None] != reference.number)
        above = (w * ((fit > own[:, None]) + 0.5 * (fit == own[:, None]))).sum(1)
        best = fit.masked_fill(w == 0, -torch.inf).max(1).values
        ahead = torch.where((above == 0) & best.isfinite(), own - best, 0)
        # Half a pair is added on each side, so that the rank is neither 0 nor 1.
        ranks.append((above + 0.5) / (w.sum(1) + 1) * (-ahead).exp())
    return torch.cat(ranks).clamp_min(LITTLE)
