"""The estimator does what the two stages do, for any subset of modalities, and survives a file."""

import copy

import numpy as np
import pytest
import torch

from ima import IMA
from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.ima import Autoencoder, IMANetwork, Modality
from ima.models.importance import Stage2, best_restart, fit_importance
from ima.utils.errors import InputError
from ima.utils.io import read_tensors, write_tensors

LAYERS = {
    "a": {"hidden": 16, "loss": "bce"},
    "b": {"hidden": 8, "loss": "bce"},
    "c": {"hidden": 8, "loss": "sse"},
}
QUICK = {"stage1": Stage1(epochs=3), "stage2": Stage2(rounds=2, steps=4, restarts=2)}


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


@pytest.mark.parametrize("threads", [1, 3, None])
def test_threads_of_fit(threads):
    before, seen = torch.get_num_threads(), set()
    torch.set_num_threads(2)
    try:
        count = [lambda stage, losses: seen.add(torch.get_num_threads())]
        IMA(LAYERS, latent=3, threads=threads, **QUICK).fit(three(), callbacks=count)
        assert seen == {threads or 2}
        with pytest.raises(ZeroDivisionError):
            IMA(LAYERS, latent=3, **QUICK).fit(three(), callbacks=[lambda stage, losses: 1 / 0])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_any_subset_has_a_representation(fitted):
    x = three(10, 1)
    assert fitted.transform(x).shape == (10, 3)
    assert fitted.transform({"b": x["b"]}).shape == (10, 3)
    # Alone, a modality's importance cancels out of Eq. 1.
    alone = fitted.transform({"b": x["b"]}, weights="equal")
    np.testing.assert_array_equal(fitted.transform({"b": x["b"]}), alone)


def test_a_modality_alone_has_its_latent_even_if_its_importance_is_0(fitted):
    x = three(10, 1)
    latents = fitted.transform({"b": x["b"]})
    without = copy.deepcopy(fitted)
    with torch.no_grad():
        without.network_.importance["b"].b3.fill_(-1000)
    assert (without.importance({"b": x["b"]})["b"] == 0).all()
    np.testing.assert_array_equal(without.transform({"b": x["b"]}), latents)
    lacking = {m: np.full_like(values, np.nan) for m, values in x.items()} | {"b": x["b"]}
    np.testing.assert_allclose(without.transform(lacking), latents, rtol=1e-5, atol=1e-6)
    generated = fitted.predict({"b": x["b"]}, to="a")
    np.testing.assert_array_equal(without.predict({"b": x["b"]}, to="a"), generated)


def test_weighted_is_eq_1(fitted):
    x = {name: values for name, values in three(10, 1).items() if name != "c"}
    u = {name: fitted.transform({name: values}) for name, values in x.items()}
    y = {name: of[:, None] for name, of in fitted.importance(x).items()}
    expected = (y["a"] * u["a"] + y["b"] * u["b"]) / (y["a"] + y["b"])
    np.testing.assert_allclose(fitted.transform(x), expected, rtol=1e-4, atol=1e-6)


def test_importances_are_in_the_unit_interval(fitted):
    y = fitted.importance({"a": three(50, 2)["a"]})["a"]
    assert y.shape == (50,) and (y > 0).all() and (y < 1).all()


def test_round_trip(fitted, tmp_path):
    fitted.save(tmp_path / "model.safetensors")
    again = IMA.load(tmp_path / "model.safetensors")
    x = three(10, 1)
    np.testing.assert_array_equal(again.transform(x), fitted.transform(x))
    assert list(again.layers) == ["a", "b", "c"]


def spoilt(state, config, how):
    """Change what a saved model holds."""
    scale, width = next(n for n in state if n.startswith("scale.")), torch.zeros(2, 77)
    of_pairs = [name for name in state if name.startswith("concordance.b")]
    if how == "an unknown kind":
        state["concordance.b.numbers"][0] = 99
    elif how == "a kind from the end":
        state["concordance.b.numbers"][0] = -1
    elif how == "a scale of another width":
        state[scale] = width
    elif how == "shared parts of another width":
        state |= {name: torch.zeros(3, 77) for name in state if name.startswith("shared.b")}
    elif how == "no concordance of a modality":
        for name in of_pairs:
            del state[name]
    else:
        config["hidden"] = -5


@pytest.mark.parametrize(
    "how",
    [
        *("an unknown kind", "a kind from the end", "a scale of another width"),
        *("shared parts of another width", "no concordance of a modality", "a negative width"),
    ],
)
def test_a_spoilt_model_is_refused_on_loading(how, tmp_path):
    x = {name: values for name, values in three().items() if name != "c"}
    stage2 = Stage2("mixture", rounds=1, steps=2)
    IMA(latent=3, stage1=QUICK["stage1"], stage2=stage2).fit(x).save(tmp_path / "m")
    state, config = read_tensors(tmp_path / "m")
    spoilt(state, config, how)
    write_tensors(state, tmp_path / "m", config)
    with pytest.raises(InputError, match=r"m: expected a model of IMA.save|checkpoint: expected"):
        IMA.load(tmp_path / "m")


def test_round_trip_of_an_activation(tmp_path):
    """What is loaded computes the same; other activations would not."""
    x, layers = three(), {**LAYERS, "b": {**LAYERS["b"], "activation": "tanh"}}
    model = IMA(layers, latent=3, **QUICK).fit(x)
    model.save(tmp_path / "model.safetensors")
    again = IMA.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.transform(x), model.transform(x))
    assert again.network_.autoencoder.modalities["b"].activation == "tanh"
    relu = IMA(LAYERS, latent=3, **QUICK).fit(x)
    assert not np.allclose(relu.transform({"b": x["b"]}), model.transform({"b": x["b"]}), atol=1e-3)


def test_layers_are_loaded_as_they_were(tmp_path):
    layers = {name: {**of, "activation": "tanh"} for name, of in LAYERS.items()}
    IMA(layers, latent=3, **QUICK).fit(three()).save(tmp_path / "model.safetensors")
    assert IMA.load(tmp_path / "model.safetensors").layers == layers


@pytest.mark.parametrize("objective", ["ima+", "paper"])
def test_the_networks_of_least_loss_are_kept(objective):
    """Of each modality in `ima+`, of one restart in `paper`: those of stage 2 done by hand."""
    x, stage2 = three(), Stage2(objective, steps=4, restarts=4)
    model = IMA(LAYERS, latent=3, stage1=QUICK["stage1"], stage2=stage2, standardize=False).fit(x)
    torch.manual_seed(0)
    order = torch.from_numpy(np.random.default_rng(0).permutation(120))
    held, rows = (dict.fromkeys(x, part) for part in order.split((24, 96)))
    tensors = {name: torch.from_numpy(values) for name, values in x.items()}
    modalities = {name: Modality(v.shape[1], **LAYERS[name]) for name, v in x.items()}
    first = Autoencoder(modalities, 3)
    fit_autoencoder(first, tensors, rows, QUICK["stage1"], 0, held)
    rho = {name: [0.8] * 4 for name in x}
    torch.manual_seed(0)
    network = IMANetwork.from_autoencoder(first, 100, rho)
    _, final = fit_importance(network, tensors, rows, rho, stage2, 0, held)
    best = best_restart(final, list(x), stage2)
    y = network.importances(tensors)
    for name in x:
        found = model.importance(x)[name]
        np.testing.assert_allclose(found, y[name][best[name]].detach(), rtol=1e-4, atol=1e-5)
    assert len(set(best.values())) > 1 or objective == "paper"


def test_pairs_are_row_numbers():
    x = three()
    order = np.random.default_rng(3).permutation(120)
    shuffled = {**x, "a": x["a"][order]}
    back = {"a": np.argsort(order), "b": np.arange(120), "c": np.arange(120)}
    one = IMA(LAYERS, latent=3, **QUICK).fit(x)
    two = IMA(LAYERS, latent=3, **QUICK).fit(shuffled, pairs=back)
    np.testing.assert_allclose(one.transform(x), two.transform(x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("x", "found"),
    [
        ({"d": np.ones((2, 3))}, "d"),
        ({}, "[]"),
        ({"a": np.ones(9)}, "shape"),
        ({"a": np.full((2, 9), np.nan)}, "2 rows of NaN"),
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


@pytest.mark.parametrize("share", [0.0, 1.0, float("nan")])
def test_a_share_to_hold_out_that_cannot_be(share):
    with pytest.raises(
        InputError, match=rf"held_out: expected a number in \(0, 1\), found {share}"
    ):
        IMA(LAYERS, latent=3, held_out=share, **QUICK).fit(three())


def test_a_single_pair_cannot_be_held_out():
    with pytest.raises(InputError, match=r"pairs: expected at least two, .* found 1\."):
        IMA(LAYERS, latent=3, **QUICK).fit(three(1))


def test_held_out_pairs_end_training():
    """With patience for nothing, the epochs end where the loss on them is no less."""
    stage1 = Stage1(epochs=40, learning_rate=0.05, schedule="constant", patience=1)
    model = IMA(LAYERS, latent=3, stage1=stage1, stage2=QUICK["stage2"]).fit(three())
    validation = [row["validation"] for row in model.history_["autoencoder"]]
    assert 1 < len(validation) < 40 and validation[-1] >= validation[-2]
    assert validation[:-1] == sorted(validation[:-1], reverse=True)


def test_scales_do_not_matter(tmp_path):
    """Of `sse`, units change nothing; without `standardize` the greatest ones drown the others."""
    layers = {m: {"hidden": 8, "loss": "sse"} for m in "ab"}
    x = {m: three()[m] for m in "ab"}
    units = {m: 10.0 ** np.arange(-3, of.shape[1] - 3) for m, of in x.items()}
    scaled = {m: of * units[m] + 7 for m, of in x.items()}
    z = []
    for of in (x, scaled):
        of = {m: np.c_[values, np.full(len(values), 3.0)] for m, values in of.items()}  # constant
        z.append(IMA(layers, latent=3, **QUICK).fit(of).transform(of))
    np.testing.assert_allclose(z[0], z[1], rtol=0.05, atol=0.05)
    one = IMA(layers, latent=3, standardize=False, **QUICK)
    other = IMA(layers, latent=3, standardize=False, **QUICK)
    far = np.abs(one.fit(x).transform(x) - other.fit(scaled).transform(scaled)).max()
    assert far > 1
    model = IMA(layers, latent=3, **QUICK).fit(scaled)
    model.save(tmp_path / "model.safetensors")
    again = IMA.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.transform(scaled), model.transform(scaled))


def test_load_keeps_the_training_settings(fitted, tmp_path):
    model = IMA(LAYERS, latent=3, held_out=0.3, standardize=False, **QUICK).fit(three(60))
    model.save(tmp_path / "m.safetensors")
    again = IMA.load(tmp_path / "m.safetensors")
    for name in (
        "stage1",
        "stage2",
        "held_out",
        "alternations",
        "standardize",
        "random_state",
        "rho",
    ):
        assert getattr(again, name) == getattr(model, name), name
    x = three(60, 1)
    np.testing.assert_array_equal(again.fit(x).transform(x), model.fit(x).transform(x))


def test_bce_needs_values_in_the_unit_interval():
    x = three(20)
    x["b"] = x["b"] - 1
    with pytest.raises(InputError, match=r"expected values in \[0, 1\], for the loss bce"):
        IMA(LAYERS, latent=3, **QUICK).fit(x)


def test_width_must_be_that_of_fit(fitted):
    with pytest.raises(InputError, match=r"X\['a'\]: expected 9 features, as in fit, found 8"):
        fitted.transform({"a": np.zeros((2, 8))})
