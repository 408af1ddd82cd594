"""Downloads of the corpora that may be had freely: MNIST and FSDD.

What arrives is told to be right by a checksum of its content: a gzip or zip file that was packed
anew has other bytes and the same data. Nothing that lies in the folder is ever changed: what is
right is kept, what is missing is added, and what differs is left to the user. Every file appears
whole or not at all.
"""

import filecmp
import functools
import gzip
import hashlib
import io
import logging
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin, urlsplit

from ima.datasets.base import tree_digest
from ima.utils.errors import InputError
from ima.utils.io import whole_file

#: Downloads a URL to a file, and refuses to write more than so many bytes.
Retrieve = Callable[[str, Path, int], None]


@dataclass(frozen=True)
class Idx:
    """One of MNIST's gzipped files: its name, and size in bytes and sha256 of its content."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Archive:
    """A zip archive whose `*/recordings/*.wav` are wanted.

    Args:
        urls: where it is got, tried in order.
        members: number of wav files in it.
        size: bytes that they may have together at the most.
        digest: `ima.datasets.base.tree_digest` of the wav files, by their bare names.
    """

    urls: Sequence[str]
    members: int
    size: int
    digest: str


MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
MNIST = (
    Idx(
        "train-images-idx3-ubyte.gz",
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    Idx(
        "train-labels-idx1-ubyte.gz",
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    Idx(
        "t10k-images-idx3-ubyte.gz",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    Idx(
        "t10k-labels-idx1-ubyte.gz",
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)
FSDD = Archive(
    urls=(
        "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip",
        "https://codeload.github.com/Jakobovski/free-spoken-digit-dataset/zip/refs/tags/v1.0.10",
    ),
    members=3000,
    size=50_000_000,
    digest="dbd573d7cafe79c4b49f65718115e1304e24e067fa39eff18a660dc6cb9c360f",
)

_MEMBER = re.compile(r"[^/]+/recordings/([^/]+\.wav)")


def fetch(corpus: str, folder: str | Path, retrieve: Retrieve | None = None) -> list[Path]:
    """Download a free corpus into a folder, unless it is there already.

    Args:
        corpus: `mnist` (its four gz files) or `fsdd` (3,000 wav files, in `recordings/`).
        folder: the corpus' own folder, as its `index` takes it.
        retrieve: what downloads; pooch unless given.

    Returns:
        the files that were missing and are there now, in order of their names.

    Raises:
        InputError: another corpus, a folder that can't be written, files there that are not the
            corpus', or no address that gives what it should.
    """
    fetchers = {"mnist": _fetch_mnist, "fsdd": _fetch_fsdd}
    if corpus not in fetchers:
        do = "Put the others in their folders by hand, and name those in the config."
        expected = f"one of {', '.join(fetchers)}"
        raise InputError("corpus to download", expected=expected, found=corpus, do=do)
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return sorted(fetchers[corpus](folder, retrieve or _retrieve))
    except OSError as error:
        raise InputError(
            folder,
            expected="a folder that can be read and written",
            found=error,
            do=f"Name another folder, or put {corpus} there by hand.",
        ) from error


def _fetch_mnist(folder: Path, retrieve: Retrieve) -> list[Path]:
    present = [idx for idx in MNIST if (folder / idx.name).exists()]
    for idx in present:
        wrong = _wrong_idx(folder / idx.name, idx)
        if wrong:
            raise _occupied(folder / idx.name, "mnist", wrong)
    missing = [idx for idx in MNIST if idx not in present]
    for idx in missing:
        urls = [mirror + idx.name for mirror in MNIST_MIRRORS]
        with tempfile.TemporaryDirectory(prefix=".ima-", dir=folder) as temporary:
            file = Path(temporary, "download")
            check = functools.partial(_wrong_idx, idx=idx)
            _download(folder / idx.name, urls, file, idx.size, retrieve, check)
            # A copy, for pooch's own file is readable to nobody but its owner.
            with whole_file(folder / idx.name) as whole:
                shutil.copyfile(file, whole)
    return [folder / idx.name for idx in missing]


def _fetch_fsdd(folder: Path, retrieve: Retrieve) -> list[Path]:
    home = folder / "recordings"
    if not home.is_dir() and next(folder.glob("*.wav"), None):
        home = folder  # `ima.datasets.fsdd.index` takes that as well
    if home.is_dir() and tree_digest(home, ".wav") == FSDD.digest:
        return []
    with tempfile.TemporaryDirectory(prefix=".ima-", dir=folder) as temporary:
        archive, new = Path(temporary, "download"), Path(temporary, "new")
        check = functools.partial(_unpack, folder=new)
        _download(home, FSDD.urls, archive, FSDD.size, retrieve, check)
        for path in sorted(home.glob("*.wav")):
            other = new / path.name
            if not other.exists() or not filecmp.cmp(path, other, shallow=False):
                raise _occupied(path, "fsdd", "another file")
        home.mkdir(exist_ok=True)
        missing = [path.name for path in new.iterdir() if not (home / path.name).exists()]
        for name in missing:
            (new / name).replace(home / name)
    return [home / name for name in missing]


def _occupied(path: Path, corpus: str, found: str) -> InputError:
    """Return the error of a file that is in the way of one of the corpus'."""
    return InputError(
        path,
        expected=f"one of the files of {corpus}, or none",
        found=found,
        do=f"Move it away to have {corpus} downloaded, or name another folder in the config.",
    )


def _download(
    what: Path, urls: Sequence[str], file: Path, limit: int, retrieve: Retrieve, check: Callable
) -> None:
    """Download `file` from the first of the urls where `check` finds nothing wrong with it."""
    reasons = []
    for url in urls:
        try:
            _require_https(url)
            retrieve(url, file, limit)
            wrong = check(file)
        except (InputError, OSError) as error:  # what requests raises is an OSError
            wrong = str(error)
        if not wrong:
            return
        reasons.append(f"from {url}: {wrong}")
        file.unlink(missing_ok=True)
    raise InputError(
        what,
        expected="the right data from one of their addresses",
        found="; ".join(reasons),
        do=f"Put {what.name} in {what.parent} by hand: it is got from {urls[0]}.",
    )


def _wrong_idx(path: Path, idx: Idx) -> str:
    """Say what is wrong with a gzipped file; '' if nothing is."""
    digest, size = hashlib.sha256(), 0
    try:
        with gzip.open(path) as file:
            while size <= idx.size and (block := file.read(1 << 20)):
                digest.update(block)
                size += len(block)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        return f"damaged gzip data ({error})"
    if size > idx.size:
        return f"more than {idx.size:,} bytes of content"
    if digest.hexdigest() != idx.sha256:
        return f"{size:,} bytes of content with sha256 {digest.hexdigest()}, not {idx.sha256}"
    return ""


def _unpack(archive: Path, folder: Path) -> str:
    """Unpack the recordings of a zip into a new folder, and say what is wrong; '' if nothing is."""
    shutil.rmtree(folder, ignore_errors=True)  # of another address
    try:
        with zipfile.ZipFile(archive) as file:
            wrong = _wrong_members(file.infolist())
            if wrong:
                return wrong
            folder.mkdir()
            for member in file.infolist():
                if name := _MEMBER.fullmatch(member.filename):
                    (folder / name[1]).write_bytes(file.read(member))
    # RuntimeError: a member that is encrypted, or compressed in a way that zipfile doesn't know.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        return f"a damaged zip file ({error})"
    found = tree_digest(folder)
    return "" if found == FSDD.digest else f"recordings with digest {found}, not {FSDD.digest}"


def _wrong_members(members: Sequence[zipfile.ZipInfo]) -> str:
    """Say what forbids to unpack these members; '' if nothing does."""
    for member in members:
        path = PurePosixPath(member.filename)
        link = stat.S_ISLNK(member.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename or link:
            return f"a member that leads out of the archive, '{member.filename}'"
    wanted = [member for member in members if _MEMBER.fullmatch(member.filename)]
    size = sum(member.file_size for member in wanted)
    if size > FSDD.size:
        return f"recordings of {size:,} bytes, more than {FSDD.size:,}"
    if len(wanted) != FSDD.members:
        return f"{len(wanted):,} recordings, not {FSDD.members:,}"
    return ""


def _retrieve(url: str, path: Path, limit: int) -> None:
    """Download by pooch, no more than `limit` bytes, and over https wherever it is redirected.

    Raises:
        InputError: more bytes, or a redirection to another protocol.
        OSError: no connection, an error of the server, or of the disk.
    """
    import pooch

    def download(url: str, file: str, _: object) -> None:
        """Download an address to a file; pooch calls it with itself as the last argument."""
        get = pooch.HTTPDownloader(chunk_size=1 << 16, hooks={"response": _stay_on_https})
        with _Capped(file, limit) as to:
            get(url, to, None)

    pooch.get_logger().setLevel(logging.WARNING)  # it would print a checksum and ask to note it
    # The checksum is that of the content, which comes after this.
    pooch.retrieve(url, known_hash=None, fname=path.name, path=path.parent, downloader=download)


class _Capped(io.FileIO):
    """A file that takes so many bytes and no more."""

    def __init__(self, path: str, limit: int):
        super().__init__(path, "w")
        self.limit = limit

    def write(self, block: bytes) -> int:
        """Write a block and return its length.

        Raises:
            InputError: with it, the file would be over its limit.
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
