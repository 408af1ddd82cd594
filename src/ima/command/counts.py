"""Numbers of things in what the command `ima` prints."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is 1: `1 seed`, `1,200 classes`.

    Args:
        number: the number.
        noun: the singular of a noun whose plural ends in -s, or in -es after an s.
    """
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}"
