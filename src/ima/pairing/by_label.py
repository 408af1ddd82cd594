"""Pairs of items of two modalities that share a label, and pairs with noise (Section 4).

A pair is a row number into each modality's features, never a copy; null where it lacks the
modality, ABSENT in arrays and tensors. Rows from `len(labels)` on are noise, which is made
afterwards: the k-th noise item of a modality is row `len(labels) + k`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.datasets.splits import hold_out
from ima.utils.errors import InputError
from ima.utils.io import read_parquet
from ima.utils.schemas import pairs_schema

#: What draws the held-out items, beside the splits' own numbers 0, 1, 2.
HELD_OUT = 3

#: `kind` of a pair in which every modality is an item of the corpus.
CLEAN = "clean"


#: Row number of a modality that a pair lacks.
ABSENT = -1


def row_numbers(pairs: pa.Table, modality: str) -> np.ndarray:
    """Return the row numbers (N,), int64, of a modality's items; ABSENT where a pair lacks it."""
    column = pairs[f"item_{modality}"]
    return (
        (pc.fill_null(column, ABSENT) if column.null_count else column).to_numpy().astype("int64")
    )


def item_column(rows: np.ndarray) -> pa.Array:
    """Return the column of a pair table of row numbers (N,): null where they are ABSENT."""
    rows = np.asarray(rows)
    return pa.array(rows, pa.int32(), mask=rows == ABSENT)


def noise_kind(modality: str) -> str:
    """Name the kind of pair in which `modality` is noise, as `image_noise`."""
    return f"{modality}_noise"


def is_noise(pairs: pa.Table) -> dict[str, np.ndarray]:
    """Return by modality whether its item of each pair (N,) is noise; one that is absent is not."""
    kinds, of = np.unique(np.array(pairs["kind"].to_pylist(), str), return_inverse=True)
    return {
        name: np.array([noise_kind(name) in kind.split("+") for kind in kinds], bool)[of]
        & pairs[f"item_{name}"].is_valid().to_numpy()
        for name in modalities(pairs)
    }


def draw(rows: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n of the rows, none a second time before each was drawn once, and so on.

    The counts of any two rows differ by one at the most.
    """
    passes = [rng.permutation(rows) for _ in range(-(-n // len(rows)))]
    return np.concatenate(passes)[:n] if passes else rows[:0]


def class_size(labels: Mapping[str, np.ndarray], total: int | None) -> dict[int, int]:
    """Return how many digit pairs N each class gets before noise is mixed in.

    Where a class has more items in one modality than in the other, N is the larger number, so
    that no item is left out and those of the smaller set are used again, evenly. With `total`,
    the classes keep these proportions and N sums to `total` (rounded by largest remainder).

    Raises:
        InputError: a class is in one modality only.
    """
    classes = {name: set(np.unique(values).tolist()) for name, values in labels.items()}
    first = next(iter(classes.values()))
    for name, found in classes.items():
        if found != first or not found:
            raise InputError(
                f"labels of {name}",
                expected=f"the classes of the other modality, {sorted(first)}",
                found=sorted(found),
            )
    sizes = {c: max(int((v == c).sum()) for v in labels.values()) for c in sorted(first)}
    if total is None:
        return sizes
    exact = {c: n * total / sum(sizes.values()) for c, n in sizes.items()}
    whole = {c: int(n) for c, n in exact.items()}
    by_remainder = sorted(exact, key=lambda c: (whole[c] - exact[c], c))
    for c in by_remainder[: total - sum(whole.values())]:
        whole[c] += 1
    return whole


def make_pairs(
    labels: Mapping[str, np.ndarray],
    rows: Mapping[str, np.ndarray],
    noise_factor: float,
    total: int | None,
    first_noise: Mapping[str, int],
    rng: np.random.Generator,
) -> pa.Table:
    """Pair two modalities by label, a part of each class with noise.

    Of a class of N pairs, N(1 - R) are digit with digit; N R have noise in the first modality
    and N R in the second, so a class has N(1 + R) pairs in all and every digit that is drawn is
    in one of them. N R is rounded.

    Args:
        labels: class of each item, by modality; the order of modalities is the table's.
        rows: row number of each of those items in the modality's features.
        noise_factor: R, in [0, 1].
        total: sum of N over the classes, or None for as many as the data give.
        first_noise: by modality, the first free row number for noise.
        rng: source of randomness.

    Returns:
        A table of `ima.utils.schemas.pairs_schema`, in random order.

    Raises:
        InputError: not two modalities, R outside [0, 1], or a class without items.
    """
    if len(labels) != 2:
        raise InputError("modalities", expected="two to pair", found=list(labels))
    if not 0 <= noise_factor <= 1:
        raise InputError("noise factor R", expected="a number in [0, 1]", found=noise_factor)
    names = list(labels)
    columns = {name: [] for name in (*names, "label", "kind")}
    next_noise = dict(first_noise)
    for c, size in class_size(labels, total).items():
        noisy = round(size * noise_factor)
        digits = {m: draw(rows[m][labels[m] == c], size, rng) for m in names}
        noise = {m: next_noise[m] + np.arange(noisy) for m in names}
        next_noise = {m: next_noise[m] + noisy for m in names}
        for name, items in _mixed(digits, noise, size - noisy).items():
            columns[name].append(items)
        kinds = (CLEAN, *map(noise_kind, names))
        columns["kind"].append(np.repeat(kinds, (size - noisy, noisy, noisy)))
        columns["label"].append(np.full(size + noisy, c))
    merged = {name: np.concatenate(parts) for name, parts in columns.items()}
    order = rng.permutation(len(merged["label"]))
    items = {f"item_{name}": merged[name][order] for name in names}
    table = {**items, "label": merged["label"][order], "kind": merged["kind"][order]}
    return pa.table(table).cast(pairs_schema(names))


def _mixed(
    digits: Mapping[str, np.ndarray], noise: Mapping[str, np.ndarray], clean: int
) -> dict[str, np.ndarray]:
    """Return the items of a class' pairs: clean, noise in the first modality, in the second."""
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
) -> dict[str, pa.Table]:
    """Pair the items of each split by itself, so that train, validation and test share none.

    Args:
        items: ITEMS of each modality, whose row numbers the pairs hold.
        noise_factor: R, in [0, 1].
        totals: by split (`train`, `validation`, `test`), the sum of N over the classes, or None
            (see `class_size`).
        validation_share: share of the training items that are for validation instead, in (0, 1).
        seed: of the choice and order of pairs.

    Returns:
        By split, a pair table; noise rows of a modality are numbered on from split to split.

    Raises:
        InputError: as `make_pairs`, or a split without items.
    """
    if not 0 < validation_share < 1:
        raise InputError("validation_share", expected="a share in (0, 1)", found=validation_share)
    labels = {name: table["label"].to_numpy() for name, table in items.items()}
    rng = np.random.default_rng([seed, HELD_OUT])
    splits = {
        name: hold_out(np.array(table["split"].to_pylist()), labels[name], validation_share, rng)
        for name, table in items.items()
    }
    first_noise = {name: len(table) for name, table in items.items()}
    pairs = {}
    for i, (split, total) in enumerate(totals.items()):
        rows = {name: np.flatnonzero(values == split) for name, values in splits.items()}
        for name, found in rows.items():
            if not len(found):
                raise InputError(f"{name} items", expected=f"some in '{split}'", found="none")
        pairs[split] = make_pairs(
            {name: labels[name][found] for name, found in rows.items()},
            rows,
            noise_factor,
            total,
            first_noise,
            np.random.default_rng([seed, i]),
        )
        for name, first in first_noise.items():
            last = int(pc.max(pairs[split][f"item_{name}"]).as_py())
            first_noise[name] = max(first, last + 1)
    return pairs


def modalities(pairs: pa.Table) -> list[str]:
    """Return the names of a pair table's modalities, in order."""
    return [name[len("item_") :] for name in pairs.column_names if name.startswith("item_")]


def read_pairs(path: str | Path) -> pa.Table:
    """Read a pair table.

    Raises:
        InputError: as `ima.utils.io.read_parquet`, there is no pair or no modality, a pair has no
            item, or a modality has none in any pair.
    """
    table = read_parquet(path)
    if not modalities(table) or not len(table):
        raise InputError(
            path, expected="pairs, with a column item_<modality> each", found=table.column_names
        )
    table = read_parquet(path, pairs_schema(modalities(table)))
    check_items({name: row_numbers(table, name) for name in modalities(table)}, path)
    return table


def check_items(rows: Mapping[str, np.ndarray], where: object) -> None:
    """Raise InputError unless each pair has an item, and each modality is in some pair.

    Args:
        rows: by modality, row numbers (N,), ABSENT where a pair lacks it.
        where: whose pairs these are.
    """
    absent = {name: of == ABSENT for name, of in rows.items()}
    for name, of in absent.items():
        if of.all():
            raise InputError(
                where,
                expected=f"an item of {name} in some of the pairs",
                found=f"none in {len(of)} pairs",
                do=f"Leave the modality {name} out, or add pairs that have it.",
            )
    empty = np.logical_and.reduce([*absent.values()])
    if empty.any():
        raise InputError(
            where,
            expected="an item of one modality at least in each pair",
            found=f"{int(empty.sum())} pairs without any, the first in row {int(empty.argmax())}",
            do="Leave these pairs out.",
        )


def noise_count(modality: str, items: int, paths: Sequence[str | Path]) -> int:
    """Return how many noise items of a modality the pair tables ask for.

    Args:
        modality: its name.
        items: number of items of its corpus.
        paths: the pair tables.
    """
    rows = [read_pairs(path)[f"item_{modality}"] for path in paths]
    count = max(0, max(int(pc.max(column).as_py()) for column in rows) + 1 - items)
    if count > sum(map(len, rows)):
        raise InputError(
            f"pairs {', '.join(map(str, paths))}",
            expected=f"no more noise than pairs, after {items} items of {modality}",
            found=f"{count} noise items of {modality}",
            do="Make the pairs again from these features.",
        )
    return count
