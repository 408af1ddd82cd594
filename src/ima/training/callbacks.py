"""Callbacks that follow training, epoch by epoch."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from ima.training.distributed import is_first

#: An epoch: its number, the mean of every loss term and, with validation pairs, their loss.
Row = Mapping[str, float | int | str]
#: Is called with the stage and the row of `history` after each epoch.
Callback = Callable[[str, Row], object]

_ACTIVE: ContextVar[tuple[Callback, ...]] = ContextVar("callbacks", default=())


@contextmanager
def callbacks(given: Iterable[Callback]) -> Iterator[None]:
    """Call these callbacks after each epoch of any training while the context lasts.

    Stages are called `stage 1`, `stage 1, fold 2` (the autoencoders of further folds), `stage 2`
    or `stage 2, <modality>`, or by the name of a baseline. An error of a callback ends training.
    """
    token = _ACTIVE.set((*_ACTIVE.get(), *given))
    try:
        yield
    finally:
        _ACTIVE.reset(token)


def report(stage: str, row: Row) -> None:
    """Call the active callbacks with a copy of an epoch's row, in one of several processes."""
    for callback in _ACTIVE.get() if is_first() else ():
        callback(stage, dict(row))
