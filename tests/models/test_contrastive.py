"""InfoNCE by hand, the split into two groups, and networks that learn what pairs share."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from ima.models.contrastive import (
    COMPARED,
    Contrastive,
    co_divide,
    fit_contrastive,
    info_nce,
    pair_losses,
    similarities,
    two_groups,
)
from ima.models.ima import Modality
from ima.training.loop import Training

LAYERS = {m: Modality(6, 16, activation="tanh") for m in "ab"}
SETTINGS = Training(epochs=15, batch_size=32, learning_rate=1e-2)


def test_info_nce_by_hand():
    a = torch.eye(2)
    agreed, swapped = info_nce(a, a, temperature=1.0), info_nce(a, a.flip(0), temperature=1.0)
    assert agreed.tolist() == pytest.approx([math.log(1 + math.exp(-1))] * 2)
    assert swapped.tolist() == pytest.approx([math.log(1 + math.exp(1))] * 2)
    # With three pairs and one embedding, the own partner is one of three.
    alike = torch.tensor([[1.0, 0.0]] * 3)
    assert info_nce(alike, alike).tolist() == pytest.approx([math.log(3)] * 3)


def test_two_groups():
    values = np.array([0.0, 0.1, 0.2, 0.1, 9.8, 10.0, 10.2])
    assert (two_groups(values) > 0.5).tolist() == [True] * 4 + [False] * 3
    assert two_groups(np.full(3, 2.0)).tolist() == [1, 1, 1]


def exchanged(shared, n=300, seed=0):
    """Return items of two modalities, alike if `shared`, pairs, and whether they are exchanged."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, 6)).astype(np.float32)
    b = a if shared else rng.normal(size=(n, 6)).astype(np.float32)
    rows = np.arange(n)
    rows[: n // 10] = np.roll(rows[: n // 10], 1)
    pairs = {"a": torch.arange(n), "b": torch.from_numpy(rows)}
    return {"a": torch.from_numpy(a), "b": torch.from_numpy(b)}, pairs, np.arange(n) < n // 10


def aucs(shared):
    """Return the AUC of exchanged pairs by both ways, on pairs not trained on."""
    x, pairs, _ = exchanged(shared)
    new, pairs_new, wrong = exchanged(shared, seed=1)
    torch.manual_seed(0)
    model = Contrastive(LAYERS)
    fit_contrastive(model, x, pairs, SETTINGS, seed=0, validation=pairs)
    similar = similarities(model, new, pairs_new)
    assert (similar["a"] == similar["b"]).all() and np.abs(similar["a"]).max() < 1 + 1e-6
    networks = co_divide(LAYERS, x, pairs, SETTINGS, seed=0)
    losses = [pair_losses(network, new, pairs_new) for network in networks]
    return roc_auc_score(wrong, -similar["a"]), roc_auc_score(wrong, np.mean(losses, 0))


def test_exchanged_pairs_are_found_only_where_modalities_share_something():
    assert min(aucs(shared=True)) > 0.95
    # 4 standard errors of an AUC of .5 with 30 of 300 pairs
    assert np.abs(np.subtract(aucs(shared=False), 0.5)).max() < 4 * 0.056


def test_every_pair_is_compared_with_as_many_others():
    """Of networks that say nothing, each pair's loss is the log of the number compared."""
    x, pairs, _ = exchanged(shared=True)
    network = Contrastive(LAYERS)
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
    for count in (COMPARED + 1, 2 * COMPARED, 300):
        some = {m: rows[:count] for m, rows in pairs.items()}
        np.testing.assert_allclose(pair_losses(network, x, some), np.log(COMPARED), rtol=1e-5)
    few = {m: rows[:9] for m, rows in pairs.items()}
    np.testing.assert_allclose(pair_losses(network, x, few), np.log(9), rtol=1e-5)
