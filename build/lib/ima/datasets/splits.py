"""Splits of user pairs: as given, or drawn so that no two splits share an item.

If the user gives no splits, a share of the pairs becomes the test set and a share of the remaining
pairs the validation set.
"""

import logging
from collections.abc import Mapping

import numpy as np

SPLITS = ("train", "validation", "test")

logger = logging.getLogger(__name__)


def hold_out(
    splits: np.ndarray, labels: np.ndarray, share: float, rng: np.random.Generator
) -> np.ndarray:
    """Return the splits with a share of each class's training items moved to `validation`.

    Args:
        splits: split of each item (n,).
        labels: label of each item (n,).
        share: share of a class's training items to move, in (0, 1). At least one item is moved
            and at least one is kept; a class with a single item keeps it.
        rng: source of randomness.
    """
    splits = splits.astype(object)
    for c in np.unique(labels):
        rows = rng.permutation(np.flatnonzero((labels == c) & (splits == "train")))
        count = min(max(1, round(share * len(rows))), len(rows) - 1)
        splits[rows[: max(count, 0)]] = "validation"
    return splits


def assign(
    pairs: Mapping[str, np.ndarray],
    names: list[str],
    shares: Mapping[str, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the split of each pair (N,): as given, or drawn so that no two splits share an item.

    Every split must contain every modality. If items occur in so many pairs that the splits cannot
    be kept disjoint, pairs are drawn one by one instead. If some classes are too small, pairs are
    drawn regardless of class; if a modality is rare, pairs are stratified by the modalities that
    they have. The log warns about each of these cases.

    Args:
        pairs: row numbers (N,) for each modality, `split` ('' if not given) and `label`.
        names: names of the modalities.
        shares: shares for `test` and `validation`, in (0, 1).
        rng: source of randomness.
    """
    groups = linked([pairs[name] for name in names])
    alone, labels, there = np.arange(len(groups)), pairs["label"], [pairs[m] >= 0 for m in names]
    which = np.array(["".join("01"[int(of)] for of in row) for row in zip(*there, strict=True)])
    attempts = [
        (groups, labels, ""),
        (alone, labels, ""),
        (alone, np.full(len(groups), ""), "regardless of class: some classes have too few pairs"),
        (groups, which, "stratified by the modalities of a pair: one modality is rare"),
        (alone, which, "stratified by the modalities of a pair: one modality is rare"),
    ]
    for kept, by, said in attempts:
        drawn = draw_splits(pairs["split"], kept, by, shares, rng)
        if all((of & (drawn == split)).any() for of in there for split in SPLITS):
            if said:
                logger.warning("splits are drawn %s", said)
            break
    for i, one in enumerate(SPLITS):
        for other in SPLITS[i + 1 :]:
            for name in names:
                parts = (pairs[name][drawn == split] for split in (one, other))
                shared = int((np.intersect1d(*parts) >= 0).sum())
                if shared:
                    logger.warning("%s: %d items in both %s and %s", name, shared, one, other)
    return drawn


def linked(rows: list[np.ndarray]) -> np.ndarray:
    """Return the group (N,) of each pair; pairs connected through shared items form one group.

    Args:
        rows: for each modality, the row numbers (N,) of the pairs' items, negative if absent.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, edges, first = len(rows[0]), [], len(rows[0])
    for values in rows:  # nodes: the pairs, then the items of each modality
        here = np.flatnonzero(values >= 0)
        edges.append((here, first + values[here]))
        first += int(values.max()) + 1
    source, target = (np.concatenate(ends) for ends in zip(*edges, strict=True))
    graph = coo_array((np.ones(len(source)), (source, target)), shape=(first, first))
    return np.unique(connected_components(graph, directed=False)[1][:n], return_inverse=True)[1]


def draw_splits(
    given: np.ndarray,
    groups: np.ndarray,
    labels: np.ndarray,
    shares: Mapping[str, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """Return splits (n,): those given, and otherwise drawn.

    The test set is drawn if no split is given at all; the validation set is drawn from the
    training set if no pair is given as `validation`.

    Args:
        given: one of SPLITS or '' (n,).
        groups: group of each row (n,); a group is never divided.
        labels: classes (n,); splits are stratified by class if every group is a single row.
        shares: shares for `test` and `validation`.
        rng: source of randomness.
    """
    splits = np.where(given == "", "train", given).astype("<U10")
    if (given == "").all():
        splits = _move(splits, groups, labels, "test", shares["test"], rng)
    if "validation" not in splits:
        splits = _move(splits, groups, labels, "validation", shares["validation"], rng)
    return splits


def _move(
    splits: np.ndarray,
    groups: np.ndarray,
    labels: np.ndarray,
    to: str,
    share: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the splits with a share of `train` moved to the split `to`."""
    here = splits == "train"
    numbers, sizes = np.unique(groups[here], return_counts=True)
    if len(numbers) == here.sum():  # single-row groups: stratify by class
        held = hold_out(np.where(here, "train", ""), labels, share, rng)
        return np.where(held == "validation", to, splits)
    # The largest group stays in `train`; others move in random order until the share is reached.
    order = rng.permutation(len(numbers))
    order = order[order != sizes.argmax()]
    reached = np.cumsum(sizes[order])
    moved = order[: np.searchsorted(reached, share * here.sum()) + 1]
    return np.where(here & np.isin(groups, numbers[moved]), to, splits)
