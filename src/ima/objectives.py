"""The objectives of stage 2 by name: the paper's own (Eqs. 3 and 4), and `ima+`.

Both are L_imp = sum_m L_local[m] + lambda L_corr[m], a function a formula. `y[m] (R, B)` are the
importances of R copies that train side by side, `rho[m] (R,)`; a loss is (R,).
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from ima.errors import InputError
from ima.losses import covariance, local
from ima.model import fuse

#: What stands for z in Eq. 3 of the objective `paper`.
Z = ("joint", "detached", "equal", "others")


def paper(
    u: Mapping[str, Tensor],
    y: Mapping[str, Tensor],
    rho: Mapping[str, Tensor],
    lambda_corr: float = 10.0,
    z: str = "joint",
    scale_free: bool = True,
) -> dict[str, Tensor]:
    """Return L_imp = sum_m KL(rho[m] || mean y[m]) + lambda ||C_{1-y[m]}(z, u[m])||^2.

    Args:
        u: latents (B, L) by modality.
        y: their importances (R, B) in [0, 1].
        rho: prior mean importances (R,) in (0, 1).
        lambda_corr: weight of L_corr.
        z: `joint`, weighted by y with its gradient, as Eq. 1 has it; `detached`, the same without;
            `equal`, with all importances 1; `others`, of the other modalities alone.
        scale_free: divide every ||C||^2 by its value at equal weights (deviation 4).

    Returns:
        `loss` (R,), and by modality `corr_m` (scale-free), `raw_m` (as in Eq. 3), `local_m`, `y_m`.

    Raises:
        InputError: `z` is none of Z.
    """
    corr = {m: correlation(y[m], target(m, u, y, z), u[m]) for m in y}
    return _terms(corr, y, rho, lambda_corr, "corr" if scale_free else "raw")


def ima_plus(
    shared: Mapping[str, Tensor],
    partner: Mapping[str, Tensor],
    y: Mapping[str, Tensor],
    rho: Mapping[str, Tensor],
    lambda_corr: float = 10.0,
) -> dict[str, Tensor]:
    """Return L_imp = sum_m KL(rho[m] || mean y[m]) + lambda max(0, S[m])^2.

    S[m] = sum_i (1 - y_i) v_i s_i / sum_i (1 - y_i) v_i is the part of the covariance of u[m] with
    the other modalities that is in the unimportant samples: 1 if they are like all, 0 if what
    they are tells nothing of what they are paired with.

    Args:
        shared: s[m], what each pair contributes to that covariance (`ima.shared`), (B,) or (R, B),
            of mean 1.
        partner: v[m] (B,) or (R, B) in [0, 1], whether the pair's other items are important: their
            mean, of several.
        y, rho, lambda_corr: as in `paper`.

    Returns:
        As `paper`: `corr_m` is max(0, S[m])^2, `raw_m` S[m].
    """
    corr = {}
    for m, y_m in y.items():
        w = (1 - y_m) * partner[m]
        s = (w * shared[m]).sum(-1) / w.sum(-1).clamp_min(torch.finfo(w.dtype).eps)
        corr[m] = (s.clamp_min(0).square(), s)
    return _terms(corr, y, rho, lambda_corr, "corr")


OBJECTIVES = {"paper": paper, "ima+": ima_plus}


def target(name: str, u: Mapping[str, Tensor], y: Mapping[str, Tensor], z: str) -> Tensor:
    """Return what modality `name` is correlated with in L_corr: the z of Eq. 3, or a variant."""
    if z == "joint":
        return fuse(u, y)
    if z == "detached":
        return fuse(u, {m: y_m.detach() for m, y_m in y.items()})
    if z == "equal":
        return fuse(u)
    if z == "others":
        return fuse({m: u_m for m, u_m in u.items() if m != name})
    raise InputError("z of Eq. 3", expected=f"one of {Z}", found=z)


def correlation(y: Tensor, z: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Return L_corr of one modality (R,), scale-free and raw (Eq. 3).

    It is the squared Frobenius norm of the cross-covariance of z and u, every sample weighted by
    y_comp = 1 - y: how much what is said to be unimportant still shares with z. Divided by its
    value at equal weights, 1 means 'as correlated as everything is'.
    """
    y_comp = 1 - y
    raw = covariance(y_comp, z, u).square().sum((-2, -1))
    equal = covariance(torch.ones_like(y_comp[:1] if z.dim() == 2 else y_comp), z, u)
    # Not the least number there is: its inverse would overflow, and the gradient be no number.
    return raw / equal.square().sum((-2, -1)).clamp_min(1e-30), raw


def _terms(
    corr: Mapping[str, tuple[Tensor, Tensor]],
    y: Mapping[str, Tensor],
    rho: Mapping[str, Tensor],
    lambda_corr: float,
    minimised: str,
) -> dict[str, Tensor]:
    """Return the terms of L_imp of all modalities, and their sum."""
    terms: dict[str, Tensor] = {}
    for m, (free, raw) in corr.items():
        terms |= {f"corr_{m}": free, f"raw_{m}": raw}
        terms |= {f"local_{m}": local(y[m], rho[m]), f"y_{m}": y[m].mean(-1)}
    loss = sum(terms[f"local_{m}"] + lambda_corr * terms[f"{minimised}_{m}"] for m in y)
    return {**terms, "loss": loss}
