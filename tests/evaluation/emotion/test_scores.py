"""Scores of utterances: which part is scored, and what chance and the commonest class give."""

import numpy as np
import pyarrow as pa
import pytest

from ima.evaluation.classifier import Classifier
from ima.evaluation.emotion.scores import GAIN, Utterances, anchors, as_rows, score, score_all
from ima.evaluation.item_errors import recall_values
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


def scores(z, about):
    return {name: of.mean() for (name, _), of in score(z, about, [10], SETTINGS, 0).items()}


def uar(predicted, actual):
    return recall_values(predicted, actual).mean()


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
    assert uar(np.full(len(actual), 1), actual) == pytest.approx(1 / classes)


def test_folds_are_averaged_by_hand_for_each_seed():
    def scored(seed, value, model="IMA"):
        row = {"model": model, "weighting": "", "score": "uar", "k": None, "value": value}
        return {"seed": seed, "scores": [row]}

    found = over_folds([scored(0, 0.2), scored(1, 0.9), scored(0, 0.6), scored(0, 0.5, "MVAE")])
    values = {(of["seed"], row["model"]): row["value"] for of in found for row in of["scores"]}
    assert values == {(0, "IMA"): pytest.approx(0.4), (1, "IMA"): 0.9, (0, "MVAE"): 0.5}


def test_folds_have_the_error_of_their_mean():
    """Errors .3 and .4 of two halves: .5 / 2, with 4 and 9 speakers."""
    row = {"model": "IMA", "score": "uar", "k": None, "value": 0.5}
    parts = [{"se_items": 0.3, "df_items": 3}, {"se_items": 0.4, "df_items": 8}]
    (mean,) = over_folds([{"seed": 0, "scores": [row | part]} for part in parts])[0]["scores"]
    assert mean["se_items"] == pytest.approx(0.25)
    assert mean["df_items"] == 3 + 8
    (one,) = over_folds([{"seed": 0, "scores": [row | parts[0]]}])[0]["scores"]
    assert one["se_items"] == pytest.approx(0.3) and one["df_items"] == 3
    none = {"se_items": None, "df_items": 0}
    singles = [{**row, **none, "value": value} for value in (0.2, 0.4, 0.9)]  # a speaker in each
    (mean,) = over_folds([{"seed": 0, "scores": [single]} for single in singles])[0]["scores"]
    assert mean["se_items"] == pytest.approx((0.13 / 3) ** 0.5) and mean["df_items"] == 2
    (mean,) = over_folds([{"seed": 0, "scores": [row | of]} for of in (none, parts[0])])[0][
        "scores"
    ]
    assert none.items() <= mean.items()


def test_a_score_that_a_fold_lacks_has_no_mean_over_the_others(caplog):
    """K is lowered to 7 in the last of three folds, of both models; another has one fold only."""

    def scored(model, *k):
        row = {"model": model, "score": "precision", "se_items": 0.1, "df_items": 9}
        uar = {**row, "score": "uar", "k": None, "value": 0.5}
        return {"seed": 0, "scores": [uar, *({**row, "k": K, "value": 0.5} for K in k)]}

    folds = [scored(model, k) for k in (10, 10, 7) for model in ("IMA", "MVAE")]
    found = over_folds([*folds, scored("InfoNCE", 10)])
    means = {(r["model"], r["score"], r["k"]): r for of in found for r in of["scores"]}
    assert means["IMA", "uar", None]["value"] == means["InfoNCE", "precision", 10]["value"] == 0.5
    for model, k in (("IMA", 10), ("IMA", 7), ("MVAE", 10), ("MVAE", 7)):
        row = means[model, "precision", k]
        assert np.isnan(row["value"]) and (row["se_items"], row["df_items"]) == (None, 0)
    (said,) = caplog.messages  # once for all models
    assert said.endswith("precision, K of 10 (in 2 of 3); precision, K of 7 (in 1 of 3)")


def test_one_speaker_has_no_neighbours_by_others(about):
    own = Utterances(about.labels, about.split, np.full(400, "x"))
    found = scores(told(about, 0.05), own)
    assert set(found) == {"precision", "accuracy", "uar"}


def test_what_tells_classes_scores_high_and_what_does_not_scores_low(about):
    good, blind = (scores(told(about, s), about) for s in (0.05, 1e3))
    assert good["accuracy"] > 0.95 and good["precision"] > 0.95 and good["uar"] > 0.95
    assert blind["precision"] < 0.35 and blind["uar"] < 0.4


def test_neighbours_of_the_same_speaker_are_left_out(about):
    # Every speaker's utterances lie together, whatever their class.
    who = np.where(about.speakers == "x", 100.0, 0)[:, None]
    z = np.hstack([who, told(about, 0.05)])
    found = scores(z, about)
    assert found["precision"] > 0.95 and found["precision_cross_speaker"] > 0.9
    # And where each speaker's are of one class, only the others tell that this is no knowledge.
    own = Utterances(np.where(about.speakers == "x", 0, 1), about.split, about.speakers)
    found = scores(who, own)
    assert found["precision"] == 1 and found["precision_cross_speaker"] == 0


def test_utterances_of_no_class_are_neither_trained_on_nor_scored(about):
    z = told(about, 0.05)
    z[about.labels == -1] = 1e6
    assert scores(z, about)["accuracy"] > 0.95
    assert not (about.part("train") & about.part("validation")).any()


def test_anchors(about):
    rows = anchors(told(about, 0.05), about, [10], SETTINGS, 0)
    majority, chance = ([r for r in rows if r["model"] == m] for m in ("majority", "chance"))
    test = about.labels[about.part("validation")]
    commonest = np.bincount(about.labels[about.part("train")]).argmax()
    expected = {"accuracy": (test == commonest).mean(), "uar": pytest.approx(1 / 4)}
    assert values(majority) == expected
    # The same vectors that tell classes perfectly tell shuffled ones no better than the shares do.
    shares = (np.bincount(test) / len(test)) @ (np.bincount(test) / len(test))
    assert values(chance)["precision"] == pytest.approx(shares, abs=0.06)
    assert values(chance)["accuracy"] < 0.5


def test_every_view_of_every_model_has_its_rows(about):
    z = told(about, 0.1)
    made = [("IMA", "sif", {"joint": z, "verbal": z}), ("mvae", "", {"joint": z})]
    rows = score_all(made, about, [5, 10], SETTINGS, 0)
    assert len(rows) == 3 * (2 * 2 + 2)
    assert {(r["model"], r["representation"]) for r in rows} == {
        ("IMA", "joint"),
        ("IMA", "verbal"),
        ("mvae", "joint"),
    }


def test_the_gain_from_importances_is_taken_utterance_by_utterance(about):
    """A gain that all utterances share has no error, whatever that of both scores."""
    z = told(about, 0.4)
    made = [("IMA", "weighted", {"joint": z}), ("IMA", "unweighted", {"joint": told(about, 2)})]
    rows = score_all(made, about, [10], SETTINGS, 0)
    by_key = {(r["weighting"], r["score"]): r for r in rows}
    assert len(rows) == 3 * 4
    for name in ("precision", "precision_cross_speaker", "accuracy", "uar"):
        better, worse, gain = (by_key[w, name] for w in ("weighted", "unweighted", GAIN))
        assert gain["value"] == pytest.approx(better["value"] - worse["value"]) and gain["value"]
        assert gain["se_items"] > 0 and gain["df_items"] == 1  # two speakers
    same = score_all([(*made[0][:1], w, {"joint": z}) for w in ("weighted", "unweighted")], about,
                     [10], SETTINGS, 0)  # fmt: skip
    assert all(r["value"] == r["se_items"] == 0 for r in same if r["weighting"] == GAIN)
    assert all(r["se_items"] > 0 for r in same if r["weighting"] != GAIN)


def test_errors_of_scores_are_over_speakers():
    """Speaker x is always recognised and y never: by hand, from sums of three and one."""
    test = Utterances(
        np.zeros(5, int), np.array(["train"] + ["validation"] * 4), np.array([*"zxxxy"])
    )
    values = {("accuracy", None): np.array([1.0, 1, 1, 0])}
    (row,) = as_rows(values, test.scored)
    # Errors .25, .25, .25 of x and -.75 of y: sums .75 and -.75, factor 2 / 1.
    assert row == {
        **{"score": "accuracy", "k": None, "value": 0.75},
        **{"se_items": pytest.approx((2 * 2 * 0.75**2) ** 0.5 / 4), "df_items": 1},
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


def test_more_neighbours_than_there_are_by_others(about, caplog):
    """30 utterances are not by x: K of 50 is lowered to 30, for all neighbours, too."""
    validation = np.flatnonzero(about.split == "validation")
    speakers = np.full(400, "x", object)
    speakers[validation[:30]] = "y"
    found = score(
        told(about, 0.05), Utterances(about.labels, about.split, speakers), [10, 50], SETTINGS, 0
    )
    assert [key for key in found if key[1]] == [
        (name, k) for name in ("precision", "precision_cross_speaker") for k in (10, 30)
    ]
    assert "Precision@K of utterances: K of [10, 50] is lowered to 30" in caplog.text
