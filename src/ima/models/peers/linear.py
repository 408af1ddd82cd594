"""Linear peers: raw features, principal components, and canonical correlations of several views.

A modality that `transform` is not given is at its mean over the training pairs; MCCA and GCCA leave
it out.
"""

import logging

import torch
from torch import Tensor

from ima.models.peers.views import Fitted, Problem, Views, means, with_all

logger = logging.getLogger(__name__)

#: Shrinkage of the covariances of MCCA and GCCA, which otherwise overfit if features outnumber
#: pairs. It is fixed; no data were used to choose it.
SHRINKAGE = 0.1


def fit_raw(problem: Problem) -> Fitted:
    """Return the concatenation of all modalities, whatever the latent size."""
    known = means(problem.x)
    return Fitted(lambda some: torch.cat([*with_all(some, known).values()], 1), 0)


def fit_pca(problem: Problem) -> Fitted:
    """Return principal components of the concatenation; fewer than L if there are not as many."""
    from sklearn.decomposition import PCA

    raw = fit_raw(problem).transform
    whole = raw(problem.x).double().cpu().numpy()
    pca = PCA(min(problem.latent, *whole.shape), svd_solver="covariance_eigh").fit(whole)

    def transform(some: Views) -> Tensor:
        """Return the components (B, L) of some or all modalities."""
        return torch.from_numpy(pca.transform(raw(some).double().cpu().numpy())).float()

    return Fitted(transform, pca.components_.size + pca.mean_.size)


def fit_cca(kind: str, problem: Problem) -> Fitted:
    """Return the mean of the canonical variates of the modalities, by cca-zoo.

    Their number is at most that of the dimensions of the narrowest modality, and below that of
    pairs.

    Args:
        kind: `MCCA` (Kettenring 1971, maximal sum of correlations) or `GCCA` (maximal variance
            explained in all modalities).
        problem: what it is fitted to.
    """
    from cca_zoo import linear

    x, latent = problem.x, problem.latent
    views = {m: of.double().cpu().numpy() for m, of in x.items()}
    size = min(latent, *(of.shape[1] for of in views.values()), len(next(iter(views.values()))) - 1)
    if size < latent:
        logger.warning("%s: %d of %d components, as views are narrow", kind, size, latent)
    model = getattr(linear, kind)(n_components=size, shrinkage=SHRINKAGE).fit([*views.values()])
    known = means(x)

    def transform(some: Views) -> Tensor:
        """Return the mean variates (B, L) of some or all modalities."""
        parts = model.transform(
            [of.double().cpu().numpy() for of in with_all(some, known).values()]
        )
        used = [torch.as_tensor(of) for m, of in zip(known, parts, strict=True) if m in some]
        return torch.stack(used).mean(0).float()

    return Fitted(transform, sum(of.shape[1] for of in views.values()) * (size + 1))
