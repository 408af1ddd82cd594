"""Tables as HTML that a reader can sort."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ima.evaluation.item_errors import INTERVAL

#: Paths of results that a cell may mention, after the characters before them (group 1). Each run of
#: such characters is searched once.
_RESULT = re.compile(r"(?<![\w./-])(?>([\w./-]*?)results/)[\w./-]+\.(?:csv|png|pdf|html)")
#: The columns shown first, by the name of the table; others are shown on demand.
MAIN = {
    "claims": ("sentence", "verdict", "ours", "paper", "section", "whose", "why"),
    "emotion_importance": (
        *("variant", "by", "modality", "auc", "macro_f1", "rho", "best", "reference", "unit"),
        "auc_frequency_matched",
    ),
    "figure6": ("variant", "modality", "rho", "f1_noise", "precision_noise", "recall_noise"),
    "importance": ("variant", "latent", "modality", "f1_noise", "f1_noise_min", "seeds_at_0.98"),
    "table1": (
        *("model", "representation", "precision_no_shared", "precision", "latent", "k", "paper"),
    ),
    "table4": (
        *("setting", "model", "modalities", "latent", "parameters", "encoders", "decoders"),
        *("loss_terms", "microseconds"),
    ),
    "voice_agreement": (
        *("feature", "unit", "agreement", "agreement_shuffled", "spearman", "within_speakers"),
        *("counterpart", "kind"),
    ),
}
#: Number of columns shown first of other tables.
MANY = 10
#: Number of values of a column that a reader can choose from.
CHOICES = range(2, 13)
#: What columns of intervals contain.
_ITEMS = "ci items: half the width of the 95 % interval over test items."
#: Length in characters above which a text gets a wide column.
LONG = 50
#: Signs of verdicts, shown with their words, so that colour is not needed to distinguish them.
_SIGNS = (
    *(("holds", "✓", "yes"), ("does", "✗", "no"), ("not testable", "–", "untested")),
    ("undecided", "?", "open"),
)


def table_html(table: pa.Table, title: str, anchors: Mapping[str, str], name: str = "") -> str:
    """Return a table whose column headings are buttons that sort it.

    A standard deviation is shown in the cell of its mean. Columns without any value, and those with
    the same value in all rows, are listed below the table instead.

    Args:
        table: table of numbers and text.
        title: accessible name of the table.
        anchors: HTML ids of the results on the page, by path.
        name: name of the table in `MAIN`.
    """
    columns = {column: table[column].to_pylist() for column in table.column_names}
    sds = {c: f"{c}_sd" for c in columns if f"{c}_sd" in columns}
    own = {c: values for c, values in columns.items() if c not in sds.values()}
    bare = [c for c, values in own.items() if set(values) <= {None}]
    alike = {
        c: v
        for c, v in own.items()
        if c not in bare and len(v) > 1 and len(set(v)) == 1 and len(str(v[0])) <= LONG
    }
    left = [c for c in own if c not in bare and c not in alike]
    chosen = MAIN.get(name, ())
    if "variant" in chosen and "variant" not in own:  # importances of user data
        chosen = ()
    main = [c for c in chosen if c in left] or left[:MANY]
    order = [*main, *(c for c in left if c not in main)]
    heads, cells = [], []
    for number, column in enumerate(order):
        form = _Form(_is_number(table[column].type), column not in main)
        offered = column in main and column not in sds and _is_choice(table[column])
        chosen = " data-filter" if offered else ""
        heads.append(
            f'<th scope="col" aria-sort="none"{form.of()}{chosen}>'
            f'<button type="button">{html.escape(_spoken(column))}</button></th>'
        )
        spread = columns.get(sds.get(column, ""), [None] * len(table))
        cells.append(_cells(column, columns[column], spread, anchors, form, number == 0))
    rows = "".join(f"<tr>{''.join(row)}</tr>\n" for row in zip(*cells, strict=True))
    title, intervals = html.escape(title), any(name.endswith(INTERVAL) for name in left)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{title}, to be scrolled">'
        f'<table class="sorted" data-title="{title}"><caption class="unseen">{title}, '
        f"{table.num_rows} rows; the buttons in its head sort it</caption><thead><tr>"
        f"{''.join(heads)}</tr></thead><tbody>\n{rows}</tbody></table></div>"
        f"{_note({c: shown(v[:1])[0] for c, v in alike.items()}, bare, ' ± ' in rows, intervals)}"
    )


def _note(alike: Mapping[str, str], bare: Sequence[str], sd: bool, items: bool) -> str:
    """Return what the table's columns do not say."""
    same = ", ".join(f"{_spoken(name)} {value}" for name, value in alike.items())
    notes = [
        *(["±: sample standard deviation over seeds."] if sd else []),
        *([_ITEMS] if items else []),
        *([f"All rows: {same}."] if alike else []),
        *([f"Columns without a value here: {', '.join(map(_spoken, bare))}."] if bare else []),
    ]
    return f'<p class="note">{html.escape(" ".join(notes))}</p>' if notes else ""


def _is_choice(column: pa.ChunkedArray) -> bool:
    """Return whether a reader would choose rows by a column: it has few values, often repeated."""
    few = len(column.unique())
    measured = pa.types.is_floating(column.type) and column.null_count
    return few in CHOICES and len(column) >= 3 * few and not measured


def shown(values: Sequence[object]) -> list[str]:
    """Return a column's cells as text.

    Floats have three decimals (small ones two significant digits), unless all need fewer.
    """
    short = all(round(v, 3) == v for v in values if isinstance(v, float))
    return [_text(value, short) for value in values]


def _text(value: object, short: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10_000:
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    if short:
        return f"{value:,.10g}"
    if value and abs(value) < 0.001:
        return f"{value:.2g}"
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}"


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


@dataclass(frozen=True)
class _Form:
    """How a column looks: its numbers to the right, and whether it is hidden at first."""

    number: bool
    hidden: bool

    def of(self, text: str = "") -> str:
        """Return the class attribute of a cell with this text."""
        wide = "t" if not self.number and len(text) > LONG else ""
        kinds = " ".join(filter(None, ("n" if self.number else wide, "x" if self.hidden else "")))
        return f' class="{kinds}"' if kinds else ""


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _cells(
    name: str,
    values: Sequence[object],
    sds: Sequence[float | None],
    anchors: Mapping[str, str],
    form: _Form,
    first: bool,
) -> list[str]:
    """Return the cells of a column, those of the first one as headings of their rows."""
    texts, cells = shown([*values, *sds]), []
    for value, text, sd in zip(values, texts[: len(values)], texts[len(values) :], strict=True):
        # Sort by the exact value where it is rounded for display, as 0.8412 and 0.8409 to 0.841.
        rounded = isinstance(value, float) and (sd or text != repr(value))
        exact = f' data-v="{value!r}"' if rounded else ""
        content = _verdict(text) if name == "verdict" else _linked(text, anchors)
        spread = f" ± {sd}" if sd else ""
        tag, scope = ("th", ' scope="row"') if first and text else ("td", "")
        cells.append(f"<{tag}{scope}{form.of(text)}{exact}>{content}{spread}</{tag}>")
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
        path = match[0].removeprefix(match[1])
        anchor = anchors.get(path)
        if not anchor:
            return match[0]
        return f'{match[1]}<a href="#{anchor}">{path.removeprefix("results/")}</a>'

    return _RESULT.sub(link, html.escape(text))
