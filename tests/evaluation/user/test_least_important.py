"""Items of own data by importance: the table, and the figure of those that are pictures."""

import logging

import numpy as np
import pyarrow as pa
import pytest

from ima.evaluation.user.least_important import SHOWN, by_importance, items_of, least_table, nearest
from ima.reporting.figures.items import contact_sheet, fitting
from ima.utils.schemas import pairs_schema


def items(n=4, noise=True):
    """Return two modalities of n items; a's item i is paired with b's item n - 1 - i."""
    ids = {m: [f"{m}{i}" for i in range(n)] for m in "ab"}
    features = {
        m: pa.table({"id": ids[m], "label": ["", "dog", *[""] * (n - 2)], "noise": [False] * n})
        for m in "ab"
    }
    x = {m: np.arange(n * 6, dtype=np.float32).reshape(n, 6) ** 1.1 for m in "ab"}
    y = {"a": np.array([np.linspace(0.9, 0.1, n), np.linspace(0.7, 0.1, n)])}
    y["b"] = np.ones((2, n))
    rows = list(range(n - 1))  # the last item of a is in no pair
    table = pa.table(
        {
            "item_a": rows,
            "item_b": [n - 1 - i for i in rows],
            "label": [-1, 0, *[1] * (n - 3)],
            "pair_type": ["clean", "a_noise", *["clean"] * (n - 3)],
        }
    ).cast(pairs_schema("ab"))
    pairs = {"train": table.slice(0, 2), "test": table.slice(2)}
    return items_of(features, x, y, pairs, ["cat", "eel"], noise)


def test_the_table_by_hand():
    rows = least_table(items(), 3, "run").to_pylist()
    assert [row["id"] for row in rows] == ["a3", "a2", "a1", "a0", "b0", "b1", "b2", "b3"]
    first, _, third, last = rows[:4]
    assert first["importance"] == pytest.approx(0.1) and first["importance_sd"] == pytest.approx(0)
    assert last["importance"] == pytest.approx(0.8)
    assert last["importance_sd"] == pytest.approx(0.2 / 2**0.5)
    assert (first["split"], first["label"], first["partners"]) == (None, None, "")
    # Its own label goes before that of its pair, and noise of the pair is its own.
    assert (third["split"], third["label"], third["noise"]) == ("train", "dog", "yes")
    assert third["partners"] == "b: b2" and third["nearest"] == "a0, a2, a3"
    assert rows[1]["label"] == "eel" and rows[1]["split"] == "test" and rows[1]["noise"] == "no"
    assert {row["noise"] for row in least_table(items(noise=False), 3, "run").to_pylist()} == {None}


def test_an_item_in_many_pairs_names_some():
    ids = {m: pa.table({"id": list(m * 0) or [m], "label": [""], "noise": [False]}) for m in "a"}
    ids["b"] = pa.table({"id": list("uvwxy"), "label": [""] * 5, "noise": [False] * 5})
    n = {"a": 1, "b": 5}
    table = pa.table(
        {
            "item_a": [0] * 6,
            "item_b": [0, 1, 2, 3, 4, None],
            "label": [-1] * 6,
            "pair_type": [""] * 6,
        }
    ).cast(pairs_schema("ab"))
    found = items_of(
        ids,
        {m: np.zeros((n[m], 2), np.float32) for m in n},
        {m: np.zeros((1, n[m])) for m in n},
        {"train": table},
        [],
        False,
    )
    assert found["a"].partners["b"].tolist() == ["u, v, w, and 2 more"]
    assert least_table(found, 2, "run").to_pylist()[0]["nearest"] == ""  # there is no other


def test_neighbours_do_not_depend_on_scales():
    x = np.array([[0, 0], [0, 1], [1, 0], [5, 5]], np.float32)
    near = nearest(x, np.array([0]))
    assert near.tolist() == nearest(x * np.float32([1000, 1]), np.array([0])).tolist()
    assert near.tolist() == [[1, 2, 3]]
    constant = np.hstack((x, np.full((4, 1), 7, np.float32)))
    assert nearest(constant, np.array([0])).tolist() == near.tolist()


def test_groups_of_items():
    groups = by_importance(items(50)["a"], seed=0)
    assert groups["least"].tolist() == list(range(49, 49 - SHOWN, -1))
    assert groups["most"].tolist() == list(range(SHOWN))
    assert len(set(groups["random"].tolist())) == SHOWN
    assert sorted(by_importance(items()["a"], 0)["random"].tolist()) == [0, 1, 2, 3]


def test_the_contact_sheet_has_the_pictures():
    figure = contact_sheet(items(), {"a": [2, 3]}, seed=0)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "a, least important: 0.10 to 0.80" and len(titles) == 3
    sheet = figure.axes[0].images[0].get_array().filled(np.nan)
    assert sheet[:2, :3].ravel() == pytest.approx(items()["a"].x[3])  # the least, as 2 x 3
    assert np.isnan(sheet[:, 3]).all()  # between pictures there is nothing


def test_wrong_shape_is_logged_and_drawn_as_a_square(caplog):
    assert fitting(6, [2, 3], "a") == (2, 3) and not caplog.records
    with caplog.at_level(logging.WARNING):
        assert [fitting(n, [2, 4], "a") for n in (6, 9, 1)] == [(2, 3), (3, 3), (1, 1)]
    assert "own.modalities.a.show.shape" in caplog.text and "product is 6" in caplog.text
    of = items()
    of["a"] = of["a"]._replace(x=of["a"].x[:, :5])
    sheet = contact_sheet(of, {"a": [2, 4], "b": [6, 1]}, seed=0).axes[0].images[0].get_array()
    assert sheet[:2, :3].mask.tolist() == [[False] * 3, [False, False, True]]  # 5 values, 2 x 3
