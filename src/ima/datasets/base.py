"""Functions shared by the corpus readers.

Each corpus has one module with a function `index(root, ...)`. It returns two tables: the items
(`ima.utils.schemas.IMAGES` or `RECORDINGS`) and the skipped files with the reason
(`ima.utils.schemas.SKIPPED`). Rows are sorted by id, so tables do not depend on the order in which
a file system lists files.

This module walks directory trees, distinguishes audio from documents by file extension, and drops
duplicate recordings.
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

import pyarrow as pa

from ima.utils.errors import InputError
from ima.utils.schemas import RECORDINGS, SKIPPED

#: Extensions of files that are read as audio. The format is then detected from the content.
AUDIO = frozenset({".wav", ".sph", ".nist", ".nst", ".flac", ".aif", ".aiff", ".au"})

_DOCUMENTS = """
.txt .doc .docx .md .rst .pdf .ps .rtf .tex .htm .html .xml .json .csv .tsv .tbl .lst .idx .log
.1st .cat .dtd .md5 .sha1 .sha256 .zip .gz .z .tar .tgz .c .h .o .a .sh .py .pl .m .exe
.png .jpg .jpeg .gif .phn .wrd .lab .ini .db .yaml .yml
"""
#: Extensions of files that are clearly not audio; they are ignored and not listed as skipped.
DOCUMENTS = frozenset(_DOCUMENTS.split())


#: Prefixes of the reasons for skipping files that are not faulty.
COPY, OTHER_WORDS = "a second copy of", "words that are not digits"


def root_folder(root: str | Path, corpus: str, source: str, layout: str) -> Path:
    """Return `root` as a path after checking that it is a non-empty folder.

    Args:
        root: the corpus folder given by the user.
        corpus: the name of the corpus, for error messages.
        source: where to obtain the corpus, for error messages.
        layout: the expected content of the folder, for error messages.

    Raises:
        InputError: the path does not exist, is a file, or contains no files.
    """
    root = Path(root)
    expected = f"the {corpus} corpus, a folder that contains {layout}"
    do = f"Get it from {source} and set its path in the config."
    if not root.exists():
        raise InputError(root, expected=expected, found="nothing", do=do)
    if not root.is_dir():
        raise InputError(root, expected=expected, found="a file", do=f"Give its folder, or: {do}")
    if next(files_below(root), None) is None:
        raise InputError(root, expected=expected, found="a folder without files", do=do)
    return root


def files_below(root: Path) -> Iterable[str]:
    """Yield the path of every file below `root`, relative to it and with `/` as separator.

    Links to folders are followed, as discs are often linked together, but each folder is visited
    only once.
    """

    def unreadable(error: OSError):
        """Raise InputError for an unreadable folder, which `os.walk` would skip silently."""
        raise InputError(error.filename, expected="a readable folder", found=error.strerror)

    seen = set()
    for folder, folders, names in os.walk(root, followlinks=True, onerror=unreadable):
        folders.sort()
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        # Snakemake puts a timestamp file into folders that are rule outputs.
        for name in (name for name in names if not name.startswith(".snakemake")):
            yield Path(folder, name).relative_to(root).as_posix()


def tree_digest(root: str | Path, suffix: str = "") -> str:
    """Return a hash of the content of a folder, computed over sorted lines '<path> <sha256>'.

    Args:
        root: the folder.
        suffix: include only files whose names end with it; by default all files.
    """
    names = sorted(path for path in files_below(Path(root)) if path.endswith(suffix))
    hashes = (hashlib.sha256(Path(root, name).read_bytes()).hexdigest() for name in names)
    lines = (f"{name} {digest}\n" for name, digest in zip(names, hashes, strict=True))
    return hashlib.sha256(os.fsencode("".join(lines))).hexdigest()


def audio_files(root: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """List the audio files below `root`, and files of unknown type that are skipped.

    Returns:
        The sorted relative paths of audio files, and (path, reason) of files with an unknown
        extension. Documents (`DOCUMENTS`) and hidden files (such as `.DS_Store`) are in neither.
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
    """Keep the first of the rows that share an id.

    Args:
        rows: rows with `id` and `file`, in the order of `audio_files`.

    Returns:
        The rows kept, and (path, reason) of each duplicate.
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
        root: the folder, from `root_folder`.
        corpus: the name of the corpus, for error messages.
        layout: the expected content of the folder, for error messages.
        row_of: maps a relative path to the row of its recording, to the reason why it is skipped,
            or to None for a word that is not a digit (these share one line of `skipped`).

    Returns:
        Rows with unique ids, and (path, reason) of skipped audio files.

    Raises:
        InputError: no recording was found.
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
        reason = f"{OTHER_WORDS}: {len(others)} recording(s), this being the first"
        skipped.append((others[0], reason))
    rows, copies = keep_first(rows)
    if not rows:
        raise nothing_found(root, corpus, layout, skipped)
    return rows, skipped + copies


def recordings(
    corpus: str, rows: Iterable[dict], skipped: Iterable[tuple[str, str]]
) -> tuple[pa.Table, pa.Table]:
    """Return the two tables of `index`: RECORDINGS sorted by id, and SKIPPED sorted by file."""
    items = sorted(({"corpus": corpus, **row} for row in rows), key=lambda row: row["id"])
    return pa.Table.from_pylist(items, schema=RECORDINGS), skipped_table(corpus, skipped)


def skipped_table(corpus: str, skipped: Iterable[tuple[str, str]]) -> pa.Table:
    """Return a SKIPPED table of (path, reason) pairs, sorted by file."""
    rows = [{"corpus": corpus, "file": file, "reason": reason} for file, reason in sorted(skipped)]
    return pa.Table.from_pylist(rows, schema=SKIPPED)


def nothing_found(root: Path, corpus: str, layout: str, skipped: list[tuple[str, str]]):
    """Return the error for a folder that has files but no recording of the corpus."""
    found = f"{len(skipped)} other file(s)" if skipped else "documents only"
    if skipped:
        file, reason = sorted(skipped)[0]
        found += f", the first being {file}: {reason}"
    return InputError(
        root,
        expected=f"at least one recording of {corpus}, as {layout}",
        found=found,
        do="Set the path to a folder above this layout (case and disc folders do not matter).",
    )
