"""The file of a user's own pairs: a row a pair, an id of each modality."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from ima.datasets.user import check_splits, column, text
from ima.datasets.user_files import read_table
from ima.pairing.by_label import ABSENT, CLEAN, check_items, noise_kind
from ima.utils.errors import InputError

#: By name, arrays (N,) of pairs: each modality's row numbers, and `label`, `split`, `kind`.
Columns = dict[str, np.ndarray]


def read_listed(path: str | Path, options: Mapping, items: Mapping[str, pa.Table]) -> Columns:
    """Read the pairs file: a row a pair, an id of each modality, null where the pair lacks it.

    Args:
        path: a file or folder of `ima.datasets.user_files.read_table`.
        options: `columns`, the column of each modality's ids (default: the modality's name), and
            if there are any, the columns `label`, `split` and `kind`.
        items: OWN_ITEMS of each modality.

    Returns:
        The pairs' rows, and of `label`, `split`, `kind` those that the file has.

    Raises:
        InputError: a column is missing or of a wrong type, an id is of no item, a pair has none, a
            modality is in none, or a split or kind is none that there is.
    """
    columns = options.get("columns", {})
    table, found = read_table(path, [columns.get(name, name) for name in items]), {}
    for name, of in items.items():
        given = columns.get(name, name)
        where = f"{path}, column '{given}'"
        rows = {i: row for row, i in enumerate(of["id"].to_pylist())}
        values = column(table, given, path, missing=True)
        ids = text(values, where)
        unknown = [i for i in ids if i is not None and i not in rows]
        if unknown:
            raise InputError(
                where,
                expected=f"ids of {name}, as '{next(iter(rows))}'",
                found=f"{len(unknown)} that it does not have, as '{unknown[0]}'",
                do=f"Leave these pairs out, or add the items to {name}'s file.",
            )
        found[name] = np.array([ABSENT if i is None else rows[i] for i in ids])
    check_items({name: found[name] for name in items}, path)
    for name in ("label", "split", "kind"):
        if name in options:
            where = f"{path}, column '{options[name]}'"
            values = text(column(table, options[name], path, missing=name == "label"), where)
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
            expected=f"the kinds {sorted(known)}, several joined by +",
            found=other[:5],
            do="Write what is noise in a pair so, or leave `kind` out of the config.",
        )
