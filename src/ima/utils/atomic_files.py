"""Whole files or none: to a temporary name beside the target, fsync, then rename.

A file is renamed only by the last run of a job (`ima.utils.job_lock`).
"""

import contextlib
import errno
import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from ima.utils import job_lock
from ima.utils.errors import InputError

#: What an operating system says of a place that cannot be written to; any other error is a bug.
_UNWRITABLE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "space on the disk to write it"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "a place that may be written to"),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), "folders only in its path"),
}


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` only when the block ends without an error.

    Raises:
        InputError: the disk is full, or the place may not be written to.
        ima.utils.job_lock.SupersededError: another run of this job has begun; `path` is left to it.
    """
    path = Path(path)
    # A name of its own also beside a process of the same number on another machine.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        job_lock.check()  # who has lost it may find the temporary file swept away
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        job_lock.check()
        temporary.replace(path)
    except Exception as error:
        expected = _unwritable(error, temporary)
        if expected is None:
            raise
        raise InputError(path, expected=expected, found=error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _unwritable(error: Exception, file: Path) -> str | None:
    """Return what is missing to write a file, if that is what an error shows."""
    named = getattr(error, "filename", None)
    if isinstance(error, InputError) or (named and Path(named) not in (file, *file.parents)):
        return None  # of a file that is read meanwhile
    # Libraries that are not Python's own tell the number within their message only.
    for number, expected in _UNWRITABLE.items():
        if getattr(error, "errno", None) == number or os.strerror(number) in str(error):
            return expected
    # libsndfile says 'System error' and nothing else.
    if file.parent.is_dir() and os.statvfs(file.parent).f_bavail == 0:
        return _UNWRITABLE[errno.ENOSPC]
    return None


def sweep(paths: Iterable[str | Path]) -> None:
    """Remove what killed runs had begun to write in place of these files."""
    for path in map(Path, paths):
        if path.parent.is_dir():
            for other in path.parent.iterdir():
                if other.name.startswith(f".{path.name}.") and other.suffix == ".part":
                    other.unlink(missing_ok=True)
