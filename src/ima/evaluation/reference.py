"""Reference representations: raw features, PCA, and canonical correlation analysis (CCA)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import torch

from ima.evaluation.metrics import modalities_of, retrieval_rows
from ima.models.cca import canonical, contributions
from ima.pairing.by_label import ABSENT, modalities, row_numbers
from ima.utils.errors import InputError

JOINT = "joint"

#: Number of principal components of each modality that CCA is given.
CCA_COMPONENTS = 50


def views(
    x: Mapping[str, np.ndarray],
    items: Mapping[str, np.ndarray],
    train: Mapping[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Return the raw vectors (N, D) of pairs, by modality and concatenated as `joint`.

    Args:
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (N,) of the pairs. ABSENT items are imputed by the mean
            of the items in the training pairs.
        train: row numbers of the training pairs; None if `items` are the training pairs.
    """
    unimodal = {name: x[name][rows] for name, rows in items.items()}
    for name, rows in items.items():
        known = (items if train is None else train)[name]
        if (rows == ABSENT).any():
            unimodal[name][rows == ABSENT] = x[name][np.unique(known[known != ABSENT])].mean(0)
    return {JOINT: np.concatenate(list(unimodal.values()), axis=1), **unimodal}


def presence(items: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return, by modality, whether each pair (N,) has it."""
    return {name: rows != ABSENT for name, rows in items.items()}


def only(views: Mapping[str, np.ndarray], items: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return views, with the rows where a modality is ABSENT removed from that modality's view."""
    has = presence(items)
    return {name: z[has[name]] if name in has else z for name, z in views.items()}


def pca(
    train: Mapping[str, np.ndarray], test: Mapping[str, np.ndarray], components: int
) -> dict[str, np.ndarray]:
    """Return each view of the test pairs (N, components) under a PCA fitted to the training pairs.

    Raises:
        InputError: `components` exceeds a view's dimensions or the number of training pairs.
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


def cca(
    train: Mapping[str, np.ndarray],
    held: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    latent: int,
) -> dict[str, np.ndarray]:
    """Return CCA of two modalities' principal components: (N, K) each, and their mean as `joint`.

    Of each modality, there are min(CCA_COMPONENTS, dimensions, pairs) components; K is the lower
    number, or `latent`. A coordinate is multiplied by the square root of its correlation in
    held-out pairs, which gives the posterior mean of what is shared (`ima.models.shared`).

    Args:
        train, held, test: by modality, raw vectors (P, D) of the training pairs, of pairs held out
            from them, and (N, D) of the test pairs.
        latent: largest number of coordinates.
    """
    names = [name for name in train if name != JOINT]
    sizes = {name: min(CCA_COMPONENTS, *train[name].shape) for name in names}
    fitted, judged, scored = (
        [torch.from_numpy(pca({m: train[m]}, {m: of[m]}, sizes[m])[m]).double() for m in names]
        for of in (train, held, test)
    )
    ones = [torch.ones(len(of[0]), dtype=torch.double) for of in (fitted, judged)]
    maps = canonical(*fitted, ones[0])
    correlations = contributions(maps, *judged, ones[1], len(ones[1]))[1]
    scale = correlations.clamp(0, 1).sqrt()[:latent]
    z = {
        name: ((values - mean) @ projection[:, :latent] * scale).numpy()
        for name, values, mean, projection in zip(
            names, scored, (maps.mean_z, maps.mean_u), (maps.map_z, maps.map_u), strict=True
        )
    }
    return {JOINT: sum(z.values()) / len(z), **z}


def valid_components(latents: Sequence[int], fit: Mapping[str, np.ndarray]) -> list[int]:
    """Return the numbers of components that do not exceed any view's dimensions or samples."""
    return [latent for latent in latents if latent <= min(min(x.shape) for x in fit.values())]


def score_anchors(
    x: Mapping[str, np.ndarray],
    train: pa.Table,
    validation: pa.Table,
    test: pa.Table,
    latents: Sequence[int],
    k: Sequence[int],
) -> list[dict]:
    """Score raw features, PCA and CCA at each latent size and, as a control, the chance level.

    Args:
        x: by modality, the matrix (n_m, D_m) of its items.
        train, validation: pairs that PCA and CCA are fitted to, and those that CCA takes the
            correlations of its coordinates from. CCA is left out unless there are two modalities.
        test: pairs to score.
        latents: numbers of components; those exceeding a view's dimensions are skipped.
        k: values of K.

    Returns:
        Rows of `model` (raw, pca, cca, chance), `latent` (None for raw), `representation`, and the
        columns of `ima.evaluation.metrics.retrieval_rows`. `chance` uses shuffled labels, the
        score of any uninformative representation.
    """
    items = [
        {m: row_numbers(pairs, m) for m in modalities(pairs)} for pairs in (train, test, validation)
    ]
    fit, raw = only(views(x, items[0]), items[0]), views(x, items[1], items[0])
    has = presence(items[1])
    labels, pair_types = test["label"].to_numpy(), np.array(test["pair_type"].to_pylist())
    shuffled = np.random.default_rng(0).permutation(labels)
    jobs = [("raw", None, name, z, labels) for name, z in raw.items()]
    for latent in valid_components(latents, fit):
        jobs += [("pca", latent, name, z, labels) for name, z in pca(fit, raw, latent).items()]
        if len(items[0]) == 2:
            z_by_name = cca(views(x, items[0]), views(x, items[2], items[0]), raw, latent)
            jobs += [("cca", latent, name, z, labels) for name, z in z_by_name.items()]
    jobs.append(("chance", None, JOINT, raw[JOINT], shuffled))
    return [
        {"model": model, "latent": latent, "representation": name, **row}
        for model, latent, name, z, classes in jobs
        for row in retrieval_rows(
            *(z, classes, pair_types, list(items[1].values()), k, has.get(name)),
            [items[1][m] for m in modalities_of(name, items[1])],
        )
    ]
