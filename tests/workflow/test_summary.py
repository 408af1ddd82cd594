"""The key number of a stage, in words; and how far a long one has come."""

import logging
from types import SimpleNamespace

import pyarrow as pa

from ima.utils import progress
from ima.workflow import summary


def row(representation, precision, k=10, neighbours="distinct", subset="all", **more):
    return {"representation": representation, "k": k, "neighbours": neighbours} | {
        **{"subset": subset, "precision": precision},
        **more,
    }


def test_precisions_are_of_distinct_neighbours_all_queries_and_the_least_k():
    rows = [row("weighted", 0.5), row("image", 0.25), row("weighted", 0.9, k=50)]
    rows += [row("weighted", 0.9, neighbours="all"), row("weighted", 0.9, subset="noise")]
    assert summary.precisions(rows) == "P@10: weighted 0.500, image 0.250"


def test_values_of_several_seeds_are_their_mean():
    rows = [row("joint", p, model="MVAE", latent=2) for p in (0.25, 0.75)]
    assert summary.precisions(rows) == "P@10: MVAE 2 joint 0.500"
    rows = [{"representation": "u", "subset": s, "accuracy": a} for s, a in (("all", 1), ("no", 0))]
    assert summary.accuracies(rows) == "accuracy: u 1.000"


def test_the_first_row_of_a_table_that_has_the_value():
    table = pa.table(
        {
            **{"run": ["r", "r"], "model": ["MVAE", "IMA"], "k": [10, 50]},
            **{"paper": [0.5, None], "precision": [None, 0.25]},
        }
    )
    assert summary.first(table, "precision") == "IMA, k 50: precision 0.250; 2 rows"
    assert summary.first(table.slice(0, 1), "precision") == "1 rows, none with precision"


def test_points_are_counted_by_view():
    table = pa.table({"view": ["z", "z", "u_image"], "x": [0.0, 1.0, 2.0]})
    assert summary.points(table) == "3 points of 2 views"


def test_progress_is_in_the_log_at_coarse_steps_only(caplog, monkeypatch):
    now = iter(range(0, 1000, 11))
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(now)))
    with caplog.at_level(logging.INFO, "ima.utils.progress"):
        assert list(progress.progress_bar(range(7), "stage 1", "epoch")) == list(range(7))
        said = [record.message for record in caplog.records]
    assert said and said[0].startswith("stage 1: ") and said[0].endswith(" of 7 epochs")
    assert len(said) < 7


def test_short_jobs_log_no_progress(caplog, capsys):
    with caplog.at_level(logging.INFO, "ima.utils.progress"):
        assert list(progress.progress_bar(iter("ab"), "work", "letter")) == ["a", "b"]
    assert caplog.records == [] and capsys.readouterr() == ("", "")
