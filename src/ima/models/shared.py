"""The part of each latent that other modalities share, by canonical correlation analysis.

Latents of trained encoders also hold what only their own modality has, such as the style of a
digit, and Eq. 1 averages it into z. Here, the canonical coordinates of a latent u_m and of the
latents of all other modalities are fitted to the training pairs, weighted by importances. In
probabilistic canonical correlation analysis (Bach and Jordan 2005), a coordinate b of u_m with
correlation c has sqrt(c) b as the posterior mean of what is shared. This shrinks each coordinate
and leaves the others' scale, so that distances keep the metric of u_m. docs/importance.md,
section 11, shows when it helps.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from ima.models.cca import ERRORS, canonical, contributions
from ima.models.ima import IMANetwork
from ima.pairing.by_label import ABSENT

Latents = Mapping[str, Tensor]


class SharedPart(NamedTuple):
    """The map from a latent u (N, L) to its shared part (u - mean) @ projection.

    Args:
        mean: weighted mean of the training pairs' latents (L,); 0 if the projections of all
            modalities are the identity, so that latents stay as they are.
        projection: (L, L); the identity if all coordinates are shared, or none.
        correlations: held-out canonical correlations (L,), of the coordinates in the order of
            decreasing correlation of the training pairs.
    """

    mean: Tensor
    projection: Tensor
    correlations: Tensor

    @property
    def is_whole(self) -> bool:
        """Whether the shared part is all of the latent."""
        return torch.equal(self.projection, torch.eye(len(self.mean)).to(self.projection))

    def of(self, u: Tensor) -> Tensor:
        """Return the shared part (N, L) of latents u (N, L)."""
        return ((u.double() - self.mean) @ self.projection).to(u)


def shared_parts(
    train: Latents, held: Latents, y_train: Latents, y_held: Latents, distinct: int
) -> dict[str, SharedPart]:
    """Fit the shared part of each modality's latents.

    Args:
        train, held: by modality, latents of training pairs (N, L) and held-out pairs (H, L), 0
            where a pair lacks the modality.
        y_train, y_held: their importances in [0, 1], (N,) and (H,), 0 where it is absent. A pair's
            weight is the importance of the item times the largest of its partners'.
        distinct: as in `ima.models.cca.contributions`.
    """
    parts = {}
    for m in train:
        others = [n for n in train if n != m]
        known, judged = (
            Paired(
                torch.cat([u[n] for n in others], 1).double(),
                u[m].double(),
                (y[m] * torch.stack([y[n] for n in others]).amax(0)).double(),
            )
            for u, y in ((train, y_train), (held, y_held))
        )
        parts[m] = _shared_part(known, judged, distinct)
    if all(part.is_whole for part in parts.values()):
        return {m: part._replace(mean=0 * part.mean) for m, part in parts.items()}
    return parts


class Paired(NamedTuple):
    """Latents of the other modalities (N, D) and of one (N, L), and the pairs' weights (N,)."""

    others: Tensor
    u: Tensor
    weight: Tensor


def _shared_part(known: Paired, judged: Paired, distinct: int) -> SharedPart:
    """Return the shared part of a modality, fitted to known pairs and judged by held-out ones."""
    identity = torch.eye(known.u.shape[1]).to(known.u)
    if min(known.weight.sum(), judged.weight.sum()) <= 0:
        return SharedPart(known.u.mean(0), identity, 0 * identity[0])
    fitted = canonical(*known)
    _, c = contributions(fitted, *judged, distinct)
    shared = c > ERRORS / distinct**0.5
    if shared.all() or not shared.any():
        return SharedPart(fitted.mean_u, identity, c)
    scaled = fitted.map_u * c.clamp(0, 1).sqrt()
    return SharedPart(fitted.mean_u, scaled @ torch.linalg.pinv(fitted.map_u), c)


@torch.no_grad()
def shared_parts_of(
    model: IMANetwork, x: Mapping[str, Tensor], train: Latents, held: Latents
) -> dict[str, SharedPart]:
    """Fit `shared_parts` for a trained model.

    Args:
        model: an IMA network with a single copy of each importance network.
        x: by modality, the matrix (n_m, D_m) of its items.
        train, held: row numbers (N,) and (H,) of the training and held-out pairs by modality,
            ABSENT where a pair lacks it.
    """
    u = model.autoencoder.encode(x)
    y = {m: model.importance[m](x_m)[0] for m, x_m in x.items()}
    u_train, y_train = _of_pairs(u, y, train)
    u_held, y_held = _of_pairs(u, y, held)
    distinct = min(len(rows[rows != ABSENT].unique()) for rows in held.values()) or 1
    return shared_parts(u_train, u_held, y_train, y_held, distinct)


def _of_pairs(u: Latents, y: Latents, pairs: Latents) -> tuple[Latents, Latents]:
    """Return the latents (N, L) and importances (N,) of pairs; 0 where a modality is absent."""
    present = {m: (rows != ABSENT).to(y[m]) for m, rows in pairs.items()}
    latents = {m: u[m][rows] * present[m][:, None] for m, rows in pairs.items()}
    return latents, {m: y[m][rows] * present[m] for m, rows in pairs.items()}


def shared_tensors(parts: Mapping[str, SharedPart]) -> dict[str, Tensor]:
    """Return the tensors of shared parts by `<modality>.<field>`, for `read_shared`."""
    return {f"{m}.{field}": t for m, part in parts.items() for field, t in part._asdict().items()}


def read_shared(tensors: Mapping[str, Tensor]) -> dict[str, SharedPart]:
    """Return the shared parts by modality, from `shared_tensors`."""
    names = dict.fromkeys(name.rpartition(".")[0] for name in tensors)
    return {
        m: SharedPart(*(tensors[f"{m}.{field}"] for field in SharedPart._fields)) for m in names
    }


def shared_shapes(names: Iterable[str], latent: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of `shared_tensors` of modalities `names`, for latents of size `latent`."""
    shapes = {"mean": (latent,), "projection": (latent, latent), "correlations": (latent,)}
    return {f"{m}.{field}": shape for m in names for field, shape in shapes.items()}
