"""Encoders and decoders of the user: what they compute, copies, files, and what cannot be."""

import copy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from ima import IMA
from ima.models.autoencoder import Stage1
from ima.models.ima import Autoencoder, Modality
from ima.models.importance import Stage2
from ima.utils.errors import InputError

QUICK = {"stage1": Stage1(epochs=3), "latent": 2}
QUICK["stage2"] = Stage2(objective="mixture", steps=4, rounds=1, folds=3)


def views(n=60):
    """Return images (n, 1, 3, 2) in [0, 1] and sequences (n, 4, 3) that share two numbers."""
    rng = np.random.default_rng(0)
    shared = rng.random((n, 2))
    x = {"image": shared @ rng.random((2, 6)) / 2, "sound": shared @ rng.normal(size=(2, 12))}
    return {"image": x["image"].reshape(n, 1, 3, 2), "sound": x["sound"].reshape(n, 4, 3)}


class Frames(nn.Module):
    """The last state of a GRU."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 2, batch_first=True)

    def forward(self, x):
        return self.gru(x)[1][0]


def layers_of():
    torch.manual_seed(5)
    cnn = nn.Sequential(nn.Conv2d(1, 4, 2), nn.BatchNorm2d(4), nn.Dropout(0.3), nn.Flatten())
    cnn.append(nn.Linear(8, 2))
    back = nn.Sequential(nn.Linear(2, 6), nn.Unflatten(1, (1, 3, 2)))
    return {
        "image": {"encoder": cnn, "decoder": back, "loss": "bce"},
        "sound": {"encoder": Frames(), "hidden": 7},
    }


@pytest.fixture(scope="module")
def layers():
    return layers_of()


@pytest.fixture(scope="module")
def fitted(layers):
    return IMA(layers, **QUICK).fit(views())


def weights_of(modules):
    own = [m for of in modules.values() for m in of.values() if isinstance(m, nn.Module)]
    return torch.cat([v.flatten().double() for m in own for v in m.state_dict().values()])


def test_the_default_layers_as_own_modules_give_the_same():
    """In the shape of the items and flat; of all folds, with missing items and standardization."""
    x, hidden = views(), {"image": ("bce", 5), "sound": ("sse", 7)}
    x["image"][:4] = np.nan
    flat = {m: of.reshape(len(of), -1) for m, of in x.items()}
    default = {m: {"loss": loss, "hidden": width} for m, (loss, width) in hidden.items()}
    expected = IMA(default, **QUICK).fit(flat)
    torch.manual_seed(0)  # the seed of the estimator
    modalities = {m: Modality(of.shape[1], **default[m]) for m, of in flat.items()}
    initial, own = Autoencoder(modalities, 2), {}
    for m in x:
        encoder = nn.Sequential(nn.Flatten(), initial.encoders[m].layers)
        decoder = nn.Sequential(initial.decoders[m].layers, nn.Unflatten(1, x[m].shape[1:]))
        own[m] = {"encoder": encoder, "decoder": decoder, "loss": default[m]["loss"]}
    model = IMA(own, **QUICK).fit(x)
    losses = [[row["loss"] for row in m.history_["autoencoder"]] for m in (model, expected)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    pairs = [(model.transform(x), expected.transform(flat))]
    for m in x:
        pairs.append((model.concordance_[m], expected.concordance_[m]))
        pairs.append((model.importance(x)[m], expected.importance(flat)[m]))
        drawn = model.reconstruct(x)[m]
        assert drawn.shape == x[m].shape
        pairs.append((drawn.reshape(60, -1), expected.reconstruct(flat)[m]))
    for found, wanted in pairs:
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)
    assert model.shapes_ == {"image": (1, 3, 2), "sound": (4, 3)}
    assert model.n_features_in_ == {"image": 6, "sound": 12}


def test_the_modules_given_do_not_change(layers, fitted):
    assert torch.equal(weights_of(layers), weights_of(layers_of()))
    assert fitted.layers is layers and set(layers["image"]) == {"encoder", "decoder", "loss"}
    trained = fitted.network_.autoencoder.encoders["image"].module
    assert not torch.equal(trained[4].weight, layers["image"]["encoder"][4].weight)
    other = clone(fitted)
    assert other.layers["image"]["encoder"] is not layers["image"]["encoder"]
    assert other.get_params()["layers"]["sound"]["hidden"] == 7 and "IMA(" in repr(other)
    x = views()
    expected = fitted.transform(x)
    np.testing.assert_array_equal(copy.deepcopy(fitted).transform(x), expected)
    torch.manual_seed(1)  # of the dropout, fit sets the seed
    np.testing.assert_array_equal(other.fit(x).transform(x), expected)


def test_dropout_and_batch_statistics_are_those_of_evaluation(layers, fitted):
    x = views()
    z = fitted.transform(x)
    np.testing.assert_array_equal(fitted.transform(x), z)
    alone = fitted.transform({m: of[:1] for m, of in x.items()})
    np.testing.assert_allclose(alone, z[:1], rtol=1e-4, atol=1e-5)
    norm = fitted.network_.autoencoder.encoders["image"].module[1]
    assert norm.num_batches_tracked > 0 and not norm.training
    assert layers["image"]["encoder"][1].num_batches_tracked == 0


def test_parameters_without_gradient_stay():
    layers = layers_of()
    frozen = layers["image"]["encoder"][0].requires_grad_(False)
    model = IMA(layers, **QUICK).fit(views())
    trained = model.network_.autoencoder.encoders["image"].module[0]
    assert torch.equal(trained.weight, frozen.weight)


def test_a_file_needs_the_modules(layers, fitted, tmp_path):
    fitted.save(path := tmp_path / "m.safetensors")
    x = views()
    for given in (layers, {**layers, "sound": {"encoder": layers["sound"]["encoder"]}}):
        again = IMA.load(path, layers=given)
        np.testing.assert_array_equal(again.transform(x), fitted.transform(x))
        np.testing.assert_array_equal(again.reconstruct(x)["sound"], fitted.reconstruct(x)["sound"])
        assert again.layers == layers and again.shapes_ == fitted.shapes_
    assert torch.equal(weights_of(layers), weights_of(layers_of()))
    other = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    for given, says in (
        (None, r"layers\['image'\]: expected the modules .*\['encoder', 'decoder'\], found none"),
        ({"image": layers["image"]}, r"layers\['sound'\]: .*\['encoder'\], found none.*IMA.load"),
        ({**layers, "sound": {**layers["sound"], "decoder": other}}, r"found \['decoder', 'enc"),
        ({**layers, "sound": {"encoder": other}}, "checkpoint: expected weights that fit"),
        ({**layers, "sound": {"encoder": nn.Flatten()}}, r"layers\['sound'\]\['encoder'\]: "),
        ({**layers, "image": {**layers["image"], "loss": "sse"}}, "{'loss': 'bce'}, as in fit"),
        ({**layers, "smell": {}}, r"layers: expected some of .*found \['smell'\]"),
    ):
        with pytest.raises(InputError, match=says):
            IMA.load(path, layers=given)


def test_tied_weights_of_a_module_are_saved(tmp_path):
    once = nn.Linear(12, 12)
    layers = {"sound": {"encoder": nn.Sequential(nn.Flatten(), once, once, nn.Linear(12, 2))}}
    model = IMA(layers, **QUICK).fit(views())
    model.save(tmp_path / "m.safetensors")
    again = IMA.load(tmp_path / "m.safetensors", layers=layers)
    np.testing.assert_array_equal(again.transform(views()), model.transform(views()))


@pytest.mark.parametrize(
    ("part", "module", "says"),
    [
        ("encoder", nn.Flatten(), r"maps \(3, 4, 3\) to \(3, 2\), found \(3, 12\)"),
        ("encoder", nn.Linear(5, 2), "RuntimeError"),
        ("encoder", nn.GRU(3, 2, batch_first=True), "found tuple"),
        ("decoder", nn.Linear(2, 11), r"to \(3, 4, 3\) or \(3, 12\), found \(3, 11\)"),
        ("decoder", nn.Linear, "a torch.nn.Module, its name or None, found"),
    ],
)
def test_modules_that_do_not_fit(part, module, says):
    with pytest.raises(InputError, match=says) as error:
        IMA({"sound": {part: module}}, **QUICK).fit(views())
    assert part in str(error.value)


def test_items_have_the_shape_of_fit(fitted):
    flat = views()["image"].reshape(60, -1)
    with pytest.raises(InputError, match=r"items of shape \(1, 3, 2\), as in fit, found \(6,\)"):
        fitted.transform({"image": flat})
    partly = views()["image"]
    partly[0, 0, 0, 0] = np.nan
    with pytest.raises(InputError, match=r"1 not finite, the first NaN at \(0, 0, 0, 0\)"):
        fitted.transform({"image": partly})


def counts_and_words(n=60):
    """Return counts (n, 3) and words (n, 4, 5), of which the last may be padding."""
    rng = np.random.default_rng(0)
    words = np.eye(5)[rng.integers(0, 5, (n, 4))]
    words[::2, 3] = 0
    return {"counts": rng.poisson(4.0, (n, 3)), "words": words}


def test_rates_and_probabilities():
    layers = {"counts": {"loss": "poisson"}, "words": {"loss": "categorical"}}
    model = IMA(layers, **QUICK).fit(x := counts_and_words())
    assert model.scales_ == {}  # neither is standardized
    drawn, z = model.reconstruct(x), torch.from_numpy(model.transform(x))
    decoders = model.network_.autoencoder.decoders
    with torch.no_grad():
        rates, logits = decoders["counts"](z), decoders["words"](z).reshape(60, 4, 5)
    np.testing.assert_allclose(drawn["counts"], rates.exp(), rtol=1e-5)
    shares = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(-1, keepdims=True)
    np.testing.assert_allclose(drawn["words"], shares, rtol=1e-4)
    assert drawn["counts"].dtype == np.float32


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"counts": -np.ones((60, 3))}, "counts of 0 or more, for the loss poisson, found -1 to"),
        ({"words": np.full((60, 4, 5), 0.3)}, r"sum to 1 over .* categorical, found sums of 1.5"),
        ({"words": np.zeros((60, 5))}, "found sums of 0 to 0"),  # no word at all
        ({"words": np.eye(5)[[0] * 60] - np.eye(5)[[1] * 60]}, "categorical, found -1 to 1"),
    ],
)
def test_values_that_a_loss_is_not_made_for(change, says):
    layers = {"counts": {"loss": "poisson"}, "words": {"loss": "categorical"}}
    with pytest.raises(InputError, match=says):
        IMA(layers, **QUICK).fit(counts_and_words() | change)


def test_shared_encoders_are_saved_and_loaded_as_they_are(tmp_path):
    """In evaluation: dropout would draw at every call, and one sample has no batch to norm by."""
    own = layers_of()
    model = IMA(own, shared="contrastive", **QUICK).fit(views())
    model.save(tmp_path / "model")
    loaded = IMA.load(tmp_path / "model", layers=own)
    one = {m: of[:1] for m, of in views().items()}
    for x in (views(), one):
        np.testing.assert_array_equal(
            loaded.transform(x, shared=True), model.transform(x, shared=True)
        )


def test_files_have_what_was_fitted(tmp_path):
    """Not a parameter that was set later; and `auto` in `layers` is any width."""
    x = {m: of.reshape(len(of), -1) for m, of in views().items()}
    layers = {"image": {"hidden": "auto", "loss": "bce"}, "sound": {"hidden": 6}}
    model = IMA(layers, importance_hidden=9, **QUICK).fit(x)
    expected = model.transform(x)
    model.set_params(importance_hidden=11).save(tmp_path / "model")
    np.testing.assert_array_equal(IMA.load(tmp_path / "model").transform(x), expected)
    np.testing.assert_array_equal(
        IMA.load(tmp_path / "model", layers=layers).transform(x), expected
    )
    with pytest.raises(InputError, match=r"layers\['sound'\]: expected \{'hidden': 6\}, as in fit"):
        IMA.load(tmp_path / "model", layers={**layers, "sound": {"hidden": 7}})
