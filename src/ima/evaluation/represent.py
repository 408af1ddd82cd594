"""Representations of pairs: joint, with and without importances, and unimodal (5.3)."""

from collections.abc import Mapping

import pyarrow as pa
import torch
from torch import Tensor, nn

from ima.models.ima import IMANetwork, fuse
from ima.pairing.by_label import ABSENT
from ima.training.losses import prediction
from ima.utils.arrow import vector_column

#: Number of latents that are decoded at once.
ROWS = 8192


@torch.no_grad()
def represent(
    model: IMANetwork, x: Mapping[str, Tensor], items: Mapping[str, Tensor]
) -> dict[str, dict[str, Tensor]]:
    """Return the latents and importances of pairs.

    Args:
        model: an IMA network with a single copy of each importance network.
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (N,) of the pairs, ABSENT where a pair lacks it.

    Returns:
        `u` and `y`: by modality, latents (N, L) and importances (N,), both 0 where it is absent;
        `present`: by modality, 1 or 0 (N,); None if no item is absent.
    """
    latents = model.autoencoder.encode({m: x[m] for m in items})
    u = {m: latents[m][rows] for m, rows in items.items()}
    y = {m: model.importance[m](x[m])[0, rows] for m, rows in items.items()}
    if not any((rows == ABSENT).any() for rows in items.values()):
        return {"u": u, "y": y, "present": None}
    present = {m: (rows != ABSENT).to(y[m]) for m, rows in items.items()}
    u = {m: of * present[m].unsqueeze(-1) for m, of in u.items()}
    return {"u": u, "y": {m: of * present[m] for m, of in y.items()}, "present": present}


def joint(
    u: Mapping[str, Tensor],
    y: Mapping[str, Tensor] | None = None,
    present: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """Return z (N, L) of Eq. 1, over the modalities that each sample has.

    For a sample with a single modality, z is its latent, whatever its importance, even 0.

    Args:
        u: latents (N, L) by modality, 0 where it is absent.
        y: importances (N,) of at least these modalities; None for equal importances of 1.
        present: by modality, 1 or 0 (N,); None if no modality is absent.

    Returns:
        z (N, L); 0 for a sample without any modality.
    """
    if len(u) == 1:
        return next(iter(u.values()))
    if present is None:
        return fuse(u, y)
    here = {m: present[m] if y is None else present[m] * y[m] for m in u}
    alone = sum(present[m] for m in u) <= 1
    return torch.where(alone.unsqueeze(-1), sum(u.values()), fuse(u, here))


@torch.no_grad()
def decode(model: nn.Module, z: Tensor, modality: str) -> Tensor:
    """Return a modality's items (N, D_m), as in training, from latents z (N, L).

    Args:
        model: an `ima.models.ima.Autoencoder` or a baseline.
        z: latents.
        modality: its name. Items are values, rates or probabilities, depending on its loss.
    """
    of = model.modalities[modality]
    decode_some = model.decoders[modality]
    return torch.cat([prediction(decode_some(some), of.loss, of.classes) for some in z.split(ROWS)])


def as_table(
    u: Mapping[str, Tensor],
    y: Mapping[str, Tensor],
    present: Mapping[str, Tensor] | None = None,
) -> pa.Table:
    """Return a table of `ima.utils.schemas.representations_schema` from `represent`'s result."""
    there = {m: None if present is None else present[m].cpu().numpy() > 0 for m in u}
    vectors = {"z": joint(u, y, present), "z_unweighted": joint(u, None, present)}
    columns = {name: vector_column(v.cpu().numpy()) for name, v in vectors.items()}
    columns |= {f"u_{m}": vector_column(v.cpu().numpy(), there[m]) for m, v in u.items()}
    for m, of in y.items():
        columns[f"y_{m}"] = pa.array(of.cpu().numpy(), mask=None if there[m] is None else ~there[m])
    return pa.table(columns)
