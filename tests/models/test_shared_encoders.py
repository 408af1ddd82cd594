"""Shared encoders: loss by hand, weights of 0, planted classes, and random pairs as a control."""

import math

import numpy as np
import pytest
import torch

from ima import IMA
from ima.models.autoencoder import Stage1
from ima.models.ima import Modality
from ima.models.importance import Stage2
from ima.models.shared_encoders import (
    SharedEncoders,
    fit_shared_encoders,
    latents_of,
    partner_loss,
)
from ima.training.loop import Training
from ima.utils.errors import InputError

SETTINGS = Training(epochs=30, batch_size=32, learning_rate=1e-2)


def test_loss_by_hand():
    a, b = torch.tensor([[0.0, 0.0], [3.0, 0.0]]), torch.tensor([[0.0, 1.0], [3.0, 0.0]])
    # Squared distances: 1, 9; 10, 0. Times 2, against the other item of the row and of the column.
    first = (math.log(1 + math.exp(-16)) + math.log(1 + math.exp(-18))) / 2
    second = (math.log(1 + math.exp(-20)) + math.log(1 + math.exp(-18))) / 2
    found = partner_loss(a, b, torch.tensor(math.log(2.0)))
    assert found.double().tolist() == pytest.approx([first, second], abs=1e-6)
    swapped = partner_loss(a, b.flip(0), torch.tensor(math.log(2.0)))
    assert swapped.tolist() == pytest.approx([17, 19], abs=1e-4)


def encoders(latent=2, seed=0):
    torch.manual_seed(seed)
    return SharedEncoders({m: Modality(4, 8, "sse", "tanh") for m in "ab"}, latent)


def test_pairs_of_weight_0_do_not_count():
    model, generator = encoders(), torch.Generator().manual_seed(1)
    x = {m: torch.randn(6, 4, generator=generator) for m in "ab"}
    y = {"a": torch.tensor([1, 0.5, 1, 0, 1, 1]), "b": torch.tensor([1, 1, 1, 1, 0, 1.0])}
    kept = [0, 1, 2, 5]
    whole = model.loss(x, y)
    part = model.loss({m: of[kept] for m, of in x.items()}, {m: of[kept] for m, of in y.items()})
    assert whole.item() == pytest.approx(part.item(), rel=1e-6)
    assert whole.item() != pytest.approx(model.loss(x, {m: torch.ones(6) for m in x}).item())
    nothing = model.loss(x, {m: torch.zeros(6) for m in x})
    nothing.backward()
    assert nothing.item() == 0


class Trained:
    """What `fit_shared_encoders` takes of a model: its modalities and importances."""

    def __init__(self, importance):
        self.importance = importance
        self.autoencoder = self
        self.latent, self.modalities = 2, {m: Modality(4, 16, "sse", "tanh") for m in importance}


def planted(n=600):
    """Return two views (n, 4), which share one of 4 classes, and the classes."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 4, n)
    x = {}
    for m in "ab":
        centres = np.random.default_rng(ord(m)).normal(size=(4, 4)) * 2
        x[m] = centres[label] + rng.normal(size=(n, 4))
    return {m: torch.tensor(of, dtype=torch.float32) for m, of in x.items()}, label


def near(model, x, label, rows):
    """Return the share of the 5 nearest items of b that have the class of an item of a."""
    g = latents_of(model, x, {m: rows for m in x})
    nearest = torch.cdist(g["a"], g["b"]).argsort(1)[:, :5]
    own = label[rows.numpy()]
    return (own[nearest.numpy()] == own[:, None]).mean()


def test_classes_that_modalities_share_are_near_and_random_pairs_are_at_chance():
    x, label = planted()
    rows = torch.arange(600)
    model = Trained({m: lambda of: torch.ones(1, len(of)) for m in x})
    pairs, held, test = ({m: part for m in x} for part in rows.split((400, 100, 100)))
    found, history = fit_shared_encoders(model, x, pairs, held, SETTINGS, 0)
    assert near(found, x, label, test["a"]) > 0.8 and history[-1]["validation"] < math.log(100)
    order = torch.randperm(400, generator=torch.Generator().manual_seed(2))
    random, _ = fit_shared_encoders(model, x, {**pairs, "b": pairs["b"][order]}, held, SETTINGS, 0)
    assert near(random, x, label, test["a"]) < 0.5


def test_estimator_uses_them_and_saves_them(tmp_path):
    """By hand, and by a model that was saved and loaded."""
    rng = np.random.default_rng(0)
    x = {m: rng.normal(size=(80, 5)).astype("float32") for m in "ab"}
    settings = {"stage1": Stage1(epochs=1), "stage2": Stage2(steps=2, rounds=1)}
    model = IMA(latent=3, shared="contrastive", **settings).fit(x)
    assert model.history_["shared encoders"]
    z, y = model.transform(x, shared=True), model.importance(x)
    alone = {m: model.transform({m: of}, shared=True) for m, of in x.items()}
    by_hand = sum(y[m][:, None] * alone[m] for m in x) / sum(y.values())[:, None]
    np.testing.assert_allclose(z, by_hand, atol=1e-5)
    assert not np.allclose(z, model.transform(x))
    linear = IMA(latent=3, **settings).fit(x)
    np.testing.assert_array_equal(model.transform(x), linear.transform(x))
    assert not np.allclose(z, linear.transform(x, shared=True))
    model.save(tmp_path / "model.safetensors")
    again = IMA.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.transform(x, shared=True), z)
    with pytest.raises(InputError, match=r"shared: expected one of .*found neural"):
        IMA(shared="neural", **settings).fit(x)
