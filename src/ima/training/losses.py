"""The terms of the losses of Section 3, one function per term. All are means over the batch.

Shapes are `u[m] (B, L)`, `z (B, L)` and `y[m] (B,)`. In stage 2, all but u may have a leading
dimension R of networks trained in parallel; losses then have shape (R,). `present (B,)` is 1 where
a sample has the modality and 0 where it lacks it, or None if all samples have it.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def _poisson(decoded: Tensor, x: Tensor, reduction: str) -> Tensor:
    return decoded.exp() - x * decoded


def _categorical(decoded: Tensor, x: Tensor, reduction: str) -> Tensor:
    return -x * decoded


#: The summands of the reconstruction losses by name, given decoded values a and data x. Of
#: `categorical`, a are log probabilities.
RECONSTRUCTION: dict[str, Callable[..., Tensor]] = {
    "bce": F.binary_cross_entropy_with_logits,
    "sse": F.mse_loss,
    "poisson": _poisson,
    "categorical": _categorical,
}


def reconstruction(
    x: Tensor,
    decoded: Tensor,
    loss: str,
    present: Tensor | None = None,
    classes: int | None = None,
) -> Tensor:
    """Return L_rec, the reconstruction loss, summed over D, averaged over the batch (Eq. 2).

    With data x and decoded values a of one sample, it is

    - `bce`: -sum_d x_d log p_d + (1 - x_d) log(1 - p_d), where p_d = 1 / (1 + exp(-a_d));
    - `sse`: sum_d (x_d - a_d)^2;
    - `poisson`: sum_d exp(a_d) - x_d a_d, the negative log likelihood of counts x_d with rate
      exp(a_d), without the constant log x_d!;
    - `categorical`: -sum_d x_d log p_d, where p is the softmax of a over each group of classes.

    Args:
        x: (B, D), in [0, 1] for `bce`, counts for `poisson`, one-hot or probabilities for
            `categorical`.
        decoded: (..., B, D), logits for `bce` and `categorical`, values for `sse`, log rates for
            `poisson`.
        loss: one of RECONSTRUCTION.
        present: (B,); samples without the modality contribute 0 to the sum.
        classes: for `categorical`, the number of classes, of which D is a multiple; None for D.

    Returns:
        A tensor of shape (...).
    """
    if loss == "categorical":
        decoded = _log_softmax(decoded, classes)
    errors = RECONSTRUCTION[loss](decoded, x.expand_as(decoded), reduction="none")  # (..., B, D)
    if present is not None:
        errors = errors * present.unsqueeze(-1)
    return errors.sum((-2, -1)) / len(x)


def prediction(decoded: Tensor, loss: str, classes: int | None = None) -> Tensor:
    """Return what a decoder predicts, in the units of x: probabilities, values or rates (..., D).

    Args:
        decoded, loss, classes: as in `reconstruction`.
    """
    if loss == "categorical":
        return _log_softmax(decoded, classes).exp()
    if loss == "poisson":
        return decoded.exp()
    return decoded.sigmoid() if loss == "bce" else decoded


def _log_softmax(decoded: Tensor, classes: int | None) -> Tensor:
    """Return log probabilities (..., D) over each group of `classes` values."""
    groups = decoded.unflatten(-1, (-1, classes or decoded.shape[-1]))
    return groups.log_softmax(-1).flatten(-2)


def alignment(u: Tensor, z: Tensor, present: Tensor | None = None) -> Tensor:
    """Return L_align, ||z - u||^2, which pulls u (B, L) of a modality towards z (B, L) (Eq. 2)."""
    return _mean((z - u).square().sum(-1), present)


def centring(z: Tensor) -> Tensor:
    """Return L_glob, ||z||^2, which centres the joint representations (B, L) at 0 (Eq. 2)."""
    return z.square().sum(-1).mean()


def _mean(values: Tensor, present: Tensor | None) -> Tensor:
    """Return the batch mean of values (B,), which count as 0 where the modality is absent."""
    return values.mean() if present is None else (values * present).mean()


def covariance(w: Tensor, z: Tensor, u: Tensor) -> Tensor:
    """Return the weighted cross-covariance of z and u.

    C = sum_i w_i (z_i - mean_w z)(u_i - mean_w u)', with w normalised to sum to 1 over the batch.
    It is computed in one pass over z as sum_i w_i z_i u_i' - (mean_w z)(mean_w u)'. Centring u on
    its unweighted mean beforehand does not change the result but improves numerical precision.

    Args:
        w: (..., B) weights.
        z: (..., B, L).
        u: (B, L).

    Returns:
        C, (..., L, L).
    """
    w = w / w.sum(-1, keepdim=True).clamp_min(torch.finfo(w.dtype).tiny)
    u = u - u.mean(-2, keepdim=True)
    weighted = w.unsqueeze(-1) * z  # (..., B, L)
    means = weighted.sum(-2).unsqueeze(-1) * (w @ u).unsqueeze(-2)  # (..., L, L)
    return weighted.transpose(-1, -2) @ u - means


def local(y: Tensor, rho: Tensor, present: Tensor | None = None) -> Tensor:
    """Return L_local = KL(Bernoulli(y_mean) || Bernoulli(rho)), y_mean over the batch (Eq. 4).

    The limits are exact: for rho = 0, the loss is 0 if y_mean is 0 and infinite otherwise; for
    rho = 1, likewise if y_mean is 1.

    Args:
        y: (..., B) importances in [0, 1].
        rho: (...) prior importances in [0, 1].
        present: (B,); the mean is over the samples that have the modality.
    """
    y_mean = y.mean(-1) if present is None else (y * present).sum(-1) / present.sum().clamp_min(1)
    inside = (y_mean > 0) & (y_mean < 1)
    p = torch.where(inside, y_mean, 0.5)  # avoids 0 log 0; the limits are handled below
    divergence = p * (p / rho).log() + (1 - p) * ((1 - p) / (1 - rho)).log()
    limit = torch.where(y_mean > 0.5, -rho.log(), -(1 - rho).log())
    return torch.where(inside, divergence, limit)
