"""Modality weights of weighted nearest neighbours, as Seurat and muon compute them.

Hao et al. 2021, Integrated analysis of multimodal single-cell data, Cell 184: a modality counts
for a sample by how much better its own nearest neighbours predict the sample than the other
modality's nearest neighbours do.
"""

import numpy as np
from scipy.sparse import csr_array

from ima.evaluation.neighbours import neighbours
from ima.evaluation.rivals.base import Given, components

#: Nearest neighbours, and samples of low Jaccard similarity that set the bandwidth.
K = 20
#: Added to a denominator, and largest ratio.
EPSILON, LARGEST = 1e-4, 200.0


def modality_weights(
    x: dict[str, np.ndarray], nearest: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the weight (N,) of each modality for each sample, which sum to 1 over modalities.

    With d the distance of a sample to its nearest neighbour and sigma its bandwidth, the affinity
    to a prediction p is theta(p) = exp(-max(|x - p| - d, 0) / (sigma - d)). The predictions are
    means of neighbours. S is theta by the modality's own neighbours, divided by theta by the
    other's (the mean over others). Weights are the softmax of S.

    Args:
        x: by modality, features (N, D_m).
        nearest: by modality, row numbers (N, k) of the nearest neighbours, nearest first.
    """
    ratios = []
    for m, x_m in x.items():
        first = np.linalg.norm(x_m - x_m[nearest[m][:, 0]], axis=1)
        width = np.maximum(bandwidth(x_m, nearest[m]) - first, 1e-12)
        theta = {}
        for n, rows in nearest.items():
            away = np.linalg.norm(x_m - x_m[rows].mean(1), axis=1)
            theta[n] = np.exp(-np.maximum(away - first, 0) / width)
        others = np.mean([theta[n] for n in x if n != m], 0)
        ratios.append(np.clip(theta[m] / (others + EPSILON), 0, LARGEST))
    powers = np.exp(np.stack(ratios) - np.max(ratios, 0))
    return dict(zip(x, powers / powers.sum(0), strict=True))


def bandwidth(x: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """Return the mean distance (N,) to the k samples of lowest Jaccard similarity above 0.

    The similarity of two samples is that of their sets of k nearest neighbours and themselves.
    """
    n, k = nearest.shape
    sets = np.column_stack((np.arange(n), nearest)).ravel()
    member = csr_array((np.ones(len(sets)), sets, np.arange(n + 1) * (k + 1)), shape=(n, n))
    common = csr_array(member @ member.T)
    common.sort_indices()
    widths = np.empty(n)
    for i in range(n):
        own = slice(common.indptr[i], common.indptr[i + 1])
        # Jaccard similarity grows with the number of common neighbours.
        order = np.argsort(common.data[own], kind="stable")
        far = common.indices[own][order]
        far = far[far != i][:k]
        widths[i] = np.linalg.norm(x[far] - x[i], axis=1).mean()
    return widths


def low_weight(given: Given) -> dict[str, np.ndarray]:
    """Return the negative modality weight of each item among the test pairs.

    The features are principal components, scaled to length 1. The neighbours of a pair by a
    modality exclude pairs with the same item of that modality, but not pairs with the same item of
    another one. These predict the pair's other item exactly, which lowers its weight. Only items of
    several pairs are affected, such as clean speech; docs/rivals.md says by how much.
    """
    x = {
        m: w / np.maximum(np.linalg.norm(w, axis=1, keepdims=True), 1e-12)
        for m, w in components(given, "test", whiten=False).items()
    }
    rows = {m: of.numpy() for m, of in given.pairs["test"].items()}
    nearest = {m: neighbours(x_m, K, (rows[m],)) for m, x_m in x.items()}
    return {m: -w for m, w in modality_weights(x, nearest).items()}
