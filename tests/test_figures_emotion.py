"""Figures 3 and 5, and the page: what is chosen, drawn and embedded."""

import json
import re

import numpy as np
import pyarrow as pa
import pytest

from ima.embed_emotion import draw_voices, embed_items, voice_categories, word_categories
from ima.errors import InputError
from ima.figures import save
from ima.figures_emotion import choose, figure3, figure5
from ima.schema_emotion import CLASSES, EMBEDDINGS_EMOTION, ITEMS_EMOTION, LEXICON
from ima.utterance_page import page


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
    with pytest.raises(InputError, match="five validation utterances"):
        choose([item for item in FIVE if item["id"] in ("01", "11", "21", "31")])


def test_figure_3_shows_every_word_in_the_colour_of_its_importance(tmp_path):
    figure = figure3(choose(FIVE), "toy")
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["word"] * 8
    colours = [patch.get_facecolor()[:3] for patch in axes.patches[::2]]
    # 0 is blue, .5 grey, and a word without a vector white.
    assert colours[0][2] > colours[0][0] and colours[7] == (1, 1, 1)
    assert abs(colours[1][0] - colours[1][2]) < 0.1
    save(figure, tmp_path / "figure3.png")
    assert (tmp_path / "figure3.png").stat().st_size > 5000


def test_page_holds_all_utterances_and_asks_for_nothing():
    wild = {**FIVE[0], "tokens": ["</script><b>", "&", *["x"] * 6]}
    text = page([wild, *FIVE[1:]], "a<b", "made & constructed")
    data = json.loads(re.search(r'id="utterances-data">(.*?)</script>', text, re.S)[1])
    assert len(data["utterances"]) == len(FIVE)
    assert data["utterances"][0][4][0] == "</script><b>"
    assert data["utterances"][1][5][:2] == [0, 50] and data["utterances"][1][5][-1] is None
    assert not re.search(r"https?://|src=|@import|url\(", text)
    assert "a&lt;b" in text and "made &amp; constructed" in text and "innerHTML" not in text


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
    save(figure, tmp_path / "figure5.pdf")
    with pytest.raises(InputError, match="a view 'acoustic'"):
        figure5(table.slice(0, 40), "toy")
