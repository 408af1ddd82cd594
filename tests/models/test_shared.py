"""Shared parts of latents: by hand, on planted shared directions, and where nothing is shared."""

import numpy as np
import pytest
import torch

from ima import IMA
from ima.models.autoencoder import Stage1
from ima.models.cca import ERRORS
from ima.models.importance import Stage2
from ima.models.shared import SharedPart, shared_parts
from ima.utils.errors import InputError

N, H = 4000, 2000


def planted(seed=0, correlation=0.9):
    """Return latents whose first of four directions is shared, in a rotation of their own."""
    rng = np.random.default_rng(seed)
    s = rng.normal(size=N + H)
    u, rotations = {}, {}
    for m in "ab":
        values = rng.normal(size=(N + H, 4)) * [1, 2, 3, 1]
        values[:, 0] = np.sqrt(correlation) * s + np.sqrt(1 - correlation) * values[:, 0]
        rotations[m], _ = np.linalg.qr(rng.normal(size=(4, 4)))
        u[m] = torch.tensor(values @ rotations[m].T + 5)
    return u, rotations


def fit(u, y=None):
    y = y or {m: torch.ones(N + H) for m in u}
    halves = ({m: of[:N] for m, of in v.items()} for v in (u, y))
    held = ({m: of[N:] for m, of in v.items()} for v in (u, y))
    (train, y_train), (rest, y_rest) = halves, held
    return shared_parts(train, rest, y_train, y_rest, H)


def test_shared_part_by_hand():
    projection = torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=torch.double)
    part = SharedPart(torch.tensor([1.0, 2.0]), projection, torch.zeros(2))
    assert part.of(torch.tensor([[3.0, 7.0]])).tolist() == [[2.0, 0.0]]


def test_only_the_shared_direction_is_kept():
    u, rotations = planted()
    for m, part in fit(u).items():
        assert part.correlations[0] == pytest.approx(0.9, abs=0.02)
        assert (part.correlations[1:].abs() < ERRORS / H**0.5).all()
        shared = part.of(u[m]) @ torch.tensor(rotations[m])
        variance = shared.var(0)
        assert variance[0] == pytest.approx(
            0.9, abs=0.06
        )  # sqrt(c) times a direction of variance 1
        # the square root of what is left by chance, at most 1 / sqrt(H) each
        assert (variance[1:] < 3 * ERRORS * torch.tensor([4.0, 9.0, 1.0]) / H**0.5).all()


def test_latents_keep_all_if_nothing_or_everything_is_shared():
    rng = np.random.default_rng(1)
    s = torch.tensor(rng.normal(size=(N + H, 3)))
    independent = {m: torch.tensor(rng.normal(size=(N + H, 3))) for m in "ab"}
    for u in (independent, {"a": s, "b": 2 * s + 1}):
        for part in fit(u).values():
            assert torch.equal(part.projection, torch.eye(3).double())
            assert torch.equal(part.of(s), s)


def test_noise_without_importance_does_not_count():
    """Pairs of noise, which share another direction, are left out by importances of 0."""
    u, rotations = planted()
    noise = torch.zeros(N + H, dtype=torch.bool)
    noise[::2] = True
    rng = np.random.default_rng(2)
    for m in "ab":
        values = torch.zeros(N + H, 4, dtype=torch.double)
        values[:, 1] = torch.tensor(np.random.default_rng(3).normal(size=N + H) * 4)
        values += torch.tensor(rng.normal(size=(N + H, 4)) * 0.1)
        u[m][noise] = (values @ torch.tensor(rotations[m]).T + 5)[noise]
    y = {m: (~noise).float() for m in "ab"}
    for m, part in fit(u, y).items():
        kept = torch.tensor(rotations[m]).T @ part.projection @ torch.tensor(rotations[m])
        assert kept[0, 0] > 0.8 and kept[1, 1] < 0.4
    for m, part in fit(u).items():  # the control, with noise
        kept = torch.tensor(rotations[m]).T @ part.projection @ torch.tensor(rotations[m])
        assert kept[1, 1] > 0.8
    assert {len(part.mean) for part in fit(u, {m: torch.zeros(N + H) for m in "ab"}).values()} == {
        4
    }


def test_estimator_transforms_by_shared_parts(tmp_path):
    """By hand, and by a model that was saved and loaded."""
    rng = np.random.default_rng(0)
    x = {m: rng.normal(size=(80, 5)).astype("float32") for m in "ab"}
    model = IMA(latent=3, stage1=Stage1(epochs=1), stage2=Stage2(steps=2, rounds=1)).fit(x)
    z = model.transform(x, shared=True)
    u = {m: model.transform({m: of}) for m, of in x.items()}
    y = model.importance(x)
    parts = {m: model.shared_parts_[m].of(torch.tensor(u[m])).numpy() for m in x}
    by_hand = sum(y[m][:, None] * parts[m] for m in x) / sum(y.values())[:, None]
    np.testing.assert_allclose(z, by_hand, atol=1e-5)
    model.save(tmp_path / "model.safetensors")
    again = IMA.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.transform(x, shared=True), z)
    again.shared_parts_ = {}
    with pytest.raises(InputError, match="saved with shared parts"):
        again.transform(x, shared=True)
