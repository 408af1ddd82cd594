"""Read and write the files exchanged between rules: Parquet, CSV, JSON and safetensors.

`ima.utils.matrices` reads and writes matrices that may be larger than memory.

Writers are atomic (`ima.utils.atomic_files.whole_file`). Readers validate against
`ima.utils.schemas` and report what was expected and what was found.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from ima.utils.arrow import conform, vector_column
from ima.utils.atomic_files import whole_file
from ima.utils.errors import InputError
from ima.utils.values import check_values

if TYPE_CHECKING:
    from torch import Tensor

#: Columns of tables whose values are names, even if they look like numbers.
NAMES = ("run", "variant", "model", "modality")
#: Suffix of Arrow files; files of other names are Parquet.
ARROW = ".arrow"
#: Maximum number of bytes of the vectors in a row group of a Parquet file.
GROUP = 1 << 28


def write_parquet(table: pa.Table, path: str | Path, schema: pa.Schema | None = None) -> None:
    """Write a table to a Parquet file.

    Args:
        table: the table.
        path: the output file.
        schema: columns, in order, and types to write; None writes the table as it is.

    Raises:
        InputError: a column is missing or cannot be cast without loss.
    """
    if schema is not None:
        table = tightened(conform(table, schema, path))
    with whole_file(path) as temporary:
        rows = _group(table.schema)
        pq.write_table(table, temporary, row_group_size=rows, **_options(table.schema))


def _group(schema: pa.Schema) -> int:
    """Return the number of rows of a row group, all of which are in memory when it is written."""
    widths = [f.type.list_size for f in schema if pa.types.is_fixed_size_list(f.type)]
    return min(1 << 20, max(1, GROUP // (4 * max(1, sum(widths)))))


def tightened(table: pa.Table) -> pa.Table:
    """Return a table in which only columns that contain nulls are declared nullable.

    Files without missing values are then identical whether or not the schema allows nulls.
    """
    pairs = zip(table.schema, table.columns, strict=True)
    fields = [field.with_nullable(column.null_count > 0) for field, column in pairs]
    return table.cast(pa.schema(fields))


def _options(schema: pa.Schema) -> dict[str, Any]:
    """Return the writer options: a dictionary would only make vector columns larger."""
    plain = [f.name for f in schema if not pa.types.is_nested(f.type)]
    return {"compression": "zstd", "use_dictionary": plain}


class ParquetStream:
    """Write a Parquet file in parts; it appears atomically when the context ends.

    Args:
        path: the output file.
        schema: the columns; the first part determines the width of the vectors.
    """

    def __init__(self, path: str | Path, schema: pa.Schema):
        self.path, self.schema, self.rows = path, schema, 0
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> "ParquetStream":
        self._file = whole_file(self.path)
        self._temporary = self._file.__enter__()
        return self

    def write(self, table: pa.Table, **vectors: np.ndarray) -> None:
        """Append the n rows of a table.

        Args:
            table: the scalar columns.
            vectors: a matrix (n, D) for each vector column, by name.
        """
        for name, values in vectors.items():
            table = table.append_column(name, vector_column(values))
        table = conform(table, self.schema, self.path)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._temporary, table.schema, **_options(table.schema))
        self._writer.write_table(table)
        self.rows += len(table)

    def __exit__(self, *error: Any) -> None:
        if self._writer is None and error[0] is None:
            error = (
                InputError,
                InputError(self.path, expected="rows to write", found="none"),
                None,
            )
            self._file.__exit__(*error)
            raise error[1]
        if self._writer is not None:
            self._writer.close()
        self._file.__exit__(*error)


def join_parquet(files: Sequence[str | Path], path: str | Path, schema: pa.Schema) -> int:
    """Write the rows of several files of a `ParquetStream` into one, in order; return their number.

    The result has the bytes that a single stream of all parts would have had.
    """
    with ParquetStream(path, schema) as stream:
        for part in map(pq.ParquetFile, files):
            for number in range(part.num_row_groups if part.metadata.num_rows else 0):
                stream.write(part.read_row_group(number))
    return stream.rows


def read_parquet(path: str | Path, schema: pa.Schema | None = None, rows: bool = False) -> pa.Table:
    """Read a Parquet file and validate it.

    Args:
        path: the file; if its name ends with ARROW, an Arrow file, whose content is mapped, and
            which keeps its metadata.
        schema: the required columns; None accepts any.
        rows: whether the table must have at least one row.

    Raises:
        InputError: the file has another format; a column is missing or has the wrong type; there
            are no rows although `rows` is set; or a value is invalid (a duplicate id, a negative
            row number, NaN or infinity: see `ima.utils.values.check_values`).
    """
    with readable(path):
        if str(path).endswith(ARROW):
            with pa.memory_map(str(path)) as source:
                table = pa.ipc.open_file(source).read_all()
            table.validate(full=True)  # a damaged file may refer to bytes beyond its end
        else:
            table = pq.read_table(path, columns=_columns(path, schema), memory_map=True)
    about = table.schema.metadata if str(path).endswith(ARROW) else None
    table = table if schema is None else conform(table, schema, path).replace_schema_metadata(about)
    check_values(table, path)
    if rows and not len(table):
        raise InputError(path, expected="rows", found="none")
    return table


def _columns(path: str | Path, schema: pa.Schema | None) -> list[str] | None:
    """Return the columns of a Parquet file to read; None for all, also if one is missing."""
    if schema is None or set(schema.names) - set(pq.read_schema(path).names):
        return None
    return schema.names


@contextmanager
def readable(path: str | Path) -> Iterator[None]:
    """Raise InputError instead of the errors of a Parquet or Arrow file that cannot be read."""
    expected = "an Arrow file" if str(path).endswith(ARROW) else "a Parquet file"
    try:
        yield
    except FileNotFoundError:
        raise InputError(path, expected=expected, found="no file") from None
    except (pa.ArrowInvalid, OSError) as error:  # OSError of a folder, or of a link to itself
        raise InputError(
            path,
            expected=expected,
            found=f"something else ({str(error).splitlines()[0]})",
            do="Delete it and rerun the rule that creates it.",
        ) from error


def vector_width(path: str | Path) -> int:
    """Return the width D of a file's vector column `x` without reading the data."""
    return pq.read_schema(path).field("x").type.list_size


def write_csv(table: pa.Table, path: str | Path, digits: int = 6) -> None:
    """Write a table as human-readable CSV.

    Args:
        table: the table; missing values become empty fields.
        path: the output file.
        digits: the number of decimals to which floats are rounded.
    """
    rounded = [
        pc.round(column, digits) if pa.types.is_floating(column.type) else column
        for column in table.columns
    ]
    options = csv.WriteOptions(quoting_style="needed")
    with whole_file(path) as temporary:
        csv.write_csv(pa.Table.from_arrays(rounded, table.column_names), temporary, options)


def read_csv(path: str | Path, columns: Sequence[str] = (), rows: bool = True) -> pa.Table:
    """Read a CSV file that has at least the given columns; those of NAMES are text.

    Args:
        path: the file.
        columns: names of the required columns.
        rows: whether at least one row is required.

    Raises:
        InputError: the file does not exist or is not CSV, or a column or the required row is
            missing.
    """
    options = csv.ParseOptions(newlines_in_values=True)
    try:
        convert = csv.ConvertOptions(column_types=dict.fromkeys(NAMES, pa.string()))
        table = csv.read_csv(path, parse_options=options, convert_options=convert)
        table.to_pylist()  # text is decoded only then
    except (OSError, pa.ArrowInvalid, UnicodeDecodeError) as error:
        expected = f"CSV with columns {list(columns)}" if columns else "a CSV table"
        raise InputError(path, expected=expected, found=error) from error
    if set(columns) - set(table.column_names):
        raise InputError(path, expected=f"columns {list(columns)}", found=table.column_names)
    if rows and not len(table):
        raise InputError(path, expected="at least one row", found="none")
    return table


def write_history(rows: Sequence[Mapping[str, Any]], path: str | Path) -> None:
    """Write a training history as CSV, one row per epoch (and per network trained in parallel)."""
    plain = [
        {name: value.item() if hasattr(value, "item") else value for name, value in row.items()}
        for row in rows
    ]
    write_csv(pa.Table.from_pylist(plain), path)


def write_json(value: object, path: str | Path) -> None:
    """Write a value as JSON with sorted keys and indentation.

    Raises:
        ValueError: the value contains NaN or infinity.
    """
    with whole_file(path) as temporary:
        temporary.write_text(
            json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n", "utf-8"
        )


def read_json(path: str | Path, keys: Sequence[str] | None = None) -> object:
    """Read a JSON file.

    Args:
        path: the file.
        keys: keys that the object, or each object of the list, must have; None accepts any JSON.

    Raises:
        InputError: the file does not exist, is not JSON, contains NaN or lacks a key.
    """

    def no_number(name: str) -> None:
        """Raise InputError for NaN or infinity, which Python accepts but JSON does not define."""
        raise InputError(path, expected="numbers valid in JSON", found=name)

    try:
        value = json.loads(Path(path).read_text("utf-8"), parse_constant=no_number)
    except FileNotFoundError:
        raise InputError(path, expected="JSON", found="no file") from None
    except (ValueError, RecursionError) as error:  # also of too long numbers
        if isinstance(error, InputError):
            raise
        raise InputError(path, expected="JSON", found=str(error)) from error
    rows = value if isinstance(value, list) else [value]
    for row in rows or [None]:
        for key in keys or ():
            if not isinstance(row, dict) or key not in row:
                raise InputError(path, expected=f"an object with '{key}'", found=str(row)[:100])
    return value


def read_rows(path: str | Path) -> list[dict[str, Any]]:
    """Read a JSON file that contains a non-empty list of objects.

    Raises:
        InputError: an error of `read_json`, or the content is not such a list.
    """
    rows = read_json(path)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(path, expected="a list of rows", found=str(rows)[:60])
    return rows


def write_tensors(
    tensors: Mapping[str, "Tensor"], path: str | Path, config: Mapping[str, Any]
) -> None:
    """Write tensors to a safetensors file with their config in its metadata.

    Args:
        tensors: tensors by name; they are moved to the CPU.
        path: the output file.
        config: the settings that produced the tensors, serialisable as JSON.
    """
    from safetensors.torch import save

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with whole_file(path) as temporary:
        text = json.dumps(config, sort_keys=True, default=_plain)
        # Its save_file writes under a name of its own first, which a killed run leaves behind, and
        # gives the file to its owner alone.
        temporary.write_bytes(save(plain, metadata={"config": text}))


def _plain(value: object) -> object:
    """Return a number of NumPy as one of Python, which JSON can write."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} in a config")


def read_tensors(path: str | Path) -> tuple[dict[str, "Tensor"], dict[str, Any]]:
    """Return the tensors of a safetensors file by name, and the config stored with them.

    Raises:
        InputError: the file is not safetensors, has no config, or contains NaN or infinity.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            config = json.loads((file.metadata() or {})["config"])
        if not isinstance(config, dict):
            raise ValueError(f"a config of type {type(config).__name__}")
    # A folder is an OSError; JSON of any depth, a RecursionError.
    except (SafetensorError, OSError, KeyError, ValueError, RecursionError) as error:
        raise InputError(
            path, expected="a safetensors checkpoint with its config", found=str(error)
        ) from error
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise InputError(
                f"{path}, tensor '{name}'", expected="finite numbers only", found="NaN or Inf"
            )
    return tensors, config
