"""The page of the claims audit: one self-contained HTML file that needs no JavaScript."""

from collections import defaultdict
from collections.abc import Mapping
from html import escape

import pyarrow as pa

from ima.reporting.claims.audit import summary
from ima.reporting.claims.tests import FAILS, HOLDS, LEAST, LEVEL, UNDECIDED, UNTESTABLE

#: Sign and CSS class of each verdict; the signs distinguish verdicts without colour.
_SIGNS = {
    HOLDS: ("✓", "holds"),
    FAILS: ("✗", "fails"),
    UNDECIDED: ("?", "undecided"),
    UNTESTABLE: ("–", "untestable"),
}
#: Headings of the two parts.
_WHOSE = {"paper": "The paper's claims", "ours": "Our own claims and controls"}
_NUMBER = ' class="n"'
_STYLE = """
body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;max-width:76rem;padding:1rem;color:#1a1a1a;
background:#fff}
h1{font-size:1.5rem}h2{font-size:1.3rem;margin-top:2.5rem}h3{font-size:1.1rem;
margin-top:1.5rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .5rem;border-bottom:1px solid #ccc}
th.n{text-align:right}td.n{font-variant-numeric:tabular-nums;white-space:nowrap;text-align:right}
.v{font-weight:600;white-space:nowrap;padding:.1rem .4rem;border-radius:.25rem;border:1px solid}
.holds{background:#e5f1fb;color:#00487c}.fails{background:#fdebdc;color:#8a3b00}
.undecided{background:#f3f3f3;color:#444}.untestable{background:#fff;color:#555}
details{font-size:.85rem;color:#444}summary{cursor:pointer}
@media(max-width:40rem){thead{display:none}tr{display:block;margin-bottom:1rem}
td{display:block;border:0;padding:.1rem .5rem}tr{border-bottom:1px solid #ccc}
td.n{text-align:left;white-space:normal}td.n:empty{display:none}
td[data-name]::before{content:attr(data-name)": ";
color:#555}}
"""


def page(audit: pa.Table, run: str) -> str:
    """Return the HTML page of an audit.

    Args:
        audit: table of `ima.reporting.claims.audit.audit`.
        run: name of the run.
    """
    parts = [_part(title, audit, whose) for whose, title in _WHOSE.items()]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Claims, run {escape(run)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>What the paper says, and what the run “{escape(run)}” says of it</h1>"
        f"{_head(audit)}{''.join(parts)}</main></body></html>\n"
    )


def _part(title: str, audit: pa.Table, whose: str) -> str:
    """Return the heading and sections of the paper's claims or ours; '' if there are none."""
    sections: dict[str, list[Mapping]] = defaultdict(list)
    for row in audit.to_pylist():
        if row["whose"] == whose:
            sections[row["section"]].append(row)
    order = sorted(sections, key=lambda section: (section == "annex", section))
    tables = "".join(_section(section, sections[section]) for section in order)
    return f"<h2>{title}</h2>{tables}" if tables else ""


def _head(audit: pa.Table) -> str:
    """Return the number of claims with each verdict, and an explanation of the verdicts."""
    order = (HOLDS, FAILS, UNDECIDED, UNTESTABLE)
    rows = "".join(
        f'<tr><th scope="row">{_WHOSE[name]}</th>'
        + "".join(f'<td class="n" data-name="{v}">{counts[v]}</td>' for v in order)
        + "</tr>"
        for name, counts in summary(audit).items()
    )
    heads = "".join(f'<th scope="col" class="n">{_mark(verdict)}</th>' for verdict in order)
    tests = sum(p is not None for p in audit["p"].to_pylist())
    names = (row["id"].partition("[")[0] for row in audit.to_pylist() if row["whose"] == "paper")
    statements = len(set(names))
    return (
        f'<div class="scroll"><table><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody>'
        f"</table></div><p>The paper's {statements} statements have a row for each value that they "
        "are about.</p>"
        "<p>A claim holds or does not hold where a test over seeds says so at a level of "
        f"{LEVEL:g}, two-sided, the tests of one sentence allowed for (Holm); a mean alone decides "
        "nothing. "
        f"With fewer than {LEAST} seeds, or where seeds differ too much, it stays undecided: then "
        "neither the claim nor its opposite is shown. What is counted (parameters, networks) needs "
        f"no test. {tests} tests were made: about one sentence in twenty would have a verdict by "
        "chance alone. Seeds tell how training varies, not how another test set would.</p>"
    )


def _mark(verdict: str) -> str:
    sign, name = _SIGNS[verdict]
    return f'<span class="v {name}"><span aria-hidden="true">{sign} </span>{verdict}</span>'


def _section(section: str, rows: list[Mapping]) -> str:
    title = "Annex" if section == "annex" else f"Section {section}"
    heads = ("claim", "verdict", "paper", "ours ± sd", "seeds", "p", "data")
    numbers = heads[2:-1]
    head = "".join(
        f'<th scope="col"{_NUMBER if name in numbers else ""}>{name}</th>' for name in heads
    )
    return (
        f'<h3>{escape(title)}</h3><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(map(_row, rows))}</tbody></table></div>"
    )


def _row(row: Mapping) -> str:
    ours = _number(row["ours"]) + (f" ± {row['ours_sd']:.2g}" if row["ours_sd"] else "")
    p = "" if row["p_adjusted"] is None else f"{row['p_adjusted']:.2g}"
    cells = [("paper", _number(row["paper"])), ("ours", ours)]
    cells += [("seeds", "" if row["seeds"] is None else str(row["seeds"])), ("p", p)]
    links = " ".join(_link(row[key]) for key in ("table", "figure") if row[key])
    more = (
        f"<details><summary>how</summary>{escape(row['test'])}. <code>{escape(row['id'])}</code> "
        f"{links}</details>"
    )
    numbers = "".join(f'<td class="n" data-name="{n}">{v}</td>' for n, v in cells)
    return (
        f"<tr><td>{escape(row['sentence'])}{more}</td>"
        f"<td>{_mark(row['verdict'])}<br><small>{escape(row['why'])}</small></td>"
        f"{numbers}<td><small>{escape(row['data'])}</small></td></tr>\n"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{round(value, 4):,g}"


def _link(path: str) -> str:
    target = path.removeprefix("results/")
    return f'<a href="{escape(target)}">{escape(target.rpartition("/")[2])}</a>'
