"""The page of a run: what is on it, and how it does in a browser, for the eye, keys and ears."""

import csv
import io
import itertools
import re

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from PIL import Image

from ima.reporting.page import captions, maps, pictures, tables
from ima.reporting.page.document import Item, page
from ima.utils.errors import InputError
from ima.utils.io import read_csv
from ima.utils.schemas import EMBEDDINGS
from ima.utils.schemas_emotion import EMBEDDINGS_EMOTION
from tests.chromium import Chromium, find

CLAIMS = """id,section,ours,verdict,link
b,6.2,0.8412,holds,results/tables/table1.csv
a,6.1,0.8409,does not hold: <rare>,results/tables/none.csv
c,5.4,,not testable on this data,
"""
TABLE1 = "run,model,k,empty,precision\n" + "".join(
    f"toy,M{i},10,,{(37 * i % 100) / 1000 + 1e-5}\n" for i in range(40)
)
CAPTION = "**Table 1.** Precision of ``x`` & more, of all pairs. *Data: the demo.*"


# Captions, tables, pictures


def test_captions():
    html = captions.as_html("**A <b>.** Of ``x``.\n\n*Data: the demo.*")
    assert html.count("<p>") == 2 and "<strong>A &lt;b&gt;.</strong>" in html
    assert captions.first_sentence(CAPTION) == "Table 1. Precision of x & more, of all pairs."
    assert captions.first_sentence("Short") == "Short"


def test_numbers_of_a_column_are_shown_alike():
    assert tables.shown([0.84119, None, 0.5, 0.00012, 12345.6]) == [
        *("0.841", "", "0.500", "0.00012", "12,346"),
    ]
    assert tables.shown([6.1, 5.0, None]) == ["6.1", "5", ""]  # none needs three decimals
    assert tables.shown([3, "a", True]) == ["3", "a", "True"]


def test_a_table_holds_every_value_and_escapes_text():
    table = read_csv(io.BytesIO(CLAIMS.encode()))
    html = tables.table_html(table, "Claims <1>", {"results/tables/table1.csv": "here"})
    assert html.count("<tr>") == 4 and html.count('scope="col"') == 5
    assert '<a href="#here">tables/table1.csv</a>' in html
    assert "results/tables/none.csv</td>" in html  # not on the page: no link
    assert "&lt;rare&gt;" in html and "<rare>" not in html and "Claims &lt;1&gt;" in html
    assert 'data-v="0.8412">0.841</td>' in html and 'data-v="0.8409">0.841</td>' in html
    assert [sign in html for sign in "✓✗–"] == [True] * 3


def test_names_for_looking_up_come_last():
    """A narrow screen shows the first columns: what is claimed, not how it is called."""
    table = pa.table({"id": ["a"], "sentence": ["It is."], "verdict": ["holds"]})
    html = tables.table_html(table, "T", {})
    assert html.index(">sentence<") < html.index(">verdict<") < html.index(">id<")


def test_columns_without_a_value_are_named_not_shown():
    html = tables.table_html(read_csv(io.BytesIO(TABLE1.encode())), "T", {})
    assert "<p>All rows: run toy. Columns without a value here: empty.</p>" in html
    assert html.count('scope="col"') == 3


def test_missing_table_is_rejected(tmp_path):
    with pytest.raises(InputError, match="expected a CSV table"):
        read_csv(tmp_path / "none.csv")


def drawn(path, width=900):
    figure = Figure(figsize=(width / 300, 2))
    figure.subplots().plot([0, 1])
    figure.savefig(path, dpi=300)
    return path


def test_pictures_are_of_the_page_and_no_wider_than_needed(tmp_path):
    html = pictures.picture(drawn(tmp_path / "a.png", 3000), 'a "b" <c>')
    assert 'width="1400"' in html and "&quot;b&quot; &lt;c&gt;" in html
    import base64

    data = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1])
    with Image.open(io.BytesIO(data)) as image:
        assert image.size[0] == 1400 and image.mode == "P"
        assert image.convert("L").getextrema()[0] < 60  # a line is drawn, not only white


def test_a_broken_picture_is_named(tmp_path):
    broken = drawn(tmp_path / "a.png")
    broken.write_bytes(broken.read_bytes()[:300])
    for path in (broken, tmp_path / "none.png"):
        with pytest.raises(InputError, match=rf"{path.name}: expected a PNG file"):
            pictures.picture(path, "broken")


# Maps


def embeddings(n=60):
    rng = np.random.default_rng(0)
    views = ["hidden_image", "u_speech", "z"]
    columns = {
        "view": [view for view in views for _ in range(n)],
        "pair": [*range(n)] * 3,
        "label": [i % 10 for i in range(n)] * 3,
        "pair_type": ["image_noise" if i % 7 == 0 else "clean" for i in range(n)] * 3,
        "noise": [i % 7 == 0 for i in range(n)] * 3,
        "x": rng.normal(size=3 * n),
        "y": rng.normal(size=3 * n),
    }
    return pa.table(columns).cast(EMBEDDINGS)


Y = {"image": np.linspace(0, 1, 80), "speech": np.linspace(1, 0, 80)}


def test_hover_text_matches_the_tables():
    found = maps.pair_maps(embeddings(), Y, list("0123456789"), noise=True)
    assert [panel.title for panel in found.panels] == [
        *("image, importance network", "speech, encoder", "joint"),
    ]
    image, speech, joint = (panel.columns for panel in found.panels)
    assert image["class"][:8].tolist() == [-1, 1, 2, 3, 4, 5, 6, -1]  # noise is grey
    assert joint["class"][:8].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]  # but not what is joint
    assert image["importance"][10] == pytest.approx(10 / 79)
    assert speech["importance"][10] == pytest.approx(1 - 10 / 79)
    assert joint["importance"][10] == pytest.approx(10 / 79)
    assert [mode.label for mode in found.modes] == [
        *("digit, colours of the paper", "digit, for the colour-blind", "noise", "importance"),
    ]


def test_maps_of_data_without_labels_or_known_noise():
    found = maps.pair_maps(embeddings(), Y, [], noise=False)
    assert [mode.label for mode in found.modes] == ["importance"]
    assert [name for name, _ in found.panels[0].hover] == ["pair", "importance, image"]


def emotion_embeddings():
    columns = {
        "view": ["verbal", "verbal", "acoustic"],
        "item": [1, 0, 7],
        "category": ["sad", "not emotional", "angry"],
        "importance": [0.25, 0.5, 0.75],
        "x": [0.0, 1.0, 2.0],
        "y": [0.0, 1.0, 2.0],
    }
    return pa.table(columns).cast(EMBEDDINGS_EMOTION)


def test_maps_of_words_and_voices():
    found = maps.emotion_maps(emotion_embeddings(), ["the", "grief"])
    words, voices = (panel.columns for panel in found.panels)
    assert words["word"] == ["grief", "the"] and words["class"].tolist() == [1, -1]
    assert [mode.label for mode in found.modes] == [
        *("emotion, colours of the paper", "emotion, for the colour-blind", "importance"),
    ]
    assert found.modes[0].names == ["angry", "sad"] and voices["class"].tolist() == [0]
    assert list(found.modes[0].colours) == ["red", "yellow"]


# In a browser


def utterance(i):
    return {
        **{"id": f"u{i}", "speaker": "s", "label": i % 4, "split": "validation"},
        **{"tokens": ["so", "<happy>", f"word{i}"] * 3, "verbal": [0.1, 0.9, None] * 3},
        "acoustic": [0.2, 0.5, 0.7] * 3,
    }


def written(folder):
    """Write a page with all kinds of results."""
    (folder / "claims.csv").write_text(CLAIMS)
    for name in ("table1", "resources"):
        (folder / f"{name}.csv").write_text(TABLE1)
    drawn(folder / "figure2.png", 2100)
    items = [
        Item(str(folder / "table1.csv"), "Table 1", "Section 6.2, representations", CAPTION),
        Item(
            str(folder / "figure2.png"),
            "Figure 2",
            "Section 6.1, importances",
            "**Figure 2.** A line that rises.",
        ),
        Item(str(folder / "claims.csv"), "Claims", "Claims", "What the paper says."),
        Item(str(folder / "resources.csv"), "Resources", "The run", "Time and memory."),
    ]
    explored = [
        maps.pair_maps(embeddings(), Y, list("0123456789"), noise=True),
        maps.emotion_maps(emotion_embeddings(), ["the", "</script>"]),
    ]
    text = page("toy", items, explored, [utterance(i) for i in range(130)])
    (folder / "index.html").write_text(text, encoding="utf-8")
    return folder / "index.html"


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
    state = "[...document.querySelectorAll('#table th')].map(th => th.getAttribute('aria-sort'))"
    assert browser.run(state)[at] == "ascending"
    rising = column(browser, at)
    assert rising == sorted(before, key=float) != before
    browser.press("Enter", 13)
    assert browser.run(state)[at] == "descending" and browser.run(state).count("none") == at
    assert column(browser, at) == rising[::-1]


def test_values_that_are_shown_alike_are_sorted_by_what_they_are(browser, toy):
    look_at(browser, toy, 1280)
    browser.run("document.querySelector('table.sorted').id = 'table'")
    for _ in range(2):  # the empty one is last either way
        browser.run("document.querySelectorAll('#table th button')[1].click()")
        assert column(browser, 4)[-1] == "c"
    assert column(browser, 4) == ["b", "a", "c"]


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


def test_claims_are_first_and_the_run_last(browser, toy):
    look_at(browser, toy, 1280)
    heads = browser.run("[...document.querySelectorAll('h2')].map(h => h.innerText)")
    assert heads[0] == "Claims" and heads[-1] == "The run"
    assert heads[1:3] == ["Section 6.1, importances", "Section 6.2, representations"]


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


# Of a whole run


@pytest.mark.slow
def test_the_page_of_a_run(browser, finished):
    """Every table and figure is on it, whole, and it does as the toy does."""
    file = finished.folder / "results/index.html"
    for width in (1280, 400):
        check_readable(browser, file, width)
    check_spoken(browser, file)
    text = file.read_text()
    assert len(text) < 12e6
    for table in (finished.folder / "results/tables").glob("*.csv"):
        assert f"<code>results/tables/{table.name}</code>" in text, table
        rows = list(csv.reader(table.open(newline="")))
        caption = re.search(rf"<code>results/tables/{table.name}</code>", text)
        assert caption and f", {len(rows) - 1} rows;" in text, table
    for figure in (finished.folder / "results/figures").iterdir():
        assert f"<code>results/figures/{figure.name}</code>" in text, figure
