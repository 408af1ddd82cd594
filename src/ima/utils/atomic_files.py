"""Write files and folders atomically: under a temporary name beside the final one, then rename.

Only the most recent run of a job renames what it wrote (`ima.utils.job_lock`).
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from ima.utils import job_lock
from ima.utils.errors import InputError

#: Error numbers that mean a path cannot be written, and what is missing. Other errors are bugs.
_UNWRITABLE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "enough free disk space"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "permission to write here"),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), "only folders along its path"),
    errno.ENAMETOOLONG: "a shorter name",
}


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path, renamed to `path` if the block ends without an error.

    Args:
        path: the final path; missing parent folders are created.

    Raises:
        InputError: the disk is full, or the folder is not writable.
        ima.utils.job_lock.SupersededError: a newer run of this job has started; `path` is left
            unchanged for it.
    """
    path = Path(path)
    temporary = job_lock.temporary(path)
    try:
        with _named_if_unwritable(path, temporary):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            job_lock.check()  # a superseded run may find its temporary file already swept away
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            job_lock.check()
            temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Yield a new temporary folder, renamed to `path` if the block ends without an error.

    Args:
        path: the final path; an older folder there is replaced.

    Raises:
        InputError, ima.utils.job_lock.SupersededError: as for `whole_file`.
    """
    path = Path(path)
    temporary = job_lock.temporary(path)
    try:
        with _named_if_unwritable(path, temporary):
            temporary.mkdir(parents=True)
            yield temporary
            job_lock.check()
            if path.exists():
                shutil.rmtree(path)
            temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _named_if_unwritable(path: Path, temporary: Path) -> Iterator[None]:
    """Raise InputError for `path` where `temporary` cannot be written."""
    try:
        yield
    except Exception as error:
        expected = _unwritable(error, temporary)
        if expected is None:
            raise
        raise InputError(path, expected=expected, found=error) from error


def _unwritable(error: Exception, file: Path) -> str | None:
    """Return what is needed to write a file if the error shows that it is missing, else None.

    Args:
        file: the file, or the folder in which files are written.
    """
    name = getattr(error, "filename", None)
    ours = not name or file.is_relative_to(name) or Path(name).is_relative_to(file)
    if isinstance(error, InputError) or not ours:
        return None  # the error concerns another file, which was being read
    # Third-party libraries report the error number only as text in the message.
    for number, expected in _UNWRITABLE.items():
        if getattr(error, "errno", None) == number or os.strerror(number) in str(error):
            return expected
    # libsndfile only reports 'System error'.
    if file.parent.is_dir() and os.statvfs(file.parent).f_bavail == 0:
        return _UNWRITABLE[errno.ENOSPC]
    return None


def sweep(paths: Iterable[str | Path]) -> None:
    """Remove what killed runs left behind under temporary names for these target paths."""
    for path in map(Path, paths):
        prefix = job_lock.temporary_prefix(path)
        if path.parent.is_dir():
            for other in path.parent.iterdir():
                if other.name.startswith(prefix) and other.suffix == ".part":
                    if other.is_dir():
                        shutil.rmtree(other, ignore_errors=True)  # an orphan may still add to it
                    else:
                        other.unlink(missing_ok=True)
