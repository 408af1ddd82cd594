"""Rank user items by importance to show the least important ones, with others for comparison."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ima.pairing.by_label import ABSENT, is_noise, row_numbers
from ima.utils.arrow import to_table

#: Items shown per modality, and nearest neighbours and partners listed per item.
SHOWN, NEIGHBOURS, PARTNERS = 20, 3, 3
#: Feature values processed at a time when distances are computed.
_CHUNK = 2**22


class Items(NamedTuple):
    """The n items of a modality.

    Attributes:
        id, label: text (n,); unknown labels are ''.
        x: features (n, D).
        y: importances (S, n), one row per seed.
        noise: whether each item is noise (n,), or None if unknown.
        split: split (n,) of the pairs that contain the item; '' if there are none.
        partners: for each other modality, the ids (n,) of the items paired with each item, joined
            by `, `.
    """

    id: np.ndarray
    label: np.ndarray
    x: np.ndarray
    y: np.ndarray
    noise: np.ndarray | None
    split: np.ndarray
    partners: Mapping[str, np.ndarray]


def items_of(
    features: Mapping[str, pa.Table],
    x: Mapping[str, np.ndarray],
    y: Mapping[str, np.ndarray],
    pairs: Mapping[str, pa.Table],
    classes: Sequence[str],
    noise: bool,
) -> dict[str, Items]:
    """Collect the items of each modality.

    Args:
        features: for each modality, a table with `id`, `label` and `noise`
            (`ima.utils.schemas.OWN_ITEMS`).
        x: vectors (n, D) of each modality's items.
        y: importances (S, n) of each modality's items.
        pairs: for each split, a table of `ima.utils.schemas.pairs_schema`.
        classes: names of the pairs' labels, indexed by label number.
        noise: whether the items or the pairs mark known noise.
    """
    together = pa.concat_tables(pairs.values())
    splits = np.repeat([*pairs], [len(table) for table in pairs.values()])
    called = np.array([*classes, ""])[together["label"].to_numpy()]  # -1 (no label) gives ''
    rows, noisy = {m: row_numbers(together, m) for m in features}, is_noise(together)
    ids = {m: np.array(table["id"].to_pylist(), str) for m, table in features.items()}
    found = {}
    for m, table in features.items():
        here = rows[m] != ABSENT
        of = rows[m][here]
        label, split = np.array(table["label"].to_pylist(), object), np.full(len(table), "", object)
        label[of] = np.where(label[of] == "", called[here], label[of])
        split[of] = splits[here]
        known = table["noise"].to_numpy().copy()
        known[of] |= noisy[m][here]
        partners = {n: _partners(rows[m], rows[n], ids[n], len(table)) for n in features if n != m}
        found[m] = Items(ids[m], label, x[m], y[m], known if noise else None, split, partners)
    return found


def _partners(own: np.ndarray, other: np.ndarray, ids: np.ndarray, n: int) -> np.ndarray:
    """Return for each of n items the ids of its partners, listing at most PARTNERS."""
    found: list[dict] = [{} for _ in range(n)]
    for row in np.flatnonzero((own != ABSENT) & (other != ABSENT)):
        found[own[row]][str(ids[other[row]])] = None
    words = [
        ", ".join([*of][:PARTNERS]) + (f", and {len(of) - PARTNERS} more" * (len(of) > PARTNERS))
        for of in found
    ]
    return np.array(words, object)


def by_importance(items: Items, seed: int) -> dict[str, np.ndarray]:
    """Return row numbers of SHOWN items: the `least` and `most` important, and a `random` sample.

    Items are ranked by mean importance over seeds, ties by row number. The random items are drawn
    from all items with `seed`.
    """
    y, n = items.y.mean(0), len(items.id)
    shown = min(SHOWN, n)
    drawn = np.random.default_rng(seed).permutation(n)[:shown]
    order = np.argsort(y, kind="stable")
    return {"least": order[:shown], "random": drawn, "most": np.argsort(-y, kind="stable")[:shown]}


def nearest(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the NEIGHBOURS nearest other items of each row, nearest first.

    Distances are Euclidean, with each non-constant dimension scaled to standard deviation 1.

    Args:
        x: features (n, D).
        rows: row numbers (Q,) of the query items.
    """
    spread = x.std(0, dtype=float)
    scaled = (x / np.where(spread > 1e-7 * np.abs(x).max(0).clip(1e-300), spread, 1)).astype(float)
    k = min(NEIGHBOURS, len(x) - 1)
    distance = np.empty((len(rows), len(x)))
    step = max(1, _CHUNK // x.shape[1])
    for i, row in enumerate(rows):
        for first in range(0, len(x), step):
            part = scaled[first : first + step]
            distance[i, first : first + step] = ((part - scaled[row]) ** 2).sum(1)
        distance[i, row] = np.inf
    return np.argsort(distance, axis=1, kind="stable")[:, :k]


def least_table(items: Mapping[str, Items], latent: int, run: str) -> pa.Table:
    """Return the SHOWN least important items of each modality, least important first.

    Args:
        items: from `items_of`.
        latent: latent size of the models.
        run: name of the run.

    Returns:
        A table with `id`; `importance`, the mean over seeds, and its standard deviation; `split`,
        `label` and `noise` (yes or no) if known; `nearest`, the ids of the nearest items by
        features; and `partners`, the ids of the items paired with this item.
    """
    rows = []
    for m, of in items.items():
        least = by_importance(of, 0)["least"]
        near = nearest(of.x, least)
        for row, others in zip(least, near, strict=True):
            y = of.y[:, row]
            rows.append(
                {
                    "run": run,
                    "latent": latent,
                    "modality": m,
                    "id": of.id[row],
                    "importance": float(y.mean()),
                    "importance_sd": float(y.std(ddof=1)) if len(y) > 1 else None,
                    "split": of.split[row] or None,
                    "label": of.label[row] or None,
                    "noise": None if of.noise is None else ("no", "yes")[int(of.noise[row])],
                    "nearest": ", ".join(of.id[others]),
                    "partners": "; ".join(
                        f"{n}: {p[row]}" for n, p in of.partners.items() if p[row]
                    ),
                }
            )
    text = ("modality", "id", "split", "label", "noise", "nearest", "partners")
    return to_table(rows, text=text, whole=("latent",))
