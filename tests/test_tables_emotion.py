"""Tables 2 and 6 and that of importances: means and gains by hand, the paper's values beside."""

import pyarrow as pa
import pytest

from ima.schema_emotion import IMPORTANCE_EMOTION
from ima.tables_emotion import emotion_importance, gains, table2, table6

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


def seed(number, weighted, unweighted):
    rows = []
    for weighting, value in (("weighted", weighted), ("unweighted", unweighted)):
        about = {"model": "IMA", "weighting": weighting, "representation": "verbal"}
        for name, k in (("precision", 10), ("precision_speakers", 10), ("accuracy", None)):
            rows.append({**about, "score": name, "k": k, "value": value})
        rows.append({**about, "score": "recall_mean", "k": None, "value": value / 2})
    return {"seed": number, "scores": rows}


SCORES = [seed(1, 0.6, 0.5), seed(0, 0.4, 0.4)]


def rows_of(table):
    return {(r["model"], r["weighting"], r["representation"]): r for r in table.to_pylist()}


def test_table2_has_means_gains_and_the_papers_value():
    rows = rows_of(table2(SCORES, PAPER, "toy", "made"))
    weighted = rows["IMA", "weighted", "verbal"]
    assert weighted["precision"] == pytest.approx(0.5) and weighted["seeds"] == 2
    assert weighted["precision_sd"] == pytest.approx(0.02**0.5) and weighted["k"] == 10
    gain = rows["IMA", "weighted - unweighted", "verbal"]
    assert gain["precision"] == pytest.approx(0.05)
    assert gain["precision_sd"] == pytest.approx(0.005**0.5)
    assert gain["paper"] == pytest.approx(0.0267)
    assert (gain["run"], gain["corpus"]) == ("toy", "made")
    assert len(rows) == 3


def test_table6_has_no_k_and_the_papers_value():
    table = table6(SCORES, PAPER, "toy", "made")
    assert "k" not in table.column_names and "precision" not in table.column_names
    gain = rows_of(table)["IMA", "weighted - unweighted", "verbal"]
    assert gain["recall_mean"] == pytest.approx(0.025) and gain["paper"] == pytest.approx(0.0386)


def test_gains_of_a_model_without_weightings_are_none():
    rows = [{**row, "model": "mvae"} for row in SCORES[0]["scores"]]
    assert list(gains(rows)) == []


def sweep(f1):
    row = {"modality": "verbal", "reference": "lexicon", "rho": 0.03, "f1_mean": f1}
    row |= dict.fromkeys(
        ("f1_important", "f1_unimportant", "auc", "auc_rarity", "mean_importance"), f1
    )
    row |= {"share_important": 0.1, "tokens": 9}
    rows = [{**row, "by": "ima"}, {**row, "by": "random", "rho": 0.2, "f1_mean": 0.47}]
    return pa.Table.from_pylist(rows, schema=IMPORTANCE_EMOTION)


def test_importances_over_rho_beside_the_paper():
    table = emotion_importance([sweep(0.5), sweep(0.7)], PAPER, "toy", "made")
    rows = {(r["by"], r["rho"]): r for r in table.to_pylist()}
    assert (
        rows["ima", 0.03]["f1_mean"] == pytest.approx(0.6) and rows["ima", 0.03]["paper"] == 0.595
    )
    assert rows["ima", 0.03]["seeds"] == 2
    assert rows["random", 0.2]["f1_mean"] == pytest.approx(0.47)
    assert rows["random", 0.2]["paper"] == 0.552
