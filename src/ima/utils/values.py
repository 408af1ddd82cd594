"""Values that leave a rule: those of tables, checked by column name, and those of configs."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from ima.utils.errors import InputError

#: Prefixes of numeric columns that may hold NaN or infinity: log-likelihoods, and areas under a
#: curve, which are undefined if only one class is present.
MAY_BE_INFINITE = ("loglik", "auc")


def check_values(table: pa.Table, path: str | Path) -> None:
    """Check that every value of a table is valid for its column.

    Args:
        table: the table.
        path: its file, named in error messages.

    Raises:
        InputError: an `id` occurs twice, an `item_*` row number is negative, or a number is NaN or
            infinite in a column that does not allow it (`MAY_BE_INFINITE`).
    """
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_nested(column.type):
            continue  # of vectors, which `matrix` checks, or of a type that the schema rejects
        if name == "id" and pc.count_distinct(column).as_py() < len(column):
            expected, found = "unique ids", "duplicates"
        elif name.startswith("item_") and _negative(column):
            expected, found = "row numbers of 0 or more", pc.min(column).as_py()
        elif not name.startswith(MAY_BE_INFINITE) and _not_finite(column):
            expected, found = "finite numbers only", "NaN or Inf"
        else:
            continue
        raise InputError(f"{path}, column '{name}'", expected=expected, found=found)


def _negative(column: pa.ChunkedArray) -> bool:
    """Return whether an integer column has a negative number; a schema checks types."""
    return pa.types.is_integer(column.type) and (pc.min(column).as_py() or 0) < 0


def _not_finite(column: pa.ChunkedArray) -> bool:
    """Return whether a float column contains NaN or infinity; `matrix` checks vector columns."""
    return pa.types.is_floating(column.type) and not pc.all(pc.is_finite(column)).as_py()


def portable(value: object) -> object:
    """Return a config, or a part of it, with the names of files in place of absolute paths."""
    if isinstance(value, Mapping):
        return {key: portable(of) for key, of in value.items()}
    if isinstance(value, list):
        return [portable(of) for of in value]
    if isinstance(value, str) and value[:1] in ("/", "~", "$"):
        return PurePosixPath(value).name
    return value
