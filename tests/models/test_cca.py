"""What pairs share, by hand, where the answer is known, and where there is nothing to share."""

import math

import numpy as np
import pytest
import torch

from ima.models.cca import ERRORS, RIDGE, Canonical, canonical, contributions, shared_by_pairs
from ima.models.ima import fuse


def doubles(values):
    return torch.tensor(values, dtype=torch.float64)


def normal(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def ones(n):
    return torch.ones(n, dtype=torch.float64)


def related(n=400, correlations=(0.9, 0.5), seed=0):
    """Return z and u (n, 2) of which two coordinates correlate so; those of either are mixed."""
    z, e = normal(n, 2, seed=seed), normal(n, 2, seed=seed + 1)
    c = doubles(correlations)
    u = c * z + (1 - c.square()).sqrt() * e
    return z @ doubles([[3.0, 1.0], [0.5, 2.0]]) + 7, u @ doubles([[1.0, -4.0], [2.0, 1.0]]) - 1


# Canonical coordinates


def test_canonical_coordinates():
    """Of variance 1 (but for the ridge), uncorrelated but with their own, best first."""
    z, u = related(20_000)
    v = torch.from_numpy(np.random.default_rng(3).random(20_000))
    fitted = canonical(z, u, v)
    w = v / v.sum()
    a, b = (z - fitted.mean_z) @ fitted.map_z, (u - fitted.mean_u) @ fitted.map_u
    for mean in (w @ a, w @ b):
        assert mean.abs().max() < 1e-12
    for of in (a, b):
        torch.testing.assert_close(
            (w[:, None] * of).T @ of, torch.eye(2).double(), atol=0.02, rtol=0
        )
    cross = (w[:, None] * a).T @ b
    assert cross.diagonal().tolist() == pytest.approx([0.9, 0.5], abs=0.02)
    assert (cross - cross.diagonal().diag()).abs().max() < 1e-10


def test_a_pair_of_weight_0_is_not_fitted():
    z, u = related(50)
    v = ones(50)
    v[10:] = 0
    changed = z.clone()
    changed[10:] = 1e3
    expected = canonical(z[:10], u[:10], ones(10))
    for found in (canonical(z, u, v), canonical(changed, u, v)):
        torch.testing.assert_close(tuple(found[:2]), tuple(expected[:2]))
        torch.testing.assert_close(found.map_z @ found.map_u.T, expected.map_z @ expected.map_u.T)
    assert not torch.allclose(canonical(changed, u, ones(50)).mean_z, expected.mean_z)


def test_directions_without_variance_have_finite_maps():
    """The ridge is RIDGE of the greatest variance: a constant latent stays a finite number."""
    z, u = related(100)
    z[:, 1] = 3
    assert all(torch.isfinite(part).all() for part in canonical(z, u, ones(100)))
    fitted = canonical(torch.full((100, 2), 3.0).double(), u, ones(100))
    assert all(torch.isfinite(part).all() for part in fitted) and 0 < RIDGE < 0.01


# Contributions

#: Means are 0; correlations 1 / sqrt 3 (covariance 1, variances 3 and 1) and 1.
BY_HAND = (
    Canonical(*doubles([[0.0, 0.0]] * 2), *torch.eye(2).double().expand(2, 2, 2)),
    doubles([[3, 1], [-1, -1], [-1, 1], [-1, -1]]),
    doubles([[1, 1], [1, -1], [-1, 1], [-1, -1]]),
)


def test_contributions_by_hand():
    """s = (c_1 (3 -1 1 1) + (1 1 1 1)) / (c_1 + 1)."""
    s, c = contributions(*BY_HAND, ones(4), distinct=10_000)
    first = 1 / math.sqrt(3)
    assert c.tolist() == pytest.approx([first, 1])
    expected = [(first * product + 1) / (first + 1) for product in (3, -1, 1, 1)]
    assert s.tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("distinct", "s"),
    [
        (36, [1, 1, 1, 1]),  # 4 / 6 is above 1 / sqrt 3: the second coordinate alone
        (16, [0, 0, 0, 0]),  # 4 / 4: none
    ],
)
def test_coordinates_must_hold_up(distinct, s):
    assert ERRORS == 4
    assert contributions(*BY_HAND, ones(4), distinct)[0].tolist() == pytest.approx(s)


def test_coordinates_that_turn_round_in_other_pairs_are_dropped():
    fitted, z, u = BY_HAND
    s, c = contributions(fitted, z, u * doubles([-1, 1]), ones(4), 10_000)
    assert c[0] < -0.5 and s.tolist() == pytest.approx([1] * 4)


def test_weights_of_pairs():
    """The weighted mean of s is 1; a pair of weight 0 changes no other."""
    z, u = related(300)
    v = torch.from_numpy(np.random.default_rng(5).random(300))
    v[7] = 0
    fitted = canonical(*related(300, seed=9), ones(300))
    s, _ = contributions(fitted, z, u, v, 300)
    assert (v @ s / v.sum()).item() == pytest.approx(1)
    u[7] = 1000
    again, _ = contributions(fitted, z, u, v, 300)
    rest = torch.arange(300) != 7
    torch.testing.assert_close(again[rest], s[rest])


def s_of(z, u, distinct=None):
    """Fit on the first half, and return s of the second."""
    half = len(z) // 2
    fitted = canonical(z[:half], u[:half], ones(half))
    return contributions(fitted, z[half:], u[half:], ones(half), distinct or half)[0]


def test_sizes_of_latents_are_nothing():
    z, u = related()
    torch.testing.assert_close(s_of(10 * z + 3, -0.01 * u), s_of(z, u))
    assert s_of(z, u).std() > 0.1


def test_noise_contributes_nothing():
    """A fifth of the pairs have a u that is anything: of mean 0, and the rest above 1."""
    z, u = related(4000)
    noise = torch.from_numpy(np.random.default_rng(8).random(4000) < 0.2)
    u[noise] = u[torch.from_numpy(np.random.default_rng(2).permutation(4000))][noise]
    s, noise = s_of(z, u), noise[2000:]
    assert abs(s[noise].mean().item()) < 0.15
    assert s[~noise].mean().item() == pytest.approx(1.25, abs=0.05)  # 1 over four fifths


@pytest.mark.parametrize("seed", range(3))
def test_no_coordinate_counts_if_nothing_is_shared(seed):
    """With 20 latents the training pairs correlate all the same; held-out ones don't."""
    z, u = normal(200, 20, seed=seed), normal(200, 20, seed=seed + 50)
    assert s_of(z, u).abs().max() == 0
    fitted = canonical(z[:100], u[:100], ones(100))
    by_heart, c = contributions(fitted, z[:100], u[:100], ones(100), 100)
    assert c[0] > 0.7 and by_heart.mean().item() == pytest.approx(1)


def test_latents_that_are_constant():
    z, u = related(100)
    assert s_of(torch.zeros_like(z), u).abs().max() == 0


# Of every modality and copy


def problem():
    """Return latents of three modalities in two parts of pairs, and importances of two copies."""
    rng = np.random.default_rng(0)
    class_ = rng.normal(size=(300, 2))
    u = {m: torch.from_numpy(class_ @ rng.normal(size=(2, 2))).float() for m in "abc"}
    u = {
        m: value + 0.3 * torch.from_numpy(rng.normal(size=(300, 2))).float()
        for m, value in u.items()
    }
    y = {m: torch.from_numpy(rng.random((2, 300))).float() for m in u}
    parts = slice(0, 200), slice(200, 300)
    return [{m: value[part] for m, value in u.items()} for part in parts] + [
        {m: value[:, part] for m, value in y.items()} for part in parts
    ]


def there(*latents):
    """Return that all pairs have all modalities."""
    return [{m: torch.ones(1, len(u)) for m, u in part.items()} for part in latents]


def test_every_modality_and_copy():
    """z is fused of the others by their importances, whose mean is a pair's weight."""
    train, held, y_train, y_held = problem()
    s, v = shared_by_pairs(train, held, y_train, y_held, *there(train, held), 100)
    for m, others in (("a", "bc"), ("b", "ac"), ("c", "ab")):
        torch.testing.assert_close(v[m], (y_held[others[0]] + y_held[others[1]]) / 2)
        assert s[m].shape == (2, 100)
        for copy in range(2):
            z, z_held = (
                fuse({n: u[n] for n in others}, {n: y[n][copy] for n in others}).double()
                for u, y in ((train, y_train), (held, y_held))
            )
            weight = sum(y_train[n][copy] for n in others).double() / 2
            fitted = canonical(z, train[m].double(), weight)
            expected = contributions(fitted, z_held, held[m].double(), v[m][copy].double(), 100)[0]
            torch.testing.assert_close(s[m][copy], expected.float())
        assert not torch.allclose(s[m][0], s[m][1], atol=0.01)


def test_a_modalitys_own_importances_are_nothing_to_it():
    train, held, y_train, y_held = problem()
    s, v = shared_by_pairs(train, held, y_train, y_held, *there(train, held), 100)
    other = [{**y, "a": 1 - y["a"]} for y in (y_train, y_held)]
    s_2, v_2 = shared_by_pairs(train, held, *other, *there(train, held), 100)
    assert torch.equal(s["a"], s_2["a"]) and torch.equal(v["a"], v_2["a"])
    assert not torch.allclose(s["b"], s_2["b"]) and not torch.allclose(v["b"], v_2["b"])
