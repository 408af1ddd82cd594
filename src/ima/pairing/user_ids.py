"""Check whether the items of user modalities belong together, by their ids and pairs."""

import logging
import re
from collections.abc import Collection, Mapping
from itertools import combinations

import numpy as np
import pyarrow as pa

from ima.pairing.by_label import ABSENT
from ima.utils.errors import InputError

logger = logging.getLogger(__name__)


def check_partners(items: Mapping[str, pa.Table], rows: Mapping[str, np.ndarray]) -> None:
    """Check that every modality is in a pair with another one.

    Args:
        items: OWN_ITEMS of each modality.
        rows: row numbers (N,) of each modality, ABSENT where a pair lacks it.

    Raises:
        InputError: a modality is not.
    """
    present = {m: rows[m] != ABSENT for m in items}
    together = sum(has.astype(int) for has in present.values()) > 1
    for m, has in present.items():
        if has.any() and not (has & together).any():
            ids = {n: table["id"].to_pylist() for n, table in items.items()}
            hints = (hint_of_ids(ids[m], others) for n, others in ids.items() if n != m)
            raise InputError(
                f"own.modalities.{m}",
                expected="items in pairs with another modality",
                found=f"modality '{m}' in no pair with another; ids: "
                + ", ".join(f"{n} '{ids[n][0]}' ..." for n in items),
                do="Give items that belong together the same id, or remove the modality."
                + next(filter(None, hints), ""),
            )


def hint_of_ids(ids: Collection[str], others: Collection[str]) -> str:
    """Return a sentence on why ids that should be the same differ, after a space; '' if unknown.

    Args:
        ids: ids of a modality or of a pairs file, none of which are in `others`.
        others: the ids that they should be among.
    """
    if hint := _hint_of_spelling(ids, others):
        return hint
    if is_row_numbers(ids) or is_row_numbers(others):
        return " Some ids are row numbers, which a file without a column of ids has."
    return ""


def _hint_of_spelling(ids: Collection[str], others: Collection[str]) -> str:
    """Return a sentence on how an id is spelt differently in `others`; '' if none is."""
    same = {_number(i): i for i in others}
    alike = next((i for i in ids if _number(i) in same), None)
    if alike is not None:
        other = same[_number(alike)]
        if any(re.fullmatch(r"[0-9]+\.0*", of.strip()) for of in (alike, other)):
            return f" One file has its ids as decimals ('{alike}' for '{other}')."
        return f" Some ids have spaces or leading zeros ('{alike}' for '{other}')."
    same = {_spelling(i): i for i in others}
    alike = next((i for i in ids if _spelling(i) in same), None)
    if alike is not None:
        return f" Some ids are spelt differently ('{alike}' for '{same[_spelling(alike)]}')."
    return ""


def _number(text: str) -> str:
    """Return an id without spaces, leading zeros and decimals of 0."""
    match = re.fullmatch(r"([0-9]++)(?:\.0*+)?", text.strip())
    return match[1].lstrip("0") or "0" if match else text.strip()


def _spelling(text: str) -> str:
    """Return an id in lower case, without spaces and the suffix of a file."""
    return re.sub(r"\.[a-z][a-z0-9]{1,4}$", "", text.strip().casefold())


def is_row_numbers(ids: Collection[str]) -> bool:
    """Return whether ids count the rows of a file, from 0."""
    return len(ids) > 0 and all(i == str(row) for row, i in enumerate(ids))


def warn_of_items(items: Mapping[str, pa.Table], rows: Mapping[str, np.ndarray], by: str) -> None:
    """Warn of items that can hardly be meant to belong together.

    These are files of which most items are in no pair with another modality, ids without a partner
    that differ from others in spelling alone, row numbers as ids of files of different lengths, and
    modalities whose vectors are the same.

    Args:
        items: OWN_ITEMS of each modality.
        rows: row numbers (N,) of each modality, ABSENT where a pair lacks it.
        by: how they are paired, as for `ima.pairing.user.pair_own`.
    """
    together = sum((rows[m] != ABSENT).astype(int) for m in items) > 1
    for m, table in items.items():
        paired = len(np.unique(rows[m][together & (rows[m] != ABSENT)]))
        if by != "label" and 2 * paired < len(table):
            logger.warning(
                "%s: %d of %d items are in no pair with another modality%s",
                *(m, len(table) - paired, len(table)),
                ": are the ids the same in all files, and is each row one item?" * (by == "id"),
            )
    for m, n in combinations(items, 2):
        ids = [items[name]["id"].to_pylist() for name in (m, n)]
        common = set(ids[0]) & set(ids[1])
        alone = [[i for i in of if i not in common] for of in ids]
        if by == "id" and (hint := _hint_of_spelling(*alone)):
            logger.warning(
                "%s and %s: %d and %d ids are not in the other file.%s",
                *(m, n, *map(len, alone), hint),
            )
        if by == "id" and len(ids[0]) != len(ids[1]) and all(map(is_row_numbers, ids)):
            logger.warning(
                "ids of %s and %s are row numbers, of %d and %d rows: are the same rows of both "
                "files the same items?",
                *(m, n, len(items[m]), len(items[n])),
            )
        if _same_vectors(items[m], items[n]):
            logger.warning("%s and %s have the same vectors: are their files the right ones?", m, n)


def _same_vectors(table: pa.Table, other: pa.Table) -> bool:
    """Return whether two tables have the same vectors, if they have any."""
    if "x" not in table.column_names or len(table) != len(other):
        return False
    x, y = table["x"], other["x"]
    return x.type == y.type and x[:1].equals(y[:1]) and x.equals(y)
