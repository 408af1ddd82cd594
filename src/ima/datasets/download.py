"""Download the freely available corpora: MNIST, FSDD, RAVDESS and MELD.

Downloads are verified by a checksum of their uncompressed content, since recompressing a gzip or
zip file changes its bytes but not its data. The archive of RAVDESS is verified as a whole, by the
checksum that its owners publish. Existing files are never changed: correct files are
kept, missing files are added, and files that differ raise an error for the user to resolve. All
files are written atomically.
"""

import filecmp
import functools
import gzip
import hashlib
import io
import logging
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin, urlsplit

from ima.datasets.open_corpora import (
    FSDD,
    MELD,
    MELD_MIRRORS,
    MNIST,
    MNIST_MIRRORS,
    RAVDESS,
    Archive,
    File,
)
from ima.utils.errors import InputError
from ima.utils.io import whole_file
from ima.utils.trees import files_below, tree_digest

#: Downloads a URL to a file and raises InputError above a number of bytes.
Retrieve = Callable[[str, Path, int], None]


def fetch(corpus: str, folder: str | Path, retrieve: Retrieve | None = None) -> list[Path]:
    """Download a freely available corpus into a folder, unless it is already there.

    Args:
        corpus: `mnist` (four gz files), `fsdd` (3,000 wav files, in `recordings/`), `ravdess`
            (1,440 wav files, in `Actor_01/` ...) or `meld` (three csv files).
        folder: the corpus folder, as passed to the `index` function of the corpus.
        retrieve: the download function; by default it uses pooch.

    Returns:
        The files that were added, sorted by name.

    Raises:
        InputError: the corpus is unknown, the folder is not writable, an existing file differs
            from the corpus, or no address provides the correct data.
    """
    fetchers = {
        "mnist": functools.partial(_fetch_files, MNIST, MNIST_MIRRORS),
        "fsdd": functools.partial(_fetch_archive, FSDD),
        "ravdess": functools.partial(_fetch_archive, RAVDESS),
        "meld": functools.partial(_fetch_files, MELD, MELD_MIRRORS),
    }
    if corpus not in fetchers:
        do = "Obtain other corpora manually, and set their folders in the config."
        expected = f"one of {', '.join(fetchers)}"
        raise InputError("corpus to download", expected=expected, found=corpus, do=do)
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return sorted(fetchers[corpus](corpus, folder, retrieve or _retrieve))
    except OSError as error:
        raise InputError(
            folder,
            expected="a readable and writable folder",
            found=error,
            do=f"Choose another folder, or put {corpus} there manually.",
        ) from error


def _fetch_files(
    files: Sequence[File], mirrors: Sequence[str], corpus: str, folder: Path, retrieve: Retrieve
) -> list[Path]:
    present = [file for file in files if (folder / file.name).exists()]
    for file in present:
        wrong = _wrong_file(folder / file.name, file)
        if wrong:
            raise _occupied(folder / file.name, corpus, wrong)
    missing = [file for file in files if file not in present]
    for file in missing:
        urls = [mirror + file.name for mirror in mirrors]
        with tempfile.TemporaryDirectory(prefix=".ima-", dir=folder) as temporary:
            new = Path(temporary, "download")
            check = functools.partial(_wrong_file, file=file)
            _download(folder / file.name, urls, new, file.size, retrieve, check)
            # Copy the file, because pooch makes files that only their owner can read.
            with whole_file(folder / file.name) as whole:
                shutil.copyfile(new, whole)
    return [folder / file.name for file in missing]


def _waves(folder: Path) -> list[Path]:
    return [folder / name for name in files_below(folder) if name.endswith(".wav")]


def _fetch_archive(archive: Archive, corpus: str, folder: Path, retrieve: Retrieve) -> list[Path]:
    home = folder / archive.home
    if not home.is_dir() and any(path.parent == folder for path in _waves(folder)):
        home = folder  # `ima.datasets.fsdd.index` takes that as well
    if archive.digest and home.is_dir() and tree_digest(home, ".wav") == archive.digest:
        return []
    with tempfile.TemporaryDirectory(prefix=".ima-", dir=folder) as temporary:
        packed, new = Path(temporary, "download"), Path(temporary, "new")
        check = functools.partial(_unpack, archive=archive, folder=new)
        _download(home, archive.urls, packed, archive.packed, retrieve, check)
        home.mkdir(exist_ok=True)
        for path in _waves(home):
            other = new / path.relative_to(home)
            if not other.exists() or not filecmp.cmp(path, other, shallow=False):
                raise _occupied(path, corpus, "another file")
        names = [path.relative_to(new) for path in _waves(new)]
        missing = [name for name in names if not (home / name).exists()]
        for name in missing:
            (home / name).parent.mkdir(exist_ok=True)
            (new / name).replace(home / name)
    return [home / name for name in missing]


def _occupied(path: Path, corpus: str, found: str) -> InputError:
    """Return the error for an existing file that is in the place of a file of the corpus."""
    return InputError(
        path,
        expected=f"one of the files of {corpus}, or none",
        found=found,
        do=f"Move it away so that {corpus} is downloaded, or set another folder in the config.",
    )


def _download(
    what: Path, urls: Sequence[str], file: Path, limit: int, retrieve: Retrieve, check: Callable
) -> None:
    """Download `file` from the first URL whose data pass `check`."""
    reasons = []
    for url in urls:
        try:
            _require_https(url)
            retrieve(url, file, limit)
            wrong = check(file)
        except (InputError, OSError) as error:  # requests raises subclasses of OSError
            wrong = str(error)
        if not wrong:
            return
        reasons.append(f"from {url}: {wrong}")
        file.unlink(missing_ok=True)
    raise InputError(
        what,
        expected="the correct data from one of the download addresses",
        found="; ".join(reasons),
        do=f"Put {what.name} in {what.parent} manually, from {urls[0]}.",
    )


def _wrong_file(path: Path, file: File) -> str:
    """Return what is wrong with a file, which may be gzipped, or '' if it is correct."""
    digest, size = hashlib.sha256(), 0
    try:
        with gzip.open(path) if file.name.endswith(".gz") else path.open("rb") as content:
            while size <= file.size and (block := content.read(1 << 20)):
                digest.update(block)
                size += len(block)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        return f"damaged gzip data ({error})"
    if size > file.size:
        return f"more than {file.size:,} bytes of content"
    if digest.hexdigest() != file.sha256:
        return f"{size:,} bytes of content with sha256 {digest.hexdigest()}, not {file.sha256}"
    return ""


def _unpack(path: Path, archive: Archive, folder: Path) -> str:
    """Unpack the recordings of a zip file into a new folder; return what is wrong, or ''."""
    shutil.rmtree(folder, ignore_errors=True)  # left by the attempt with another address
    if archive.md5:
        with path.open("rb") as packed:
            found = hashlib.file_digest(packed, "md5").hexdigest()
        if found != archive.md5:
            return f"{path.stat().st_size:,} bytes with MD5 {found}, not {archive.md5}"
    try:
        with zipfile.ZipFile(path) as file:
            wrong = _wrong_members(file.infolist(), archive)
            if wrong:
                return wrong
            folder.mkdir()
            for member in file.infolist():
                if name := archive.member.fullmatch(member.filename):
                    (folder / name[1]).parent.mkdir(exist_ok=True)
                    (folder / name[1]).write_bytes(file.read(member))
    # RuntimeError: a member is encrypted or uses an unsupported compression method.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        return f"a damaged zip file ({error})"
    found = tree_digest(folder)
    wrong = f"recordings with digest {found}, not {archive.digest}"
    return wrong if archive.digest and found != archive.digest else ""


def _wrong_members(members: Sequence[zipfile.ZipInfo], archive: Archive) -> str:
    """Return why these members must not be unpacked, or '' if they may be."""
    for member in members:
        path = PurePosixPath(member.filename)
        link = stat.S_ISLNK(member.external_attr >> 16)
        # A colon names a drive or a stream of Windows.
        odd = {"\\", ":"} & set(member.filename)
        if path.is_absolute() or ".." in path.parts or odd or link:
            return f"a member outside the archive, '{member.filename}'"
    wanted = [member for member in members if archive.member.fullmatch(member.filename)]
    size = sum(member.file_size for member in wanted)
    if size > archive.size:
        return f"recordings of {size:,} bytes, more than {archive.size:,}"
    if len(wanted) != archive.members:
        return f"{len(wanted):,} recordings, not {archive.members:,}"
    return ""


def _retrieve(url: str, path: Path, limit: int) -> None:
    """Download at most `limit` bytes with pooch, following only redirections to https.

    Raises:
        InputError: the file is larger, or a redirection leads to another protocol.
        OSError: a connection, server or disk error.
    """
    import pooch

    def download(url: str, file: str, _: object) -> None:
        """Download a URL to a file; pooch passes its own instance as the last argument."""
        get = pooch.HTTPDownloader(chunk_size=1 << 16, hooks={"response": _stay_on_https})
        with _Capped(file, limit) as to:
            get(url, to, None)

    pooch.get_logger().setLevel(logging.WARNING)  # suppress the advice to store the file's checksum
    # The caller verifies the checksum of the uncompressed content.
    pooch.retrieve(url, known_hash=None, fname=path.name, path=path.parent, downloader=download)


class _Capped(io.FileIO):
    """A file with a maximum size in bytes."""

    def __init__(self, path: str, limit: int):
        super().__init__(path, "w")
        self.limit = limit

    def write(self, block: bytes) -> int:
        """Write a block and return its length.

        Raises:
            InputError: the file would exceed its limit.
        """
        if self.tell() + len(block) > self.limit:
            raise InputError("download", expected=f"at most {self.limit:,} bytes", found="more")
        return super().write(block)


def _stay_on_https(response, *args: object, **kwargs: object) -> None:
    if response.is_redirect:
        _require_https(urljoin(response.url, response.headers["location"]))


def _require_https(url: str) -> None:
    scheme = urlsplit(url).scheme
    if scheme != "https":
        raise InputError(url, expected="an https address", found=scheme or "no protocol")
