"""Walk folders as they are on users' disks, and fingerprint files to detect changes.

Files that an operating system or a program leaves behind (`is_hidden`) are never data: they are
neither read nor listed as skipped, and they do not change a fingerprint.

This module imports nothing but the standard library, because the workflow uses it when it builds
its jobs.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NoReturn

from ima.utils.errors import InputError

#: Names, in lower case, of files and folders of operating systems that do not start with a dot.
_OF_SYSTEMS = frozenset(
    {"__macosx", "icon\r", "thumbs.db", "ehthumbs.db", "desktop.ini", "lost+found", "@eadir"}
    | {"$recycle.bin", "recycler", "system volume information"}
)
#: Files up to this number of bytes are fingerprinted by their content.
SMALL = 64 << 20


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is hidden or belongs to the system: `._a.wav`, `__MACOSX`."""
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def is_special(path: str | Path) -> bool:
    """Return whether a path leads to a pipe or a device, which reading may never end."""
    path = Path(path)
    return not (path.is_file() or path.is_dir()) and path.exists()


def disc_name(path: str) -> str:
    """Return a path without the version that ISO 9660 discs append: `1A.WAV;1` is `1A.WAV`."""
    return re.sub(r"\.?;\d+$", "", path)


def files_below(root: str | Path) -> Iterator[str]:
    """Yield the path of every file below `root`, relative to it and with `/` as separator.

    Hidden files and folders are skipped. Links to folders are followed, as discs are often
    linked together, but each folder is visited only once.

    Raises:
        InputError: a folder cannot be read.
    """
    for folder, names in _folders(root):
        inside = Path(folder).relative_to(root).as_posix()
        yield from (name if inside == "." else f"{inside}/{name}" for name in names)


def _folders(root: str | Path) -> Iterator[tuple[str, list[str]]]:
    """Yield every folder once, in the order of names, and the names of its files."""

    def unreadable(error: OSError) -> NoReturn:
        """Raise InputError for an unreadable folder, which `os.walk` would skip silently."""
        raise InputError(error.filename, expected="a readable folder", found=error.strerror)

    seen = set()
    for folder, folders, names in os.walk(root, followlinks=True, onerror=unreadable):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        yield folder, sorted(name for name in names if not is_hidden(name))


def paths_below(root: str | Path, only: str = "") -> list[str]:
    """Return the sorted paths of `files_below` in which, in lower case, a pattern is found."""
    return sorted(name for name in files_below(root) if re.search(only, name.lower()))


def tree_fingerprint(root: str | Path, only: str = "") -> str:
    """Return a hash over the path, size and modification time of the files below a folder.

    It changes when a file is added, removed, renamed or modified, or replaced by a file with
    another modification time. No file is read: 25,000 files take a fraction of a second. A missing
    folder has the same fingerprint as an empty one. Hidden files are left out.

    Args:
        root: a folder; links to folders are followed, but each folder is visited only once.
        only: regular expression that is found in the paths, in lower case, of the files that count.

    Raises:
        InputError: a folder cannot be read, or `root` is a file.
    """
    root, lines = Path(root), []
    if root.exists():
        lines = [f"{name}\0{_size_and_time(root / name)}\n" for name in paths_below(root, only)]
    return hashlib.sha256(os.fsencode("".join(lines))).hexdigest()


def _size_and_time(file: Path) -> str:
    try:
        status = file.stat()
    except OSError:  # a broken link, or a file deleted in the meantime
        return "0\0"
    return f"{status.st_size}\0{status.st_mtime_ns}"


def tree_digest(root: str | Path, suffix: str = "", only: str = "") -> str:
    """Return a hash of the content of a folder, computed over sorted lines '<path> <sha256>'.

    Args:
        root: the folder.
        suffix: include only files whose names end with it; by default all files.
        only: regular expression that is found in the paths, in lower case, of the files that count.
    """
    names = (path for path in paths_below(root, only) if path.endswith(suffix))
    lines = (f"{name} {file_digest(Path(root, name))}\n" for name in names)
    return hashlib.sha256(os.fsencode("".join(lines))).hexdigest()


def file_digest(path: str | Path) -> str:
    """Return the sha256 of a file's content.

    Raises:
        InputError: it is a pipe or a device.
    """
    if is_special(path):
        raise InputError(path, expected="a file", found="a pipe or device")
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_fingerprint(paths: Iterable[str | Path]) -> str:
    """Return a hash that changes with the content of a user's files, but not with their times.

    Files up to SMALL bytes are read. Larger ones are identified by size, inode, modification time
    and change time; the latter cannot be set back, unlike the modification time, which `cp -p` and
    restored backups preserve. Links are followed; a missing file counts as empty.

    Args:
        paths: files or folders; all files in a folder count unless they are hidden.
    """
    digest = hashlib.sha256()
    for path in map(Path, paths):
        names = sorted(files_below(path)) if path.is_dir() else [""]
        for file in (path / name for name in names):
            digest.update(os.fsencode(f"{file}\0{_content_of(file)}\n"))
    return digest.hexdigest()


def _content_of(file: Path) -> str:
    try:
        status = file.stat()
        if not file.is_file():
            return ""
        if status.st_size <= SMALL:
            return file_digest(file)
    except OSError:  # missing or unreadable: reported when it is read
        return ""
    return f"{status.st_size}\0{status.st_mtime_ns}\0{status.st_ctime_ns}\0{status.st_ino}"


#: Regular expression of the paths of Parquet files that `parts_of` finds in a folder.
PARTS = r"^(?!_)(?!.*/_).*\.parquet$"


def parts_of(path: str | Path) -> list[str]:
    """Return the files to read: the path itself, or the non-hidden Parquet files of a folder.

    Names that start with `_`, such as `_SUCCESS`, count as hidden.
    """
    folder = Path(path)
    if not folder.is_dir():
        return [str(path)]
    files = [
        str(folder / file)
        for file in sorted(files_below(folder), key=PurePosixPath)
        if re.search(PARTS, file) and (folder / file).is_file()
    ]
    return files or [str(path)]


def same_content(first: str | Path, second: str | Path) -> bool:
    """Return whether two files have the same bytes.

    Raises:
        OSError: a file cannot be read.
    """
    sizes = [Path(path).stat().st_size for path in (first, second)]
    return sizes[0] == sizes[1] and file_digest(first) == file_digest(second)
