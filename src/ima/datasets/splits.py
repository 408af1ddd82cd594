"""Splits of user pairs: as given, or drawn so that no two splits share an item.

If the user gives no splits, a share of the pairs becomes the test set and a share of the remaining
pairs the validation set.
"""

import logging
from collections.abc import Mapping

import numpy as np

SPLITS = ("train", "validation", "test")
#: Difference of a drawn split from its share, relative to the share, above which the log warns.
FAR = 0.2

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
    they have. The log warns about each of these cases, and of groups of pairs that make a split
    much larger or smaller than its share.

    Args:
        pairs: row numbers (N,) for each modality, `split` ('' if not given) and `label`.
        names: names of the modalities.
        shares: shares for `test` and `validation`, in (0, 1).
        rng: source of randomness.
    """
    groups = linked([pairs[name] for name in names])
    single, labels = np.arange(len(groups)), pairs["label"]
    present = [pairs[m] >= 0 for m in names]
    patterns = np.array(
        ["".join("01"[int(has)] for has in row) for row in zip(*present, strict=True)]
    )
    any_class = np.full(len(groups), "")
    attempts = [
        (groups, labels, ""),
        (single, labels, ""),
        (single, any_class, "regardless of class: some classes have too few pairs"),
        (groups, patterns, "stratified by the modalities of a pair: one modality is rare"),
        (single, patterns, "stratified by the modalities of a pair: one modality is rare"),
    ]
    for units, strata, how in attempts:
        drawn = draw_splits(pairs["split"], units, strata, shares, rng)
        if all((has & (drawn == split)).any() for has in present for split in SPLITS):
            if how:
                logger.warning("splits are drawn %s", how)
            break
    if units is groups and groups.max(initial=-1) + 1 < len(groups):
        _warn_of_shares(pairs["split"], drawn, shares)
    for i, first in enumerate(SPLITS):
        for second in SPLITS[i + 1 :]:
            for name in names:
                parts = (pairs[name][drawn == split] for split in (first, second))
                shared = int((np.intersect1d(*parts) >= 0).sum())
                if shared:
                    logger.warning("%s: %d items in both %s and %s", name, shared, first, second)
    return drawn


def _warn_of_shares(given: np.ndarray, drawn: np.ndarray, shares: Mapping[str, float]) -> None:
    """Warn of drawn splits whose proportion is far from their share.

    Args:
        given: the splits given (N,), '' if none.
        drawn: the result of `draw_splits` (N,).
        shares: shares for `test`, of all pairs, and for `validation`, of the others.
    """
    rest = drawn != "test"
    parts = [("test", np.full(len(drawn), True))] if (given == "").all() else []
    parts += [("validation", rest)] if "validation" not in given else []
    for split, part in parts:
        if not part.any():
            continue
        proportion = float((drawn[part] == split).mean())
        if abs(proportion - shares[split]) > FAR * shares[split]:
            logger.warning(
                "%s: %.3g of the pairs instead of own.shares.%s = %.3g, as pairs that share items "
                "stay in one split; assign splits yourself if you need others",
                split,
                proportion,
                split,
                shares[split],
            )


def linked(rows: list[np.ndarray]) -> np.ndarray:
    """Return the group (N,) of each pair; pairs connected through shared items form one group.

    Args:
        rows: for each modality, the row numbers (N,) of the pairs' items, negative if absent.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, edges, first = len(rows[0]), [], len(rows[0])
    for values in rows:  # nodes: the pairs, then the items of each modality
        present = np.flatnonzero(values >= 0)
        edges.append((present, first + values[present]))
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
        groups: group of each row (n,); a group is never divided. A group that would make a split
            larger than its share stays in `train` where smaller ones are left.
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
    training = splits == "train"
    numbers, sizes = np.unique(groups[training], return_counts=True)
    if len(numbers) == training.sum():  # single-row groups: stratify by class
        drawn = hold_out(np.where(training, "train", ""), labels, share, rng)
        return np.where(drawn == "validation", to, splits)
    # The largest group stays in `train`; others move in random order.
    order = rng.permutation(len(numbers))
    order = order[order != sizes.argmax()]
    moved = order[_filling(sizes[order], share * training.sum())]
    return np.where(training & np.isin(groups, numbers[moved]), to, splits)


def _filling(sizes: np.ndarray, wanted: float) -> np.ndarray:
    """Return the indices of groups, taken in order, that together have about the wanted size.

    A group that would exceed it is left out. In the end, the smallest of these is added if the sum
    is then nearer to the wanted size, or if it would be 0 otherwise.

    Args:
        sizes: sizes (G,) of the groups, in random order.
        wanted: the wanted sum of sizes.
    """
    taken, reached = np.zeros(len(sizes), bool), 0
    for i, size in enumerate(sizes.tolist()):
        if reached + size <= wanted:
            taken[i] = True
            reached += size
    left = np.flatnonzero(~taken)
    if len(left):
        smallest = left[sizes[left].argmin()]
        if not reached or reached + sizes[smallest] - wanted <= wanted - reached:
            taken[smallest] = True
    return np.flatnonzero(taken)
