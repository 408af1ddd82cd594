"""How far a long job has come: a bar on a terminal, and a line in the log now and then."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sized

from tqdm import tqdm

#: Seconds between two lines of a log.
EVERY = 30.0

_LOG = logging.getLogger(__name__)


def progress_bar(items: Iterable, name: str, unit: str) -> Iterator:
    """Yield the items, and show how many have been worked on.

    Args:
        items: whose number is told where it is known.
        name: of the work.
        unit: what an item is called.
    """
    total = len(items) if isinstance(items, Sized) else None
    of = f" of {total}" if total is not None else ""
    last = time.monotonic()
    # To the terminal, not to the log that takes what a script prints; and to no file.
    bar = tqdm(items, desc=name, unit=unit, file=sys.__stderr__, disable=None, leave=False)
    for number, item in enumerate(bar, 1):
        yield item
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            _LOG.info("%s: %d%s %ss", name, number, of, unit)
