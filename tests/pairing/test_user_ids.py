"""Ids of user modalities: what is said if they do not belong together."""

import re

import numpy as np
import pyarrow as pa
import pytest

from ima.pairing.user import USUAL_K, pair_own
from ima.pairing.user_ids import hint_of_ids, warn_of_items
from ima.pairing.user_listed import read_listed
from ima.utils.arrow import vector_column
from ima.utils.errors import InputError
from ima.workflow.user_config import fill_defaults
from tests.checkout import defaults

SHARES = {"test": 0.2, "validation": 0.2}


def items(ids, seed=0, label=""):
    x = np.random.default_rng(seed).normal(size=(len(ids), 2))
    about = {"id": list(map(str, ids)), "split": [""] * len(ids), "label": [label] * len(ids)}
    return pa.table(about | {"noise": [False] * len(ids), "x": vector_column(x)})


def words(n, start=0):
    return [f"i{i}" for i in range(start, start + n)]


@pytest.mark.parametrize(
    ("ids", "hint"),
    [
        (
            words(40, 100),
            r"same id, or remove the modality\. Some ids are row numbers, which a file",
        ),
        ([f"{i}.0" for i in range(40)], r"ids as decimals \('0\.0' for '0'\)\.$"),
        ([f"{i:03}" for i in range(40)], r"spaces or leading zeros \('000' for '0'\)\.$"),
        ([f" {i}" for i in range(40)], r"spaces or leading zeros \(' 0' for '0'\)\.$"),
    ],
    ids=["others", "decimals", "zeros", "spaces"],
)
def test_a_modality_without_partners(ids, hint):
    tables = {"a": items(range(40)), "b": items(range(40), 1), "error": items(ids, 2)}
    with pytest.raises(InputError, match="'error' in no pair with another; ids: a '0'") as error:
        pair_own(tables, "id", SHARES, 0)
    assert error.value.where == "own.modalities.error"
    error.match(hint)
    tables["error"] = items(range(30, 90), 2)  # some are in pairs
    pair_own(tables, "id", SHARES, 0)


def test_hint_of_row_numbers_for_ids():
    assert "Some ids are row numbers" in hint_of_ids(["0", "1"], ["s1", "s2"])
    assert "Some ids are row numbers" in hint_of_ids(["s1", "s2"], ["0", "1"])
    assert hint_of_ids(["s1"], ["t1"]) == hint_of_ids([], ["t1"]) == ""


@pytest.mark.parametrize(
    ("ids", "others", "said"),
    [
        (["010"], ["a", "10"], r"leading zeros \('010' for '10'\)"),
        (["001", "010"], ["100"], r"^$"),
        (["10"], ["1.0", "10.00"], r"decimals \('10' for '10\.00'\)"),
        (["00"], ["a0", "0"], r"leading zeros \('00' for '0'\)"),
    ],
)
def test_zeros_at_the_beginning_and_decimals_are_no_part_of_a_number(ids, others, said):
    assert re.search(said, hint_of_ids(ids, others))


def test_vectors_that_begin_alike_are_not_the_same(caplog):
    tables = {"a": items(words(40)), "b": items(words(40))}
    x = np.stack(tables["b"]["x"].to_pylist())
    x[1:] = x[:0:-1]
    tables["b"] = tables["b"].set_column(4, "x", vector_column(x))
    pair_own(tables, "id", SHARES, 0)
    assert "same vectors" not in caplog.text


def test_two_modalities_without_common_ids_have_the_hint():
    tables = {"a": items(range(5)), "b": items([f"{i}.0" for i in range(5)])}
    with pytest.raises(InputError, match=r"ids as decimals \('0' for '0\.0'\)"):
        pair_own(tables, "id", SHARES, 0)


def test_unknown_ids_of_a_pairs_file_have_the_hint(tmp_path):
    (tmp_path / "p.csv").write_text("a,b\n0.0,0\n1.0,1\n")
    tables = {"a": items(range(2)), "b": items(range(2))}
    with pytest.raises(InputError, match=r"ids as decimals \('0\.0' for '0'\)"):
        read_listed(tmp_path / "p.csv", {}, tables)


SAME = items(words(40), 1)


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"a": items(words(40)), "b": items(words(90), 1)}, "b: 50 of 90 items are in no pair"),
        ({"a": items(words(40)), "b": items(words(80), 1)}, ""),  # half of them
        ({"a": items(range(40)), "b": items(range(38), 1)}, "row numbers, of 40 and 38 rows"),
        ({"a": items(range(40)), "b": items(range(40), 1)}, ""),
        ({"a": items(range(1, 41)), "b": items(range(1, 39), 1)}, ""),
        (
            {
                "a": items(words(40)),
                "b": items([*words(30), *(f"I{i}.WAV" for i in range(30, 40))], 1),
            },
            "10 and 10 ids are not in the other file. Some ids are spelt differently ('i30' for",
        ),
        ({"a": SAME, "b": items(words(40), 2), "c": SAME}, "a and c have the same vectors"),
    ],
    ids=["unpaired", "half", "lengths", "equal lengths", "ids", "spelling", "same"],
)
def test_warnings_of_items_that_hardly_belong_together(caplog, tables, says):
    pair_own(tables, "id", SHARES, 0)
    told = [r.getMessage() for r in caplog.records if "lack a modality" not in r.getMessage()]
    assert len(told) == bool(says) and says in "".join(told), told


@pytest.mark.parametrize(("by", "said"), [("id", "no pair.*same in all"), ("file", "modality$")])
def test_what_is_asked_about_items_in_no_pair(caplog, by, said):
    tables = {m: items(words(40), ord(m)) for m in "ab"}
    rows = {m: np.where(np.arange(40) < 10, np.arange(40), -1) for m in "ab"}
    for other in ("label", by):
        caplog.clear()
        warn_of_items(tables, rows, other)
        assert len(caplog.messages) == 2 * (other == by)
    assert all(re.search(said, message) for message in caplog.messages)


@pytest.mark.parametrize(("pairs", "reduced"), [(50, True), (60, False)])
def test_a_reduced_k_is_told_only_if_it_is(caplog, pairs, reduced):
    """A fifth are test pairs, which have 9 or 11 neighbours."""
    caplog.set_level("INFO")
    pair_own({m: items(words(pairs), ord(m), "u") for m in "ab"}, "id", SHARES, 0)
    assert ("a larger K is reduced" in caplog.text) == reduced


def test_usual_k_is_the_default():
    given = {"own": {"modalities": {"a": {"file": "a"}, "b": {"file": "b"}}}}
    config = defaults() | given
    fill_defaults(config, given)
    assert config["retrieval"]["k"] == [USUAL_K]


def test_labels_that_differ_in_spelling(caplog):
    tables = {m: items(words(60), ord(m)) for m in "ab"}
    for label in (["happy", "sad"], ["happy", "sad", "Happy ", "happy"]):
        caplog.clear()
        labels = pa.array([label[i % len(label)] for i in range(60)])
        tables["a"] = tables["a"].set_column(2, "label", labels)
        pair_own(tables, "id", SHARES, 0)
        assert ("'Happy ', 'happy' are different classes" in caplog.text) == ("Happy " in label)
