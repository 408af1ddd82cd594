"""What the columns of a file may be, by their names, types and values."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.datasets.user_files import MATRIX, is_annotated
from ima.datasets.user_vectors import check_decimals
from ima.utils.errors import InputError, first_few

#: A column may be a label if it has at most this many values, and this share of the rows.
FEW, SHARE = 20, 0.1
#: Number of rows by which most columns are told from the label.
TRIED = 1000
#: Share of distinct values in a column of ids, at least.
DISTINCT = 0.9
#: What a number looks like.
NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"


class Vector(NamedTuple):
    """The columns that are a modality's vectors.

    Attributes:
        selection: `vector` in the config, None for its default.
        size: number of dimensions.
        names: the columns that are one dimension each.
        unused: by name, what each of the columns is that are left out.
    """

    selection: Any
    size: int
    names: list[str]
    unused: dict[str, str]


def vector_of(
    table: pa.Table, free: Sequence[str], file: Path, no_features: Mapping[str, str]
) -> Vector:
    """Return the vectors of a file.

    Args:
        table: the content of the file.
        free: its columns that are not used otherwise.
        file: the file.
        no_features: by name, what some of these columns are that cannot be features.

    Raises:
        InputError: no column has numbers.
    """
    kinds = {name: table.schema.field(name).type for name in free}
    lists = [name for name, kind in kinds.items() if _is_list(kind)]
    if is_annotated(file) or lists:
        chosen = MATRIX if MATRIX in lists or is_annotated(file) else lists[0]
        same = lists if _is_copied(file) else [chosen]
        unused = {name: _kind(kind) for name, kind in kinds.items() if name not in same}
        unused |= no_features
        size = pc.max(pc.list_value_length(table[chosen])).as_py() or 0
        return Vector(None if chosen == MATRIX else chosen, size, [], unused)
    unused = {
        name: no_features.get(name, _kind(kind))
        for name, kind in kinds.items()
        if name in no_features or not _is_number(kind)
    }
    names = [name for name in free if name not in unused]
    if not names:
        for name in free:
            check_decimals(table[name], f"{file}, column '{name}'")
        texts = any(_is_text(field.type) for field in table.schema if field.name.lower() != "id")
        do = "Embed the texts first, and store the vectors as lists of numbers or as .npy."
        expected = "numeric columns, or a column of lists of numbers"
        found = f"columns {table.column_names[:12]}"
        raise InputError(file, expected=expected, found=found, do=do if texts else "")
    return Vector({"all_but": list(unused)} if unused else "all", len(names), names, unused)


def _is_copied(file: Path) -> bool:
    """Return whether the column MATRIX is a copy: of the only matrix of an .npz file."""
    if file.suffix.lower() != ".npz":
        return False
    with np.load(file, allow_pickle=False) as arrays:
        matrices = [name for name in arrays if arrays[name].ndim > 1]
    return len(matrices) == 1


def _is_list(kind: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(is_list(kind) for is_list in lists) and _is_number(kind.value_type)


def _is_number(kind: pa.DataType) -> bool:
    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(is_kind(kind) for is_kind in numbers)


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(is_kind(kind) for is_kind in texts)


def _kind(kind: pa.DataType) -> str:
    """Return in a word what the values of an unused column are."""
    if _is_list(kind):
        return "another vector"
    if pa.types.is_null(kind):
        return "empty"
    return "text" if _is_text(kind) else "number" if _is_number(kind) else str(kind)


def is_unique_text(values: pa.ChunkedArray) -> bool:
    """Return whether values are texts, all there and all distinct, and not mostly numbers."""
    if not _is_text(values.type) or values.null_count or mostly_numbers(values):
        return False
    return len(values.unique()) == len(values) > 0


def has_fractions(values: pa.ChunkedArray) -> bool:
    """Return whether a column has numbers that are not whole."""
    if not pa.types.is_floating(values.type):
        return False
    known = values.drop_null().to_numpy()
    return bool((known[np.isfinite(known)] % 1 != 0).any())


def may_be_ids(values: pa.ChunkedArray) -> bool:
    """Return whether values are texts or whole numbers, all there and nearly all distinct."""
    if values.null_count or not (_is_text(values.type) or pa.types.is_integer(values.type)):
        return False
    return len(values.unique()) >= DISTINCT * max(len(values), 1)


def few_valued(table: pa.Table, vector: Vector) -> dict[str, int]:
    """Return the number of values of each column that may be a label.

    It is a dimension or not used, of whole numbers or texts, and has at least two values, but few.
    """
    kinds = {name: table.schema.field(name).type for name in (*vector.names, *vector.unused)}
    names = [name for name, kind in kinds.items() if pa.types.is_integer(kind) or _is_text(kind)]
    counts = {name: len(table[name].drop_null().unique()) for name in names}
    most = min(FEW, SHARE * len(table))
    return {name: count for name, count in counts.items() if 2 <= count <= most}


def same_classes(table: pa.Table, label: str, names: Iterable[str]) -> list[str]:
    """Return the columns that have another value for each class: the label in other words.

    They are columns of texts and whole numbers; other numbers are measured, and features. None are
    found if most rows have a class of their own, as any feature would then be one.
    """
    kinds = {name: table.schema.field(name).type for name in (label, *names)}
    values = {n: table[n] for n, kind in kinds.items() if _is_number(kind) or _is_text(kind)}
    for name, of in values.items():
        if pa.types.is_string_view(of.type):  # which `take` cannot select from
            values[name] = of.cast(pa.string())
    classes = _codes(values.pop(label)) if label in values else np.zeros(0, np.int64)
    if not 1 < len(np.unique(classes)) <= len(table) / 2:
        return []
    some = np.linspace(0, len(table) - 1, min(TRIED, len(table))).astype(np.int64)
    found = [n for n, of in values.items() if _same(classes[some], of.take(some))]
    return [n for n in found if _same(classes, values[n])]  # most differ in some rows already


def _same(classes: np.ndarray, values: pa.ChunkedArray) -> bool:
    """Return whether texts or whole numbers (n,) have one value for each class, all different."""
    if pa.types.is_floating(values.type):
        numbers = values.drop_null().to_numpy()
        if (numbers != np.floor(numbers)).any():
            return False
    return _one_to_one(classes, _codes(values))


def _codes(values: pa.ChunkedArray) -> np.ndarray:
    """Return a number for each value (n,)."""
    return pc.rank(values.cast(pa.string()), tiebreaker="dense").to_numpy()


def _one_to_one(first: np.ndarray, second: np.ndarray) -> bool:
    """Return whether each code of one array (n,) always goes with the same code of the other."""
    pairs = len(np.unique(first.astype(np.int64) * (int(second.max()) + 1) + second))
    return pairs == len(np.unique(first)) == len(np.unique(second))


def mostly_numbers(values: pa.ChunkedArray) -> list[str]:
    """Return the words in a column of texts of which most are numbers, empty for other columns."""
    if not _is_text(values.type):
        return []
    texts = values.drop_null().cast(pa.string())
    words = texts.filter(pc.invert(pc.match_substring_regex(texts, NUMBER)))
    return words.unique().to_pylist() if 2 * len(words) < len(texts) else []


def listed(values: Iterable[object]) -> str:
    """Return the first values as `'a', 'b', 'c' and 3 more`."""
    return first_few(map(repr, values))
