"""Data of a user's own: a Parquet file a modality, read and checked.

A file has a row an item: an id, a vector, and where there are any, a label, a split, and whether it
is known to be noise. How items are paired is `ima.pairing.user`.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ima.datasets.splits import SPLITS
from ima.utils.arrow import conform, vector_column
from ima.utils.errors import InputError
from ima.utils.schemas import OWN_ITEMS

#: Deviations of a modality's dimensions that differ so many times are worth a word.
WIDE = 1000

logger = logging.getLogger(__name__)


def read_items(path: str | Path, columns: Mapping[str, str], loss: str) -> pa.Table:
    """Read a modality's file and check that everything in it can be used.

    Args:
        path: the Parquet file.
        columns: names of its columns: `id`, `vector`, and if there are any `label`, `split`,
            `noise`.
        loss: reconstruction loss of the modality; `bce` needs values in [0, 1].

    Returns:
        A table of `ima.utils.schemas.OWN_ITEMS`, in the order of the file; label and split are ''
        where the file has none.

    Raises:
        InputError: with what to do about it: a column is missing or of a wrong type, ids are not
            unique, vectors are of mixed width or not numbers, values are out of range, or a split
            is none of SPLITS.
    """
    table = read_file(path)
    ids = text(column(table, columns["id"], path), f"{path}, column '{columns['id']}'")
    _check_unique(ids, f"{path}, column '{columns['id']}'")
    where = f"{path}, column '{columns['vector']}'"
    x = vectors(column(table, columns["vector"], path), ids, where)
    if loss == "sse":
        _tell_scales(x, where)
    outside = (x < 0) | (x > 1)
    if loss == "bce" and outside.any():
        row, at = np.argwhere(outside)[0]
        raise InputError(
            where,
            expected="values in [0, 1], for the loss bce",
            found=f"{x[row, at]:g} in item '{ids[row]}'",
            do="Scale them to [0, 1], or set model.<modality>.loss to sse.",
        )
    found = {"id": pa.array(ids, pa.string()), "x": vector_column(x)}
    for name in ("label", "split"):
        found[name] = pa.array([""] * len(ids), pa.string())
        if name in columns:
            values = column(table, columns[name], path)
            found[name] = pa.array(text(values, f"{path}, column '{columns[name]}'"))
    found["noise"] = pa.array(np.zeros(len(ids), bool))
    if "noise" in columns:
        found["noise"] = boolean(
            column(table, columns["noise"], path), f"{path}, column '{columns['noise']}'"
        )
    if "split" in columns:
        check_splits(found["split"], f"{path}, column '{columns['split']}'")
    return conform(pa.table(found), OWN_ITEMS, path)


def _tell_scales(x: np.ndarray, where: str) -> None:
    """Say in the log if dimensions of x (n, D) differ so much that the greatest hide the others."""
    deviations = x.std(0, dtype=float)
    moving = deviations[deviations > 1e-7 * np.abs(x).max(0)]
    if len(moving) and moving.max() >= WIDE * moving.min():
        logger.warning(
            "%s: deviations of the dimensions go from %.2g to %.2g; the squared error sees the "
            "greatest only. Bring each to a mean of 0 and a deviation of 1, by the training items.",
            where,
            moving.min(),
            moving.max(),
        )


def read_file(path: str | Path) -> pa.Table:
    """Read a Parquet file of the user's.

    Raises:
        InputError: it is none.
    """
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        lacking = isinstance(error, FileNotFoundError)
        raise InputError(
            path,
            expected="a Parquet file",
            found="no file" if lacking else str(error).splitlines()[0],
            do="Write it with pandas' to_parquet, for example.",
        ) from error


def column(table: pa.Table, name: str, path: str | Path, missing: bool = False) -> pa.Array:
    """Return a column in one piece, without a dictionary, and unless `missing` without nulls.

    Raises:
        InputError: there is no such column, no row, or a value is missing.
    """
    if name not in table.column_names:
        raise InputError(
            path,
            expected=f"a column '{name}'",
            found=f"columns {table.column_names}",
            do="Name the column in the config, under `own`.",
        )
    values = table[name].combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if not len(values) or (values.null_count and not missing):
        raise InputError(
            f"{path}, column '{name}'",
            expected="a value in every row",
            found=f"{values.null_count} missing of {len(values)}",
            do="Fill them in, or leave these rows out.",
        )
    return values


def text(values: pa.Array, where: str) -> list[str]:
    """Return ids, labels or splits as text.

    Raises:
        InputError: they are neither text nor whole numbers.
    """
    kind = values.type
    if not any(
        t(kind) for t in (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer)
    ):
        raise InputError(
            where,
            expected="text or whole numbers",
            found=str(kind),
            do="Write them as text; labels that are measurements must be cut into classes first.",
        )
    return values.cast(pa.string()).to_pylist()


def boolean(values: pa.Array, where: str) -> pa.Array:
    """Return a column of true and false.

    Raises:
        InputError: it is anything else.
    """
    if not pa.types.is_boolean(values.type):
        raise InputError(
            where, expected="true or false", found=str(values.type), do="Write it as booleans."
        )
    return values


def check_splits(splits: pa.Array, where: str) -> None:
    """Raise InputError unless every split is one of SPLITS."""
    other = sorted(set(splits.to_pylist()) - set(SPLITS))
    if other:
        raise InputError(
            where,
            expected=f"the splits {', '.join(SPLITS)}",
            found=other[:5],
            do="Rename them, or leave `split` out of the config: shares of items are drawn then.",
        )


def _check_unique(ids: list[str], where: str) -> None:
    seen: set[str] = set()
    twice = [i for i in ids if i in seen or seen.add(i)]
    if twice:
        raise InputError(
            where,
            expected="every id once",
            found=f"{len(twice)} repeated, as '{twice[0]}'",
            do="Give every row an id of its own; the pairs file may name one in many pairs.",
        )


def vectors(values: pa.Array, ids: list[str], where: str) -> np.ndarray:
    """Return a column of lists of numbers as a float32 matrix (n, D).

    Raises:
        InputError: not lists of numbers, of mixed width, empty, or with a NaN or infinity.
    """
    kind = values.type
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    numbers = any(is_list(kind) for is_list in lists) and (
        pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)
    )
    if not numbers:
        raise InputError(
            where,
            expected="a list of numbers in every row",
            found=str(kind),
            do="Write the vectors as lists, as pandas does of a column of arrays.",
        )
    widths = pc.list_value_length(values).to_numpy(zero_copy_only=False)
    odd = np.flatnonzero(widths != widths[0])
    if len(odd) or not widths[0]:
        row = odd[0] if len(odd) else 0
        raise InputError(
            where,
            expected=f"vectors of one width, {widths[0]} as in item '{ids[0]}'",
            found=f"{widths[row]} in item '{ids[row]}'",
            do="Cut or pad them to one width.",
        )
    flat = values.flatten().cast(pa.float32(), safe=False).to_numpy(zero_copy_only=False)
    x = flat.reshape(len(ids), -1)
    bad = np.flatnonzero(~np.isfinite(x).all(1))
    if len(bad):
        raise InputError(
            where,
            expected="finite numbers",
            found=f"NaN, infinity or nothing in {len(bad)} items, as '{ids[bad[0]]}'",
            do="Fill them in, or leave these items out.",
        )
    return x
