"""Read text files of users: gzipped, with a byte order mark, or in a Windows encoding.

All readers of text files use this module, so that they treat these cases alike.
"""

import contextlib
import csv
import gzip
import io
import logging
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from ima.utils.errors import InputError
from ima.utils.trees import is_special

#: Maximum number of bytes of a text, decompressed.
MAX_TEXT = 1 << 28
_GZIP = b"\x1f\x8b"
#: Byte order marks; that of UTF-32 starts with that of UTF-16.
_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}
#: The characters of Windows-1252 at the places of the C1 control characters, which no text
#: contains: they appear if Windows-1252 is read as Latin-1. Five places are not assigned.
_C1 = {
    code: char
    for code in range(0x80, 0xA0)
    if (char := bytes([code]).decode("cp1252", "ignore")) and char != chr(code)
}

logger = logging.getLogger(__name__)


def repair(text: str) -> str:
    """Return a text whose C1 control characters are those of Windows-1252: U+0092 is U+2019."""
    return text.translate(_C1)


def is_gzipped(path: str | Path) -> bool:
    """Return whether a file's content is gzipped, whatever its name."""
    with Path(path).open("rb") as file:
        return file.read(len(_GZIP)) == _GZIP


@contextlib.contextmanager
def open_plain(path: str | Path, expected: str) -> Iterator[io.BufferedIOBase]:
    """Open a file for reading bytes, decompressed if it is gzipped (detected by its content).

    Args:
        path: the file.
        expected: what it should be, for error messages, such as 'a readable IDX file'.

    Raises:
        InputError: the file is missing, not a regular file, unreadable, or has damaged gzip data,
            found while opening or within the block.
    """
    path = Path(path)
    if is_special(path):
        raise InputError(path, expected=expected, found="a pipe or device")
    try:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(path.open("rb"))
            zipped = file.peek(2)[:2] == _GZIP
            yield stack.enter_context(gzip.GzipFile(fileobj=file)) if zipped else file
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(
            path,
            expected="whole gzip data",
            found=f"damaged data ({error})",
            do="The file is truncated or damaged: copy or download it again.",
        ) from error
    except OSError as error:
        raise InputError(path, expected=expected, found=error.strerror or error) from error


def read_text(
    path: str | Path, expected: str = "a readable text file", strict: bool = False
) -> str:
    """Return the text of a file without a byte order mark, with `repair`.

    The text is in UTF-8, or in UTF-16 or UTF-32 with a byte order mark. Lines in another encoding
    are read as Windows-1252, and the log warns of them.

    Args:
        path: the file, plain or gzipped.
        expected: what it should be, for error messages.
        strict: whether another encoding is an error.

    Raises:
        InputError: the file cannot be read or has more than MAX_TEXT bytes, or its encoding is
            wrong.
    """
    with open_plain(path, expected) as file:
        raw = file.read(MAX_TEXT + 1)
    if len(raw) > MAX_TEXT:
        raise InputError(path, expected=f"at most {MAX_TEXT:,} bytes of text", found="more")
    return decode(raw, path, expected, strict)


def decode(raw: bytes, path: object, expected: str, strict: bool = False) -> str:
    """Decode the bytes of a text file; see `read_text`."""
    coding = next((name for mark, name in _MARKS.items() if raw.startswith(mark)), "utf-8")
    try:
        return repair(raw.decode(coding))
    except UnicodeDecodeError as error:
        if strict or coding != "utf-8":
            raise InputError(
                path,
                expected=f"{expected} in UTF-8",
                found=error,
                do="Open it in its encoding (on Windows often 1252), and save it as UTF-8.",
            ) from error
    lines = [_line(line) for line in raw.split(b"\n")]
    foreign = sum(is_foreign for _, is_foreign in lines)
    logger.warning("%s: %d lines are not UTF-8 and are read as Windows-1252", path, foreign)
    return "\n".join(line for line, _ in lines)


def _line(raw: bytes) -> tuple[str, bool]:
    """Return a line of UTF-8 or else of Windows-1252, and whether it is the latter."""
    try:
        return repair(raw.decode()), False
    except UnicodeDecodeError:
        return repair(raw.decode("latin-1")), True


def lines_of(text: str) -> list[tuple[int, str]]:
    """Return the lines of a text that are not blank, stripped, and their numbers from 1."""
    lines = re.split(r"\r\n|\n|\r", text)  # `splitlines` also splits at U+0085, U+2028 and others
    return [(i, line.strip()) for i, line in enumerate(lines, 1) if line.strip()]


def read_records(path: str | Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Read a CSV file in UTF-8 that has at least the given columns.

    Returns:
        The number of the last line of each record, and its values by column; absent ones are ''.

    Raises:
        InputError: the file cannot be read, is not CSV in UTF-8, or lacks a column.
    """
    text = read_text(path, "csv", strict=True)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
        records = [(reader.line_num, record) for record in reader]
        names = [name.strip() for name in reader.fieldnames or ["nothing"]]
    except csv.Error as error:
        raise InputError(path, expected="csv", found=error) from error
    if not set(columns) <= set(names):
        other = next((mark for mark in ";\t|" if mark in names[0] and len(names) == 1), None)
        raise InputError(
            path,
            expected=f"columns {', '.join(columns)}",
            found=", ".join(names),
            do=f"Separate the columns by commas, not by {other!r}." if other else "",
        )
    return [
        (i, {k.strip(): v for k, v in record.items() if k is not None}) for i, record in records
    ]
