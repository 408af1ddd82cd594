"""Conversion of captions from the reStructuredText of Snakemake's report to HTML and plain text."""

import html
import re
from functools import cache

from docutils.core import publish_parts

_QUIET = {
    "report_level": 5,
    "halt_level": 4,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "initial_header_level": 4,
}


@cache  # a result's caption is shown, and its first sentence describes its figure
def as_html(caption: str) -> str:
    """Return a caption as HTML paragraphs."""
    return publish_parts(caption, writer="html5", settings_overrides=_QUIET)["body"].strip()


def first_sentence(caption: str) -> str:
    """Return the first sentence of a caption as plain text, for use as a figure's alt text.

    A bold title does not count as a sentence; the text after it is included.
    """
    text = html.unescape(re.sub(r"<[^>]+>", "", as_html(caption)))
    text = " ".join(text.split())
    ends = [m.end() for m in re.finditer(r"[.:](?= [A-Z]|$)", text) if m.end() > 40]
    return text[: ends[0]].rstrip(":") if ends else text
