"""What importances are compared with: each finds what it can, and none finds what isn't there."""

import numpy as np
import pytest

from ima.evaluation.metrics import f1
from ima.evaluation.noise_baselines import controls

NAMES = ["k-means, x", "k-means, u", "GMM, u", "isolation forest, x", "supervised", "random"]


def blobs(n, rng, far):
    """Return ten clusters, and a tenth of the items in one more, `far` away, or among them."""
    label = rng.integers(10, size=n)
    noise = rng.random(n) < 0.1
    x = rng.normal(size=(n, 12)) * 0.3
    x[np.arange(n), label] += 4
    x[noise] = rng.normal(size=(int(noise.sum()), 12)) * 0.3 + (12 if far else 0)
    if not far:
        x[noise] = x[rng.permutation(np.flatnonzero(~noise))[: noise.sum()]]
    return x.astype(np.float32), noise


def found(far):
    rng = np.random.default_rng(0)
    (x, noise), (x_test, noise_test) = blobs(1500, rng, far), blobs(600, rng, far)
    detected = controls((x, x_test), (x[:, :6], x_test[:, :6]), (noise, noise_test), 0.1, seed=0)
    return {name: f1(taken, noise_test)["f1"] for name, taken in detected.items()}


def test_noise_that_lies_apart_is_found():
    scores = found(far=True)
    assert list(scores) == NAMES
    assert min(scores[name] for name in NAMES[:-1]) > 0.8
    assert scores["random"] < 0.3


def test_noise_among_the_rest_is_not_found():
    """Copies of items that are no noise: nothing in x tells, labels or not."""
    assert max(found(far=False).values()) < 0.35


def test_no_noise_in_training():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 5)).astype(np.float32)
    none = np.zeros(300, bool)
    assert not controls((x, x), (x, x), (none, none), 0.0, 0)["supervised"].any()


@pytest.mark.parametrize("seed", [0, 1])
def test_same_seed_same_answer(seed):
    rng = np.random.default_rng(3)
    x, noise = blobs(400, rng, True)
    first, again = (controls((x, x), (x, x), (noise, noise), 0.1, seed) for _ in range(2))
    assert all((first[name] == again[name]).all() for name in NAMES)
