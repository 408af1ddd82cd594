"""Let one command at a time work in a folder, so that its files are of one model."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from ima.utils.errors import InputError

#: Name of the file that is locked; it stays, empty, as removing it would let two commands in.
LOCK = ".ima.lock"

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def alone_in(folder: Path, create: bool = False) -> Iterator[None]:
    """Wait until no other command works in a folder, and keep others out in the block.

    Blocks may be nested. The system releases the lock of a process that is killed.

    Args:
        folder: the folder. If it is missing, there is nothing to wait for.
        create: whether to create it then.

    Raises:
        InputError: the folder cannot be written to.
    """
    try:
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir():
            yield
            return
        lock = FileLock(folder / LOCK, is_singleton=True)
        try:
            lock.acquire(timeout=0.1)
        except Timeout:
            logger.warning("another `ima` is at work in %s: waiting until it ends", folder)
            lock.acquire()
    except OSError as error:
        expected = "a folder with permission to write"
        raise InputError(folder, expected=expected, found=error) from error
    try:
        yield
    finally:
        lock.release()
