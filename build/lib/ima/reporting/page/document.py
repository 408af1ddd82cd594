"""The page of a run: one HTML file without external resources."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ima.reporting.page import assets, captions, maps, pictures, tables
from ima.reporting.page.utterances import STYLE as UTTERANCES_STYLE
from ima.reporting.page.utterances import search_html
from ima.utils.io import read_csv

#: Section that comes first, if present.
FIRST = "Claims"
#: Section that comes last, if present.
LAST = "The run"
#: Maximum width, in pixels, of each picture from a folder of pictures.
EXAMPLE = 900


@dataclass(frozen=True)
class Item:
    """A result: its file, its title, its section, and its caption as reStructuredText."""

    file: str
    title: str
    section: str
    caption: str


def page(
    run: str,
    items: Sequence[Item],
    explored: Sequence[maps.Maps] = (),
    utterances: Sequence[dict] = (),
    about: str = "",
) -> str:
    """Return the page as HTML.

    Args:
        run: name of the run.
        items: tables (CSV), figures (PNG, or a folder of them), and other formats of these, which
            are only listed.
        explored: interactive maps.
        utterances: see `ima.reporting.page.utterances.search_html`.
        about: reStructuredText on the data of the run, shown below the title.
    """
    anchors = {item.file: _anchor(item) for item in items}
    sections = {
        section: "".join(_shown(one, anchors) for one in _by_title(items, section))
        for section in _order({item.section for item in items})
    }
    extra = {}
    if explored:
        extra["Maps to explore"] = (
            "<p>t-SNE, as in the figures: hold the pointer over a point, or tap it, and it says "
            "what it is; the wheel zooms while Shift is held. No label takes part in the layout. "
            "The coordinates are in the run's "
            f"<code>tsne.parquet</code>.</p>{maps.maps_html(explored)}"
        )
    if utterances:
        extra["Utterances by importance"] = search_html(utterances)
    last = {LAST: sections.pop(LAST)} if LAST in sections else {}
    return _whole(run, captions.as_html(about), sections | extra | last, bool(explored))


def _order(sections: Iterable[str]) -> list[str]:
    return sorted(sections, key=lambda name: (name != FIRST, name == LAST, name))


def _by_title(items: Iterable[Item], section: str) -> list[list[Item]]:
    """Return the items of a section, grouped by title."""
    found: dict[str, list[Item]] = {}
    for item in items:
        if item.section == section:
            found.setdefault(item.title, []).append(item)
    return [found[title] for title in sorted(found)]


def _anchor(item: Item) -> str:
    """Return the HTML id of an item, which is shared by all items with its title."""
    return "-".join(f"{item.section} {item.title}".lower().replace(",", "").split())


def _shown(forms: Sequence[Item], anchors: Mapping[str, str]) -> str:
    """Return a titled subsection of the page: its caption, table and pictures."""
    first = forms[0]
    title = html.escape(first.title)
    body, told = [], []
    for item in forms:
        kind = Path(item.file).suffix
        if item.caption not in told:
            told.append(item.caption)
            body.append(captions.as_html(item.caption))
        if kind == ".csv":
            body.append(tables.table_html(read_csv(item.file, rows=False), item.title, anchors))
        elif kind in (".png", ""):
            files = [item.file] if kind else sorted(map(str, Path(item.file).glob("*.png")))
            body += [_figure(file, item) for file in files]
    links = ", ".join(f"<code>{html.escape(item.file)}</code>" for item in forms)
    name = anchors[first.file]
    # A title that only repeats the section's is hidden.
    hidden = ' class="unseen"' if first.title == first.section else ""
    return (
        f'<section aria-labelledby="{name}"><h3 id="{name}"{hidden}>{title}</h3>'
        f"{''.join(body)}<p>Files: {links}</p></section>\n"
    )


def _figure(file: str, item: Item) -> str:
    name = Path(file).stem if not Path(item.file).suffix else item.title
    said = captions.first_sentence(item.caption)
    alt = said if said.startswith(name) else f"{name}: {said}"
    widest = pictures.WIDEST if name == item.title else EXAMPLE
    return f"<figure>{pictures.picture(file, alt, widest)}</figure>"


def _whole(run: str, about: str, sections: Mapping[str, str], mapped: bool) -> str:
    title = html.escape(f"Importance-based Multimodal Autoencoder: the run {run}")
    ids = {name: f"part-{number}" for number, name in enumerate(sections)}
    menu = "".join(f'<li><a href="#{ids[s]}">{html.escape(s)}</a></li>' for s in sections)
    body = "".join(
        f'<section aria-labelledby="{ids[name]}"><h2 id="{ids[name]}">{html.escape(name)}</h2>\n'
        f"{content}</section>\n"
        for name, content in sections.items()
    )
    scripts = [assets.SORTING] + ([maps.script(), assets.MAPS] if mapped else [])
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title><style>{assets.STYLE}{UTTERANCES_STYLE}</style></head><body>
<a class="skip" href="#main">to the results</a>
<header><h1>{title}</h1>{about}</header>
<nav aria-label="sections"><ul>{menu}</ul></nav>
<main id="main">
{body}</main>
{"".join(f"<script>{script}</script>" for script in scripts)}
</body></html>
"""
