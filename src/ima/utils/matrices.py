"""Matrices that may be larger than memory: float32 numbers in files that the system maps.

The system reads the pages of a mapped file when they are used, and drops them when memory is short.
A mapped matrix is used as any other, but operations on all its rows go through it in blocks.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ima.utils.arrow import conform, matrix
from ima.utils.atomic_files import whole_file
from ima.utils.errors import InputError
from ima.utils.io import ARROW, read_parquet, readable, tightened
from ima.utils.schemas import VECTOR

#: Bytes beyond which a new matrix or table is in a file.
LIMIT = 1 << 29
#: Maximum number of rows of a block, and of its bytes.
ROWS, BYTES = 1 << 16, 1 << 27


def empty(rows: int, width: int) -> np.ndarray:
    """Return a float32 matrix (rows, width) with arbitrary values, to be filled.

    Beyond LIMIT bytes, it is in a file of the folder for temporary files (TMPDIR), which has no
    name and vanishes with the matrix.

    Raises:
        OSError: the disk has no room for the file.
    """
    size = 4 * rows * width
    if size <= LIMIT:
        return np.empty((rows, width), np.float32)
    with tempfile.TemporaryFile() as file:
        file.truncate(size)
        if hasattr(os, "posix_fallocate"):  # a disk that is full later would stop the process
            os.posix_fallocate(file.fileno(), 0, size)
        return np.memmap(file, np.float32, "r+", shape=(rows, width))


def blocks(rows: int, width: int) -> Iterator[slice]:
    """Yield slices of a matrix (rows, width), of at most ROWS rows and BYTES bytes each."""
    step = min(ROWS, max(1, BYTES // (4 * max(1, width))))
    yield from (slice(start, start + step) for start in range(0, rows, step))


def chosen_rows(x: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the chosen rows (a mask) of x (n, D); x itself if these are all."""
    if chosen.all():
        return x
    rows = np.flatnonzero(chosen)
    part = empty(len(rows), x.shape[1])
    for block in blocks(*part.shape):
        part[block] = x[rows[block]]
    return part


def as_table(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """Return batches as a table, which beyond LIMIT bytes is in a file, as in `empty`."""
    kept, size, rest = [], 0, iter(batches)
    for batch in rest:
        kept.append(batch)
        size += batch.nbytes
        if size > LIMIT:
            break
    else:
        return pa.Table.from_batches(kept, schema)
    with tempfile.NamedTemporaryFile() as file:
        # The format of streams allows each batch its own dictionary.
        with pa.ipc.new_stream(file, schema) as writer:
            while kept:
                writer.write_batch(kept.pop(0))
            for batch in rest:
                writer.write_batch(batch)
        file.flush()
        with pa.memory_map(file.name) as source:
            return pa.ipc.open_stream(source).read_all()


def write_arrow(table: pa.Table, path: str | Path, schema: pa.Schema) -> None:
    """Write a table to an Arrow file as a single batch, whose vectors `read_matrix` maps.

    Args:
        table: the table, which keeps its metadata. Vectors of a mapped matrix are written without a
            copy in memory.
        path: the output file; its name ends with ARROW.
        schema: as in `ima.utils.io.write_parquet`.

    Raises:
        InputError: as in `ima.utils.io.write_parquet`.
    """
    about, table = table.schema.metadata, tightened(conform(table, schema, path))
    columns = [c.chunk(0) if c.num_chunks == 1 else c.combine_chunks() for c in table.columns]
    batch = pa.RecordBatch.from_arrays(columns, schema=table.schema.with_metadata(about))
    options = pa.ipc.IpcWriteOptions(allow_64bit=True)  # of 2^31 numbers and more
    with (
        whole_file(path) as temporary,
        pa.ipc.new_file(str(temporary), batch.schema, options=options) as writer,
    ):
        writer.write_batch(batch)


def read_matrix(paths: Sequence[str | Path], column: str = "x") -> np.ndarray:
    """Stack a vector column of several files into one float32 matrix (n, D).

    Args:
        paths: one Arrow file, which is mapped, or Parquet files, which are read some rows at a time
            into a matrix of `empty`, stacked in this order.
        column: the name of the vector column.

    Raises:
        InputError: the widths differ, or an error of `ima.utils.io.read_parquet` or
            `ima.utils.arrow.matrix`.
    """
    if len(paths) == 1 and str(paths[0]).endswith(ARROW):
        return _mapped(paths[0], column)
    shapes = [_shape(path, column) for path in paths]
    for path, (_, width) in zip(paths, shapes, strict=True):
        if width != shapes[0][1]:
            raise InputError(
                path,
                expected=f"vectors of {shapes[0][1]} values as in {paths[0]}",
                found=f"{width} values",
            )
    x, start = empty(sum(rows for rows, _ in shapes), shapes[0][1]), 0
    for path in paths:
        for part in read_vectors(path, column):
            x[start : start + len(part)] = part
            start += len(part)
    return x


def read_vectors(path: str | Path, column: str = "x") -> Iterator[np.ndarray]:
    """Yield a vector column of a Parquet file in matrices (n, D) of the size of `blocks`.

    Raises:
        InputError: as in `read_matrix`.
    """
    rows, width = _shape(path, column)
    step = next(blocks(max(1, rows), width)).stop
    with readable(path), pq.ParquetFile(path, memory_map=True) as file:
        for batch in file.iter_batches(step, columns=[column]):
            yield _vectors(pa.Table.from_batches([batch]), path, column)


def _shape(path: str | Path, column: str) -> tuple[int, int]:
    """Return the shape (n, D) of a Parquet file's vectors, and check its ids, if it has any."""
    with readable(path), pq.ParquetFile(path) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    names = {"id": pa.string(), column: VECTOR}
    known = {*schema.names, column}
    fields = [pa.field(n, kind, nullable=False) for n, kind in names.items() if n in known]
    found = conform(schema.empty_table(), pa.schema(fields), path)
    if len(fields) > 1:
        read_parquet(path, pa.schema(fields[:1]))
    return rows, found.schema.field(column).type.list_size


def _mapped(path: str | Path, column: str) -> np.ndarray:
    """Return the vectors of an Arrow file of one batch; what is written to them stays in memory."""
    read_parquet(path)
    with pa.memory_map(str(path)) as source:
        whole = source.read_buffer()
        file = pa.ipc.open_file(whole)
        x = _vectors(file.read_all(), path, column)
        at = x.ctypes.data - whole.address
        if not x.size or not 0 <= at < whole.size:  # several batches, or compressed
            return x
        return np.memmap(path, np.float32, "c", at, x.shape)


def _vectors(table: pa.Table, path: str | Path, column: str) -> np.ndarray:
    """Return the vectors (n, D) of a table, which are at least valid numbers."""
    vectors = pa.field(column, VECTOR, nullable=False)
    table = conform(table, pa.schema([vectors]), path)
    try:
        return matrix(table, column)
    except InputError as error:
        raise InputError(path, expected=error.expected, found=error.found) from error
