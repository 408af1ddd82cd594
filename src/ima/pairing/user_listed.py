"""Read a user's pairs file, in which each row lists one id per modality."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ima.datasets.user import check_splits, column, labels_of, text
from ima.datasets.user_files import read_table
from ima.pairing.by_label import ABSENT, CLEAN, check_items, noise_type
from ima.pairing.user_ids import hint_of_ids
from ima.utils.errors import InputError

#: Arrays (N,) that describe pairs: each modality's row numbers, and `label`, `split`, `pair_type`.
Columns = dict[str, np.ndarray]


def read_listed(
    path: str | Path, options: Mapping[str, Any], items: Mapping[str, pa.Table]
) -> Columns:
    """Read the pairs file: one pair per row, with an id for each modality or null if absent.

    Args:
        path: a file or folder that `ima.datasets.user_files.read_table` can read.
        options: `columns`, the id column of each modality (default: the modality's name), and
            optionally the columns `label`, `split` and `pair_type`.
        items: OWN_ITEMS of each modality.

    Returns:
        The row numbers of the pairs' items, and those of `label`, `split` and `pair_type` that
        `options` names.

    Raises:
        InputError: a column is missing or has the wrong type, an id is unknown, a pair has no
            items, a modality occurs in no pair, or a split or pair type is invalid.
    """
    columns = options.get("columns", {})
    table, pairs = read_table(path, [columns.get(name, name) for name in items]), {}
    for name, item_table in items.items():
        id_column = columns.get(name, name)
        where = f"{path}, column '{id_column}'"
        rows = {i: row for row, i in enumerate(item_table["id"].to_pylist())}
        values = column(table, id_column, path, missing=True)
        ids = [i if i or i in rows else None for i in text(values, where)]
        unknown = [i for i in ids if i is not None and i not in rows]
        if unknown:
            raise InputError(
                where,
                expected=f"ids of {name}, such as '{next(iter(rows))}'",
                found=f"{len(unknown)} unknown, e.g. '{unknown[0]}'",
                do=f"Remove these pairs, or add the items to {name}'s file."
                + hint_of_ids(unknown, rows),
            )
        pairs[name] = np.array([ABSENT if i is None else rows[i] for i in ids])
    check_items({name: pairs[name] for name in items}, path)
    for name in ("label", "split", "pair_type"):
        if name in options:
            where = f"{path}, column '{options[name]}'"
            read = labels_of if name == "label" else text
            values = read(column(table, options[name], path, missing=name == "label"), where)
            pairs[name] = np.array([value or "" for value in values], str)
    if "split" in pairs:
        check_splits(pa.array(pairs["split"]), f"{path}, column '{options['split']}'")
    if "pair_type" in pairs:
        _check_pair_types(
            pairs["pair_type"], list(items), f"{path}, column '{options['pair_type']}'"
        )
    return pairs


def _check_pair_types(pair_types: np.ndarray, names: list[str], where: str) -> None:
    known = {CLEAN, *map(noise_type, names)}
    unknown = [n for n in np.unique(pair_types).tolist() if set(n.split("+")) - known]
    if unknown:
        raise InputError(
            where,
            expected=f"the types {sorted(known)}, combined with +",
            found=unknown[:5],
            do="Use these names, or omit `pair_type` from the config.",
        )
