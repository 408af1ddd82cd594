"""The density of partner ranks (`ima.models.ranks`) of informative items and of all others."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from ima.models.ranks import Ranks

#: Added to weights, so that they never sum to 0; also the minimum of ranks.
LITTLE = 1e-9
#: Edges of the histogram bins of ranks: powers of 2 from 2^-24 to 1/32, then multiples of 1/16.
EDGES = np.concatenate(([0], 2.0 ** np.arange(-24, -4), np.arange(1, 17) / 16))
CENTRES = np.append(EDGES[1] / 2, (EDGES[1:-1] * EDGES[2:]) ** 0.5)
#: Least probability that a new pair's items share nothing. It is enough to doubt exchanged items
#: of clean data, and too little to doubt a pair whose rank was seen.
UNSEEN = 0.02
#: Candidate thresholds above which pairs are taken to share nothing (`_uninformative`).
TAILS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


class Density(NamedTuple):
    """The density f of ranks among informative items. Among all other items it is 1.

    Attributes:
        values: f (BINS,) at CENTRES, non-negative and non-increasing.
        share: share of informative items, in [0, 1].
        pairs: number of pairs, each times its weight, from which f was estimated.
    """

    values: Tensor
    share: float
    pairs: float

    def at(self, rank: Tensor) -> Tensor:
        """Return f (N,) at ranks (N,) in (0, 1]."""
        f = np.interp(np.log(rank.numpy()), np.log(CENTRES), self.values.numpy())
        return torch.from_numpy(f)

    def of_new(self, rank: Tensor) -> Tensor:
        """Return f (N,) at the ranks (N,) of new pairs.

        Above the highest rank r_0 that was seen, f is small but not 0: one more pair is assumed to
        be there, with the density 2 r_0^2 / rank^3.
        """
        highest = float(EDGES[1:][self.values.numpy() > 0].max())
        tail = 2 * highest**2 / ((self.pairs + 1) * rank**3)
        return torch.where(rank > highest, torch.maximum(self.at(rank), tail), self.at(rank))

    def highest_prior(self) -> float:
        """Return the highest probability that a new pair's items are informative.

        It is below 1 even if those of all pairs were.
        """
        return 1 - max(UNSEEN, 1 / (self.pairs + 1))


def informative_density(ranks: "Ranks", w: Tensor) -> Density:
    """Return the density f of ranks among informative items.

    In the two-group model, the density of all ranks is pi_0 + (1 - pi_0) f(rank), where f is
    non-increasing and pi_0 is the density at high ranks, which informative items rarely have. If
    the modality shares nothing, f is 1 everywhere.

    Args:
        ranks: ranks of one modality.
        w: weight (N,) of each pair, in [0, 1].
    """
    # Imported here, because it takes about as long as PyTorch and most jobs import this module.
    from sklearn.isotonic import IsotonicRegression

    w, rank = (w * ranks.counts).double().numpy(), ranks.rank.numpy()
    width = np.diff(EDGES)
    if not ranks.correlations.any() or w.sum() <= 0:
        return Density(torch.ones(len(width), dtype=torch.double), 0.0, float(w.sum()))
    pi_0 = _uninformative(rank, w)
    count = np.histogram(rank, EDGES, weights=w)[0]
    # A pseudo-count of one pair per bin, with density pi_0: nearly empty bins are no evidence.
    density = (count + pi_0) / (w.sum() * width + 1)
    falling = IsotonicRegression(increasing=False)
    density = falling.fit_transform(np.arange(len(width)), density, sample_weight=width)
    f = np.maximum(density - pi_0, 0)
    f = f / max(1 - pi_0, f @ width, LITTLE)
    return Density(torch.from_numpy(f), 1 - pi_0, float(w.sum()))


def _uninformative(rank: np.ndarray, w: np.ndarray) -> float:
    """Return pi_0 in [0, 1], the density of ranks above a threshold.

    Above a higher threshold there are fewer informative pairs, but the estimate is less certain. Of
    TAILS, the threshold with the lowest upper bound on the density is used.
    """
    estimates = []
    for threshold in TAILS:
        above = w[rank > threshold]
        scale = (1 - threshold) * w.sum()
        estimates.append((above.sum() + (np.square(above).sum() + 1) ** 0.5, above.sum(), scale))
    _, tail, scale = min(estimates, key=lambda estimate: estimate[0] / estimate[2])
    return float(min(tail / scale, 1.0))


def likelihood(ranks: "Ranks") -> float:
    """Return the mean log density of the ranks of all pairs that count; 0 if nothing is shared."""
    if not ranks.correlations.any():
        return 0.0
    f = informative_density(ranks, ranks.counts.double())
    density = f.share * f.at(ranks.rank[ranks.counts]) + 1 - f.share
    return float(density.clamp_min(LITTLE).log().mean())
