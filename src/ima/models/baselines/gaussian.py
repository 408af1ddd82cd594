"""What baselines share: diagonal Gaussians, likelihoods, annealing and training.

`mean` and `log_variance` are (B, L). Every loss is a sum over dimensions and a mean over the batch,
as in `ima.training.losses`.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ima.models.ima import Modality
from ima.training.loop import (
    Batch,
    History,
    Training,
    check_pairs,
    fit,
    mean_loss,
    pair_count,
)
from ima.training.losses import reconstruction
from ima.utils.errors import InputError


class Gaussian(NamedTuple):
    """A Gaussian with independent dimensions for each sample."""

    mean: Tensor
    log_variance: Tensor


@dataclass(frozen=True)
class Annealed(Training):
    """Training with a KL weight that rises linearly from 0 to 1.

    Args:
        warmup: share of all steps, in [0, 1], during which it rises; 0 for a constant weight of 1.
            The default is the 200 of 500 epochs of Wu & Goodman's published code.
    """

    warmup: float = 0.4

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.warmup <= 1:
            raise InputError("warmup", expected="a share from 0 to 1", found=self.warmup)


def split(output: Tensor) -> Gaussian:
    """Return the Gaussian of an encoder's output (B, 2L), which is means, then log-variances."""
    return Gaussian(*output.chunk(2, -1))


def sample(q: Gaussian, eps: Tensor) -> Tensor:
    """Return z = mean + sd * eps (B, L), for eps (B, L) drawn from N(0, I)."""
    return q.mean + (q.log_variance / 2).exp() * eps


def kl(q: Gaussian, p: Gaussian | None = None, counted: Tensor | None = None) -> Tensor:
    """Return the mean over the batch of KL(q || p), where p is N(0, I) if None.

    Samples whose `counted` (B,) is 0 contribute 0 to the mean; None if all count.
    """
    if p is None:
        each = q.log_variance.exp() + q.mean.square() - 1 - q.log_variance
    else:
        difference = q.log_variance - p.log_variance
        distance = (q.mean - p.mean).square() * (-p.log_variance).exp()
        each = difference.exp() + distance - 1 - difference
    if counted is not None:
        each = each * counted.unsqueeze(-1)
    return each.sum() / (2 * len(each))


def product(
    experts: Sequence[Gaussian], prior: bool, present: Sequence[Tensor] | None = None
) -> Gaussian:
    """Return the normalised product of Gaussians, including N(0, I) if `prior` is true.

    Its precision is the sum of the experts' precisions; its mean is their mean weighted by
    precision (Wu & Goodman 2018, Eq. 3).

    Args:
        experts: one or more Gaussians.
        prior: whether to include N(0, I).
        present: for each expert, 1 or 0 (B,); an expert is left out of the products of samples
            where it is 0. None if all are present. Without the prior, each sample needs at least
            one expert.

    Raises:
        InputError: there are no experts.
    """
    if not experts:
        raise InputError("modalities", expected="at least one", found="none")
    if prior:
        zero = torch.zeros_like(experts[0].mean)
        experts = [*experts, Gaussian(zero, zero)]
    mean = torch.stack([e.mean for e in experts])  # (E, B, L)
    log_precision = -torch.stack([e.log_variance for e in experts])  # (E, B, L)
    if present is not None:
        absent = torch.stack([*present]) == 0  # (E or E - 1, B)
        if prior:
            absent = torch.cat((absent, torch.zeros_like(absent[:1])))
        log_precision = log_precision.masked_fill(absent.unsqueeze(-1), -torch.inf)
    weight = log_precision.softmax(0)  # precision over the sum of precisions, without overflow
    return Gaussian((weight * mean).sum(0), -log_precision.logsumexp(0))


def negative_log_likelihood(
    x: Tensor, decoded: Tensor, modality: Modality, counted: Tensor | None = None
) -> Tensor:
    """Return -log p(x | z) as a mean over the batch; `counted` is as in `kl`.

    The modality's loss gives the distribution: `sse` is a Gaussian with the given mean and variance
    1, without its constant D log(2 pi) / 2. The other losses are negative log likelihoods; `bce` is
    that of a Bernoulli distribution with the given logits, also for x between 0 and 1.
    """
    loss = reconstruction(x, decoded, modality.loss, counted, modality.classes)
    return loss / (2 if modality.loss == "sse" else 1)


def betas(settings: Annealed, pairs: int) -> Iterator[float]:
    """Yield the KL weight of each training step, given the number of pairs."""
    epochs, batch_size, _ = settings.lengths(pairs)
    rising = settings.warmup * epochs * -(-pairs // batch_size)
    return (1.0 if step >= rising else step / rising for step in itertools.count(1))


def fit_drawn(
    model: torch.nn.Module,
    drawn_losses: Callable[[Batch, torch.Generator, float], dict[str, Tensor]],
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    settings: Training,
    seed: int,
    name: str,
    validation: Mapping[str, Tensor] | None,
) -> History:
    """Train a baseline whose loss uses random draws.

    Validation uses the same draws at every call, so that epochs are comparable, and a KL weight
    of 1.

    Args:
        drawn_losses: function from a batch, a source of randomness and the KL weight to the terms.
            It draws numbers for the whole batch (`ima.training.loop.Batch.share`).
        settings: settings of training; with `Annealed`, the KL weight is recorded as `beta`.
        name: name of the baseline, for the progress bar and error messages.
        model, x, items, seed, validation: as in `ima.models.autoencoder.fit_autoencoder`.
    """
    device = next(iter(x.values())).device
    generator = torch.Generator(device).manual_seed(seed)
    weights = betas(settings, pair_count(items)) if isinstance(settings, Annealed) else None

    def compute_losses(batch: Batch) -> dict[str, Tensor]:
        """Return the terms of a batch with the KL weight of its step."""
        if weights is None:
            return drawn_losses(batch, generator, 1.0)
        beta = next(weights)
        return {**drawn_losses(batch, generator, beta), "beta": torch.tensor(beta, device=device)}

    def validate() -> float:
        """Return the mean loss on the validation pairs."""
        fixed = torch.Generator(device).manual_seed(0)
        return mean_loss(lambda batch: drawn_losses(batch, fixed, 1.0), x, validation)

    if validation is not None:
        check_pairs(model.modalities, x, validation)
    chosen = None if validation is None else validate
    return fit(model, compute_losses, x, items, settings, seed, name, chosen, additive=True)


def subsets(names: Sequence[str], smallest: int, largest: int) -> list[tuple[str, ...]]:
    """Return all subsets of modalities with sizes in a range, smaller ones first."""
    sizes = range(smallest, largest + 1)
    return [subset for size in sizes for subset in itertools.combinations(names, size)]


def concatenated(modalities: Mapping[str, Modality], subset: Sequence[str]) -> Modality:
    """Return several modalities concatenated as one: dimensions and hidden widths are summed.

    The activation is that of the first modality.
    """
    return Modality(
        sum(modalities[name].dimension for name in subset),
        sum(modalities[name].hidden for name in subset),
        activation=modalities[subset[0]].activation,
    )


def check_names(modalities: Mapping[str, Modality]) -> None:
    """Raise InputError if there is no modality, or one has a name with a special meaning."""
    if not modalities or "joint" in modalities or any("+" in name for name in modalities):
        raise InputError(
            "modalities",
            expected="at least one, none called joint or with a + in its name",
            found=[*modalities],
        )


def check_present(x: Mapping[str, Tensor], modalities: Mapping[str, Modality]) -> None:
    """Raise InputError unless a batch has at least one of the modalities and no other."""
    if not x or set(x) - set(modalities):
        raise InputError("modalities", expected=f"some of {list(modalities)}", found=list(x))
