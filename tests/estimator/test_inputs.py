"""What X may be, missing items, weights by hand, the score, the device, copies and plots."""

import pickle
import sys
import warnings

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError

from ima import IMA
from ima.estimator.inputs import resolve_layers, split
from ima.estimator.model import SIZED
from ima.estimator.plots import curves
from ima.models.autoencoder import Stage1
from ima.models.importance import Stage2
from ima.training import sizes
from ima.utils import matrices
from ima.utils.errors import InputError
from tests.estimator.test_scikit_learn import views

QUICK = {
    "stage1": Stage1(epochs=3),
    "stage2": Stage2(objective="paper", steps=3, restarts=2),
    "latent": 2,
}


@pytest.fixture(scope="module")
def fitted():
    return IMA(**QUICK).fit(views())


def test_lists_are_dicts_without_names(fitted):
    x = views()
    expected = fitted.transform(x)
    listed = IMA(**QUICK).fit(list(x.values()))
    assert listed.n_features_in_ == {"view_0": 4, "view_1": 3}
    np.testing.assert_array_equal(listed.transform(list(x.values())), expected)
    alone = listed.transform([None, x["b"]])
    np.testing.assert_array_equal(alone, fitted.transform({"b": x["b"]}))
    named = IMA({"a": {}, "b": {}}, **QUICK).fit(tuple(x.values()))
    assert list(named.n_features_in_) == ["a", "b"]


def test_lists_keep_their_order_where_layers_name_some(fitted):
    a, b = views().values()
    model = IMA({"view_1": {"hidden": 7}}, **QUICK).fit([a, b])
    assert model.n_features_in_ == {"view_0": 4, "view_1": 3}
    assert model.network_.autoencoder.modalities["view_1"].hidden == 7


def test_a_large_offset_is_noticed():
    """As 32-bit numbers, times in seconds since 1970 differ by two minutes or not at all."""
    x = views()
    x["a"][:, 1] += 1.7e9
    with pytest.warns(UserWarning, match=r"X\['a'\]: columns .* beyond 7 digits.*: 1\. Subtract"):
        model = IMA(**QUICK).fit(x)
    assert model.scales_["a"][1, 1] == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x["a"][:, 1] = 3.0  # constant, as may be
        IMA(**QUICK).fit(x)
        IMA(**QUICK).fit({m: torch.tensor(of).bfloat16().requires_grad_() for m, of in x.items()})
        x["a"][50:, 1] = 4.0  # in no pair
        IMA(**QUICK).fit(x, pairs=dict.fromkeys(x, np.arange(50)))


def test_fit_leaves_torch_as_it_was():
    torch.set_flush_denormal(False)
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    IMA(**QUICK).fit(views())
    assert torch.equal(torch.rand(3), expected)
    assert torch.tensor(5e-324, dtype=torch.double) * 1 > 0  # not flushed to 0


def test_fit_transform_gives_z_of_the_pairs(fitted):
    x, rng = views(), np.random.default_rng(0)
    pairs = {m: rng.permutation(60) for m in x}
    pairs["b"][:5] = -1
    model = IMA(**QUICK)
    z = model.fit_transform(x, pairs=pairs)
    expected = {m: np.where((rows < 0)[:, None], np.nan, x[m][rows]) for m, rows in pairs.items()}
    np.testing.assert_allclose(z, model.transform(expected), atol=1e-6)
    assert not np.allclose(z, model.transform(x), atol=1e-2)
    np.testing.assert_array_equal(IMA(**QUICK).fit_transform(x), fitted.transform(x))


def test_matrices_on_disk_give_the_same_model(fitted, monkeypatch, tmp_path):
    x = views()
    monkeypatch.setattr(matrices, "LIMIT", 0)
    mapped = {}
    for name, values in x.items():
        np.save(tmp_path / f"{name}.npy", np.asarray(values, np.float32))
        mapped[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    other = IMA(**QUICK).fit(mapped)
    assert np.array_equal(other.transform(mapped), fitted.transform(x))
    monkeypatch.setattr(matrices, "ROWS", 3)
    np.testing.assert_allclose(other.transform(mapped), fitted.transform(x), rtol=1e-4, atol=1e-5)
    assert np.array_equal(mapped["a"], np.asarray(x["a"], np.float32))  # not changed in place


def test_frames_have_names_and_an_index(fitted):
    pd, x = pytest.importorskip("pandas"), views()
    expected = fitted.transform(x)
    frames = {
        m: pd.DataFrame(of, columns=[f"{m}{i}" for i in range(of.shape[1])]) for m, of in x.items()
    }
    model = IMA(**QUICK).fit(frames)
    assert model.feature_names_in_["b"] == ["b0", "b1", "b2"]
    for given in (frames, x):  # arrays have no names to check
        # Frames are stored by column, which some CPUs' products round otherwise.
        np.testing.assert_allclose(model.transform(given), expected, rtol=1e-5, atol=1e-6)
    b = frames["b"]
    with pytest.raises(InputError, match=r"in the order of fit, column 1 'b1', found 'b2'\."):
        model.transform({"b": b[["b0", "b2", "b1"]]})
    with pytest.raises(InputError, match=r"the columns of fit, found no b1, but c\."):
        model.transform({"b": b.rename(columns={"b1": "c"})})
    with pytest.raises(InputError, match=r"the columns of fit, found also d\."):
        model.transform({"b": b.assign(d=0.0)})
    with pytest.raises(InputError, match=r"the columns of fit, found no b0\."):
        model.transform({"b": b[["b1", "b2"]]})
    with pytest.raises(InputError, match=r"index of X\['b'\]: .*reindex"):
        model.transform(frames | {"b": frames["b"][::-1]})


def test_missing_items_of_every_kind_are_the_same(fitted):
    x = views(10)
    x["a"][3] = np.nan
    expected = fitted.transform(x)
    masked = {m: np.ma.masked_invalid(of) for m, of in x.items()}
    np.testing.assert_array_equal(fitted.transform(masked), expected)
    pd = pytest.importorskip("pandas")
    nullable = {m: pd.DataFrame(of).convert_dtypes() for m, of in x.items()}
    assert nullable["a"].iloc[3].isna().all()
    np.testing.assert_allclose(fitted.transform(nullable), expected, rtol=1e-5, atol=1e-6)
    alone = fitted.transform({"b": x["b"][[3]]})[0]  # products of another shape, rounded otherwise
    np.testing.assert_allclose(expected[3], alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("layers", "X", "says"),
    [
        (None, np.ones((4, 2)), r"one matrix per modality, .*two or more.* or \[X, Y\]\."),
        ({"c": {}}, {"a": 0}, r"layers: expected only modalities of X, \['a'\], found 'c'"),
        ({"a": {}, "b": {}, "c": {}}, [0, 0], r"X, \['view_0', 'view_1'\], found 'a', 'b', 'c'"),
        ({"a": {"widht": 3}}, {"a": 0}, r"layers\['a'\]: .*found \['widht'\]"),
        (None, {"a.b": 0}, "without dots"),
        (None, {"items": 0}, "Rename the modality"),
        (None, {1: 0}, "modalities: expected names that are strings, found 1"),
        (None, [], "modalities: expected at least one"),
        ({"a": {"loss": "mse"}}, {"a": 0}, r"\['a'\]\['loss'\]: expected one of .*, found 'mse'\."),
        ({"a": {"activation": []}}, {"a": 0}, r"\['activation'\]: .*'relu', 'tanh', .* found \[\]"),
    ],
)
def test_layers_that_cannot_be(layers, X, says):
    with pytest.raises(InputError, match=says):
        resolve_layers(X, layers)


@pytest.mark.parametrize(
    ("X", "says"),
    [
        ({"a": [["x"] * 4]}, "a matrix of real numbers"),
        ({"a": np.ones((2, 4)) * 1j}, "Complex"),
        ([np.ones((2, 4))], "2 matrices, or None"),
        (np.ones((2, 4)), r"Pass a dict, such as {'a': X}, or a list .* \['a', 'b'\]"),
        ({"a": np.full((2, 4), 1e300)}, "8 not finite"),
    ],
)
def test_values_that_cannot_be(fitted, X, says):
    with pytest.raises(InputError, match=says):
        fitted.transform(X)


@pytest.mark.parametrize(
    ("value", "named", "says"),
    [
        (np.nan, False, "1 not finite, the first NaN in row 3, column 2. Impute it, or make"),
        (-np.inf, True, r"the first infinite in row 3, column 2 \('b2'\)"),
    ],
)
def test_the_place_of_what_is_not_finite(fitted, value, named, says, monkeypatch):
    monkeypatch.setattr(matrices, "ROWS", 2)
    x = views(5)["b"]
    x[3, 2], x[0] = value, np.nan  # a missing item is none
    if named:
        x = pytest.importorskip("pandas").DataFrame(x, columns=["b0", "b1", "b2"])
    with pytest.raises(InputError, match=says):
        fitted.transform({"b": x})


def test_pairs_are_not_labels():
    pairs = dict.fromkeys("ab", np.arange(60))
    with pytest.raises(InputError, match="Pass row numbers as pairs="):
        IMA(**QUICK).fit(views(), pairs)


def test_weights_by_hand_are_those_of_eq_1(fitted):
    x = views(4)
    u = {m: fitted.transform({m: of}) for m, of in x.items()}
    z = fitted.transform(x, weights={"a": 1, "b": [3, 0, 1, 1 / 3]})
    share = np.array([[1 / 4], [1], [1 / 2], [3 / 4]])
    np.testing.assert_allclose(z, share * u["a"] + (1 - share) * u["b"], rtol=1e-4, atol=1e-6)
    y = fitted.importance(x)
    part = fitted.transform(x, weights={"a": y["a"]})  # b keeps its own
    np.testing.assert_allclose(part, fitted.transform(x), rtol=1e-5, atol=1e-6)
    for weights, says in (({"c": 1}, "modalities of X"), ({"a": [1, 2]}, "one number or 4")):
        with pytest.raises(InputError, match=says):
            fitted.transform(x, weights=weights)
    with pytest.raises(InputError, match="finite and not negative"):
        fitted.transform(x, weights={"a": -1})


def test_score_is_the_r2_of_each_modality_from_the_other(fitted):
    x = views(50, 1)
    x["b"][0] = np.nan  # cannot be predicted, nor predict
    scores, here = [], np.arange(50) > 0
    scaled = {m: ((of - views()[m].mean(0)) / views()[m].std(0))[here] for m, of in x.items()}
    for m, other in (("a", "b"), ("b", "a")):
        predicted = fitted.reconstruct({other: x[other][here]})[m]
        predicted = (predicted - views()[m].mean(0)) / views()[m].std(0)
        residual = ((scaled[m] - predicted) ** 2).sum()
        scores.append(1 - residual / ((scaled[m] - scaled[m].mean(0)) ** 2).sum())
    assert fitted.score(x) == pytest.approx(np.mean(scores), rel=1e-3, abs=1e-4)
    with pytest.raises(InputError, match="two samples or more that have two modalities"):
        fitted.score({"a": x["a"]})


def test_score_tells_what_is_shared():
    """One latent that both share is predicted, and nothing of shuffled rows."""
    x, new = ({m: of[rows] for m, of in views(400).items()} for rows in np.split(range(400), [300]))
    settings = {**QUICK, "stage1": Stage1(epochs=60, learning_rate=5e-3)}
    model = IMA(**settings).fit(x)
    assert model.score(new) > 0.9
    assert model.score(new | {"a": new["a"][::-1]}) < 0.1


def test_small_data_are_trained_for_as_many_steps():
    """Of 26 samples, 21 are a single batch, which makes 2,000 steps in 2,000 epochs at most."""
    sized = SIZED.sized(21)
    assert (sized.epochs, sized.batch_size, sized.patience) == (2000, 64, 200)
    assert SIZED.sized(64 * 1000).epochs == sizes.EPOCHS[0]


def test_copies_are_the_same(fitted, tmp_path):
    x = views(20, 1)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.transform(x), fitted.transform(x))
    assert again.history_ == fitted.history_
    fitted.save(tmp_path / "m.safetensors")
    loaded = IMA.load(tmp_path / "m.safetensors", device="cpu")
    assert loaded.get_params() == {**fitted.get_params(), "device": "cpu"}
    assert loaded.n_features_in_ == {"a": 4, "b": 3} and loaded.score(x) == fitted.score(x)
    with pytest.raises(InputError, match="history: expected a model that was fitted here"):
        loaded.plot_history()


def test_random_states():
    def z(random_state):
        return IMA(random_state=random_state, **QUICK).fit_transform(views())

    np.testing.assert_array_equal(z(3), z(np.int64(3)))
    np.testing.assert_array_equal(z(np.random.RandomState(1)), z(np.random.RandomState(1)))
    assert not np.array_equal(z(None), z(None))


def test_progress_is_shown_if_verbose(capfd):
    IMA(**QUICK).fit(views())
    assert "stage 1" not in capfd.readouterr().err
    IMA(**QUICK, verbose=True).fit(views())
    assert "stage 1" in capfd.readouterr().err


def test_the_device_is_that_of_the_network():
    model = IMA(**QUICK, device="cpu").fit(views())
    assert next(model.network_.parameters()).device == torch.device("cpu")
    with pytest.raises(NotFittedError, match="Call fit first"):
        IMA().score(views())
    for device in ("gpu", "cuda:99", 1.5):
        with pytest.raises(InputError, match=f"device: .*'cpu', 'cuda' .*found '?{device}"):
            IMA(**QUICK, device=device).fit(views())


def test_a_model_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"nope: expected a model of IMA\.save, found no file"):
        IMA.load(tmp_path / "nope")


def test_each_training_has_a_line_over_its_epochs():
    rows = [{"epoch": e, "copy": c, "loss": float(e + c)} for e in (1, 2) for c in (0, 2)]
    assert curves(rows) == {"loss, copy 0": {1: 1, 2: 2}, "loss, copy 2": {1: 3, 2: 4}}
    rows = [{"round": r, "epoch": 1, "copy": 0, "corr_a": r / 2, "raw_a": 0.0} for r in (1, 2)]
    assert curves(rows) == {"corr_a, round 1": {1: 0.5}, "corr_a, round 2": {1: 1.0}}
    assert curves([{"epoch": 1, "loss": 3, "validation": 2}]) == {
        "loss": {1: 3},
        "validation": {1: 2},
    }


def test_plots(fitted, monkeypatch):
    pytest.importorskip("pandas")
    pytest.importorskip("matplotlib")
    frame = fitted.history_frame()
    assert (frame["stage"] == "autoencoder").sum() == 3
    first, second = fitted.plot_history().axes
    assert {line.get_label() for line in first.lines} == {"loss", "validation"}
    assert {line.get_label() for line in second.lines} == {"loss, copy 0", "loss, copy 1"}
    assert second.get_xlabel() == "epoch" and second.get_ylabel() == "loss"
    x = views(10)
    x["a"][:4] = np.nan
    legend = fitted.plot_importance(x).axes[0].get_legend().get_texts()
    mean = fitted.importance(x)["a"][4:].mean()
    assert legend[0].get_text() == f"a ({mean:.2f})"
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install 'ima\[plots\]'"):
        fitted.history_frame()


def test_validation_pairs_are_held_out_as_given():
    pairs = {"a": np.array([5, 6, 7, 8]), "b": np.array([0, 1, -1, 3])}
    rows, held, order = split(pairs, 0.2, 0, validation=[3, 1])
    assert rows["a"].tolist() == [5, 7] and rows["b"].tolist() == [0, -1]
    assert held["a"].tolist() == [8, 6] and order.tolist() == [0, 2, 3, 1]
    for wrong in ([], [0, 1, 2, 3], [4], [-1], [1, 1], [0.5], [True], 1):
        with pytest.raises(InputError, match="validation"):
            split(pairs, 0.2, 0, validation=wrong)


def test_fit_takes_validation_pairs():
    x = views()
    one, other = (IMA(**QUICK).fit(x, validation=held) for held in (np.arange(5), np.arange(5, 10)))
    assert not np.array_equal(one.transform(x), other.transform(x))
