"""Splits of a user's own pairs: as given, or drawn so that no two splits share an item.

Where the user names none, a share of the pairs is the test set, and a share of the rest validation.
"""

import logging
from collections.abc import Mapping

import numpy as np

SPLITS = ("train", "validation", "test")

logger = logging.getLogger(__name__)


def hold_out(
    splits: np.ndarray, labels: np.ndarray, share: float, rng: np.random.Generator
) -> np.ndarray:
    """Return the splits of items with a share of each class of `train` renamed `validation`.

    Args:
        splits: of each item (n,).
        labels: of each item (n,).
        share: of the training items of a class, in (0, 1); at least one is held out, one kept.
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
    """Return the split of each pair (N,): as given, the others drawn so that no two share an item.

    Where items are in so many pairs that the three cannot be kept apart, pairs are drawn one by
    one, with a warning in the log. So are they whatever the class where classes are too small for
    every split, and by which modalities they have where one is so rare that a split lacked it.

    Args:
        pairs: row numbers (N,) of each modality, `split` ('' where none is given), and `label`.
        names: of the modalities.
        shares: of `test` and `validation`, in (0, 1).
        rng: source of randomness.
    """
    groups = linked([pairs[name] for name in names])
    alone, labels, there = np.arange(len(groups)), pairs["label"], [pairs[m] >= 0 for m in names]
    which = np.array(["".join("01"[int(of)] for of in row) for row in zip(*there, strict=True)])
    attempts = [
        (groups, labels, ""),
        (alone, labels, ""),
        (alone, np.full(len(groups), ""), "whatever the class: some have too few pairs"),
        (groups, which, "by which modalities a pair has: one is rare"),
        (alone, which, "by which modalities a pair has: one is rare"),
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
    """Return the group (N,) of each pair: two pairs that have an item in common are of one group.

    Args:
        rows: by modality, the row numbers (N,) of the pairs' items, below 0 where one is absent.
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
    """Return splits (n,): those given, and where there is none, a share of all or of `train`.

    Args:
        given: one of SPLITS or '' (n,).
        groups: what is kept together (n,).
        labels: classes (n,), which keep their proportions where every group is one.
        shares: of `test` and `validation`.
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
    """Return the splits with a share of `train` renamed."""
    here = splits == "train"
    numbers, sizes = np.unique(groups[here], return_counts=True)
    if len(numbers) == here.sum():  # each alone: by class
        held = hold_out(np.where(here, "train", ""), labels, share, rng)
        return np.where(held == "validation", to, splits)
    # The largest group stays; the others move until the share is reached.
    order = rng.permutation(len(numbers))
    order = order[order != sizes.argmax()]
    reached = np.cumsum(sizes[order])
    moved = order[: np.searchsorted(reached, share * here.sum()) + 1]
    return np.where(here & np.isin(groups, numbers[moved]), to, splits)
