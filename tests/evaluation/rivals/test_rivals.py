"""Detectors by hand and on pairs that share something; where nothing is shared, all are blind."""

import math

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.metrics import roc_auc_score

from ima.evaluation.noise_benchmark import Problem
from ima.evaluation.rivals import mvae
from ima.evaluation.rivals.autoencoder import distance, reconstruction_error
from ima.evaluation.rivals.base import Given, components, decide, per_item
from ima.evaluation.rivals.linear import uncorrelated, unexplained
from ima.evaluation.rivals.neighbours import bandwidth, modality_weights
from ima.evaluation.rivals.study import DETECTORS, rivals_table, scores, study
from ima.evaluation.rivals.unusual import isolation
from ima.models.autoencoder import Stage1
from ima.models.ima import Autoencoder, Modality
from ima.models.importance import Stage2
from ima.models.stages import Variant
from ima.training.loop import Training
from ima.utils.schemas import RIVAL_STUDY


def given(x, pairs=None, latent=2):
    """Return what detectors get, with an autoencoder whose parameters are 0."""
    x = {m: torch.tensor(values, dtype=torch.float32) for m, values in x.items()}
    rows = pairs or {m: torch.arange(len(values)) for m, values in x.items()}
    layers = {m: Modality(values.shape[1], 4, loss="sse") for m, values in x.items()}
    autoencoder = Autoencoder(layers, latent)
    for parameter in autoencoder.parameters():
        torch.nn.init.zeros_(parameter)
    splits = dict.fromkeys(("train", "validation", "test"), rows)
    return Given(x, splits, autoencoder, Training(epochs=1), 0)


def test_scores_of_an_item_are_averaged():
    score, back = per_item(np.array([1.0, 2, 6, 4]), np.array([7, 3, 7, 5]))
    assert score.tolist() == [2, 4, 3.5] and back.tolist() == [2, 0, 2, 1]


def test_the_higher_group_is_noise():
    assert decide(np.array([5.0, 0.1, 0.0, 5.1, 0.2])).tolist() == [True, False, False, True, False]
    assert not decide(np.ones(4)).any()


def test_reconstruction_error_by_hand():
    """Zeros are decoded, so the squared error is the squared length."""
    found = reconstruction_error(given({"a": [[3, 4], [0, 1]], "b": [[0, 0], [2, 0]]}))
    assert found["a"].tolist() == [25, 1] and found["b"].tolist() == [0, 4]


def test_distance_by_hand():
    """u of a is (3, 4), of b (0, 0), so z is (1.5, 2)."""
    of = given({"a": [[1, 1]], "b": [[1, 1]]})
    with torch.no_grad():
        of.autoencoder.encoders["a"].layers[-1].bias.copy_(torch.tensor([3.0, 4.0]))
    assert {m: d.tolist() for m, d in distance(of).items()} == {"a": [2.5], "b": [2.5]}


def test_variance_of_an_expert_by_hand(monkeypatch):
    def fitted(model, *_):
        for m, variance in (("a", 1.0), ("b", -3.0)):
            last = model.encoders[m].layers[-1]
            torch.nn.init.zeros_(last.weight)
            last.bias.data = torch.tensor([9.0, 9.0, variance, 3 * variance])

    monkeypatch.setattr(mvae, "fit_mvae", fitted)
    found = mvae.expert_variance(given({"a": [[1, 2]], "b": [[3, 4]]}))
    assert found["a"].tolist() == [2] and found["b"].tolist() == [-6]


def test_an_outlier_is_the_most_unusual():
    x = np.random.default_rng(0).normal(size=(50, 3))
    x[7] += 9
    assert isolation(given({"a": x}))["a"].argmax() == 7


def test_components_are_of_distinct_training_items():
    x = np.random.default_rng(0).normal(size=(20, 3)) * [5, 1, 0.1]
    rows = {"a": torch.tensor([*range(20), *[0] * 30])}
    whitened = components(given({"a": x}, rows), "test", whiten=True)["a"]
    assert whitened.shape == (50, 3)
    assert np.var(whitened[:20], axis=0, ddof=1) == pytest.approx([1, 1, 1], rel=1e-4)
    assert components(given({"a": x}, rows), "test", True, most=2)["a"].shape == (50, 2)


@pytest.mark.parametrize("detect", [uncorrelated, unexplained])
def test_linear_models_find_exchanged_pairs_only_where_something_is_shared(detect):
    rng = np.random.default_rng(0)
    a, rows = rng.normal(size=(400, 5)), torch.arange(400)
    rows[:40] = rows[:40].roll(1)
    wrong = np.arange(400) < 40
    shared = detect(given({"a": a, "b": -a[:, ::-1]}, {"a": torch.arange(400), "b": rows}))
    none = detect(given({"a": a, "b": rng.normal(size=(400, 5))}))
    for m in "ab":
        assert roc_auc_score(wrong, shared[m]) > 0.9
        # 4 standard errors of an AUC of .5 with 40 of 400 pairs
        assert abs(roc_auc_score(wrong, none[m]) - 0.5) < 4 * 0.048


def test_bandwidth_by_hand():
    """Each sample's least similar one that shares a neighbour: 2, 2, 0 and 2."""
    x = np.array([[0.0], [1], [3], [7]])
    assert bandwidth(x, np.array([[1], [0], [1], [2]])).tolist() == [3, 2, 3, 4]


def test_modality_weights_by_hand():
    """Neighbours in a predict a and constant b, those in b predict nothing but b."""
    x = {"a": np.array([[0.0], [1], [10], [11]]), "b": np.zeros((4, 1))}
    nearest = {"a": np.array([[1], [0], [3], [2]]), "b": np.array([[2], [3], [0], [1]])}
    weights = modality_weights(x, nearest)
    # a: theta is 1 by its own neighbours and 0 by b's, so S is 200; b: 1 and 1.
    expected = 1 / (1 + math.exp(1 / 1.0001 - 200))
    assert weights["a"].tolist() == pytest.approx([expected] * 4)
    assert (weights["a"] + weights["b"]).tolist() == pytest.approx([1] * 4)
    alike = modality_weights({"a": x["a"], "b": x["a"]}, dict.fromkeys("ab", nearest["a"]))
    assert alike["a"].tolist() == pytest.approx([0.5] * 4)


def test_scores_by_hand():
    noise, flagged = np.array([True, True, False, False]), np.array([True, False, True, False])
    found = scores(np.array([4.0, 2, 3, 1]), flagged, noise)
    assert found["auc_noise"] == 0.75 and found["share_flagged"] == 0.5
    assert [found[f"{s}_noise"] for s in ("f1", "precision", "recall")] == [0.5] * 3
    assert math.isnan(scores(np.ones(4), flagged, np.ones(4, bool))["auc_noise"])


def test_where_nothing_is_shared_every_detector_is_blind():
    """Modalities are independent, and noise looks like everything else."""
    rng = np.random.default_rng(0)
    parts = {"train": 200, "validation": 100, "test": 300}
    starts = dict(zip(parts, np.cumsum([0, *parts.values()]), strict=False))
    pairs = {s: dict.fromkeys("ab", np.arange(n) + starts[s]) for s, n in parts.items()}
    x = {m: (rng.random((600, 12)) < 0.5).astype(np.float32) for m in "ab"}
    noise = {m: rng.random(600) < 0.3 for m in "ab"}
    variant = Variant(
        Stage1(epochs=3),
        Stage2(steps=5, batch_size=64, restarts=1),
        rho={"a": 0.8, "b": 0.8},
        hidden=8,
        layers={m: {"hidden": 16, "loss": "bce"} for m in "ab"},
    )
    rows = study(Problem(x, noise, pairs), 4, {"ima+": variant}, "ima+", seed=0)
    assert {"noise_type", "R", *rows[0]} == set(RIVAL_STUDY.names)
    assert [row["detector"] for row in rows[::2]] == ["ima+", *DETECTORS]
    for row in rows:
        n = noise[row["modality"]][300:].sum()
        error = math.sqrt(301 / (12 * n * (300 - n)))
        assert abs(row["auc_noise"] - 0.5) < 4 * error, row


def test_table_by_hand():
    head = {"noise_type": "degraded", "R": 0.1, "modality": "a", "detector": "ima+"}
    rest = {"precision_noise": 1.0, "recall_noise": 1.0, "share_flagged": 0.5}
    rows = [
        {**head, **rest, "seed": seed, "f1_noise": f1, "auc_noise": auc}
        for seed, f1, auc in ((0, 0.25, 0.5), (1, 0.75, math.nan))
    ]
    (row,) = rivals_table(pa.Table.from_pylist(rows, RIVAL_STUDY), "demo").to_pylist()
    assert (row["run"], row["seeds"], row["f1_noise"]) == ("demo", 2, 0.5)
    assert row["f1_noise_sd"] == pytest.approx(math.sqrt(1 / 8)) and math.isnan(row["auc_noise"])
