"""Which of two runs of the same job may write: the one that began last.

A job lives on when its Snakemake is killed, and the next Snakemake runs it again. If the first of
the two ended last, what it made, perhaps of an older config or code, would replace the newer
result. So a run takes a lease, which is lost as soon as another run takes it, and files are renamed
to their final names (`ima.utils.io.whole_file`) by the holder only.

The lease is the identity of the rule's log: each run puts a new file in place of the old one.
"""

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

#: The open file of the lease that this process holds, and its path.
_held: tuple[TextIO, Path] | None = None


class SupersededError(Exception):
    """Another run of the same job has begun: what this one made is not wanted any more."""


@contextlib.contextmanager
def hold(path: str | Path) -> Iterator[TextIO]:
    """Take the lease of a path and yield the new file there, open for writing.

    Args:
        path: a file of the job that nothing but its runs writes; one that is there is replaced.
    """
    global _held
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.part")
    before = _held
    with new.open("w") as file:
        new.replace(path)
        _held = file, path
        try:
            yield file
        finally:
            _held = before


def check() -> None:
    """Return if this process holds its lease, or needs none.

    Raises:
        SupersededError: another run has taken it.
    """
    if _held is None:
        return
    file, path = _held
    try:
        # Opened, not only asked for its status, which file systems of a network may have cached.
        with path.open() as now:
            taken = not os.path.sameopenfile(now.fileno(), file.fileno())
    except FileNotFoundError:
        return  # somebody has removed the log: that is no other run
    if taken:
        raise SupersededError(f"another run of this job has begun, see {path}")
