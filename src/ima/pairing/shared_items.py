"""Pairs that have an item in common, which retrieval excludes from a query's neighbours (5.4)."""

from collections.abc import Sequence

import numpy as np


class Members:
    """The pairs that have the same item, by pair.

    Args:
        column: identifiers (N,) of the pairs' items. Negative integers mark absent items, which no
            pairs have in common.
    """

    def __init__(self, column: np.ndarray):
        _, item, counts = np.unique(column, return_inverse=True, return_counts=True)
        self._order = np.argsort(item, kind="stable")
        end = counts.cumsum()[item]
        self.counts = counts[item]  # (N,): pairs that have the pair's item, including itself
        if np.issubdtype(column.dtype, np.integer):
            self.counts[column < 0] = 0
        self._span = np.stack((end - self.counts, end), 1)

    def of(self, row: int) -> np.ndarray:
        """Return the row numbers of the pairs that have the item of a pair, including itself."""
        first, end = self._span[row]
        return self._order[first:end]


def most_neighbours(items: Sequence[np.ndarray], n: int) -> int:
    """Return the greatest K for which each of n pairs has K others that share no item with it.

    Args:
        items: as `shared` of `ima.evaluation.neighbours.neighbours`.
        n: number of pairs.
    """
    members = [Members(column) for column in items]
    if not n or not members:
        return max(n - 1, 0)
    # Pairs that share two items count twice in this bound.
    bound = np.sum([column.counts for column in members], axis=0)
    excluded = 1
    for row in np.argsort(-bound, kind="stable"):
        if bound[row] <= excluded:
            break
        shared = np.concatenate([column.of(row) for column in members])
        excluded = max(excluded, len(np.unique(shared)))
    return n - excluded
