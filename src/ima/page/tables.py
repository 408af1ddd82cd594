"""Tables as HTML that a reader can sort."""

import html
import re
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from ima.errors import InputError

#: Results that a cell may name.
_RESULT = re.compile(r"results/[\w./-]+\.(?:csv|png|pdf|html)")
#: Signs of verdicts, beside their words: no colour has to be told from another.
_SIGNS = (("holds", "✓", "yes"), ("does", "✗", "no"), ("not testable", "–", "open"))


def read_table(path: str | Path) -> pa.Table:
    """Read a table of results.

    Raises:
        InputError: no such file, or not CSV.
    """
    options = csv.ParseOptions(newlines_in_values=True)
    try:
        return csv.read_csv(path, parse_options=options)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(path, expected="a CSV table", found=error) from error


def table_html(table: pa.Table, title: str, anchors: Mapping[str, str]) -> str:
    """Return a table with a button in the head of each column that sorts by it.

    Args:
        table: of numbers and text; a column without any value is named below it instead.
        title: what it is, for those who hear it.
        anchors: by path of a result that the page shows, the id of its place there.
    """
    full = [name for name in table.column_names if table[name].null_count < len(table)]
    bare = [name for name in table.column_names if name not in full]
    numbers = {name for name in full if _is_number(table[name].type)}
    head = "".join(
        f'<th scope="col" aria-sort="none"{_class(name in numbers)}>'
        f'<button type="button">{html.escape(_spoken(name))}</button></th>'
        for name in full
    )
    rows = "".join(
        "<tr>" + "".join(_cell(name, row[name], numbers, anchors) for name in full) + "</tr>\n"
        for row in table.select(full).to_pylist()
    )
    title = html.escape(title)
    note = f"<p>Columns without a value here: {html.escape(', '.join(bare))}.</p>" if bare else ""
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{title}, to be scrolled">'
        f'<table class="sorted"><caption class="unseen">{title}, {table.num_rows} rows; '
        "the buttons in its head sort it</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table></div>{note}"
    )


def shown(value: object) -> str:
    """Return a cell as text: floats with three decimals, small ones with two figures."""
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    if value and abs(value) < 0.001:
        return f"{value:.2g}"
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}"


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _class(right: bool) -> str:
    return ' class="n"' if right else ""


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _cell(name: str, value: object, numbers: set[str], anchors: Mapping[str, str]) -> str:
    text = shown(value)
    # What is sorted by, where what is shown is less: 0.8412 and 0.8409 are both 0.841.
    exact = f' data-v="{value!r}"' if isinstance(value, float) and text != repr(value) else ""
    if name == "verdict":
        return f"<td>{_verdict(text)}</td>"
    return f"<td{_class(name in numbers)}{exact}>{_linked(text, anchors)}</td>"


def _verdict(text: str) -> str:
    for begins, sign, kind in _SIGNS:
        if text.lower().startswith(begins):
            mark = f'<b aria-hidden="true">{sign}</b>'
            return f'<span class="verdict {kind}">{mark} {html.escape(text)}</span>'
    return html.escape(text)


def _linked(text: str, anchors: Mapping[str, str]) -> str:
    """Return escaped text in which the names of results are links to their places on the page."""

    def link(match: re.Match) -> str:
        anchor = anchors.get(match[0])
        return (
            f'<a href="#{anchor}">{match[0].removeprefix("results/")}</a>' if anchor else match[0]
        )

    return _RESULT.sub(link, html.escape(text))
