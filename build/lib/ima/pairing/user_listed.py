"""Read a user's pairs file, in which each row lists one id per modality."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from ima.datasets.user import check_splits, column, labels_of, text
from ima.datasets.user_files import read_table
from ima.pairing.by_label import ABSENT, CLEAN, check_items, noise_kind
from ima.utils.errors import InputError

#: Arrays (N,) that describe pairs: row numbers for each modality, and `label`, `split`, `kind`.
Columns = dict[str, np.ndarray]


def read_listed(path: str | Path, options: Mapping, items: Mapping[str, pa.Table]) -> Columns:
    """Read the pairs file: one pair per row, with an id for each modality or null if absent.

    Args:
        path: a file or folder that `ima.datasets.user_files.read_table` can read.
        options: `columns`, the id column of each modality (default: the modality's name), and
            optionally the columns `label`, `split` and `kind`.
        items: OWN_ITEMS of each modality.

    Returns:
        The row numbers of the pairs' items, and those of `label`, `split` and `kind` that
        `options` names.

    Raises:
        InputError: a column is missing or has the wrong type, an id is unknown, a pair has no
            items, a modality occurs in no pair, or a split or kind is invalid.
    """
    columns = options.get("columns", {})
    table, found = read_table(path, [columns.get(name, name) for name in items]), {}
    for name, of in items.items():
        given = columns.get(name, name)
        where = f"{path}, column '{given}'"
        rows = {i: row for row, i in enumerate(of["id"].to_pylist())}
        values = column(table, given, path, missing=True)
        ids = [i if i or i in rows else None for i in text(values, where)]
        unknown = [i for i in ids if i is not None and i not in rows]
        if unknown:
            raise InputError(
                where,
                expected=f"ids of {name}, such as '{next(iter(rows))}'",
                found=f"{len(unknown)} unknown, e.g. '{unknown[0]}'",
                do=f"Remove these pairs, or add the items to {name}'s file.",
            )
        found[name] = np.array([ABSENT if i is None else rows[i] for i in ids])
    check_items({name: found[name] for name in items}, path)
    for name in ("label", "split", "kind"):
        if name in options:
            where = f"{path}, column '{options[name]}'"
            read = labels_of if name == "label" else text
            values = read(column(table, options[name], path, missing=name == "label"), where)
            found[name] = np.array([value or "" for value in values], str)
    if "split" in found:
        check_splits(pa.array(found["split"]), f"{path}, column '{options['split']}'")
    if "kind" in found:
        _check_kinds(found["kind"], list(items), f"{path}, column '{options['kind']}'")
    return found


def _check_kinds(kinds: np.ndarray, names: list[str], where: str) -> None:
    known = {CLEAN, *map(noise_kind, names)}
    other = [kind for kind in np.unique(kinds).tolist() if set(kind.split("+")) - known]
    if other:
        raise InputError(
            where,
            expected=f"the kinds {sorted(known)}, combined with +",
            found=other[:5],
            do="Use these names, or omit `kind` from the config.",
        )
