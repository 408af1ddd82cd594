"""Detectors by linear models of what modalities share: canonical correlation and factors."""

import numpy as np
import torch

from ima.evaluation.rivals.base import Given, components
from ima.models.cca import canonical, contributions

#: Number of factors of `unexplained`.
FACTORS = 20


def uncorrelated(given: Given) -> dict[str, np.ndarray]:
    """Return the negative contribution of each pair to the canonical correlations.

    The coordinates are those of principal components of the training pairs, without weights. A
    modality is compared with all others, concatenated. If test pairs show no correlation, all
    scores are 0 (`ima.models.cca.contributions`).
    """
    train, test = (
        {m: torch.from_numpy(w) for m, w in components(given, split, whiten=True).items()}
        for split in ("train", "test")
    )
    distinct = min(len(rows.unique()) for rows in given.pairs["test"].values())
    scores = {}
    for m in test:
        z, z_test = (torch.cat([w[n] for n in w if n != m], 1) for w in (train, test))
        weights, weights_test = (torch.ones(len(of), dtype=of.dtype) for of in (z, z_test))
        fitted = canonical(z, train[m], weights)
        scores[m] = -contributions(fitted, z_test, test[m], weights_test, distinct)[0].numpy()
    return scores


def unexplained(given: Given) -> dict[str, np.ndarray]:
    """Return the share of each item's squared length that factors of its pair do not explain.

    The model is a factor analysis of the whitened principal components of all modalities. As the
    components of one modality are uncorrelated, its factors are what modalities share. This is
    MOFA (Argelaguet et al. 2018) without its sparsity.
    """
    from sklearn.decomposition import FactorAnalysis

    train, test = (components(given, split, whiten=True) for split in ("train", "test"))
    widths = np.cumsum([w.shape[1] for w in test.values()])
    stacked = np.concatenate([*test.values()], 1)
    factors = min(FACTORS, int(widths[-1]) - 1)
    model = FactorAnalysis(factors, random_state=given.seed)
    model.fit(np.concatenate([*train.values()], 1))
    rest = stacked - model.mean_ - model.transform(stacked) @ model.components_
    parts = zip(test.items(), np.split(rest, widths[:-1], 1), strict=True)
    return {m: (e**2).sum(1) / np.maximum((w**2).sum(1), 1e-12) for (m, w), e in parts}
