"""The page of a run in a browser: for the eye, keys and ears."""

import csv
import itertools
import os
from pathlib import Path

import pytest
from benchmarks.page import DO, FILTERS, NOTES
from tests.chromium import Chromium, find
from tests.reporting.page.toy import drawn, written

from ima.reporting.page.document import MANY, Item, page
from ima.reporting.page.tables import MAIN


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    program = find()
    if program is None:
        pytest.skip("no Chromium: install it, or name its program in IMA_CHROMIUM")
    with Chromium(program, tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return written(tmp_path_factory.mktemp("page"))


#: All elements below one, those of shadow trees among them.
DEEP = """const deep = root => [...root.querySelectorAll("*")]
  .flatMap(e => [e, ...(e.shadowRoot ? deep(e.shadowRoot) : [])]);"""


def look_at(browser, file, width):
    """Open a page and go all the way down, so that all of it is drawn."""
    browser.requests.clear(), browser.problems.clear()
    browser.open(file, width)
    for place in browser.run("[...document.querySelectorAll('.map')].map(e => e.id)"):
        browser.run(f"document.getElementById('{place}').scrollIntoView()")
        browser.until(f"document.getElementById('{place}').dataset.drawn === 'yes'")
    browser.run("window.scrollTo(0, 0)")


def check_readable(browser, file, width):
    look_at(browser, file, width)
    assert browser.problems == []
    others = [url for url in browser.requests if not url.startswith(("data:", "blob:"))]
    assert others == [file.resolve().as_uri()]
    assert browser.run("document.documentElement.scrollWidth") <= width
    # Nothing that is not in a region of its own to be scrolled sticks out on the right.
    out = browser.run(
        "[...document.querySelectorAll('main *')].filter(e => !e.closest('.wide, .unseen') &&"
        " e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
    )
    assert out == []
    small = browser.run(
        "[...document.querySelectorAll('p, td, li, button')].filter(e => e.checkVisibility() &&"
        " parseFloat(getComputedStyle(e).fontSize) < 12).length"
    )
    assert small == 0


@pytest.mark.parametrize("width", [1280, 400])
def test_readable_without_a_complaint_or_a_request(browser, toy, width):
    check_readable(browser, toy, width)


def test_the_check_of_a_page_fails_where_it_should(browser, tmp_path):
    """A negative control: a page that complains, asks for more, and is too wide."""
    bad = tmp_path / "bad.html"
    bad.write_text("<main><p style='width: 900px'>wide</p></main><script>oh.no()</script>")
    with pytest.raises(AssertionError, match="oh is not defined"):
        check_readable(browser, bad, 400)
    drawn(tmp_path / "other.png")
    bad.write_text("<link rel=icon href='data:,'><main><img src='other.png'></main>")
    with pytest.raises(AssertionError, match=r"other\.png"):
        check_readable(browser, bad, 400)
    bad.write_text("<link rel=icon href='data:,'><main><p style='width: 900px'>wide</p></main>")
    with pytest.raises(AssertionError):
        check_readable(browser, bad, 400)


def column(browser, number):
    cells = (
        f"[...document.querySelectorAll('#table tbody tr')].map(r => r.cells[{number}].innerText)"
    )
    return browser.run(cells)


def test_tables_are_sorted_by_keys_alone(browser, toy):
    look_at(browser, toy, 1280)
    browser.run("document.querySelectorAll('table.sorted')[1].id = 'table'")
    heads = browser.run("[...document.querySelectorAll('#table th')].map(th => th.innerText)")
    at = [head.split()[0] for head in heads].index("precision")
    before = column(browser, at)
    browser.run(f"document.querySelectorAll('#table th button')[{at - 1}].focus()")
    browser.press("Tab", 9)
    focused = browser.run("document.activeElement.innerText")
    assert focused.startswith("precision")
    browser.press("Enter", 13)
    state = "[...document.querySelectorAll('#table thead th')].map(th => th.ariaSort)"
    assert browser.run(state)[at] == "ascending"
    rising = column(browser, at)
    assert rising == sorted(before, key=lambda text: float(text.split()[0])) != before
    browser.press("Enter", 13)
    assert browser.run(state)[at] == "descending" and browser.run(state).count("none") == 4
    assert column(browser, at) == rising[::-1]


def test_values_that_are_shown_alike_are_sorted_by_what_they_are(browser, toy):
    look_at(browser, toy, 1280)
    browser.run("document.querySelector('table.sorted').id = 'table'")
    for _ in range(2):  # the empty one is last either way
        browser.run("document.querySelectorAll('#table th button')[1].click()")
        assert column(browser, 3)[-1] == "c"
    assert column(browser, 3) == ["b", "a <rare>", "c"]


def tree(browser):
    """Return what a screen reader is told: roles, names and properties, in order."""
    nodes = browser.send("Accessibility.getFullAXTree")["nodes"]
    return [
        {
            "role": node["role"]["value"],
            "name": node.get("name", {}).get("value", ""),
            **{p["name"]: p["value"].get("value") for p in node.get("properties", ())},
        }
        for node in nodes
        if not node["ignored"]
    ]


def check_spoken(browser, file):
    look_at(browser, file, 1280)
    told = tree(browser)
    roles = [node["role"] for node in told]
    assert [roles.count(role) for role in ("banner", "navigation", "main")] == [1, 1, 1]
    levels = [node["level"] for node in told if node["role"] == "heading"]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    named = ("image", "button", "link", "table", "region", "combobox", "searchbox", "columnheader")
    silent = [node for node in told if node["role"] in named and not node["name"].strip()]
    assert silent == []
    assert browser.run("document.documentElement.lang") == "en"
    assert browser.run("[...document.images].every(i => i.alt.length > 20)")
    assert browser.run("[...document.querySelectorAll('table')].every(t => t.caption)")
    links = "[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))"
    assert {link for link in browser.run(links) if link.startswith("#")} <= {
        f"#{id_}" for id_ in browser.run("[...document.querySelectorAll('[id]')].map(e => e.id)")
    }
    ids = browser.run("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_screen_reader_text(browser, toy):
    check_spoken(browser, toy)


def test_the_first_stop_of_the_tab_key_leads_past_the_menu(browser, toy):
    browser.open(toy, 1280)  # not `look_at`: Tab goes on from where the page was scrolled to
    browser.press("Tab", 9)
    assert browser.run("document.activeElement.hash") == "#main"
    ring = browser.run("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"


def test_no_stop_of_the_tab_key_is_in_a_map(browser, toy):
    look_at(browser, toy, 1280)
    maps_ = "...document.querySelectorAll('.map')"
    stops = f"[{maps_}].flatMap(deep).filter(e => e.tabIndex >= 0).length"
    assert browser.run(f"(() => {{ {DEEP} return {stops}; }})()") == 0


def test_the_overview_is_first_and_how_it_was_made_last(browser, toy):
    look_at(browser, toy, 1280)
    heads = browser.run("[...document.querySelectorAll('h2')].map(h => h.innerText)")
    assert heads[:2] == ["Overview", "Claims"]
    assert heads[-2:] == ["The run", "How the results were made"]
    assert heads[2:4] == ["Section 6.1, importances", "Section 6.2 and annex, representations"]


def test_a_figure_leads_to_its_data_and_to_its_rule(browser, toy):
    look_at(browser, toy, 1280)
    links = browser.run("[...document.querySelectorAll('figcaption a')].map(a => a.innerText)")
    assert links[0] == "figure2.png" and links[1].endswith("toy/a.parquet")
    assert links[2] == "How was this made? figure2, figure2.py"
    browser.run("document.querySelectorAll('figcaption a')[2].click()")
    assert browser.run("location.hash") == "#rule-figure2"
    rule = browser.run(
        "document.querySelector('#rule-figure2 ~ details').parentElement.textContent"
    )
    assert "A <line>." in rule and '"""A line & <more>."""' in rule


def test_rows_are_filtered_and_columns_shown_on_demand(browser, toy):
    look_at(browser, toy, 1280)
    browser.run("document.querySelectorAll('table.sorted')[1].id = 'table'")
    tools = "document.getElementById('table').parentElement.previousElementSibling"
    count = f"{tools}.querySelector('output').textContent"
    assert browser.run(count) == "40 rows"
    change = "e.dispatchEvent(new Event('input', { bubbles: true }))"
    choose = f"(e => {{ e.value = 'weighted'; {change}; }})({tools}.querySelectorAll('select')[0])"
    browser.run(choose)
    assert browser.run(count) == "1 of 40 rows"
    browser.run(choose.replace("'weighted'", "'joint'"))
    words = f"(e => {{ e.value = 'm1 0.0'; {change}; }})({tools}.querySelector('input'))"
    browser.run(words)
    visible = "[...document.querySelectorAll('#table tbody tr')].filter(r => r.checkVisibility())"
    models = browser.run(f"{visible}.map(r => r.cells[0].innerText)")
    assert "M1" in models and all("M1" in model for model in models)
    browser.run("document.querySelectorAll('table.sorted')[0].id = 'claims'")
    seen = "[...document.querySelectorAll('#claims thead th')].filter(h => h.checkVisibility())"
    assert browser.run(f"{seen}.length") == 3
    more = "document.getElementById('claims').parentElement.previousElementSibling.lastChild"
    assert browser.run(f"{more}.innerText") == "2 more columns"
    browser.run(f"{more}.click()")
    assert browser.run(f"{seen}.length") == 5
    assert browser.run(f"{more}.getAttribute('aria-pressed')") == "true"


def test_nothing_from_outside_is_loaded_or_run(browser, toy, tmp_path):
    """A negative control of the page's policy: what is put into the page does nothing."""
    bad = tmp_path / "bad.html"
    drawn(tmp_path / "other.png")
    more = "<img src='other.png'><script>document.title = 'changed'</script></main>"
    bad.write_text(toy.read_text().replace("</main>", more))
    browser.problems.clear()
    browser.open(bad, 1280)
    assert browser.run("document.title").endswith("toy <1>")
    assert browser.run("[...document.images].at(-1).naturalWidth") == 0
    assert len(browser.problems) == 2 and all("Security" in text for text in browser.problems)
    browser.problems.clear()


def check_accessible(browser, file, width, scheme):
    """Check a page by axe-core, whose script the environment variable AXE_CORE names."""
    scheme = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.send("Emulation.setEmulatedMedia", features=scheme)
    look_at(browser, file, width)
    browser.run(Path(os.environ["AXE_CORE"]).read_text(encoding="utf-8") + ";0")
    of = "v => [v.impact, v.id, v.nodes[0].html.slice(0, 200)]"
    found = browser.run(f"axe.run().then(r => r.violations.map({of}))")
    browser.send("Emulation.setEmulatedMedia", features=[])
    assert [one for one in found if one[0] in ("serious", "critical")] == []


@pytest.mark.skipif("AXE_CORE" not in os.environ, reason="AXE_CORE does not name axe.min.js")
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_axe_has_no_serious_finding(browser, toy, width, scheme):
    check_accessible(browser, toy, width, scheme)


@pytest.mark.skipif("AXE_CORE" not in os.environ, reason="AXE_CORE does not name axe.min.js")
def test_the_check_by_axe_fails_where_it_should(browser, tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text("<title>bad</title><main><p style='color: #bbb'>pale</p></main>")
    with pytest.raises(AssertionError, match="color-contrast"):
        check_accessible(browser, bad, 1280, "light")


def test_hovering_shows_a_points_text(browser, toy):
    look_at(browser, toy, 1280)
    browser.run("document.getElementById('map-1-0').scrollIntoView()")
    # Where the point of the word that is "</script>" is, from Bokeh's own scales.
    place = browser.run(
        """(() => { const view = Object.values(Bokeh.index.roots ?? Bokeh.index)
             .find(v => v.model.name === 'map-1-0');
           const box = view.canvas_view.el.getBoundingClientRect();
           return [box.x + view.frame.x_scale.compute(0),
                   box.y + view.frame.y_scale.compute(0)]; })()"""
    )
    browser.hover(*place)
    cells = "deep(document).filter(e => e.classList.contains('bk-tooltip-row-value'))"
    text = f"(() => {{ {DEEP} return {cells}.map(e => e.innerText).join(); }})()"
    browser.until(f"{text}.length > 0")
    assert "</script>" in browser.run(text) and "0.25" in browser.run(text)


def test_maps_are_coloured_by_choice(browser, toy):
    look_at(browser, toy, 1280)
    legend = "document.getElementById('legend-0').innerText"
    assert browser.run(legend).split()[:3] == ["0", "1", "2"]
    field = """Object.values(Bokeh.index.roots ?? Bokeh.index).find(v => v.model.name === 'map-0-0')
      .model.select_one('points').glyph.fill_color.field"""
    assert browser.run(field) == "class"
    choose = "(s => { s.value = '2'; s.dispatchEvent(new Event('change')); })"
    browser.run(f"{choose}(document.getElementById('modes-0'))")
    assert browser.run(field) == "noise" and "no noise" in browser.run(legend)


def test_utterances_are_found(browser, toy):
    look_at(browser, toy, 400)
    count = "document.getElementById('utterances-count').innerText"
    assert browser.run(count) == "130 of 130 utterances"
    search = (
        "(w => { w.value = 'WORD17 so'; w.dispatchEvent(new Event('input', {bubbles: true})); })"
    )
    browser.run(f"{search}(document.getElementById('utterances-words'))")
    assert browser.run(count) == "1 of 130 utterances"
    assert "<happy>" in browser.run("document.getElementById('utterances-list').innerText")


# Large pages

#: What the benchmark does to measure a filter, with a busy page or not.
BUSY = """document.getElementById("utterances-words").addEventListener("input", () => {
  const end = performance.now() + 400; while (performance.now() < end); })"""


def test_a_slow_filter_is_measured_as_slow(browser, toy):
    """A negative control of benchmarks/page.py; without `BUSY`, 400 ms would be missed by much."""
    browser.open(toy, 1280)
    browser.run(NOTES)
    browser.run(BUSY)
    assert browser.run(DO % FILTERS["words of utterances"]) >= 400
    assert browser.run(DO % ("no-such-id", "")) is None


def test_of_many_results_only_those_near_the_screen_are_laid_out(browser, tmp_path):
    items = []
    for i in range(MANY + 1):
        (tmp_path / f"t{i}.csv").write_text("a,b\n" + "1,2\n" * (i % 20 + 1))
        items.append(Item(str(tmp_path / f"t{i}.csv"), f"Result {i}", "All", f"Of {i}."))
    seen = (
        "[...document.querySelectorAll('.result')].map(e => "
        "e.firstElementChild.checkVisibility({contentVisibilityAuto: true}))"
    )
    for some, laid_out in ((items[:-1], MANY), (items, range(1, 20))):
        (tmp_path / "index.html").write_text(page("many", some, folder=tmp_path))
        browser.open(tmp_path / "index.html", 1280)
        browser.run("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        count = sum(browser.run(seen))
        assert count in laid_out if isinstance(laid_out, range) else count == laid_out
    # A link to a result further down leads to it, whatever those before it turn out to be high.
    browser.run("location.hash = '#all-result-150'")
    place = "document.getElementById('all-result-150').getBoundingClientRect().top"
    padding = "parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop)"
    browser.until(f"Math.abs({place} - {padding}) < 3", 20)
    assert browser.run("document.documentElement.scrollWidth") <= 1280


# Of a whole run


@pytest.mark.slow
def test_the_page_of_a_run(browser, finished):
    """Every table and figure is on it, whole, and it does as the toy does."""
    file = finished.folder / "results/index.html"
    for width in (1280, 400):
        check_readable(browser, file, width)
    check_spoken(browser, file)
    if "AXE_CORE" in os.environ:
        check_accessible(browser, file, 400, "light")
    text = file.read_text()
    assert len(text) < 12e6
    for table in (finished.folder / "results/tables").glob("*.csv"):
        assert f"<code>tables/{table.name}</code>" in text, table
        rows = list(csv.reader(table.open(newline="")))
        assert f", {len(rows) - 1} rows;" in text, table
        assert set(MAIN.get(table.stem, ())) <= set(rows[0]), table
    for figure in (finished.folder / "results/figures").iterdir():
        assert f"<code>figures/{figure.name}</code>" in text, figure
