"""Pairs as peers see them: a matrix for each modality, and what fitting returns."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from ima.models.ima import Modality
from ima.pairing.by_label import ABSENT
from ima.training.loop import Training

#: By modality, a matrix (N, D_m); rows of NaN are absent items.
Views = Mapping[str, Tensor]

Network = TypeVar("Network", bound=nn.Module)


class Problem(NamedTuple):
    """What a peer is fitted to.

    Args:
        x: training pairs, by modality a matrix (N, D_m), with rows of NaN where a pair lacks it.
        validation: validation pairs in the same form.
        modalities: modalities by name, in order.
        latent: L, size of z.
        settings: settings of training.
        seed: seed of initial weights, order of pairs and all draws.
    """

    x: Views
    validation: Views
    modalities: Mapping[str, Modality]
    latent: int
    settings: Training
    seed: int

    def on_device(self, build: Callable[[], Network]) -> Network:
        """Return a network that is built with the problem's seed, on the device of the pairs."""
        torch.manual_seed(self.seed)
        return build().to(next(iter(self.x.values())).device)

    def completed(self) -> "Problem":
        """Return the problem with absent items at the mean of the modality's training items."""
        known = means(self.x)
        return self._replace(x=filled(self.x, known), validation=filled(self.validation, known))


class Fitted(NamedTuple):
    """A fitted peer: its function from matrices of modalities to z, and number of parameters."""

    transform: Callable[[Views], Tensor]
    parameters: int

    def representations(self, x: Views) -> dict[str, Tensor]:
        """Return z (B, L) of all modalities in x as `joint`, and of each alone."""
        alone = {name: self.transform({name: x_m}) for name, x_m in x.items()}
        return {"joint": self.transform(x), **alone}


def pair_matrices(x: Views, items: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return matrices of pairs from items x (n_m, D_m) and row numbers (N,), ABSENT for none."""
    return {
        m: torch.where((rows == ABSENT).unsqueeze(-1).to(x[m].device), torch.nan, x[m][rows])
        for m, rows in items.items()
    }


def as_pairs(
    x: Views, validation: Views
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """Return x, items and validation as `ima.models.baselines` take them.

    It is the inverse of `pair_matrices`: items are those of training pairs, then of validation
    pairs.
    """
    whole = {m: torch.cat((x[m], validation[m])) for m in x}
    rows = {
        m: torch.where(of.isnan().any(1), ABSENT, torch.arange(len(of), device=of.device)).cpu()
        for m, of in whole.items()
    }
    known = {m: of.nan_to_num(0) for m, of in whole.items()}
    count = len(next(iter(x.values())))
    return known, {m: r[:count] for m, r in rows.items()}, {m: r[count:] for m, r in rows.items()}


def means(x: Views) -> dict[str, Tensor]:
    """Return the mean (D_m,) of each modality over the pairs that have it."""
    return {m: of.nanmean(0) for m, of in x.items()}


def filled(x: Views, known: Views) -> dict[str, Tensor]:
    """Return x with the mean, from `means`, in place of absent items."""
    return {m: torch.where(of.isnan(), known[m], of) for m, of in x.items()}


def with_all(x: Views, known: Views) -> dict[str, Tensor]:
    """Return x of all modalities: those that it lacks are at their mean, from `means`."""
    count = len(next(iter(x.values())))
    return {m: x[m] if m in x else mean.expand(count, -1) for m, mean in known.items()}
