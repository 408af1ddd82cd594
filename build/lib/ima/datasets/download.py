"""Download the freely available corpora: MNIST and FSDD.

Downloads are verified by a checksum of their uncompressed content, since recompressing a gzip or
zip file changes its bytes but not its data. Existing files are never changed: correct files are
kept, missing files are added, and files that differ raise an error for the user to resolve. All
files are written atomically.
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

from ima.utils.errors import InputError
from ima.utils.io import whole_file
from ima.utils.trees import is_hidden, tree_digest

#: Downloads a URL to a file and raises InputError above a number of bytes.
Retrieve = Callable[[str, Path, int], None]


@dataclass(frozen=True)
class Idx:
    """A gzipped file of MNIST: its name, and the size in bytes and sha256 of its content."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Archive:
    """A zip archive of recordings, `*/recordings/*.wav`.

    Args:
        urls: download addresses, tried in order.
        members: the number of wav files.
        size: the maximum total size of the wav files in bytes.
        digest: `ima.utils.trees.tree_digest` of the wav files in one flat folder.
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
    """Download a freely available corpus into a folder, unless it is already there.

    Args:
        corpus: `mnist` (four gz files) or `fsdd` (3,000 wav files, in `recordings/`).
        folder: the corpus folder, as passed to the `index` function of the corpus.
        retrieve: the download function; by default it uses pooch.

    Returns:
        The files that were added, sorted by name.

    Raises:
        InputError: the corpus is unknown, the folder is not writable, an existing file differs
            from the corpus, or no address provides the correct data.
    """
    fetchers = {"mnist": _fetch_mnist, "fsdd": _fetch_fsdd}
    if corpus not in fetchers:
        do = "Obtain other corpora manually, and set their folders in the config."
        expected = f"one of {', '.join(fetchers)}"
        raise InputError("corpus to download", expected=expected, found=corpus, do=do)
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return sorted(fetchers[corpus](folder, retrieve or _retrieve))
    except OSError as error:
        raise InputError(
            folder,
            expected="a readable and writable folder",
            found=error,
            do=f"Choose another folder, or put {corpus} there manually.",
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
            # Copy the file, because pooch makes files that only their owner can read.
            with whole_file(folder / idx.name) as whole:
                shutil.copyfile(file, whole)
    return [folder / idx.name for idx in missing]


def _waves(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.wav") if not is_hidden(path.name))


def _fetch_fsdd(folder: Path, retrieve: Retrieve) -> list[Path]:
    home = folder / "recordings"
    if not home.is_dir() and _waves(folder):
        home = folder  # `ima.datasets.fsdd.index` takes that as well
    if home.is_dir() and tree_digest(home, ".wav") == FSDD.digest:
        return []
    with tempfile.TemporaryDirectory(prefix=".ima-", dir=folder) as temporary:
        archive, new = Path(temporary, "download"), Path(temporary, "new")
        check = functools.partial(_unpack, folder=new)
        _download(home, FSDD.urls, archive, FSDD.size, retrieve, check)
        for path in _waves(home):
            other = new / path.name
            if not other.exists() or not filecmp.cmp(path, other, shallow=False):
                raise _occupied(path, "fsdd", "another file")
        home.mkdir(exist_ok=True)
        missing = [path.name for path in new.iterdir() if not (home / path.name).exists()]
        for name in missing:
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


def _wrong_idx(path: Path, idx: Idx) -> str:
    """Return what is wrong with a gzipped file, or '' if it is correct."""
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
    """Unpack the recordings of a zip file into a new folder; return what is wrong, or ''."""
    shutil.rmtree(folder, ignore_errors=True)  # left by the attempt with another address
    try:
        with zipfile.ZipFile(archive) as file:
            wrong = _wrong_members(file.infolist())
            if wrong:
                return wrong
            folder.mkdir()
            for member in file.infolist():
                if name := _MEMBER.fullmatch(member.filename):
                    (folder / name[1]).write_bytes(file.read(member))
    # RuntimeError: a member is encrypted or uses an unsupported compression method.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        return f"a damaged zip file ({error})"
    found = tree_digest(folder)
    return "" if found == FSDD.digest else f"recordings with digest {found}, not {FSDD.digest}"


def _wrong_members(members: Sequence[zipfile.ZipInfo]) -> str:
    """Return why these members must not be unpacked, or '' if they may be."""
    for member in members:
        path = PurePosixPath(member.filename)
        link = stat.S_ISLNK(member.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename or link:
            return f"a member outside the archive, '{member.filename}'"
    wanted = [member for member in members if _MEMBER.fullmatch(member.filename)]
    size = sum(member.file_size for member in wanted)
    if size > FSDD.size:
        return f"recordings of {size:,} bytes, more than {FSDD.size:,}"
    if len(wanted) != FSDD.members:
        return f"{len(wanted):,} recordings, not {FSDD.members:,}"
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
