"""Data of a user's own: a file a modality, read and checked.

A file has a row an item: an id, a vector, and where there are any, a label, a split, and whether it
is known to be noise. What files can be is `ima.datasets.user_files`; how items are paired,
`ima.pairing.user`.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.datasets.splits import SPLITS
from ima.datasets.user_files import MATRIX, index_column, index_names, is_annotated, read_table
from ima.datasets.user_vectors import no_column, vectors
from ima.utils.arrow import conform, vector_column
from ima.utils.errors import InputError
from ima.utils.schemas import OWN_ITEMS

#: Deviations of a modality's dimensions that differ so many times are worth a word.
WIDE = 1000

logger = logging.getLogger(__name__)


def read_items(
    path: str | Path, columns: Mapping[str, object], loss: str, standardize: bool = True
) -> pa.Table:
    """Read a modality's file and check that everything in it can be used.

    Args:
        path: a file or folder of `ima.datasets.user_files.read_table`.
        columns: what of it is what: `id`, a column or `index`; `vector`, of
            `ima.datasets.user_vectors.chosen`; if there are any, the columns `label`, `split`,
            `noise`; and of an .h5mu file, `modality`. Without an `id`: the column `id` if there is
            one, else the index that the file keeps, else row numbers. Without a `vector`: the
            column `x`, or the file's matrix.
        loss: reconstruction loss of the modality; `bce` needs values in [0, 1].
        standardize: whether dimensions are standardized later on, so that scales do not matter.

    Returns:
        A table of `ima.utils.schemas.OWN_ITEMS`, in the order of the file, without the items that
        have no vector; label and split are '' where the file has none.

    Raises:
        InputError: with what to do about it: a column is missing or of a wrong type, ids are not
            unique, vectors are of mixed width or not numbers, values are out of range, or a split
            is none of SPLITS.
    """
    vector, named = columns.get("vector"), _text_columns(columns)
    table = read_table(path, named, columns.get("modality"), vector)
    if not len(table):
        raise InputError(path, expected="an item a row", found="no rows")
    ids = _ids(table, columns, path)
    others = {columns[key] for key in ("id", "label", "split", "noise") if key in columns}
    others |= index_names(table) | ({"id"} - set(columns))
    wanted = MATRIX if vector is None or is_annotated(path) else vector
    x, there = vectors(table, wanted, others, ids, path)
    found = {"id": pa.array(ids, pa.string()), **_about(table, columns, path)}
    if not there.all():
        logger.warning("%s: %d of %d items have no vector and are left out: they lack the modality",
                       path, int((~there).sum()), len(ids))  # fmt: skip
    items = pa.table(found).filter(pa.array(there))
    x = x[there]
    where = f"{path}, vectors"
    if loss == "sse" and not standardize:
        _tell_scales(x, where)
    outside = (x < 0) | (x > 1)
    if loss == "bce" and outside.any():
        row, at = np.argwhere(outside)[0]
        raise InputError(
            where,
            expected="values in [0, 1], for the loss bce",
            found=f"{x[row, at]:g} in item '{items['id'][int(row)]}'",
            do="Scale them to [0, 1], or set model.<modality>.loss to sse.",
        )
    return conform(items.append_column("x", vector_column(x)), OWN_ITEMS, path)


def _text_columns(columns: Mapping[str, object]) -> list[str]:
    """Return the columns of a CSV file that are text: ids and splits."""
    return [str(columns.get("id", "id")), *([columns["split"]] if "split" in columns else [])]


def _ids(table: pa.Table, columns: Mapping[str, object], path: str | Path) -> list[str]:
    """Return the items' ids (n,): a column, the file's index, or row numbers.

    Raises:
        InputError: there is none as named, or not every one is there once.
    """
    name, index = columns.get("id"), None
    if name is None and "id" in table.column_names:
        name = "id"
    if name is None or (name == "index" and name not in table.column_names):
        index = index_column(table)
        if name is None and index is None:
            logger.info("%s: no column `id` and no index: ids are the row numbers", path)
            return [str(row) for row in range(len(table))]
        if index is None:
            raise InputError(
                path,
                expected="an index of ids",
                found="none but row numbers" if index_names(table) else "none",
                do="Name a column of ids in own.modalities.<modality>.id, or leave the key out: "
                "ids are then row numbers.",
            )
    where = f"{path}, " + ("index" if index is not None else f"column '{name}'")
    values = column(table, name, path) if index is None else whole(index, where)
    ids = text(values, where)
    _check_unique(ids, where)
    return ids


def _about(table: pa.Table, columns: Mapping[str, object], path: str | Path) -> dict[str, pa.Array]:
    """Return label and split of items, '' where there is none, and whether they are noise.

    Raises:
        InputError: a column is missing or of a wrong type, or a split is none of SPLITS.
    """
    found = {name: pa.array([""] * len(table), pa.string()) for name in ("label", "split")}
    if "label" in columns:
        name = columns["label"]
        values = column(table, name, path, missing=True)
        labels = text(values, f"{path}, column '{name}'")
        found["label"] = pa.array([label or "" for label in labels], pa.string())
        if labels.count(None) == len(labels):
            raise InputError(
                f"{path}, column '{name}'",
                expected="a label in some row",
                found=f"none in {len(labels)}",
                do="Leave `label` out of the config: what needs labels is left out then.",
            )
        if without := labels.count(None):
            logger.warning("%s: %d of %d items have no label: they are trained on, and not scored",
                           path, without, len(labels))  # fmt: skip
    if "split" in columns:
        where = f"{path}, column '{columns['split']}'"
        found["split"] = pa.array(text(column(table, columns["split"], path), where))
        check_splits(found["split"], where)
    found["noise"] = pa.array(np.zeros(len(table), bool))
    if "noise" in columns:
        where = f"{path}, column '{columns['noise']}'"
        found["noise"] = boolean(column(table, columns["noise"], path), where)
    return found


def _tell_scales(x: np.ndarray, where: str) -> None:
    """Say in the log if dimensions of x (n, D) differ so much that the greatest hide the others."""
    deviations = x.std(0, dtype=float)
    moving = deviations[deviations > 1e-7 * np.abs(x).max(0)]
    if len(moving) and moving.max() >= WIDE * moving.min():
        logger.warning(
            "%s: deviations of the dimensions go from %.2g to %.2g; the squared error sees the "
            "greatest only. Leave model.<modality>.standardize out, or scale them yourself.",
            where,
            moving.min(),
            moving.max(),
        )


def column(table: pa.Table, name: str, path: str | Path, missing: bool = False) -> pa.Array:
    """Return a column in one piece, without a dictionary, and unless `missing` without nulls.

    NaN is null.

    Raises:
        InputError: there is no such column, no row, or a value is missing.
    """
    if name not in table.column_names:
        no_column(table.column_names, name, path)
    return whole(table[name], f"{path}, column '{name}'", missing)


def whole(values: pa.ChunkedArray, where: str, missing: bool = False) -> pa.Array:
    """Return the values of a column in one piece; as `column`."""
    values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    if not len(values) or (values.null_count and not missing):
        raise InputError(
            where,
            expected="a value in every row",
            found=f"{values.null_count} missing of {len(values)}",
            do="Fill them in, or leave these rows out.",
        )
    return values


def text(values: pa.Array, where: str) -> list[str | None]:
    """Return ids, labels or splits as text: true and false, and 3 for 3.0, too; None where null.

    Raises:
        InputError: they are neither text, nor whole numbers, nor true or false.
    """
    kind, types = values.type, pa.types
    if types.is_floating(kind):
        known = values.drop_null()
        if pc.all(pc.and_(pc.is_finite(known), pc.equal(pc.floor(known), known))).as_py():
            values = values.cast(pa.int64())
            kind = values.type
    known = (types.is_string, types.is_large_string, types.is_integer, types.is_boolean)
    if not any(is_kind(kind) for is_kind in (*known, types.is_null)):
        raise InputError(
            where,
            expected="text or whole numbers",
            found=str(kind),
            do="Write them as text; labels that are measurements must be cut into classes first.",
        )
    return values.cast(pa.string()).to_pylist()


def boolean(values: pa.Array, where: str) -> pa.Array:
    """Return a column of true and false, also of 1 and 0.

    Raises:
        InputError: it is anything else.
    """
    kind = values.type
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if number and pc.all(pc.is_in(values, pa.array([0, 1]).cast(kind))).as_py():
        return values.cast(pa.bool_())
    if not pa.types.is_boolean(kind):
        raise InputError(
            where,
            expected="true or false, or 1 or 0",
            found=f"{kind}, as {values[0]}",
            do="Write it as booleans.",
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
