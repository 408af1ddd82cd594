"""The terms of the losses of Section 3, a function a term. All are means over the batch.

`u[m] (B, L)`, `z (B, L)`, `y[m] (B,)`; in stage 2 every one of them but u may carry a leading
dimension R of copies that train side by side, and a loss is then (R,).
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor


def reconstruction(x: Tensor, decoded: Tensor, loss: str) -> Tensor:
    """Return the mean over the batch of the cross-entropy or squared error summed over D.

    Args:
        x: (B, D), in [0, 1] for `bce`.
        decoded: (..., B, D), logits for `bce`, values for `sse`.
        loss: `bce` or `sse`.

    Returns:
        (...).
    """
    each = {"bce": F.binary_cross_entropy_with_logits, "sse": F.mse_loss}[loss]
    return each(decoded, x.expand_as(decoded), reduction="none").sum((-2, -1)) / len(x)


def alignment(u: Mapping[str, Tensor], z: Tensor) -> Tensor:
    """Return L_align = sum_m ||u[m] - z||^2: every modality alone comes near the joint (Eq. 2)."""
    return sum((u_m - z).square().sum(-1).mean() for u_m in u.values())


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


def local(y: Tensor, rho: Tensor) -> Tensor:
    """Return L_local = KL(Bernoulli(rho) || Bernoulli(y_mean)), y_mean over the batch (Eq. 4).

    Args:
        y: (..., B) in [0, 1].
        rho: (...) in (0, 1).
    """
    tiny = torch.finfo(y.dtype).eps
    y_mean = y.mean(-1).clamp(tiny, 1 - tiny)
    return rho * (rho / y_mean).log() + (1 - rho) * ((1 - rho) / (1 - y_mean)).log()
