"""Networks that a variant names in the config: what the jobs depend on, and wrong names."""

import re

import pytest

from ima.utils.errors import InputError
from ima.workflow.networks import network_files, with_networks
from tests.checkout import ROOT, Checkout, plans

LAYERS = {"image": {"hidden": 5, "loss": "bce"}, "speech": {"hidden": 7, "loss": "bce"}}


def variant(modality="image", **networks):
    return {"cnn": {"networks": {modality: networks}}, "mlp": {}}


def files(variants):
    return network_files(variants, LAYERS, "", ROOT / "src")


def test_layers_of_variants():
    own = {"shape": [2, 2], "encoder": "a.py:A"}
    of = variant(**own)
    assert with_networks(LAYERS, of["mlp"]) == LAYERS
    assert with_networks(LAYERS, of["cnn"]) == {**LAYERS, "image": {**LAYERS["image"], **own}}


def test_files_of_networks(tmp_path):
    (file := tmp_path / "mine.py").write_text("class Net:\n    pass\n")
    given = ROOT / "src/ima/models/networks.py"
    both = variant(encoder=f"{file}:Net", decoder="ima.models.networks:image_decoder")
    assert files(both) == {"cnn": sorted([file, given]), "mlp": []}
    assert files(variant(encoder="elsewhere.nets:Net", shape=[4]))["cnn"] == []  # installed


@pytest.mark.parametrize(
    ("variants", "says"),
    [
        (variant("smell", encoder="a.py:A"), r"expected some of .*, found smell"),
        (variant(encoder="nowhere.py:A"), r"image\.encoder: .* found no file nowhere\.py"),
        (variant(decoder="ima.models.nets:A"), r"image\.decoder: .* no file .*ima/models/nets\.py"),
        (variant(encoder="ima.models.networks:Encoder"), r"networks\.py, found Encoder"),
    ],
)
def test_wrong_names(variants, says):
    with pytest.raises(InputError, match=rf"config, ima\.cnn\.networks.*{says}"):
        files(variants)


def test_training_depends_on_the_file(tmp_path):
    """And no job of a variant without it; the name says nothing of what is in the file."""
    checkout = Checkout(tmp_path)
    (tmp_path / "nets.py").write_text("def encoder(shape, latent):\n    pass\n")
    networks = {"speech": {"shape": [58, 12], "encoder": f"{tmp_path}/nets.py:encoder"}}
    checkout.config["ima"] = {"ima+": {"networks": networks}}
    target = "results/small/models/{}/latent2/seed0/autoencoder_round1.safetensors"
    targets = [target.format(name) for name in ("paper", "ima+")]
    plan = plans([(tmp_path, checkout.config)], targets)[0]
    for job in plan.of_rules(["autoencoder"]):
        mine = job["wildcards"]["variant"] == "ima+"
        assert [f for name, f, _ in job["input"] if name == "networks"] == ["nets.py"] * mine
        assert ("encoder" in job["params"]["layers"]["speech"]) == mine
        assert "encoder" not in job["params"]["layers"]["image"]
    assert len(plan.of_rules(["autoencoder"])) == 2


def test_a_wrong_name_stops_the_run(tmp_path):
    checkout = Checkout(tmp_path)
    checkout.config["ima"] = {"ima+": {"networks": {"speech": {"encoder": "nets.py:encoder"}}}}
    says = "config, ima.ima+.networks.speech.encoder: expected FILE.py:NAME"
    with pytest.raises(RuntimeError, match=re.escape(says)):
        checkout.plan("pairs")
