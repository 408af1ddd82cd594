"""Baselines for noise detection: alternatives to importances, and chance.

Each alternative has more information than importances have: clusters are identified by labels, the
isolation forest knows the share of noise, and the supervised network is trained on the labels.
"""

from collections.abc import Callable

import numpy as np

from ima.evaluation.metrics import f1

#: Number of clusters: one per digit, and one for noise.
CLUSTERS = 11


def controls(
    x: tuple[np.ndarray, np.ndarray],
    u: tuple[np.ndarray, np.ndarray],
    noise: tuple[np.ndarray, np.ndarray],
    chance: float,
    seed: int,
) -> dict[str, np.ndarray]:
    """Return, by detector, which test items (M,) are flagged as noise.

    Args:
        x: features of training (N, D) and test items (M, D) of one modality.
        u: their latents (N, L), (M, L).
        noise: whether each is noise (N,), (M,).
        chance: probability that `random` flags an item.
        seed: seed of all random choices.

    Returns:
        `k-means, x`, `k-means, u`, `GMM, u`: the cluster of training items with the highest F1
            according to labels; `isolation forest, x`: given the proportion of noise among training
            items, at most half; `supervised`: a network of the importance networks' size trained on
            the labels, an upper bound; `random`: each item with probability `chance`.
    """
    from sklearn.ensemble import IsolationForest
    from sklearn.neural_network import MLPClassifier

    share = float(np.clip(noise[0].mean(), 1e-3, 0.5))
    forest = IsolationForest(contamination=share, random_state=seed).fit(x[0])
    network = MLPClassifier((100, 100), max_iter=10, batch_size=256, random_state=seed)
    return {
        "k-means, x": _cluster(_k_means(x[0], seed), x, noise[0]),
        "k-means, u": _cluster(_k_means(u[0], seed), u, noise[0]),
        "GMM, u": _cluster(_mixture(u[0], seed), u, noise[0]),
        "isolation forest, x": forest.predict(x[1]) < 0,
        "supervised": _trained(network, x, noise[0]),
        "random": np.random.default_rng(seed).random(len(x[1])) < chance,
    }


def _k_means(values: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    from sklearn.cluster import MiniBatchKMeans

    return MiniBatchKMeans(CLUSTERS, n_init=3, random_state=seed).fit(values).predict


def _mixture(values: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(CLUSTERS, covariance_type="diag", reg_covar=1e-4, random_state=seed)
    return mixture.fit(values).predict


def _cluster(
    predict: Callable[[np.ndarray], np.ndarray],
    values: tuple[np.ndarray, np.ndarray],
    noise: np.ndarray,
) -> np.ndarray:
    """Return which test items are in the cluster that best matches noise in the training items."""
    clusters = predict(values[0])
    best = max(range(CLUSTERS), key=lambda c: f1(clusters == c, noise)["f1"])
    return predict(values[1]) == best


def _trained(network, x: tuple[np.ndarray, np.ndarray], noise: np.ndarray) -> np.ndarray:
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    if not noise.any():
        return np.zeros(len(x[1]), bool)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ten epochs are intended
        return network.fit(x[0], noise).predict(x[1]).astype(bool)
