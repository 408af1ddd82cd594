"""Reading and writing files: round trips, validation and atomic writes."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from ima.utils import io
from ima.utils.arrow import matrix
from ima.utils.errors import InputError
from ima.utils.schemas import FEATURES, pairs_schema, representations_schema
from tests.problems import features

SMALL = pa.schema([pa.field("n", pa.int8(), nullable=False), pa.field("s", pa.string())])


# Atomic writes


def test_whole_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    with io.whole_file(path) as temporary:
        temporary.write_text("new")
        assert not path.exists() and temporary.parent == path.parent
    assert path.read_text() == "new"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_whole_file_keeps_the_old_file_after_an_error(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="half way"), io.whole_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("half way")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_whole_file_raises_if_nothing_was_written(tmp_path):
    with pytest.raises(FileNotFoundError), io.whole_file(tmp_path / "file"):
        pass
    assert not list(tmp_path.iterdir())


# Parquet


def test_parquet_round_trip_of_features(tmp_path):
    x = np.arange(6, dtype=np.float32).reshape(2, 3) / 7
    io.write_parquet(features(x), tmp_path / "x.parquet", FEATURES)
    table = io.read_parquet(tmp_path / "x.parquet", FEATURES)
    assert table.schema.field("x").type == pa.list_(pa.float32(), 3)  # the width is filled in
    assert table.schema.field("label").type == pa.int8()  # cast without loss
    assert table["id"].to_pylist() == ["a/0", "a/1"]
    np.testing.assert_array_equal(matrix(table, "x"), x)


def test_parquet_keeps_the_width_of_an_empty_table(tmp_path):
    io.write_parquet(features(np.empty((0, 4), np.float32)), tmp_path / "x.parquet", FEATURES)
    assert matrix(io.read_parquet(tmp_path / "x.parquet", FEATURES), "x").shape == (0, 4)


def test_the_same_table_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        io.write_parquet(features(np.ones((2, 3))), tmp_path / name, FEATURES)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_write_parquet_rejects_nonconforming_tables(tmp_path):
    with pytest.raises(InputError, match=r"x\.parquet: expected a column 'n'"):
        io.write_parquet(pa.table({"s": ["x"]}), tmp_path / "x.parquet", SMALL)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"not parquet at all", None])
def test_read_parquet_rejects_other_files(tmp_path, content):
    path = tmp_path / "x.parquet"
    if content is not None:
        path.write_bytes(content)
    found = "no file" if content is None else "something else"
    with pytest.raises(InputError, match=rf"x\.parquet: expected a Parquet file, found {found}"):
        io.read_parquet(path)


def test_read_parquet_rejects_truncated_files(tmp_path):
    path = tmp_path / "x.parquet"
    io.write_parquet(features(np.ones((9, 3))), path, FEATURES)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="expected a Parquet file"):
        io.read_parquet(path)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["a", "b", "a"]}, "x, column 'id': expected unique ids, found duplicates"),
        (
            {"item_image": [0, -1]},
            "item_image': expected row numbers of 0 or more, found -1",
        ),
    ],
)
def test_read_parquet_rejects_invalid_values(tmp_path, columns, message):
    pq.write_table(pa.table(columns), tmp_path / "x")
    with pytest.raises(InputError, match=message):
        io.read_parquet(tmp_path / "x")


@pytest.mark.parametrize("column", ["id", "item_image"])
@pytest.mark.parametrize("value", [{"a": 1}, "text"])
def test_read_parquet_leaves_types_to_the_schema(tmp_path, column, value):
    pq.write_table(pa.table({column: [value]}), tmp_path / "x")
    assert io.read_parquet(tmp_path / "x").num_rows == 1
    with pytest.raises(InputError, match="x"):
        io.read_parquet(tmp_path / "x", pa.schema([(column, pa.float32())]))


# Parquet in parts


def part(n, start):
    table = features(np.zeros((n, 1))).drop_columns("x")
    ids = pa.array([f"{start}/{i}" for i in range(n)])
    return table.set_column(0, "id", ids), np.full((n, 3), start, np.float32)


def test_parquet_stream_joins_its_parts(tmp_path):
    path = tmp_path / "x.parquet"
    with io.ParquetStream(path, FEATURES) as stream:
        for n, value in ((2, 1), (3, 2)):
            table, x = part(n, value)
            stream.write(table, x=x)
            assert not path.exists()
    assert stream.rows == 5
    table = io.read_parquet(path, FEATURES)
    assert matrix(table, "x")[:, 0].tolist() == [1, 1, 2, 2, 2]
    assert table["id"].to_pylist() == ["1/0", "1/1", "2/0", "2/1", "2/2"]


@pytest.mark.parametrize("parts", [0, 1])
def test_parquet_stream_leaves_no_file_after_an_error(tmp_path, parts):
    path = tmp_path / "x.parquet"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="half way"), io.ParquetStream(path, FEATURES) as stream:
        for _ in range(parts):
            table, x = part(2, 1)
            stream.write(table, x=x)
        raise RuntimeError("half way")
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["x.parquet"]


def test_parquet_stream_rejects_zero_parts(tmp_path):
    with (
        pytest.raises(InputError, match=r"x\.parquet: expected rows to write, found none"),
        io.ParquetStream(tmp_path / "x.parquet", FEATURES),
    ):
        pass
    assert not list(tmp_path.iterdir())


# JSON and tensors


def test_json_round_trip(tmp_path):
    value = {"b": [1, 2.5, None], "a": {"x": "ü"}}
    io.write_json(value, tmp_path / "v.json")
    assert io.read_json(tmp_path / "v.json") == value
    assert list(json.loads((tmp_path / "v.json").read_text())) == ["a", "b"]  # sorted


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_write_json_rejects_nan(tmp_path, bad):
    (tmp_path / "v.json").write_text("1")
    with pytest.raises(ValueError, match="not JSON compliant"):
        io.write_json({"loss": bad}, tmp_path / "v.json")
    assert io.read_json(tmp_path / "v.json") == 1  # the old file is kept


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe"])
def test_read_json_rejects_other_files(tmp_path, content):
    (tmp_path / "v.json").write_bytes(content)
    with pytest.raises(InputError, match=r"v\.json: expected JSON"):
        io.read_json(tmp_path / "v.json")


def test_read_json_rejects_nan(tmp_path):
    (tmp_path / "v.json").write_text('{"loss": NaN}')
    with pytest.raises(InputError, match=r"v\.json: expected numbers valid in JSON, found NaN"):
        io.read_json(tmp_path / "v.json")


@pytest.mark.parametrize("content", ["[]", "3", '[{"a": 1}, {"b": 1}]', '{"b": 1}'])
def test_read_json_requires_its_keys(tmp_path, content):
    (tmp_path / "v.json").write_text(content)
    with pytest.raises(InputError, match=r"v\.json: expected an object with 'a', found "):
        io.read_json(tmp_path / "v.json", ["a"])
    (tmp_path / "v.json").write_text('[{"a": 1}]')
    assert io.read_json(tmp_path / "v.json", ["a"]) == [{"a": 1}]


def test_read_json_reports_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"v\.json: expected JSON, found no file"):
        io.read_json(tmp_path / "v.json")


def test_tensors_round_trip_with_config(tmp_path):
    weight = torch.arange(6.0).reshape(2, 3)
    tensors = {"w": weight.T, "grad": torch.nn.Parameter(weight), "n": torch.tensor(3)}
    config = {"rho": {"image": 0.8}, "seed": 0}
    io.write_tensors(tensors, tmp_path / "m.safetensors", config)
    back, found = io.read_tensors(tmp_path / "m.safetensors")
    assert found == config and back.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert torch.equal(back[name], tensor.detach()) and back[name].dtype == tensor.dtype


def test_tensors_are_as_readable_as_other_files(tmp_path):
    """safetensors' `save_file` writes a file of its own, for its owner alone, and renames it."""
    io.write_tensors({"w": torch.zeros(3)}, tmp_path / "m", {})
    (tmp_path / "other").touch()
    assert (tmp_path / "m").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_read_tensors_rejects_nan(tmp_path):
    io.write_tensors({"w": torch.tensor([1.0, torch.nan])}, tmp_path / "m", {})
    with pytest.raises(InputError, match="m, tensor 'w': expected finite numbers only"):
        io.read_tensors(tmp_path / "m")


def test_read_tensors_rejects_other_files(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "m.safetensors"
    with pytest.raises(InputError, match="a safetensors checkpoint"):
        io.read_tensors(path)
    path.write_bytes(b"not one")
    with pytest.raises(InputError, match="a safetensors checkpoint"):
        io.read_tensors(path)
    save_file({"w": torch.ones(1)}, path)
    with pytest.raises(InputError, match="with its config, found 'config'"):
        io.read_tensors(path)


# CSV


def test_names_that_look_like_numbers_are_text(tmp_path):
    table = pa.table({"run": ["007"], "variant": ["2"], "model": ["NA"], "k": [10]})
    io.write_csv(table, tmp_path / "t.csv")
    assert io.read_csv(tmp_path / "t.csv") == table


def test_write_csv_rounds_floats_and_leaves_nulls_empty(tmp_path):
    table = pa.table({"name": ["a", "b, c"], "n": [1, None], "x": [1 / 3, 2.0]})
    io.write_csv(table, tmp_path / "t.csv", digits=3)
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert [line.replace('"', "") for line in lines] == ["name,n,x", "a,1,0.333", "b, c,,2"]
    assert '"b, c"' in lines[2]


def test_write_history_accepts_training_records(tmp_path):
    rows = [{"epoch": 0, "loss": torch.tensor(0.5)}, {"epoch": 1, "loss": np.float32(0.25)}]
    io.write_history(rows, tmp_path / "h.csv")
    lines = (tmp_path / "h.csv").read_text().replace('"', "").splitlines()
    assert lines == ["epoch,loss", "0,0.5", "1,0.25"]


# Schemas that depend on the modalities


def test_schemas_have_a_column_per_modality():
    pairs = pairs_schema(["image", "speech"])
    assert pairs.names == ["item_image", "item_speech", "label", "pair_type"]
    names = representations_schema(["image", "speech", "text"]).names
    assert names[:2] == ["z", "z_unweighted"]
    assert names[2:] == ["u_image", "u_speech", "u_text", "y_image", "y_speech", "y_text"]
    # Columns of a modality that a pair may lack.
    assert [field.name for field in pairs if field.nullable] == ["item_image", "item_speech"]
