"""Encoders trained to agree on pairs, and their selection of the pairs that fit together.

The loss is InfoNCE (van den Oord et al. 2018, Representation learning with contrastive predictive
coding), in both directions as in CLIP (Radford et al. 2021).
"""

import itertools
import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from ima.models.ima import Modality, encoder_of
from ima.training.loop import Batch, Training, check_pairs, fit, gather, mean_loss, pair_count

#: Size of the embeddings, temperature of the similarities, and pairs that a loss compares.
SIZE, TEMPERATURE, COMPARED = 32, 0.1, 128
#: `co_divide` uses all pairs for one in so many epochs.
WARM_UP = 5


class Contrastive(nn.Module):
    """One encoder per modality, trained to agree on pairs.

    Args:
        modalities: two modalities or more by name, in order.
        size: size of the embeddings.
    """

    def __init__(self, modalities: Mapping[str, Modality], size: int = SIZE):
        super().__init__()
        self.modalities = dict(modalities)
        self.encoders = nn.ModuleDict({n: encoder_of(n, m, size) for n, m in modalities.items()})

    def embed(self, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return embeddings (B, S) of length 1, by modality."""
        return {m: normalize(self.encoders[m](x_m), dim=1) for m, x_m in x.items()}

    def losses(self, x: Mapping[str, Tensor]) -> Tensor:
        """Return the loss (B,) of each pair of a batch, averaged over pairs of modalities."""
        pairs = itertools.combinations(self.embed(x).values(), 2)
        return torch.stack([info_nce(a, b) for a, b in pairs]).mean(0)


def info_nce(a: Tensor, b: Tensor, temperature: float | Tensor = TEMPERATURE) -> Tensor:
    """Return the InfoNCE loss (B,) of each pair within its batch, averaged over both directions.

    In one direction, it is -log(exp(s_ii) / sum_j exp(s_ij)), where s = a b^T / temperature.

    Args:
        a, b: embeddings (B, S) of length 1, row for row.
        temperature: above 0.
    """
    s = a @ b.T / temperature  # (B, B)
    own = torch.arange(len(s), device=s.device)
    directions = [cross_entropy(similarity, own, reduction="none") for similarity in (s, s.T)]
    return sum(directions) / 2


def fit_contrastive(
    model: Contrastive,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    settings: Training,
    seed: int,
    validation: Mapping[str, Tensor] | None = None,
) -> None:
    """Train the encoders on complete pairs.

    The arguments are those of `ima.models.autoencoder.fit_autoencoder`. Each step compares the
    pairs of a batch, so the loss depends on the batch size.
    """
    check_pairs(model.modalities, x, items)

    def compute_losses(batch: Batch) -> dict[str, Tensor]:
        """Return the mean loss of a batch."""
        return {"loss": model.losses(batch.x).mean()}

    validate = None if validation is None else partial(mean_loss, compute_losses, x, validation)
    fit(model, compute_losses, x, items, settings, seed, "contrastive", validate)


@torch.no_grad()
def pair_losses(
    model: Contrastive, x: Mapping[str, Tensor], items: Mapping[str, Tensor], draws: int = 5
) -> np.ndarray:
    """Return the loss (N,) of each pair among COMPARED random pairs, averaged over draws.

    All losses of a draw are among as many pairs; fewer only if there are fewer.
    """
    count, generator = pair_count(items), torch.Generator().manual_seed(0)
    total = torch.zeros(count)
    for _ in range(draws):
        order = torch.randperm(count, generator=generator)
        for first in range(0, count, COMPARED):
            part = order[max(0, min(first, count - COMPARED)) :][:COMPARED]
            batch = gather(x, {m: rows[part] for m, rows in items.items()})
            new = order[first:][:COMPARED]  # of the last part, those without a loss yet
            total[new] += model.losses(batch.x)[-len(new) :].cpu()
    return (total / draws).numpy()


@torch.no_grad()
def similarities(
    model: Contrastive, x: Mapping[str, Tensor], items: Mapping[str, Tensor]
) -> dict[str, np.ndarray]:
    """Return, by modality, the mean cosine similarity (N,) of a pair's item to the others."""
    found = model.embed(gather(x, items).x)
    return {
        m: torch.stack([(a * b).sum(1) for n, b in found.items() if n != m]).mean(0).cpu().numpy()
        for m, a in found.items()
    }


def two_groups(values: np.ndarray) -> np.ndarray:
    """Return the probability (N,) of the component with the lower mean, of two Gaussians.

    It is 1 if all values are equal.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    spread = np.ptp(values)
    if not spread:
        return np.ones(len(values))
    values = ((values - values.min()) / spread)[:, None]
    mixture = GaussianMixture(2, max_iter=50, tol=1e-4, reg_covar=5e-4, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 50 iterations are enough
        mixture.fit(values)
    return mixture.predict_proba(values)[:, mixture.means_.argmin()]


def co_divide(
    modalities: Mapping[str, Modality],
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    settings: Training,
    seed: int,
) -> list[Contrastive]:
    """Train two networks that select training pairs for each other.

    This follows DivideMix (Li et al. 2020) and noisy correspondence rectifiers (Huang et al. 2021,
    Learning with noisy correspondence for cross-modal matching). All pairs are used in the first
    epochs (WARM_UP). Then, in each epoch, each network is trained on the pairs that `two_groups` of
    the other network's losses classify as clean; on all pairs if none is. The learning rate is
    constant.
    """
    torch.manual_seed(seed)
    networks = [Contrastive(modalities), Contrastive(modalities)]
    total = settings.lengths(pair_count(items)).epochs
    first = max(1, total // WARM_UP)
    chosen = [items, items]
    for number, epochs in enumerate([first, *[1] * (total - first)]):
        part = replace(settings, epochs=epochs, schedule="constant")
        for i, network in enumerate(networks):
            fit_contrastive(network, x, chosen[i], part, seed + 2 * number + i)
        clean = [two_groups(pair_losses(network, x, items)) > 0.5 for network in networks]
        chosen = [_selected(items, of) for of in clean[::-1]]
    return networks


def _selected(items: Mapping[str, Tensor], clean: np.ndarray) -> dict[str, Tensor]:
    """Return the clean pairs, or all if two overlapping groups leave none."""
    mask = torch.from_numpy(clean if clean.any() else ~clean)
    return {m: rows[mask] for m, rows in items.items()}
