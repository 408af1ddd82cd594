"""The losses of Section 3, a function a term. All are means over the batch.

`u[m] (B, L)`, `z (B, L)`, `y[m] (B,)`; in stage 2 every one of them but u may carry a leading
dimension R of copies that train side by side, and a loss is then (R,).
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from ima.errors import InputError
from ima.model import fuse

#: What stands for z in Eq. 3 (see `target`).
TARGETS = ("joint", "detached", "equal", "others")


def reconstruction(x: Tensor, decoded: Tensor, loss: str) -> Tensor:
    """Return the mean over the batch of the cross-entropy or squared error summed over D.

    Args:
        x: (B, D), in [0, 1] for `bce`.
        decoded: (B, D), logits for `bce`, values for `sse`.
        loss: `bce` or `sse`.
    """
    each = {"bce": F.binary_cross_entropy_with_logits, "sse": F.mse_loss}[loss]
    return each(decoded, x, reduction="sum") / len(x)


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


def correlation(y: Tensor, z: Tensor, u: Tensor, scale_free: bool) -> Tensor:
    """Return L_corr of one modality: how much its unimportant part still shares with z (Eq. 3).

    The squared Frobenius norm of the cross-covariance of z and u, every sample weighted by
    y_comp = 1 - y. With `scale_free` it is divided by its value at equal weights, so that 1 means
    'as correlated as everything is' whatever the sizes of z and u.
    """
    y_comp = 1 - y
    raw = covariance(y_comp, z, u).square().sum((-2, -1))
    if not scale_free:
        return raw
    equal = covariance(torch.ones_like(y_comp), z, u).square().sum((-2, -1))
    return raw / equal.clamp_min(torch.finfo(equal.dtype).tiny)


def local(y: Tensor, rho: Tensor) -> Tensor:
    """Return L_local = KL(Bernoulli(rho) || Bernoulli(y_mean)), y_mean over the batch (Eq. 4).

    Args:
        y: (..., B) in [0, 1].
        rho: (...) in (0, 1).
    """
    tiny = torch.finfo(y.dtype).eps
    y_mean = y.mean(-1).clamp(tiny, 1 - tiny)
    return rho * (rho / y_mean).log() + (1 - rho) * ((1 - rho) / (1 - y_mean)).log()


def target(name: str, u: Mapping[str, Tensor], y: Mapping[str, Tensor], kind: str) -> Tensor:
    """Return what modality `name` is correlated with in L_corr: the z of Eq. 3, or a variant.

    Args:
        name: the modality whose importances are learnt.
        u: latents (B, L) of all modalities.
        y: their importances (..., B).
        kind: `joint`, z weighted by y with its gradient, as Eq. 1 has it; `detached`, the same
            without; `equal`, z with all importances 1; `others`, z of the other modalities
            alone, so that u[name] is not correlated with itself.

    Raises:
        InputError: `kind` is none of TARGETS, or `others` with a single modality.
    """
    if kind == "joint":
        return fuse(u, y)
    if kind == "detached":
        return fuse(u, {m: y_m.detach() for m, y_m in y.items()})
    if kind == "equal":
        return fuse(u).expand(*y[name].shape, -1)
    if kind == "others":
        others = {m: u_m for m, u_m in u.items() if m != name}
        return fuse(others).expand(*y[name].shape, -1)
    raise InputError("importance target", expected=f"one of {TARGETS}", found=kind)
