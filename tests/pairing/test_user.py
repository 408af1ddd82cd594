"""Pairs of user items: joins, splits, missing modalities, labels, and what is refused or logged."""

from collections import Counter
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pytest

from ima.datasets.splits import SPLITS
from ima.pairing.user import (
    MAX_CLASSES,
    by_id,
    by_label,
    handle_missing,
    label_names,
    labels_of_items,
    pair_own,
    types_of_pairs,
)
from ima.utils.errors import InputError
from ima.utils.schemas import MANY_CLASSES, pairs_schema

SHARES = {"test": 0.2, "validation": 0.25}


def rng(seed=0):
    return np.random.default_rng(seed)


def items(ids, label="", split="", noise=False):
    """Return items without vectors; a single value holds for all of them."""
    columns = {"label": label, "split": split, "noise": noise}
    about = {
        name: list(value) if isinstance(value, list | np.ndarray) else [value] * len(ids)
        for name, value in columns.items()
    }
    return pa.table({"id": list(map(str, ids)), **about})


def rows_of(table):
    """Return the pairs of a table: row numbers (None if absent), label and type."""
    return list(zip(*table.to_pydict().values(), strict=True))


def lists(columns):
    return {name: values.tolist() for name, values in columns.items()}


def arrays(**columns):
    return {name: np.array(values) for name, values in columns.items()}


@contextmanager
def refused(where, expected, found, do):
    """Check what an InputError says."""
    with pytest.raises(InputError) as caught:
        yield
    error = caught.value
    assert error.where == where and error.expected == expected
    assert error.found == found and error.do == do


def thirds(n):
    """Return the splits of 3 n items, n in each."""
    return np.repeat(SPLITS, n)


# Pairs by id


@pytest.fixture(autouse=True)
def warnings_alone(caplog):
    """Whatever level other tests have set."""
    caplog.set_level("WARNING", "ima")


def test_pairs_by_id_keep_given_splits_and_labels(caplog):
    """The second modality has the same ids in reverse, and one more."""
    splits = ["train", "train", "train", "validation", "test", "test"]
    tables = {
        "a": items("pqrstu", ["x", "y", "x", "x", "y", "x"], splits),
        "b": items("utsrqpv", ["", "", "", "", "", "", "y"], [""] * 6 + ["train"]),
    }
    pairs, classes = pair_own(tables, "id", SHARES, 0)
    assert list(pairs) == ["train", "validation", "test"] and classes == ["x", "y"]
    assert {split: set(rows_of(table)) for split, table in pairs.items()} == {
        "train": {
            (0, 5, 0, "clean"),
            (1, 4, 1, "clean"),
            (2, 3, 0, "clean"),
            (None, 6, 1, "clean"),
        },
        "validation": {(3, 2, 0, "clean")},
        "test": {(4, 1, 1, "clean"), (5, 0, 0, "clean")},
    }
    assert [table.num_rows for table in pairs.values()] == [4, 1, 2]
    assert all(table.schema.equals(pairs_schema(["a", "b"])) for table in pairs.values())
    assert caplog.messages == [
        "1 of 7 pairs lack a modality (a: 1): kept",
        "test: 2 of 2 labelled pairs are the only one of their class: Precision@K 0",
    ]


def test_an_outer_join_by_hand():
    tables = {"a": items("pqr"), "b": items("srp"), "c": items("qt")}
    rows = by_id(tables)  # p q r of the first, then s of the second, then t of the third
    assert list(rows) == ["a", "b", "c"]
    assert lists(rows) == {
        "a": [0, 1, 2, -1, -1],
        "b": [2, -1, 1, 0, -1],
        "c": [-1, 0, -1, -1, 1],
    }
    assert all(values.dtype == np.int64 for values in rows.values())


def test_ids_that_no_two_modalities_share_are_refused():
    with refused(
        "own.pairs, by: id",
        "ids shared by at least two of ['a', 'b', 'c']",
        "a 'p' ..., b 'r' ..., c 't' ...",
        "Give items that belong together the same id, or pair by label or from a file.",
    ):
        by_id({"a": items("pq"), "b": items("rs"), "c": items("tu")})
    by_id({"a": items("pq"), "b": items("rs"), "c": items("ts")})  # one is enough


@pytest.mark.parametrize(
    "ids", [("ab", "cd", "BC"), ("ab", "BC", "cd"), ("BC", "ab", "de")], ids=["bc", "ab", "ab too"]
)
def test_ids_spelt_differently_in_any_two_modalities_have_a_hint(ids):
    with pytest.raises(InputError) as caught:
        by_id({name: items(of) for name, of in zip("xyz", ids, strict=True)})
    start = "Give items that belong together the same id, or pair by label or from a file. Some ids"
    assert caught.value.do.startswith(f"{start} are spelt differently ('")


def test_a_modality_without_partners_is_refused():
    tables = {"a": items("pqr"), "b": items("pqr"), "c": items("uv")}
    with pytest.raises(InputError, match="'c' in no pair with another") as caught:
        pair_own(tables, "id", SHARES, 0)
    assert caught.value.where == "own.modalities.c"


def test_fewer_pairs_than_splits_are_refused():
    three = {name: items("pqr", split=["train", "test", "validation"]) for name in "ab"}
    pairs, _ = pair_own(three, "id", SHARES, 0)
    assert [table.num_rows for table in pairs.values()] == [1, 1, 1]
    with refused(
        "pairs of ['a', 'b']",
        "at least three pairs, one for each split",
        2,
        "Add items. Learning importances takes some hundreds of pairs.",
    ):
        pair_own({"a": items("pq"), "b": items("pq")}, "id", SHARES, 0)


def test_pairs_dropped_do_not_count_as_pairs():
    tables = {"a": items("pqrs"), "b": items("pq")}
    with pytest.raises(InputError, match="at least three pairs, one for each split, found 2"):
        pair_own(tables, "id", SHARES, 0, missing="drop")


# Order and seeds


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("names", ["ab", "abc"])
def test_each_split_is_in_random_order_drawn_after_the_splits(seed, names):
    tables = {name: items(range(30), split=thirds(10)) for name in names}
    pairs, _ = pair_own(tables, "id", SHARES, seed)
    draw = rng([seed, len(names)])
    for i, split in enumerate(SPLITS):
        order = draw.permutation(np.arange(10 * i, 10 * i + 10)).tolist()
        assert order != sorted(order)
        for name in names:
            assert pairs[split][f"item_{name}"].to_pylist() == order


@pytest.mark.parametrize("by", ["id", "label", "file"])
def test_pairs_depend_on_the_seed_alone(by):
    tables = {name: items(range(40), ["u", "v"] * 20) for name in "ab"}
    listed = arrays(a=np.arange(40), b=np.roll(np.arange(40), 2))  # of the same class
    one, same, other = (pair_own(tables, by, SHARES, seed, listed)[0] for seed in (3, 3, 4))
    for split in SPLITS:
        assert one[split].equals(same[split])
        assert set(rows_of(one[split])) != set(rows_of(other[split]))


# Splits


def test_drawn_splits_have_their_shares_of_each_class(caplog):
    """Of ten pairs of each class, 2 are for test, and a fourth of the other 8 for validation."""
    tables = {"a": items(range(20), ["u", "v"] * 10), "b": items(range(20))}
    pairs, _ = pair_own(tables, "id", SHARES, 0)
    counts = {split: Counter(table["label"].to_pylist()) for split, table in pairs.items()}
    assert counts == {
        split: {0: n, 1: n} for split, n in {"train": 6, "validation": 2, "test": 2}.items()
    }
    rows = [row for table in pairs.values() for row in table["item_a"].to_pylist()]
    assert sorted(rows) == list(range(20)) and caplog.messages == []


def test_validation_is_drawn_if_only_the_others_are_given():
    tables = {"a": items(range(10), split=["train"] * 8 + ["test"] * 2), "b": items(range(10))}
    pairs, _ = pair_own(tables, "id", SHARES, 0)
    assert sorted(pairs["test"]["item_a"].to_pylist()) == [8, 9]
    assert [pairs[split].num_rows for split in SPLITS] == [6, 2, 2]


def test_pairs_that_share_an_item_stay_in_one_split(caplog):
    """Ten groups of two pairs each: 2 are for test, and a fourth of the other 8 for validation."""
    tables = {"a": items(range(10)), "b": items(range(100, 120))}
    listed = arrays(a=np.repeat(np.arange(10), 2), b=np.arange(20))
    pairs, _ = pair_own(tables, "file", SHARES, 0, listed)
    assert [pairs[split].num_rows for split in SPLITS] == [12, 4, 4]
    used = [set(pairs[split]["item_a"].to_pylist()) for split in SPLITS]
    assert sum(map(len, used)) == len(set().union(*used)) == 10
    assert caplog.messages == []


def test_items_in_several_splits_are_logged(caplog):
    """Item 0 of a is in pairs of all splits; item 1 of b in two."""
    tables = {"a": items("pqr"), "b": items("uvwx")}
    listed = arrays(a=[0, 0, 0, 1, 2], b=[0, 1, 2, 1, 3])
    listed["split"] = np.array(["train", "validation", "test", "test", "train"])
    pair_own(tables, "file", SHARES, 0, listed)
    assert caplog.messages == [
        "a: 1 items in both train and validation",
        "a: 1 items in both train and test",
        "a: 1 items in both validation and test",
        "b: 1 items in both validation and test",
    ]


def test_pairs_that_all_share_an_item_are_drawn_one_by_one(caplog):
    tables = {"a": items("p"), "b": items(range(20))}
    listed = arrays(a=np.zeros(20, int), b=np.arange(20))
    pairs, _ = pair_own(tables, "file", SHARES, 0, listed)
    assert [pairs[split].num_rows for split in SPLITS] == [12, 4, 4]
    assert [message[:18] for message in caplog.messages] == ["a: 1 items in both"] * 3


def test_a_split_without_pairs_is_refused():
    tables = {name: items("pqrs", split=["train", "train", "train", "validation"]) for name in "ab"}
    with refused(
        "pairs of ['a', 'b']",
        "some in 'test'",
        "none",
        "Assign more items to this split in the split column, or increase own.shares.",
    ):
        pair_own(tables, "id", SHARES, 0)


def test_a_split_without_a_modality_is_refused():
    tables = {
        "a": items("pqrs", split=["train", "train", "validation", "test"]),
        "b": items("pqr"),
    }
    with pytest.raises(InputError, match="an item of b in some of the pairs") as caught:
        pair_own(tables, "id", SHARES, 0)
    assert caught.value.where == "pairs of the split 'test'"


def test_a_split_in_which_nothing_occurs_together_is_refused():
    """The test pairs have three modalities, but each pair only one."""
    tables = {
        "a": items("pqrs", split=["train", "train", "validation", "test"]),
        "b": items("pqrt", split=["", "", "", "test"]),
        "c": items("pqru", split=["", "", "", "test"]),
    }
    with refused(
        "pairs of the split 'test'",
        "some with at least two modalities",
        "none",
        "IMA learns from items that occur together: add such pairs, or give the items of a pair "
        "the same id.",
    ):
        pair_own(tables, "id", SHARES, 0)
    tables["c"] = items("pqrt", split=["", "", "", "test"])  # one of its pairs has two
    assert pair_own(tables, "id", SHARES, 0)[0]["test"].num_rows == 2


# Missing modalities

GAPS = arrays(a=[0, 1, -1, 2, -1], b=[0, -1, 1, 2, -1], c=[3, 4, 5, 6, 7])
GAPS["label"] = np.array(["u", "v", "w", "x", "y"])


@pytest.mark.parametrize(
    ("missing", "rows", "done"), [("keep", [0, 1, 2, 3, 4], "kept"), ("drop", [0, 3], "dropped")]
)
def test_missing_modalities_are_kept_or_dropped(caplog, missing, rows, done):
    """Two of a and two of b are absent, in three pairs; c is complete and not named."""
    found = handle_missing(GAPS, ["a", "b", "c"], missing)
    assert lists(found) == {name: values[rows].tolist() for name, values in GAPS.items()}
    assert caplog.messages == [f"3 of 5 pairs lack a modality (a: 2, b: 2): {done}"]
    assert caplog.records[0].levelname == "WARNING"


@pytest.mark.parametrize("missing", ["keep", "drop"])
def test_complete_pairs_stay_without_a_warning(caplog, missing):
    complete = {name: values[[0, 3]] for name, values in GAPS.items()}
    assert handle_missing(complete, ["a", "b", "c"], missing) is complete
    assert caplog.messages == []


def test_nothing_complete_cannot_be_dropped():
    pairs = arrays(a=[0, -1, 1], b=[-1, 0, -1])
    with refused(
        "own.pairs, missing: drop",
        "a pair with an item of each of ['a', 'b']",
        "none of 3",
        "Set own.pairs.missing to keep, or remove a modality.",
    ):
        handle_missing(pairs, ["a", "b"], "drop")
    assert handle_missing(pairs, ["a", "b"], "keep") is pairs


@pytest.mark.parametrize(
    ("choice", "lacking"), [({}, 2), ({"missing": "keep"}, 2), ({"missing": "drop"}, 0)]
)
def test_pairs_that_lack_a_modality_are_kept_by_default(choice, lacking):
    splits = [*["train"] * 3, "validation", "test", "train"]
    tables = {
        "a": items("pqrstu", split=splits),
        "b": items("pqrstv", split=splits),
    }
    pairs = pair_own(tables, "id", SHARES, 0, **choice)[0]
    nulls = [table[f"item_{name}"].null_count for table in pairs.values() for name in "ab"]
    assert nulls == [lacking // 2, lacking // 2, 0, 0, 0, 0]
    assert pairs["train"].num_rows == 3 + lacking


# Labels


@pytest.mark.parametrize(
    ("labels", "in_order"),
    [
        (["sad", "", "happy", "sad"], ["happy", "sad"]),
        (["10", "9", "-2", "-10", ""], ["-10", "-2", "9", "10"]),
        (["10", "9", "b"], ["10", "9", "b"]),  # as text
        (["1.5", "10", "9"], ["1.5", "10", "9"]),
        (["2", "1", "01"], ["01", "1", "2"]),  # the same number: in order of the text
        (["9" * 18, "1" + "0" * 17], ["1" + "0" * 17, "9" * 18]),
        (["9", "1" * 18], ["9", "1" * 18]),
        (["9", "1" * 19], ["1" * 19, "9"]),  # too long for a number
        (["--1", "-"], ["-", "--1"]),
        (["", ""], []),
    ],
)
def test_label_names_are_sorted_as_numbers_if_all_are(labels, in_order):
    names = label_names({"a": items(range(len(labels)), labels), "b": items("p", labels[0])})
    assert names == in_order


def test_label_names_are_those_of_all_modalities_or_of_the_pairs_file():
    tables = {"a": items("pq", ["u", ""]), "b": items("pq", ["w", "u"])}
    assert label_names(tables) == label_names(tables, None) == ["u", "w"]
    assert label_names(tables, arrays(a=[0], b=[1])) == ["u", "w"]
    assert label_names(tables, arrays(a=[0, 1], b=[1, 0], label=["z", ""])) == ["z"]


@pytest.mark.parametrize(
    ("extra", "kind"), [(0, pa.int8()), (1, MANY_CLASSES)], ids=["128 classes", "129 classes"]
)
def test_labels_have_8_bits_up_to_128_classes(extra, kind):
    n = 128 + extra
    assert MAX_CLASSES == 128
    labels = [*map(str, range(n)), "0", "1"]
    splits = ["train"] * n + ["validation", "test"]
    tables = {"a": items(range(n + 2), labels, splits), "b": items(range(n + 2))}
    pairs, classes = pair_own(tables, "id", SHARES, 0)
    assert classes == labels[:n]
    for table in pairs.values():
        assert table.column_names == ["item_a", "item_b", "label", "pair_type"]
        assert table.schema.field("label").type == kind
        assert not table.schema.field("label").nullable
    assert pairs["train"]["label"].to_pylist() == pairs["train"]["item_a"].to_pylist()
    assert pairs["validation"]["label"].to_pylist() == [0]
    assert pairs["test"]["label"].to_pylist() == [1]


@pytest.mark.parametrize(
    ("split", "labels"), [("test", "uuuuuu----"), ("train", "------uuuu")], ids=["test", "train"]
)
def test_train_and_test_need_labels_if_there_are_any(split, labels):
    labels = [label.strip("-") for label in labels]
    splits = [*["train"] * 4, *["validation"] * 2, *["test"] * 4]
    tables = {name: items(range(10), labels, splits) for name in "ab"}
    with refused(
        f"labels of the pairs in '{split}'",
        "some labels, for scoring",
        "none in 4 pairs",
        "Label some of these items, or omit `label` from the config.",
    ):
        pair_own(tables, "id", SHARES, 0)


def test_pairs_without_a_label_are_logged_and_have_the_number_minus_one(caplog):
    """Validation may lack all labels."""
    labels = ["u", "", "u", "", "", "v", "", "v"]
    splits = [*["train"] * 3, *["validation"] * 2, *["test"] * 3]
    tables = {"a": items(range(8), labels, splits), "b": items(range(8))}
    pairs, _ = pair_own(tables, "id", SHARES, 0)
    assert caplog.messages == [
        "train: 1 of 3 pairs have no label and are not scored",
        "validation: 2 of 2 pairs have no label and are not scored",
        "test: 1 of 3 pairs have no label and are not scored",
    ]
    numbers = {row: n for table in pairs.values() for row, _, n, _ in rows_of(table)}
    assert numbers == {0: 0, 1: -1, 2: 0, 3: -1, 4: -1, 5: 1, 6: -1, 7: 1}


def test_without_any_labels_nothing_is_said_about_them(caplog):
    caplog.set_level("INFO", "ima")
    pairs, classes = pair_own({name: items(range(10)) for name in "ab"}, "id", SHARES, 0)
    assert classes == [] and caplog.messages == []
    assert {n for table in pairs.values() for n in table["label"].to_pylist()} == {-1}


def test_test_pairs_alone_in_their_class_are_counted(caplog):
    """Of five labelled test pairs, those of u and w are alone; one more has no label."""
    labels = ["u", "v", "w", "u", "u", "v", "v", "v", "w", ""]
    splits = [*["train"] * 3, "validation", *["test"] * 6]
    tables = {"a": items(range(10), labels, splits), "b": items(range(10))}
    pair_own(tables, "id", SHARES, 0)
    assert caplog.messages == [
        "test: 1 of 6 pairs have no label and are not scored",
        "test: 2 of 5 labelled pairs are the only one of their class: Precision@K 0",
    ]


@pytest.mark.parametrize(
    ("tests", "unlabelled", "shared", "k"),
    [(10, 0, 1, 9), (11, 0, 1, None), (11, 2, 1, 8), (12, 0, 3, 9), (13, 0, 3, None)],
    ids=["few", "enough", "without labels", "with a shared item", "enough with one"],
)
def test_the_largest_k_of_test_pairs_is_logged_if_it_is_small(caplog, tests, unlabelled, shared, k):
    """All pairs have class 0, and `shared` test pairs the same item of a: k = labelled - shared."""
    caplog.set_level("INFO", "ima")
    n = 3 + tests
    labels = ["u"] * (n - unlabelled) + [""] * unlabelled
    splits = ["train", "train", "validation"] + ["test"] * tests
    tables = {"a": items(range(n)), "b": items(range(n))}
    listed = arrays(a=[0, 1, 2, *[3] * shared, *range(3 + shared, n)], b=range(n))
    pair_own(tables, "file", SHARES, 0, listed | arrays(label=labels, split=splits))
    said = [record.getMessage() for record in caplog.records if record.levelname == "INFO"]
    assert said == (
        [f"labelled test pairs have at least {k} neighbours: a larger K is reduced"] if k else []
    )


def test_classes_that_differ_in_spelling_alone_are_logged_once(caplog):
    labels = ["a  b", "A b ", "c", "C", "d"] * 4
    tables = {"a": items(range(20), labels, ["train"] * 10 + ["validation"] * 5 + ["test"] * 5)}
    pair_own(tables | {"b": items(range(20))}, "id", SHARES, 0)
    assert caplog.messages[0] == (
        "labels: 'A b ', 'a  b' are different classes; spell them the same if not"
    )
    assert sum("different classes" in message for message in caplog.messages) == 1


# Label, split and type of a pair, from its items


def test_a_pair_takes_the_first_value_that_an_item_has():
    tables = {
        "a": items("pqr", ["u", "", ""], ["train", "", ""]),
        "b": items("pqr", ["u", "v", ""], ["train", "test", ""]),
        "c": items("pq", ["", "w"], ["", "validation"]),
    }
    rows = arrays(a=[0, 1, 2, -1, 2], b=[0, 1, 2, 1, -1], c=[0, -1, -1, 0, 1])
    found = labels_of_items(tables, rows)
    assert lists(found) == {
        "label": ["u", "v", "", "v", "w"],
        "split": ["train", "test", "", "test", "validation"],
        "pair_type": ["clean"] * 5,
    }
    assert {values.dtype.kind for values in found.values()} == {"U"}


def test_noise_has_no_say_in_the_label_but_in_the_split():
    tables = {
        "a": items("pq", ["u", "v"], "train", [True, False]),
        "b": items("pq", ["w", ""], ["train", ""], [False, True]),
    }
    rows = arrays(a=[0, 0, 0, 1, 1, -1], b=[0, 1, -1, 1, -1, 0])
    assert lists(labels_of_items(tables, rows)) == {
        # If all that has a label is noise, the pair has the label of the noise.
        "label": ["w", "u", "u", "v", "v", "w"],
        "split": ["train"] * 6,
        "pair_type": ["a_noise", "a_noise+b_noise", "a_noise", "b_noise", "clean", "clean"],
    }
    tables["b"] = items("pq", ["w", ""], ["test", ""], [False, True])
    with pytest.raises(InputError, match="splits of the modalities"):
        labels_of_items(tables, rows)


def test_if_all_is_noise_the_first_label_counts():
    tables = {"a": items("pq", ["", "x"], noise=True), "b": items("pq", ["u", "v"], noise=True)}
    tables["c"] = items("pq", "w", noise=True)
    found = labels_of_items(tables, arrays(a=[0, 1], b=[0, 1], c=[0, 1]))
    assert found["label"].tolist() == ["u", "x"]


def test_labels_of_a_pair_that_differ_are_refused():
    """Of four pairs, two differ; the second has no item of b."""
    tables = {
        "a": items("pqrs", ["u", "v", "", "u"]),
        "b": items("pqrs", ["u", "", "", "u"]),
        "c": items("xpyz", ["", "w", "v", "z"]),
    }
    rows = arrays(a=[0, 1, 2, 3], b=[0, -1, 2, 3], c=[0, 1, 2, 3])
    with refused(
        "labels of the modalities",
        "the same value in all items of a pair",
        "2 pairs that differ, e.g. 'v' and 'w' in {'a': 'q', 'c': 'p'}",
        "Give the column `label` for one modality only, or correct the values.",
    ):
        labels_of_items(tables, rows)


def test_splits_of_a_pair_that_differ_are_refused():
    tables = {"a": items("pq", split=["test", "train"]), "b": items("qp", split="train")}
    with refused(
        "splits of the modalities",
        "the same value in all items of a pair",
        "1 pairs that differ, e.g. 'test' and 'train' in {'a': 'p', 'b': 'p'}",
        "Give the column `split` for one modality only, or correct the values.",
    ):
        labels_of_items(tables, arrays(a=[0, 1], b=[1, 0]))


def test_types_of_pairs_by_hand():
    """All eight combinations of three modalities, and one again."""
    noise = arrays(
        a=[False, True, False, True, False, True, False, True, True],
        b=[False, False, True, True, False, False, True, True, False],
        c=[False, False, False, False, True, True, True, True, True],
    )
    types = types_of_pairs(noise)
    assert types.tolist() == [
        *("clean", "a_noise", "b_noise", "a_noise+b_noise", "c_noise", "a_noise+c_noise"),
        *("b_noise+c_noise", "a_noise+b_noise+c_noise", "a_noise+c_noise"),
    ]
    assert types.dtype.kind == "U"
    assert types_of_pairs(arrays(a=[True], b=[False])).tolist() == ["a_noise"]
    nothing = types_of_pairs({name: np.zeros(0, bool) for name in "ab"})
    assert nothing.shape == (0,) and nothing.dtype.kind == "U"


def test_types_of_pairs_tell_many_modalities_apart():
    noise = {f"m{i}": np.array([i == 69, i in (7, 63)]) for i in range(70)}
    assert types_of_pairs(noise).tolist() == ["m69_noise", "m7_noise+m63_noise"]


def test_noise_of_items_is_the_type_of_their_pair():
    splits = ["train", "train", "validation", "test"]
    tables = {
        "a": items("pqrs", split=splits, noise=[True, False, False, True]),
        "b": items("srqp", noise=[True, False, True, False]),
    }
    pairs, _ = pair_own(tables, "id", SHARES, 0)
    assert {row[:2]: row[3] for table in pairs.values() for row in rows_of(table)} == {
        (0, 3): "a_noise",
        (1, 2): "b_noise",
        (2, 1): "clean",
        (3, 0): "a_noise+b_noise",
    }


# Listed pairs


def test_listed_pairs_overrule_what_their_items_say():
    """Items have other labels, splits and types, and do not agree; ids play no part."""
    tables = {"a": items("pqr", "u", "train", True), "b": items("xyz", "v", "test")}
    listed = arrays(
        b=[2, 1, 0, 2],
        a=[0, 1, 2, 1],
        label=["x", "y", "x", "x"],
        split=["train", "validation", "test", "test"],
        pair_type=["clean", "b_noise", "clean", "a_noise+b_noise"],
    )
    pairs, classes = pair_own(tables, "file", SHARES, 0, listed)
    assert classes == ["x", "y"]
    assert {split: set(rows_of(table)) for split, table in pairs.items()} == {
        "train": {(0, 2, 0, "clean")},
        "validation": {(1, 1, 1, "b_noise")},
        "test": {(2, 0, 0, "clean"), (1, 2, 0, "a_noise+b_noise")},
    }


def test_noise_in_a_pairs_file_has_no_say_in_the_label():
    tables = {
        "a": items("pqr", "u", ["train", "validation", "test"]),
        "b": items("xyz", ["v", "u", "u"]),
    }
    rows = arrays(a=[0, 1, 2], b=[0, 1, 2])
    types = arrays(pair_type=["a_noise", "clean", "clean"])
    pairs, classes = pair_own(tables, "file", SHARES, 0, rows | types)
    assert rows_of(pairs["train"]) == [(0, 0, classes.index("v"), "a_noise")]
    with pytest.raises(InputError, match="labels of the modalities"):
        pair_own(tables, "file", SHARES, 0, rows)


def test_listed_pairs_take_labels_and_splits_of_their_items_otherwise():
    tables = {
        "a": items("pqr", ["u", "v", "u"], ["train", "validation", "test"], [False, True, False]),
        "b": items("xyz"),
    }
    pairs, classes = pair_own(tables, "file", SHARES, 0, arrays(a=[0, 1, 2], b=[2, 0, 1]))
    assert classes == ["u", "v"]
    assert [rows_of(pairs[split]) for split in SPLITS] == [
        [(0, 2, 0, "clean")],
        [(1, 0, 1, "a_noise")],
        [(2, 1, 0, "clean")],
    ]


def test_listed_pairs_may_lack_a_modality(caplog):
    tables = {"a": items("pqr"), "b": items("xyz")}
    listed = arrays(a=[0, 1, 2, -1], b=[0, 1, 2, 1])
    listed["split"] = np.array(["train", "validation", "test", "train"])
    kept, dropped = (
        pair_own(tables, "file", SHARES, 0, listed, missing)[0] for missing in ("keep", "drop")
    )
    assert set(rows_of(kept["train"])) == {(0, 0, -1, "clean"), (None, 1, -1, "clean")}
    assert rows_of(dropped["train"]) == [(0, 0, -1, "clean")]
    assert [m for m in caplog.messages if "lack" in m] == [
        f"1 of 4 pairs lack a modality (a: 1): {done}" for done in ("kept", "dropped")
    ]


@pytest.mark.parametrize(
    ("by", "advice"),
    [
        ("id", ": are the ids the same in all files, and is each row one item?"),
        ("file", ""),
        ("label", None),
    ],
)
def test_items_in_no_pair_are_logged_unless_paired_by_label(caplog, by, advice):
    """Three of seven items of b are paired with a; the other four have no label."""
    splits = ["train", "validation", "test"]
    tables = {
        "a": items("pqr", "u", splits),
        "b": items("pqrxyzw", [*"uuu", *[""] * 4], splits + ["train"] * 4),
    }
    pair_own(tables, by, SHARES, 0, arrays(a=[0, 1, 2], b=[0, 1, 2]))
    said = [message for message in caplog.messages if "in no pair" in message]
    assert said == (
        [] if advice is None else [f"b: 4 of 7 items are in no pair with another modality{advice}"]
    )


# Pairs by label

SPLIT_OF_A = ["train"] * 4 + ["validation"] * 2 + ["test"] * 2
SPLIT_OF_B = ["train"] * 3 + ["validation"] * 2 + ["test"] * 2


def labelled(**noise):
    """Return three items of u and one of v for training in a, and one and two in b."""
    return {
        "a": items("abcdefgh", [*"uuuvuvuv"], SPLIT_OF_A, noise.get("a", False)),
        "b": items("stuvwxy", [*"uvvuvuv"], SPLIT_OF_B, noise.get("b", False)),
    }


def test_pairs_by_label_use_every_item_of_each_split():
    """The pairs of a class are as many as its items in the modality that has more."""
    found = by_label(labelled(), SHARES, rng())
    assert list(found) == ["a", "b", "label", "split", "pair_type"]
    assert found["label"].tolist() == [*"uuuvv", *"uvuv"]
    assert found["split"].tolist() == ["train"] * 5 + ["validation"] * 2 + ["test"] * 2
    assert sorted(found["a"][:3].tolist()) == [0, 1, 2]
    assert found["a"][3:].tolist() == [3, 3, 4, 5, 6, 7]
    assert found["b"][:3].tolist() == [0, 0, 0]
    assert sorted(found["b"][3:5].tolist()) == [1, 2]
    assert found["b"][5:].tolist() == [3, 4, 5, 6]
    assert found["pair_type"].tolist() == ["clean"] * 9
    assert found["a"].dtype == found["b"].dtype == np.int64


def test_pairs_by_label_say_which_items_are_noise():
    noise = {"a": [row in (3, 6) for row in range(8)], "b": [row in (0, 5) for row in range(7)]}
    found = by_label(labelled(**noise), SHARES, rng())
    assert found["pair_type"].tolist() == [
        *["b_noise"] * 3,
        *["a_noise"] * 2,
        *("clean", "clean", "a_noise+b_noise", "clean"),
    ]


def test_pairs_by_label_draw_splits_of_items_by_class():
    """Of ten items of each class, 2 are for test, and a fourth of the other 8 for validation."""
    tables = {"a": items(range(20), ["u", "v"] * 10), "b": items(range(20), [*"uuuuuvvvvv"] * 2)}
    found = by_label(tables, SHARES, rng())
    assert Counter(zip(found["split"].tolist(), found["label"].tolist(), strict=True)) == {
        (split, label): n
        for split, n in {"train": 6, "validation": 2, "test": 2}.items()
        for label in "uv"
    }
    for name, table in tables.items():
        assert sorted(found[name].tolist()) == list(range(20))
        assert np.array(table["label"])[found[name]].tolist() == found["label"].tolist()
    assert found["a"].tolist() != found["b"].tolist()
    again, other = (by_label(tables, SHARES, rng(seed)) for seed in (0, 1))
    assert lists(again) == lists(found) != lists(other)


def test_pairs_by_label_reuse_items_evenly():
    """Seven training items of a are paired with three of b, used 3, 2 and 2 times."""
    splits = ["validation", "test"]
    tables = {
        "a": items(range(9), "u", ["train"] * 7 + splits),
        "b": items(range(5), "u", ["train"] * 3 + splits),
    }
    found = by_label(tables, SHARES, rng())
    assert sorted(Counter(found["b"].tolist()).values()) == [1, 1, 2, 2, 3]
    assert sorted(found["a"].tolist()) == list(range(9))


def test_items_without_a_label_are_not_paired_by_label(caplog):
    tables = labelled()
    tables["a"] = items("abcdefghij", [*"uuuvuvuv", "", ""], [*SPLIT_OF_A, "train", "test"])
    tables["b"] = items("stuvwxyz", [*"uvvuvuv", ""], [*SPLIT_OF_B, "train"])
    found = by_label(tables, SHARES, rng())
    assert caplog.messages == [
        "a: 2 items without a label are unpaired",
        "b: 1 items without a label are unpaired",
    ]
    assert len(found["label"]) == 9 and set(found["label"].tolist()) == {"u", "v"}
    assert set(found["a"].tolist()) == set(range(8)) and 7 not in found["b"]


def test_a_class_that_a_split_of_one_modality_lacks_is_refused():
    tables = labelled()
    tables["b"] = items("stuvwxy", [*"uvvuuuv"], SPLIT_OF_B)
    with refused(
        "labels of b in 'validation'",
        "the classes of the other modality, ['u', 'v']",
        ["u"],
        "Every modality needs items of every class in every split: add items, or remove the class.",
    ):
        by_label(tables, SHARES, rng())


def test_pairs_by_label_have_their_labels_in_each_split(caplog):
    pairs, classes = pair_own(labelled(), "label", SHARES, 0)
    assert classes == ["u", "v"]
    assert [sorted(rows_of(pairs[split])) for split in ("validation", "test")] == [
        [(4, 3, 0, "clean"), (5, 4, 1, "clean")],
        [(6, 5, 0, "clean"), (7, 6, 1, "clean")],
    ]
    train = rows_of(pairs["train"])
    assert {row[:3] for row in train} == {(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 1, 1), (3, 2, 1)}
    assert caplog.messages == [
        "test: 2 of 2 labelled pairs are the only one of their class: Precision@K 0"
    ]
