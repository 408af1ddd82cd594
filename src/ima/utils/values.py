"""What the values of a table between rules can be, told by the names of its columns."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ima.utils.errors import InputError

#: How columns of numbers begin that need not be finite: log likelihoods, and areas under a curve,
#: which are not defined where all are of one class.
MAY_BE_INFINITE = ("loglik", "auc")


def check_values(table: pa.Table, path: str | Path) -> None:
    """Raise InputError where a value of a table cannot be, as its column's name tells."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name == "id" and pc.count_distinct(column).as_py() < len(column):
            expected, found = "every id once", "one twice"
        elif name.startswith("item_") and (pc.min(column).as_py() or 0) < 0:
            expected, found = "row numbers from 0", pc.min(column).as_py()
        elif not name.startswith(MAY_BE_INFINITE) and _not_finite(column):
            expected, found = "finite numbers only", "NaN or Inf"
        else:
            continue
        raise InputError(f"{path}, column '{name}'", expected=expected, found=found)


def _not_finite(column: pa.ChunkedArray) -> bool:
    """Tell whether a column of numbers has NaN or infinity in it; `matrix` looks at vectors."""
    return pa.types.is_floating(column.type) and not pc.all(pc.is_finite(column)).as_py()
