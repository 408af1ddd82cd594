"""Matrices in files: the same numbers as in memory, and files that vanish."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from ima.utils import io, matrices
from ima.utils.arrow import vector_column
from ima.utils.errors import InputError
from ima.utils.matrices import read_matrix
from ima.utils.schemas import OWN_ITEMS
from tests.problems import features


def test_a_large_matrix_is_in_a_file_without_a_name(on_disk, tmp_path, monkeypatch):
    monkeypatch.setattr(matrices.tempfile, "tempdir", str(tmp_path))
    x = matrices.empty(4, 3)
    x[:] = np.arange(12).reshape(4, 3)
    assert isinstance(x, np.memmap) and x.sum() == 66
    assert not list(tmp_path.iterdir())
    maps = Path("/proc/self/maps").read_text().splitlines()
    assert [line.endswith("(deleted)") for line in maps if str(tmp_path) in line] == [True]
    monkeypatch.setattr(matrices, "LIMIT", 48)
    assert not isinstance(matrices.empty(4, 3), np.memmap)  # 48 bytes


def test_a_full_disk_is_an_error(on_disk, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        matrices.empty(4, 3)


def test_blocks_are_limited_in_rows_and_bytes(monkeypatch):
    monkeypatch.setattr(matrices, "ROWS", 3)
    assert list(matrices.blocks(7, 2)) == [slice(0, 3), slice(3, 6), slice(6, 9)]
    monkeypatch.setattr(matrices, "BYTES", 16)
    assert list(matrices.blocks(3, 2)) == [slice(0, 2), slice(2, 4)]
    assert list(matrices.blocks(2, 99)) == [slice(0, 1), slice(1, 2)]
    assert not list(matrices.blocks(0, 2))


def own_items(x):
    about = {"id": [f"{i}" for i in range(len(x))], "split": [""] * len(x), "label": [""] * len(x)}
    return pa.table({**about, "noise": [False] * len(x), "x": vector_column(x)})


X = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)


def test_vectors_of_an_arrow_file_are_mapped(tmp_path):
    path = tmp_path / "x.arrow"
    matrices.write_arrow(own_items(X), path, OWN_ITEMS)
    found = read_matrix([path])
    assert isinstance(found, np.memmap) and np.array_equal(found, X)
    found[0] = 0  # stays in memory
    table = io.read_parquet(path, OWN_ITEMS)
    assert table.to_pylist() == own_items(X).to_pylist()
    assert torch.from_numpy(found)[0].sum() == 0
    for content in (b"", b"text", path.read_bytes()[:-20]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"x\.arrow: expected an Arrow file, found some"):
            read_matrix([path])
    with pytest.raises(InputError, match="expected an Arrow file, found no file"):
        read_matrix([tmp_path / "y.arrow"])


def test_arrow_files_are_checked_as_parquet_is(tmp_path):
    path, table = tmp_path / "x.arrow", own_items(X)
    twice = table.set_column(0, "id", pa.array(["a"] * 7))
    for wrong, found in ((twice, "duplicates"), (own_items(X + np.inf), "NaN, Inf")):
        matrices.write_arrow(wrong, path, OWN_ITEMS)
        with pytest.raises(InputError, match=rf"x\.arrow.*found {found}"):
            read_matrix([path])


@pytest.mark.parametrize(("rows", "compression"), [(3, None), (9, "lz4")])
def test_an_arrow_file_that_cannot_be_mapped_is_read(tmp_path, rows, compression):
    table, options = own_items(X), pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(str(tmp_path / "x.arrow"), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows)
    assert np.array_equal(read_matrix([tmp_path / "x.arrow"]), X)


def test_a_table_on_disk_has_the_same_rows(on_disk):
    """Batches with dictionaries of their own, as row groups of Parquet have."""
    batches = [
        pa.record_batch({"n": [i, i + 1], "c": pa.array([w, w]).dictionary_encode()})
        for i, w in enumerate("abc")
    ]
    batches.insert(1, batches[0].slice(0, 0))
    found = matrices.as_table(iter(batches), batches[0].schema)
    assert found.to_pylist() == pa.Table.from_batches(batches).to_pylist()
    assert matrices.as_table([], batches[0].schema).num_rows == 0


def test_read_matrix_stacks_in_order(tmp_path):
    for name, value in (("a", 1), ("b", 2)):
        io.write_parquet(features(np.full((1, 2), value)), tmp_path / name)
    assert read_matrix([tmp_path / "b", tmp_path / "a"]).tolist() == [[2, 2], [1, 1]]


def test_read_matrix_rejects_different_widths(tmp_path):
    for name, width in (("a", 2), ("b", 3)):
        io.write_parquet(features(np.ones((1, width))), tmp_path / name)
    with pytest.raises(InputError, match=r"/b: expected vectors of 2 values as in .*/a, found 3"):
        read_matrix([tmp_path / "a", tmp_path / "b"])
    with pytest.raises(InputError, match="/a: expected a column 'y', found columns"):
        read_matrix([tmp_path / "a"], "y")


@pytest.mark.parametrize("name", ["x", "x.arrow"])
def test_read_matrix_of_what_is_no_file(tmp_path, name):
    path = tmp_path / name
    for make in (path.mkdir, lambda: path.symlink_to(path)):
        make()
        with pytest.raises(InputError, match=rf"/{name}: expected an? (Arrow|Parquet) file, found"):
            read_matrix([path])
        path.rmdir() if path.is_dir() else path.unlink()


def test_read_matrix_names_the_faulty_file(tmp_path):
    pq.write_table(features(np.full((1, 2), np.nan)), tmp_path / "a")
    with pytest.raises(InputError, match="/a: expected finite numbers only"):
        read_matrix([tmp_path / "a"])


def test_a_stack_on_disk_has_the_same_numbers(tmp_path, on_disk):
    for name, rows in (("a", slice(0, 5)), ("b", slice(5, 7))):
        io.write_parquet(features(X[rows]), tmp_path / name)
    found = read_matrix([tmp_path / "a", tmp_path / "b"])
    assert isinstance(found, np.memmap) and np.array_equal(found, X)
