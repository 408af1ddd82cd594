"""A user's own files: each format, how vectors, ids and labels are named, and what is told."""

import gzip
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from ima.datasets.user import read_items
from ima.datasets.user_files import read_table
from ima.datasets.user_vectors import chosen, names_of
from ima.utils import matrices
from ima.utils.arrow import matrix
from ima.utils.errors import InputError
from ima.utils.io import read_parquet
from ima.utils.schemas import OWN_ITEMS
from ima.utils.trees import parts_of

#: Three items of two dimensions.
X = np.array([[0, 0.5], [1, 0.25], [0, 1]], np.float32)
IDS = ["007", "a", "b"]
WIDE = pd.DataFrame({"id": IDS, "pix_0": X[:, 0], "pix_1": X[:, 1], "digit": [1.0, None, 3.0]})
NAMED = {"vector": "pix_*", "label": "digit"}


def parquet(path):
    WIDE.to_parquet(path)


def csv(path):
    path.write_bytes(b"\xef\xbb\xbf" + WIDE.to_csv(index=False).encode())  # with a BOM


def tsv_gz(path):
    path.write_bytes(gzip.compress(WIDE.to_csv(index=False, sep="\t").encode()))


def npz(path):
    np.savez(path, id=np.array(IDS), x=X, digit=np.array([1.0, np.nan, 3.0]))


def folder(path):
    path.mkdir()
    pq.write_table(pa.Table.from_pandas(WIDE[:2]), path / "part-0.parquet")
    pq.write_table(pa.Table.from_pandas(WIDE[2:]), path / "part-1.parquet")
    for hidden in (".part-2.parquet", "_part-3.parquet"):
        (path / hidden).write_text("half written")


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("items.parquet", parquet),
        ("items", parquet),
        ("items.feather", WIDE.to_feather),
        ("items.arrow", WIDE.to_feather),
        ("items.csv", csv),
        ("items.tsv.gz", tsv_gz),
        ("items.npz", npz),
        ("folder", folder),
    ],
)
def test_every_format_gives_the_same_items(tmp_path, name, write):
    write(tmp_path / name)
    columns = NAMED if name != "items.npz" else {"label": "digit"}
    table = read_items(tmp_path / name, columns, "bce")
    assert table["id"].to_pylist() == IDS  # also of a CSV file, where 007 would be 7
    assert table["x"].to_pylist() == X.tolist()
    assert table["label"].to_pylist() == ["1", "", "3"]


def test_an_arrow_stream(tmp_path):
    with pa.ipc.new_stream(tmp_path / "s.arrow", pa.schema([("x", pa.list_(pa.int8()))])) as out:
        out.write_table(pa.table({"x": pa.array([[1, 2]], pa.list_(pa.int8()))}))
    assert read_items(tmp_path / "s.arrow", {}, "sse")["x"].to_pylist() == [[1, 2]]


def test_a_matrix_has_row_numbers_for_ids(tmp_path):
    np.save(tmp_path / "x.npy", X.reshape(3, 1, 2))
    table = read_items(tmp_path / "x.npy", {}, "bce")
    assert table["id"].to_pylist() == ["0", "1", "2"] and table["x"].to_pylist() == X.tolist()
    np.save(tmp_path / "one.npy", X[:, 1])
    assert read_items(tmp_path / "one.npy", {}, "bce")["x"].to_pylist() == [[0.5], [0.25], [1]]
    np.savez(tmp_path / "a.npz", X=X, y=[1, 2, 3])  # the only matrix, whatever its name
    assert read_items(tmp_path / "a.npz", {"label": "y"}, "bce")["x"].to_pylist() == X.tolist()


@pytest.mark.parametrize("wide", [True, False])
def test_files_larger_than_memory_give_the_same_items(tmp_path, caplog, monkeypatch, wide):
    """Seven items, the fourth without a vector, in two files of row groups of two."""
    x = np.random.default_rng(0).random((7, 3)).astype(np.float32)
    x[3] = np.nan
    vectors = {f"v{d}": x[:, d] for d in range(3)}
    if not wide:
        vectors = {"x": [None if np.isnan(v).any() else v for v in x]}
    table = pa.table({"id": [*"abcdefg"], "kind": [*"uuvvwww"], **vectors})
    kinds = table["kind"].dictionary_encode()  # as of a categorical column of pandas
    (tmp_path / "items").mkdir()
    for name, part in (("1.parquet", slice(0, 4)), ("2.parquet", slice(4, 7))):
        rows = table.set_column(1, "kind", kinds)[part]
        pq.write_table(rows, tmp_path / "items" / name, row_group_size=2)
    columns = {"vector": "v*" if wide else "x", "label": "kind"}
    read = [read_items(tmp_path / "items", columns, loss, False) for loss in ("sse", "bce")]
    monkeypatch.setattr(matrices, "LIMIT", 0)
    monkeypatch.setattr(matrices, "ROWS", 3)
    mapped = [read_items(tmp_path / "items", columns, loss, False) for loss in ("sse", "bce")]
    assert read == mapped and read[0]["id"].to_pylist() == [*"abcefg"]
    assert np.array_equal(matrix(mapped[0], "x"), x[[0, 1, 2, 4, 5, 6]])
    # Control: a value of the last block that is wrong is found.
    last = {**table.to_pylist()[6], "v2": 2.0, "x": [0, 0, 2.0]}
    wrong = [*table.to_pylist()[:6], last]
    pq.write_table(pa.Table.from_pylist(wrong, table.schema), tmp_path / "wrong")
    with pytest.raises(InputError, match=r"found 2 in item 'g'"):
        read_items(tmp_path / "wrong", columns, "bce")


def test_the_files_of_a_folder_are_what_a_rule_depends_on(tmp_path):
    folder(tmp_path / "f")
    found = [path.rpartition("/")[2] for path in parts_of(tmp_path / "f")]
    assert found == ["part-0.parquet", "part-1.parquet"]
    assert parts_of(tmp_path / "not_made_yet.parquet") == [str(tmp_path / "not_made_yet.parquet")]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="a folder of Parquet files, found a folder without"):
        read_table(tmp_path / "empty")


# Vectors

NAMES = ["id", "pix_0", "pix_1", "z", "digit", "pix_id"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("z", ["z"]),
        ("pix_*", ["pix_0", "pix_1"]),
        (["z", "pix_[01]"], ["z", "pix_0", "pix_1"]),
        (["digit"], ["digit"]),  # by its name, whatever else it is
        ("all", ["pix_0", "pix_1", "z"]),
        ({"all_but": "pix_*"}, ["z"]),
        ({"all_but": ["z", "digit"]}, ["pix_0", "pix_1"]),
    ],
    ids=str,
)
def test_columns_by_name_pattern_and_all_but(wanted, found):
    assert chosen(NAMES, wanted, {"id", "digit", "pix_id"}, "f") == found


@pytest.mark.parametrize("wanted", ["x", "p?", ["z", "y"], {"all_but": "y"}, {"all_but": "*"}])
def test_columns_that_are_not_there(wanted):
    with pytest.raises(InputError, match="Name the column in the config"):
        chosen(NAMES, wanted, {"id"}, "f")


@pytest.mark.parametrize("wanted", ["x", "p?", ["y"], "all", {"all_but": "*"}], ids=str)
def test_all_columns_are_proposed_for_missing_ones(wanted):
    with pytest.raises(InputError) as error:
        chosen(NAMES[:1], wanted, {"id"}, "f")
    proposed = wanted != "all" and not isinstance(wanted, dict)
    assert ("under `own`, or write vector: all." in error.value.do) == proposed


def numbers(**columns):
    return pd.DataFrame({f"v{i}": np.arange(3.0) + i / 8 for i in range(6)} | columns)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (numbers(v2=[1, np.nan, 2]), r"in 1 items, e\.g\. '1', in v2\. Fill"),
        (
            numbers(**{f"v{i}": [np.nan, 1, np.inf] for i in range(1, 6)}),
            r"in 2 items, e\.g\. '0', in v1, v2, v3 and 2 more\.",
        ),
        (
            numbers(v1=["0,53", "1,5", "2,0"]),
            r"column 'v1': expected numbers, found text such as '0,53' \(a decimal comma\?\)\. ",
        ),
        (numbers(v1=["a,1", "1,5", "2,0"]), "found string in 'v1'"),  # no number
    ],
    ids=["nan", "several", "comma", "text"],
)
def test_columns_at_fault_are_named(tmp_path, frame, says):
    frame.to_csv(tmp_path / "f.csv", index=False, sep=";")
    with pytest.raises(InputError, match=says):
        read_items(tmp_path / "f.csv", {"vector": "v*"}, "sse")


def test_names_of_columns_are_kept_in_an_arrow_file(tmp_path):
    numbers().to_csv(tmp_path / "f.csv", index=False)
    read = read_items(tmp_path / "f.csv", {"vector": ["v1", "v0"]}, "sse")
    assert names_of(read) == ["v1", "v0"]
    matrices.write_arrow(read, tmp_path / "f.arrow", OWN_ITEMS)
    assert names_of(read_parquet(tmp_path / "f.arrow", OWN_ITEMS)) == ["v1", "v0"]


@pytest.mark.parametrize("suffix", [".xlsx", ".txt", ".pkl", ".json", ""])
def test_unknown_suffixes(tmp_path, suffix):
    path = tmp_path / f"f{suffix}"
    path.write_text("neither")
    found = f"the unknown suffix {suffix}" if suffix else "no suffix"
    with pytest.raises(InputError) as error:
        read_table(path)
    assert str(error.value) == (
        f"{path}: expected a file of a known format, found {found}. "
        "Save it as CSV, Parquet or NumPy."
    )
    path.write_bytes(b"PAR1 of an interrupted copy")  # Parquet, whatever the suffix
    with pytest.raises(InputError, match="expected a Parquet file"):
        read_table(path)


def test_the_reason_ends_with_one_full_stop(tmp_path):
    (tmp_path / "f.parquet").write_text("no Parquet file")
    with pytest.raises(InputError) as error:
        read_table(tmp_path / "f.parquet")
    assert ".." not in str(error.value).replace(str(tmp_path), "")


@pytest.mark.parametrize(("name", "save"), [("f.npy", np.save), ("f.npz", np.savez)])
def test_arrays_of_objects(tmp_path, name, save):
    save(tmp_path / name, np.array([["a", None]], object))
    with pytest.raises(
        InputError, match=r"expected numbers, found objects \(text or None\)\. Save"
    ):
        read_table(tmp_path / name)


def test_a_wide_table_of_many_columns_and_kinds(tmp_path):
    names = [f"g{i}" for i in range(3000)]
    frame = pd.DataFrame(np.eye(4, 3000, dtype=int), columns=names, index=["p", "q", "r", "s"])
    frame["g1"] = frame["g1"].astype(bool)
    frame.to_csv(tmp_path / "wide.csv")
    table = read_items(tmp_path / "wide.csv", {"vector": "all"}, "sse")
    assert table["id"].to_pylist() == ["p", "q", "r", "s"]  # the column without a name
    assert np.array(table["x"].to_pylist()).tolist() == np.eye(4, 3000).tolist()
    frame["why"] = "text"
    frame.to_csv(tmp_path / "wide.csv")
    with pytest.raises(InputError, match=r"found string in 'why'.*all_but"):
        read_items(tmp_path / "wide.csv", {"vector": "all"}, "sse")


def test_an_item_without_any_number_lacks_the_modality(tmp_path, caplog):
    frame = pd.DataFrame({"id": "abc", "u": [1, None, 3], "v": [1, None, 3]})
    frame["id"] = list("abc")
    frame.to_csv(tmp_path / "f.csv", index=False)
    table = read_items(tmp_path / "f.csv", {"vector": ["u", "v"]}, "sse")
    assert table["id"].to_pylist() == ["a", "c"] and "1 of 3 items have no vector" in caplog.text
    frame.loc[1, "u"] = 2  # half of it is there
    frame.to_csv(tmp_path / "f.csv", index=False)
    with pytest.raises(InputError, match=r"or too large values in 1 items, e\.g\. 'b'"):
        read_items(tmp_path / "f.csv", {"vector": ["u", "v"]}, "sse")
    pq.write_table(pa.table({"x": [[1.0], None]}), tmp_path / "l.parquet")
    assert read_items(tmp_path / "l.parquet", {}, "sse")["id"].to_pylist() == ["0"]
    pq.write_table(pa.table({"x": pa.array([None, None], pa.float32())}), tmp_path / "n.parquet")
    with pytest.raises(InputError, match="none in any item"):
        read_items(tmp_path / "n.parquet", {}, "sse")


# Ids and labels


@pytest.mark.parametrize("name", [None, "sample"])
@pytest.mark.parametrize("form", ["parquet", "feather"])
def test_ids_from_an_index(tmp_path, name, form):
    frame = pd.DataFrame({"u": [1, 2], "v": [3, 4]}, index=pd.Index(["p", "q"], name=name))
    pa_table = pa.Table.from_pandas(frame)
    if form == "parquet":
        pq.write_table(pa_table, tmp_path / "f.parquet")
    else:
        pa.feather.write_feather(pa_table, tmp_path / "f.feather")
    for columns in ({"id": "index"}, {}):
        table = read_items(tmp_path / f"f.{form}", {**columns, "vector": "all"}, "sse")
        assert table["id"].to_pylist() == ["p", "q"]
        assert table["x"].to_pylist() == [[1, 3], [2, 4]]  # without the index


def test_an_index_that_is_none(tmp_path):
    frame = pd.DataFrame({"x": [1, 2, 3]})
    frame.to_parquet(tmp_path / "f.parquet")
    assert read_items(tmp_path / "f.parquet", {}, "sse")["id"].to_pylist() == ["0", "1", "2"]
    frame[1:].to_parquet(tmp_path / "f.parquet")  # rows 1 and 2 of a frame
    assert read_items(tmp_path / "f.parquet", {}, "sse")["id"].to_pylist() == ["1", "2"]
    frame.to_parquet(tmp_path / "f.parquet")
    with pytest.raises(InputError, match="an index of ids"):
        read_items(tmp_path / "f.parquet", {"id": "index"}, "sse")
    frame.index = pd.MultiIndex.from_tuples([(0, 1), (0, 2), (1, 1)])
    frame.to_parquet(tmp_path / "f.parquet")
    with pytest.raises(InputError, match="one level, found 2"):
        read_items(tmp_path / "f.parquet", {}, "sse")


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        ([True, False, None], ["true", "false", ""]),
        ([3.0, 0.0, None], ["3", "0", ""]),
        ([3, None, -1], ["3", "", "-1"]),
        (["cat", None, ""], ["cat", "", ""]),
    ],
    ids=str,
)
def test_labels_of_every_kind(tmp_path, labels, read):
    pq.write_table(pa.table({"x": [1, 2, 3], "l": labels}), tmp_path / "f.parquet")
    assert read_items(tmp_path / "f.parquet", {"label": "l"}, "sse")["label"].to_pylist() == read


def test_text_as_views_into_it(tmp_path):
    """As polars writes it to Arrow files."""
    columns = {name: pa.array(["a", "b"], pa.string_view()) for name in ("id", "l")}
    table = pa.table({"x": [1, 2], **columns})
    pyarrow.feather.write_feather(table, tmp_path / "f.feather", compression="uncompressed")
    items = read_items(tmp_path / "f.feather", {"label": "l"}, "sse")
    assert items["label"].to_pylist() == items["id"].to_pylist() == ["a", "b"]


def test_labels_of_no_item(tmp_path):
    pq.write_table(pa.table({"x": [1, 2], "l": [None, None]}), tmp_path / "f.parquet")
    with pytest.raises(InputError, match="at least one label, found none in 2 rows"):
        read_items(tmp_path / "f.parquet", {"label": "l"}, "sse")


@pytest.mark.parametrize("noise", [[True, False], [1, 0], [1.0, 0.0]], ids=str)
def test_noise_as_booleans_or_numbers(tmp_path, noise):
    pq.write_table(pa.table({"x": [1, 2], "n": noise}), tmp_path / "f.parquet")
    table = read_items(tmp_path / "f.parquet", {"noise": "n"}, "sse")
    assert table["noise"].to_pylist() == [True, False]


# AnnData and MuData


@pytest.mark.parametrize(("suffix", "package"), [("h5ad", "anndata"), ("h5mu", "mudata")])
def test_a_package_that_is_not_installed(tmp_path, monkeypatch, suffix, package):
    (tmp_path / f"f.{suffix}").write_text("")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf"the package {package}.* pip install {package}"):
        read_items(tmp_path / f"f.{suffix}", {}, "sse")


def annotated(anndata):
    from scipy.sparse import csr_array

    obs = pd.DataFrame({"type": pd.Categorical(["T", "B", None])}, index=["c1", "c2", "c3"])
    data = anndata.AnnData(csr_array(X), obs, pd.DataFrame(index=["CD3", "CD4"]))
    data.obsm["X_pca"], data.layers["log"] = X[:, :1], 2 * X
    return data


@pytest.mark.parametrize(
    ("vector", "x"),
    [(None, X), ("X", X), ("all", X), ("X_pca", X[:, :1]), ("log", 2 * X), (["CD4"], X[:, 1:])],
    ids=str,
)
def test_anndata(tmp_path, vector, x):
    anndata = pytest.importorskip("anndata")
    annotated(anndata).write_h5ad(tmp_path / "f.h5ad")
    columns = {"label": "type"} | ({} if vector is None else {"vector": vector})
    table = read_items(tmp_path / "f.h5ad", columns, "sse")
    assert table["id"].to_pylist() == ["c1", "c2", "c3"]
    assert table["label"].to_pylist() == ["T", "B", ""] and table["x"].to_pylist() == x.tolist()
    with pytest.raises(InputError, match=r"not among X, \['log', 'X_pca'\]"):
        read_items(tmp_path / "f.h5ad", {"vector": "X_umap"}, "sse")


def test_mudata(tmp_path):
    anndata, mudata = pytest.importorskip("anndata"), pytest.importorskip("mudata")
    one, two = annotated(anndata), annotated(anndata)[1:].copy()
    both = mudata.MuData({"rna": one, "protein": two})
    both.obs["batch"] = pd.Series({"c1": "p", "c2": "q", "c3": "p"})
    both.write(tmp_path / "f.h5mu")
    columns = {"modality": "protein", "label": "batch"}
    table = read_items(tmp_path / "f.h5mu", columns, "sse")
    assert table["id"].to_pylist() == ["c2", "c3"] and table["label"].to_pylist() == ["q", "p"]
    with pytest.raises(InputError, match=r"one of its modalities, \['rna', 'protein'\], found"):
        read_items(tmp_path / "f.h5mu", {"modality": "adt"}, "sse")


@pytest.mark.parametrize(("most", "rounded"), [(49, True), (599, True), (60_000, False)])
def test_times_that_32_bit_numbers_round(tmp_path, caplog, most, rounded):
    """A step of 128 s at 1.7e9 s: 49 s are one value, 599 s are six."""
    times = 1.7e9 + np.linspace(0, most, 30)
    pq.write_table(pa.table({"time": times, "v": np.arange(30.0)}), tmp_path / "f.parquet")
    read_items(tmp_path / "f.parquet", {"vector": "all"}, "sse", standardize=True)
    assert ("32-bit numbers round them: time. Subtract" in caplog.text) == rounded
