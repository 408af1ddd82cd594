"""Items of own data by importance: those of least, to be looked at, and some to compare with."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ima.pairing.by_label import ABSENT, is_noise, row_numbers
from ima.utils.arrow import to_table

#: Items that are shown of each modality, neighbours that are named of each, and partners.
SHOWN, NEIGHBOURS, PARTNERS = 20, 3, 3
#: Numbers of distances in memory at a time.
_CHUNK = 2**22


class Items(NamedTuple):
    """What is known of a modality's n items.

    Attributes:
        id, label: (n,) text; a label is '' where unknown.
        x: features (n, D).
        y: importances (S, n) of each seed.
        noise: (n,), or None where not known.
        split: (n,), of the pairs that the item is in; '' if in none.
        partners: by other modality, the ids (n,) of the items in the same pairs, `, ` between.
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
    """Return what is known of the items of each modality.

    Args:
        features: by modality, its `id`, `label` and `noise` (`ima.utils.schemas.OWN_ITEMS`).
        x: their vectors (n, D).
        y: their importances (S, n).
        pairs: by split, the table of `ima.utils.schemas.pairs_schema`.
        classes: names of the pairs' labels, by number.
        noise: whether the items or the pairs say what is noise.
    """
    together = pa.concat_tables(pairs.values())
    splits = np.repeat([*pairs], [len(table) for table in pairs.values()])
    called = np.array([*classes, ""])[together["label"].to_numpy()]  # -1, none, is the last
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
    """Return of each of n items the ids of the other items in its pairs, PARTNERS at the most."""
    found: list[dict] = [{} for _ in range(n)]
    for row in np.flatnonzero((own != ABSENT) & (other != ABSENT)):
        found[own[row]][str(ids[other[row]])] = None
    words = [
        ", ".join([*of][:PARTNERS]) + (f", and {len(of) - PARTNERS} more" * (len(of) > PARTNERS))
        for of in found
    ]
    return np.array(words, object)


def by_importance(items: Items, seed: int) -> dict[str, np.ndarray]:
    """Return row numbers of SHOWN items: the `least` and `most` important, and others at `random`.

    Of items of equal mean importance over seeds the first comes first; those at random are drawn
    by `seed` from all.
    """
    y, n = items.y.mean(0), len(items.id)
    shown = min(SHOWN, n)
    drawn = np.random.default_rng(seed).permutation(n)[:shown]
    order = np.argsort(y, kind="stable")
    return {"least": order[:shown], "random": drawn, "most": np.argsort(-y, kind="stable")[:shown]}


def nearest(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the NEIGHBOURS items nearest to each of these rows, nearest first, not itself.

    Distances are Euclidean, of dimensions brought to a standard deviation of 1 where they vary.

    Args:
        x: features (n, D).
        rows: (Q,).
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
    """Return the SHOWN items of least importance of each modality, the least first.

    Args:
        items: of `items_of`.
        latent: size of the models.
        run: name of the run.

    Returns:
        `id`; `importance`, mean over seeds, and its sd; `split` and `label` where known; `noise`,
        yes or no, where known; `nearest`, ids of the nearest items by features; `partners`, ids of
        the items that the item is paired with.
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
