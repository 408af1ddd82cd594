"""Arguments that cannot be meant end before training; others are saved and loaded as given."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from ima import IMA
from ima.estimator import MIXTURE
from ima.models.autoencoder import Stage1
from ima.models.importance import Stage2
from ima.utils.errors import InputError

QUICK = {"stage1": Stage1(epochs=1), "stage2": replace(MIXTURE, steps=2, rounds=1, folds=3)}


def data(a=4, n=40):
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(n, 2))
    return {m: shared @ rng.normal(size=(2, d)) for m, d in (("a", a), ("b", 3))}


ROWS = np.arange(40)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"latent": 0}, r"latent: expected a whole number of 1 or more, found 0\."),
        ({"latent": 1.5}, "latent: .* found 1.5"),
        ({"latent": "2"}, "latent: .* found '2'"),
        ({"latent": True}, "latent: .* found True"),
        ({"random_state": -1}, "random_state: expected a whole number of 0 to 9223"),
        ({"random_state": 2**64}, "random_state: .* found 18446744073709551616"),
        ({"held_out": None}, r"held_out: expected a number in \(0, 1\), found None"),
        ({"held_out": 1}, r"held_out: .* found 1\."),
        ({"held_out": np.nan}, "held_out: .* found nan"),
        ({"rho": 2}, r"rho of a: expected a number in \[0, 1\], found 2\."),
        ({"rho": [0.5, 0.5]}, "rho of a: .* found .0.5, 0.5"),
        ({"rho": {"a": 0.5}}, r"rho: expected one for each of \['a', 'b'\], found \['a'\]"),
        ({"rho": {"a": 0.5, "b": 0.5, "c": 1}}, r"rho: .* found \['a', 'b', 'c'\]"),
        ({"importance_hidden": 0}, "importance_hidden: expected a whole number of 1 or more"),
        ({"threads": 0}, "threads: expected a whole number"),
        ({"alternations": 1.5}, "alternations: expected a whole number"),
        ({"stage1": {"epochs": 1}}, "stage1: expected Stage1 or None, found {'epochs': 1}"),
        ({"stage2": "mixture"}, "stage2: expected Stage2 or None, found 'mixture'"),
        ({"layers": [1]}, "layers: expected a dict by modality"),
        ({"layers": {"a": 5}}, r"layers\['a'\]: expected a dict of .* found 5\."),
        ({"layers": {"a": {"hidden": 1.5}}}, r"layers\['a'\]\['hidden'\]: expected a whole"),
        ({"stage2": replace(MIXTURE, learning_rate=1e30, steps=9)}, "expected a finite loss"),
    ],
    ids=str,
)
def test_arguments_that_cannot_be(given, says):
    with pytest.raises(InputError, match=says):
        IMA(**{"latent": 2, **QUICK, **given}).fit(data())


@pytest.mark.parametrize("kind", [Stage1, Stage2])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("batch_size", value) for value in (0, -1, 1.5, None, "x")),
        *(("learning_rate", value) for value in (-1, np.nan, "x")),
    ],
)
def test_settings_that_cannot_be(kind, name, value):
    with pytest.raises(InputError, match=f"{name}: expected a"):
        kind(**{name: value})


@pytest.mark.parametrize(
    ("kind", "name"), [(Stage1, "epochs"), (Stage1, "patience"), (Stage2, "rounds")]
)
def test_numbers_of_1_or_more(kind, name):
    with pytest.raises(InputError, match=f"{name}: expected a whole number of 1 or more, found 0"):
        kind(**{name: 0})
    assert kind(**{name: 1})


@pytest.mark.parametrize("views", [["a"], [0, None]], ids=["dict", "list"])
def test_a_single_modality_shares_nothing(views):
    X = {"a": data()["a"]} if views == ["a"] else [data()["a"]]
    with pytest.raises(InputError, match="modalities: expected two or more, found"):
        IMA(latent=2, **QUICK).fit(X)


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        (ROWS + 0.5, r"pairs\['a'\]: expected row numbers .* of float64, such as \[0.5, 1.5, 2.5"),
        (np.where(ROWS > 3, ROWS, np.nan), r"row numbers \(N,\), -1 where .* such as \[nan, nan"),
        (ROWS > 3, r"of bool, such as \[False"),
        (ROWS.astype(str), "of <U"),
        (ROWS.reshape(20, 2), r"shape \(20, 2\)"),
        (3, r"shape \(\)"),
        (np.where(ROWS == 7, 99, ROWS), r"numbers from 0 to 39, or -1 for none, found 99\.$"),
        (ROWS - 2, r"found -2\.$"),
    ],
    ids=["fractions", "NaN", "mask", "text", "matrix", "one", "high", "low"],
)
def test_pairs_are_row_numbers_and_nothing_that_numpy_makes_of_others(pairs, says):
    with pytest.raises(InputError, match=says):
        IMA(latent=2, **QUICK).fit(data(), pairs={"a": pairs, "b": ROWS})


@pytest.mark.parametrize("pairs", [{}, [ROWS, ROWS], {"a": ROWS}, pd.DataFrame({"a": ROWS})])
def test_pairs_of_every_modality(pairs):
    with pytest.raises(InputError, match=r"pairs: expected modalities \['a', 'b'\], found"):
        IMA(latent=2, **QUICK).fit(data(), pairs=pairs)


def test_numbers_of_numpy_and_whole_floats_give_the_same_model(tmp_path):
    X = data()
    plain = IMA(latent=2, rho=0.5, random_state=3, layers={"a": {"hidden": 7}}, **QUICK).fit(X)
    stage1 = Stage1(epochs=np.int32(1), learning_rate=np.float32(1e-3))
    given = {"latent": np.int64(2), "rho": np.float32(0.5), "random_state": np.int64(3)}
    given |= {"layers": {"a": {"hidden": np.int16(7)}}, "stage1": stage1}
    other = IMA(**{**QUICK, **given}).fit(X, pairs=dict.fromkeys("ab", ROWS.astype(float)))
    np.testing.assert_allclose(other.transform(X), plain.transform(X), rtol=1e-3)
    other.save(tmp_path / "m")
    loaded = IMA.load(tmp_path / "m")
    assert np.array_equal(loaded.transform(X), other.transform(X)) and loaded.latent == 2


def test_tensors_of_torch_are_matrices():
    X = data()
    expected = IMA(latent=2, random_state=0, **QUICK).fit(X).transform(X)
    for of in (torch.tensor(X["a"], requires_grad=True), torch.tensor(X["a"], dtype=torch.float16)):
        z = IMA(latent=2, random_state=0, **QUICK).fit({**X, "a": of}).transform(X)
        np.testing.assert_allclose(z, expected, rtol=0.05, atol=0.01)


@pytest.mark.parametrize(
    "dates",
    [
        np.arange(40).astype("datetime64[s]")[:, None],
        np.arange(40).astype("timedelta64[s]")[:, None],
        pd.DataFrame({"t": pd.date_range("2020", periods=40), "x": 1.0}),
    ],
    ids=["dates", "times", "frame"],
)
def test_dates_are_no_numbers(dates):
    with pytest.raises(InputError, match=r"X\['a'\]: expected a matrix of real .* dates or times"):
        IMA(latent=2, **QUICK).fit({**data(), "a": dates})


@pytest.mark.parametrize("name", ["a/b", "a.b", "\udce9", "", "keys", "training"])
def test_names_that_a_file_of_the_model_could_not_have(name):
    with pytest.raises(InputError, match="names without dots and slashes"):
        IMA(latent=2, **QUICK).fit({name: data()["a"], "b": data()["b"]})


@pytest.mark.parametrize("objective", ["paper", "ima+"])
def test_a_modality_may_have_the_name_of_what_training_numbers(objective):
    X = {"pair": data()["a"], "b": data()["b"]}
    settings = {"stage1": Stage1(epochs=1), "stage2": Stage2(objective, steps=2, rounds=1)}
    assert set(IMA(latent=2, **settings).fit(X).importance(X)) == {"pair", "b"}


@pytest.mark.parametrize("objective", ["paper", "ima+"])
def test_a_model_with_rho_of_0_or_1_is_loaded(objective, tmp_path):
    settings = {"stage1": Stage1(epochs=1), "stage2": Stage2(objective, steps=2, rounds=1)}
    model = IMA(latent=2, rho={"a": 0, "b": 1}, **settings).fit(data())
    model.save(tmp_path / "m.safetensors")
    y = IMA.load(tmp_path / "m.safetensors").importance(data())
    assert not y["a"].any() and (y["b"] == 1).all()


def test_a_rare_modality_is_in_both_parts():
    X = data(n=60)
    X["b"][3:] = np.nan
    for seed in range(8):
        IMA(latent=2, random_state=seed, **QUICK).fit(X)
    X["b"][1:] = np.nan  # a single item cannot be
    with pytest.raises(InputError, match="expected an item of b in some of the pairs"):
        for seed in range(8):
            IMA(latent=2, random_state=seed, **QUICK).fit(X)


@pytest.mark.parametrize("how", ["rows", "pairs"])
def test_repeated_pairs_cause_a_warning(how):
    rng = np.random.default_rng(0)
    X = {m: rng.normal(size=(30, 4)) for m in "ab"}
    many = np.tile(np.arange(30), 6)
    if how == "rows":
        given = {m: of[many] for m, of in X.items()}, None
    else:
        given = X, dict.fromkeys(X, many)
    with pytest.warns(UserWarning, match="36 of 36 held-out pairs are copies of training pairs"):
        IMA(latent=2, **QUICK).fit(given[0], pairs=given[1])


def test_pairs_that_share_an_item_are_no_copies(recwarn):
    rows = {"a": np.arange(40), "b": np.arange(40) % 20}
    IMA(latent=2, **QUICK).fit(data(), pairs=rows)
    assert not [w for w in recwarn if "copies" in str(w.message)]


@pytest.mark.parametrize(
    ("weights", "same"),
    [
        ({"a": 3e38, "b": 3e38}, {"a": 1, "b": 1}),
        ({"a": 1e-50, "b": 1e-50}, {"a": 1, "b": 1}),
        ({"a": 3e-40, "b": 1e-40}, {"a": 3, "b": 1}),
        ({"a": 0, "b": 1e-300}, {"a": 0, "b": 1}),
    ],
)
def test_weights_by_hand_count_by_their_ratios(weights, same):
    model = IMA(latent=2, **QUICK).fit(data())
    z = model.transform(data(), weights=weights)
    np.testing.assert_allclose(z, model.transform(data(), weights=same), rtol=1e-5)
    assert np.abs(z).max() > 0 and not model.transform(data(), weights={"a": 0, "b": 0}).any()


@pytest.mark.parametrize(
    ("weight", "found"),
    [([], r"shape \(0,\)"), ("x", "'x'"), (-1, "minimum -1"), ([1] * 3, r"\(3,\)"), (None, "nan")],
)
def test_weights_that_cannot_be(weight, found):
    model = IMA(latent=2, **QUICK).fit(data())
    with pytest.raises(InputError, match=rf"weights\['a'\]: .*not negative, found .*{found}"):
        model.transform(data(), weights={"a": weight})


def test_shared_encoders_need_partners_to_recognise():
    X = {m: of[:6] for m, of in data().items()}
    with pytest.raises(InputError, match="held-out pairs: expected two or more of the same two"):
        IMA(latent=2, shared="contrastive", **QUICK).fit(X)


def test_a_model_of_wide_items_is_loaded(tmp_path):
    X = data(a=2000)
    model = IMA(latent=2, random_state=0, importance_hidden=100, **QUICK).fit(X)
    model.save(tmp_path / "m.safetensors")
    loaded = IMA.load(tmp_path / "m.safetensors")
    assert np.array_equal(loaded.transform(X), model.transform(X))


def test_a_fit_that_fails_leaves_the_model_as_it_was():
    X = data()
    model = IMA(latent=2, random_state=0, **QUICK).fit(X)
    before = model.transform(X)
    model.set_params(stage1=Stage1(epochs=1, learning_rate=1e30), random_state=1)
    with pytest.raises(InputError, match="a finite loss"):
        model.fit({m: 100 * x + 5 for m, x in X.items()})
    assert np.array_equal(model.transform(X), before) and model.seed_ == 0
