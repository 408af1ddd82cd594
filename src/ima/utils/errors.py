"""The error that every stage raises for invalid user input."""

import contextlib
from collections.abc import Iterable, Iterator


class InputError(ValueError):
    """A file, column or config value does not meet the requirements of a stage.

    Args:
        where: the file, column or config key at fault.
        expected: what was expected.
        found: what was found instead.
        do: how the user can fix it, as a sentence; optional.
    """

    def __init__(self, where: object, *, expected: str, found: object, do: str = "") -> None:
        self.where, self.expected, self.found, self.do = where, expected, found, do
        message = f"{where}: expected {expected}, found {found}."
        super().__init__(printable(f"{message} {do}".rstrip()))

    def __reduce__(self) -> tuple[object, ...]:
        # Default pickling does not support keyword-only arguments; workers send errors back.
        return _rebuild, (type(self), self.where, self.expected, self.found, self.do)


def printable(text: str) -> str:
    """Return a text with ? for control characters, which a file could send to a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t\xa0" else "?" for c in text)


def first_few(names: Iterable[object], most: int = 3) -> str:
    """Return the first names, and how many more there are, such as `a, b, c and 2 more`."""
    shown = [str(name) for name in names]
    more = f" and {len(shown) - most} more" if shown[most:] else ""
    return ", ".join(shown[:most]) + more


@contextlib.contextmanager
def within(path: object) -> Iterator[None]:
    """Put a file in front of the place that an InputError raised in the block names."""
    try:
        yield
    except InputError as error:
        where = f"{path}, {error.where}"
        raise InputError(where, expected=error.expected, found=error.found, do=error.do) from error


def _rebuild(
    kind: type[InputError], where: object, expected: str, found: object, do: str
) -> InputError:
    return kind(where, expected=expected, found=found, do=do)


def reason_of(error: Exception) -> str:
    """Return the reason why a file is skipped, from any error that occurred while reading it.

    Raises:
        MemoryError: the error is one, which says nothing about the file.
    """
    if isinstance(error, MemoryError):
        raise error
    if isinstance(error, InputError):
        return f"expected {error.expected}, found {error.found}"
    text = " ".join(str(error).split())
    # The text of other errors is often empty or a bare value: KeyError(3) says '3'.
    clear = text and isinstance(error, OSError | ValueError)
    return text if clear else f"{type(error).__name__} {text}".rstrip()
