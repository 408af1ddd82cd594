"""What a representation must beat: raw features and PCA, from scikit-learn."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from ima.evaluation.metrics import retrieval_rows
from ima.pairing.by_label import ABSENT, modalities, row_numbers
from ima.utils.errors import InputError

JOINT = "joint"


def views(
    x: Mapping[str, np.ndarray],
    items: Mapping[str, np.ndarray],
    train: Mapping[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Return the raw vectors (N, D) of pairs: of each modality, and `joint`, side by side.

    Args:
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (N,) of the pairs. What is ABSENT is imputed: the mean
            of the items of the training pairs.
        train: the same of the training pairs; None where these are they.
    """
    alone = {name: x[name][rows] for name, rows in items.items()}
    for name, rows in items.items():
        known = (items if train is None else train)[name]
        if (rows == ABSENT).any():
            alone[name][rows == ABSENT] = x[name][np.unique(known[known != ABSENT])].mean(0)
    return {JOINT: np.concatenate(list(alone.values()), axis=1), **alone}


def there(items: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return whether pairs (N,) have each of the views of a single modality."""
    return {name: rows != ABSENT for name, rows in items.items()}


def only(views: Mapping[str, np.ndarray], items: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return views without the rows of a modality that is ABSENT there."""
    has = there(items)
    return {name: z[has[name]] if name in has else z for name, z in views.items()}


def pca(
    train: Mapping[str, np.ndarray], test: Mapping[str, np.ndarray], components: int
) -> dict[str, np.ndarray]:
    """Return each view of the test pairs (N, components) under a PCA of the training pairs.

    Raises:
        InputError: more components than a view has dimensions, or than there are training pairs.
    """
    from sklearn.decomposition import PCA

    for name, values in train.items():
        if not 1 <= components <= min(values.shape):
            expected = f"1 to {min(values.shape)} components"
            raise InputError(f"PCA of {name}", expected=expected, found=components)
    return {
        name: PCA(components, svd_solver="covariance_eigh").fit(train[name]).transform(test[name])
        for name in test
    }


def valid_components(latents: Sequence[int], fit: Mapping[str, np.ndarray]) -> list[int]:
    """Return those numbers of components that every view has as many dimensions and samples for."""
    return [latent for latent in latents if latent <= min(min(x.shape) for x in fit.values())]


def score_anchors(
    x: Mapping[str, np.ndarray],
    train: pa.Table,
    test: pa.Table,
    latents: Sequence[int],
    k: Sequence[int],
) -> list[dict]:
    """Score raw features, PCA at each latent size, and, as a control, raw features by chance.

    Args:
        x: by modality, the matrix (n_m, D_m) of its items.
        train: pairs that PCA is fitted to.
        test: pairs that are scored.
        latents: numbers of components; those that a view has too few dimensions for are left out.
        k: the K asked for.

    Returns:
        Rows of `model` (raw, pca, chance), `latent` (None for raw), `representation`, and those
        of `ima.evaluation.metrics.retrieval_rows`. `chance` has the labels shuffled: what any
        representation gets that knows nothing.
    """
    items = [{m: row_numbers(pairs, m) for m in modalities(pairs)} for pairs in (train, test)]
    fit, raw = only(views(x, items[0]), items[0]), views(x, items[1], items[0])
    has = there(items[1])
    labels, kinds = test["label"].to_numpy(), np.array(test["kind"].to_pylist())
    shuffled = np.random.default_rng(0).permutation(labels)
    jobs = [("raw", None, name, z, labels) for name, z in raw.items()]
    for latent in valid_components(latents, fit):
        jobs += [("pca", latent, name, z, labels) for name, z in pca(fit, raw, latent).items()]
    jobs.append(("chance", None, JOINT, raw[JOINT], shuffled))
    return [
        {"model": model, "latent": latent, "representation": name, **row}
        for model, latent, name, z, of in jobs
        for row in retrieval_rows(z, of, kinds, list(items[1].values()), k, has.get(name))
    ]
