"""Data of a user's own: what is read, how it is paired and split, and what each mistake is told."""

import itertools
import re
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import yaml

from ima.datasets.splits import draw_splits, linked
from ima.datasets.user import read_items
from ima.evaluation.metrics import score_model
from ima.pairing.by_label import read_pairs
from ima.pairing.user import pair_own, types_of_pairs
from ima.pairing.user_listed import read_listed
from ima.reporting.figures.importance import UNLABELLED, by_class, figure2, figure4
from ima.reporting.figures.palettes import PAPER
from ima.reporting.tables.user import as_tables, fusion_rows, importance_table
from ima.utils.arrow import vector_column
from ima.utils.errors import InputError
from ima.utils.io import write_parquet
from ima.utils.schemas import (
    EMBEDDINGS,
    labelled,
    own_representations_schema,
    pairs_schema,
    representations_schema,
)
from ima.workflow.user_config import (
    RESERVED,
    check_config,
    check_fusion,
    check_name,
    labels_known,
    noise_known,
)
from ima.workflow.user_example import write_example
from tests.checkout import ROOT, Checkout, merged, plans

ALL = {"id": "id", "vector": "x", "label": "label", "split": "split", "noise": "noise"}
SHARES = {"test": 0.2, "validation": 0.1}


def rng(seed=0):
    return np.random.default_rng(seed)


def written(tmp_path, name="items", **columns):
    """Write a file of four items, with some columns replaced (None: left out)."""
    whole = {
        "id": ["a", "b", "c", "d"],
        "x": [[0.0, 0.5], [1.0, 0.25], [0.0, 0.0], [1.0, 1.0]],
        "label": [1, 0, 10, 1],
        "split": ["train", "train", "validation", "test"],
        "noise": [False, True, False, False],
    } | columns
    path = tmp_path / f"{name}.parquet"
    pq.write_table(pa.table({n: v for n, v in whole.items() if v is not None}), path)
    return path


# What is read


def test_a_file_is_read_as_it_is(tmp_path):
    table = read_items(written(tmp_path), ALL, "bce")
    assert table["id"].to_pylist() == ["a", "b", "c", "d"]
    assert table["x"].to_pylist() == [[0.0, 0.5], [1.0, 0.25], [0.0, 0.0], [1.0, 1.0]]
    assert table["label"].to_pylist() == ["1", "0", "10", "1"]
    assert table["split"].to_pylist() == ["train", "train", "validation", "test"]
    assert table["noise"].to_pylist() == [False, True, False, False]


def test_columns_that_are_not_named_are_not_read(tmp_path):
    path = written(tmp_path, label=[0.5, None, 1, 2], split=["x"] * 4)
    table = read_items(path, {"id": "id", "vector": "x"}, "bce")
    assert table["label"].to_pylist() == table["split"].to_pylist() == [""] * 4
    assert table["noise"].to_pylist() == [False] * 4


@pytest.mark.parametrize(("scale", "told"), [(1.0, False), (500.0, False), (5000.0, True)])
def test_scales_that_drown_others_are_told(tmp_path, caplog, scale, told):
    x = [[0.0, 0.0, 7.0], [scale, 1.0, 7.0], [0.0, 0.0, 7.0], [scale, 1.0, 7.0]]  # one is constant
    read_items(written(tmp_path, x=x), ALL, "sse", standardize=False)
    assert ("the largest dominate the squared error" in caplog.text) == told
    caplog.clear()
    read_items(written(tmp_path, x=x), ALL, "sse")  # standardized later on
    assert not caplog.text


@pytest.mark.parametrize(
    "x",
    [
        pa.array([[0, 1], [1, 0], [0, 0], [1, 1]], pa.list_(pa.int8())),
        pa.array([[0, 1], [1, 0], [0, 0], [1, 1]], pa.large_list(pa.float64())),
        pa.array([[0, 1], [1, 0], [0, 0], [1, 1]], pa.list_(pa.float32(), 2)),
    ],
    ids=lambda x: str(x.type),
)
def test_vectors_of_any_list(tmp_path, x):
    table = read_items(written(tmp_path, x=x), ALL, "bce")
    assert table["x"].to_pylist() == [[0, 1], [1, 0], [0, 0], [1, 1]]


def test_a_pandas_frame_with_categories(tmp_path):
    import pandas as pd

    x = [np.array([0.0, 1.0])] * 3
    frame = pd.DataFrame({"id": [7, 8, 9], "x": x, "label": pd.Categorical(["u", "v", "u"])})
    frame.to_parquet(tmp_path / "frame.parquet")
    columns = {"id": "id", "vector": "x", "label": "label"}
    table = read_items(tmp_path / "frame.parquet", columns, "bce")
    assert table["id"].to_pylist() == ["7", "8", "9"]
    assert table["label"].to_pylist() == ["u", "v", "u"]


NAN = float("nan")


@pytest.mark.parametrize(
    ("columns", "says", "do"),
    [
        ({"x": None}, "expected a column 'x', found columns", "Name the column"),
        ({"label": None}, "expected a column 'label'", "Name the column"),
        ({"id": ["a", "b", "a", "a"]}, "unique ids, found 2 repeated, e.g. 'a'", "a unique id"),
        ({"id": ["a", None, "c", "d"]}, "a value in every row, found 1 missing of 4", "Fill them"),
        ({"id": [0.5, 1, 2, 3]}, "text or whole numbers, found double", "Write them as text"),
        (
            {"x": [[0.0], [1.0, 1.0], [0.0], [0.0]]},
            "as in item 'a', found 2 in item 'b'",
            "Truncate",
        ),
        ({"x": [[], [], [], []]}, "a list of numbers in every row", "as lists"),
        (
            {"x": [[0.0, 1], [0.0, NAN], [0.0, 1], [0.0, 1]]},
            "missing, infinite or too large values in 1 items, e.g. 'b'",
            "Fill",
        ),
        ({"x": [[0.0], [1e300], [0.0], [0.0]]}, "in 1 items, e.g. 'b'", "Fill them in"),
        ({"x": [[0, 1], [None, 1], [0, 1], [0, 1]]}, "in 1 items, e.g. 'b'", "Fill them in"),
        ({"x": [[0.0], [1.5], [0.0], [-1.0]]}, "found 1.5 in item 'b'", "loss to sse"),
        ({"x": ["p", "q", "r", "s"]}, "or one column with a list of numbers", "all_but"),
        ({"x": [["p"], ["q"], ["r"], ["s"]]}, "a list of numbers", "as lists"),
        ({"label": [0.5, 1.5, 2.5, 3.5]}, "found double", "Bin continuous labels"),
        ({"label": [[1], [2], [3], [4]]}, "found list", "Write them as text"),
        ({"split": ["train", "dev", "test", "test"]}, "found ['dev']", "Rename them"),
        ({"noise": [0, 2, 0, 0]}, "true or false, or 1 or 0, found int64", "as booleans"),
    ],
    ids=str,
)
def test_what_a_mistake_in_a_file_is_told(tmp_path, columns, says, do):
    path = written(tmp_path, **columns)
    with pytest.raises(InputError) as error:
        read_items(path, ALL, "bce")
    assert str(path) in str(error.value)
    assert says in str(error.value) and do in error.value.do


def test_a_file_without_rows_or_that_is_none(tmp_path):
    path = tmp_path / "none.parquet"
    with pytest.raises(InputError, match="found no file"):
        read_items(path, ALL, "bce")
    path.write_text("id,x\n")
    with pytest.raises(InputError, match=r"expected a Parquet file, .*\.csv"):
        read_items(path, ALL, "bce")
    pq.write_table(pa.table({"id": pa.array([], pa.string())}), path)
    with pytest.raises(InputError, match="found no rows"):
        read_items(path, {"id": "id", "vector": "x"}, "bce")


def test_sse_takes_any_number(tmp_path):
    path = written(tmp_path, x=[[-3.0], [1.5], [0.0], [9.0]])
    assert read_items(path, ALL, "sse")["x"].to_pylist() == [[-3.0], [1.5], [0.0], [9.0]]


# The config


def own_config(**changes):
    files = {name: {"file": f"{name}.parquet", "label": "l"} for name in ("a", "b", "c")}
    return {"modalities": files, "pairs": {"by": "id"}, **changes}


def checked(own, layers=("a", "b", "c", "image"), rho=("a", "b", "c", "image")):
    return check_config(own, dict.fromkeys(layers), dict.fromkeys(rho), digits=("image",))


def test_a_config_names_its_modalities_in_order():
    assert checked(own_config()) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"modalities": {"a": {"file": "a"}}}, "at least two modalities, found ['a']"),
        ({"pairs": {"by": "file"}}, "the keys file, columns"),
        ({"pairs": {"by": "id", "file": "p"}}, "omit these keys"),
        ({"pairs": {"by": "label", "pair_type": "k"}}, "with ['pair_type']"),
        ({"pairs": {"by": "file", "file": "p", "columns": {"a": "x"}}}, "a column for each of"),
        (
            {"modalities": {n: {"file": n} for n in "abc"}, "pairs": {"by": "label"}},
            "found none for ['a', 'b', 'c']",
        ),
        (
            {
                "modalities": {
                    "a": {"file": "a", "noise": "n"},
                    "b": {"file": "b"},
                    "c": {"file": ""},
                }
            },
            "found ['a']. Give the others a column of false values",
        ),
    ],
    ids=str,
)
def test_what_a_mistake_in_the_config_is_told(changes, says):
    with pytest.raises(InputError) as error:
        checked(own_config(**changes))
    assert says in str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        *("Left", "2nd", "a-b", "a.b", "a b", "", "half", "keys", "index", "code", "pairs"),
        *("test", "joint", "weighted", "x_noise", "float", "type", *sorted(RESERVED)),
        *("shared_left", "contrastive_a"),
    ],
)
def test_a_name_that_means_something_else(name):
    own = own_config(modalities={"a": {"file": "a"}, name: {"file": "b"}})
    with pytest.raises(InputError, match="names of lower-case letters") as error:
        checked(own)
    assert repr(name) in str(error.value)


def rule_inputs():
    """Return the names of inputs of rules that have an input per modality as well."""
    names = set()
    for file in (ROOT / "rules").glob("*.smk"):
        for rule in re.split(r"\n(?= *rule \w+:)", file.read_text()):
            found = re.search(r"\n( +)input:\n((?:\1 .*\n|\n)+)", rule)
            if found and re.search(r"\*\*(FEATURES|ITEMS)", found[2]):
                names |= set(re.findall(rf"^{found[1]}    (\w+)=", found[2], re.M))
                for function in re.findall(r"unpack\((\w+)\)", found[2]):
                    text = (ROOT / "rules/common.smk").read_text()
                    body = text.partition(f"def {function}(")[2].partition("\n\n\n")[0]
                    names |= set(re.findall(r'^ +"(\w+)": ', body, re.M))
    return names


def test_inputs_of_rules_are_reserved():
    from snakemake.iocontainers import InputFiles

    assert {"pairs", "before", "importance", "listed"} <= rule_inputs() <= RESERVED
    for name in filter(str.islower, dir(InputFiles)):
        if not name.startswith("_"):
            with pytest.raises(InputError):
                check_name(name)


@pytest.mark.parametrize("name", ["label", "split", "pair_type"])
def test_columns_of_pairs_are_reserved(name):
    """A modality of this name would replace the column, or be replaced by it."""
    plain, _ = pair_own({m: items(range(40), [1] * 40) for m in "ab"}, "id", SHARES, 0)
    try:
        found, _ = pair_own({m: items(range(40), [1] * 40) for m in (name, "b")}, "id", SHARES, 0)
    except (InputError, KeyError):
        found = None
    for split, table in (found or {}).items():
        assert table["pair_type"] != plain[split]["pair_type"]
    assert name in RESERVED


def test_names_of_representations_are_reserved():
    x = rng().normal(size=(8, 2)).astype(np.float32)
    pairs = {f"item_{m}": pa.array(range(8), pa.int32()) for m in "ab"}
    pair_type = ["a_noise", *["clean"] * 7]
    pairs = pa.table(pairs | {"label": pa.array([0, 1] * 4, pa.int8()), "pair_type": pair_type})
    columns = {name: vector_column(x) for name in ("z", "z_unweighted", "u_a", "u_b")}
    table = pa.table(columns | {f"y_{m}": np.ones(8, np.float32) for m in "ab"})
    rows = score_model(table, pairs, [1], {"shared": {m: x for m in "ab"}})["retrieval"]
    views = {row["representation"] for row in rows}
    assert views - {"a", "b", "shared_a", "shared_b"} <= RESERVED
    assert {"oracle", "shared", "unweighted"} <= views


@pytest.mark.parametrize("name", ["id", "noise", "modality", "z", "x", "y", "item"])
def test_names_that_clash_with_nothing(name):
    check_name(name)
    tables = {m: items(range(40), [1] * 40) for m in "ab"}
    plain, _ = pair_own(tables, "id", SHARES, 0)
    found, _ = pair_own({name: tables["a"], "b": tables["b"]}, "id", SHARES, 0)
    for split, table in plain.items():
        names = [f"item_{name}", "item_b", "label", "pair_type"]
        assert found[split].equals(table.rename_columns(names))


@pytest.mark.parametrize("section", ["model", "importance.rho"])
@pytest.mark.parametrize("names", ["ab", "abcd"])
def test_layers_and_rho_of_every_modality_and_no_other(section, names):
    given = {"layers" if section == "model" else "rho": names}
    with pytest.raises(InputError, match=f"config, {section}: expected an entry for each"):
        checked(own_config(), **given)


def test_what_is_known():
    plain = {"modalities": {n: {"file": n} for n in "ab"}, "pairs": {"by": "id"}}
    assert not labels_known(plain) and not noise_known(plain)
    assert labels_known({**plain, "pairs": {"by": "file", "label": "l"}})
    assert noise_known({**plain, "pairs": {"by": "file", "pair_type": "k"}})
    assert labels_known({**plain, "modalities": {"a": {"file": "a", "label": "l"}}})
    assert noise_known({**plain, "modalities": {"a": {"file": "a", "noise": "n"}}})


# Pairs


def items(ids, labels=None, splits=None, noise=None):
    n = len(ids)
    return pa.table(
        {
            "id": [str(i) for i in ids],
            "split": splits or [""] * n,
            "label": [str(label) for label in labels] if labels is not None else [""] * n,
            "noise": pa.array(noise if noise is not None else [False] * n, pa.bool_()),
        }
    )


def three(n=100, seed=0, **given):
    """Return three modalities with the same ids in orders of their own, ids i of class i % 5."""
    tables = {}
    for name in "abc":
        order = rng([seed, ord(name)]).permutation(n)
        labels = [i % 5 for i in order] if given.get("labels", True) else None
        noise = [bool(i % 10 == ord(name) - ord("a")) for i in order]
        tables[name] = items(order, labels, noise=noise if given.get("noise") else None)
    return tables


def ids_of(tables, pairs):
    """Return the ids of pairs, a tuple each."""
    columns = [
        np.array(tables[m]["id"].to_pylist())[pairs[f"item_{m}"].to_numpy()].tolist()
        for m in tables
    ]
    return list(zip(*columns, strict=True))


def test_by_id_pairs_what_has_the_same_id():
    tables = three()
    pairs, classes = pair_own(tables, "id", SHARES, seed=0)
    assert list(pairs) == ["train", "validation", "test"] and classes == ["0", "1", "2", "3", "4"]
    found = [i for table in pairs.values() for i in ids_of(tables, table)]
    assert all(len(set(pair)) == 1 for pair in found)
    assert sorted(pair[0] for pair in found) == sorted(map(str, range(100)))
    # Of 20 a class, .2 are test: 4; of 16, .1 validation: 2.
    assert {s: len(t) for s, t in pairs.items()} == {"train": 70, "validation": 10, "test": 20}
    for table in pairs.values():
        assert table.schema.equals(pairs_schema("abc"))
        labels = [int(i[0]) % 5 for i in ids_of(tables, table)]
        assert table["label"].to_pylist() == labels
        assert len(set(Counter(labels).values())) == 1  # of every class as many
        assert set(table["pair_type"].to_pylist()) == {"clean"}


def test_ids_that_not_all_have_can_be_dropped():
    tables = {"a": items("uvwxyz1234"), "b": items("4321zyxw")}
    shares = {"test": 0.25, "validation": 0.25}
    pairs, classes = pair_own(tables, "id", shares, seed=0, missing="drop")
    found = {i for table in pairs.values() for i, _ in ids_of(tables, table)}
    assert found == set("wxyz1234") and classes == []
    assert {label for t in pairs.values() for label in t["label"].to_pylist()} == {-1}


def test_no_common_id():
    with pytest.raises(InputError, match=r"a 'u' \.\.\., b '1' .* pair by label or from a file"):
        pair_own({"a": items("uv"), "b": items("12")}, "id", SHARES, 0)


def test_given_splits_are_kept_and_validation_is_drawn():
    tables = three()
    split = ["test" if int(i) < 30 else "train" for i in tables["a"]["id"].to_pylist()]
    tables["a"] = tables["a"].set_column(1, "split", pa.array(split))
    pairs, _ = pair_own(tables, "id", SHARES, seed=0)
    assert {int(i[0]) for i in ids_of(tables, pairs["test"])} == set(range(30))
    assert len(pairs["validation"]) == 5  # one of 14 a class


def test_modalities_that_disagree_are_told():
    tables = three()
    wrong = pa.array(["0"] * 100)
    tables["b"] = tables["b"].set_column(2, "label", wrong)
    with pytest.raises(InputError, match=r"labels of the modalities: .* 80 pairs that differ"):
        pair_own(tables, "id", SHARES, 0)
    tables = {
        m: t.set_column(1, "split", pa.array([s] * 100))
        for (m, t), s in zip(three().items(), ("train", "test", "test"), strict=True)
    }
    with pytest.raises(InputError, match=r"splits of the modalities: .* 100 pairs that differ"):
        pair_own(tables, "id", SHARES, 0)


def test_an_item_that_is_noise_may_have_any_label():
    tables = three(noise=True)
    noisy = np.array(tables["a"]["noise"].to_pylist())
    labels = np.where(noisy, "4", tables["a"]["label"].to_pylist())
    tables["a"] = tables["a"].set_column(2, "label", pa.array(labels))
    pairs, _ = pair_own(tables, "id", SHARES, seed=0)
    for table in pairs.values():
        assert table["label"].to_pylist() == [int(i[0]) % 5 for i in ids_of(tables, table)]


def test_a_split_without_pairs():
    tables = three()
    tables["a"] = tables["a"].set_column(1, "split", pa.array(["train"] * 100))
    with pytest.raises(InputError, match=r"expected some in 'test', found none. Assign more items"):
        pair_own(tables, "id", SHARES, 0)


def test_more_classes_than_8_bits_can_number(tmp_path):
    tables = {m: items(range(600), [i // 3 for i in range(600)]) for m in "ab"}
    pairs, classes = pair_own(tables, "id", {"test": 0.4, "validation": 0.3}, 0)
    assert classes == list(map(str, range(200)))
    for split, table in pairs.items():
        labels = [int(i) // 3 for i, _ in ids_of(tables, table)]
        assert table["label"].to_pylist() == labels
        write_parquet(table, tmp_path / split, labelled(pairs_schema("ab"), table))
        assert read_pairs(tmp_path / split)["label"].to_pylist() == labels
    few = pair_own({m: items(range(60), [i % 9 for i in range(60)]) for m in "ab"}, "id", SHARES, 0)
    assert few[0]["test"].schema.field("label").type == pa.int8()  # as it was


def test_classes_of_one_item_leave_no_split_empty(caplog):
    tables = {m: items(range(50), range(50)) for m in "ab"}
    pairs, _ = pair_own(tables, "id", SHARES, 0)
    assert {s: len(t) for s, t in pairs.items()} == {"train": 36, "validation": 4, "test": 10}
    assert "splits are drawn regardless of class" in caplog.text
    assert "test: 10 of 10 labelled pairs are the only one of their class" in caplog.text


def test_some_test_pairs_are_alone_in_their_class(caplog):
    split = ["train"] * 36 + ["validation"] * 4 + ["test"] * 10
    tables = {m: items(range(50), [min(i, 47) for i in range(50)], split) for m in "ab"}
    pair_own(tables, "id", SHARES, 0)
    assert "test: 7 of 10 labelled pairs are the only one of their class" in caplog.text


def test_items_without_a_label(caplog):
    """By id they are in pairs that no score counts; by label, in none."""
    labels = [["", "u", "v"][min(i % 5, 2)] for i in range(100)]
    tables = {m: items(range(100), labels) for m in "ab"}
    pairs, classes = pair_own(tables, "id", SHARES, 0)
    assert classes == ["u", "v"]
    counts = Counter(label for table in pairs.values() for label in table["label"].to_pylist())
    assert counts == {-1: 20, 0: 20, 1: 60}
    assert "test: 4 of 20 pairs have no label and are not scored" in caplog.text
    pairs, _ = pair_own(tables, "label", SHARES, 0)
    rows = [row for table in pairs.values() for row in table["item_a"].to_pylist()]
    assert sorted(rows) == [i for i in range(100) if labels[i]]
    assert "a: 20 items without a label are unpaired" in caplog.text
    split = ["test" if not label else "train" for label in labels]
    tables = {m: items(range(100), labels, split) for m in "ab"}
    with pytest.raises(InputError, match="labels of the pairs in 'test'"):
        pair_own(tables, "id", SHARES, 0)


def test_labels_are_numbered_by_size_or_alphabet():
    numbers = {m: items(range(40), [(10, 9, -1, 2)[i % 4] for i in range(40)]) for m in "ab"}
    assert pair_own(numbers, "id", SHARES, 0)[1] == ["-1", "2", "9", "10"]
    words = {m: items(range(40), [("dog", "cat")[i % 2] for i in range(40)]) for m in "ab"}
    assert pair_own(words, "id", SHARES, 0)[1] == ["cat", "dog"]


@pytest.mark.parametrize(
    ("labels", "in_order"),
    [
        (["²", "3"], ["3", "²"]),  # digits that are no number
        (["--5", "3"], ["--5", "3"]),
        (["9" * 5000, "3"], ["3", "9" * 5000]),
        (["3", "03", "003", "1"], ["1", "003", "03", "3"]),  # equal numbers, in one order always
    ],
    ids=["superscript", "two signs", "too long", "leading zeros"],
)
def test_labels_that_look_like_numbers(labels, in_order):
    tables = {m: items(range(40), [labels[i % len(labels)] for i in range(40)]) for m in "ab"}
    assert pair_own(tables, "id", SHARES, 0)[1] == in_order


def test_by_label_every_item_is_used_and_none_is_in_two_splits():
    sizes = {"a": 60, "b": 45, "c": 30}
    tables = {m: items(range(n), [i % 3 for i in range(n)]) for m, n in sizes.items()}
    pairs, _ = pair_own(tables, "label", SHARES, seed=0)
    for m, n in sizes.items():
        used = {split: set(table[f"item_{m}"].to_pylist()) for split, table in pairs.items()}
        assert set.union(*used.values()) == set(range(n))
        assert sum(map(len, used.values())) == n
        for table in pairs.values():
            assert [row % 3 for row in table[f"item_{m}"].to_pylist()] == table["label"].to_pylist()
    assert len(pairs["test"]) == 12  # a class of the largest: 4 of 20
    counts = Counter(pairs["test"]["item_c"].to_pylist())
    assert set(counts.values()) == {2}  # 2 of 10 a class for 4 pairs
    # Control: pairs of one class are not the same rows.
    assert pairs["train"]["item_a"].to_pylist() != pairs["train"]["item_b"].to_pylist()


def test_by_label_needs_every_class_in_every_split():
    tables = {"a": items(range(40), [i % 2 for i in range(40)]), "b": items(range(20), [0] * 20)}
    with pytest.raises(InputError, match=r"labels of b in 'train': .* every split") as error:
        pair_own(tables, "label", SHARES, 0)
    assert "remove the class" in error.value.do


def test_kinds_of_noise_by_hand():
    noise = {"a": np.array([0, 1, 0, 1], bool), "b": np.array([0, 0, 1, 1], bool)}
    assert types_of_pairs(noise).tolist() == ["clean", "a_noise", "b_noise", "a_noise+b_noise"]
    pairs, _ = pair_own(three(noise=True), "id", SHARES, seed=0)
    found = Counter(name for table in pairs.values() for name in table["pair_type"].to_pylist())
    assert found == {"clean": 70, "a_noise": 10, "b_noise": 10, "c_noise": 10}


def test_splits_and_order_are_of_the_seed():
    one, same, other = (pair_own(three(), "id", SHARES, seed)[0]["test"] for seed in (1, 1, 2))
    assert one.equals(same) and not one.equals(other)


# A pairs file


def pairs_file(tmp_path, **columns):
    path = tmp_path / "pairs.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_a_pairs_file_says_what_belongs_together(tmp_path):
    tables = {"a": items(range(30)), "b": items([f"b{i}" for i in range(30)])}
    names = [f"b{29 - i}" for i in range(30)]
    pair_type = ["a_noise" if i < 3 else "clean" for i in range(30)]
    path = pairs_file(
        tmp_path,
        a=list(range(30)),
        other=names,
        what=[i % 2 for i in range(30)],
        pair_type=pair_type,
    )
    options = {"columns": {"a": "a", "b": "other"}, "label": "what", "pair_type": "pair_type"}
    listed = read_listed(path, options, tables)
    pairs, classes = pair_own(tables, "file", SHARES, 0, listed)
    assert classes == ["0", "1"]
    for table in pairs.values():
        for (a, b), label, pair_type in zip(
            ids_of(tables, table),
            table["label"].to_pylist(),
            table["pair_type"].to_pylist(),
            strict=True,
        ):
            assert b == f"b{29 - int(a)}" and label == int(a) % 2
            assert pair_type == ("a_noise" if int(a) < 3 else "clean")


@pytest.mark.parametrize(
    ("columns", "options", "says"),
    [
        ({"a": ["0"]}, {}, "expected a column 'b'"),
        ({"a": ["0", "9"], "b": ["0", "0"]}, {}, "found 1 unknown, e.g. '9'. Remove"),
        ({"a": [0.5], "b": ["0"]}, {}, "text or whole numbers"),
        ({"a": ["0"], "b": [None]}, {}, "an item of b in some of the pairs, found none in 1"),
        ({"a": ["0", None], "b": ["1", None]}, {}, "found 1 pairs without any, the first in row 1"),
        ({"a": ["0"], "b": ["0"], "s": ["dev"]}, {"split": "s"}, "Rename them"),
        (
            {"a": ["0"], "b": ["0"], "k": ["noisy"]},
            {"pair_type": "k"},
            "'a_noise', 'b_noise', 'clean'",
        ),
        ({"a": ["0"], "b": ["0"], "l": [0.5]}, {"label": "l"}, "found double"),
    ],
    ids=str,
)
def test_what_a_mistake_in_the_pairs_file_is_told(tmp_path, columns, options, says):
    path = pairs_file(tmp_path, **columns)
    with pytest.raises(InputError) as error:
        read_listed(path, options, {"a": items("01"), "b": items("01")})
    assert str(path) in str(error.value) and says in str(error.value)


def shared_items(pairs, m):
    used = [set(table[f"item_{m}"].to_pylist()) for table in pairs.values()]
    return sum(len(one & other) for one, other in itertools.combinations(used, 2))


def test_splits_share_no_item_where_items_are_in_several_pairs(tmp_path):
    """Each of 20 pictures has five captions, and pictures belong to series of two."""
    tables = {"picture": items(range(20)), "caption": items(range(100))}
    path = pairs_file(tmp_path, picture=[i // 5 for i in range(100)], caption=list(range(100)))
    listed = read_listed(path, {}, tables)
    pairs, _ = pair_own(tables, "file", SHARES, 0, listed)
    assert shared_items(pairs, "picture") == 0
    assert {s: len(t) for s, t in pairs.items()} == {"train": 70, "validation": 10, "test": 20}
    # Control: pairs drawn one by one share pictures.
    alone = draw_splits(np.full(100, ""), np.arange(100), np.full(100, ""), SHARES, rng())
    assert set(listed["picture"][alone == "test"]) & set(listed["picture"][alone == "train"])


def test_where_all_hang_together_pairs_are_drawn_with_a_warning(tmp_path, caplog):
    tables = {"a": items(range(1)), "b": items(range(50))}
    path = pairs_file(tmp_path, a=[0] * 50, b=list(range(50)))
    pairs, _ = pair_own(tables, "file", SHARES, 0, read_listed(path, {}, tables))
    assert {s: len(t) for s, t in pairs.items()} == {"train": 36, "validation": 4, "test": 10}
    assert "a: 1 items in both train and test" in caplog.text and "b:" not in caplog.text


def test_groups_of_pairs_by_hand():
    """0-1 share an a, 1-2 a b; 3 is alone; the same row number of two modalities is nothing."""
    a, b = np.array([0, 0, 1, 2]), np.array([3, 2, 2, 0])
    assert linked([a, b]).tolist() == [0, 0, 0, 1]


# What comes out


def test_results_have_the_users_own_ids_and_labels():
    schema = pairs_schema("ab")
    train = pa.table(
        {"item_a": [1, 0], "item_b": [0, 1], "label": [1, -1], "pair_type": ["clean", "a_noise"]}
    ).cast(schema)
    test = pa.table({"item_a": [0], "item_b": [0], "label": [0], "pair_type": ["clean"]}).cast(
        schema
    )
    vectors = pa.array([[1.0], [2.0], [3.0]], pa.list_(pa.float32(), 1))
    found = pa.table(
        {
            f.name: vectors if pa.types.is_fixed_size_list(f.type) else pa.array([0.1, 0.9, 0.4])
            for f in representations_schema("ab")
        }
    )
    ids = {"a": pa.chunked_array([["p", "q"]]), "b": pa.chunked_array([["r", "s"]])}
    y = {"a": np.array([0.25, 0.5]), "b": np.array([0.75, 1.0])}
    table, importances = as_tables({"train": train, "test": test}, found, ids, y, ["cat", "dog"])
    rows = table.select(["split", "label", "pair_type", "id_a", "id_b"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("train", "dog", "clean", "q", "r"),
        ("train", "", "a_noise", "p", "s"),
        ("test", "cat", "clean", "p", "r"),
    ]
    assert importances.to_pylist()[2] == {"modality": "b", "id": "r", "importance": 0.75}
    model = [{"latent": 1, "seed": 0}]
    (a, _) = importance_table([table], model, noise=False, run="x").to_pylist()
    assert a["mean_importance"] == pytest.approx(0.4) and a["unimportant"] == 1
    assert "f1_noise" not in a
    assert importance_table([table], model, noise=True, run="x")["f1_noise"].to_pylist() == [0, 0]


def test_results_have_the_concordance_of_pairs_and_fusion_by_it():
    rows = {"item_a": [0, 1, None, 2], "item_b": [0, 1, 2, 2], "label": [0, 1, 0, 1]}
    pairs = pa.table({**rows, "pair_type": ["clean", "a_noise", "clean", "clean"]})
    pairs = pairs.cast(pairs_schema("ab"))
    vectors = pa.array([[0.0], [1.0], [0.1], [0.9]], pa.list_(pa.float32(), 1))
    found = pa.table(
        {
            f.name: vectors if pa.types.is_fixed_size_list(f.type) else pa.array([1.0] * 4)
            for f in representations_schema("ab")
        }
    )
    ids = {m: pa.chunked_array([["p", "q", "r"]]) for m in "ab"}
    c = {"a": np.array([0.9, 0.2, 0.0, 0.6]), "b": np.array([0.9, 0.2, 0.0, 0.6])}
    z = np.array([[0.0], [1.0], [0.2], [1.2]], np.float32)
    of = ({"test": pairs}, found, ids, {m: np.ones(3) for m in "ab"}, ["cat", "dog"])
    table, _ = as_tables(*of, c, {"both": z})
    schema = own_representations_schema("ab", concordance=True, fusion="both")
    assert table.column_names == schema.names
    assert table["c_a"].to_pylist()[1:3] == [pytest.approx(0.2), None]
    model = [{"latent": 1, "seed": 0}]
    first, second = importance_table([table], model, noise=True, run="x").to_pylist()
    assert first["mean_concordance"] == pytest.approx(1.7 / 3)
    assert first["auc_concordance"] == first["f1_concordance"] == 1
    assert second["auc_concordance"] is None and second["f1_concordance"] == 0
    without = importance_table([table], model, noise=False, run="x").column_names
    assert "mean_concordance" in without and "f1_concordance" not in without
    scores = fusion_rows(table, pairs, [1], "both")
    assert {row["representation"] for row in scores} == {"both"}
    assert scores[0]["subset"] == "all" and scores[0]["precision"] == 1  # 0, .2 | 1, 1.2


def test_concordance_needs_mixture():
    check_fusion("both", "mixture")
    check_fusion("importance", "paper")
    with pytest.raises(InputError, match=r"own\.fusion: expected importance, or the"):
        check_fusion("concordance", "ima+")


def test_pictures_are_of_items_as_they_are():
    """Not standardized, which would give each pixel a zero and a scale of its own."""
    (rule,) = plans([(ROOT, example())], ["own"], anew=True)[0].of_rules(["own_items"])
    files = {name: file for name, file, _ in rule["input"]}
    assert [files[m] for m in ("left", "spoken")] == [
        f"results/tiny/own/{m}.arrow" for m in ("left", "spoken")
    ]


def test_the_example_has_a_tenth_of_noise_in_other_pairs_each(tmp_path):
    counts = write_example(tmp_path, 100, seed=0)
    tables = {n: pq.read_table(tmp_path / f"{n}.parquet") for n in counts}
    noise = np.stack([t["noise"].to_numpy(zero_copy_only=False) for t in tables.values()])
    n = noise.shape[1]
    assert noise.sum(0).max() == 1 and counts == dict.fromkeys(counts, round(n / 10))
    # 100 digits, about a quarter of each class tested; the other images are there three times.
    splits = Counter(tables["left"]["split"].to_pylist())
    assert splits["train"] + splits["validation"] == 3 * (100 - splits["test"])
    assert 20 < splits["test"] < 30 and splits["validation"] == 60
    x = np.array(tables["left"]["x"].to_pylist()).reshape(n, 8, 4)
    images = np.flatnonzero(np.array(tables["left"]["split"].to_pylist())[:100] != "test")
    down = 100 + np.arange(len(images))
    clean = ~noise[0, images] & ~noise[0, down]
    assert clean.sum() > 40
    assert (x[down[clean], 1:] == x[images[clean], :-1]).all() and (x[down[clean], 0] == 0).all()
    assert {n: t["x"].type.list_size for n, t in tables.items()} == {
        "left": 32,
        "right": 32,
        "spoken": 288,
    }
    for name in tables:
        loss = "sse" if name == "spoken" else "bce"
        columns = {**ALL, "label": "digit"}
        assert len(read_items(tmp_path / f"{name}.parquet", columns, loss)) == n
    with pytest.raises(InputError, match=r"values in \[0, 1\]"):
        read_items(tmp_path / "spoken.parquet", columns, "bce")
    again = write_example(tmp_path / "again", 100, seed=0)
    assert again == counts
    for name in counts:
        one, two = (tmp_path / f / f"{name}.parquet" for f in ("", "again"))
        assert one.read_bytes() == two.read_bytes()


# Figures


def embeddings(classes, names="abc"):
    views = [f"hidden_{m}" for m in names] + [f"u_{m}" for m in names] + ["z"]
    n, count = np.arange(60), len(names) * 2 + 1
    label = n % classes if classes else np.full(60, -1)
    pair_types = (
        [f"{names[0]}_noise"] * 3 + [f"{names[0]}_noise+{names[1]}_noise"] * 3 + ["clean"] * 54
    )
    columns = {"view": np.repeat(views, 60), "pair": np.tile(n, count)}
    columns |= {"label": np.tile(label, count), "pair_type": pair_types * count}
    columns |= {"noise": np.tile(n < 6, count)}
    columns |= {axis: rng().normal(size=60 * count) for axis in "xy"}
    return pa.table(columns).cast(EMBEDDINGS)


Y = {m: np.linspace(0, 1, 60) for m in "abc"}


def texts(figure):
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    named = {
        legend.get_title().get_text(): [text.get_text() for text in legend.get_texts()]
        for legend in figure.legends
    }
    return titles, named


def test_figures_of_three_modalities_have_all_their_panels_and_names():
    titles, legends = texts(figure2(embeddings(2), Y, ["cat", "dog"], scale=True))
    # Of 60 items 30 have an importance below 1/2; 6 are noise, and all of them are among these.
    whats = ("classes", "output, 40.0 % wrong", "importance")
    assert titles == [
        f"({'abcdefghi'[3 * i + j]}) {m}, {what}"
        for i, m in enumerate("abc")
        for j, what in enumerate(whats)
    ]
    output = ["noise (y < .5)", "rest"]
    assert legends == {"left panels: classes, or noise": ["cat", "dog", "noise"], "output": output}
    figure = figure4(embeddings(2), ["cat", "dog"])
    titles, legends = texts(figure)
    assert titles == ["(a) unimodal", "(b) joint", "(c) a noise, a", "(d) a noise, joint"]
    assert legends == {"classes, or noise": ["cat", "dog", "noise"], "": ["a", "b", "c", "a noise"]}
    assert len(figure.axes[0].collections) == 3
    # A pair with noise in two modalities has noise in the first, too.
    assert len(figure.axes[3].collections[1].get_offsets()) == 6


def test_figures_without_labels_or_noise_show_outputs_and_importances():
    figure = figure2(embeddings(0), Y, [], False, scale=True)
    titles, legends = texts(figure)
    whats = ("output", "importance")
    assert titles == [
        f"({'abcdef'[2 * i + j]}) {m}, {what}"
        for i, m in enumerate("abc")
        for j, what in enumerate(whats)
    ]
    assert legends == {"output": ["noise (y < .5)", "rest"]}
    colours = figure.axes[1].collections[0].get_facecolors()
    np.testing.assert_allclose(colours, PAPER.importance(Y["a"]))
    figure = figure4(embeddings(0), [], False)
    titles, legends = texts(figure)
    assert titles == ["(a) unimodal", "(b) joint"] and legends == {"": ["a", "b", "c"]}
    # A modality has a colour of its own, and nothing is grey: what is noise is not known.
    of = [{tuple(c) for c in points.get_facecolors()} for points in figure.axes[0].collections]
    assert [len(colours) for colours in of] == [1, 1, 1] and len(set.union(*of)) == 3


def test_noise_is_shown_without_labels():
    titles, legends = texts(figure2(embeddings(0), Y, [], True))
    assert titles[:2] == ["(a) a, noise", "(b) a, output, 40.0 % wrong"]
    assert legends["left panels"] == ["noise"]
    assert len(figure4(embeddings(0), [], True).axes) == 4


def test_colours_of_more_classes_than_the_paper_has():
    _, legends = texts(figure4(embeddings(25), [str(i) for i in range(25)]))
    assert legends["25 classes by hue"] == ["noise"]


def test_what_has_no_class_has_a_colour_of_its_own():
    colours = by_class(np.array([0, -1, 1, -1]), np.array([0, 0, 0, 1], bool), classes=2)
    assert colours.tolist() == ["red", UNLABELLED, "green", "grey"]


# The workflow

#: What `ima+` needs, and `mixture` doesn't.
RHO = {"left": 0.8, "right": 0.8, "spoken": 0.8}
#: The example, small enough to train in seconds.
TINY = {
    "run": "tiny",
    "variants": ["ima+"],
    "seeds": [0],
    "latents": [3],
    "own": {"example": {"digits": 200}},
    "autoencoder": {"epochs": 2},
    "importance": {"rho": RHO, "latent": None, "restarts": 2, "steps": 4},
    "sweep": {"latent": 3, "rho": [0.3, 0.8], "restarts": 1},
    "figures": {"latent": 3, "tsne": {"points": 100}},
    "classifier": {"epochs": 2},
    "retrieval": {"k": [5]},
}
LABELLED = {"scores", "anchors", "classify", "anchors_classify", "own_retrieval", "own_classifier"}


def example(**changes):
    """Return config/own.yaml, small, with the keys of `own` that are given in place of its own."""
    config = merged(yaml.safe_load((ROOT / "config/own.yaml").read_text()), TINY)
    config["own"] |= changes
    return config


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    checkout = Checkout(tmp_path_factory.mktemp("own"))
    checkout.config = example()
    return checkout


@pytest.fixture(scope="module")
def finished(checkout):
    checkout.snakemake("own", forked=True)
    return checkout


def files(**columns):
    """Return modalities with some columns of the example's."""
    return {
        name: {"file": f"results/example/{name}.parquet", **columns}
        for name in ("left", "right", "spoken")
    }


@pytest.mark.slow
class TestWorkflow:
    def test_every_result_is_there(self, finished):
        run = finished.folder / "results/tiny"
        for name in ("rho", "importances", "representations"):
            for form in ("pdf", "png"):
                assert (run / f"figures/own_{name}.{form}").stat().st_size > 5_000
        rows = pq.read_table(run / "own/latent3_seed0/representations.parquet")
        example = pq.read_table(finished.folder / "results/example/left.parquet")
        told = dict(zip(example["id"].to_pylist(), example["digit"].to_pylist(), strict=True))
        assert len(rows) == len(example) and rows["id_left"].equals(rows["id_spoken"])
        assert [str(told[i]) for i in rows["id_left"].to_pylist()] == rows["label"].to_pylist()
        y = pq.read_table(run / "own/latent3_seed0/importances.parquet")
        assert len(y) == 3 * len(example) and y["modality"].unique().to_pylist() == [
            "left",
            "right",
            "spoken",
        ]

    def test_tables(self, finished):
        tables = {
            name: pyarrow.csv.read_csv(finished.folder / f"results/tiny/tables/{name}.csv")
            for name in ("importance", "retrieval", "classifier", "rho", "rho_sweep")
        }
        shown = ["weighted", "unweighted", "left", "right", "spoken"]
        shown += ["without left", "without right", "without spoken"]
        for name in ("retrieval", "classifier"):
            rows = tables[name].to_pylist()
            # Known noise: retrieval has what weighting by it would give. And the shared parts.
            more = ["oracle", "shared", "shared_unweighted", *(f"shared_{m}" for m in shown[2:5])]
            wanted = shown + (more if name == "retrieval" else [])
            assert [r["representation"] for r in rows if r["model"] == "IMA+"] == wanted
            value = "precision_no_shared" if name == "retrieval" else "accuracy"
            of = {(r["model"], r["representation"]): r[value] for r in rows}
            assert of["chance", "joint"] < 0.25 < 0.3 < of["raw", "joint"]
            assert "paper" not in tables[name].column_names
        assert len(tables["rho"]) == 3 and len(tables["rho_sweep"]) == 6
        assert "f1_noise" in tables["importance"].column_names

    def test_trust_and_the_least_important(self, finished):
        run = finished.folder / "results/tiny"
        rows = pyarrow.csv.read_csv(run / "tables/trust.csv").to_pylist()
        assert [row["modality"] for row in rows] == ["left", "right", "spoken"]
        assert all(0 < row["p"] <= 1 and row["agreement_seeds"] in (None, "") for row in rows)
        weighting = pyarrow.csv.read_csv(run / "tables/weighting.csv").to_pylist()
        assert weighting[0]["criterion"] == "Precision@5" and len(weighting) == 2
        assert weighting[0]["low"] <= weighting[0]["difference"] <= weighting[0]["high"]
        assert (run / "trust.md").read_text().startswith("# Can the importances of the run tiny")
        least = pyarrow.csv.read_csv(run / "tables/least_important.csv").to_pylist()
        assert len(least) == 60 and {row["noise"] for row in least} <= {"yes", "no"}
        assert all(row["id"] == row["partners"].split("; ")[0].split(": ")[1] for row in least)
        for form in ("pdf", "png"):
            assert (run / f"figures/own_items.{form}").stat().st_size > 5_000

    def test_the_checkpoint_is_the_librarys(self, finished):
        from ima import IMA

        run = finished.folder / "results/tiny/own/latent3_seed0"
        model = IMA.load(run / "model.safetensors")
        pairs = pq.read_table(run / "representations.parquet").slice(0, 20)
        x = {}
        for name in ("left", "right", "spoken"):
            table = pq.read_table(finished.folder / f"results/example/{name}.parquet")
            row = {i: n for n, i in enumerate(table["id"].to_pylist())}
            rows = [row[i] for i in pairs[f"id_{name}"].to_pylist()]
            x[name] = np.array(table["x"].to_pylist())[rows]
        z = np.array(pairs["z"].to_pylist())
        np.testing.assert_allclose(model.transform(x), z, rtol=1e-3, atol=1e-4)
        for name, importance in model.importance(x).items():
            y = np.array(pairs[f"y_{name}"].to_pylist())
            np.testing.assert_allclose(importance, y, rtol=1e-4, atol=1e-5)
        assert list(model.scales_) == ["spoken"]  # of loss sse: raw vectors are standardized
        raw = x | {"spoken": 2 * x["spoken"] + 1}
        assert np.abs(model.transform(raw) - z).max() > 0.01
        # Any subset of the modalities has a representation.
        assert model.transform({"right": x["right"], "spoken": x["spoken"]}).shape == (20, 3)

    def test_nothing_after_nothing(self, finished):
        assert finished.plan("own").running() == set()

    def test_what_needs_labels_or_noise_is_left_out_without(self, finished):
        """And by label or from a file, the same rules make the pairs."""
        without = example(modalities=files(), pairs={"by": "id"})
        labelled = example(modalities=files(label="digit"), pairs={"by": "label"})
        listed = {"by": "file", "file": "results/example/left.parquet"}
        listed |= {"columns": dict.fromkeys(files(), "id"), "label": "digit"}
        wanted = [without, labelled, example(modalities=files(), pairs=listed)]
        wanted.append(example(modalities=files(label="digit"), compare=["pca", "infonce"]))
        found = plans([(finished.folder, config) for config in wanted], ["own"])
        rules = [plan.rules() for plan in found]
        assert LABELLED & rules[0] == set() and rules[1] == rules[2] >= LABELLED
        assert rules[1] - rules[0] == LABELLED | {"represent"} - rules[0]
        assert rules[3] - rules[1] == {"peer", "own_compare"}
        assert len(found[3].of_rules(["peer"])) == 2
        assert not {"features_image", "mfcc", "pairs", "noise_image"} & rules[1]

    def test_what_reruns_after_a_change(self, finished):
        """A column of one modality, the way of pairing, shares; and what nothing follows from."""
        column, pairs, shares, k = (example() for _ in range(4))
        column["own"]["modalities"]["right"]["label"] = "digit"
        pairs["own"]["pairs"] = {"by": "label"}
        for modality in pairs["own"]["modalities"].values():
            modality["label"] = "digit"
        shares["own"]["shares"] = {"validation": 0.3}
        k["retrieval"]["k"] = [7]
        changed = [(finished.folder, config) for config in (column, pairs, shares, k)]
        found = [plan.running() for plan in plans(changed, ["own"])]
        features = [{name[1] for name in runs if name[0] == "own_features"} for runs in found]
        right = {("modality", "right")}
        assert features == [right, right | {("modality", "spoken")}, set(), set()]
        rules = [{name[0] for name in runs} for runs in found]
        assert all({"own_pairs", "autoencoder", "own_maps"} <= some for some in rules[:3])
        assert not any("own_example" in some for some in rules)
        assert rules[3] == {"scores", "anchors", "own_retrieval", "own_trust", "own"}

    def test_without_labels_or_noise_to_the_end(self, finished):
        kept, finished.config = (
            finished.config,
            example(
                modalities={m: v for m, v in files().items() if m != "right"}, pairs={"by": "id"}
            ),
        )
        for section in (finished.config["model"], finished.config["importance"]["rho"]):
            section.pop("right")
        finished.config["run"] = "plain"
        try:
            finished.snakemake("own", forked=True)
        finally:
            finished.config = kept
        run = finished.folder / "results/plain"
        table = pyarrow.csv.read_csv(run / "tables/importance.csv")
        assert table["modality"].to_pylist() == ["left", "spoken"]
        for name in ("importance", "rho", "rho_sweep"):
            columns = pyarrow.csv.read_csv(run / f"tables/{name}.csv").column_names
            assert not [c for c in columns if "noise" in c or "f1" in c]
        assert not (run / "tables/retrieval.csv").exists()
        assert not (run / "figures/own_items.png").exists()  # no `show`
        assert len(pyarrow.csv.read_csv(run / "tables/weighting.csv")) == 1
        rows = pq.read_table(run / "own/latent3_seed0/representations.parquet")
        assert set(rows["label"].to_pylist()) == {""}

    def test_mixture_needs_no_rho(self, finished):
        """Nor makes it a sweep over rho; folds of a changed stage 1 are trained again."""
        kept, config = finished.config, example()
        config |= {"run": "mixture", "variants": ["mixture"]}
        config["ima"] = {"mixture": {"importance": {"steps": 20, "folds": 3, "rounds": 1}}}
        del config["importance"]["rho"]
        finished.config = config
        names = ("importance.csv", "trust.csv", "retrieval.csv")
        try:
            planned = finished.plan("own").rules()
            tables = [f"results/mixture/tables/{name}" for name in names]
            finished.snakemake(*tables, forked=True)
            config["autoencoder"]["batch_size"] = 32
            again = finished.plan("own").rules()
        finally:
            finished.config = kept
        tables = finished.folder / "results/mixture/tables"
        table = pyarrow.csv.read_csv(tables / "importance.csv")
        assert all(0 <= y <= 1 for y in table["mean_importance"].to_pylist())
        trust = pyarrow.csv.read_csv(tables / "trust.csv")
        assert all(0 < share <= 1 for share in trust["agreement_folds"].to_pylist())
        assert (tables / "retrieval.csv").exists()
        assert "own_importance" in planned and "own_rho" not in planned
        assert {"autoencoder", "importance"} <= again

    @pytest.mark.parametrize(
        ("config", "says"),
        [
            (example(modalities={"left": {"file": "a"}}), "at least two modalities"),
            (example(pairs={"by": "name"}), "expected one of 'id', 'label', 'file', found 'name'"),
            (merged(example(), {"model": {"rigth": {"hidden": 9, "loss": "sse"}}}), "spell"),
            ({"run": "none"}, "config/own.yaml"),
        ],
        ids=["one", "way", "typo", "none"],
    )
    def test_a_config_that_cannot_be(self, checkout, config, says):
        with pytest.raises(RuntimeError) as error:
            plans([(checkout.folder, config)], ["own"])
        assert says in str(error.value)

    def test_the_comparison_shows_a_latent_size_that_it_has(self, checkout):
        """That of the other figures, or else the first: a copied config may change only latents."""
        configs = [example(compare=["pca"]) | {"latents": latents} for latents in ([4, 5], [4, 3])]
        found = plans([(checkout.folder, config) for config in configs], ["own_compare"])
        shown = [plan.of_rules(["own_compare"])[0]["params"]["latent"] for plan in found]
        assert shown == [4, 3]

    def test_a_wrong_file_ends_with_what_to_do(self, finished):
        kept, finished.config = finished.config, example(modalities=files(vector="pixels"))
        finished.config["run"] = "wrong"
        try:
            done = finished.snakemake("own", check=False)
        finally:
            finished.config = kept
        assert done.returncode != 0
        line = next(x for x in done.stderr.splitlines() if "error in rule own_features" in x)
        assert "expected a column 'pixels'" in line and "Name the column in the config" in line


def test_every_command_of_the_docs_is_run_here():
    text = (ROOT / "docs/own_data.md").read_text()
    commands = {line.strip() for line in text.splitlines() if line.startswith("    snakemake")}
    assert commands == {"snakemake --cores 8 own --configfile config/own.yaml"}
