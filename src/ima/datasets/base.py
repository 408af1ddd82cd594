"""Readers of the corpora: one module a corpus, one signature.

`index(root, ...)` returns two tables: the items found (`ima.utils.schemas.IMAGES` or `RECORDINGS`)
and the files that were left out, each with its reason (`ima.utils.schemas.SKIPPED`). Rows are
sorted by id, so a table never depends on the order in which a file system lists its folders.

What the speech corpora share is here: walking a tree, telling audio from documents by extension,
and keeping one of several copies of a recording.
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

import pyarrow as pa

from ima.utils.errors import InputError
from ima.utils.schemas import RECORDINGS, SKIPPED

#: Extensions of files that are read as audio. What a file holds is decided by its content.
AUDIO = frozenset({".wav", ".sph", ".nist", ".nst", ".flac", ".aif", ".aiff", ".au"})

_DOCUMENTS = """
.txt .doc .docx .md .rst .pdf .ps .rtf .tex .htm .html .xml .json .csv .tsv .tbl .lst .idx .log
.1st .cat .dtd .md5 .sha1 .sha256 .zip .gz .z .tar .tgz .c .h .o .a .sh .py .pl .m .exe
.png .jpg .jpeg .gif .phn .wrd .lab .ini .db .yaml .yml
"""
#: Extensions of files that are clearly not audio and are passed over without a word.
DOCUMENTS = frozenset(_DOCUMENTS.split())


#: How the reasons begin for which a file is left out although nothing is wrong with it.
COPY, OTHER_WORDS = "a second copy of", "words that are not digits"


def root_folder(root: str | Path, corpus: str, source: str, layout: str) -> Path:
    """Return `root` as a path once it is known to be a folder with something in it.

    Args:
        root: the folder a user gave as the corpus.
        corpus: the corpus' name, for the message.
        source: where the corpus is got.
        layout: what is expected in the folder.

    Raises:
        InputError: no such path, a file instead of a folder, or a tree without any file.
    """
    root = Path(root)
    expected = f"the {corpus} corpus, a folder that holds {layout}"
    do = f"Get it from {source} and set its path in the config."
    if not root.exists():
        raise InputError(root, expected=expected, found="nothing", do=do)
    if not root.is_dir():
        raise InputError(root, expected=expected, found="a file", do=f"Give its folder, or: {do}")
    if next(files_below(root), None) is None:
        raise InputError(root, expected=expected, found="a tree without any file", do=do)
    return root


def files_below(root: Path) -> Iterable[str]:
    """Yield the path, relative to `root` and with `/`, of every file below it.

    Links to folders are followed (discs are often linked together), each folder once.
    """

    def unreadable(error: OSError):
        """Raise InputError for a folder that cannot be listed, which `os.walk` would pass over."""
        raise InputError(error.filename, expected="a readable folder", found=error.strerror)

    seen = set()
    for folder, folders, names in os.walk(root, followlinks=True, onerror=unreadable):
        folders.sort()
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        # Snakemake leaves a file of its own in a folder that a rule makes.
        for name in (name for name in names if not name.startswith(".snakemake")):
            yield Path(folder, name).relative_to(root).as_posix()


def tree_fingerprint(root: str | Path) -> str:
    """Return a hash over the path, size and time of every file below a folder, without reading any.

    It changes when a file is added, removed, renamed or written to, and takes a fraction of a
    second for 25,000 files. A folder that doesn't exist has the fingerprint of an empty one.

    Args:
        root: a folder; links to folders are followed, each folder once.

    Raises:
        InputError: a folder that can't be read, or a file instead of one.
    """
    lines, seen, folders = [], set(), [(Path(root), "")]
    while folders:
        folder, prefix = folders.pop()
        try:
            status = folder.stat()
            entries = list(os.scandir(folder))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise InputError(folder, expected="a readable folder", found=error.strerror) from error
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir():
                folders.append((Path(entry.path), f"{prefix}{entry.name}/"))
            else:
                lines.append(f"{prefix}{entry.name}\0{_size_and_time(entry)}\n")
    return hashlib.sha256(os.fsencode("".join(sorted(lines)))).hexdigest()


def _size_and_time(entry: os.DirEntry) -> str:
    try:
        status = entry.stat()
    except FileNotFoundError:  # a link to nothing, or a file that has just gone
        return "0\0"
    return f"{status.st_size}\0{status.st_mtime_ns}"


def tree_digest(root: str | Path, suffix: str = "") -> str:
    """Return a hash of the content of a folder: of its sorted lines '<path> <sha256>'.

    Args:
        root: the folder.
        suffix: only files whose names end so are counted.
    """
    names = sorted(path for path in files_below(Path(root)) if path.endswith(suffix))
    hashes = (hashlib.sha256(Path(root, name).read_bytes()).hexdigest() for name in names)
    lines = (f"{name} {digest}\n" for name, digest in zip(names, hashes, strict=True))
    return hashlib.sha256(os.fsencode("".join(lines))).hexdigest()


def audio_files(root: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Sort the files below `root` into audio and, with a reason, what may be audio but isn't used.

    Returns:
        the sorted relative paths of audio files, and (path, reason) of files of an unknown kind.
        Documents (`DOCUMENTS`) and hidden files (`.DS_Store` and the like) are in neither.
    """
    audio, unknown = [], []
    for path in sorted(files_below(root)):
        name = PurePosixPath(path)
        extension = name.suffix.lower()
        if extension in AUDIO:
            audio.append(path)
        elif extension not in DOCUMENTS and not name.name.startswith("."):
            reason = f"extension '{extension}' is not one of {' '.join(sorted(AUDIO))}"
            unknown.append((path, reason))
    return audio, unknown


def keep_first(rows: Iterable[dict]) -> tuple[list[dict], list[tuple[str, str]]]:
    """Keep the first of the rows that share an id; rows come in the order of `audio_files`.

    Returns:
        the rows kept, and (path, reason) of each copy.
    """
    kept, copies = {}, []
    for row in rows:
        first = kept.setdefault(row["id"], row)
        if first is not row:
            copies.append((row["file"], f"{COPY} {first['file']} ({row['id']})"))
    return list(kept.values()), copies


def find_recordings(
    root: Path,
    corpus: str,
    layout: str,
    row_of: Callable[[str], dict | str | None],
) -> tuple[list[dict], list[tuple[str, str]]]:
    """Find the recordings of a corpus below its folder.

    Args:
        root: from `root_folder`.
        corpus: the corpus' name, for the message.
        layout: what is expected in the folder, for the message.
        row_of: gives the recording that a relative path names, why it names none, or None for
            another word than a digit (those share one line of `skipped`).

    Returns:
        rows, one an id, and (path, reason) of audio that isn't used.

    Raises:
        InputError: not one recording.
    """
    audio, skipped = audio_files(root)
    rows, others = [], []
    for path in audio:
        row = row_of(path)
        if row is None:
            others.append(path)
        elif isinstance(row, str):
            skipped.append((path, row))
        else:
            rows.append(row)
    if others:
        reason = f"{OTHER_WORDS}: {len(others)} recording(s), of which this is the first"
        skipped.append((others[0], reason))
    rows, copies = keep_first(rows)
    if not rows:
        raise nothing_found(root, corpus, layout, skipped)
    return rows, skipped + copies


def recordings(
    corpus: str, rows: Iterable[dict], skipped: Iterable[tuple[str, str]]
) -> tuple[pa.Table, pa.Table]:
    """Make the two tables of `index`: RECORDINGS sorted by id, SKIPPED sorted by file."""
    items = sorted(({"corpus": corpus, **row} for row in rows), key=lambda row: row["id"])
    return pa.Table.from_pylist(items, schema=RECORDINGS), skipped_table(corpus, skipped)


def skipped_table(corpus: str, skipped: Iterable[tuple[str, str]]) -> pa.Table:
    """Make a SKIPPED table, sorted by file, of (path, reason)."""
    rows = [{"corpus": corpus, "file": file, "reason": reason} for file, reason in sorted(skipped)]
    return pa.Table.from_pylist(rows, schema=SKIPPED)


def nothing_found(root: Path, corpus: str, layout: str, skipped: list[tuple[str, str]]):
    """Return the error of a tree that has files but not one recording of the corpus."""
    found = f"{len(skipped)} other file(s)" if skipped else "documents only"
    if skipped:
        file, reason = sorted(skipped)[0]
        found += f", the first being {file}: {reason}"
    return InputError(
        root,
        expected=f"at least one recording of {corpus}, as {layout}",
        found=found,
        do="Give the folder above the ones named here (case and disc folders don't matter).",
    )
