"""What models cost: counts by hand, for two modalities and for more."""

import importlib.util

import pytest
import torch

from ima.evaluation.complexity import (
    GROWING,
    Setting,
    costed_baseline,
    costed_ima,
    loss_terms,
    microseconds,
    parameters,
    sub_networks,
    table4,
)
from ima.models.baselines import BASELINES
from ima.models.ima import Modality
from tests.checkout import ROOT

TWO = {"a": Modality(6, 8), "b": Modality(4, 5)}


def batch(modalities, size=3):
    return {name: torch.rand(size, modality.dimension) for name, modality in modalities.items()}


def counted(kind, count, objectives=("paper", "paper"), **settings):
    """Return sub-networks, reconstructions and other terms of a model of so many modalities."""
    modalities = {f"m{i}": Modality(3, 2) for i in range(count)}
    x = batch(modalities)
    if kind == "ima":
        costed = costed_ima(modalities, 2, 4, x, objectives)
    else:
        costed = costed_baseline(kind, settings, modalities, 2, x)
    terms = loss_terms(costed, 3)
    assert terms["loss_terms"] == terms["reconstructions"] + terms["other_terms"]
    return sub_networks(costed.model)["sub_networks"], *list(terms.values())[:2]


def test_parameters_of_ima_by_hand():
    # Encoders 6-8-8-3 and 4-5-5-3, decoders 3-8-8-6 and 3-5-5-4, importance 6-2-2-1 and 4-2-2-1.
    encoders = (6 * 8 + 8) + (8 * 8 + 8) + (8 * 3 + 3) + (4 * 5 + 5) + (5 * 5 + 5) + (5 * 3 + 3)
    decoders = (3 * 8 + 8) + (8 * 8 + 8) + (8 * 6 + 6) + (3 * 5 + 5) + (5 * 5 + 5) + (5 * 4 + 4)
    importance = (6 * 2 + 2) + (4 * 2 + 2) + 2 * (2 * 2 + 2) + 2 * (2 + 1)
    assert parameters(costed_ima(TWO, 3, 2, batch(TWO)).model) == {
        "parameters_encoders": encoders,
        "parameters_decoders": decoders,
        "parameters_importance": importance,
        "parameters_autoencoder": encoders + decoders,
        "parameters": encoders + decoders + importance,
    }


@pytest.mark.parametrize("count", [2, 3, 4])
def test_counts_of_linear_models(count):
    # IMA: encoder, decoder, importance network each; each decoded from z; a distance to z, an
    # L_corr and an L_local each; and the norm of z: 4 M + 1 terms.
    assert counted("ima", count) == (3 * count, count, 3 * count + 1)
    # Ours: each decoded from u, too, and no norm of z.
    assert counted("ima", count, ("ima+", "ima+")) == (3 * count, 2 * count, 3 * count)
    assert counted("ima", count, ("ima+", "paper")) == (3 * count, 2 * count, 3 * count)
    assert counted("denoising", count) == (1 + count, count, 0)
    # The KL to the prior, and to each modality's own posterior.
    assert counted("jmvae", count) == (2 * count + 1, count, 1 + count)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_counts_of_models_of_every_subset(count):
    subsets = 2**count - 1
    # An encoder a subset, a KL to the prior and to every other encoder's posterior.
    found = counted("jmvae", count, subset_encoders=True)
    assert found == (subsets + count, count, subsets)
    # Each modality is decoded in half of all subsets; a KL each.
    assert counted("mvae", count, n_subsets=10**6) == (2 * count, count * 2 ** (count - 1), subsets)


def test_mvae_draws_n_subsets():
    assert counted("mvae", 2, n_subsets=1) == (4, 4, 3)
    assert counted("mvae", 3, n_subsets=1) == (6, 3 + 3 + 2, 1 + 3 + 1)
    assert counted("mvae", 3, n_subsets=0) == (6, 3 + 3, 1 + 3)


def test_a_step_trains_every_sub_network():
    """Else the time would be of a part of the model."""
    torch.manual_seed(0)
    wide = {"a": Modality(6, 32), "b": Modality(4, 32)}
    x = batch(wide, 16)
    cases = {f"ima {of}": costed_ima(wide, 3, 32, x, (of, of)) for of in ("paper", "ima+")}
    cases |= {kind: costed_baseline(kind, {}, wide, 3, x) for kind in BASELINES}
    for name, costed in cases.items():
        before = [weight.clone() for weight in costed.model.parameters()]
        assert microseconds(costed, 16) > 0
        after = costed.model.parameters()
        assert not any(torch.equal(a, b) for a, b in zip(before, after, strict=True)), name


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr("ima.evaluation.complexity.STEPS", 1)
    monkeypatch.setattr("ima.evaluation.complexity.WARM_UP", 0)


MODELS = {"JMVAE-KL": ("jmvae", {}), "MVAE": ("mvae", {"n_subsets": 1})}
IMA = {"IMA (paper)": ("paper", "paper"), "IMA+": ("ima+", "ima+")}


def test_table_4_has_each_data_set_and_the_growth(quick):
    spoken = {"verbal": Modality(7, 5, "sse"), "acoustic": Modality(3, 5, "sse")}
    datasets = {
        "digits": Setting(TWO, [2, 3], 4, IMA, MODELS, 8),
        "emotion": Setting(spoken, [6], 4, {"IMA (paper)": ("paper", "paper")}, MODELS, 8),
    }
    rows = table4(datasets, range(2, 5), "demo").to_pylist()
    names = [*IMA, *MODELS]
    digits = [(row["model"], row["latent"]) for row in rows if row["dataset"] == "digits"]
    assert digits == [(name, latent) for latent in (2, 3) for name in names]
    emotion = [row for row in rows if row["dataset"] == "emotion"]
    assert [(row["model"], row["latent"]) for row in emotion] == [
        *(("IMA (paper)", 6), ("JMVAE-KL", 6), ("MVAE", 6)),
    ]
    assert {row["setting"] for row in emotion} == {"verbal+acoustic"}
    alone = parameters(costed_ima(spoken, 6, 4, batch(spoken)).model)["parameters"]
    assert emotion[0]["parameters"] == alone
    equal = [(row["modalities"], row["model"]) for row in rows if row["setting"] == "equal"]
    assert equal == [(count, name) for count in range(2, 5) for name in (*names, *GROWING)]
    assert {row["dataset"] for row in rows if row["setting"] == "equal"} == {None}
    assert all(isinstance(row["parameters"], int) and row["microseconds"] > 0 for row in rows)


def test_sizes_that_the_config_leaves_open():
    path = ROOT / "workflow/scripts/table4.py"
    spec = importlib.util.spec_from_file_location("table4_script", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    settings = {"latents": [2], "hidden": 4, "ima": IMA, "models": [], "batch": "auto"}
    layers = {"a": {"hidden": "auto"}, "b": {"hidden": 7}, "c": {}}
    found = script.setting(layers, dict.fromkeys("abc", 3), settings)
    assert {m: of.hidden for m, of in found.modalities.items()} == {"a": 100, "b": 7, "c": 100}
    assert found.batch == 64


def test_ima_has_fewer_autoencoder_parameters_than_mvae_and_more_in_all(quick):
    """At the sizes of Section 5: an encoder of MVAE ends in means and variances, IMA's in u."""
    layers = {"image": Modality(784, 500), "speech": Modality(696, 100)}
    rows = table4({"digits": Setting(layers, [50], 100, IMA, MODELS, 4)}, [], "demo").to_pylist()
    of = {row["model"]: row for row in rows}
    ours, mvae = of["IMA (paper)"], of["MVAE"]
    assert ours["parameters_autoencoder"] < mvae["parameters_autoencoder"] == mvae["parameters"]
    assert mvae["parameters"] - ours["parameters_autoencoder"] == 50 * (501 + 101)
    assert ours["parameters"] > mvae["parameters"]
    assert ours["parameters"] == of["IMA+"]["parameters"] < of["JMVAE-KL"]["parameters"]
