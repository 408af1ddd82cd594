"""Classical peers: raw features, principal components, factors, and canonical correlations.

A modality that `transform` is not given is at its mean over the training pairs for raw features and
principal components; the others leave it out.
"""

import logging
from typing import Any

import torch
from torch import Tensor

from ima.models.peers.views import Fitted, Problem, Views, means, with_all

logger = logging.getLogger(__name__)

#: Added to the variances of features by MCCA and GCCA, which otherwise overfit if features
#: outnumber pairs. It is fixed; no data were used to choose it. Standardized features have variance
#: 1; those of the paper's digits .07 (images) and .04 (MFCC), so there it shrinks far more.
SHRINKAGE = 0.1
#: Largest number of rows of all kernels together, whose eigenvectors take a minute or two.
KERNEL_ROWS = 4000
#: Least noise variance of factor analysis, as a share of a feature's variance.
NOISE = 1e-3
#: Gain of the log-likelihood below which factor analysis ends.
TOLERANCE = 0.01


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


def fit_factors(problem: Problem) -> Fitted:
    """Return the posterior means of factors that all modalities share, given some or all of them.

    The model is a factor analysis of the standardised concatenation: group factor analysis
    (Klami et al. 2015) and MOFA without their sparsity. Where features outnumber pairs, its noise
    variances may vanish; they are bounded below by NOISE.
    """
    from sklearn.decomposition import FactorAnalysis

    known = means(problem.x)
    sd = {m: of.std(0).clamp_min(1e-9) for m, of in problem.x.items()}
    whole = torch.cat([(of - known[m]) / sd[m] for m, of in problem.x.items()], 1)
    latent, rows = min(problem.latent, *whole.shape), _few_rows(whole.double().cpu())
    # The tolerance is of the log-likelihood of all rows.
    model = FactorAnalysis(
        latent, tol=TOLERANCE * len(rows) / len(whole), random_state=problem.seed
    )
    model.fit(rows.numpy())
    widths = [of.shape[1] for of in problem.x.values()]
    loadings = torch.from_numpy(model.components_).split(widths, 1)
    precision = (1 / torch.from_numpy(model.noise_variance_).clamp_min(NOISE)).split(widths)
    by_modality = dict(zip(problem.x, zip(loadings, precision, strict=True), strict=True))

    def transform(some: Views) -> Tensor:
        """Return E[z | x] (B, L) of some or all modalities."""
        inverse, right = torch.eye(latent, dtype=torch.double), torch.zeros(1, 1).double()
        for m, of in some.items():
            w, tau = by_modality[m]  # (L, D_m), (D_m,)
            inverse = inverse + (w * tau) @ w.T
            right = right + ((of - known[m]) / sd[m]).double().cpu() @ (w * tau).T
        return torch.linalg.solve(inverse, right.T).T.float()

    return Fitted(transform, model.components_.size + 3 * sum(widths))


def _few_rows(x: Tensor) -> Tensor:
    """Return at most 2 D rows with the covariance of x (N, D), whose means are 0.

    The likelihood of factor analysis depends on nothing else; each of its iterations decomposes
    all rows.
    """
    count, dimension = x.shape
    if count <= 2 * dimension:
        return x
    root = torch.linalg.qr(x, mode="r").R * (dimension / count) ** 0.5
    return torch.cat((root, -root))


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
    size = min(latent, *(of.shape[1] for of in x.values()), len(next(iter(x.values()))) - 1)
    if size < latent:
        logger.warning("%s: %d of %d components, as views are narrow", kind, size, latent)
    model = getattr(linear, kind)(n_components=size, shrinkage=SHRINKAGE)
    return _variates(model, x, means(x), sum(of.shape[1] for of in x.values()) * (size + 1))


def fit_kernel(problem: Problem) -> Fitted:
    """Return the mean of the kernel canonical variates of the modalities, by cca-zoo.

    Kernels are Gaussian; their widths are the median squared distances. The problem has as many
    unknowns as the kernels have rows, so that it is fitted to KERNEL_ROWS of them at most, of
    training pairs drawn at random.
    """
    from cca_zoo.nonparametric import KCCA

    count = len(next(iter(problem.x.values())))
    order = torch.randperm(count, generator=torch.Generator().manual_seed(problem.seed))
    chosen = order[: KERNEL_ROWS // len(problem.x)]
    if len(chosen) < count:
        logger.warning("kernel CCA is fitted to %d of %d pairs", len(chosen), count)
    x = {m: of[chosen] for m, of in problem.x.items()}
    gamma = [1 / float(torch.pdist(of[:1000]).square().median()) for of in x.values()]
    size = min(problem.latent, len(chosen) - 1)
    model = KCCA(n_components=size, shrinkage=SHRINKAGE, kernel="rbf", gamma=gamma)
    parameters = len(chosen) * (len(x) * size + sum(of.shape[1] for of in x.values()))
    return _variates(model, x, means(problem.x), parameters)


def _variates(model: Any, x: Views, known: Views, parameters: int) -> Fitted:
    """Fit a model of cca-zoo; its z is the mean of the given modalities' variates."""
    model.fit([of.double().cpu().numpy() for of in x.values()])

    def transform(some: Views) -> Tensor:
        """Return the mean variates (B, L) of some or all modalities."""
        parts = model.transform(
            [of.double().cpu().numpy() for of in with_all(some, known).values()]
        )
        used = [torch.as_tensor(of) for m, of in zip(known, parts, strict=True) if m in some]
        return torch.stack(used).mean(0).float()

    return Fitted(transform, parameters)
