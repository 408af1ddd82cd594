"""Pair items of two modalities that share a label, and replace some items by noise (Section 4).

A pair consists of row numbers into the features of each modality, not of copies. A missing
modality is null in tables and ABSENT in arrays and tensors. Row numbers of noise, which is
generated later, follow those of the items: the k-th noise item is row `len(labels) + k`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.datasets.splits import hold_out
from ima.utils.errors import InputError
from ima.utils.io import read_parquet
from ima.utils.schemas import labelled, pairs_schema

#: Seed component for drawing held-out items; the splits use 0, 1 and 2.
HOLD_OUT_STREAM = 3

#: `pair_type` of a pair without noise.
CLEAN = "clean"


#: `sizes` of classes: those of the modality with more items of the class.
LARGER = "larger"

#: Row number of a modality that a pair lacks.
ABSENT = -1


def row_numbers(pairs: pa.Table, modality: str) -> np.ndarray:
    """Return the row numbers of a modality, int64 (N,), ABSENT where a pair lacks it."""
    column = pairs[f"item_{modality}"]
    return (
        (pc.fill_null(column, ABSENT) if column.null_count else column).to_numpy().astype("int64")
    )


def item_column(rows: np.ndarray) -> pa.Array:
    """Convert row numbers (N,) to a column of a pair table, with nulls where they are ABSENT."""
    rows = np.asarray(rows)
    return pa.array(rows, pa.int32(), mask=rows == ABSENT)


def noise_type(modality: str) -> str:
    """Return the `pair_type` of pairs in which a modality is noise, such as `image_noise`."""
    return f"{modality}_noise"


def is_noise(pairs: pa.Table) -> dict[str, np.ndarray]:
    """Return, by modality, masks (N,) of the pairs whose item is noise; absent items are not."""
    pair_types = pairs["pair_type"].to_pylist()
    return {
        name: has_noise(pair_types, name) & pairs[f"item_{name}"].is_valid().to_numpy()
        for name in modalities(pairs)
    }


def has_noise(pair_types: Sequence[str] | np.ndarray, modality: str) -> np.ndarray:
    """Return whether a modality is noise in each pair (N,), given the pairs' `pair_type`.

    A pair with noise in several modalities has their types joined by `+`.
    """
    distinct, index = np.unique(np.array(pair_types, str), return_inverse=True)
    pair_type = noise_type(modality)
    return np.array([pair_type in name.split("+") for name in distinct], bool)[index]


def draw(rows: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n rows at random, as evenly as possible.

    No row is drawn again before all rows have been drawn, so counts differ by at most one.
    """
    passes = [rng.permutation(rows) for _ in range(-(-n // len(rows)))]
    return np.concatenate(passes)[:n] if passes else rows[:0]


def class_size(
    labels: Mapping[str, np.ndarray], total: int | None, sizes: str = LARGER
) -> dict[int, int]:
    """Return the number N of digit pairs of each class before noise is added (deviation 8).

    By default, N is the larger number of items of the class in the two modalities, so that all
    items are used and those of the smaller set are reused evenly. If `total` is given, the class
    sizes are scaled to this sum, rounded by the largest-remainder method.

    Args:
        labels: the labels of the items of each modality.
        total: the sum of N over the classes, or None for all items.
        sizes: LARGER, or the modality whose number of items of a class is N. Of another modality
            with more items of a class, some are then not used; with fewer, they are reused.

    Raises:
        InputError: `sizes` is no modality, or a class occurs in only one modality.
    """
    if sizes != LARGER and sizes not in labels:
        expected = f"{LARGER}, or one of the modalities {', '.join(labels)}"
        raise InputError("class sizes", expected=expected, found=sizes)
    classes = {name: set(np.unique(values).tolist()) for name, values in labels.items()}
    first = next(iter(classes.values()))
    for name, known in classes.items():
        if known != first or not known:
            raise InputError(
                f"labels of {name}",
                expected=f"the classes of the other modality, {sorted(first)}",
                found=sorted(known),
            )
    counted = labels.values() if sizes == LARGER else [labels[sizes]]
    counts = {c: max(int((v == c).sum()) for v in counted) for c in sorted(first)}
    if total is None:
        return counts
    exact = {c: n * total / sum(counts.values()) for c, n in counts.items()}
    rounded = {c: int(n) for c, n in exact.items()}
    by_remainder = sorted(exact, key=lambda c: (rounded[c] - exact[c], c))
    for c in by_remainder[: total - sum(rounded.values())]:
        rounded[c] += 1
    return rounded


def make_pairs(
    labels: Mapping[str, np.ndarray],
    rows: Mapping[str, np.ndarray],
    noise_factor: float,
    total: int | None,
    first_noise: Mapping[str, int],
    rng: np.random.Generator,
    sizes: str = LARGER,
) -> pa.Table:
    """Pair two modalities by label, and pair a share of each class with noise.

    A class of size N gives N(1 - R) pairs of two digits, N R pairs with noise in the first modality
    and N R with noise in the second. It thus has N(1 + R) pairs, and every drawn digit is in
    exactly one of them. N R is rounded.

    Args:
        labels: the class of each item, by modality, in the order of the table's modalities.
        rows: the row number of each of these items in the features of the modality.
        noise_factor: R, in [0, 1].
        total: the sum of N over the classes, or None for all items (see `class_size`).
        first_noise: the first free row number for noise, by modality.
        rng: source of randomness.
        sizes: LARGER, or the modality whose class sizes are taken (see `class_size`).

    Returns:
        A table of `ima.utils.schemas.pairs_schema`, in random order.

    Raises:
        InputError: there are not two modalities, R is outside [0, 1], or an error of `class_size`.
    """
    if len(labels) != 2:
        raise InputError("modalities", expected="two modalities", found=list(labels))
    if not 0 <= noise_factor <= 1:
        raise InputError("noise factor R", expected="a number in [0, 1]", found=noise_factor)
    names = list(labels)
    columns: dict[str, list[np.ndarray]] = {n: [] for n in (*names, "label", "pair_type")}
    next_noise = dict(first_noise)
    for c, size in class_size(labels, total, sizes).items():
        noisy = round(size * noise_factor)
        digits = {m: draw(rows[m][labels[m] == c], size, rng) for m in names}
        noise = {m: next_noise[m] + np.arange(noisy) for m in names}
        next_noise = {m: next_noise[m] + noisy for m in names}
        for name, part in _mixed(digits, noise, size - noisy).items():
            columns[name].append(part)
        pair_types = (CLEAN, *map(noise_type, names))
        columns["pair_type"].append(np.repeat(pair_types, (size - noisy, noisy, noisy)))
        columns["label"].append(np.full(size + noisy, c))
    merged = {name: np.concatenate(parts) for name, parts in columns.items()}
    order = rng.permutation(len(merged["label"]))
    items = {f"item_{name}": merged[name][order] for name in names}
    table = {**items, "label": merged["label"][order], "pair_type": merged["pair_type"][order]}
    return pa.table(table).cast(pairs_schema(names))


def _mixed(
    digits: Mapping[str, np.ndarray], noise: Mapping[str, np.ndarray], clean: int
) -> dict[str, np.ndarray]:
    """Return the items of a class: clean, noise in the first, noise in the second modality."""
    first, second = digits
    return {
        first: np.concatenate((digits[first][:clean], noise[first], digits[first][clean:])),
        second: np.concatenate((digits[second], noise[second])),
    }


def pair_splits(
    items: Mapping[str, pa.Table],
    noise_factor: float,
    totals: Mapping[str, int | None],
    validation_share: float,
    seed: int,
    sizes: str = LARGER,
) -> dict[str, pa.Table]:
    """Pair the items of each split separately, so that splits share neither items nor noise.

    Args:
        items: ITEMS of each modality; pairs refer to their row numbers.
        noise_factor: R, in [0, 1].
        totals: for each split (`train`, `validation`, `test`), the sum of N over the classes, or
            None (see `class_size`).
        validation_share: share of the training items used for validation instead, in (0, 1).
        seed: seed of the choice and order of pairs.
        sizes: LARGER, or the modality whose class sizes are taken (see `class_size`).

    Returns:
        A pair table for each split; the row numbers of noise continue from split to split.

    Raises:
        InputError: an error of `make_pairs`, or a split has no items.
    """
    if not 0 < validation_share < 1:
        raise InputError("validation_share", expected="a share in (0, 1)", found=validation_share)
    labels = {name: table["label"].to_numpy() for name, table in items.items()}
    rng = np.random.default_rng([seed, HOLD_OUT_STREAM])
    splits = {
        name: hold_out(np.array(table["split"].to_pylist()), labels[name], validation_share, rng)
        for name, table in items.items()
    }
    first_noise = {name: len(table) for name, table in items.items()}
    pairs = {}
    for i, (split, total) in enumerate(totals.items()):
        rows = {name: np.flatnonzero(values == split) for name, values in splits.items()}
        for name, numbers in rows.items():
            if not len(numbers):
                raise InputError(f"{name} items", expected=f"some in '{split}'", found="none")
        pairs[split] = make_pairs(
            {name: labels[name][numbers] for name, numbers in rows.items()},
            rows,
            noise_factor,
            total,
            first_noise,
            np.random.default_rng([seed, i]),
            sizes,
        )
        for name, first in first_noise.items():
            last = int(pc.max(pairs[split][f"item_{name}"]).as_py())
            first_noise[name] = max(first, last + 1)
    return pairs


def modalities(pairs: pa.Table) -> list[str]:
    """Return the names of the modalities of a pair table, in order."""
    return [name[len("item_") :] for name in pairs.column_names if name.startswith("item_")]


def read_pairs(path: str | Path) -> pa.Table:
    """Read a pair table.

    Raises:
        InputError: an error of `ima.utils.io.read_parquet`, the table has no pairs or modalities,
            a pair has no items, or a modality is absent from all pairs.
    """
    table = read_parquet(path)
    if not modalities(table) or not len(table):
        raise InputError(
            path,
            expected="pairs, with one column item_<modality> per modality",
            found=table.column_names,
        )
    if "label" in table.column_names:
        schema = labelled(pairs_schema(modalities(table)), table)
    else:
        schema = pairs_schema(modalities(table))  # says what is missing
    table = read_parquet(path, schema)
    check_items({name: row_numbers(table, name) for name in modalities(table)}, path)
    return table


def check_items(rows: Mapping[str, np.ndarray], where: object) -> None:
    """Check that every pair has an item, and that every modality occurs in a pair.

    Args:
        rows: the row numbers (N,) of each modality, ABSENT where a pair lacks it.
        where: the name of the pairs in error messages.

    Raises:
        InputError: a pair has no items, or a modality is absent from all pairs.
    """
    absent = {name: numbers == ABSENT for name, numbers in rows.items()}
    for name, mask in absent.items():
        if mask.all():
            raise InputError(
                where,
                expected=f"an item of {name} in some of the pairs",
                found=f"none in {len(mask)} pairs",
                do=f"Remove the modality {name}, or add pairs that have it.",
            )
    empty = np.logical_and.reduce([*absent.values()])
    if empty.any():
        raise InputError(
            where,
            expected="an item of at least one modality in each pair",
            found=f"{int(empty.sum())} pairs without any, the first in row {int(empty.argmax())}",
            do="Remove these pairs.",
        )


def noise_count(modality: str, items: int, paths: Sequence[str | Path]) -> int:
    """Return the number of noise items of a modality that pair tables refer to.

    Args:
        modality: the name of the modality.
        items: the number of its items that are not noise.
        paths: the pair tables.

    Raises:
        InputError: an error of `read_pairs`, or there are more noise items than pairs, so the
            tables were made from other features.
    """
    rows = [read_pairs(path)[f"item_{modality}"] for path in paths]
    count = max(0, max(int(pc.max(column).as_py()) for column in rows) + 1 - items)
    if count > sum(map(len, rows)):
        raise InputError(
            f"pairs {', '.join(map(str, paths))}",
            expected=f"no more noise than pairs, after {items} items of {modality}",
            found=f"{count} noise items of {modality}",
            do="Create the pairs again from these features.",
        )
    return count
