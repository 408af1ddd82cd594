"""Figures 3 and 5, and the page: what is chosen, drawn and embedded."""

import json
import re

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.colors import to_hex

from ima.evaluation.emotion.tsne import draw_voices, embed_items, voice_categories, word_categories
from ima.reporting.figures import save
from ima.reporting.figures.emotion import choose, figure3, figure5
from ima.reporting.figures.palettes import PALETTES, PAPER, SHADES
from ima.reporting.page.scripts import UTTERANCES
from ima.reporting.page.style import STYLE
from ima.reporting.page.utterances import search_html
from ima.utils.emotions import CLASSES
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import EMBEDDINGS_EMOTION, ITEMS_EMOTION, LEXICON


def utterance(name, label, low, high, split="validation", tokens=8):
    verbal = [low, high, *[low] * (tokens - 3), None]
    return {
        **{"id": name, "speaker": "x", "label": label, "split": split},
        **{"tokens": ["word"] * tokens, "verbal": verbal, "acoustic": verbal},
    }


FIVE = [
    *(utterance(f"{i}{n}", i, 0, high) for i in range(4) for n, high in enumerate((0.1, 0.5, 0.9))),
    utterance("long", 0, 0, 1, tokens=40),
    utterance("trained", 0, 0, 1, split="train"),
    utterance("other", -1, 0, 0.95),
]  # fmt: skip


def test_five_utterances_are_chosen_by_the_rule_and_not_by_their_order():
    for order in (FIVE, FIVE[::-1]):
        found = [(item["id"], why.split(":")[0]) for item, why in choose(order)]
        assert found == [
            *[(f"{i}1", name) for i, name in enumerate(CLASSES)],
            ("other", "greatest range of importances"),
        ]


def test_too_few_utterances_are_an_error():
    with pytest.raises(InputError, match="a validation utterance of sad, found none"):
        choose([item for item in FIVE if item["label"] != 3])
    with pytest.raises(InputError, match="5 validation utterances"):
        choose([item for item in FIVE if item["id"] in ("01", "11", "21", "31")])


def test_each_class_of_the_run_is_chosen_from():
    frustrated = utterance("51", 5, 0, 0.5)
    found = [item["id"] for item, _ in choose([*FIVE, frustrated], (*CLASSES, "frustrated"))]
    assert found == ["01", "11", "21", "31", "51", "other"]


def test_figure_3_shows_every_word_in_the_colour_of_its_importance(tmp_path):
    figure = figure3(choose(FIVE), "toy")
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["word"] * 8
    boxes = axes.patches[::2]
    # From white at 0 to dark blue at 1; a word without a vector is white in a dashed frame.
    low, high = FIVE[1]["verbal"][:2]
    assert (low, high) == (0, 0.5)
    assert [to_hex(box.get_facecolor()) for box in boxes[:2]] == ["#ffffff", to_hex(SHADES(0.5))]
    assert to_hex(boxes[7].get_facecolor()) == "#ffffff"
    assert boxes[0].get_linestyle() == "-" != boxes[7].get_linestyle()
    save(figure, tmp_path / "figure3.png")
    assert (tmp_path / "figure3.png").stat().st_size > 5000


def test_words_grow_darker_with_importance_and_are_written_so_that_they_are_read():
    items = [utterance(f"{i}", i % 4, 0.1, high) for i, high in enumerate((0.3, 0.6, 0.7, 1))]
    figure = figure3([(item, "") for item in items], "toy")
    light, text = [], []
    for axes in figure.axes[:4]:
        light.append(sum(axes.patches[2].get_facecolor()[:3]))
        text.append(axes.texts[1].get_color())
    assert light == sorted(light, reverse=True) and len(set(light)) == 4
    assert text == ["black", "black", "white", "white"]


def test_page_shades_words_as_the_figure_does():
    text = UTTERANCES + STYLE
    assert "linear-gradient(90deg, #fff, #08306b)" in text and to_hex(SHADES(1.0)) == "#08306b"
    ends = re.findall(r"mix\(255, (\d+)\)", text)
    assert [int(end) for end in ends] == [0x08, 0x30, 0x6B]


def test_page_holds_all_utterances_and_asks_for_nothing():
    wild = {**FIVE[0], "tokens": ["</script><b>", "&", *["x"] * 6]}
    text = search_html([wild, *FIVE[1:]])
    data = json.loads(re.search(r'id="utterances-data">(.*?)</script>', text, re.S)[1])
    assert len(data["utterances"]) == len(FIVE)
    assert data["utterances"][0][4][0] == "</script><b>"
    assert data["utterances"][1][5][:2] == [0, 50] and data["utterances"][1][5][-1] is None
    assert not re.search(r"https?://|src=|@import|url\(", text)
    assert "innerHTML" not in UTTERANCES


def lexicon(*rows):
    names = ("sad", "anger", "anxiety", "negative", "positive")
    made = [
        {"word": "w", **{name: name in row for name in names}, "emotional": bool(row)}
        for row in rows
    ]
    return pa.Table.from_pylist(made, schema=LEXICON)


def test_categories_of_words_and_voices():
    words = lexicon(("sad", "negative"), (), ("positive",), ("negative", "anger"))
    assert word_categories(words) == ["sad", "not emotional", "positive", "anger"]
    assert voice_categories([0, 2, -1]) == ["angry", "neutral", "other"]


def items(n):
    rows = [
        {"utterance": "u", "position": i, "token": "", "label": i % 4, "item_verbal": 0}
        | {"item_acoustic": i // 2, "split": "validation" if i < n - 10 else "train"}
        for i in range(n)
    ]
    return pa.Table.from_pylist(rows, schema=ITEMS_EMOTION)


def test_voices_that_are_shown_are_of_the_validation_part_each_once():
    shown = draw_voices(items(100), 30, seed=0)
    voices = shown["item_acoustic"].to_pylist()
    assert len(voices) == len(set(voices)) == 30 and max(voices) < 45
    assert draw_voices(items(100), 1000, 0)["item_acoustic"].to_pylist() == list(range(45))
    assert shown.equals(draw_voices(items(100), 30, seed=0))


def assert_colours(figure, table):
    """The points of each panel of Figure 5 have the colour of their emotion, or importance."""
    for view, (left, right) in {"verbal": figure.axes[:2], "acoustic": figure.axes[2:4]}.items():
        rows = {(row["x"], row["y"]): row for row in table.to_pylist() if row["view"] == view}
        found = 0
        for points in left.collections:
            for xy, colour in zip(points.get_offsets(), points.get_facecolors(), strict=True):
                category = rows[tuple(np.asarray(xy, np.float32).tolist())]["category"]
                assert to_hex(colour) == to_hex(PAPER.emotions[category])
                found += 1
        assert found == len(rows)
        points = right.collections[0]
        points.update_scalarmappable()
        for xy, colour in zip(points.get_offsets(), points.get_facecolors(), strict=True):
            y = rows[tuple(np.asarray(xy, np.float32).tolist())]["importance"]
            assert to_hex(colour) == to_hex(PAPER.importance(y))
        # The most important is blue, the least red.
        ends = [max(rows.values(), key=lambda row: s * row["importance"]) for s in (1, -1)]
        blue, red = (PAPER.importance(row["importance"]) for row in ends)
        assert blue[2] > 0.9 > blue[0] and red[0] > 0.9 > red[2]


def test_figure_5_marks_what_is_emotional():
    rng = np.random.default_rng(0)
    words = ["positive", "anger", "sad", *["not emotional"] * 7]
    voices = ["happy", "angry", "sad", "neutral", "other"] * 2
    columns = {"view": ["verbal"] * 10 + ["acoustic"] * 10, "item": [*range(10)] * 2}
    columns |= {"category": [*words, *voices], "importance": rng.random(20)}
    columns |= {axis: rng.normal(size=20) for axis in "xy"}
    table = pa.table(columns).cast(EMBEDDINGS_EMOTION)
    for name, palette in PALETTES.items():
        figure = figure5(table, "toy", palette)
        plain, marked = figure.axes[0].collections
        assert (len(plain.get_offsets()), len(marked.get_offsets())) == (7, 3)
        assert plain.get_sizes()[0] < marked.get_sizes()[0]
        shown = {to_hex(c) for c in figure.axes[2].collections[1].get_facecolors()}
        paper = {"#0000ff", "#ff0000", "#ffff00"}
        assert (shown == paper) == (name == "paper") and len(shown) == 3


def test_embedding_and_figure_5(tmp_path):
    rng = np.random.default_rng(0)
    u = {"verbal": rng.normal(size=(40, 5)), "acoustic": rng.normal(size=(50, 5))}
    y = {"verbal": np.linspace(0, 1, 40), "acoustic": np.linspace(0, 1, 50)}
    words = lexicon(*[("sad",), ()] * 20)
    shown = draw_voices(items(100), 45, 0)
    table = embed_items(u, y, words, shown, perplexity=5, theta=0.5, seed=0)
    assert table.schema == EMBEDDINGS_EMOTION and len(table) == 40 + 45
    assert table["importance"].to_pylist()[39] == pytest.approx(1)
    figure = figure5(table, "toy")
    titles = [axes.get_title() for axes in figure.axes[:4]]
    assert titles == [
        *("(a) words, emotion", "(b) words, importance"),
        *("(c) voices, emotion", "(d) voices, importance"),
    ]
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == ["sad", "not emotional"]
    assert_colours(figure, table)
    save(figure, tmp_path / "figure5.pdf")
    with pytest.raises(InputError, match="a view 'acoustic'"):
        figure5(table.slice(0, 40), "toy")
