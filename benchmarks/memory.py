"""Memory of this process that cannot be dropped, unlike the pages of mapped files."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def anonymous() -> float:
    """Return the resident memory in MB that is of no file."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith("RssAnon"))


@contextmanager
def watched() -> Iterator[list[float]]:
    """Yield a list that in the end has the peak of `anonymous` in the meantime."""
    peak, stop = [anonymous()], threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            peak[0] = max(peak[0], anonymous())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()
