"""The page of a run: one HTML file without external resources."""

import base64
import hashlib
import html
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ima.reporting.page import captions, made, maps, pictures, scripts, tables
from ima.reporting.page.overview import facts, overview
from ima.reporting.page.style import STYLE
from ima.reporting.page.utterances import search_html
from ima.utils.io import read_csv

#: Section that comes first, if present.
FIRST = "Claims"
#: Section that comes last among the results, if present.
LAST = "The run"
#: Section on the rules.
MADE = "How the results were made"
#: Maximum width, in pixels, of each picture from a folder of pictures.
EXAMPLE = 900
#: Maximum number of data files that are listed with a figure.
FEW = 4
#: Number of results above which a browser lays out only those near the screen. It then estimates
#: the heights of the others, and without scroll anchoring, links lead only near their targets.
MANY = 200


@dataclass(frozen=True)
class Item:
    """A result: its file, its title, its section, its caption as reStructuredText, and its rule."""

    file: str
    title: str
    section: str
    caption: str
    rule: made.Rule | None = None


def page(
    run: str,
    items: Sequence[Item],
    explored: Sequence[maps.Maps] = (),
    utterances: Sequence[dict] = (),
    about: str = "",
    folder: str | Path = "results",
) -> str:
    """Return the page as HTML.

    Args:
        run: name of the run.
        items: tables (CSV), figures (PNG, or a folder of them), and other formats of these, which
            are only linked.
        explored: interactive maps.
        utterances: see `ima.reporting.page.utterances.search_html`.
        about: reStructuredText on the data of the run, shown below the title.
        folder: the page's folder, from which it links to files.
    """
    found = {i.file: read_csv(i.file, rows=False) for i in items if i.file.endswith(".csv")}
    groups = {
        section: _groups(items, section) for section in _order({item.section for item in items})
    }
    anchors = {
        item.file: _anchor(forms[0]) for of in groups.values() for forms in of for item in forms
    }
    sections = {
        section: "".join(_subsection(forms, found, anchors, Path(folder)) for forms in of)
        for section, of in groups.items()
    }
    last = {LAST: sections.pop(LAST)} if LAST in sections else {}
    sections |= _interactive(explored, utterances) | last | _made(items)
    by_name = {Path(file).stem: table for file, table in found.items()}
    first = overview(by_name, {Path(file).stem: anchors[file] for file in found})
    known = facts([item.file for item in items])
    begin = f"<div><div>{captions.as_html(about)}</div>{_facts(known)}</div>"
    whole = {"Overview": first} | sections if first else sections
    return _html(run, begin, whole, bool(explored), len(items) > MANY)


def _interactive(explored: Sequence[maps.Maps], utterances: Sequence[dict]) -> dict[str, str]:
    """Return the sections whose content a reader explores, by title."""
    sections = {}
    if explored:
        sections["Maps to explore"] = (
            "<p>t-SNE, as in the figures: hold the pointer over a point, or tap it, and it says "
            "what it is; the wheel zooms while Shift is held. No label takes part in the layout. "
            "The coordinates are in the run's "
            f"<code>tsne.parquet</code>.</p>{maps.maps_html(explored)}"
        )
    if utterances:
        sections["Utterances by importance"] = search_html(utterances)
    return sections


def _made(items: Sequence[Item]) -> dict[str, str]:
    """Return the section on the rules, if they are known."""
    files: dict[str, list[str]] = {}
    for item in items:
        if item.rule:
            files.setdefault(item.rule.name, []).append(item.file)
    rules = {item.rule.name: item.rule for item in items if item.rule}
    return {MADE: made.made_html(rules.values(), files)} if rules else {}


def _order(sections: Iterable[str]) -> list[str]:
    return sorted(sections, key=lambda name: (name != FIRST, name == LAST, name))


def _groups(items: Iterable[Item], section: str) -> list[list[Item]]:
    """Return the items of a section, grouped by title; those with one caption share a group."""
    titles: dict[str, str] = {}
    groups: dict[str, list[Item]] = {}
    for item in items:
        if item.section == section:
            title = titles.setdefault(item.caption, item.title)
            groups.setdefault(title, []).append(item)
    return [groups[title] for title in sorted(groups)]


def _anchor(item: Item) -> str:
    """Return the HTML id of an item's group."""
    return re.sub(r"[^\w+]+", "-", f"{item.section} {item.title}".lower()).strip("-")


def _subsection(
    forms: Sequence[Item],
    found: Mapping[str, pa.Table],
    anchors: Mapping[str, str],
    folder: Path,
) -> str:
    """Return a titled subsection of the page: its caption, pictures and table."""
    first, name = forms[0], anchors[forms[0].file]
    data = [form.file for form in forms if form.file in found]
    drawn = [form for form in forms if Path(form.file).suffix in (".png", "")]
    body = ["".join(captions.as_html(text) for text in dict.fromkeys(f.caption for f in forms))]
    if drawn:
        figures = (_figures(item, forms, data, folder) for item in drawn)
        body.append(f'<div class="figures">{"".join(figures)}</div>')
    for item in forms:
        if item.file.endswith(".md"):
            words = html.escape(Path(item.file).read_text(encoding="utf-8"))
            body.append(f'<pre>{words}</pre><p class="from">{_from([item], folder)}</p>')
        if item.file in found:
            table = tables.table_html(found[item.file], item.title, anchors, Path(item.file).stem)
            body.append(f'{table}<p class="from">{_from([item], folder)}</p>')
    # A title that only repeats the section's is hidden.
    hidden = ' class="unseen"' if first.title == first.section else ""
    title = f'<h3 id="{name}"{hidden}>{html.escape(first.title)}</h3>'
    return f'<div class="result">{title}{"".join(body)}</div>\n'


def _from(forms: Sequence[Item], folder: Path, data: Sequence[str] = ()) -> str:
    """Return links to the files of a result, to the data that a figure shows and to its rule."""
    links, rule = [_file(form.file, folder) for form in forms], forms[0].rule
    shown = list(data) or (made.patterns(rule.reads) if rule else [])
    if shown and not forms[0].file.endswith(".csv"):
        few = len(shown) <= FEW
        listed = (_file(file, folder) for file in shown) if few else ["those that the rule reads"]
        links.append("data: " + ", ".join(listed))
    return " · ".join(links + ([made.link(rule)] if rule else []))


def _file(file: str, folder: Path) -> str:
    path = html.escape(os.path.relpath(file, folder))
    code = f"<code>{path}</code>"
    return code if "*" in file else f'<a href="{path}">{code}</a>'


def _figures(item: Item, forms: Sequence[Item], data: Sequence[str], folder: Path) -> str:
    """Return a figure, or all of a folder, with links to its files, its data and its rule."""
    same = [form for form in forms if form.title == item.title and form.file not in data]
    links = f'<span class="from">{_from(same, folder, data)}</span>'
    if Path(item.file).suffix:
        return _figure(item.file, item.title, item, pictures.WIDEST, links)
    files = sorted(Path(item.file).glob("*.png"))
    drawn = "".join(_figure(str(file), file.stem, item, EXAMPLE) for file in files)
    return f'<div><div class="gallery">{drawn}</div><p>{links}</p></div>'


def _figure(file: str, name: str, item: Item, widest: int, links: str = "") -> str:
    sentence = captions.first_sentence(item.caption)
    alt = sentence if sentence.startswith(name) else f"{name}: {sentence}"
    return (
        f"<figure>{pictures.picture(file, alt, widest)}"
        f"<figcaption><b>{html.escape(name)}</b> {links}</figcaption></figure>"
    )


def _facts(known: Mapping[str, str]) -> str:
    listed = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>"
        for name, value in known.items()
    )
    return f'<dl class="facts">{listed}</dl>'


def _policy(programs: Iterable[str]) -> str:
    """Return a policy that forbids all requests, and all scripts but these."""
    digests = (base64.b64encode(hashlib.sha256(p.encode()).digest()).decode() for p in programs)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _html(run: str, about: str, sections: Mapping[str, str], mapped: bool, many: bool) -> str:
    title = html.escape(f"Importance-based Multimodal Autoencoder: the run {run}")
    ids = {name: f"part-{number}" for number, name in enumerate(sections)}
    menu = "".join(f'<li><a href="#{ids[s]}">{html.escape(s)}</a></li>' for s in sections)
    body = "".join(
        f'<section aria-labelledby="{ids[name]}"><h2 id="{ids[name]}">{html.escape(name)}</h2>\n'
        f"{content}</section>\n"
        for name, content in sections.items()
    )
    programs = [scripts.TABLES, scripts.UTTERANCES]
    programs += [maps.script(), scripts.MAPS] if mapped else []
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(programs)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title><style>{STYLE}</style></head><body>
<a class="skip" href="#main">to the results</a>
<header><h1>{title}</h1>{about}</header>
<nav aria-label="sections"><ul>{menu}</ul></nav>
<main id="main"{' class="many"' if many else ""}>
{body}</main>
{"".join(f"<script>{program}</script>" for program in programs)}
</body></html>
"""
