"""Training by several processes, which share the work of every batch (`torch.distributed`).

All processes run the same code with the same seeds and hold the same weights. If the loss of a
batch is a mean over its pairs, each process computes it for a share of them (`Share`), and
gradients are averaged. If it compares pairs, each process computes a network's outputs for a share
of the items (`forward`), and all of them compute the loss of the whole batch; gradients are summed.
Both give the gradient of the whole batch up to rounding, for the same batches in the same order.

In a single process, which is the default, the functions of this module return what they are given.
"""

import contextlib
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from ima.utils.errors import InputError
from ima.utils.progress import bars

T = TypeVar("T")
#: Layers whose outputs depend on other samples of the batch, or on numbers that each process draws.
MIXING = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)


class _Group(NamedTuple):
    """The processes that train together, and which of them this one is."""

    rank: int
    size: int


_GROUP: ContextVar[_Group | None] = ContextVar("group", default=None)


class Share(NamedTuple):
    """The pairs of a batch for which a process computes the loss.

    Attributes:
        start, stop: the first of these pairs, and the one after the last.
        total: number of pairs of the whole batch.
    """

    start: int
    stop: int
    total: int

    @property
    def size(self) -> int:
        """Return the number of pairs in the share."""
        return self.stop - self.start

    def of(self, values: Tensor, dim: int = 0) -> Tensor:
        """Return the part of values (..., total, ...) that belongs to the share.

        A share without pairs (of a batch smaller than the number of processes) still gives one: its
        terms are then finite, and count 0 times.
        """
        if self.size == self.total:
            return values
        return values.narrow(dim, self.start, max(self.size, 1))


def whole(total: int) -> Share:
    """Return all pairs of a batch as a share."""
    return Share(0, total, total)


def share(total: int) -> Share:
    """Return this process's share of a batch of so many pairs; all of them without others."""
    group = _GROUP.get() or _Group(0, 1)
    start, stop = (rank * total // group.size for rank in (group.rank, group.rank + 1))
    return Share(start, stop, total)


def forward(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return `function` of items x (B, D), of which each process computes a share.

    The result (..., B) has the gradient of this process's share only; `add_gradients` completes it.
    """
    if _GROUP.get() is None:
        return function(x)
    own = share(len(x))
    y = function(x[own.start : own.stop])
    with torch.no_grad():
        joined = y.new_zeros(*y.shape[:-1], own.total)
        joined[..., own.start : own.stop] = y
        torch.distributed.all_reduce(joined)
    return torch.cat((joined[..., : own.start], y, joined[..., own.stop :]), -1)


def add_gradients(optimizer: torch.optim.Optimizer, weight: float = 1.0) -> None:
    """Replace gradients by their weighted sum over all processes.

    Args:
        optimizer: the optimiser of the parameters whose gradients were computed.
        weight: weight of this process's gradients: the size of its share of the batch, relative to
            the whole batch, if they are those of a mean over its share.
    """
    if _GROUP.get() is None:
        return
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients]) * weight
    torch.distributed.all_reduce(flat)
    parts = flat.split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def add_up(values: dict[str, Tensor], count: int) -> tuple[dict[str, Tensor], int]:
    """Return the sums of scalars and of a number over all processes."""
    if _GROUP.get() is None:
        return values, count
    scalars = [value.double() for value in values.values()]
    flat = torch.stack([*scalars, scalars[0].new_tensor(count)])
    torch.distributed.all_reduce(flat)
    return dict(zip(values, flat, strict=False)), int(flat[-1])


def by_first(function: Callable[[], float]) -> float:
    """Return `function()`, which the first process computes for all."""
    group = _GROUP.get()
    if group is None:
        return function()
    number = function() if group.rank == 0 else 0.0
    value = torch.tensor(number, dtype=torch.double, device="cpu")
    torch.distributed.broadcast(value, 0)
    return float(value)


def is_first() -> bool:
    """Return whether this process validates, reports and writes for all."""
    group = _GROUP.get()
    return group is None or group.rank == 0


def prepare(name: str, model: nn.Module, additive: bool = True) -> None:
    """Give all processes the first one's weights of a model that they train together.

    Args:
        name: name of the training.
        model: the model.
        additive: whether the loss can be computed from shares of a batch.

    Raises:
        InputError: the loss is not, or a layer mixes the pairs of a batch or draws numbers.
    """
    if _GROUP.get() is None:
        return
    mixing = [type(layer).__name__ for layer in model.modules() if _mixes(layer)]
    if mixing or not additive:
        raise InputError(
            f"{name}, trained by several processes",
            expected="a loss that is a mean over pairs, and layers that treat each by itself",
            found=mixing[0] if mixing else "a loss that compares pairs",
            do="Set training_processes to 1.",
        )
    with torch.no_grad():
        for value in model.state_dict().values():
            torch.distributed.broadcast(value, 0)


def _mixes(layer: nn.Module) -> bool:
    """Return whether a layer is one of MIXING, or drops out values itself, as `nn.GRU` can."""
    rate = getattr(layer, "dropout", 0)
    return isinstance(layer, MIXING) or (isinstance(rate, int | float) and rate > 0)


def run(function: Callable[[], T], processes: int) -> T:
    """Return `function()`, in which several processes train every model together.

    The processes are forks of this one, or those that torchrun started. They call the function, and
    all but the first end with it, so that what follows happens once. On a machine with GPUs, each
    has one of its own; this process must not have used them before.

    Args:
        function: what trains; it must do the same in every process.
        processes: number of processes; of all machines, with torchrun.

    Raises:
        InputError: torchrun started another number of processes, or a machine has fewer GPUs.
    """
    if processes == 1:
        return function()
    if {"RANK", "WORLD_SIZE", "LOCAL_RANK"} <= os.environ.keys():
        return _launched(function, processes)
    # Only here, as most jobs do without it.
    from torch.multiprocessing import start_processes

    with tempfile.TemporaryDirectory() as folder, _loopback():
        store = f"file://{Path(folder, 'store').absolute()}"
        given = (function, processes, store)
        others = start_processes(_other, given, processes - 1, join=False, start_method="fork")
        try:
            with _member(_Group(0, processes), 0, store):
                result = function()
            while not others.join():
                pass
            return result
        except RuntimeError:
            others.join(timeout=1)  # raises the error of another process, if that is the cause
            raise
        finally:
            for process in others.processes:
                process.kill()
                process.join()


def _other(number: int, function: Callable[[], object], processes: int, store: str) -> None:
    """Call the function in a fork, and end the process."""
    rank = number + 1
    with _member(_Group(rank, processes), rank, store):
        function()
    os._exit(0)  # what the first process has planned for its end is not done here


def _launched(function: Callable[[], T], processes: int) -> T:
    """Call the function in a process that torchrun started."""
    rank, size, local = (int(os.environ[n]) for n in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    if size != processes:
        found = f"training_processes: {processes}"
        raise InputError("config", expected=f"the {size} processes of torchrun", found=found)
    with _member(_Group(rank, size), local, "env://"):
        result = function()
    if rank > 0:
        sys.exit()
    return result


@contextlib.contextmanager
def _member(group: _Group, local: int, store: str) -> Iterator[None]:
    """Make this process a member of a group while the context lasts; all but the first are silent.

    Args:
        local: number of the process on its machine.
        store: where the processes find each other, as in `torch.distributed.init_process_group`.
    """
    if torch.cuda.is_available():
        if local >= (gpus := torch.cuda.device_count()):
            found = f"{gpus} GPUs for {group.size} processes"
            raise InputError("training_processes", expected="a GPU for each", found=found)
        torch.cuda.set_device(local)
    torch.distributed.init_process_group(init_method=store, rank=group.rank, world_size=group.size)
    token = _GROUP.set(group)
    try:
        with _silent() if group.rank > 0 else contextlib.nullcontext():
            yield
    finally:
        _GROUP.reset(token)
        torch.distributed.destroy_process_group()


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Show and log nothing while the context lasts."""
    logging.disable()
    with (
        Path(os.devnull).open("w") as null,
        contextlib.redirect_stdout(null),
        contextlib.redirect_stderr(null),
        bars(False),
    ):
        yield
    logging.disable(logging.NOTSET)


@contextlib.contextmanager
def _loopback() -> Iterator[None]:
    """Let processes of this machine listen where no other machine can connect."""
    name, interfaces = "GLOO_SOCKET_IFNAME", [name for _, name in socket.if_nameindex()]
    before, own = os.environ.get(name), [of for of in interfaces if of.startswith("lo")]
    if before is None and own:
        os.environ[name] = own[0]
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
