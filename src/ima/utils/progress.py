"""Report the progress of long jobs: a bar on a terminal and periodic lines in the log."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

#: Time between two log lines, in s.
LOG_INTERVAL_S = 30.0

logger = logging.getLogger(__name__)
#: Whether to show bars; None for jobs of the workflow, which show them on a terminal only.
_SHOWN: ContextVar[bool | None] = ContextVar("shown", default=None)


@contextmanager
def bars(shown: bool) -> Iterator[None]:
    """Show bars on stderr, or hide them, while the context lasts."""
    token = _SHOWN.set(shown)
    try:
        yield
    finally:
        _SHOWN.reset(token)


def progress_bar(items: Iterable[T], name: str, unit: str) -> Iterator[T]:
    """Yield the items and report how many have been processed.

    Args:
        items: the items; their total is shown if they have a length.
        name: the name of the task.
        unit: the name of one item, in the singular.
    """
    total = len(items) if isinstance(items, Sized) else None
    of_total = f" of {total}" if total is not None else ""
    last = time.monotonic()
    # Write to the terminal, not to the log that captures the script's output, and never to a file.
    shown = _SHOWN.get()
    stream, disable = (sys.__stderr__, None) if shown is None else (sys.stderr, not shown)
    bar = tqdm(items, desc=name, unit=unit, file=stream, disable=disable, leave=False)
    for number, item in enumerate(bar, 1):
        yield item
        if time.monotonic() - last >= LOG_INTERVAL_S:
            last = time.monotonic()
            logger.info("%s: %d%s %ss", name, number, of_total, unit)
