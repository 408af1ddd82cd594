"""Tables 2 and 6 and that of importances: means and gains by hand, the paper's values beside."""

import pyarrow as pa
import pytest

from ima.evaluation.emotion.scores import GAIN
from ima.reporting.tables.emotion import emotion_importance, table2, table6
from ima.utils.schemas_emotion import IMPORTANCE_EMOTION

PAPER = [
    {"where": "6.2", "quantity": "gain of precision@10 from importances", "k": 10, "value": "2.67"},
    {"where": "annex", "quantity": "gain of accuracy from importances", "k": None, "value": "3.86"},
    {"where": "6.1", "quantity": "best rho", "k": None, "value": "0.03"},
    {"where": "6.1", "quantity": "average F1 at best rho", "k": None, "value": "0.595"},
    {
        "where": "6.1",
        "quantity": "average F1 of the random classifier (r=0.2)",
        "k": None,
        "value": "0.552",
    },
]
PAPER = [
    {"dataset": "IEMOCAP", "modality": "verbal", "latent": None, "unit": "", **r} for r in PAPER
]


ABOUT = {"corpus": "made", "protocol": "held_out", "held_out": "5", "folds": 1, "classes": "a, b"}


def seed(number, weighted, unweighted, model="IMA (paper)"):
    rows, gain = [], weighted - unweighted
    for weighting, value in (("weighted", weighted), ("unweighted", unweighted), (GAIN, gain)):
        about = {"model": model, "weighting": weighting, "representation": "verbal"}
        for name, k in (("precision", 10), ("precision_cross_speaker", 10), ("accuracy", None)):
            rows.append({**about, "score": name, "k": k, "value": value})
        rows.append({**about, "score": "uar", "k": None, "value": value / 2})
    return {"seed": number, "scores": rows}


def baselines(number):
    return {
        "seed": number,
        "scores": [
            {**row, "model": "MVAE", "weighting": ""}
            for row in seed(number, 0.3, 0.3)["scores"]
            if row["weighting"] == "weighted"
        ],
    }


SCORES = [
    *(seed(1, 0.6, 0.5), seed(0, 0.4, 0.4)),
    *(seed(0, 0.9, 0.3, "IMA+"), seed(1, 0.9, 0.7, "IMA+")),
    *(baselines(0), baselines(1)),
]


def rows_of(table):
    return {(r["model"], r["weighting"], r["representation"]): r for r in table.to_pylist()}


def test_table2_has_means_gains_and_the_papers_value():
    rows = rows_of(table2(SCORES, PAPER, "toy", ABOUT))
    weighted = rows["IMA (paper)", "weighted", "verbal"]
    assert weighted["precision"] == pytest.approx(0.5) and weighted["seeds"] == 2
    assert weighted["precision_sd"] == pytest.approx(0.02**0.5) and weighted["k"] == 10
    gain = rows["IMA (paper)", "weighted - unweighted", "verbal"]
    assert gain["precision"] == pytest.approx(0.05)
    assert gain["precision_sd"] == pytest.approx(0.005**0.5)
    assert gain["paper"] == pytest.approx(0.0267)
    assert (gain["run"], gain["corpus"]) == ("toy", "made")
    # Each variant has a gain of its own; beside ours stands none of the paper's values.
    ours = rows["IMA+", "weighted - unweighted", "verbal"]
    assert ours["precision"] == pytest.approx(0.4) and ours["paper"] is None
    assert ours["precision_sd"] == pytest.approx(0.08**0.5)
    assert rows["MVAE", "", "verbal"]["seeds"] == 2 and len(rows) == 3 + 3 + 1


def test_intervals_over_speakers_are_means_over_seeds():
    """Half of a 95 % interval with 5 degrees of freedom is 2.5706 se, with 9 it is 2.2622 se."""
    scores = [seed(0, 0.6, 0.5), seed(1, 0.6, 0.5)]
    for of, se, df in zip(scores, (0.01, 0.02), (5, 9), strict=True):
        for row in of["scores"]:
            row |= {"se_items": se, "df_items": df}
    row = rows_of(table2(scores, PAPER, "toy", ABOUT))["IMA (paper)", "weighted", "verbal"]
    mean = (2.5706 * 0.01 + 2.2622 * 0.02) / 2
    assert row["precision_ci_items"] == pytest.approx(mean, rel=1e-4)
    assert "precision_ci_items_sd" not in row
    for part in scores[0]["scores"]:
        part |= {"se_items": None, "df_items": 0}  # one speaker
    row = rows_of(table6(scores, PAPER, "toy", ABOUT))["IMA (paper)", "weighted", "verbal"]
    assert row["accuracy_ci_items"] is None and row["accuracy"] == pytest.approx(0.6)


def test_table6_has_no_k_and_the_papers_value():
    table = table6(SCORES, PAPER, "toy", ABOUT)
    assert "k" not in table.column_names and "precision" not in table.column_names
    gain = rows_of(table)["IMA (paper)", "weighted - unweighted", "verbal"]
    assert gain["uar"] == pytest.approx(0.025) and gain["paper"] == pytest.approx(0.0386)
    assert table.column_names[:6] == ["run", *ABOUT] and ABOUT.items() <= gain.items()


def test_folds_are_averaged_before_seeds():
    folds = [seed(0, 0.2, 0.1), seed(0, 0.6, 0.1), seed(1, 0.5, 0.1), seed(1, 0.5, 0.1)]
    row = rows_of(table6(folds, PAPER, "toy", ABOUT))["IMA (paper)", "weighted", "verbal"]
    assert row["seeds"] == 2 and row["accuracy"] == pytest.approx(0.45)
    assert row["accuracy_sd"] == pytest.approx(0.005**0.5) and row["uar"] == pytest.approx(0.225)


def test_a_score_that_some_folds_lack_is_empty():
    folds = [seed(number, 0.6, 0.5) for number in (0, 0, 1, 1)]
    for of in folds[::2]:  # the first of each seed has too few utterances for K of 10
        of["scores"] = [{**row, "k": row["k"] and 7} for row in of["scores"]]
    table = table2(folds, PAPER, "toy", ABOUT).to_pylist()
    rows = [row for row in table if row["weighting"] == "weighted"]
    assert [(row["k"], row["seeds"]) for row in rows] == [(7, 2), (10, 2)]
    assert {row[name] for row in rows for name in ("precision", "precision_sd")} == {None}
    row = rows_of(table6(folds, PAPER, "toy", ABOUT))["IMA (paper)", "weighted", "verbal"]
    assert row["accuracy"] == pytest.approx(0.6) and row["seeds"] == 2


def test_a_score_that_no_fold_has_is_empty():
    scores = [
        {"seed": of["seed"], "scores": [r for r in of["scores"] if "cross" not in r["score"]]}
        for of in SCORES
    ]
    row = rows_of(table2(scores, PAPER, "toy", ABOUT))["MVAE", "", "verbal"]
    assert row["precision"] == pytest.approx(0.3)
    assert row["precision_cross_speaker"] is None and row["precision_cross_speaker_sd"] is None


FIELDS = {
    **{"modality": "verbal", "reference": "lexicon", "unit": "types", "by": "ima", "draw": 0},
    **{"share_important": 0.1, "share_called": 0.2, "mean_importance": 0.2, "count": 9},
    **{"f1_important": 0.1, "f1_unimportant": 0.2, "auc": 0.6, "auc_frequency_matched": 0.7},
}


def swept(**macro_f1):
    """Return a table of mean F1 by rho, given as `at_003`."""
    rows = [{**FIELDS, "rho": int(rho[3:]) / 100, "macro_f1": f1} for rho, f1 in macro_f1.items()]
    return pa.Table.from_pylist(rows, schema=IMPORTANCE_EMOTION)


def anchors():
    nan = float("nan")
    rows = [
        {**FIELDS, "by": "random", "rho": r, "macro_f1": f1} for r, f1 in ((0.1, 0.5), (0.2, 0.47))
    ]
    for draw, r, f1 in ((0, 0.1, 0.51), (1, 0.2, 0.55)):
        about = {
            **FIELDS,
            "by": "random best",
            "draw": draw,
            "auc": nan,
            "auc_frequency_matched": nan,
        }
        rows.append({**about, "rho": r, "macro_f1": f1})
    return pa.Table.from_pylist(rows, schema=IMPORTANCE_EMOTION)


def test_importance_table_merges_paper_values():
    sweeps = [
        *(("paper", swept(at_003=0.5, at_050=0.4)), ("paper", swept(at_003=0.7, at_050=0.9))),
        ("ima+", swept(at_000=0.9, at_003=0.8, at_050=0.6, at_100=0.9)),
    ]
    table = emotion_importance(sweeps, anchors(), PAPER, "toy", ABOUT).to_pylist()
    rows = {(r["variant"], r["by"], r["rho"]): r for r in table if r["unit"] == "types"}
    of = rows["paper", "ima", 0.03]
    assert of["macro_f1"] == pytest.approx(0.6) and of["seeds"] == 2 and of["paper"] == 0.595
    # The best rho is that of the greatest mean over seeds (.6 against .65), of each variant. At 0
    # and 1 importances are constant.
    best = {key[:2]: key[2] for key, row in rows.items() if row["best"]}
    assert best == {
        **{("paper", "ima"): 0.5, ("ima+", "ima"): 0.03, ("", "random"): 0.1},
        ("", "random best"): pytest.approx(0.15),
    }
    assert rows["ima+", "ima", 0.03]["paper"] is None
    assert rows["", "random", 0.2]["macro_f1"] == pytest.approx(0.47)
    assert rows["", "random", 0.2]["paper"] == 0.552
    drawn = next(row for (_, by, _), row in rows.items() if by == "random best")
    assert drawn["macro_f1"] == pytest.approx(0.53) and drawn["seeds"] == 2 and drawn["auc"] is None
    # What the paper counts isn't said: its values stand by tokens, too.
    assert {row["paper"] for row in table if row["unit"] == "tokens"} == {0.595, 0.552}


def test_without_the_papers_variant_its_value_has_a_row_of_its_own():
    table = emotion_importance([("ima+", swept(at_003=0.8))], anchors(), PAPER, "toy", ABOUT)
    row = next(r for r in table.to_pylist() if r["variant"] == "paper" and r["unit"] == "types")
    assert row["paper"] == 0.595 and row["macro_f1"] is None and row["seeds"] == 0
