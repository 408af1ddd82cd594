"""The objectives of both stages by name: the paper's (Eqs. 2 to 4), and ours, `ima+`.

Each function implements one formula. `x[m] (B, D_m)`, `u[m] (B, L)`, `z (B, L)`. In stage 2,
`y[m] (R, B)` are the importances of R copies that are trained in parallel, `rho[m] (R,)`; a loss is
(R,). `present[m] (B,)` is 1 where a sample has the modality and 0 where it lacks it, which counts
as an importance of 0 in Eq. 1; it is None if all samples have all modalities.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from ima.models.ima import Autoencoder, fuse
from ima.training.losses import alignment, centring, covariance, local, reconstruction
from ima.utils.errors import InputError

#: Weights (B,) or (R, B) by modality; None if all are 1.
Weights = Mapping[str, Tensor] | None

# Stage 1, the autoencoder


def autoencoder_paper(
    model: Autoencoder, x: Mapping[str, Tensor], y: Weights = None, present: Weights = None
) -> dict[str, Tensor]:
    """Return the terms of Eq. 2 on a batch.

    L_auto = sum_m [rec_m + align_m] + glob, each times its lambda, with rec_m = l(x_m, g_m(z)),
    align_m = ||z - u_m||^2, glob = ||z||^2, and z of Eq. 1 with constant importances.

    Args:
        model: the autoencoder in training.
        x: by modality (B, D_m).
        y: constant importances (B,) by modality; None for 1.
        present: by modality (B,).

    Returns:
        `rec_<m>` and `align_<m>` of each modality, and `glob`.
    """
    u = model.encode(x)
    z = fuse(u, masked_importances(u, y, present))
    terms: dict[str, Tensor] = {}
    for m, modality in model.modalities.items():
        has = None if present is None else present[m]
        decoded = model.decoders[m](z)
        terms[f"rec_{m}"] = reconstruction(x[m], decoded, modality.loss, has, modality.classes)
        terms[f"align_{m}"] = alignment(u[m], z, has)
    return {**terms, "glob": centring(z), **_spread(u)}


def autoencoder_ima_plus(
    model: Autoencoder, x: Mapping[str, Tensor], y: Weights = None, present: Weights = None
) -> dict[str, Tensor]:
    """Return the terms of our objective `ima+` of stage 1 on a batch.

    L = sum_m [rec_m + self_m + align_m], each times its lambda: every modality is decoded from the
    joint representation, l(x_m, g_m(z)), and from its own latent, l(x_m, g_m(u_m)).

    Args:
        model, x, y, present: as in `autoencoder_paper`.

    Returns:
        `rec_<m>`, `self_<m>` and `align_<m>` of each modality.
    """
    u = model.encode(x)
    z = fuse(u, masked_importances(u, y, present))
    terms: dict[str, Tensor] = {}
    for m, modality in model.modalities.items():
        has = None if present is None else present[m]
        decoded = model.decoders[m](torch.stack((u[m], z)))  # (2, B, D)
        own, joint = reconstruction(x[m], decoded, modality.loss, has, modality.classes)
        terms |= {f"rec_{m}": joint, f"self_{m}": own, f"align_{m}": alignment(u[m], z, has)}
    return {**terms, **_spread(u)}


def masked_importances(u: Mapping[str, Tensor], y: Weights, present: Weights) -> Weights:
    """Return the weights of the latents in Eq. 1: importances, 0 where a modality is absent.

    Where a sample has a single modality, z is its latent, whatever its importance.
    """
    if y is None or present is None:
        return present if y is None else y
    alone = torch.stack([present[m] for m in u]).sum(0) <= 1
    return {m: torch.where(alone, present[m], y[m] * present[m]) for m in u}


def _spread(u: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the mean of |u| by modality; it is only monitored, to detect a collapsed latent."""
    return {f"norm_{m}": u_m.detach().abs().mean() for m, u_m in u.items()}


AUTOENCODER = {"paper": autoencoder_paper, "ima+": autoencoder_ima_plus}

# Stage 2, the importance networks

#: Variants of z in Eq. 3 for the objective `paper`.
Z = ("joint", "detached", "equal", "leave_one_out")


def paper(
    u: Mapping[str, Tensor],
    y: Mapping[str, Tensor],
    rho: Mapping[str, Tensor],
    lambda_corr: float = 1.0,
    z: str = "joint",
    scale: Mapping[str, float] | str | None = None,
    present: Weights = None,
) -> dict[str, Tensor]:
    """Return L_imp = sum_m KL(mean y[m] || rho[m]) + lambda ||C_{1-y[m]}(z, u[m])||^2 (Eqs. 3, 4).

    Args:
        u: latents (B, L) by modality.
        y: their importances (R, B) in [0, 1].
        rho: prior mean importances (R,) in [0, 1].
        lambda_corr: weight of L_corr.
        z: `joint`, weighted by y as in Eq. 1, including its gradient; `detached`, the same without
            the gradient; `equal`, with all importances 1; `leave_one_out`, of the other modalities
            alone.
        scale: divisor of ||C||^2: None for no scaling, as in Eq. 3; a constant for each modality;
            or `batch`, its value on this batch at equal importances (deviation 4).
        present: by modality (B,).

    Returns:
        `loss` (R,), and by modality `corr_m` (as minimised), `raw_m` (as in Eq. 3), `local_m` and
        `y_m`, the mean importance.

    Raises:
        InputError: `z` is not one of Z.
    """
    corr = {}
    for m in y:
        joint, counted = target(m, u, y, z, present)
        raw = correlation(y[m], joint, u[m], counted)
        divisor = 1.0 if scale is None else scale[m] if isinstance(scale, Mapping) else None
        if divisor is None:
            # Not the smallest float: its inverse would overflow, and the gradient would be NaN.
            divisor = correlation(torch.zeros_like(y[m][:1]), joint, u[m], counted).clamp_min(1e-30)
        corr[m] = (raw / divisor, raw)
    return _terms(corr, y, rho, lambda_corr, present)


def ima_plus(
    shared: Mapping[str, Tensor],
    partner: Mapping[str, Tensor],
    y: Mapping[str, Tensor],
    rho: Mapping[str, Tensor],
    lambda_corr: float = 10.0,
    present: Weights = None,
) -> dict[str, Tensor]:
    """Return L_imp = sum_m KL(mean y[m] || rho[m]) + lambda max(0, S[m])^2.

    S[m] = sum_i (1 - y_i) v_i s_i / sum_i (1 - y_i) v_i is the covariance of u[m] with the other
    modalities among unimportant samples, relative to that among all samples: 1 if they share as
    much as all do, 0 if they are uninformative about their partners.

    Args:
        shared: s[m] (B,) or (R, B), the contribution of each pair to that covariance
            (`ima.models.cca`), with mean 1.
        partner: v[m] (B,) or (R, B) in [0, 1], the mean importance of the pair's other items; 0
            where the pair lacks the modality or all others.
        y, rho, lambda_corr, present: as in `paper`.

    Returns:
        As in `paper`, with max(0, S[m])^2 as `corr_m` and S[m] as `raw_m`.
    """
    corr = {}
    for m, y_m in y.items():
        w = (1 - y_m) * partner[m]
        s = (w * shared[m]).sum(-1) / w.sum(-1).clamp_min(torch.finfo(w.dtype).eps)
        corr[m] = (s.clamp_min(0).square(), s)
    return _terms(corr, y, rho, lambda_corr, present)


def mixture(
    y: Tensor,
    evidence: Tensor,
    partner: Tensor,
    rho: float | None = None,
    lambda_corr: float = 10.0,
    counted: Tensor | None = None,
) -> dict[str, Tensor]:
    """Return L_imp of one modality: KL(mean y || rho) - lambda mean log(1 + y v (r - 1)).

    The second term is the likelihood of the partners' fit if an item is informative with
    probability y and its partner with probability v: 1 + y v (r - 1) = y v r + (1 - y v).

    Args:
        y: importances (R, B) in [0, 1].
        evidence: likelihood ratio r (B,), at least 0, of the observed fit of an item to its partner
            if the item is informative, relative to one that shares nothing with its partner
            (`ima.models.rank_density.informative_density`).
        partner: v (B,) in [0, 1].
        rho: prior mean importance in (0, 1); None for no prior, in which case lambda is 1.
        lambda_corr: weight of the likelihood relative to the prior.
        counted: mask (R, B), 1 or 0; None if all samples count.

    Returns:
        `loss`, `corr` (the likelihood term) and `local` (the prior term), each (R,).
    """
    w = torch.ones_like(y) if counted is None else counted.expand_as(y)
    total = w.sum(-1).clamp_min(1)
    corr = -(w * (y * partner * (evidence - 1)).log1p()).sum(-1) / total
    if rho is None:
        return {"loss": corr, "corr": corr, "local": torch.zeros_like(corr)}
    prior = torch.full_like(corr, rho)
    mean = (w * y).sum(-1, keepdim=True) / total.unsqueeze(-1)  # (R, 1)
    kl = local(mean, prior)
    return {"loss": kl + lambda_corr * corr, "corr": corr, "local": kl}


#: Objectives on pairs. `mixture` is an objective on the items of one modality.
IMPORTANCE = {"paper": paper, "ima+": ima_plus}


def target(
    name: str, u: Mapping[str, Tensor], y: Mapping[str, Tensor], z: str, present: Weights = None
) -> tuple[Tensor, Tensor | None]:
    """Return the z of Eq. 3 for modality `name`, or a variant of it, and which samples count (B,).

    A sample counts if it has the modality and, for `leave_one_out`, at least one other.
    """
    counted = None if present is None else present[name]
    if z == "joint":
        return fuse(u, masked_importances(u, y, present)), counted
    if z == "detached":
        constant = {m: y_m.detach() for m, y_m in y.items()}
        return fuse(u, masked_importances(u, constant, present)), counted
    if z == "equal":
        return fuse(u, masked_importances(u, None, present)), counted
    if z == "leave_one_out":
        others = {m: u_m for m, u_m in u.items() if m != name}
        if present is not None:
            counted = counted * sum(present[m] for m in others).clamp_max(1)
        return fuse(others, masked_importances(others, None, present)), counted
    raise InputError("z", expected=f"one of {Z}", found=z)


def correlation(y: Tensor, z: Tensor, u: Tensor, counted: Tensor | None = None) -> Tensor:
    """Return L_corr of one modality (R,) according to Eq. 3.

    This is the squared Frobenius norm of the cross-covariance of z and u, with every sample
    weighted by y_comp = 1 - y: it measures how much unimportant samples still share with z.

    Args:
        y: importances (R, B).
        z: joint latents (B, L) or (R, B, L).
        u: the modality's latents (B, L).
        counted: mask (B,), 1 or 0; None if all samples count.
    """
    y_comp = 1 - y if counted is None else (1 - y) * counted
    return covariance(y_comp, z, u).square().sum((-2, -1))


def _terms(
    corr: Mapping[str, tuple[Tensor, Tensor]],
    y: Mapping[str, Tensor],
    rho: Mapping[str, Tensor],
    lambda_corr: float,
    present: Weights,
) -> dict[str, Tensor]:
    """Return the terms of L_imp of all modalities, and the loss."""
    terms: dict[str, Tensor] = {}
    for m, (minimised, raw) in corr.items():
        has = None if present is None else present[m]
        mean = y[m].mean(-1) if has is None else (y[m] * has).sum(-1) / has.sum().clamp_min(1)
        terms |= {f"corr_{m}": minimised, f"raw_{m}": raw}
        terms |= {f"local_{m}": local(y[m], rho[m], has), f"y_{m}": mean}
    loss = sum(terms[f"local_{m}"] + lambda_corr * terms[f"corr_{m}"] for m in y)
    return {**terms, "loss": loss}
