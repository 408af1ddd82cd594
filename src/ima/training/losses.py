"""The terms of the losses of Section 3, a function a term. All are means over the batch.

`u[m] (B, L)`, `z (B, L)`, `y[m] (B,)`; in stage 2 every one of them but u may carry a leading
dimension R of copies that train side by side, and a loss is then (R,).
`present (B,)` is 1 where a sample has the modality and 0 where it lacks it; None where all have it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def reconstruction(x: Tensor, decoded: Tensor, loss: str, present: Tensor | None = None) -> Tensor:
    """Return L_rec: cross-entropy or squared error, summed over D, averaged over the batch (Eq. 2).

    Args:
        x: (B, D), in [0, 1] for `bce`.
        decoded: (..., B, D), logits for `bce`, values for `sse`.
        loss: `bce` or `sse`.
        present: (B,); samples without the modality add 0 to the sum.

    Returns:
        (...).
    """
    elementwise = {"bce": F.binary_cross_entropy_with_logits, "sse": F.mse_loss}[loss]
    errors = elementwise(decoded, x.expand_as(decoded), reduction="none")  # (..., B, D)
    if present is not None:
        errors = errors * present.unsqueeze(-1)
    return errors.sum((-2, -1)) / len(x)


def alignment(u: Tensor, z: Tensor, present: Tensor | None = None) -> Tensor:
    """Return L_align of one modality, ||z - u||^2: its latent approaches the joint one (Eq. 2)."""
    return _mean((z - u).square().sum(-1), present)


def centring(z: Tensor) -> Tensor:
    """Return L_glob, ||z||^2: joint representations stay centred at 0 (Eq. 2)."""
    return z.square().sum(-1).mean()


def _mean(values: Tensor, present: Tensor | None) -> Tensor:
    """Return the mean over the batch of values (B,), 0 where the modality is absent."""
    return values.mean() if present is None else (values * present).mean()


def entropy_floor(x: Tensor) -> Tensor:
    """Return the least `bce` that any decoder can reach on x (B, D) in [0, 1]: its own entropy."""
    return F.binary_cross_entropy(x, x, reduction="sum") / len(x)


def covariance(w: Tensor, z: Tensor, u: Tensor) -> Tensor:
    """Return the cross-covariance (..., L, L) of z (..., B, L) and u (B, L), weights w (..., B).

    C = sum_i w_i (z_i - mean_w z)(u_i - mean_w u)', with w normalised to sum to 1 over the batch,
    computed as sum_i w_i z_i u_i' - (mean_w z)(mean_w u)', which passes over z once. u is first
    centred on its plain mean: that changes nothing but keeps digits.
    """
    w = w / w.sum(-1, keepdim=True).clamp_min(torch.finfo(w.dtype).tiny)
    u = u - u.mean(-2, keepdim=True)
    weighted = w.unsqueeze(-1) * z  # (..., B, L)
    means = weighted.sum(-2).unsqueeze(-1) * (w @ u).unsqueeze(-2)  # (..., L, L)
    return weighted.transpose(-1, -2) @ u - means


def local(y: Tensor, rho: Tensor, present: Tensor | None = None) -> Tensor:
    """Return L_local = KL(Bernoulli(y_mean) || Bernoulli(rho)), y_mean over the batch (Eq. 4).

    Exact at both ends: at rho 0 it is 0 for a mean of 0 and infinite for any other, at rho 1
    likewise for a mean of 1.

    Args:
        y: (..., B) in [0, 1].
        rho: (...) in [0, 1].
        present: (B,); the mean is over the samples that have the modality.
    """
    y_mean = y.mean(-1) if present is None else (y * present).sum(-1) / present.sum().clamp_min(1)
    inside = (y_mean > 0) & (y_mean < 1)
    p = torch.where(inside, y_mean, 0.5)  # the limits are taken below, without 0 log 0
    divergence = p * (p / rho).log() + (1 - p) * ((1 - p) / (1 - rho)).log()
    limit = torch.where(y_mean > 0.5, -rho.log(), -(1 - rho).log())
    return torch.where(inside, divergence, limit)
