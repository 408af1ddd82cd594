"""t-SNE of hidden layers and representations of test pairs, for Figures 2 (6.1) and 4 (6.3)."""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from openTSNE import TSNE

from ima.pairing.by_label import ABSENT, is_noise, modalities, row_numbers
from ima.utils.errors import InputError
from ima.utils.schemas import EMBEDDINGS, labelled

logger = logging.getLogger(__name__)

#: Minimum perplexity, for few samples.
MIN_PERPLEXITY = 2


class View(NamedTuple):
    """The content of one t-SNE map of pairs.

    Attributes:
        shown: modalities whose items the map shows; several for a joint representation.
        vectors: vectors (N, D), row for row with the pairs.
    """

    shown: Sequence[str]
    vectors: np.ndarray


def embed(x: np.ndarray, perplexity: float, theta: float, seed: int) -> np.ndarray:
    """Return t-SNE coordinates: Barnes-Hut, exact nearest neighbours, PCA initialisation (6.1).

    The result is deterministic for given samples and seed.

    Args:
        x: samples (n, D), not all identical.
        perplexity: effective number of neighbours; at most a third of the other samples.
        theta: the Barnes-Hut angle, from 0 (exact, slow) to 1.
        seed: seed of the random numbers in the initialisation.

    Returns:
        Coordinates (n, 2), float32.

    Raises:
        InputError: there are too few samples for the perplexity, all are identical, or some are not
            finite.
    """
    x = np.asarray(x, np.float32)
    if len(x) <= 3 * perplexity + 1:
        raise InputError(
            "t-SNE",
            expected=f"more than {3 * perplexity + 1:g} samples for perplexity {perplexity:g}",
            found=len(x),
            do="Draw more points, or lower the perplexity.",
        )
    if not np.isfinite(x).all() or not (x != x[0]).any():
        raise InputError(
            "t-SNE", expected="finite samples, not all equal", found="NaN, infinity or equal ones"
        )
    fitted = TSNE(
        perplexity=perplexity,
        theta=theta,
        negative_gradient_method="bh",
        neighbors="exact",
        initialization="pca",
        random_state=seed,
        n_jobs=1,
    ).fit(x)
    return np.asarray(fitted, np.float32)


def embed_some(x: np.ndarray, perplexity: float, theta: float, seed: int, name: str) -> np.ndarray:
    """Return coordinates (n, 2) of samples (n, D), even if they are few or all equal.

    The perplexity is lowered if there are few samples. If it would be below MIN_PERPLEXITY, or all
    samples are equal, the coordinates are the first two principal components. Either is logged
    under `name`.
    """
    possible = (len(x) - 2) / 3
    lowered = min(perplexity, possible)
    if lowered < MIN_PERPLEXITY or not (x != x[:1]).any():
        logger.warning("%s: %d samples, too few or too alike for t-SNE: principal components", name,
                    len(x))  # fmt: skip
        centred = x - x.mean(0) if len(x) else x
        u, s, _ = np.linalg.svd(centred, full_matrices=False)
        at = (u * s)[:, :2].astype(np.float32)
        return np.pad(at, ((0, 0), (0, 2 - at.shape[1])))
    if lowered < perplexity:
        logger.warning("%s: perplexity %.3g for %d samples", name, lowered, len(x))
    return embed(x, lowered, theta, seed)


def first_of_each(items: Sequence[np.ndarray]) -> np.ndarray:
    """Return the rows, in order, with the first occurrence of each combination of items (n,)."""
    return np.sort(np.unique(np.stack(items, axis=1), axis=0, return_index=True)[1])


def embed_views(
    pairs: pa.Table,
    spaces: Sequence[Mapping[str, View]],
    perplexity: float,
    theta: float,
    seed: int,
) -> pa.Table:
    """Return t-SNE maps of several views of the same pairs, with each distinct item or pair once.

    All views in a space are embedded together, so that their maps can be superimposed.

    Args:
        pairs: table of `ima.utils.schemas.pairs_schema`, N rows.
        spaces: views by name, N vectors each, row for row with the pairs.
        perplexity, theta, seed: as in `embed_some`.

    Returns:
        A table of `ima.utils.schemas.EMBEDDINGS`, the views in their order.

    Raises:
        InputError: the numbers of rows of a view and of the pairs differ.
    """
    tables = []
    for space in spaces:
        rows = {name: _rows(pairs, name, view) for name, view in space.items()}
        together = np.concatenate([space[name].vectors[rows[name]] for name in space])
        coordinates = embed_some(together, perplexity, theta, seed, ", ".join(space))
        ends = np.cumsum([len(numbers) for numbers in rows.values()])[:-1]
        parts = zip(space.items(), np.split(coordinates, ends), strict=True)
        tables += [_table(pairs, name, view, rows[name], at) for (name, view), at in parts]
    return pa.concat_tables(tables)


def _rows(pairs: pa.Table, name: str, view: View) -> np.ndarray:
    """Return the pairs that a view shows: those with an item of its modalities, each item once."""
    if len(view.vectors) != len(pairs):
        raise InputError(f"view {name}", expected=f"{len(pairs)} rows", found=len(view.vectors))
    items = [row_numbers(pairs, m) for m in view.shown]
    rows = first_of_each(items)
    return rows[np.max(items, axis=0)[rows] != ABSENT]


def _table(pairs: pa.Table, name: str, view: View, rows: np.ndarray, at: np.ndarray) -> pa.Table:
    noisy = is_noise(pairs)
    columns = {
        "view": [name] * len(rows),
        "pair": rows,
        "label": pairs["label"].to_numpy()[rows],
        "pair_type": pairs["pair_type"].take(pa.array(rows)),
        "noise": np.any([noisy[m] for m in view.shown], axis=0)[rows],
        "x": at[:, 0],
        "y": at[:, 1],
    }
    return pa.table(columns).cast(labelled(EMBEDDINGS, pairs))


def spaces_of(
    pairs: pa.Table, hidden: Mapping[str, np.ndarray], representations: Mapping[str, np.ndarray]
) -> list[dict[str, View]]:
    """Return the views of Figures 2 and 4, for `embed_views`.

    Each hidden layer of Figure 2 is embedded on its own; the unimodal and joint representations of
    Figure 4 are embedded together.

    Args:
        pairs: the pairs to show.
        hidden: by modality, the top hidden layer (N, H) of its importance network.
        representations: `u_<modality>` and `z`, each (N, L).
    """
    names = modalities(pairs)
    unimodal = {f"u_{name}": View([name], representations[f"u_{name}"]) for name in names}
    return [
        *({f"hidden_{name}": View([name], hidden[name])} for name in names),
        {**unimodal, "z": View(names, representations["z"])},
    ]
