"""Encoders of what modalities share, trained to recognise partners, weighted by importances.

The latents of IMA's autoencoder also hold what a modality does not share, as they reconstruct it.
Here, further encoders g_m have no decoder. Their loss is InfoNCE (van den Oord et al. 2018): an
item's partner has to be recognised among the other items of the batch by the logits
-s |g_m - g_n|^2, with a learned scale s. A pair counts by the product of its items' importances, so
that noise, which says nothing about its partner, does not take part. The joint representation is
Eq. 1 with g_m in place of u_m. docs/importance.md, section 12, shows when it helps.
"""

import itertools
from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ima.models.ima import IMANetwork, Modality, encoder_of, in_blocks
from ima.pairing.by_label import ABSENT
from ima.training.loop import Batch, History, Training, fit, mean_loss, pair_count
from ima.utils.errors import InputError

#: Number of trainings, of which the best is kept.
RESTARTS = 3


class SharedEncoders(nn.Module):
    """One encoder per modality, and the logarithm of the scale s of the logits.

    Args:
        modalities: two modalities or more by name, in order.
        latent: L, size of the latents.
    """

    def __init__(self, modalities: Mapping[str, Modality], latent: int):
        super().__init__()
        self.encoders = nn.ModuleDict({n: encoder_of(n, m, latent) for n, m in modalities.items()})
        self.log_scale = nn.Parameter(torch.zeros(()))

    def encode(self, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return latents g_m (B, L) of x (B, D_m), by modality."""
        return {name: in_blocks(self.encoders[name], x_m) for name, x_m in x.items()}

    def loss(self, x: Mapping[str, Tensor], y: Mapping[str, Tensor]) -> Tensor:
        """Return the mean of `partner_loss` over the pairs of a batch and of modalities.

        Args:
            x: by modality, items (B, D_m).
            y: their importances (B,), 0 where a pair lacks the modality. A pair of modalities has
                their product as its weight.
        """
        g = self.encode(x)
        total, whole = x[next(iter(x))].new_zeros(()), 0.0
        for m, n in itertools.combinations(g, 2):
            has = ((y[m] > 0) & (y[n] > 0)).nonzero().squeeze(-1)
            weight = (y[m] * y[n])[has]
            if len(has) > 1:
                total = total + (weight * partner_loss(g[m][has], g[n][has], self.log_scale)).sum()
                whole = whole + weight.sum()
        return total / whole if torch.is_tensor(whole) else total + 0 * self.log_scale


def partner_loss(a: Tensor, b: Tensor, log_scale: Tensor) -> Tensor:
    """Return the InfoNCE loss (B,) of each pair within its batch, averaged over both directions.

    Args:
        a, b: latents (B, L), row for row.
        log_scale: log s of the logits -s |a_i - b_j|^2.
    """
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    logits = -squares * log_scale.exp()
    own = torch.arange(len(a), device=a.device)
    return sum(cross_entropy(of, own, reduction="none") for of in (logits, logits.T)) / 2


def fit_shared_encoders(
    model: IMANetwork,
    x: Mapping[str, Tensor],
    pairs: Mapping[str, Tensor],
    held: Mapping[str, Tensor],
    settings: Training,
    seed: int,
    restarts: int = RESTARTS,
) -> tuple[SharedEncoders, History]:
    """Train `SharedEncoders` of a trained model's modalities, and return them and the history.

    Of several restarts, those with the lowest loss on the pairs for early stopping are kept: in two
    dimensions, some trainings end without separating anything.

    Args:
        model: an IMA network with a single copy of each importance network.
        x: by modality, the matrix (n_m, D_m) of its items.
        pairs, held: row numbers (N,) and (H,) of the training pairs and of those for early
            stopping by modality, ABSENT where a pair lacks it.
        settings: settings of training; those of stage 1 suit.
        seed: seed of initial weights and of the order of pairs.
        restarts: number of trainings.
    """
    y = importances_of(model, x)
    layers, latent = model.autoencoder.modalities, model.autoencoder.latent
    return fit_weighted(layers, latent, y, x, pairs, held, settings, seed, restarts)


def check_comparable(held: Mapping[str, Tensor]) -> None:
    """Check that early stopping has partners to recognise.

    Args:
        held: row numbers (H,) of the held-out pairs by modality, ABSENT where a pair lacks it.

    Raises:
        InputError: no two of the pairs have the same two modalities.
    """
    both = [(held[m] != ABSENT) & (held[n] != ABSENT) for m, n in itertools.combinations(held, 2)]
    if max((int(of.sum()) for of in both), default=0) < 2:
        raise InputError(
            "held-out pairs",
            expected="two or more of the same two modalities, for the shared encoders",
            found=f"none in {pair_count(held)}",
            do="Give more pairs, or a higher held_out.",
        )


@torch.no_grad()
def importances_of(model: IMANetwork, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the importances (n_m,) of all items x (n_m, D_m), by modality."""
    return {
        m: torch.cat([model.importance[m](part)[0] for part in x_m.split(8192)])
        for m, x_m in x.items()
    }


def fit_weighted(
    modalities: Mapping[str, Modality],
    latent: int,
    y: Mapping[str, Tensor],
    x: Mapping[str, Tensor],
    pairs: Mapping[str, Tensor],
    held: Mapping[str, Tensor],
    settings: Training,
    seed: int,
    restarts: int = RESTARTS,
) -> tuple[SharedEncoders, History]:
    """Train `SharedEncoders` on pairs weighted by the importances y (n_m,) of their items.

    Args:
        modalities: two modalities or more by name, in order.
        latent: L, size of the latents.
        x, pairs, held, settings, seed, restarts: as in `fit_shared_encoders`.
    """
    device = next(iter(y.values())).device

    def train(start: int) -> tuple[SharedEncoders, History]:
        """Train encoders once."""
        torch.manual_seed(start)
        encoders = SharedEncoders(modalities, latent).to(device)

        def compute_losses(batch: Batch) -> dict[str, Tensor]:
            """Return the loss of a batch."""
            weights = {m: y[m][rows] * (rows != ABSENT).to(y[m]) for m, rows in batch.rows.items()}
            return {"loss": encoders.loss(batch.x, weights)}

        validate = partial(mean_loss, compute_losses, x, held)
        name = "shared encoders"
        return encoders, fit(encoders, compute_losses, x, pairs, settings, start, name, validate)

    found = [train(start) for start in range(seed, seed + restarts * 1000, 1000)]
    return min(found, key=lambda of: min(row["validation"] for row in of[1]))


@torch.no_grad()
def latents_of(
    encoders: SharedEncoders, x: Mapping[str, Tensor], items: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the latents g_m (N, L) of pairs by modality; those of absent items have no meaning.

    Args:
        encoders: trained encoders.
        x: by modality, the matrix (n_m, D_m) of its items.
        items: row numbers (N,) of the pairs.
    """
    return {
        m: torch.cat([encoders.encoders[m](x[m][part]) for part in rows.split(4096)])
        for m, rows in items.items()
    }
