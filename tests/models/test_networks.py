"""Encoders and decoders that a config names: what they compute, files, and what they cannot be."""

import pytest
import torch
import yaml
from torch import nn

from ima import IMA
from ima.models import checkpoints, networks, own
from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.ima import Autoencoder
from ima.models.importance import Stage2
from ima.utils.errors import InputError
from ima.workflow.networks import with_networks
from tests.checkout import ROOT

MINE = """
from torch import nn

def encoder(shape, latent):
    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1], latent))

class Decoder(nn.Linear):
    def __init__(self, shape, latent):
        super().__init__(latent, shape[0] * shape[1])

def no_module(shape, latent):
    return shape
"""
#: The modalities of the open run: width and layers, as its config has them.
WIDTHS = {"image": 784, "speech": 696}
MLP = {"image": {"hidden": 500, "loss": "bce"}, "speech": {"hidden": 100, "loss": "bce"}}


def open_cnn() -> dict:
    """Return the layers of the CNN and the GRU of config/open_cnn.yaml."""
    variant = yaml.safe_load((ROOT / "config/open_cnn.yaml").read_text())["ima"]["ima+_cnn"]
    return with_networks(MLP, variant)


def built(layers, widths=WIDTHS, seed=0, latent=3):
    torch.manual_seed(seed)
    x = {name: torch.rand(40, width) / 5 for name, width in widths.items()}
    torch.manual_seed(seed)
    return Autoencoder(checkpoints.modalities_of(x, layers), latent), x


def outputs(model, x):
    """Return the latents and what is decoded from their mean."""
    with torch.no_grad():
        u = model.eval().encode(x)
        z = sum(u.values()) / len(u)
        return [*u.values(), *(decoder(z) for decoder in model.decoders.values())]


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_networks_of_the_open_run_learn_and_are_restored():
    model, x = built(open_cnn())
    assert isinstance(model.encoders["speech"].module, networks.SequenceEncoder)
    assert sum(w.numel() for w in model.parameters()) < 50_000  # the MLPs have 1.5 million
    before = outputs(model, x)
    assert [o.shape for o in before] == [(40, 3), (40, 3), (40, 784), (40, 696)]
    rows = {name: torch.arange(40) for name in x}
    history = fit_autoencoder(model, x, rows, Stage1(epochs=5, learning_rate=0.01), 0)
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    assert not same(before, after := outputs(model, x))
    config = checkpoints.model_config(model)
    assert dict(config["modalities"])["speech"]["networks"] == {
        "encoder": "ima.models.networks:SequenceEncoder",
        "decoder": "ima.models.networks:SequenceDecoder",
    }
    assert same(outputs(checkpoints.build_autoencoder(config, model.state_dict()), x), after)


def test_initial_weights_follow_the_seed():
    (first, x), (again, _), (other, _) = (built(open_cnn(), seed=seed) for seed in (0, 0, 1))
    assert same(outputs(first, x), outputs(again, x))
    assert not same(outputs(first, x), outputs(other, x))


def test_a_step_of_the_gru_reads_two_frames():
    """By the equations of a GRU with an update gate of 1/2 and a candidate of tanh(sum of x)."""
    encoder = networks.SequenceEncoder((4, 1), 1)
    with torch.no_grad():
        for weight in encoder.parameters():
            weight.zero_()
        encoder.gru.weight_ih_l0[2 * networks.WIDTH :] = 1  # of the candidate
        encoder.latent.weight[0, 0] = 1
        found = encoder(torch.tensor([[[0.1], [0.2], [0.3], [-0.5]]]))
    one, two = torch.tensor(0.1 + 0.2).tanh(), torch.tensor(0.3 - 0.5).tanh()
    torch.testing.assert_close(found, (one / 4 + two / 2).view(1, 1))


@pytest.mark.parametrize(
    ("network", "shape", "says"),
    [
        (networks.image_encoder, (1, 30, 28), "30 x 28, whose sides are not multiples of 4"),
        (networks.image_decoder, (1, 28, 6), "28 x 6"),
        (networks.SequenceEncoder, (57, 12), "57 frames"),
        (networks.SequenceDecoder, (3, 1), "3 frames"),
    ],
)
def test_sizes_that_do_not_fit(network, shape, says):
    with pytest.raises(ValueError, match=says):
        network(shape, 2)
    name = f"ima.models.networks:{network.__name__}"
    with pytest.raises(InputError, match=f"here: expected FILE.py:NAME .* ValueError: .*{says}"):
        own.network(name, shape, 2, "here")


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    return f"{tmp_path}/mine.py"


def test_a_file_of_the_user_needs_to_be_named_to_load(mine, tmp_path):
    """The file of weights alone runs no code."""
    x = {"a": torch.rand(60, 2, 3).numpy(), "b": torch.rand(60, 4).numpy()}
    layers = {"a": {"encoder": f"{mine}:encoder", "decoder": f"{mine}:Decoder"}}
    stages = {"stage1": Stage1(epochs=1), "stage2": Stage2(steps=2, rounds=1, restarts=1)}
    model = IMA(layers, 2, **stages).fit(x)
    model.save(path := tmp_path / "model.safetensors")
    again = IMA.load(path, layers=layers)
    assert (again.transform(x) == model.transform(x)).all() and again.layers == layers
    with pytest.raises(InputError, match=r"the modules with which it was fitted: \['encoder', 'd"):
        IMA.load(path)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nowhere.py:Net", "FileNotFoundError"),
        ("nowhere_at_all:Net", "ModuleNotFoundError"),
        ("MINE:Net", "has no attribute 'Net'"),
        ("MINE:no_module", r"which gives \(2, 3\)"),
        ("Net", "ValueError"),
    ],
)
def test_names_that_lead_to_no_module(name, says, mine):
    layers = {"a": {"encoder": name.replace("MINE", mine), "shape": [2, 3], "hidden": 4}}
    with pytest.raises(InputError, match=rf"layers\['a'\]\['encoder'\]: expected FILE.*{says}"):
        built(layers, {"a": 6})


def test_a_shape_of_another_size(mine):
    layers = {"a": {"encoder": f"{mine}:encoder", "shape": [2, 4], "hidden": 4}}
    with pytest.raises(InputError, match=r"shape: expected .* the 6 values .*, found \[2, 4\]"):
        built(layers, {"a": 6})


def test_modules_and_names_are_told_apart():
    """A checkpoint of a module without a name does not open by names."""
    layers = open_cnn()
    layers["image"] |= {"encoder": nn.Sequential(nn.Flatten(), nn.Linear(784, 3))}
    model, _ = built(layers)
    config = checkpoints.model_config(model)
    with pytest.raises(InputError, match=r"layers\['image'\]: expected .*encoder.*decoder"):
        checkpoints.build_autoencoder(config, model.state_dict())
