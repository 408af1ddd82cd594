"""The density of ranks: pi_0, f and what new pairs get, by hand."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ima.models.rank_density import (
    CENTRES,
    EDGES,
    TAILS,
    UNSEEN,
    Density,
    _uninformative,
    informative_density,
    likelihood,
)

WIDTH = np.diff(EDGES)


def ranked(rank, correlated=True):
    """Return ranks of one modality, of pairs that all count."""
    rank = torch.tensor(rank, dtype=torch.double)
    counts = torch.ones(len(rank), dtype=torch.bool)
    return SimpleNamespace(rank=rank, counts=counts, correlations=torch.tensor([float(correlated)]))


def half_informative(n=400):
    """Return n ranks below .01 and n that are uniform."""
    return [*np.linspace(0.0001, 0.01, n), *((np.arange(n) + 0.5) / n)]


def test_pi_0_by_hand():
    """By loops. No rank is above .8, but the bound is lowest above .3, where one is."""
    rank, w = np.array([0.05, 0.15, 0.2, 0.75]), np.array([1.0, 1, 1, 0.25])
    bounds = []
    for threshold in TAILS:
        above = [v for v, r in zip(w, rank, strict=True) if r > threshold]
        scale = (1 - threshold) * sum(w)
        bound = (sum(above) + math.sqrt(sum(v * v for v in above) + 1)) / scale
        bounds.append((bound, sum(above) / scale))
    assert _uninformative(rank, w) == pytest.approx(min(bounds)[1])
    assert min(bounds)[1] > 0 == min(density for _, density in bounds)


def test_pi_0_is_1_at_most_and_a_threshold_is_not_above_itself():
    assert _uninformative(np.full(10, 0.9), np.ones(10)) == 1
    assert _uninformative(np.full(4, 0.8), np.ones(4)) == 0


@pytest.mark.parametrize("weight", [1.0, 0.001])
def test_of_a_half_that_is_informative(weight):
    """The weight of all pairs cancels, except where it makes a pseudo-count matter."""
    rank = half_informative()
    f = informative_density(ranked(rank), torch.full((800,), weight))
    assert f.pairs == pytest.approx(800 * weight)
    values = f.values.numpy()
    assert (values >= 0).all() and (np.diff(values) <= 1e-12).all() and values @ WIDTH <= 1 + 1e-9
    if weight == 1:
        assert f.share == pytest.approx(0.5, abs=0.05)
        assert f.values[CENTRES > 0.1].max() == 0


def falling(density):
    """Return the non-increasing fit to a density by pooling neighbours that rise."""
    pools = []  # of a value, its width, and how many bins
    for value, width in zip(density, WIDTH, strict=True):
        pools.append([value, width, 1])
        while len(pools) > 1 and pools[-2][0] < pools[-1][0]:
            value, width, bins = pools.pop()
            of = pools[-1]
            of[0] = (of[0] * of[1] + value * width) / (of[1] + width)
            of[1:] = of[1] + width, of[2] + bins
    return np.concatenate([np.full(bins, value) for value, _, bins in pools])


def test_f_by_hand():
    rank, w = half_informative(50), torch.full((100,), 0.5)
    f = informative_density(ranked(rank), w)
    pi_0 = 1 - f.share
    density = (np.histogram(rank, EDGES, weights=w)[0] + pi_0) / (50 * WIDTH + 1)
    expected = np.maximum(falling(density) - pi_0, 0)
    expected = expected / max(1 - pi_0, expected @ WIDTH)
    np.testing.assert_allclose(f.values.numpy(), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("correlated", "weight"), [(False, 1.0), (True, 0.0)])
def test_where_nothing_is_shared_f_is_1(correlated, weight):
    f = informative_density(ranked([0.1, 0.2], correlated), torch.full((2,), weight))
    assert (f.values == 1).all() and f.values.dtype == torch.double
    assert (f.share, f.pairs) == (0.0, 2 * weight)


def test_likelihood_by_hand():
    ranks = ranked(half_informative())
    f = informative_density(ranks, torch.ones(800))
    density = [f.share * v + 1 - f.share for v in f.at(ranks.rank).tolist()]
    assert likelihood(ranks) == pytest.approx(np.mean(np.log(density)))
    assert likelihood(ranked([0.1, 0.2], correlated=False)) == 0


def test_new_ranks_by_hand():
    """f is seen up to 1/16, so that above it, a tenth pair of nine has the density of a tail."""
    f = Density(torch.tensor(np.where(EDGES[1:] <= 1 / 16, 0.5, 0.0)), 1.0, 9)
    seen, edge, new = f.of_new(torch.tensor([0.01, 1 / 16, 0.8], dtype=torch.double)).tolist()
    assert seen == pytest.approx(0.5) and new == pytest.approx(2 / 16**2 / (10 * 0.8**3))
    assert edge == f.at(torch.tensor([1 / 16], dtype=torch.double)).item()
    assert f.highest_prior() == pytest.approx(0.9)
    assert f._replace(pairs=1e6).highest_prior() == 1 - UNSEEN
