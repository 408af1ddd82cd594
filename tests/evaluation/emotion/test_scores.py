"""Scores of utterances: which part is scored, and what chance and the commonest class give."""

import numpy as np
import pyarrow as pa
import pytest

from ima.evaluation.classifier import Classifier
from ima.evaluation.emotion.scores import (
    Utterances,
    anchors,
    score,
    score_all,
    uar,
)
from ima.evaluation.seeds import over_folds
from ima.utils.schemas_emotion import EMOTION_UTTERANCES

SETTINGS = Classifier(epochs=15, batch_size=32)


@pytest.fixture(scope="module")
def about():
    rng = np.random.default_rng(0)
    labels = rng.choice(5, 400, p=[0.4, 0.2, 0.15, 0.15, 0.1]) - 1
    split = np.where(np.arange(400) % 2, "train", "validation")
    return Utterances(-np.sort(-labels), split, rng.choice(["x", "y"], 400))


def told(about, spread):
    noise = np.random.default_rng(1).normal(0, spread, (400, 4))
    return np.eye(5)[about.labels + 1][:, 1:] + noise


def values(rows):
    return {row["score"]: row["value"] for row in rows}


def test_recall_mean_by_hand():
    predicted, actual = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    assert uar(predicted, actual) == 3 / 4
    assert uar(np.zeros(4), actual) == 1 / 2
    # Recalls 3/4, 0 and 1, of unequal classes: accuracy would be 4/6.
    predicted, actual = np.array([0, 0, 0, 2, 0, 5]), np.array([0, 0, 0, 0, 2, 5])
    assert uar(predicted, actual) == pytest.approx((3 / 4 + 0 + 1) / 3)


@pytest.mark.parametrize("classes", [4, 6])
def test_recall_mean_of_guessing_is_one_over_the_number_of_classes(classes):
    rng = np.random.default_rng(0)
    actual = rng.choice(classes, 30_000, p=np.arange(1, classes + 1) / np.arange(classes + 1).sum())
    # 4 sd of the mean of recalls of at least 1,300 utterances each.
    assert uar(rng.permutation(actual), actual) == pytest.approx(1 / classes, abs=0.02)
    assert uar(np.full(len(actual), 1), actual) == 1 / classes


def test_folds_are_averaged_by_hand_for_each_seed():
    def scored(seed, value, model="IMA"):
        row = {"model": model, "weighting": "", "score": "uar", "k": None, "value": value}
        return {"seed": seed, "scores": [row]}

    found = over_folds([scored(0, 0.2), scored(1, 0.9), scored(0, 0.6), scored(0, 0.5, "MVAE")])
    values = {(of["seed"], row["model"]): row["value"] for of in found for row in of["scores"]}
    assert values == {(0, "IMA"): pytest.approx(0.4), (1, "IMA"): 0.9, (0, "MVAE"): 0.5}


def test_one_speaker_has_no_neighbours_by_others(about):
    own = Utterances(about.labels, about.split, np.full(400, "x"))
    found = values(score(told(about, 0.05), own, [10], SETTINGS, 0))
    assert set(found) == {"precision", "accuracy", "uar"}


def test_what_tells_classes_scores_high_and_what_does_not_scores_low(about):
    good, blind = (values(score(told(about, s), about, [10], SETTINGS, 0)) for s in (0.05, 1e3))
    assert good["accuracy"] > 0.95 and good["precision"] > 0.95 and good["uar"] > 0.95
    assert blind["precision"] < 0.35 and blind["uar"] < 0.4


def test_neighbours_of_the_same_speaker_are_left_out(about):
    # Every speaker's utterances lie together, whatever their class.
    who = np.where(about.speakers == "x", 100.0, 0)[:, None]
    z = np.hstack([who, told(about, 0.05)])
    found = values(score(z, about, [10], SETTINGS, 0))
    assert found["precision"] > 0.95 and found["precision_cross_speaker"] > 0.9
    # And where each speaker's are of one class, only the others tell that this is no knowledge.
    own = Utterances(np.where(about.speakers == "x", 0, 1), about.split, about.speakers)
    found = values(score(who, own, [10], SETTINGS, 0))
    assert found["precision"] == 1 and found["precision_cross_speaker"] == 0


def test_utterances_of_no_class_are_neither_trained_on_nor_scored(about):
    z = told(about, 0.05)
    z[about.labels == -1] = 1e6
    assert values(score(z, about, [10], SETTINGS, 0))["accuracy"] > 0.95
    assert not (about.part("train") & about.part("validation")).any()


def test_anchors(about):
    rows = anchors(told(about, 0.05), about, [10], SETTINGS, 0)
    majority, chance = ([r for r in rows if r["model"] == m] for m in ("majority", "chance"))
    test = about.labels[about.part("validation")]
    commonest = np.bincount(about.labels[about.part("train")]).argmax()
    assert values(majority) == {"accuracy": (test == commonest).mean(), "uar": 1 / 4}
    # The same vectors that tell classes perfectly tell shuffled ones no better than the shares do.
    shares = (np.bincount(test) / len(test)) @ (np.bincount(test) / len(test))
    assert values(chance)["precision"] == pytest.approx(shares, abs=0.06)
    assert values(chance)["accuracy"] < 0.5


def test_every_view_of_every_model_has_its_rows(about):
    z = told(about, 0.1)
    made = [("IMA", "weighted", {"joint": z, "verbal": z}), ("mvae", "", {"joint": z})]
    rows = score_all(made, about, [5, 10], SETTINGS, 0)
    assert len(rows) == 3 * (2 * 2 + 2)
    assert {(r["model"], r["representation"]) for r in rows} == {
        ("IMA", "joint"),
        ("IMA", "verbal"),
        ("mvae", "joint"),
    }


def test_what_is_known_of_utterances_comes_in_the_order_that_is_asked():
    row = {"corpus": "c", "session": "1", "emotion": "sad", "text": ""}
    rows = [
        {**row, "id": "a", "speaker": "x", "label": 3, "split": "train"},
        {**row, "id": "b", "speaker": "y", "label": -1, "split": "validation"},
    ]
    found = Utterances.of(pa.Table.from_pylist(rows, schema=EMOTION_UTTERANCES), ["b", "a"])
    assert found.labels.tolist() == [-1, 3] and found.speakers.tolist() == ["y", "x"]
    assert found.part("train").tolist() == [False, True]
    assert not found.part("validation").any()
