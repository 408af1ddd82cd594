"""Vectors of user items, from one column of lists or from one numeric column per dimension."""

import difflib
import json
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.utils.errors import InputError, first_few
from ima.utils.matrices import blocks, empty

logger = logging.getLogger(__name__)


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
        selected = [name for name in free if name not in but]
    elif wanted == "all" and "all" not in names:
        selected = free
    else:
        selected = _matching(names, wanted, free, where)
    if not selected:
        no_column(names, wanted, where)
    return selected


def _matching(names: list[str], wanted: object, free: list[str], where: object) -> list[str]:
    """Return the distinct names that are listed explicitly, or are free and match a pattern."""
    matches: dict[str, None] = {}
    for pattern in [wanted] if isinstance(wanted, str) else wanted:
        matching = (
            [pattern] if pattern in names else [name for name in free if fnmatchcase(name, pattern)]
        )
        if not matching:
            no_column(names, pattern, where, ", or write vector: all")
        matches |= dict.fromkeys(matching)
    return list(matches)


def no_column(names: list[str], wanted: object, where: object, more: str = "") -> None:
    """Raise InputError for a column that does not exist; `more` is further advice."""
    alike = difflib.get_close_matches(str(wanted).lower(), [name.lower() for name in names], 1)
    meant = [name for name in names if alike and name.lower() == alike[0]][:1]
    raise InputError(
        where,
        expected=f"a column '{wanted}'" if isinstance(wanted, str) else f"columns {wanted}",
        found=f"columns {first_few(names, 10)}",
        do=f"Name the column in the config, under `own`{more}."
        + (f" Did you mean '{meant[0]}'?" if meant else ""),
    )


def vectors(
    table: pa.Table, wanted: object, others: Collection[str], ids: list[str], path: object
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the items' vectors as a float32 matrix (n, D), and which items (n,) have a vector.

    Args:
        table: n rows.
        wanted, others: as in `chosen`. A single list column holds the whole vector; otherwise
            each numeric or boolean column is one dimension.
        ids: ids of the items, for messages.
        path: path of the file, for messages.

    Returns:
        The matrix, a mask, and the columns if there are several. If an item's list is null or all
        its values are missing, the item lacks the modality: its row is NaN and its mask is false.

    Raises:
        InputError: as in `chosen`; or columns are not numeric, lists are empty or differ in
            length, or an item has both finite values and NaN or infinity.
    """
    names = chosen(table.column_names, wanted, others, path)
    where = f"{path}, column '{names[0]}'" if len(names) == 1 else f"{path}, {len(names)} columns"
    first = table[names[0]]
    x = _lists(first, ids, where) if _is_list(first.type) else _wide(table, names, where)
    present, finite = np.ones((2, len(x)), bool)
    for block in blocks(*x.shape):
        present[block] = ~np.isnan(x[block]).all(1)
        finite[block] = np.isfinite(x[block]).all(1)
    bad = np.flatnonzero(present & ~finite)
    if len(bad) or not present.any():
        found = "none in any item"
        if len(bad):
            found = f"missing, infinite or too large values in {len(bad)} items, e.g. "
            found += f"'{ids[bad[0]]}'"
            odd = [name for name, ok in zip(names, np.isfinite(x[bad[0]]), strict=False) if not ok]
            found += f", in {first_few(odd)}" if len(names) > 1 else ""
        do = "Fill them in, remove these items, or leave all values of an item empty that lacks it."
        raise InputError(where, expected="finite numbers up to 3.4e38", found=found, do=do)
    return x, present, names if len(names) > 1 else []


def with_names(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Return a table of items that knows the names of their dimensions, in its metadata."""
    return table.replace_schema_metadata({"dimensions": json.dumps(names)} if names else None)


def names_of(table: pa.Table) -> list[str]:
    """Return the names of the dimensions of a table of `with_names`; empty if unknown."""
    return json.loads((table.schema.metadata or {}).get(b"dimensions", "[]"))


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
    not_numeric = [
        (name, kind) for name, kind in kinds.items() if not any(t(kind) for t in numbers)
    ]
    if not_numeric:
        name, kind = not_numeric[0]
        check_decimals(table[name], f"{where}, column '{name}'")
        raise InputError(
            where,
            expected="numeric columns, or one column with a list of numbers in every row",
            found=f"{kind} in '{name}'"
            + (f" and {len(not_numeric) - 1} more" if not_numeric[1:] else ""),
            do="Store vectors as lists, as pandas does for a column of arrays, or select the "
            "numeric columns with `vector` (a list, a pattern, or {all_but: [...]}).",
        )
    x = empty(len(table), len(names))
    for block in blocks(*x.shape):
        for at, name in enumerate(names):
            part = table[name].slice(block.start, block.stop - block.start)
            x[block, at] = part.cast(pa.float32(), safe=False).to_numpy()
    if rounded := [name for name in names if _is_rounded(table[name])]:
        logger.warning(
            "%s: values differ by so little that 32-bit numbers round them: %s. Subtract their "
            "means first",
            *(where, first_few(rounded)),
        )
    return x


def _is_rounded(values: pa.ChunkedArray) -> bool:
    """Return whether 32-bit numbers cannot tell values apart to a hundredth of their range."""
    if not (pa.types.is_float64(values.type) or pa.types.is_integer(values.type)):
        return False
    ends = pc.min_max(values)
    low, high = (float(ends[name].as_py() or 0) for name in ("min", "max"))
    step = np.spacing(np.float32(max(abs(low), abs(high))))
    return bool(0 < high - low < 100 * step)


def check_decimals(values: pa.ChunkedArray, where: str) -> None:
    """Raise InputError if a column of text seems to hold numbers with a decimal comma."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        first = next((v for v in values.slice(0, 100).to_pylist() if v and v.strip()), "")
        if re.fullmatch(r"[-+]?[0-9]+,[0-9]+(?:[eE][-+]?[0-9]+)?", first.strip()):
            raise InputError(
                where,
                expected="numbers",
                found=f"text such as '{first}' (a decimal comma?)",
                do="Write decimals with a point, e.g. by read_csv(..., decimal=',') of pandas.",
            )


def _lists(values: pa.ChunkedArray, ids: list[str], where: str) -> np.ndarray:
    """Return a column of lists of numbers as a matrix (n, D); null lists become NaN.

    Raises:
        InputError: lists are not numeric, differ in length or are empty.
    """
    item_type = values.type.value_type
    if not (pa.types.is_floating(item_type) or pa.types.is_integer(item_type)):
        raise InputError(
            where,
            expected="a list of numbers in every row",
            found=str(values.type),
            do="Store the vectors as lists, as pandas does for a column of arrays.",
        )
    rows = np.flatnonzero(values.is_valid().to_numpy())
    widths = pc.list_value_length(values).drop_null().to_numpy()
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
    x, start = empty(len(values), int(widths[0])), 0
    for chunk in values.chunks:
        part = x[start : start + len(chunk)]
        known = chunk.drop_null().flatten().cast(pa.float32(), safe=False)
        part[:] = np.nan
        part[chunk.is_valid().to_numpy(zero_copy_only=False)] = known.to_numpy(
            zero_copy_only=False
        ).reshape(-1, x.shape[1])
        start += len(chunk)
    return x
