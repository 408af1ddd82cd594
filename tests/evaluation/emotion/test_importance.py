"""F1 of importances: hand-computed values, what chance gives, the ends of rho, baselines."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from ima.evaluation.emotion.importance import (
    Scored,
    auc,
    auc_within,
    both_f1,
    rarity,
    references,
    scored,
    sweep_rows,
    train_over_rho,
)
from ima.evaluation.emotion.importance_reference import (
    DRAWS,
    RANDOM,
    baseline_rows,
    best_threshold,
    random_f1,
    random_rows,
)
from ima.features.lexicon import PACKAGES
from ima.models.ima import Autoencoder, Modality
from ima.models.importance import Stage2
from ima.utils.arrow import vector_column
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import EMOTION_TRUTH, IMPORTANCE_EMOTION, ITEMS_EMOTION, WORD_VECTORS


def booleans(*values):
    return np.array(values, bool)


def test_f1_of_both_classes_by_hand():
    scores = both_f1(booleans(1, 1, 0, 0, 0), booleans(1, 0, 1, 0, 0))
    # important: precision 1/2, recall 1/2; unimportant: precision 2/3, recall 2/3
    expected = {"f1_important": 1 / 2, "f1_unimportant": 2 / 3, "macro_f1": 7 / 12}
    assert scores == pytest.approx(expected)


def test_auc_by_hand_and_by_chance():
    actual = booleans(1, 0, 1, 0)
    assert auc(np.array([4, 1, 3, 2]), actual) == 1
    assert auc(np.array([4, 3, 2, 1]), actual) == 3 / 4
    assert auc(np.array([1, 1, 1, 1]), actual) == 1 / 2
    assert np.isnan(auc(np.ones(2), booleans(1, 1)))
    rng = np.random.default_rng(0)
    assert auc(rng.random(20_000), rng.random(20_000) < 0.1) == pytest.approx(0.5, abs=0.02)


def test_auc_within_strata_by_hand():
    actual = booleans(1, 0, 1, 0)
    values, strata = np.array([4, 3, 1, 2]), np.array([0, 0, 1, 1])
    assert auc(values, actual) == 1 / 2 and auc_within(values, actual, strata) == 1 / 2
    # What tells the strata apart alone tells nothing within them.
    assert auc(-np.array([0, 1, 0, 1]), actual) == 1
    assert auc_within(np.array([9, 5, 9, 5]), actual, np.array([0, 1, 0, 1])) != 1
    assert auc_within(np.array([1, 1, 0, 0]), actual, strata) == 1 / 2
    assert np.isnan(auc_within(values, actual, np.array([0, 1, 2, 3])))


def test_words_of_like_frequency_are_of_one_stratum():
    assert rarity(np.array([7, 8, 4]))["verbal"].tolist() == [2, 3, 2]


def test_the_random_classifier_is_what_a_random_classifier_does():
    rng = np.random.default_rng(0)
    actual, predicted = rng.random(200_000) < 0.1, rng.random(200_000) < 0.3
    assert random_f1(0.1, 0.3) == pytest.approx(both_f1(predicted, actual), abs=0.01)
    assert random_f1(0.1, 0.3)["f1_important"] == pytest.approx(0.15)


def test_no_random_classifier_has_a_mean_f1_above_a_half():
    grid = np.linspace(0, 1, 101)
    best = max(random_f1(p, r)["macro_f1"] for p in grid for r in grid)
    assert best == pytest.approx(0.5)
    # It is a half where r is the share that is important, and nowhere else.
    assert random_f1(0.2, 0.2)["macro_f1"] == pytest.approx(0.5)
    assert max(random_f1(0.2, r)["macro_f1"] for r in (0, 0.1, 0.3, 1)) < 0.495


#: Values of rho: 0 and 1 are no r of drawn classifiers.
RHO = (0, 0.03, *RANDOM[1:])


def drawn(important, draws=DRAWS, items=None, grid=RHO):
    rows = np.arange(len(important)) if items is None else items
    of = Scored("verbal", "lexicon", "types" if items is None else "tokens", rows, important)
    rows = random_rows(of, grid, draws)
    return {by: [row for row in rows if row["by"] == by] for by in {row["by"] for row in rows}}


def test_drawn_random_classifiers_are_around_what_is_expected():
    rows = drawn(np.arange(3000) % 5 == 0, draws=20)
    assert [row["rho"] for row in rows["random"]] == list(RHO)
    assert {row["rho"] for row in rows["random drawn"]} == set(RHO) - {0, 1}
    for expected in rows["random"][1:-1]:
        own = [row for row in rows["random drawn"] if row["rho"] == expected["rho"]]
        assert sorted(row["draw"] for row in own) == list(range(20))
        mean = np.mean([row["macro_f1"] for row in own])
        assert mean == pytest.approx(expected["macro_f1"], abs=0.01)
    # Of r 0 and 1 every draw would be the same: F1 0 and 2 * .8 / 1.8, or 2 * .2 / 1.2 and 0.
    ends = {row["rho"]: row["macro_f1"] for row in rows["random"] if row["rho"] in (0, 1)}
    assert ends == pytest.approx({0: 4 / 9, 1: 1 / 6})


def test_the_best_of_drawn_random_classifiers_is_above_a_half_where_there_are_few():
    few, many = (drawn(np.arange(n) % 5 == 0)["random best"] for n in (30, 30_000))
    for rows in (few, many):
        assert [row["draw"] for row in rows] == list(range(DRAWS))
    assert np.mean([row["macro_f1"] for row in few]) > 0.55
    assert np.mean([row["macro_f1"] for row in many]) == pytest.approx(0.5, abs=0.005)
    assert {row["rho"] for row in many} <= {0.1, 0.2, 0.3}


def test_random_classifiers_are_drawn_for_each_word_not_for_each_token():
    """Two words of 1,000 tokens, one of them important: only four results are possible."""
    items = np.repeat([0, 1], 1000)
    rows = drawn(items == 0, items=items)
    # Right, the wrong way round, or all or none important: F1 2/3 of one class and 0 of the other.
    found = {round(row["macro_f1"], 6) for row in rows["random drawn"]}
    assert found == {1, 0, round(1 / 3, 6)}
    assert {row["count"] for row in rows["random drawn"]} == {2000}


def test_without_a_rho_inside_0_and_1_no_classifier_is_drawn():
    rows = drawn(np.arange(30) % 5 == 0, grid=(0, 1))
    assert set(rows) == {"random"} and len(rows["random"]) == len(RANDOM)


def test_types_are_distinct_items_and_important_where_half_of_their_tokens_are():
    actual = {
        ("verbal", "truth"): booleans(0, 1, 1, 0),
        ("acoustic", "emotion"): booleans(1, 1, 0, 0),
    }
    found = {(of.modality, of.unit): of for of in scored(ITEMS, actual)}
    assert found["verbal", "tokens"].rows.tolist() == [0, 1, 0, 2]
    assert found["verbal", "types"].rows.tolist() == [0, 1, 2]
    assert found["verbal", "types"].important.tolist() == [True, True, False]
    assert found["acoustic", "types"].important.tolist() == [True, True, False, False]


def test_best_threshold():
    found = best_threshold(np.array([5, 4, 3, 2]), booleans(1, 1, 0, 0))
    assert found["macro_f1"] == 1 and found["rho"] == 0.5
    # Values that know nothing still gain from a threshold chosen on the answer, but little.
    rng = np.random.default_rng(0)
    blind = best_threshold(rng.random(500), rng.random(500) < 0.2)["macro_f1"]
    assert blind < 0.6


def items(*rows):
    names = ("utterance", "position", "label", "item_verbal", "item_acoustic")
    made = [
        {**dict(zip(names, row, strict=True)), "token": "", "split": "validation"} for row in rows
    ]
    return pa.Table.from_pylist(made, schema=ITEMS_EMOTION)


ITEMS = items(("a", 1, 0, 0, 0), ("a", 2, 0, 1, 1), ("b", 1, 2, 0, 2), ("b", 2, 2, 2, 3))
EMOTIONAL = booleans(0, 1, 0)


def test_references_by_lexicon_emotion_and_truth():
    truth = [
        {"utterance": u, "position": p, "level": level, "word_emotion": word}
        for u, p, level, word in (("a", 2, 0.7, "angry"), ("b", 1, 0.0, ""), ("b", 2, 0.0, "sad"))
    ]
    truth = [{"token": "", "start_s": 0, "end_s": 0, "emotion": "", **row} for row in truth]
    truth = pa.Table.from_pylist(truth, schema=EMOTION_TRUTH)
    found = {key: value.tolist() for key, value in references(ITEMS, EMOTIONAL, truth).items()}
    assert found == {
        ("verbal", "lexicon"): [False, True, False, False],
        ("acoustic", "emotion"): [True, True, False, False],
        ("verbal", "truth"): [False, True, False, True],
        ("acoustic", "truth"): [True, True, False, False],
    }
    assert set(references(ITEMS, EMOTIONAL, None)) == {
        ("verbal", "lexicon"),
        ("acoustic", "emotion"),
    }


def test_rows_of_the_sweep():
    actual = references(ITEMS, EMOTIONAL, None)
    y = {
        "verbal": np.array([[0.1, 0.9, 0.2], [0.6, 0.7, 0.8]]),
        "acoustic": np.array([[0.9, 0.9, 0.1, 0.1], [0.1, 0.1, 0.9, 0.9]]),
    }
    strata = rarity(np.array([100, 2, 50]))
    every = sweep_rows(y, [0.2, 1], ITEMS, actual, strata)
    rows = [row for row in every if row["unit"] == "tokens"]
    verbal = [row for row in rows if row["modality"] == "verbal"]
    assert verbal[0]["macro_f1"] == verbal[0]["auc"] == 1
    assert verbal[0]["mean_importance"] == pytest.approx((0.1 + 0.9 + 0.1 + 0.2) / 4)
    assert verbal[1]["f1_important"] == pytest.approx(2 / 5) and verbal[1]["f1_unimportant"] == 0
    assert [row["auc"] for row in rows if row["modality"] == "acoustic"] == [1, 0]
    assert [row["share_called"] for row in verbal] == [1 / 4, 1]
    assert set(rows[0]) == set(IMPORTANCE_EMOTION.names)
    # Of types, each word counts once: at rho 1 one of three is important, not one of four.
    types = [row for row in every if row["unit"] == "types" and row["modality"] == "verbal"]
    assert [row["count"] for row in verbal + types] == [4, 4, 3, 3]
    assert types[1]["f1_important"] == pytest.approx(2 / 4)
    assert types[0]["mean_importance"] == pytest.approx((0.1 + 0.9 + 0.2) / 3)


def test_baselines_know_what_they_are_made_of():
    words = {"word": ["the", "furious", "table"], "count": [100, 2, 50]}
    vectors = vector_column(np.array([[0, 0], [5, 5], [0, 1.0]]))
    words = (
        pa.table(words)
        .append_column("x", vectors)
        .cast(
            pa.schema(
                [WORD_VECTORS.field("word"), WORD_VECTORS.field("count"), ("x", vectors.type)]
            )
        )
    )
    voices = np.array([[0.0], [0], [0], [9]])
    actual = references(ITEMS, EMOTIONAL, None)
    rows = baseline_rows(ITEMS, actual, words, voices, [0, 0.03, 0.5])
    assert {row["unit"] for row in rows} == {"tokens", "types"}
    assert set(rows[0]) == set(IMPORTANCE_EMOTION.names)
    rows = [row for row in rows if row["unit"] == "tokens"]
    of = {(row["modality"], row["by"]): row for row in rows if not row["by"].startswith("random")}
    assert of["verbal", "frequency"]["macro_f1"] == of["verbal", "outlier"]["auc"] == 1
    assert {f"lexicon {name}" for name in PACKAGES} <= {by for _, by in of}
    # The one voice that lies far out is of a neutral utterance.
    assert of["acoustic", "outlier"]["auc"] < 0.5
    r = [row["rho"] for row in rows if row["by"] == "random" and row["modality"] == "verbal"]
    assert r == pytest.approx([0, 0.03, *(0.1 * k for k in range(1, 11))])
    r = {row["rho"] for row in rows if row["by"] == "random drawn" and row["modality"] == "verbal"}
    assert r == {0.03, 0.5}


SHARED = np.arange(60) < 30


@pytest.fixture(scope="module")
def toy():
    """Words 0-29 lie apart from 30-59 and go with voices of their own; those go with any voice."""
    rng = np.random.default_rng(0)
    words = rng.normal(size=(60, 6))
    words[:, 0] += np.where(SHARED, 3, -3)
    word = rng.integers(0, 60, 3000)
    noise = rng.normal(size=(word.size, 5))
    voices = np.where(SHARED[word, None], words[word, 1:] + 0.1 * noise, noise)
    x = {"verbal": words, "acoustic": voices}
    x = {m: torch.from_numpy(values.astype("float32")) for m, values in x.items()}
    return x, {"verbal": torch.from_numpy(word), "acoustic": torch.arange(word.size)}


#: Eq. 3 against the other modality: what such a toy needs no trained autoencoder for.
LEAVE_ONE_OUT = {"objective": "paper", "z": "leave_one_out", "corr_scale": "batch"}


def networks(toy, grid, **settings):
    x, pairs = toy
    torch.manual_seed(0)
    model = Autoencoder({m: Modality(v.shape[1], 16, "sse") for m, v in x.items()}, 4)
    chosen = Stage2(**{"restarts": 2, "steps": 60, "batch_size": 256, **LEAVE_ONE_OUT, **settings})
    return train_over_rho(model, x, pairs, grid, 16, chosen, seed=0)


def test_words_that_go_with_their_voices_are_found_and_the_control_is_not(toy):
    y = networks(toy, [0.5], steps=200)["verbal"][0]
    assert auc(y, SHARED) > 0.8
    x, pairs = toy
    order = torch.randperm(len(pairs["verbal"]), generator=torch.Generator().manual_seed(0))
    apart = (x, {**pairs, "acoustic": pairs["acoustic"][order]})
    control = networks(apart, [0.5], steps=200)["verbal"][0]
    assert 0.2 < auc(control, SHARED) < 0.8


def test_the_ends_of_rho_are_exact(toy):
    y = networks(toy, [0, 0.5, 1])
    assert y["acoustic"].shape == (3, 3000)
    for values in y.values():
        assert (values[0] == 0).all() and (values[2] == 1).all()
        assert values[1].min() > 0 and values[1].max() < 1
    # All unimportant: F1 0 and 2 * 3/4 / (1 + 3/4); all important: 2 * 1/4 / (1 + 1/4) and 0.
    rows = sweep_rows(y, [0, 0.5, 1], ITEMS, references(ITEMS, EMOTIONAL, None), {})
    verbal = [r for r in rows if r["modality"] == "verbal" and r["unit"] == "tokens"]
    assert [verbal[0][f"f1_{name}"] for name in ("important", "unimportant")] == [0, 6 / 7]
    assert [verbal[2][f"f1_{name}"] for name in ("important", "unimportant")] == [2 / 5, 0]
    assert [verbal[i]["auc"] for i in (0, 2)] == [0.5, 0.5]
    assert [verbal[i]["mean_importance"] for i in (0, 2)] == [0, 1]
    alone = networks(toy, [1, 0], restarts=1)
    assert (alone["verbal"][0] == 1).all() and (alone["verbal"][1] == 0).all()
    for grid in ([], [-0.1], [1.2]):
        with pytest.raises(InputError, match=r"numbers in \[0, 1\]"):
            networks(toy, grid)
