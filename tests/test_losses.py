"""Every term of Eqs. 2-4 against values worked out by hand."""

import math

import numpy as np
import pytest
import torch

from ima.errors import InputError
from ima.losses import (
    TARGETS,
    alignment,
    correlation,
    covariance,
    entropy_floor,
    local,
    reconstruction,
    target,
)
from ima.model import fuse

LOG2, LOG3 = math.log(2), math.log(3)

#: Three samples; means 2 and (1, 3), deviations (-1, 0, 1) and ((-1, 0), (0, -3), (1, 3)).
Z = torch.tensor([[1.0], [2.0], [3.0]])
U = torch.tensor([[0.0, 3.0], [1.0, 0.0], [2.0, 6.0]])


# Eq. 2


def test_cross_entropy_by_hand():
    """Logit ln 3 is p = 3/4: -ln p = ln 4 - ln 3, -ln (1 - p) = ln 4."""
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 1.0]])
    logits = torch.tensor([[LOG3, LOG3], [0.0, 0.0], [LOG3, 0.0]])
    first = (2 * LOG2 - LOG3) + 2 * LOG2
    second = 2 * LOG2
    third = ((2 * LOG2 - LOG3) + 2 * LOG2) / 2 + LOG2
    loss = reconstruction(x, logits, "bce")
    assert loss.item() == pytest.approx((first + second + third) / 3)


def test_squared_error_by_hand():
    x = torch.tensor([[1.0, 2.0], [0.0, 0.0], [3.0, 3.0]])
    decoded = torch.tensor([[1.0, 4.0], [1.0, -1.0], [3.0, 3.0]])
    assert reconstruction(x, decoded, "sse").item() == 2  # (4 + 2 + 0) / 3


@pytest.mark.parametrize("loss", ["bce", "sse"])
def test_reconstruction_grows_with_dimensions_and_not_with_the_batch(loss):
    x, decoded = torch.rand(4, 3), torch.randn(4, 3)
    once = reconstruction(x, decoded, loss)
    torch.testing.assert_close(reconstruction(x.repeat(5, 1), decoded.repeat(5, 1), loss), once)
    torch.testing.assert_close(reconstruction(x.repeat(1, 5), decoded.repeat(1, 5), loss), 5 * once)


def test_no_decoder_is_below_the_floor():
    x = torch.tensor([[0.5, 0.5, 1.0], [0.0, 1.0, 0.5]])
    assert entropy_floor(x).item() == pytest.approx(3 * LOG2 / 2)
    x = torch.rand(6, 4)
    assert reconstruction(x, x.logit(), "bce").item() == pytest.approx(entropy_floor(x).item())
    for off in (-0.1, 0.1):
        assert reconstruction(x, x.logit() + off, "bce") > entropy_floor(x)


def test_alignment_by_hand():
    u = {
        "a": torch.tensor([[1.0, 0.0], [0.0, 0.0], [2.0, 2.0]]),
        "b": torch.tensor([[3.0, 4.0], [0.0, 6.0], [2.0, 2.0]]),
    }
    # midpoints (2, 2), (0, 3), (2, 2); squared distances 5, 9, 0 from either side
    assert alignment(u, fuse(u)).item() == pytest.approx(2 * 14 / 3)
    # from 0: a has 1, 0, 8 and b has 25, 36, 8
    assert alignment(u, torch.zeros(3, 2)).item() == pytest.approx(9 / 3 + 69 / 3)
    assert alignment({"a": u["a"]}, u["a"]).item() == 0


# Eq. 3


def test_covariance_of_equal_weights_by_hand():
    # ((-1)(-1) + 0 + 1) / 3 and (0 + 0 + 3) / 3
    for weight in (1.0, 0.2, 40.0):
        found = covariance(torch.full((3,), weight), Z, U)
        assert found.shape == (1, 2)
        assert found[0].tolist() == pytest.approx([2 / 3, 1], rel=1e-6)


def test_covariance_of_uneven_weights_by_hand():
    """Weights 1/2 1/4 1/4: means 7/4 and (3/4, 3), deviations (-3 1 5)/4 and so on."""
    found = covariance(torch.tensor([2.0, 1.0, 1.0]), Z, U)
    first = (2 * (-3 * -3) + 1 * 1 + 5 * 5) / 64  # weights in quarters, deviations in quarters
    second = (2 * (-3 * 0) + 1 * -3 + 5 * 3) / 16
    assert found[0].tolist() == pytest.approx([first, second], rel=1e-6)
    assert (first, second) == (11 / 16, 3 / 4)


def test_a_sample_of_weight_0_is_not_there():
    found = covariance(torch.tensor([1.0, 0.0, 1.0]), Z, U)
    assert found[0].tolist() == pytest.approx([1, 3 / 2], rel=1e-6)  # of (1, 3) and (0, 2), (3, 6)
    changed = U.clone()
    changed[1] = 1000
    torch.testing.assert_close(covariance(torch.tensor([1.0, 0.0, 1.0]), Z, changed), found)


def test_covariance_is_numpys():
    rng = np.random.default_rng(0)
    z, u = rng.normal(size=(50, 3)), rng.normal(size=(50, 2)) + 5
    weights = rng.integers(1, 5, 50)
    for w, frequencies in ((np.ones(50), None), (weights.astype(float), weights)):
        expected = np.cov(z.T, u.T, fweights=frequencies, ddof=0)[:3, 3:]  # z's rows, u's columns
        found = covariance(*map(torch.from_numpy, (w, z, u)))
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10, atol=1e-14)


def test_correlation_by_hand():
    y = torch.tensor([0.0, 0.5, 0.5])  # y_comp in the ratio 2 1 1 of above
    raw = (11 / 16) ** 2 + (3 / 4) ** 2
    equal = (2 / 3) ** 2 + 1
    assert correlation(y, Z, U, scale_free=False).item() == pytest.approx(raw, rel=1e-6)
    assert correlation(y, Z, U, scale_free=True).item() == pytest.approx(raw / equal, rel=1e-6)


def noisy(seed=0):
    """Return latents of two modalities that share a class, but for 100 samples of noise in u.

    For each of 4 classes the noise has the same 25 values, so it is uncorrelated to the last bit.
    """
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(2, 4, 3))
    shared = np.repeat(np.arange(4), 75)
    z, u = (centre[shared] + 0.1 * rng.normal(size=(300, 3)) for centre in centres)
    z = np.concatenate([z, np.repeat(centres[0], 25, axis=0)])
    u = np.concatenate([u, np.tile(rng.normal(size=(25, 3)), (4, 1))])
    return torch.from_numpy(z), torch.from_numpy(u), torch.from_numpy(np.arange(400) < 300)


def test_correlation_is_0_where_only_noise_is_unimportant():
    z, u, clean = noisy()
    assert correlation(clean.double(), z, u, scale_free=True).item() < 1e-12


def test_correlation_of_other_importances():
    """Controls: constant ones give 1; the wrong way round or at random they are far from 0."""
    z, u, clean = noisy()
    for constant in (0.0, 0.3, 0.99):
        y = torch.full((400,), constant, dtype=torch.float64)
        assert correlation(y, z, u, scale_free=True).item() == pytest.approx(1)
    assert correlation(1 - clean.double(), z, u, scale_free=True) > 1
    shuffled = clean[torch.randperm(400, generator=torch.Generator().manual_seed(0))].double()
    assert 0.3 < correlation(shuffled, z, u, scale_free=True) < 3


def test_correlation_of_noise_that_is_not_exactly_uncorrelated():
    rng = np.random.default_rng(1)
    z, u, clean = noisy()
    u[300:] = torch.from_numpy(rng.normal(size=(100, 3)))
    assert correlation(clean.double(), z, u, scale_free=True) < 0.1


def test_scale_free_means_the_size_of_latents_is_nothing():
    z, u, _ = noisy()
    y = torch.rand(400, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    free, raw = correlation(y, z, u, True), correlation(y, z, u, False)
    for a, b in ((10.0, 1.0), (1.0, 0.01), (-5.0, 7.0)):
        torch.testing.assert_close(correlation(y, a * z + 3, b * u - 2, True), free)
        torch.testing.assert_close(correlation(y, a * z + 3, b * u - 2, False), (a * b) ** 2 * raw)


def test_correlation_where_all_is_important_or_one_sample_is_left():
    """Weights that are all 0: the loss is 0 and its gradient a number."""
    y = torch.ones(3, requires_grad=True)
    for scale_free in (True, False):
        loss = correlation(y, Z, U, scale_free)
        assert loss.item() == 0
        (gradient,) = torch.autograd.grad(loss, y)
        assert torch.isfinite(gradient).all()
        assert correlation(torch.tensor([0.3]), Z[:1], U[:1], scale_free).item() == 0


# Eq. 4


@pytest.mark.parametrize(
    ("rho", "y", "expected"),
    [
        (0.5, [0.25, 0.25, 0.25], LOG2 - LOG3 / 2),  # (ln 2 + ln 2/3) / 2
        (0.5, [0.0, 0.5, 0.25], LOG2 - LOG3 / 2),  # only the mean counts
        (0.25, [0.5, 0.5, 0.5], 3 * LOG3 / 4 - LOG2),  # (ln 1/2) / 4 + 3 (ln 3/2) / 4
        (0.75, [0.0, 0.5, 1.0], 3 * LOG3 / 4 - LOG2),
    ],
)
def test_local_by_hand(rho, y, expected):
    assert local(torch.tensor(y), torch.tensor(rho)).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("rho", [0.03, 0.3, 0.5, 0.8, 0.99])
def test_local_is_0_at_rho_and_more_on_either_side(rho):
    def at(mean):
        y = torch.tensor([mean] * 2, dtype=torch.float64)
        return local(y, torch.tensor(rho, dtype=torch.float64)).item()

    assert at(rho) == pytest.approx(0, abs=1e-12)
    assert at(rho - 0.02) > 1e-4 and at(rho + 0.005) > 1e-5


def test_local_is_kl_of_rho_from_y_and_not_the_other_way():
    rho, y = 0.25, 0.5
    other = y * math.log(y / rho) + (1 - y) * math.log((1 - y) / (1 - rho))
    found = local(torch.tensor([y]), torch.tensor(rho)).item()
    assert abs(found - other) > 0.01


@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_local_is_finite_at_the_ends(mean):
    y = torch.full((3,), mean, requires_grad=True)
    loss = local(y, torch.tensor(0.8))
    assert torch.isfinite(loss) and loss > 1
    assert torch.isfinite(torch.autograd.grad(loss, y)[0]).all()


# What stands for z

LATENTS = {"a": torch.tensor([[4.0], [4.0], [4.0]]), "b": torch.tensor([[0.0], [8.0], [2.0]])}
IMPORTANCES = {"a": torch.tensor([0.25, 1.0, 0.5]), "b": torch.tensor([0.75, 1.0, 0.0])}


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("joint", "a", [1, 6, 4]),
        ("joint", "b", [1, 6, 4]),
        ("detached", "a", [1, 6, 4]),
        ("equal", "a", [2, 6, 3]),
        ("others", "a", [0, 8, 2]),
        ("others", "b", [4, 4, 4]),
    ],
)
def test_targets_by_hand(kind, name, expected):
    z = target(name, LATENTS, IMPORTANCES, kind)
    assert z.flatten().tolist() == expected and z.shape == (3, 1)


def test_others_of_three_modalities_is_their_mean():
    u = {**LATENTS, "c": torch.tensor([[2.0], [0.0], [6.0]])}
    y = {**IMPORTANCES, "c": torch.ones(3)}
    assert target("a", u, y, "others").flatten().tolist() == [1, 4, 4]
    assert target("c", u, y, "others").flatten().tolist() == [2, 6, 3]


@pytest.mark.parametrize(
    ("kind", "flows"), [("joint", True), ("detached", False), ("equal", False), ("others", False)]
)
def test_gradient_of_a_target(kind, flows):
    y = {name: value.clone().requires_grad_() for name, value in IMPORTANCES.items()}
    z = target("a", LATENTS, y, kind)
    assert z.requires_grad == flows
    if flows:  # dz/dy_a = (u_a - z) / (y_a + y_b) = 3, (4 - 6) / 2, 0
        (gradient,) = torch.autograd.grad(z.sum(), y["a"])
        assert gradient.tolist() == [3, -1, 0]


def test_unknown_targets():
    found = "importance target: expected one of .*'others'.*found nearest"
    with pytest.raises(InputError, match=found):
        target("a", LATENTS, IMPORTANCES, "nearest")
    with pytest.raises(InputError, match="at least one"):
        target("a", {"a": LATENTS["a"]}, IMPORTANCES, "others")


# Copies


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("scale_free", [True, False])
def test_copies_are_what_each_is_alone(kind, scale_free):
    generator = torch.Generator().manual_seed(0)
    u = {name: torch.randn(20, 3, generator=generator) for name in "abc"}
    y = {name: torch.rand(4, 20, generator=generator) for name in "abc"}
    rho = torch.tensor([0.2, 0.4, 0.6, 0.8])
    z = target("b", u, y, kind)
    corr = correlation(y["b"], z, u["b"], scale_free)
    assert z.shape == (4, 20, 3) and corr.shape == (4,) == local(y["b"], rho).shape
    for copy in range(4):
        alone = {name: value[copy] for name, value in y.items()}
        z_alone = target("b", u, alone, kind)
        torch.testing.assert_close(z[copy], z_alone)
        torch.testing.assert_close(corr[copy], correlation(alone["b"], z_alone, u["b"], scale_free))
        torch.testing.assert_close(local(y["b"], rho)[copy], local(alone["b"], rho[copy]))
