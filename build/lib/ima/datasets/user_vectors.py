"""Vectors of user items, from one column of lists or from one numeric column per dimension."""

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.utils.errors import InputError


def chosen(names: list[str], wanted: object, others: Collection[str], where: object) -> list[str]:
    """Return the columns of a table that the config's `vector` selects.

    Args:
        names: all column names.
        wanted: a name; a pattern such as `pix_*`; a list of names and patterns; `all`; or
            `{all_but: ...}` with a name, a pattern or a list.
        others: columns that the config uses for something else; patterns and `all` skip them.
        where: source of the columns, for messages.

    Raises:
        InputError: a selected column does not exist, or no column is left.
    """
    free = [name for name in names if name not in others]
    if isinstance(wanted, Mapping):
        but = set(_matching(names, wanted["all_but"], names, where))
        found = [name for name in free if name not in but]
    elif wanted == "all" and "all" not in names:
        found = free
    else:
        found = _matching(names, wanted, free, where)
    if not found:
        no_column(names, wanted, where)
    return found


def _matching(names: list[str], wanted: object, free: list[str], where: object) -> list[str]:
    """Return the distinct names that are listed explicitly, or are free and match a pattern."""
    found: dict[str, None] = {}
    for one in [wanted] if isinstance(wanted, str) else wanted:
        here = [one] if one in names else [name for name in free if fnmatchcase(name, one)]
        if not here:
            no_column(names, one, where)
        found |= dict.fromkeys(here)
    return list(found)


def no_column(names: list[str], wanted: object, where: object) -> None:
    """Raise InputError for a column that does not exist."""
    shown = names if len(names) <= 12 else [*names[:10], f"... {len(names) - 10} more"]
    raise InputError(
        where,
        expected=f"a column '{wanted}'" if isinstance(wanted, str) else f"columns {wanted}",
        found=f"columns {shown}",
        do="Name the column in the config, under `own`.",
    )


def vectors(
    table: pa.Table, wanted: object, others: Collection[str], ids: list[str], path: object
) -> tuple[np.ndarray, np.ndarray]:
    """Return the items' vectors as a float32 matrix (n, D), and which items (n,) have a vector.

    Args:
        table: n rows.
        wanted, others: as in `chosen`. A single list column holds the whole vector; otherwise
            each numeric or boolean column is one dimension.
        ids: ids of the items, for messages.
        path: path of the file, for messages.

    Returns:
        The matrix and a mask. If an item's list is null or all its values are missing, the item
        lacks the modality: its row is NaN and its mask is false.

    Raises:
        InputError: as in `chosen`; or columns are not numeric, lists are empty or differ in
            length, or an item has both finite values and NaN or infinity.
    """
    names = chosen(table.column_names, wanted, others, path)
    where = f"{path}, column '{names[0]}'" if len(names) == 1 else f"{path}, {len(names)} columns"
    first = table[names[0]].combine_chunks()
    x = _lists(first, ids, where) if _is_list(first.type) else _wide(table, names, where)
    there = ~np.isnan(x).all(1)
    bad = np.flatnonzero(there & ~np.isfinite(x).all(1))
    if len(bad) or not there.any():
        raise InputError(
            where,
            expected="finite numbers",
            found=f"missing or infinite values in {len(bad)} items, e.g. '{ids[bad[0]]}'"
            if len(bad)
            else "none in any item",
            do="Fill them in, or remove these items.",
        )
    return x, there


def _is_list(kind: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(is_list(kind) for is_list in lists)


def _wide(table: pa.Table, names: list[str], where: str) -> np.ndarray:
    """Return numeric columns, one per dimension, as a matrix (n, D); missing values are NaN.

    Raises:
        InputError: a column is not numeric.
    """
    numbers = (pa.types.is_floating, pa.types.is_integer, pa.types.is_decimal)
    numbers += (pa.types.is_boolean, pa.types.is_null)
    kinds = {name: table.schema.field(name).type for name in names}
    other = [(name, kind) for name, kind in kinds.items() if not any(t(kind) for t in numbers)]
    if other:
        name, kind = other[0]
        raise InputError(
            where,
            expected="numeric columns, or one column with a list of numbers in every row",
            found=f"{kind} in '{name}'" + (f" and {len(other) - 1} more" if other[1:] else ""),
            do="Store vectors as lists, as pandas does for a column of arrays, or select the "
            "numeric columns with `vector` (a list, a pattern, or {all_but: [...]}).",
        )
    columns = [table[name].cast(pa.float32(), safe=False).to_numpy() for name in names]
    return np.stack([np.asarray(column, np.float32) for column in columns], axis=1)


def _lists(values: pa.Array, ids: list[str], where: str) -> np.ndarray:
    """Return a column of lists of numbers as a matrix (n, D); null lists become NaN.

    Raises:
        InputError: lists are not numeric, differ in length or are empty.
    """
    of = values.type.value_type
    if not (pa.types.is_floating(of) or pa.types.is_integer(of)):
        raise InputError(
            where,
            expected="a list of numbers in every row",
            found=str(values.type),
            do="Store the vectors as lists, as pandas does for a column of arrays.",
        )
    rows = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
    known = values.drop_null()
    widths = pc.list_value_length(known).to_numpy(zero_copy_only=False)
    odd = np.flatnonzero(widths != widths[0]) if len(rows) else rows
    if len(odd) or not len(rows) or not widths[0]:
        row = odd[0] if len(odd) else 0
        raise InputError(
            where,
            expected="vectors of equal length"
            + (f", {widths[0]} as in item '{ids[rows[0]]}'" if len(rows) else ""),
            found=f"{widths[row]} in item '{ids[rows[row]]}'" if len(rows) else "none",
            do="Truncate or pad them to the same length.",
        )
    flat = known.flatten().cast(pa.float32(), safe=False).to_numpy(zero_copy_only=False)
    x = np.full((len(values), widths[0]), np.nan, np.float32)
    x[rows] = flat.reshape(len(rows), -1)
    return x
