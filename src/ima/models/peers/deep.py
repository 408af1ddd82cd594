"""Deep peers without decoders: contrastive encoders (InfoNCE) and deep canonical correlations."""

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from ima.models.contrastive import info_nce
from ima.models.ima import Modality, encoder_of
from ima.models.peers.views import Fitted, Problem, Views, as_pairs
from ima.training.loop import Batch, fit, mean_loss, pair_count

#: InfoNCE's initial temperature, which is learned, and its minimum (Radford et al. 2021).
TEMPERATURE, COLDEST = 0.07, 0.01
#: DGCCA's ridge of covariances, as a share of their mean variance, and the least batch size in
#: multiples of L: its loss is a statistic of the batch, so a batch needs many pairs per dimension.
RIDGE, PAIRS_PER_DIMENSION = 1e-3, 10


class Encoders(nn.Module):
    """IMA's encoders, one for each modality, and InfoNCE's temperature."""

    def __init__(self, modalities: Mapping[str, Modality], latent: int):
        super().__init__()
        self.encoders = nn.ModuleDict({n: encoder_of(n, m, latent) for n, m in modalities.items()})
        self.log_scale = nn.Parameter(torch.tensor(-math.log(TEMPERATURE)))

    def forward(self, x: Views) -> dict[str, Tensor]:
        """Map x (B, D_m) to u (B, L) by modality."""
        return {name: self.encoders[name](x_m) for name, x_m in x.items()}


def infonce(u: Mapping[str, Tensor], log_scale: Tensor) -> Tensor:
    """Return the mean of `info_nce` over a batch and all pairs of modalities (Tian et al. 2020).

    Args:
        u: by modality, latents (B, L), which are normalised here.
        log_scale: logarithm of the inverse temperature.
    """
    unit = [normalize(of, dim=-1) for of in u.values()]
    temperature = 1 / log_scale.exp().clamp_max(1 / COLDEST)
    pairs = itertools.combinations(unit, 2)
    return torch.stack([info_nce(a, b, temperature).mean() for a, b in pairs]).mean()


def whitened(u: Tensor) -> tuple[Tensor, Tensor]:
    """Return centred latents (N, L) whose columns are orthonormal up to the ridge, and their map.

    The map is (L, L): the first is (u - mean) times the second.
    """
    centred = u - u.mean(0)
    covariance = centred.T @ centred  # (L, L)
    ridge = RIDGE * covariance.diagonal().mean() + torch.finfo(u.dtype).tiny ** 0.5
    identity = torch.eye(len(covariance), dtype=u.dtype, device=u.device)
    lower = torch.linalg.cholesky(covariance + ridge * identity)
    mapping = torch.linalg.solve_triangular(lower, identity, upper=False).T
    return centred @ mapping, mapping


def dgcca(u: Mapping[str, Tensor], _log_scale: Tensor | None = None) -> Tensor:
    """Return DGCCA's loss per dimension, in [0, M - 1]: 0 if all modalities have the same latents.

    sum_m ||G - u_m U_m||^2 is minimal over the shared G (N, L), G'G = I, and the maps U_m if G are
    the first L eigenvectors of sum_m P_m, where P_m projects to the columns of u_m (Benton et al.
    2019, Deep generalized canonical correlation analysis, Eq. 4). The minimum is M L minus the sum
    of their eigenvalues. For two modalities these are 1 plus the canonical correlations: DCCA.

    Args:
        u: by modality, latents (B, L).
    """
    both = torch.cat([whitened(of.double())[0] for of in u.values()], 1)  # (B, M L)
    latent = both.shape[1] // len(u)
    largest = torch.linalg.eigvalsh(both.T @ both)[-latent:]  # those of sum_m P_m
    return (len(u) - largest.sum() / latent).float()


def shared_maps(u: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """Return, by modality, the mean (L,) and the map U_m (L, L) of `dgcca` to sqrt(N) G."""
    parts = {m: whitened(of.double()) for m, of in u.items()}
    both = torch.cat([white for white, _ in parts.values()], 1)  # (N, M L)
    latent = both.shape[1] // len(u)
    g = torch.linalg.svd(both, full_matrices=False)[0][:, :latent] * len(both) ** 0.5
    return {
        m: (u[m].double().mean(0), mapping @ (white.T @ g)) for m, (white, mapping) in parts.items()
    }


def _fit(loss: Callable[..., Tensor], problem: Problem, name: str) -> Encoders:
    """Return encoders trained with a loss of u and the logarithm of the inverse temperature."""
    model = problem.on_device(lambda: Encoders(problem.modalities, problem.latent))
    whole, items, held_out = as_pairs(problem.x, problem.validation)

    def compute_losses(batch: Batch) -> dict[str, Tensor]:
        """Return the loss of a batch."""
        return {"loss": loss(model(batch.x), model.log_scale)}

    validate = partial(mean_loss, compute_losses, whole, held_out)
    fit(model, compute_losses, whole, items, problem.settings, problem.seed, name, validate)
    return model


def fit_infonce(problem: Problem) -> Fitted:
    """Train encoders by `infonce`; z is the mean of the normalised latents of some modalities."""
    model = _fit(infonce, problem, "InfoNCE")

    @torch.no_grad()
    def transform(some: Views) -> Tensor:
        """Return z (B, L) of some or all modalities."""
        return torch.stack([normalize(of, dim=-1) for of in model(some).values()]).mean(0)

    return Fitted(transform, sum(weight.numel() for weight in model.parameters()))


def fit_dgcca(problem: Problem) -> Fitted:
    """Train encoders by `dgcca`; z is the mean of the estimates of G by some modalities.

    If batches have fewer than PAIRS_PER_DIMENSION L pairs, they are enlarged to it, with more
    epochs, so that the number of steps stays the same.
    """
    x, latent = problem.x, problem.latent
    pairs = pair_count(x)
    epochs, batch_size, patience = problem.settings.lengths(pairs)
    batch = min(max(batch_size, PAIRS_PER_DIMENSION * latent), pairs)
    more = max(1, -(-pairs // batch_size) // -(-pairs // batch))
    settings = replace(
        problem.settings, epochs=epochs * more, batch_size=batch, patience=patience * more
    )
    model = _fit(dgcca, problem._replace(settings=settings), "DGCCA")
    with torch.no_grad():
        maps = shared_maps(model(x))

    @torch.no_grad()
    def transform(some: Views) -> Tensor:
        """Return z (B, L) of some or all modalities."""
        parts = [(u.double() - maps[m][0]) @ maps[m][1] for m, u in model(some).items()]
        return torch.stack(parts).mean(0).float()

    return Fitted(
        transform,
        sum(w.numel() for w in model.encoders.parameters()) + len(x) * latent * (latent + 1),
    )
