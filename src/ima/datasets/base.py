"""Functions shared by the corpus readers.

Each corpus has one module with a function `index(root, ...)`. It returns two tables: the items
(`ima.utils.schemas.IMAGES` or `RECORDINGS`) and the skipped files with the reason
(`ima.utils.schemas.SKIPPED`). Rows are sorted by id, so tables do not depend on the order in which
a file system lists files.

This module distinguishes audio from documents by file extension and chooses one of several copies
of a file by their content. `ima.utils.trees` walks folders.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from ima.audio.sphere import read_audio
from ima.utils.errors import InputError, reason_of
from ima.utils.schemas import RECORDINGS, SKIPPED
from ima.utils.text_files import read_text
from ima.utils.trees import disc_name, files_below, same_content

#: Extensions of files that are read as audio. The format is then detected from the content.
AUDIO = frozenset({".wav", ".sph", ".nist", ".nst", ".flac", ".aif", ".aiff", ".au"})

_DOCUMENTS = """
.txt .doc .docx .md .rst .pdf .ps .rtf .tex .htm .html .xml .json .csv .tsv .tbl .lst .idx .log
.1st .cat .dtd .md5 .sha1 .sha256 .zip .gz .z .tar .tgz .c .h .o .a .sh .py .pl .m .exe
.png .jpg .jpeg .gif .phn .wrd .lab .ini .db .yaml .yml
"""
#: Extensions of files that are clearly not audio; they are ignored and not listed as skipped.
DOCUMENTS = frozenset(_DOCUMENTS.split())


#: Extensions of archives, which must be unpacked.
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".7z", ".rar", ".iso")

#: Prefixes of the reasons for skipping files that are not faulty.
COPY, OTHER_WORDS, EXTENSION = "a second copy of", "words that are not digits", "extension"


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
        packed = root.name.lower().endswith(ARCHIVES)
        do = "Unpack it, and give the new folder." if packed else f"Give its folder, or: {do}"
        raise InputError(root, expected=expected, found="a file", do=do)
    if next(files_below(root), None) is None:
        raise InputError(root, expected=expected, found="a folder without files", do=do)
    return root


def audio_files(root: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """List the audio files below `root`, and files of unknown type that are skipped.

    Returns:
        The sorted relative paths of audio files, and (path, reason) of files with an unknown
        extension. Documents (`DOCUMENTS`) and hidden files (such as `.DS_Store`) are in neither.
    """
    audio, unknown = [], []
    for path in sorted(files_below(root)):
        extension = PurePosixPath(disc_name(path)).suffix.lower()
        if extension in DOCUMENTS:
            continue
        if extension not in AUDIO:
            reason = f"{EXTENSION} '{extension}' is not one of {' '.join(sorted(AUDIO))}"
            unknown.append((path, reason))
        elif not _is_utf8(path):
            unknown.append((path, "a name that is not UTF-8: rename it"))
        else:
            audio.append(path)
    return audio, unknown


def _is_utf8(path: str) -> bool:
    """Return whether tables can hold a path; names on old discs may be in another encoding."""
    try:
        return bool(path.encode())
    except UnicodeEncodeError:
        return False


def choose_copy(
    root: Path, paths: Sequence[str], read: Callable[[Path], object]
) -> tuple[str, list[tuple[str, str]]]:
    """Choose one of several files that stand for the same item, by their content.

    Args:
        root: the folder of the corpus.
        paths: relative paths, the preferred one first.
        read: returns the content of a file as an array or tuple of arrays and numbers.

    Returns:
        The first path that can be read, or else the first, and (path, reason) of the others.

    Raises:
        InputError: two of them can be read and have different content; the message names both.
    """
    kept, skipped = paths[0], []
    for path in paths[1:]:
        if _same_bytes(root / kept, root / path):
            skipped.append((path, f"{COPY} {kept}"))
            continue
        first, second = (_attempt(read, root / name) for name in (kept, path))
        if isinstance(second, str):
            skipped.append((path, f"{COPY} {kept}, and damaged: {second}"))
        elif isinstance(first, str):
            skipped.append((kept, f"{COPY} {path}, and damaged: {first}"))
            kept = path
        elif _equal(first, second):
            skipped.append((path, f"{COPY} {kept}"))
        else:
            raise InputError(
                root,
                expected="the same content in files of the same name",
                found=f"other content in {kept} than in {path}",
                do="Keep the one that belongs to the corpus, and move the other to another folder.",
            )
    return kept, skipped


def find_file(root: Path, name: str) -> tuple[str | None, list[tuple[str, str]]]:
    """Find a text file in a folder or below it, plain or gzipped, upper or lower case.

    Args:
        root: the folder of the corpus.
        name: the file name in lower case.

    Returns:
        Its relative path, or None, and (path, reason) of copies with the same content.

    Raises:
        InputError: files of this name have different content.
    """
    paths = [
        path
        for path in files_below(root)
        if PurePosixPath(disc_name(path)).name.lower().removesuffix(".gz") == name
    ]
    if not paths:
        return None, []
    return choose_copy(root, sorted(paths, key=lambda path: (path.count("/"), path)), read_text)


def _same_bytes(first: Path, second: Path) -> bool:
    try:
        return same_content(first, second)
    except (OSError, ValueError):  # ValueError: a name in a list has a null character
        return False


def _attempt(read: Callable[[Path], object], path: Path) -> object:
    """Return what `read` returns for a file, or the reason (str) why it cannot be read."""
    try:
        return read(path)
    except Exception as error:
        return reason_of(error)


def _equal(first: object, second: object) -> bool:
    if isinstance(first, tuple):
        return all(_equal(*both) for both in zip(first, second, strict=True))
    return np.array_equal(first, second)


def keep_first(root: Path, rows: Iterable[dict]) -> tuple[list[dict], list[tuple[str, str]]]:
    """Keep one of the rows that share an id: the first whose recording can be read.

    Args:
        root: the folder of the corpus.
        rows: rows with `id` and `file`, in the order of `audio_files`.

    Returns:
        The rows kept, and (path, reason) of each duplicate.

    Raises:
        InputError: recordings of the same id differ.
    """
    by_id: dict[str, dict[str, dict]] = {}
    for row in rows:
        by_id.setdefault(row["id"], {})[row["file"]] = row
    kept, copies = [], []
    for row_by_file in by_id.values():
        file, others = choose_copy(root, list(row_by_file), read_audio)
        kept.append(row_by_file[file])
        copies += others
    return kept, copies


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
        InputError: no recording was found, or recordings of the same id differ.
    """
    audio, skipped = audio_files(root)
    rows, others = [], []
    for path in audio:
        row = row_of(disc_name(path))
        if row is None:
            others.append(path)
        elif isinstance(row, str):
            skipped.append((path, row))
        else:
            rows.append(row | {"file": path})
    if others:
        reason = f"{OTHER_WORDS}: {len(others)} recording(s), this being the first"
        skipped.append((others[0], reason))
    if not rows:
        do = _advice(root, corpus, audio, row_of)
        raise nothing_found(root, corpus, layout, skipped, do)
    rows, copies = keep_first(root, rows)
    return rows, skipped + copies


def recordings(
    corpus: str, rows: Iterable[dict], skipped: Iterable[tuple[str, str]]
) -> tuple[pa.Table, pa.Table]:
    """Return the two tables of `index`: RECORDINGS sorted by id, and SKIPPED sorted by file."""
    items = sorted(({"corpus": corpus, **row} for row in rows), key=lambda row: row["id"])
    return pa.Table.from_pylist(items, schema=RECORDINGS), skipped_table(corpus, skipped)


def skipped_table(corpus: str, skipped: Iterable[tuple[str, str]]) -> pa.Table:
    """Return a SKIPPED table of (path, reason) pairs, sorted by file."""
    rows = [
        {"corpus": corpus, "file": printable(file), "reason": printable(reason)}
        for file, reason in sorted(skipped)
    ]
    return pa.Table.from_pylist(rows, schema=SKIPPED)


def printable(name: str) -> str:
    """Return a file name that tables can hold: bytes that are not UTF-8 become `\\udc..`."""
    return name.encode("utf-8", "backslashreplace").decode()


def nothing_found(
    root: Path, corpus: str, layout: str, skipped: list[tuple[str, str]], do: str
) -> InputError:
    """Return the error for a folder that has files but no recording of the corpus."""
    found = f"{len(skipped)} other file(s)" if skipped else "documents only"
    if skipped:
        file, reason = sorted(skipped)[0]
        found += f", the first being {printable(file)}: {reason}"
    return InputError(
        root, expected=f"at least one recording of {corpus}, as {layout}", found=found, do=do
    )


def _advice(root: Path, corpus: str, audio: list[str], row_of: Callable) -> str:
    """Return advice for a folder without recordings: another folder, or unpacking."""
    folders = root.absolute().parts
    for n in range(1, len(folders)):
        parents = "/".join(folders[-n:])
        if any(isinstance(row_of(f"{parents}/{disc_name(path)}"), dict) for path in audio):
            return f"Set the path to {Path(*folders[:-n])}, a folder above this one."
    packed = [path for path in files_below(root) if path.lower().endswith(ARCHIVES)]
    if packed and not audio:
        return f"Unpack {printable(packed[0])}."
    return f"Check that this is the folder of {corpus}, and that its files keep their names."
