"""Pairs files of a user: ids, labels, splits and types of pairs, and what is refused."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ima.pairing.user_listed import read_listed
from ima.utils.errors import InputError
from tests.pairing.test_user import lists, refused


def items(ids):
    return pa.table({"id": list(ids)})


TABLES = {"a": items(["p", "q", "r"]), "b": items(["x", "y"])}


def written(folder, **columns):
    pq.write_table(pa.table(columns), folder / "pairs.parquet")
    return folder / "pairs.parquet"


def test_ids_become_row_numbers_in_the_order_of_the_file(tmp_path):
    path = written(tmp_path, b=["y", "x", "x"], a=["r", "p", "r"], label=["u", "u", "v"])
    for given in (path, str(path)):
        pairs = read_listed(given, {}, TABLES)
        assert lists(pairs) == {"a": [2, 0, 2], "b": [1, 0, 0]}  # labels are not named
        assert list(pairs) == ["a", "b"]
        assert pairs["a"].dtype == pairs["b"].dtype == np.int64


def test_id_columns_are_those_that_the_config_names(tmp_path):
    """The column named as the other modality has its own ids."""
    path = written(tmp_path, a=["x", "y"], photo=["q", "p"])
    pairs = read_listed(path, {"columns": {"a": "photo", "b": "a"}}, TABLES)
    assert lists(pairs) == {"a": [1, 0], "b": [0, 1]}
    path = written(tmp_path, b=["x", "y"], photo=["q", "p"])
    assert lists(read_listed(path, {"columns": {"a": "photo"}}, TABLES)) == {
        "a": [1, 0],
        "b": [0, 1],
    }


def test_ids_of_a_csv_file_are_text(tmp_path):
    (tmp_path / "pairs.csv").write_text("a,number\n007,1\n08,02\n,02\n")
    tables = {"a": items(["08", "007"]), "b": items(["02", "1"])}
    pairs = read_listed(tmp_path / "pairs.csv", {"columns": {"b": "number"}}, tables)
    assert lists(pairs) == {"a": [1, 0, -1], "b": [1, 0, 0]}


def test_whole_numbers_are_ids_as_text(tmp_path):
    tables = {"a": items(["10", "9"]), "b": items(["0", "1"])}
    path = written(tmp_path, a=[9, 10], b=[1.0, 0.0])
    assert lists(read_listed(path, {}, tables)) == {"a": [1, 0], "b": [1, 0]}


def test_a_pair_without_an_id_lacks_the_modality(tmp_path):
    path = written(tmp_path, a=["p", None, ""], b=[None, "y", "x"])
    pairs = read_listed(path, {}, TABLES)
    assert lists(pairs) == {"a": [0, -1, -1], "b": [-1, 1, 0]}


def test_an_empty_id_is_one_if_an_item_has_it(tmp_path):
    path = written(tmp_path, a=["p", "", None], b=["x", "y", "x"])
    assert lists(read_listed(path, {}, TABLES | {"a": items(["p", ""])})) == {
        "a": [0, 1, -1],
        "b": [0, 1, 0],
    }


def test_unknown_ids_are_refused(tmp_path):
    path = written(tmp_path, a=["p", "s", None, "t", ""], b=["x"] * 5)
    with refused(
        f"{path}, column 'a'",
        "ids of a, such as 'p'",
        "2 unknown, e.g. 's'",
        "Remove these pairs, or add the items to a's file.",
    ):
        read_listed(path, {}, TABLES)


def test_unknown_ids_have_a_hint_and_the_name_of_their_column(tmp_path):
    path = written(tmp_path, a=["p", "q"], sound=["y", "X.wav"])
    with refused(
        f"{path}, column 'sound'",
        "ids of b, such as 'x'",
        "1 unknown, e.g. 'X.wav'",
        "Remove these pairs, or add the items to b's file. Some ids are spelt differently "
        "('X.wav' for 'x').",
    ):
        read_listed(path, {"columns": {"b": "sound"}}, TABLES)


@pytest.mark.parametrize(
    ("options", "columns", "wanted"),
    [
        ({}, {"a": ["p"], "other": ["x"]}, "b"),
        ({"columns": {"b": "sound"}}, {"a": ["p"], "b": ["x"]}, "sound"),
        ({"label": "class"}, {"a": ["p"], "b": ["x"], "label": ["u"]}, "class"),
        ({"split": "part"}, {"a": ["p"], "b": ["x"], "split": ["test"]}, "part"),
        ({"pair_type": "kind"}, {"a": ["p"], "b": ["x"], "pair_type": ["clean"]}, "kind"),
    ],
)
def test_a_column_that_does_not_exist_is_refused(tmp_path, options, columns, wanted):
    path = written(tmp_path, **columns)
    with refused(
        path,
        f"a column '{wanted}'",
        f"columns {', '.join(columns)}",
        "Name the column in the config, under `own`.",
    ):
        read_listed(path, options, TABLES)


def test_ids_that_are_not_text_are_refused(tmp_path):
    path = written(tmp_path, a=["p", "q"], b=[0.5, 1.0])
    with refused(
        f"{path}, column 'b'",
        "text or whole numbers",
        "double",
        "Write them as text. Bin continuous labels into classes first.",
    ):
        read_listed(path, {}, TABLES)


def test_a_column_without_rows_is_refused(tmp_path):
    path = written(tmp_path, a=pa.array([], pa.string()), b=pa.array([], pa.string()))
    with refused(
        f"{path}, column 'a'",
        "a value in every row",
        "0 missing of 0",
        "Fill them in, or remove these rows.",
    ):
        read_listed(path, {}, TABLES)


def test_pairs_without_items_are_refused(tmp_path):
    path = written(tmp_path, a=["p", None, ""], b=["x", "", None])
    with refused(
        path,
        "an item of at least one modality in each pair",
        "2 pairs without any, the first in row 1",
        "Remove these pairs.",
    ):
        read_listed(path, {}, TABLES)


def test_a_modality_in_no_pair_is_refused(tmp_path):
    path = written(tmp_path, a=["p", "q"], b=pa.array([None, None], pa.string()))
    with refused(
        path,
        "an item of b in some of the pairs",
        "none in 2 pairs",
        "Remove the modality b, or add pairs that have it.",
    ):
        read_listed(path, {}, TABLES)


def test_labels_splits_and_types_are_those_that_the_config_names(tmp_path):
    path = written(
        tmp_path,
        **{"a": ["p", "q", "r"], "b": ["x", "y", "x"], "label": ["no"] * 3, "class": [1, None, 2]},
        **{"part": ["train", "test", "validation"]},
        **{"kind": ["clean", "b_noise", "a_noise+b_noise"]},
    )
    options = {"label": "class", "split": "part", "pair_type": "kind"}
    pairs = read_listed(path, options, TABLES)
    assert lists(pairs) == {
        "a": [0, 1, 2],
        "b": [0, 1, 0],
        "label": ["1", "", "2"],
        "split": ["train", "test", "validation"],
        "pair_type": ["clean", "b_noise", "a_noise+b_noise"],
    }
    assert {pairs[name].dtype.kind for name in options} == {"U"}
    for name, column in options.items():
        some = read_listed(path, {name: column}, TABLES)
        assert list(some) == ["a", "b", name]


def test_what_stands_for_no_label_is_none(tmp_path):
    labels = ["u", None, "", "nan", "NaN", " ", "<NA>", "NaT", "none"]
    path = written(tmp_path, a=["p"] * 9, b=["x"] * 9, label=labels)
    pairs = read_listed(path, {"label": "label"}, TABLES)
    assert pairs["label"].tolist() == ["u", *[""] * 7, "none"]
    nothing = written(tmp_path, a=["p"], b=["x"], label=pa.array([None], pa.string()))
    pairs = read_listed(nothing, {"label": "label"}, TABLES)
    assert pairs["label"].tolist() == [""] and pairs["label"].dtype.kind == "U"


def test_labels_that_are_not_classes_are_refused(tmp_path):
    path = written(tmp_path, a=["p"], b=["x"], score=[0.5])
    with refused(
        f"{path}, column 'score'",
        "text or whole numbers",
        "double",
        "Write them as text. Bin continuous labels into classes first.",
    ):
        read_listed(path, {"label": "score"}, TABLES)


@pytest.mark.parametrize("name", ["split", "pair_type"])
def test_splits_and_types_are_of_every_pair(tmp_path, name):
    value = {"split": "train", "pair_type": "clean"}[name]
    path = written(tmp_path, a=["p", "q"], b=["x", "y"], of=[value, None])
    with refused(
        f"{path}, column 'of'",
        "a value in every row",
        "1 missing of 2",
        "Fill them in, or remove these rows.",
    ):
        read_listed(path, {name: "of"}, TABLES)


def test_unknown_splits_are_refused(tmp_path):
    path = written(tmp_path, a=["p"] * 3, b=["x"] * 3, part=["train", "dev", "nan"])
    with refused(
        f"{path}, column 'part'",
        "the splits train, validation, test",
        ["dev", "nan"],
        "Rename them, or omit `split` from the config to draw random splits.",
    ):
        read_listed(path, {"split": "part"}, TABLES)


def test_unknown_types_are_refused(tmp_path):
    """Of six unknown types, five are shown in order; all parts of a combined type must be known."""
    kinds = [
        "a_noise",
        "noisy",
        "b_noise+c_noise",
        "clean",
        "b_noise+a_noise",
        "A_noise",
        "x",
        "y",
        "z",
    ]
    path = written(tmp_path, a=["p"] * 9, b=["x"] * 9, kind=kinds)
    with refused(
        f"{path}, column 'kind'",
        "the types ['a_noise', 'b_noise', 'clean'], combined with +",
        ["A_noise", "b_noise+c_noise", "noisy", "x", "y"],
        "Use these names, or omit `pair_type` from the config.",
    ):
        read_listed(path, {"pair_type": "kind"}, TABLES)


def test_a_file_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(InputError, match=re.escape(str(tmp_path / "none.csv"))):
        read_listed(tmp_path / "none.csv", {}, TABLES)
