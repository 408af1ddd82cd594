"""Read and check user data, one file per modality.

Each row of a file is one item: an id, a vector, and optionally a label, a split and a flag that
marks known noise. `ima.datasets.user_files` reads the supported formats, and `ima.pairing.user`
pairs the items.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.datasets.splits import SPLITS
from ima.datasets.user_files import MATRIX, index_column, index_names, is_annotated, read_table
from ima.datasets.user_vectors import no_column, vectors, with_names
from ima.utils.arrow import conform, vector_column
from ima.utils.errors import InputError
from ima.utils.matrices import blocks, chosen_rows
from ima.utils.schemas import OWN_ITEMS
from ima.utils.text_files import repair

#: Ratio of the largest to the smallest standard deviation of dimensions that triggers a warning.
WIDE = 1000
#: Texts that stand for no label: empty, or what a missing value of pandas becomes as text.
UNLABELLED = frozenset({"", "nan", "NaN", "NaT", "<NA>"})

logger = logging.getLogger(__name__)


def read_items(
    path: str | Path, columns: Mapping[str, object], loss: str, standardize: bool = True
) -> pa.Table:
    """Read a modality's file and check its contents.

    Args:
        path: a file or folder that `ima.datasets.user_files.read_table` can read.
        columns: the columns to read: `id`, a column or `index`; `vector`, as accepted by
            `ima.datasets.user_vectors.chosen`; optionally the columns `label`, `split` and
            `noise`; and for an .h5mu file, the name of its `modality`. By default, `id` is the
            column `id` if it exists, else the index stored in the file, else the row number, and
            `vector` is the column `x` or the file's matrix.
        loss: reconstruction loss of the modality; `bce` requires values in [0, 1].
        standardize: whether dimensions are standardized later, so that their scales do not matter.

    Returns:
        A table of `ima.utils.schemas.OWN_ITEMS` in file order, without the items that have no
        vector. Missing labels and splits are ''. It has the names of the columns of `x`
        (`ima.datasets.user_vectors.names_of`).

    Raises:
        InputError: a column is missing or has the wrong type, ids are not unique, vectors differ
            in length or are not numeric, values are out of range, or a split is not in SPLITS.
    """
    vector, as_text = columns.get("vector"), _text_columns(columns)
    table = read_table(path, as_text, columns.get("modality"), vector)
    if not len(table):
        raise InputError(path, expected="one item per row", found="no rows")
    ids = _ids(table, columns, path)
    used = {columns[key] for key in ("id", "label", "split", "noise") if key in columns}
    used |= index_names(table) | ({"id"} - set(columns))
    selection = MATRIX if vector is None or is_annotated(path) else vector
    x, present, names = vectors(table, selection, used, ids, path)
    fields = {"id": pa.array(ids, pa.string()), **_about(table, columns, path)}
    if not present.all():
        logger.warning("%s: %d of %d items have no vector and are excluded from this modality",
                       path, int((~present).sum()), len(ids))  # fmt: skip
    items = pa.table(fields).filter(pa.array(present))
    x = chosen_rows(x, present)
    where = f"{path}, vectors"
    if loss == "sse" and not standardize:
        _warn_of_scales(x, where)
    if loss == "bce":
        _check_range(x, items["id"], where)
    items = conform(items.append_column("x", vector_column(x)), OWN_ITEMS, path)
    return with_names(items, names)


def _check_range(x: np.ndarray, ids: pa.ChunkedArray, where: str) -> None:
    """Raise InputError unless all values of x (n, D) are in [0, 1]."""
    for block in blocks(*x.shape):
        outside = np.argwhere((x[block] < 0) | (x[block] > 1))
        if len(outside):
            row, at = outside[0]
            raise InputError(
                where,
                expected="values in [0, 1] for the loss bce",
                found=f"{x[block][row, at]:g} in item '{ids[block.start + int(row)]}'",
                do="Scale them to [0, 1], or set model.<modality>.loss to sse.",
            )


def _text_columns(columns: Mapping[str, object]) -> list[str]:
    """Return the columns of a CSV file to read as text: ids and splits."""
    return [str(columns.get("id", "id")), *([columns["split"]] if "split" in columns else [])]


def _ids(table: pa.Table, columns: Mapping[str, object], path: str | Path) -> list[str]:
    """Return the items' ids (n,): a column, the file's index, or row numbers.

    Raises:
        InputError: the named column or index does not exist, or ids are missing or repeated.
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
                found="only row numbers" if index_names(table) else "none",
                do="Name the id column in own.modalities.<modality>.id, or omit the key to use "
                "row numbers as ids.",
            )
    where = f"{path}, " + ("index" if index is not None else f"column '{name}'")
    values = column(table, name, path) if index is None else single_array(index, where)
    ids = text(values, where)
    _check_unique(ids, where)
    return ids


def _about(table: pa.Table, columns: Mapping[str, object], path: str | Path) -> dict[str, pa.Array]:
    """Return the items' labels and splits ('' if missing) and whether each item is noise.

    Raises:
        InputError: a column is missing or has the wrong type, or a split is not in SPLITS.
    """
    fields = {name: pa.array([""] * len(table), pa.string()) for name in ("label", "split")}
    if "label" in columns:
        name = columns["label"]
        values = column(table, name, path, missing=True)
        labels = labels_of(values, f"{path}, column '{name}'")
        fields["label"] = pa.array([label or "" for label in labels], pa.string())
        if labels.count(None) == len(labels):
            raise InputError(
                f"{path}, column '{name}'",
                expected="at least one label",
                found=f"none in {len(labels)} rows",
                do="Omit `label` from the config; results that need labels are then skipped.",
            )
        if without := labels.count(None):
            logger.warning("%s: %d of %d items have no label: used for training but not scored",
                           path, without, len(labels))  # fmt: skip
    if "split" in columns:
        where = f"{path}, column '{columns['split']}'"
        fields["split"] = pa.array(text(column(table, columns["split"], path), where))
        check_splits(fields["split"], where)
    fields["noise"] = pa.array(np.zeros(len(table), bool))
    if "noise" in columns:
        where = f"{path}, column '{columns['noise']}'"
        fields["noise"] = boolean(column(table, columns["noise"], path), where)
    return fields


def _warn_of_scales(x: np.ndarray, where: str) -> None:
    """Warn if a few dimensions of x (n, D) dominate because their scales differ widely."""
    parts = list(blocks(*x.shape))
    mean = sum(x[part].sum(0, dtype=float) for part in parts) / len(x)
    deviations = np.sqrt(sum(((x[part] - mean) ** 2).sum(0) for part in parts) / len(x))
    largest = np.max([np.abs(x[part]).max(0) for part in parts], axis=0)
    moving = deviations[deviations > 1e-7 * largest]
    if len(moving) and moving.max() >= WIDE * moving.min():
        logger.warning(
            "%s: standard deviations of the dimensions range from %.2g to %.2g, so the largest "
            "dominate the squared error. Omit model.<modality>.standardize, or rescale the data.",
            where,
            moving.min(),
            moving.max(),
        )


def column(table: pa.Table, name: str, path: str | Path, missing: bool = False) -> pa.Array:
    """Return a column as a single, dictionary-decoded array; NaN becomes null.

    Nulls are allowed only with `missing`.

    Raises:
        InputError: the column does not exist, has no rows, or has nulls without `missing`.
    """
    if name not in table.column_names:
        no_column(table.column_names, name, path)
    return single_array(table[name], f"{path}, column '{name}'", missing)


def single_array(values: pa.ChunkedArray, where: str, missing: bool = False) -> pa.Array:
    """Return the values of a column as a single array, checked and decoded as in `column`."""
    values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    if not len(values) or (values.null_count and not missing):
        raise InputError(
            where,
            expected="a value in every row",
            found=f"{values.null_count} missing of {len(values)}",
            do="Fill them in, or remove these rows.",
        )
    return values


def text(values: pa.Array, where: str) -> list[str | None]:
    """Return ids, labels or splits as text, with None for null.

    Booleans become `true` or `false`, and whole floats lose their decimals (3.0 becomes 3).

    Raises:
        InputError: the values are not text, integers or booleans.
    """
    kind, types = values.type, pa.types
    if types.is_floating(kind):
        known = values.cast(pa.float64()).drop_null()
        if pc.all(pc.and_(pc.less(pc.abs(known), 2**53), pc.equal(pc.floor(known), known))).as_py():
            values = values.cast(pa.float64()).cast(pa.int64())
            kind = values.type
    known = (types.is_string, types.is_large_string, types.is_integer, types.is_boolean)
    if not any(is_kind(kind) for is_kind in (*known, types.is_null)):
        raise InputError(
            where,
            expected="text or whole numbers",
            found=str(kind),
            do="Write them as text. Bin continuous labels into classes first.",
        )
    try:
        return [None if v is None else repair(v) for v in values.cast(pa.string()).to_pylist()]
    except UnicodeDecodeError as error:
        raise InputError(
            where, expected="text in UTF-8", found=error, do="Write the file again as UTF-8."
        ) from error


def labels_of(values: pa.Array, where: str) -> list[str | None]:
    """Return labels as text, with None where there is none: null or one of UNLABELLED.

    Raises:
        InputError: an error of `text`.
    """
    labels = text(values, where)
    return [None if label is None or label.strip() in UNLABELLED else label for label in labels]


def boolean(values: pa.Array, where: str) -> pa.Array:
    """Return a boolean column, converting 1 and 0 to true and false.

    Raises:
        InputError: the column holds anything else.
    """
    kind = values.type
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if number and pc.all(pc.is_in(values, pa.array([0, 1]).cast(kind))).as_py():
        return values.cast(pa.bool_())
    if not pa.types.is_boolean(kind):
        raise InputError(
            where,
            expected="true or false, or 1 or 0",
            found=f"{kind}, e.g. {values[0]}",
            do="Store the column as booleans.",
        )
    return values


def check_splits(splits: pa.Array, where: str) -> None:
    """Raise InputError unless every split is one of SPLITS."""
    unknown = sorted(set(splits.to_pylist()) - set(SPLITS))
    if unknown:
        raise InputError(
            where,
            expected=f"the splits {', '.join(SPLITS)}",
            found=unknown[:5],
            do="Rename them, or omit `split` from the config to draw random splits.",
        )


def _check_unique(ids: list[str], where: str) -> None:
    seen: set[str] = set()
    twice = [i for i in ids if i in seen or seen.add(i)]
    if twice:
        raise InputError(
            where,
            expected="unique ids",
            found=f"{len(twice)} repeated, e.g. '{twice[0]}'",
            do="Give every row a unique id. A pairs file may use the same id in several pairs.",
        )
