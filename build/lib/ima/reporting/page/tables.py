"""Tables as HTML that a reader can sort."""

import html
import re
from collections.abc import Mapping, Sequence

import pyarrow as pa

#: Paths of results that a cell may mention.
_RESULT = re.compile(r"results/[\w./-]+\.(?:csv|png|pdf|html)")
#: Columns that are reported once if they are the same in all rows.
_ALIKE = ("run", "corpus")
#: Columns that are moved to the end, because they only serve to look up a row elsewhere.
_LAST = ("id",)
#: Length in characters above which a text gets a wide column.
LONG = 50
#: Signs of verdicts, shown with their words, so that colour is not needed to distinguish them.
_SIGNS = (("holds", "✓", "yes"), ("does", "✗", "no"), ("not testable", "–", "open"))


def table_html(table: pa.Table, title: str, anchors: Mapping[str, str]) -> str:
    """Return a table whose column headings are buttons that sort it.

    Args:
        table: table of numbers and text. Columns without any value, and the run and corpus if they
            are constant, are listed below the table instead.
        title: accessible name of the table.
        anchors: HTML ids of the results on the page, by path.
    """
    bare = [name for name in table.column_names if table[name].null_count == len(table)]
    alike = {
        name: values[0]
        for name in _ALIKE
        if name in table.column_names and len(values := table[name].unique().to_pylist()) == 1
    }
    full = [name for name in table.column_names if name not in alike and name not in bare]
    full.sort(key=lambda name: name in _LAST)
    numbers = {name for name in full if _is_number(table[name].type)}
    head = "".join(
        f'<th scope="col" aria-sort="none"{_class(name in numbers)}>'
        f'<button type="button">{html.escape(_spoken(name))}</button></th>'
        for name in full
    )
    columns = [_cells(name, table[name].to_pylist(), anchors, name in numbers) for name in full]
    rows = "".join(f"<tr>{''.join(cells)}</tr>\n" for cells in zip(*columns, strict=True))
    title = html.escape(title)
    notes = [f"All rows: {', '.join(f'{name} {value}' for name, value in alike.items())}."]
    notes += [f"Columns without a value here: {', '.join(bare)}."]
    told = [note for note, some in zip(notes, (alike, bare), strict=True) if some]
    note = f"<p>{html.escape(' '.join(told))}</p>" if told else ""
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{title}, to be scrolled">'
        f'<table class="sorted"><caption class="unseen">{title}, {table.num_rows} rows; '
        "the buttons in its head sort it</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table></div>{note}"
    )


def shown(values: Sequence[object]) -> list[str]:
    """Return a column's cells as text.

    Floats have three decimals (small ones two significant digits), unless all need fewer.
    """
    short = all(round(v, 3) == v for v in values if isinstance(v, float))
    return [_text(value, short) for value in values]


def _text(value: object, short: bool) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    if short:
        return f"{value:,.10g}"
    if value and abs(value) < 0.001:
        return f"{value:.2g}"
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}"


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _class(right: bool) -> str:
    return ' class="n"' if right else ""


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _cells(
    name: str, values: Sequence[object], anchors: Mapping[str, str], number: bool
) -> list[str]:
    cells = []
    for value, text in zip(values, shown(values), strict=True):
        # Sort by the exact value where it is rounded for display, as 0.8412 and 0.8409 to 0.841.
        exact = f' data-v="{value!r}"' if isinstance(value, float) and text != repr(value) else ""
        content = _verdict(text) if name == "verdict" else _linked(text, anchors)
        wide = ' class="t"' if not number and len(text) > LONG else _class(number)
        cells.append(f"<td{wide}{exact}>{content}</td>")
    return cells


def _verdict(text: str) -> str:
    for begins, sign, kind in _SIGNS:
        if text.lower().startswith(begins):
            mark = f'<b aria-hidden="true">{sign}</b>'
            return f'<span class="verdict {kind}">{mark} {html.escape(text)}</span>'
    return html.escape(text)


def _linked(text: str, anchors: Mapping[str, str]) -> str:
    """Return escaped text in which paths of results are links to their places on the page."""

    def link(match: re.Match) -> str:
        """Return a link to a result, or its path unchanged if it is not on the page."""
        anchor = anchors.get(match[0])
        return (
            f'<a href="#{anchor}">{match[0].removeprefix("results/")}</a>' if anchor else match[0]
        )

    return _RESULT.sub(link, html.escape(text))
