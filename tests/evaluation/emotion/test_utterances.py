"""Utterances' representations (5.3): hand-computed means, weightings and their controls."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from ima.evaluation.emotion.utterances import (
    groups,
    ima_representations,
    latents,
    plain_representations,
    raw_tokens,
    utterance_means,
    weighted_mean,
    with_importances,
)
from ima.models.ima import IMANetwork, Modality
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import (
    EMOTION_TOKENS,
    EMOTION_UTTERANCES,
    ITEMS_EMOTION,
    TOKEN_IMPORTANCES,
)

ITEMS = (
    pa.Table.from_pylist(
        [
            {"utterance": "b", "position": 1, "token": "so", "item_verbal": 0, "item_acoustic": 3},
            {"utterance": "b", "position": 2, "token": "sad", "item_verbal": 1, "item_acoustic": 2},
            {"utterance": "a", "position": 0, "token": "so", "item_verbal": 0, "item_acoustic": 1},
        ],
    )
    .append_column("label", pa.array([3, 3, 2]))
    .append_column("split", pa.array(["train"] * 3))
)
ITEMS = ITEMS.select(ITEMS_EMOTION.names).cast(ITEMS_EMOTION)


def test_weighted_mean_by_hand():
    values = np.array([[1.0, 0], [3, 6], [5, 5]])
    found = weighted_mean(values, np.array([1, 3, 0.5]), np.array([0, 0, 1]), 2)
    assert found.tolist() == [[10 / 4, 18 / 4], [5, 5]]


def test_a_group_whose_weights_are_0_gets_its_plain_mean():
    values = np.array([[1.0], [3], [7]])
    assert weighted_mean(values, np.array([0, 0, 1]), np.array([0, 0, 1]), 2).tolist() == [[2], [7]]


@pytest.mark.parametrize(
    ("weights", "n", "named"),
    [([1, -1, 1], 2, "0 or more"), ([1, np.nan, 1], 2, "0 or more"), ([1, 1, 1], 3, "a token")],
)
def test_weights_that_mean_nothing(weights, n, named):
    with pytest.raises(InputError, match=named):
        weighted_mean(np.ones((3, 1)), np.array(weights), np.array([0, 0, 1]), n)


def test_joint_is_the_mean_over_tokens_of_all_modalities():
    u = {"verbal": np.array([[1.0], [2]]), "acoustic": np.array([[10.0], [20]])}
    weights = {"verbal": np.array([1, 0]), "acoustic": np.array([0.5, 0.5])}
    found = utterance_means(u, weights, np.array([0, 0]), 1)
    assert found["verbal"] == 1 and found["acoustic"] == 15
    assert found["joint"] == pytest.approx((1 + 5 + 10) / 2)


def test_of_one_token_it_is_equation_1():
    u = {"verbal": np.array([[1.0, 2]]), "acoustic": np.array([[3.0, 0]])}
    weights = {"verbal": np.array([0.2]), "acoustic": np.array([0.6])}
    joint = utterance_means(u, weights, np.array([0]), 1)["joint"]
    assert joint[0] == pytest.approx([(0.2 * 1 + 0.6 * 3) / 0.8, 0.2 * 2 / 0.8])


def test_groups_keep_the_order_of_tokens():
    names, of = groups(ITEMS)
    assert names == ["b", "a"] and of.tolist() == [0, 0, 1]


@pytest.fixture
def model():
    torch.manual_seed(0)
    layers = {"verbal": Modality(2, 4, "sse"), "acoustic": Modality(3, 4, "sse")}
    return IMANetwork.of(layers, 2, 4, {"verbal": [0.3], "acoustic": [0.7]})


@pytest.fixture
def x():
    generator = torch.Generator().manual_seed(1)
    return {m: torch.randn(4, d, generator=generator) for m, d in (("verbal", 2), ("acoustic", 3))}


def test_weightings_of_ima(model, x):
    u, y = latents(model, x)
    counts = np.array([999, 1, 0, 0])
    found = ima_representations(model, x, ITEMS, counts, seed=0)
    own, w = u["verbal"][[0, 1]], y["verbal"][[0, 1]]
    assert found["weighted"]["verbal"][0] == pytest.approx((w @ own) / w.sum(), rel=1e-5)
    assert found["unweighted"]["verbal"][0] == pytest.approx(own.mean(0), rel=1e-5)
    rare = np.array([1e-3 / (1e-3 + 0.999), 1e-3 / (1e-3 + 0.001)])
    assert found["sif"]["verbal"][0] == pytest.approx((rare @ own) / rare.sum(), rel=1e-5)
    assert np.array_equal(found["sif"]["acoustic"], found["unweighted"]["acoustic"])
    # One token: no weighting of a single modality changes anything, but the joint one does.
    for kind in found:
        assert found[kind]["verbal"][1] == pytest.approx(u["verbal"][0], rel=1e-5)
    assert not np.allclose(found["weighted"]["joint"][1], found["unweighted"]["joint"][1])


def test_shuffled_importances_are_those_of_other_items(model, x):
    ways = [
        ima_representations(model, x, ITEMS, np.ones(4), seed)["shuffled"] for seed in (0, 0, 2)
    ]
    assert np.array_equal(ways[0]["verbal"], ways[1]["verbal"])
    assert not np.array_equal(ways[0]["joint"], ways[2]["joint"])


def test_raw_features_lie_side_by_side(x):
    tokens = raw_tokens({m: v.numpy() for m, v in x.items()}, ITEMS)
    assert tokens["joint"].shape == (3, 5)
    means = plain_representations(tokens, groups(ITEMS)[1], 2)
    verbal = x["verbal"].numpy()
    assert means["joint"][0][:2] == pytest.approx((verbal[0] + verbal[1]) / 2, rel=1e-5)


def test_importances_of_every_token_of_an_utterance():
    about = {"corpus": "c", "session": "1", "speaker": "s", "emotion": "sad", "text": ""}
    utterances = [
        {"id": name, "label": 3, "split": "train", **about} for name in ("a", "b")
    ]  # fmt: skip
    tokens = [("a", 0, "so"), ("b", 1, "so"), ("b", 2, "sad"), ("b", 3, "rare")]
    tokens = [
        {"utterance": u, "position": p, "token": t, "kind": "word", "span": 0} for u, p, t in tokens
    ]
    known = {"utterance": ["b", "a"], "position": [2, 0], "token": ["sad", "so"]}
    known |= {"y_verbal": [0.9, 0.1], "y_acoustic": [0.5, 0.4]}
    found = with_importances(
        pa.Table.from_pylist(utterances, schema=EMOTION_UTTERANCES),
        pa.Table.from_pylist(tokens, schema=EMOTION_TOKENS),
        pa.table(known).cast(TOKEN_IMPORTANCES),
    )
    assert [item["id"] for item in found] == ["a", "b"]
    assert found[1]["tokens"] == ["so", "sad", "rare"]
    assert found[1]["verbal"] == [None, pytest.approx(0.9), None]
    assert found[0]["acoustic"] == [pytest.approx(0.4)]
