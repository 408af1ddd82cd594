"""Training: the loop that every model shares.

All data lie in memory; a batch is gathered by row numbers, ABSENT where a pair lacks a modality.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ima.pairing.by_label import ABSENT, check_items
from ima.utils.errors import InputError
from ima.utils.progress import progress_bar

SCHEDULES = ("plateau", "cosine", "constant")

#: The `plateau` schedule: how far the learning rate falls, and how often before training ends.
FALL, FALLS = 0.3, 2


@dataclass(frozen=True)
class Training:
    """How long and fast Adam trains.

    Args:
        epochs: passes over the training pairs, at the most.
        batch_size: pairs a step.
        learning_rate: at first.
        schedule: `cosine`, the rate falls to 0 along a half cosine; `constant`; `plateau`, it is
            multiplied by FALL whenever `patience` is at its end, FALLS times.
        patience: epochs without a new least loss on the validation pairs after which training
            ends (or, by `plateau`, the rate falls). Without validation pairs nothing ends early.
    """

    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    patience: int = 5

    def __post_init__(self):
        if self.schedule not in SCHEDULES:
            raise InputError("schedule", expected=f"one of {SCHEDULES}", found=self.schedule)


History = list[dict[str, float | int | str]]


class Batch(NamedTuple):
    """Some pairs, gathered.

    Attributes:
        x: by modality, inputs (B, D_m), 0 where the pair lacks the modality.
        present: by modality (B,), 1 or 0; None where no pair lacks any.
        rows: by modality, the row numbers (B,), ABSENT where the pair lacks it.
    """

    x: dict[str, Tensor]
    present: dict[str, Tensor] | None
    rows: Mapping[str, Tensor]


#: Maps a batch to the terms of a loss; `loss` is minimised.
Terms = Callable[[Batch], dict[str, Tensor]]


def gather(x: Mapping[str, Tensor], rows: Mapping[str, Tensor]) -> Batch:
    """Return the pairs of these row numbers (B,) of the matrices x[m] (n_m, D_m)."""
    if not any((of < 0).any() for of in rows.values()):
        return Batch({m: x[m][of] for m, of in rows.items()}, None, rows)
    present = {m: (of >= 0).to(x[m]) for m, of in rows.items()}
    inputs = {m: x[m][of.clamp_min(0)] * present[m].unsqueeze(-1) for m, of in rows.items()}
    return Batch(inputs, present, rows)


def device() -> torch.device:
    """Return the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def check_pairs(
    modalities: Collection[str],
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
) -> None:
    """Raise InputError unless pairs have these modalities, and rows of their matrices.

    A pair may lack modalities, but not all, and each modality must be in some pair.
    """
    if set(items) != set(modalities):
        raise InputError("pairs", expected=f"modalities {list(modalities)}", found=[*items])
    for name, rows in items.items():
        if name not in x:
            raise InputError("features", expected=f"those of {name}", found=f"of {list(x)} only")
        if len(rows) and not ABSENT <= int(rows.min()) <= int(rows.max()) < len(x[name]):
            raise InputError(
                f"pairs of {name}",
                expected=f"row numbers from 0 to {len(x[name]) - 1}, or {ABSENT} for none",
                found=f"{int(rows.min())} to {int(rows.max())}",
                do="Make the pairs again from these features.",
            )
    counts = {name: len(rows) for name, rows in items.items()}
    if len(set(counts.values())) > 1:
        raise InputError(
            "pairs", expected="the same number of rows for every modality", found=counts
        )
    if not any(counts.values()):
        raise InputError("pairs", expected="at least one", found="none")
    check_items({name: rows.cpu().numpy() for name, rows in items.items()}, "pairs")


@torch.no_grad()
def mean_loss(compute_losses: Terms, x: Mapping[str, Tensor], items: Mapping[str, Tensor]) -> float:
    """Return the mean `loss` over pairs."""
    sums = RunningMeans()
    in_order = zip(*(rows.split(1024) for rows in items.values()), strict=True)
    for batch in (dict(zip(items, rows, strict=True)) for rows in in_order):
        loss = compute_losses(gather(x, batch))["loss"]
        sums.add({"loss": loss}, pair_count(batch))
    return float(sums.means("validation")["loss"])


def fit(
    model: torch.nn.Module,
    compute_losses: Terms,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    settings: Training,
    seed: int,
    name: str,
    validate: Callable[[], float] | None = None,
) -> History:
    """Train a model on pairs with Adam.

    Args:
        model: trained in place.
        compute_losses: maps a batch to the terms to record; `loss` is the one that is minimised.
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (N,) of the pairs.
        settings: how long and fast.
        seed: of the order of pairs.
        name: of the model or stage, for the progress bar and messages.
        validate: returns the loss on pairs that are not trained on, after an epoch. With it, the
            weights of the epoch of the least are kept, and training may end early.

    Returns:
        A row an epoch: `epoch`, the mean of every term and, with `validate`, `validation`.

    Raises:
        InputError: the loss stops being a number.
    """
    # Weights that fade towards 0 become denormal numbers, on which some processors are slow.
    torch.set_flush_denormal(True)
    # fused: Adam's own arithmetic takes half of the time otherwise.
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, fused=True)
    cosine = None
    if settings.schedule == "cosine":
        steps = settings.epochs * -(-pair_count(items) // settings.batch_size)
        cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    best = EarlyStopping(model, optimizer, settings)
    history: History = []
    generator = torch.Generator().manual_seed(seed)
    for epoch in progress_bar(range(1, settings.epochs + 1), name, "epoch"):
        drawn = batches(items, settings.batch_size, generator)
        means = _steps(compute_losses, x, drawn, optimizer, cosine).means(f"{name}, epoch {epoch}")
        history.append({"epoch": epoch, **{t: float(v) for t, v in means.items()}})
        if validate:
            history[-1]["validation"] = validate()
            if best.step(history[-1]["validation"]):
                break
    best.restore()
    return history


def _steps(
    compute_losses: Terms,
    x: Mapping[str, Tensor],
    drawn: Iterable[Mapping[str, Tensor]],
    optimizer: torch.optim.Optimizer,
    cosine: torch.optim.lr_scheduler.LRScheduler | None,
) -> "RunningMeans":
    """Take a step on each of the batches, row numbers by modality; return the sums of terms."""
    sums = RunningMeans()
    for batch in drawn:
        terms = compute_losses(gather(x, batch))
        optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        optimizer.step()
        if cosine:
            cosine.step()
        sums.add(terms, pair_count(batch))
    return sums


class EarlyStopping:
    """The weights of the epoch of least validation loss, and what follows where there is no less.

    Args:
        model: whose weights are kept.
        optimizer: whose learning rate the `plateau` schedule lowers.
        settings: schedule and patience.
    """

    def __init__(
        self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, settings: Training
    ):
        self.model, self.optimizer, self.settings = model, optimizer, settings
        self.loss, self.state, self.waited, self.falls = math.inf, None, 0, 0

    def step(self, loss: float) -> bool:
        """Take note of an epoch's validation loss; return whether training ends with it."""
        if loss < self.loss:
            self.loss, self.waited = loss, 0
            self.state = {n: value.clone() for n, value in self.model.state_dict().items()}
            return False
        self.waited += 1
        if self.waited < self.settings.patience:
            return False
        if self.settings.schedule != "plateau" or self.falls == FALLS:
            return True
        self.falls, self.waited = self.falls + 1, 0
        for group in self.optimizer.param_groups:
            group["lr"] *= FALL
        return False

    def restore(self) -> None:
        """Give the model the weights that were kept, if any were."""
        if self.state is not None:
            self.model.load_state_dict(self.state)


class RunningMeans:
    """Sums of the terms of batches, for their means over pairs."""

    def __init__(self):
        self.sums: dict[str, Tensor | float] = defaultdict(float)
        self.count = 0

    def add(self, terms: Mapping[str, Tensor], count: int) -> None:
        """Add the terms of a batch of so many pairs, of which they are means."""
        self.count += count
        for term, value in terms.items():
            self.sums[term] = self.sums[term] + value.detach() * count

    def means(self, where: str) -> dict[str, Tensor]:
        """Return the mean of each term.

        Raises:
            InputError: the loss is not a number; `where` tells when.
        """
        means = {term: value / self.count for term, value in self.sums.items()}
        if not torch.isfinite(means["loss"]).all():
            raise InputError(
                where,
                expected="a finite loss",
                found={term: value.tolist() for term, value in means.items()},
                do="Lower the learning rate, or look for odd values in the features.",
            )
        return means


def pair_count(items: Mapping[str, Tensor]) -> int:
    """Return how many pairs there are."""
    return len(next(iter(items.values())))


def batches(items: Mapping[str, Tensor], size: int, generator: torch.Generator):
    """Yield the pairs in random order, `size` at a time; the last batch may be smaller."""
    order = torch.randperm(pair_count(items), generator=generator)
    for chosen in order.split(size):
        yield {name: rows[chosen] for name, rows in items.items()}
