"""The training loop shared by all models.

Items are in memory or in mapped files (`ima.utils.matrices`). Batches are gathered by row numbers,
which are ABSENT where a pair lacks a modality.
"""

import contextlib
import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ima.pairing.by_label import ABSENT, check_items
from ima.training import distributed, sizes
from ima.training.adam import Adam
from ima.training.callbacks import report
from ima.training.distributed import Share, whole
from ima.training.sizes import AUTO, Auto
from ima.utils import matrices, numbers
from ima.utils.errors import InputError
from ima.utils.progress import progress_bar

#: Number of batches that are read ahead, each by a thread.
AHEAD = 4
SCHEDULES = ("plateau", "cosine", "constant")

#: The `plateau` schedule: decay factor of the learning rate, and number of decays before stopping.
DECAY_FACTOR, MAX_DECAYS = 0.3, 2


class Lengths(NamedTuple):
    """Settings of training that may be AUTO, as numbers."""

    epochs: int
    batch_size: int
    patience: int


@dataclass(frozen=True)
class Training:
    """Settings of training with Adam.

    Args:
        epochs: maximum number of passes over the training pairs.
        batch_size: pairs per step.
        learning_rate: initial learning rate.
        schedule: `cosine` decays the learning rate to 0 along a half cosine; `constant` keeps it;
            `plateau` multiplies it by DECAY_FACTOR when `patience` runs out, MAX_DECAYS times.
        patience: number of epochs without a new minimum of the validation loss after which
            training stops (or the learning rate decays, with `plateau`). Without validation pairs,
            training never stops early.

    Epochs, batch size and patience may be AUTO: `lengths` derives them from the number of pairs.
    """

    epochs: int | Auto = 30
    batch_size: int | Auto = 64
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    patience: int | Auto = 5

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise InputError("schedule", expected=f"one of {SCHEDULES}", found=self.schedule)
        for name in Lengths._fields:
            if getattr(self, name) != AUTO:
                _set(self, name, numbers.whole(name, getattr(self, name)))
        _set(self, "learning_rate", numbers.real("learning_rate", self.learning_rate))

    def lengths(self, pairs: int) -> Lengths:
        """Return numbers in place of AUTO, for so many training pairs."""
        batch = sizes.BATCH if self.batch_size == AUTO else self.batch_size
        epochs = sizes.epochs(pairs, batch) if self.epochs == AUTO else self.epochs
        patience = sizes.patience(epochs) if self.patience == AUTO else self.patience
        return Lengths(epochs, batch, patience)

    def sized(self, pairs: int) -> Self:
        """Return settings with these numbers in place of AUTO."""
        return replace(self, **self.lengths(pairs)._asdict())


def _set(settings: Training, name: str, value: float) -> None:
    """Set a value of frozen settings, as they are made."""
    object.__setattr__(settings, name, value)


#: A row per epoch; the numbers of epochs, rounds and copies are integers.
History = list[dict[str, float]]


class Batch(NamedTuple):
    """A batch of pairs.

    Attributes:
        x: inputs (B, D_m) by modality, 0 where the pair lacks the modality.
        present: (B,) by modality, 1 or 0; None if no pair lacks a modality.
        rows: row numbers (B,) by modality, ABSENT where the pair lacks the modality.
        share: which pairs of the whole batch they are, if several processes share it.
    """

    x: dict[str, Tensor]
    present: dict[str, Tensor] | None
    rows: Mapping[str, Tensor]
    share: Share


#: Maps a batch to the terms of a loss, of which `loss` is minimised.
Terms = Callable[[Batch], dict[str, Tensor]]


def gather(
    x: Mapping[str, Tensor], rows: Mapping[str, Tensor], share: Share | None = None
) -> Batch:
    """Gather a batch of pairs.

    Args:
        x: the items (n_m, D_m) of each modality.
        rows: the row numbers (B,) of each modality, ABSENT where the pair lacks it.
        share: which of these pairs to gather; None for all.
    """
    share = share or whole(pair_count(rows))
    rows = {m: share.of(index) for m, index in rows.items()}
    if not any((index < 0).any() for index in rows.values()):
        return Batch({m: x[m][index] for m, index in rows.items()}, None, rows, share)
    present = {m: (index >= 0).to(x[m]) for m, index in rows.items()}
    inputs = {m: x[m][index.clamp_min(0)] * present[m].unsqueeze(-1) for m, index in rows.items()}
    return Batch(inputs, present, rows, share)


def gathered(
    x: Mapping[str, Tensor],
    drawn: Iterable[Mapping[str, Tensor]],
    share_of: Callable[[int], Share] = whole,
) -> Iterator[Batch]:
    """Yield `gather` of each batch of row numbers; from mapped files, batches are read ahead.

    Args:
        x: the items (n_m, D_m) of each modality. Beyond `ima.utils.matrices.LIMIT` bytes, threads
            gather the next AHEAD batches, because each page may have to be read from the disk.
        drawn: the row numbers (B,) of each modality, batch by batch.
        share_of: returns which pairs of a batch of so many to gather.
    """
    if sum(of.nbytes for of in x.values()) <= matrices.LIMIT:
        yield from (gather(x, rows, share_of(pair_count(rows))) for rows in drawn)
        return
    with ThreadPoolExecutor(AHEAD) as pool:
        queue: deque[Future[Batch]] = deque()
        for rows in drawn:
            queue.append(pool.submit(gather, x, rows, share_of(pair_count(rows))))
            if len(queue) > AHEAD:
                yield queue.popleft().result()
        for future in queue:
            yield future.result()


def device() -> torch.device:
    """Return the GPU if one is available, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextlib.contextmanager
def in_threads(count: int | None, where: torch.device) -> Iterator[None]:
    """Compute in a number of threads of the CPU, None for torch's own, or on another device.

    Steps of training are short: several threads mostly wait for each other, on a busy machine for
    ten times as long as one takes. At the end, torch is as before: its threads, its random numbers
    and its treatment of denormal numbers, which training sets.
    """
    denormal = torch.tensor(5e-324, dtype=torch.double)
    before, flushed = torch.get_num_threads(), not bool(denormal * 1)
    torch.set_num_threads(count or before)
    try:
        with torch.random.fork_rng([where] if where.type == "cuda" else []):
            yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(flushed)


def check_pairs(
    modalities: Collection[str],
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
) -> None:
    """Check that pairs have the expected modalities and valid row numbers.

    A pair may lack modalities, but not all of them, and each modality must occur in a pair.

    Args:
        modalities: the expected modalities.
        x: the items (n_m, D_m) of each modality.
        items: the row numbers (N,) of each modality.

    Raises:
        InputError: one of these conditions is violated, or there are no pairs.
    """
    if set(items) != set(modalities):
        raise InputError("pairs", expected=f"modalities {list(modalities)}", found=[*items])
    for name, rows in items.items():
        if name not in x:
            raise InputError(
                "features", expected=f"features of {name}", found=f"only those of {list(x)}"
            )
        if len(rows) and not ABSENT <= int(rows.min()) <= int(rows.max()) < len(x[name]):
            raise InputError(
                f"pairs of {name}",
                expected=f"row numbers from 0 to {len(x[name]) - 1}, or {ABSENT} for none",
                found=f"{int(rows.min())} to {int(rows.max())}",
                do="Create the pairs again from these features.",
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
    """Return the mean `loss` over pairs, without gradients.

    Args:
        compute_losses: maps a batch to the terms of the loss.
        x: the items (n_m, D_m) of each modality.
        items: the row numbers (N,) of each modality.

    Raises:
        InputError: the loss is not finite.
    """
    sums = RunningMeans()
    chunks = zip(*(rows.split(1024) for rows in items.values()), strict=True)
    for batch in gathered(x, (dict(zip(items, rows, strict=True)) for rows in chunks)):
        sums.add({"loss": compute_losses(batch)["loss"]}, pair_count(batch.rows))
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
    additive: bool = False,
) -> History:
    """Train a model on pairs with Adam.

    Args:
        model: the model, trained in place, and left in evaluation mode.
        compute_losses: maps a batch to the terms to record, of which `loss` is minimised.
        x: the items (n_m, D_m) of each modality.
        items: the row numbers (N,) of each modality.
        settings: the training settings.
        seed: seed of the order of pairs.
        name: name of the model or stage, for the progress bar and error messages.
        validate: returns the loss on validation pairs; called after each epoch. If given, the
            weights of the epoch with the lowest loss are restored, and training may stop early.
        additive: whether all terms are means over the pairs of a batch, so that several processes
            can share it (`ima.training.distributed`).

    Returns:
        One row per epoch: `epoch`, the mean of every term and, with `validate`, `validation`.

    Raises:
        InputError: the loss is not finite, or several processes cannot share it.
    """
    distributed.prepare(name, model, additive)
    epochs, batch_size, patience = settings.lengths(pair_count(items))
    # Weights that decay towards 0 become denormal numbers, which are slow on some processors.
    torch.set_flush_denormal(True)
    # Unfused, Adam's own arithmetic takes half of the time.
    optimizer = Adam(model.parameters(), lr=settings.learning_rate, fused=True)
    # Batch normalisation needs two pairs or more.
    least = 2 if any(isinstance(of, _BatchNorm) for of in model.modules()) else 1
    cosine = None
    if settings.schedule == "cosine":
        steps = epochs * batch_count(pair_count(items), batch_size, least)
        cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    best = EarlyStopping(model, optimizer, settings.schedule, patience)
    history: History = []
    generator = torch.Generator().manual_seed(seed)
    for epoch in progress_bar(range(1, epochs + 1), name, "epoch"):
        model.train()
        drawn = batches(items, batch_size, generator, least)
        means = _steps(compute_losses, x, drawn, optimizer, cosine).means(f"{name}, epoch {epoch}")
        model.eval()
        history.append({"epoch": epoch, **{t: float(v) for t, v in means.items()}})
        if validate:
            history[-1]["validation"] = distributed.by_first(validate)
        report(name, history[-1])
        if validate and best.step(history[-1]["validation"]):
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
    """Take one optimiser step per batch of row numbers, and return the sums of the terms."""
    sums = RunningMeans()
    for batch in gathered(x, drawn, distributed.share):
        terms = compute_losses(batch)
        optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        distributed.add_gradients(optimizer, batch.share.size / batch.share.total)
        optimizer.step()
        if cosine:
            cosine.step()
        sums.add(terms, batch.share.size)
    return sums.of_all_processes()


class EarlyStopping:
    """Keep the weights of the epoch with the lowest validation loss, and stop early.

    Args:
        model: the model whose weights are kept.
        optimizer: the optimiser whose learning rate decays with the `plateau` schedule.
        schedule, patience: as in `Training`.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: str,
        patience: int,
    ):
        self.model, self.optimizer = model, optimizer
        self.schedule, self.patience = schedule, patience
        self.loss, self.waited, self.decays = math.inf, 0, 0
        self.state: dict[str, Tensor] | None = None

    def step(self, loss: float) -> bool:
        """Record the validation loss of an epoch and return whether training should stop."""
        if loss < self.loss:
            self.loss, self.waited = loss, 0
            self.state = {n: value.clone() for n, value in self.model.state_dict().items()}
            return False
        self.waited += 1
        if self.waited < self.patience:
            return False
        if self.schedule != "plateau" or self.decays == MAX_DECAYS:
            return True
        self.decays, self.waited = self.decays + 1, 0
        for group in self.optimizer.param_groups:
            group["lr"] *= DECAY_FACTOR
        return False

    def restore(self) -> None:
        """Restore the weights of the best epoch, if any were kept."""
        if self.state is not None:
            self.model.load_state_dict(self.state)


class RunningMeans:
    """Accumulate the terms of batches to compute their means over all pairs."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.count = 0

    def add(self, terms: Mapping[str, Tensor], count: int) -> None:
        """Add terms that are means over a batch of `count` pairs."""
        self.count += count
        for term, value in terms.items():
            self.sums[term] = self.sums.get(term, 0) + value.detach() * count

    def of_all_processes(self) -> Self:
        """Add the sums of other processes that train together with this one."""
        self.sums, self.count = distributed.add_up(self.sums, self.count)
        return self

    def means(self, where: str) -> dict[str, Tensor]:
        """Return the mean of each term over all pairs.

        Args:
            where: the stage and epoch, for the error message.

        Raises:
            InputError: the loss is not finite.
        """
        means = {term: value / self.count for term, value in self.sums.items()}
        check_finite(means["loss"], where, {term: v.tolist() for term, v in means.items()})
        return means


def check_finite(loss: Tensor, where: str, found: Mapping[str, object]) -> None:
    """Raise InputError if a loss is not finite.

    Args:
        loss: any number of losses.
        where: the stage and epoch.
        found: the terms to name.
    """
    if not torch.isfinite(loss).all():
        do = "Lower the learning rate, or check the features for extreme values."
        raise InputError(where, expected="a finite loss", found=found, do=do)


def pair_count(items: Mapping[str, Tensor]) -> int:
    """Return the number of pairs."""
    return len(next(iter(items.values())))


def batches(
    items: Mapping[str, Tensor], size: int, generator: torch.Generator, least: int = 1
) -> Iterator[dict[str, Tensor]]:
    """Yield batches of row numbers in random order; the last batch may be smaller.

    Args:
        items: the row numbers (N,) of each modality.
        size: the number of pairs per batch.
        generator: source of randomness.
        least: if the last batch would have fewer pairs, it is part of the one before.
    """
    for chosen in batches_of_rows(pair_count(items), size, generator, least):
        yield {name: rows[chosen] for name, rows in items.items()}


def batches_of_rows(
    count: int, size: int, generator: torch.Generator, least: int = 1
) -> list[Tensor]:
    """Return the numbers from 0 to `count` - 1 in random order, in batches as `batches` yields."""
    parts = list(torch.randperm(count, generator=generator, device=generator.device).split(size))
    number = batch_count(count, size, least)
    return [*parts[: number - 1], torch.cat(parts[number - 1 :])]


def batch_count(count: int, size: int, least: int = 1) -> int:
    """Return the number of batches of `size` into which `batches` divides `count` pairs."""
    return max(1, count // size + (count % size >= max(1, least)))
