"""Pairs that have an item in common, which retrieval excludes from a query's neighbours (5.4)."""

from collections.abc import Sequence

import numpy as np


def share_item(rows: np.ndarray, columns: Sequence[np.ndarray]) -> np.ndarray:
    """Return which of N pairs (B, N) have an item in common with each of B pairs.

    Args:
        rows: row numbers (B,) of the B pairs.
        columns: identifiers (N,) of the pairs' items. Negative integers mark absent items, which no
            pairs have in common.
    """
    common = np.zeros((len(rows), len(columns[0])), bool)
    for column in columns:
        same = column[rows, None] == column
        if np.issubdtype(column.dtype, np.integer):
            same &= column >= 0
        common |= same
    return common


def most_neighbours(items: Sequence[np.ndarray], n: int) -> int:
    """Return the greatest K for which each of n pairs has K others that share no item with it.

    Args:
        items: as `shared` of `neighbours`.
        n: number of pairs.
    """
    shared = [i for i in items if len(np.unique(i[i >= 0])) < (i >= 0).sum()]
    if not shared:
        return max(n - 1, 0)
    most = n
    for first in range(0, n, 512):
        rows = np.arange(first, min(first + 512, n))
        excluded = share_item(rows, shared)
        excluded[np.arange(len(rows)), rows] = True
        most = min(most, int((~excluded).sum(1).min()))
    return most
