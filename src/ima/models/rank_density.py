"""The density of ranks of partners (`ima.models.ranks`), of informative items and of all others."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from sklearn.isotonic import IsotonicRegression
from torch import Tensor

if TYPE_CHECKING:
    from ima.models.ranks import Ranks

#: Weight of what has none, so that no sum of weights is 0; and the least rank.
LITTLE = 1e-9
#: Edges of the bins of the density of ranks: halves down to 2^-24, and steps of a sixteenth.
EDGES = np.concatenate(([0], 2.0 ** np.arange(-24, -4), np.arange(1, 17) / 16))
CENTRES = np.append(EDGES[1] / 2, (EDGES[1:-1] * EDGES[2:]) ** 0.5)
#: Ranks above which pairs may be taken to share nothing: the least upper bound decides.
TAILS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


class Density(NamedTuple):
    """The density of ranks among informative items; among others it is 1.

    Attributes:
        values: f (BINS,) at CENTRES, at least 0 and falling.
        share: of items that are informative, in [0, 1].
    """

    values: Tensor
    share: float

    def at(self, rank: Tensor) -> Tensor:
        """Return f (N,) at ranks (N,) in (0, 1]."""
        at = np.interp(np.log(rank.numpy()), np.log(CENTRES), self.values.numpy())
        return torch.from_numpy(at)


def informative_density(ranks: "Ranks", w: Tensor) -> Density:
    """Return the density f of ranks among informative items.

    Two groups: the density of all ranks is pi_0 + (1 - pi_0) f(rank), with f non-increasing, and
    pi_0 the density at great ranks, which informative items hardly have. All of f is 1 where a
    modality shares nothing.

    Args:
        ranks: of a modality.
        w: weight (N,) of each pair in the density, in [0, 1].
    """
    w, rank = (w * ranks.counts).double().numpy(), ranks.rank.numpy()
    width = np.diff(EDGES)
    if not ranks.correlations.any() or w.sum() <= 0:
        return Density(torch.ones(len(width), dtype=torch.double), 0.0)
    pi_0 = _uninformative(rank, w)
    count = np.histogram(rank, EDGES, weights=w)[0]
    # A pair more in each bin, of density pi_0: those that hold hardly any are no evidence.
    density = (count + pi_0) / (w.sum() * width + 1)
    falling = IsotonicRegression(increasing=False)
    density = falling.fit_transform(np.arange(len(width)), density, sample_weight=width)
    f = np.maximum(density - pi_0, 0)
    f = f / max(1 - pi_0, f @ width, LITTLE)
    return Density(torch.from_numpy(f), 1 - pi_0)


def _uninformative(rank: np.ndarray, w: np.ndarray) -> float:
    """Return pi_0 in [0, 1]: the density above that of TAILS whose upper bound is the least.

    The further up, the fewer informative pairs there are, and the less certain it is.
    """
    found = []
    for least in TAILS:
        of = w[rank > least]
        scale = (1 - least) * w.sum()
        found.append((of.sum() + (np.square(of).sum() + 1) ** 0.5, of.sum(), scale))
    _, tail, scale = min(found, key=lambda one: one[0] / one[2])
    return float(min(tail / scale, 1.0))


def likelihood(ranks: "Ranks") -> float:
    """Return the mean log density of the ranks of all pairs that count, 0 if nothing is shared."""
    if not ranks.correlations.any():
        return 0.0
    f, share = informative_density(ranks, ranks.counts.double())
    density = share * Density(f, share).at(ranks.rank[ranks.counts]) + 1 - share
    return float(density.clamp_min(LITTLE).log().mean())
