"""Split text into words."""

import re

_WORD = re.compile(r"\w+(?:['-]\w+)*")


def tokenise(text: str) -> list[str]:
    """Return the words of a text in lower case, without punctuation; contractions stay whole.

    "I DON'T know -- it's late!" gives i, don't, know, it's, late: the same tokens as an alignment
    of these words.
    """
    return _WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
