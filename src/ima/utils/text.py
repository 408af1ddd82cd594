"""Words of a text."""

import re

_WORD = re.compile(r"\w+(?:['-]\w+)*")


def tokenise(text: str) -> list[str]:
    """Return the words of a text, lower case, without punctuation; contractions stay whole.

    "I DON'T know -- it's late!" gives i, don't, know, it's, late: the tokens that an alignment of
    the same words has.
    """
    return _WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
