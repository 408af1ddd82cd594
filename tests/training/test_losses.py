"""All terms of the losses against hand-computed values."""

import math

import numpy as np
import pytest
import torch

from ima.models.ima import fuse
from ima.training.losses import (
    RECONSTRUCTION,
    alignment,
    centring,
    covariance,
    local,
    prediction,
    reconstruction,
)

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


def test_poisson_by_hand():
    """Log rate 0 is rate 1, ln 2 is 2, ln 3 is 3: each summand is rate - x ln rate."""
    x = torch.tensor([[0.0, 2.0], [1.0, 3.0], [4.0, 0.0]])
    rates = torch.tensor([[0.0, LOG2], [LOG3, 0.0], [LOG2, LOG3]])
    first, second, third = 1 + (2 - 2 * LOG2), (3 - LOG3) + 1, (2 - 4 * LOG2) + 3
    loss = reconstruction(x, rates, "poisson")
    assert loss.item() == pytest.approx((first + second + third) / 3)
    np.testing.assert_allclose(prediction(rates, "poisson")[0], [1, 2], rtol=1e-6)


def test_predictions_by_hand():
    """Logit ln 3 is p = 3/4; values of squared errors are predictions themselves."""
    decoded = torch.tensor([[LOG3, 0.0]])
    assert prediction(decoded, "bce").tolist() == [pytest.approx([3 / 4, 1 / 2])]
    assert prediction(decoded, "sse").tolist() == decoded.tolist()


def test_categorical_by_hand():
    """Logits (0, ln 3) are probabilities (1/4, 3/4), (ln 2, 0) are (2/3, 1/3), (0, 0) are 1/2."""
    x = torch.tensor([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])
    logits = torch.tensor([[0.0, LOG3], [LOG2, 0.0], [0.0, 0.0]])
    first, second, third = 2 * LOG2 - LOG3, (LOG3 - LOG2 + LOG3) / 2, LOG2
    loss = reconstruction(x, logits, "categorical")
    assert loss.item() == pytest.approx((first + second + third) / 3)
    expected = [[1 / 4, 3 / 4], [2 / 3, 1 / 3], [1 / 2, 1 / 2]]
    np.testing.assert_allclose(prediction(logits, "categorical"), expected, rtol=1e-6)


def test_categorical_of_groups_by_hand():
    """Of two groups of two classes, each has its own softmax; a group of zeros adds nothing."""
    x = torch.tensor([[0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 1.0]])
    logits = torch.tensor([[0.0, LOG3, 0.0, 0.0], [9.0, 0.0, LOG2, 0.0], [0.0, 0.0, 0.0, LOG3]])
    first, second, third = (2 * LOG2 - LOG3) + LOG2, LOG3, LOG2 + (2 * LOG2 - LOG3)
    loss = reconstruction(x, logits, "categorical", classes=2)
    assert loss.item() == pytest.approx((first + second + third) / 3)
    found = prediction(logits, "categorical", 2)[0]
    np.testing.assert_allclose(found, [1 / 4, 3 / 4, 1 / 2, 1 / 2], rtol=1e-6)


@pytest.mark.parametrize("loss", ["bce", "sse"])
def test_reconstruction_grows_with_dimensions_but_not_batch_size(loss):
    x, decoded = torch.rand(4, 3), torch.randn(4, 3)
    once = reconstruction(x, decoded, loss)
    torch.testing.assert_close(reconstruction(x.repeat(5, 1), decoded.repeat(5, 1), loss), once)
    torch.testing.assert_close(reconstruction(x.repeat(1, 5), decoded.repeat(1, 5), loss), 5 * once)


@pytest.mark.parametrize("loss", RECONSTRUCTION)
def test_reconstruction_keeps_a_leading_dimension(loss):
    x, decoded = torch.rand(4, 3), torch.randn(2, 4, 3)
    found = reconstruction(x, decoded, loss)
    assert found.shape == (2,)
    for index in range(2):
        torch.testing.assert_close(found[index], reconstruction(x, decoded[index], loss))


def test_alignment_by_hand():
    u = {
        "a": torch.tensor([[1.0, 0.0], [0.0, 0.0], [2.0, 2.0]]),
        "b": torch.tensor([[3.0, 4.0], [0.0, 6.0], [2.0, 2.0]]),
    }
    # midpoints (2, 2), (0, 3), (2, 2); squared distances 5, 9, 0 from either side
    assert [alignment(of, fuse(u)).item() for of in u.values()] == pytest.approx([14 / 3] * 2)
    # from 0: a has 1, 0, 8 and b has 25, 36, 8
    zero = torch.zeros(3, 2)
    assert [alignment(of, zero).item() for of in u.values()] == pytest.approx([9 / 3, 69 / 3])
    assert alignment(u["a"], u["a"]).item() == 0


def test_centring_by_hand():
    z = torch.tensor([[1.0, 2.0], [0.0, 0.0], [3.0, 0.0]])
    assert centring(z).item() == pytest.approx(14 / 3)
    assert centring(torch.zeros(3, 2)).item() == 0


@pytest.mark.parametrize("loss", ["bce", "sse"])
def test_absent_samples_contribute_nothing(loss):
    """The sum over present samples, divided by the size of the whole batch."""
    x, decoded, present = torch.rand(3, 4), torch.randn(3, 4), torch.tensor([1.0, 0.0, 1.0])
    each = torch.stack(
        [reconstruction(*(v[i : i + 1] for v in (x, decoded)), loss) for i in range(3)]
    )
    found = reconstruction(x, decoded, loss, present)
    torch.testing.assert_close(found, (each[0] + each[2]) / 3)
    u, z = torch.randn(3, 2), torch.randn(3, 2)
    squares = (u - z).square().sum(1)
    torch.testing.assert_close(alignment(u, z, present), (squares[0] + squares[2]) / 3)


# Eq. 3


def test_covariance_of_uneven_weights_by_hand():
    """Weights 1/2 1/4 1/4: means 7/4 and (3/4, 3), deviations (-3 1 5)/4 and so on."""
    found = covariance(torch.tensor([2.0, 1.0, 1.0]), Z, U)
    first = (2 * (-3 * -3) + 1 * 1 + 5 * 5) / 64  # weights in quarters, deviations in quarters
    second = (2 * (-3 * 0) + 1 * -3 + 5 * 3) / 16
    assert found[0].tolist() == pytest.approx([first, second], rel=1e-6)
    assert (first, second) == (11 / 16, 3 / 4)


def test_covariance_matches_numpy():
    rng = np.random.default_rng(0)
    z, u = rng.normal(size=(50, 3)), rng.normal(size=(50, 2)) + 5
    weights = rng.integers(1, 5, 50)
    for w, frequencies in ((np.ones(50), None), (weights.astype(float), weights)):
        expected = np.cov(z.T, u.T, fweights=frequencies, ddof=0)[:3, 3:]  # z's rows, u's columns
        found = covariance(*map(torch.from_numpy, (w, z, u)))
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10, atol=1e-14)


def test_covariance_is_precise_far_from_the_origin():
    """In single precision, latents 1,000 times as far from 0 as from each other."""
    rng = np.random.default_rng(0)
    z, u = rng.normal(size=(64, 3)), rng.normal(1000, 1, size=(64, 3))
    w = rng.random(64)
    expected = np.cov(z.T, u.T, bias=True, aweights=w)[:3, 3:]
    single = [torch.tensor(value, dtype=torch.float32) for value in (w, z, u)]
    exact = np.cov(z.T, single[2].double().T, bias=True, aweights=w)[:3, 3:]
    np.testing.assert_allclose(exact, expected, atol=1e-5)  # rounding of u alone
    np.testing.assert_allclose(covariance(*single), exact, atol=3e-6)


def test_covariance_of_zero_weights_is_0():
    """The covariance is 0, and the gradient of its square, as in L_corr, a number."""
    w = torch.zeros(3, requires_grad=True)
    found = covariance(w, Z, U)
    assert found.tolist() == [[0, 0]]
    (gradient,) = torch.autograd.grad(found.square().sum(), w)
    assert torch.isfinite(gradient).all()


# Eq. 4


@pytest.mark.parametrize(
    ("rho", "y", "expected"),
    [
        (0.5, [0.25, 0.25, 0.25], 3 * LOG3 / 4 - LOG2),  # (ln 1/2) / 4 + 3 (ln 3/2) / 4
        (0.5, [0.0, 0.5, 0.25], 3 * LOG3 / 4 - LOG2),  # only the mean counts
        (0.25, [0.5, 0.5, 0.5], LOG2 - LOG3 / 2),  # (ln 2 + ln 2/3) / 2
        (0.75, [0.0, 0.5, 1.0], LOG2 - LOG3 / 2),
    ],
)
def test_local_by_hand(rho, y, expected):
    assert local(torch.tensor(y), torch.tensor(rho)).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("rho", [0.03, 0.3, 0.5, 0.8, 0.99])
def test_local_is_0_at_rho_and_larger_elsewhere(rho):
    def at(mean):
        y = torch.tensor([mean] * 2, dtype=torch.float64)
        return local(y, torch.tensor(rho, dtype=torch.float64)).item()

    assert at(rho) == pytest.approx(0, abs=1e-12)
    assert at(rho - 0.02) > 1e-4 and at(rho + 0.005) > 1e-5


@pytest.mark.parametrize(
    ("mean", "rho", "expected"),
    [
        (0.0, 0.25, math.log(4 / 3)),  # the limits of y ln y
        (1.0, 0.25, math.log(4)),
        (0.0, 0.0, 0.0),
        (1.0, 1.0, 0.0),
        (0.5, 0.0, math.inf),
        (0.0, 1.0, math.inf),
        (0.5, 1.0, math.inf),
        (1.0, 0.0, math.inf),
    ],
)
def test_local_is_exact_at_0_and_1(mean, rho, expected):
    y = torch.full((3,), mean, dtype=torch.float64)
    found = local(y, torch.tensor(rho, dtype=torch.float64)).item()
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_local_has_a_gradient_at_0_and_1(mean):
    y = torch.full((3,), mean, requires_grad=True)
    loss = local(y, torch.tensor(0.8))
    assert torch.isfinite(torch.autograd.grad(loss, y)[0]).all()


def test_local_of_a_single_present_sample():
    y, present = torch.tensor([0.9, 0.25, 0.1]), torch.tensor([0.0, 1.0, 0.0])
    found = local(y, torch.tensor(0.5), present).item()
    assert found == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5))


def test_local_ignores_absent_samples():
    y, rho = torch.tensor([0.2, 0.9, 0.4]), torch.tensor(0.5)
    found = local(y, rho, torch.tensor([1.0, 0.0, 1.0]))
    torch.testing.assert_close(found, local(torch.tensor([0.2, 0.4]), rho))


# Networks trained in parallel


def test_batched_networks_match_single_ones():
    generator = torch.Generator().manual_seed(0)
    y, u = (torch.rand(*shape, generator=generator) for shape in ((4, 20), (20, 3)))
    z, rho = torch.randn(4, 20, 2, generator=generator), torch.tensor([0.2, 0.4, 0.6, 0.8])
    found, shared = covariance(y, z, u), covariance(y, z[0], u)  # separate z, or the same for all
    assert found.shape == (4, 2, 3) == shared.shape and local(y, rho).shape == (4,)
    for copy in range(4):
        torch.testing.assert_close(found[copy], covariance(y[copy], z[copy], u))
        torch.testing.assert_close(shared[copy], covariance(y[copy], z[0], u))
        torch.testing.assert_close(local(y, rho)[copy], local(y[copy], rho[copy]))
