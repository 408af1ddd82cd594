"""Modalities generated from others: in the user's units and shapes, from what is given alone."""

import numpy as np
import pytest
import torch
from torch import nn

from ima import IMA
from ima.models.autoencoder import Stage1
from ima.models.importance import Stage2
from ima.utils.errors import InputError

QUICK = {
    "stage1": Stage1(objective="ima+", epochs=15, batch_size=32, learning_rate=0.01),
    "stage2": Stage2(objective="paper", steps=5, restarts=1),
}
ONCE = {
    "stage1": Stage1(epochs=1),
    "stage2": Stage2(objective="paper", steps=1, restarts=1),
}


def linear(n=400, seed=0):
    """Return a (n, 6) and b (n, 4), mixtures of the same two factors, b far from 0."""
    shared = np.random.default_rng(seed).normal(size=(n, 2))
    mix = np.random.default_rng(9)
    return {
        "a": shared @ mix.normal(size=(2, 6)),
        "b": 100 + 10 * shared @ mix.normal(size=(2, 4)),
    }


def r2(predicted, actual):
    residual, total = actual - predicted, actual - actual.mean(0)
    return 1 - (residual**2).sum() / (total**2).sum()


def test_b_follows_from_a_unless_pairs_are_shuffled():
    x, new = linear(), linear(200, 1)
    model = IMA(latent=3, **QUICK).fit(x)
    assert r2(model.predict({"a": new["a"]}, to="b"), new["b"]) > 0.9
    assert r2(model.predict([None, new["b"]], to="a"), new["a"]) > 0.9
    order = np.random.default_rng(2).permutation(len(x["a"]))
    shuffled = IMA(latent=3, **QUICK).fit({"a": x["a"], "b": x["b"][order]})
    assert r2(shuffled.predict({"a": new["a"]}, to="b"), new["b"]) < 0.2


def test_units_and_shapes_by_hand():
    """With encoders and decoders that pass on what they get, only the scales remain."""

    def same():
        layer = nn.Linear(2, 2)
        nn.init.eye_(layer.weight)
        nn.init.zeros_(layer.bias)
        return layer.requires_grad_(False)

    layers = {
        "a": {"encoder": nn.Sequential(nn.Flatten(), same()), "decoder": same()},
        "b": {"encoder": same(), "decoder": same()},
        "c": {"encoder": same(), "decoder": same(), "loss": "bce"},
    }
    a = np.array([[[0.0, 4.0]], [[2.0, 8.0]], [[1.0, 6.0]]])  # mean 1 and 6
    b = np.array([[10.0, -1.0], [30.0, 1.0], [20.0, 0.0]])  # mean 20 and 0
    c = np.full((3, 2), 0.5)
    free = {"d": np.arange(6.0).reshape(3, 2)}  # a modality to train
    model = IMA(layers, latent=2, **ONCE).fit({"a": a, "b": b, "c": c, **free})
    # One above the mean of a is one deviation times sqrt(2 / 3) below: the same of b is 10.
    found = model.predict({"a": np.array([[[2.0, 6.0]], [[1.0, 4.0]]])}, to="b")
    np.testing.assert_allclose(found, [[30, 0], [20, -1]], rtol=1e-5, atol=1e-5)
    found = model.predict({"b": np.array([[20.0, 1.0]])}, to="a")
    assert found.shape == (1, 1, 2) and found.dtype == np.float32
    np.testing.assert_allclose(found, [[[1, 8]]], rtol=1e-5)
    z = 1.5**0.5  # of 30, one deviation being sqrt(2 / 3) of 10
    found = model.predict({"b": np.array([[30.0, 0.0]])}, to="c")
    np.testing.assert_allclose(found, [[1 / (1 + np.exp(-z)), 0.5]], rtol=1e-5)


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    x = {m: rng.normal(size=(60, d)) for m, d in (("a", 4), ("b", 3), ("c", 2))}
    return IMA(latent=2, **ONCE).fit(x), {m: of[:8] for m, of in x.items()}


def test_all_others_are_used_where_they_are_there(fitted):
    model, x = fitted
    ab = {m: x[m].copy() for m in "ab"}
    z = torch.from_numpy(model.transform(ab))
    with torch.no_grad():
        decoded = model.network_.autoencoder.decoders["c"](z).numpy()
    mean, deviation = model.scales_["c"].numpy()
    predicted = model.predict(ab, to="c")
    np.testing.assert_allclose(predicted, decoded * deviation + mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model.predict({**ab, "c": x["c"]}, to="c"), predicted)
    np.testing.assert_array_equal(model.predict([*ab.values(), None], to="c"), predicted)
    ab["b"][5] = np.nan  # c of this sample comes from a alone, the others stay as they are
    some = model.predict(ab, to="c")
    alone = model.predict({"a": x["a"]}, to="c")
    np.testing.assert_allclose(some[5], alone[5], rtol=1e-5)
    np.testing.assert_allclose(np.delete(some, 5, 0), np.delete(predicted, 5, 0), rtol=1e-5)
    assert np.abs(some[5] - predicted[5]).max() > 1e-4


@pytest.mark.parametrize(
    ("given", "to", "says"),
    [
        ("ab", "d", r"to: expected one of \['a', 'b', 'c'\], found 'd'"),
        ("abd", "c", r"modalities: expected some of .*, found \['a', 'b', 'd'\]"),
        ("", "c", "modalities: expected some of"),
        ("c", "c", "X: expected a modality other than 'c', found only 'c'"),
    ],
)
def test_what_cannot_be_generated(fitted, given, to, says):
    model, x = fitted
    with pytest.raises(InputError, match=says):
        model.predict({m: x.get(m, x["a"]) for m in given}, to=to)


def test_a_sample_needs_another_modality(fitted):
    model, x = fitted
    a = x["a"].copy()
    a[2] = np.nan
    with pytest.raises(InputError, match=r"at least one modality in each row.*first 2"):
        model.predict({"a": a, "c": x["c"]}, to="c")
    with pytest.raises(InputError, match="expected a fitted model"):
        IMA().predict(x, to="a")
