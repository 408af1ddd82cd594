"""The contribution of each pair to the covariance that its modalities share, for `ima+`.

A modality's latent u and the joint latent z of all others are mapped to canonical coordinates
(canonical correlation analysis of the training pairs). In these, the shared information is a few
numbers of equal scale, so that a group of samples is not mistaken for noise because it lies near
the mean of the strongest direction or varies little. Held-out pairs then show what is truly shared:
coordinates whose correlation does not generalise to them are dropped, and contributions are those
of held-out pairs, because stage 1 memorises which noise came with which digit.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from ima.models.ima import fuse

#: A coordinate counts if its held-out correlation exceeds 0 by this many standard errors.
ERRORS = 4.0
#: Share of the largest variance added to all variances, so that null directions get no weight.
RIDGE = 1e-3

#: Latents (N, L) of pairs, by modality.
Latents = Mapping[str, Tensor]


class Canonical(NamedTuple):
    """Canonical coordinates of z (N, D) and u (N, E), by decreasing correlation.

    There are min(D, E) of them: means and maps to them.
    """

    mean_z: Tensor
    mean_u: Tensor
    map_z: Tensor
    map_u: Tensor


def canonical(z: Tensor, u: Tensor, v: Tensor, ridge: float = RIDGE) -> Canonical:
    """Fit canonical correlation analysis to pairs.

    Args:
        z, u: paired latents (N, D) and (N, E).
        v: weight of each pair (N,), at least 0.
        ridge: share of the largest variance that is added to all.
    """
    v = v / v.sum()
    mean_z, mean_u = v @ z, v @ u
    z, u = z - mean_z, u - mean_u
    white_z, white_u = _whitening(z, v, ridge), _whitening(u, v, ridge)
    both = (v[:, None] * (z @ white_z)).T @ (u @ white_u)
    left, _, right = torch.linalg.svd(both, full_matrices=False)
    return Canonical(mean_z, mean_u, white_z @ left, white_u @ right.T)


def _whitening(centred: Tensor, v: Tensor, ridge: float) -> Tensor:
    variances, directions = torch.linalg.eigh((v[:, None] * centred).T @ centred)
    return directions / (variances + ridge * variances.max().clamp_min(1e-12)).sqrt()


def contributions(
    fitted: Canonical, z: Tensor, u: Tensor, v: Tensor, distinct: int
) -> tuple[Tensor, Tensor]:
    """Return the contributions of held-out pairs to the covariance of z and u.

    Args:
        fitted: canonical coordinates, fitted to other pairs.
        z, u: latents (H, L) of held-out pairs.
        v: weight of each held-out pair (H,).
        distinct: number of items of the modality with the fewest, which determines the standard
            error.

    Returns:
        s (H,), which is sum_k c_k a_k b_k over the canonical coordinates a of z and b of u, divided
        by its weighted mean; all 0 if no coordinate counts. And the held-out correlations c (L,).
    """
    v = v / v.sum()
    a, b = (z - fitted.mean_z) @ fitted.map_z, (u - fitted.mean_u) @ fitted.map_u
    from_mean_a, from_mean_b = a - v @ a, b - v @ b
    spread = (v @ from_mean_a.square()) * (v @ from_mean_b.square())
    c = (v @ (from_mean_a * from_mean_b)) / spread.clamp_min(1e-24).sqrt()
    counted = torch.where(c > ERRORS / distinct**0.5, c, torch.zeros_like(c))
    s = (a * b) @ counted
    mean = v @ s
    return (s / mean if mean > 0 else torch.zeros_like(s)), c


def shared_by_pairs(
    train: Latents,
    held: Latents,
    y_train: Latents,
    y_held: Latents,
    in_train: Latents,
    in_held: Latents,
    distinct: int,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return s[m] and v[m] of held-out pairs for each guess of the importances.

    `ima.models.objectives.ima_plus` describes s and v.

    Args:
        train, held: latents of training (N, L) and held-out pairs (H, L).
        y_train, y_held: importances in [0, 1] of their items in G guesses, (G, N) and (G, H); each
            pair is weighted by the importance of its other items.
        in_train, in_held: whether pairs have the modality, 1 or 0, (1, N) and (1, H). A pair that
            lacks it, or all others, does not count.
        distinct: as in `contributions`.

    Returns:
        By modality, s (G, H) and v (G, H).
    """
    s, v = {}, {}
    for m, u in train.items():
        others = [n for n in train if n != m]
        v_train, v_held = (
            there[m] * sum(y[n] for n in others) / sum(there[n] for n in others).clamp_min(1)
            for y, there in ((y_train, in_train), (y_held, in_held))
        )
        rows = []
        for r in range(len(v_held)):
            z, z_held = (
                fuse({n: of[n] for n in others}, {n: y[n][r] for n in others}).double()
                for of, y in ((train, y_train), (held, y_held))
            )
            fitted = canonical(z, u.double(), v_train[r].double())
            rows.append(
                contributions(fitted, z_held, held[m].double(), v_held[r].double(), distinct)[0]
            )
        s[m], v[m] = torch.stack(rows).float(), v_held
    return s, v
