"""The estimator does what the two stages do, for any subset of modalities, and survives a file."""

import numpy as np
import pytest

from ima import IMA
from ima.errors import InputError
from ima.train import Stage1, Stage2

LAYERS = {"a": {"hidden": 16}, "b": {"hidden": 8}, "c": {"hidden": 8, "loss": "sse"}}
QUICK = {"stage1": Stage1(epochs=3), "stage2": Stage2(epochs=2, restarts=2)}


def three(n=120, seed=0):
    rng = np.random.default_rng(seed)
    shared = rng.random((n, 2)).astype(np.float32)
    mix = {
        name: rng.random((2, d)).astype(np.float32) / 2
        for name, d in zip("abc", (9, 7, 5), strict=True)
    }
    return {name: shared @ m for name, m in mix.items()}


@pytest.fixture(scope="module")
def fitted():
    return IMA(LAYERS, latent=3, **QUICK).fit(three())


def test_any_subset_has_a_representation(fitted):
    x = three(10, 1)
    assert fitted.transform(x).shape == (10, 3)
    assert fitted.transform({"b": x["b"]}).shape == (10, 3)
    # Alone, a modality's importance cancels out of Eq. 1.
    alone = fitted.transform({"b": x["b"]}, weighted=False)
    np.testing.assert_allclose(fitted.transform({"b": x["b"]}), alone, rtol=1e-5)


def test_weighted_is_eq_1(fitted):
    x = {name: values for name, values in three(10, 1).items() if name != "c"}
    u = {name: fitted.transform({name: values}) for name, values in x.items()}
    y = {name: fitted.importance(name, values)[:, None] for name, values in x.items()}
    expected = (y["a"] * u["a"] + y["b"] * u["b"]) / (y["a"] + y["b"])
    np.testing.assert_allclose(fitted.transform(x), expected, rtol=1e-4, atol=1e-6)


def test_importances_are_in_the_unit_interval(fitted):
    y = fitted.importance("a", three(50, 2)["a"])
    assert y.shape == (50,) and (y > 0).all() and (y < 1).all()


def test_round_trip(fitted, tmp_path):
    fitted.save(tmp_path / "model.safetensors")
    again = IMA.load(tmp_path / "model.safetensors")
    x = three(10, 1)
    np.testing.assert_array_equal(again.transform(x), fitted.transform(x))
    assert list(again.layers) == ["a", "b", "c"]


def test_pairs_are_row_numbers():
    x = three()
    order = np.random.default_rng(3).permutation(120)
    shuffled = {**x, "a": x["a"][order]}
    back = {"a": np.argsort(order), "b": np.arange(120), "c": np.arange(120)}
    one = IMA(LAYERS, latent=3, **QUICK).fit(x)
    two = IMA(LAYERS, latent=3, **QUICK).fit(shuffled, back)
    np.testing.assert_allclose(one.transform(x), two.transform(x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("x", "found"),
    [
        ({"d": np.ones((2, 3))}, "d"),
        ({}, "[]"),
        ({"a": np.ones(9)}, "shape"),
        ({"a": np.full((2, 9), np.nan)}, "18 not finite"),
        ({"a": np.ones((2, 9)), "b": np.ones((3, 7))}, "3"),
    ],
)
def test_wrong_input_is_told(fitted, x, found):
    with pytest.raises(InputError, match="expected") as error:
        fitted.transform(x)
    assert found in str(error.value)


def test_not_fitted():
    with pytest.raises(InputError, match="Call fit first"):
        IMA(LAYERS).transform(three())


def test_missing_modality_in_fit():
    x = three()
    del x["c"]
    with pytest.raises(InputError, match="modalities"):
        IMA(LAYERS).fit(x)
