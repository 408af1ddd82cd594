"""t-SNE of hidden layers and representations of test pairs, for Figures 2 and 4 (6.1, 6.2)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from openTSNE import TSNE

from ima.errors import InputError
from ima.pairing import ABSENT, is_noise, modalities, row_numbers
from ima.schema import EMBEDDINGS


def embed(x: np.ndarray, perplexity: float, theta: float, seed: int) -> np.ndarray:
    """Return the t-SNE coordinates of samples: Barnes-Hut, exact neighbours, PCA to start (6.1).

    The same samples and seed give the same coordinates.

    Args:
        x: samples (n, D), not all the same.
        perplexity: neighbours that count; a third of the other samples at the most.
        theta: the angle of Barnes-Hut, 0 (exact, slow) to 1.
        seed: of the random digits that spread the start.

    Returns:
        Coordinates (n, 2), float32.

    Raises:
        InputError: too few samples for the perplexity, all the same, or not finite.
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
            "t-SNE", expected="finite samples that differ", found="NaN, infinity or all the same"
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


def first_of_each(items: Sequence[np.ndarray]) -> np.ndarray:
    """Return the rows, in order, in which a combination of items (n,) comes for the first time.

    Rows where all of them are ABSENT are left out.
    """
    rows = np.sort(np.unique(np.stack(items, axis=1), axis=0, return_index=True)[1])
    return rows[np.any([of[rows] != ABSENT for of in items], axis=0)]


def embed_views(
    pairs: pa.Table,
    views: Mapping[str, tuple[Sequence[str], np.ndarray]],
    perplexity: float,
    theta: float,
    seed: int,
) -> pa.Table:
    """Return the t-SNE of several views of the same pairs, each distinct item or pair once.

    Args:
        pairs: table of `ima.schema.pairs_schema`, N rows.
        views: by name, the modalities whose items it shows, and its vectors (N, D), row for row
            with the pairs; what it has where the pair lacks the modality is of no matter.
        perplexity, theta, seed: as in `embed`.

    Returns:
        A table of `ima.schema.EMBEDDINGS`, the views in their order.

    Raises:
        InputError: a view has another number of rows than the pairs, or as `embed`.
    """
    noisy = is_noise(pairs)
    tables = []
    for view, (shown, vectors) in views.items():
        if len(vectors) != len(pairs):
            raise InputError(f"view {view}", expected=f"{len(pairs)} rows", found=len(vectors))
        rows = first_of_each([row_numbers(pairs, name) for name in shown])
        try:
            coordinates = embed(vectors[rows], perplexity, theta, seed)
        except InputError as error:
            raise InputError(
                f"{error.where} of {view}", expected=error.expected, found=error.found, do=error.do
            ) from error
        columns = {
            "view": [view] * len(rows),
            "pair": rows,
            "label": pairs["label"].to_numpy()[rows],
            "noise": np.any([noisy[name] for name in shown], axis=0)[rows],
            "x": coordinates[:, 0],
            "y": coordinates[:, 1],
        }
        tables.append(pa.table(columns).cast(EMBEDDINGS))
    return pa.concat_tables(tables)


def views_of(
    pairs: pa.Table, hidden: Mapping[str, np.ndarray], representations: Mapping[str, np.ndarray]
) -> dict[str, tuple[list[str], np.ndarray]]:
    """Return the views of Figures 2 and 4, for `embed_views`.

    Args:
        pairs: the pairs to show.
        hidden: by modality, the top hidden layer (N, H) of its importance network.
        representations: `u_<modality>`, `z_unweighted` and `z`, each (N, L).
    """
    names = modalities(pairs)
    return {
        **{f"hidden_{name}": ([name], hidden[name]) for name in names},
        **{f"u_{name}": ([name], representations[f"u_{name}"]) for name in names},
        **{joint: (names, representations[joint]) for joint in ("z_unweighted", "z")},
    }
