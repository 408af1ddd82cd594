"""Representations of pairs: joint, with and without importances, and each modality's own (5.3)."""

from collections.abc import Mapping

import pyarrow as pa
import torch
from torch import Tensor

from ima.columns import vector_column
from ima.model import IMA, fuse


@torch.no_grad()
def represent(
    model: IMA, x: Mapping[str, Tensor], items: Mapping[str, Tensor]
) -> dict[str, dict[str, Tensor]]:
    """Return the latents and importances of pairs.

    Args:
        model: with one copy of each importance network.
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (N,) of the pairs.

    Returns:
        `u` and `y`: by modality, latents (N, L) and importances (N,).
    """
    u = {m: model.autoencoder.encoders[m](x[m])[rows] for m, rows in items.items()}
    y = {m: model.importance[m](x[m])[0, rows] for m, rows in items.items()}
    return {"u": u, "y": y}


def as_table(u: Mapping[str, Tensor], y: Mapping[str, Tensor]) -> pa.Table:
    """Return the table of `ima.schema.representations_schema` of latents and importances."""
    vectors = {"z": fuse(u, y), "z_unweighted": fuse(u), **{f"u_{m}": v for m, v in u.items()}}
    columns = {name: vector_column(v.cpu().numpy()) for name, v in vectors.items()}
    return pa.table({**columns, **{f"y_{m}": pa.array(v.cpu().numpy()) for m, v in y.items()}})
