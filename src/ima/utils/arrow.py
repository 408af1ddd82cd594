"""Conform Arrow tables to the schemas of `ima.utils.schemas`; convert columns and arrays."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ima.utils.errors import InputError

#: Number of values that are checked at once.
CHECKED = 1 << 24


def conform(table: pa.Table, schema: pa.Schema, where: object) -> pa.Table:
    """Return `table` with exactly the columns of `schema`, cast safely.

    A schema field of type `fixed_size_list<float32>[0]` accepts vectors of any width.

    Args:
        table: the table to convert; columns that the schema does not name are dropped.
        schema: the required columns, in order.
        where: the name of the table in error messages.

    Raises:
        InputError: a column is missing, cannot be cast without loss, or contains nulls that the
            schema does not allow.
    """
    columns, fields = [], []
    for field in schema:
        if field.name not in table.column_names:
            raise InputError(
                where, expected=f"a column '{field.name}'", found=f"columns {table.column_names}"
            )
        column = table[field.name]
        if any_width(field.type):
            if not pa.types.is_fixed_size_list(column.type):
                raise InputError(
                    f"{where}, column '{field.name}'",
                    expected="vectors (fixed_size_list<float32>)",
                    found=str(column.type),
                )
            field = field.with_type(pa.list_(pa.float32(), column.type.list_size))
        if column.type != field.type:
            try:
                column = column.cast(field.type)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise InputError(
                    f"{where}, column '{field.name}'", expected=str(field.type), found=str(error)
                ) from error
        if not field.nullable and column.null_count:
            raise InputError(
                f"{where}, column '{field.name}'",
                expected="no missing values",
                found=f"{column.null_count} of them",
            )
        columns.append(column)
        fields.append(field)
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def any_width(type_: pa.DataType) -> bool:
    """Return whether a schema type accepts vectors of any width (`ima.utils.schemas.VECTOR`)."""
    return pa.types.is_fixed_size_list(type_) and type_.list_size == 0


def vector_column(matrix: np.ndarray, present: np.ndarray | None = None) -> pa.FixedSizeListArray:
    """Wrap a matrix as an Arrow column of float32 vectors, without copying float32 data.

    Args:
        matrix: (n, D), one vector per row.
        present: (n,), False where the vector is missing and becomes null; None if none is missing.
    """
    matrix = np.ascontiguousarray(matrix, dtype=np.float32)
    mask = None if present is None or present.all() else pa.array(~present)
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), matrix.shape[1], mask=mask)


def present(table: pa.Table, column: str) -> np.ndarray:
    """Return a mask (n,) that is True in the rows where a column has a value."""
    return table[column].is_valid().to_numpy()


def matrix(table: pa.Table, column: str, absent: bool = False) -> np.ndarray:
    """Return a vector column as a float32 matrix (n, D).

    Args:
        table: a table with n rows.
        column: the name of a vector column.
        absent: whether whole vectors may be missing (see `present`); they are returned as zeros.

    Raises:
        InputError: a value is missing, NaN or infinite.
    """
    chunked = table[column]
    width = chunked.type.list_size
    if absent and chunked.null_count:
        is_present = present(table, column)
        values = np.zeros((len(table), width), np.float32)
        values[is_present] = matrix(table.filter(pa.array(is_present)), column)
        return values
    parts = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in chunked.chunks]
    values = np.concatenate(parts) if len(parts) != 1 else parts[0]
    finite = (np.isfinite(values[at : at + CHECKED]).all() for at in range(0, len(values), CHECKED))
    if values.size != len(table) * width or not all(finite):
        raise InputError(
            f"column '{column}'", expected="finite numbers only", found="NaN, Inf or missing"
        )
    return values.reshape(len(table), width)


def to_table(
    rows: Sequence[Mapping[str, Any]],
    text: Iterable[str] = (),
    whole: Iterable[str] = ("latent", "k", "seeds"),
) -> pa.Table:
    """Return a table of all the columns that occur in the rows.

    Args:
        rows: one mapping from column name to value per row; absent keys become null.
        text: names of the string columns, besides `run`.
        whole: names of the integer columns. All other columns are floats.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    types = dict.fromkeys(whole, pa.int32()) | dict.fromkeys(("run", *text), pa.string())
    schema = pa.schema([(name, types.get(name, pa.float64())) for name in names])
    return pa.Table.from_pylist(rows, schema=schema)
