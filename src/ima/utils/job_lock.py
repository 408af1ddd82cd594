"""Let only the most recent run of a job write its outputs.

A job survives when its Snakemake process is killed, and the next Snakemake starts the job again.
If the older run finished last, its outputs, possibly of an older config or older code, would
overwrite the newer ones. A run therefore takes a lock, which it loses as soon as another run takes
it, and only the holder renames files to their final names (`ima.utils.io.whole_file`).

The lock is the identity of the rule's log file: each run replaces it with a new file.
"""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

#: The open lock file that this process holds, and its path.
_held: tuple[TextIO, Path] | None = None


#: Length of a file's name in bytes beyond which temporary files are not named after it.
LONG_NAME = 200


class SupersededError(Exception):
    """A newer run of the same job has started; the outputs of this run are obsolete."""


def temporary(path: Path) -> Path:
    """Return a new name for a temporary file in the folder of a file."""
    # A random name: process ids are not unique across the machines that share a file system.
    return path.with_name(f"{temporary_prefix(path)}{uuid.uuid4().hex[:12]}.part")


def temporary_prefix(path: Path) -> str:
    """Return how the names of all temporary files of a file begin.

    A file system limits names to 255 bytes, which the file's own name may have.
    """
    name = os.fsencode(path.name)
    return f".{path.name if len(name) <= LONG_NAME else hashlib.sha256(name).hexdigest()[:40]}."


@contextlib.contextmanager
def hold(path: str | Path) -> Iterator[TextIO]:
    """Take the lock and yield its new file, open for writing.

    Args:
        path: a file that only runs of this job write, such as its log; it is replaced if it exists.
    """
    global _held
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = temporary(path)
    before = _held
    with new.open("w", encoding="utf-8", errors="backslashreplace") as file:
        new.replace(path)
        _held = file, path
        try:
            yield file
        finally:
            _held = before


def check() -> None:
    """Check that this process still holds its lock, if it has taken one.

    Raises:
        SupersededError: another run has taken the lock.
    """
    if _held is None:
        return
    file, path = _held
    try:
        # Opening the file, unlike `stat`, bypasses the attribute cache of network file systems.
        with path.open() as now:
            taken = not os.path.sameopenfile(now.fileno(), file.fileno())
    except FileNotFoundError:
        return  # the log was deleted, but not by another run
    if taken:
        raise SupersededError(f"another run of this job has started, see {path}")
