"""N^2 pairs and borrowed voices: hand-computed rows, disjoint speakers, bounded memory."""

import collections
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from ima.datasets.voices import borrow_voices
from ima.pairing import words_voices
from ima.pairing.words_voices import split_pairs, token_items, utterance_pairs, word_pairs
from ima.utils.errors import InputError
from ima.utils.schemas import pairs_schema
from ima.utils.schemas_emotion import (
    BORROWED,
    EMOTION_TOKENS,
    EMOTION_UTTERANCES,
    ITEMS_EMOTION,
    TEXT_TOKENS,
    TOKENS,
    UTTERANCES,
)


def test_tokens_are_paired_with_all_tokens_of_their_utterance():
    first, second = utterance_pairs(["b", "b", "a", "c", "c", "c"])
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [
        *[(0, 0), (0, 1), (1, 0), (1, 1)],
        (2, 2),
        *[(3, 3), (3, 4), (3, 5), (4, 3), (4, 4), (4, 5), (5, 3), (5, 4), (5, 5)],
    ]
    assert first.dtype == second.dtype == np.int32


def test_unusable_tokens_are_in_no_pair():
    usable = np.array([False, True, True, False, True, False])
    first, second = utterance_pairs(["b", "b", "b", "a", "c", "c"], usable)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [
        *[(1, 1), (1, 2), (2, 1), (2, 2)],
        (4, 4),
    ]


@pytest.mark.parametrize("usable", [None, np.zeros(3, bool)])
def test_no_tokens_give_no_pairs(usable):
    first, second = utterance_pairs([] if usable is None else ["a", "a", "b"], usable)
    assert len(first) == len(second) == 0


def test_scattered_tokens_of_an_utterance_are_rejected():
    with pytest.raises(InputError, match="consecutive tokens of each utterance"):
        utterance_pairs(["a", "b", "a"])


def test_word_pairs_table():
    words = np.array([7, -1, 5, 7])  # of a vocabulary; the second token has no vector
    table = word_pairs(["u", "u", "u", "v"], words, np.array([3, 3, 3, -1]), [10, 11, 12, 13])
    assert table.schema == pairs_schema(["verbal", "acoustic"])
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (7, 10, 3, "own"),
        (7, 12, 3, "other"),
        (5, 10, 3, "other"),
        (5, 12, 3, "own"),
        (7, 13, -1, "own"),
    ]


def test_arrays_of_different_lengths_are_rejected():
    with pytest.raises(InputError, match=r"one row per token, found lengths \[1, 2\]"):
        word_pairs(["u", "u"], np.array([0]), np.array([0, 0]))


def test_twelve_hours_of_speech_fit_in_memory():
    """10,039 utterances, 2 million pairs: two integers each, no copy of a feature."""
    rng = np.random.default_rng(0)
    lengths = 1 + rng.negative_binomial(2, 0.155, 10_039)
    utterances = np.repeat(np.arange(len(lengths)), lengths)
    words = rng.integers(0, 1215, utterances.size)
    tracemalloc.start()
    table = word_pairs(utterances, words, rng.integers(0, 4, utterances.size))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(table) == (lengths.astype(int) ** 2).sum() > 2_000_000
    assert table.nbytes < 20 * len(table)
    assert peak < 75 * len(table)
    # Gathering a batch touches the rows of the batch only.
    verbal = np.arange(1215 * 200, dtype=np.float32).reshape(1215, 200)
    batch = table.slice(1_000_000, 64)["item_verbal"].to_numpy()
    assert verbal[batch].shape == (64, 200)


# Borrowed voices

SPEAKERS = {"01": 2, "02": 1, "03": 2}  # recordings of each class and speaker


def spoken():
    """Recordings of three speakers in classes 0 and 1, each with a silence and three words."""
    utterances, tokens = [], []
    blank = {
        "corpus": "r",
        "sex": "",
        "emotion": "",
        "text": "",
        "file": "",
        "rate": 1,
        "samples": 1,
    }
    for speaker, n in SPEAKERS.items():
        for label in (0, 1):
            for take in range(n):
                name = f"{speaker}-{label}-{take}"
                utterances.append(
                    {"id": name, "session": speaker, "speaker": speaker, "label": label, **blank}
                )
                for k, word in enumerate(("sil", "a", "b", "c")):
                    kind = "word" if k else "silence"
                    row = {"utterance": name, "position": k, "token": word, "kind": kind}
                    tokens.append({**row, "start_s": k * 1.0, "end_s": k + 1.0})
    return pa.Table.from_pylist(utterances, UTTERANCES), pa.Table.from_pylist(tokens, TOKENS)


def texts(labels, lengths, session="train"):
    blank = {
        "corpus": "m",
        "sex": "",
        "emotion": "",
        "text": "",
        "file": "",
        "rate": 0,
        "samples": 0,
    }
    rows = [
        {"id": f"{session}{i}", "session": session, "speaker": "x", "label": label, **blank}
        for i, label in enumerate(labels)
    ]
    words = [
        {"utterance": f"{session}{i}", "position": k, "token": "w"}
        for i, n in enumerate(lengths)
        for k in range(n)
    ]
    return pa.Table.from_pylist(rows, UTTERANCES), pa.Table.from_pylist(words, TEXT_TOKENS)


def both(labels, lengths):
    parts = [texts(labels, lengths, session) for session in ("train", "test")]
    return [pa.concat_tables(tables) for tables in zip(*parts, strict=True)]


def test_texts_borrow_spans_of_their_emotion_and_split():
    utterances, tokens = spoken()
    labels, lengths = [0, 1, -1, 1], [2, 7, 3, 4]
    table = borrow_voices(*both(labels, lengths), utterances, tokens, ["03"], seed=0)
    assert table.schema == BORROWED
    rows = table.to_pylist()
    assert collections.Counter(row["utterance"] for row in rows) == {
        f"{session}{i}": lengths[i] for session in ("train", "test") for i in (0, 1, 3)
    }
    kinds, of = tokens["kind"].to_pylist(), tokens["utterance"].to_pylist()
    for row in rows:
        speaker, label, _ = of[row["row"]].split("-")
        assert kinds[row["row"]] == "word" and speaker == row["speaker"]
        assert int(label) == labels[int(row["utterance"][-1])]
        assert row["split"] == ("train" if row["utterance"].startswith("train") else "validation")
        assert (speaker == "03") == (row["split"] == "validation")
    assert len({(row["utterance"], row["speaker"]) for row in rows}) == 6  # one speaker a text


def test_borrowed_words_stay_in_order_and_are_used_evenly():
    utterances, tokens = spoken()
    table = borrow_voices(*both([0], [13]), utterances, tokens, ["03"], seed=1)
    rows = [row["row"] for row in table.to_pylist() if row["split"] == "validation"]
    runs = [rows[k : k + 3] for k in range(0, 12, 3)]
    assert all(run == [run[0], run[0] + 1, run[0] + 2] for run in runs)
    assert {run[0] for run in runs[:2]} == {run[0] for run in runs[2:]} and runs[0] != runs[1]


def test_borrowed_voices_depend_on_the_seed():
    utterances, tokens = spoken()
    given = (*both([0, 1] * 8, [3] * 16), utterances, tokens, ["03"])
    assert borrow_voices(*given, seed=0).equals(borrow_voices(*given, seed=0))
    assert not borrow_voices(*given, seed=0).equals(borrow_voices(*given, seed=1))


def test_missing_voices_are_rejected():
    utterances, tokens = spoken()
    for bad in ([], ["09"], list(SPEAKERS)):
        with pytest.raises(InputError, match="some, but not all, of 01, 02, 03"):
            borrow_voices(*both([0], [2]), utterances, tokens, bad, seed=0)
    with pytest.raises(InputError, match="a train speaker with recordings of class 3, found none"):
        borrow_voices(*both([3], [2]), utterances, tokens, ["03"], seed=0)


def small_corpus(utterances=20, tokens=4):
    """Utterances of the words a, b, c, d; every fourth is a validation utterance."""
    about = {"corpus": "c", "session": "1", "speaker": "s", "emotion": "", "text": ""}
    rows = [
        {"id": f"u{i:02d}", "label": i % 4, "split": "train" if i % 4 else "validation", **about}
        for i in range(utterances)
    ]
    words = [
        {"utterance": f"u{i:02d}", "position": k, "token": "abcd"[k], "kind": "word"}
        | {"span": i * tokens + k}
        for i in range(utterances)
        for k in range(tokens)
    ]
    return (
        pa.Table.from_pylist(rows, EMOTION_UTTERANCES),
        pa.Table.from_pylist(words, EMOTION_TOKENS),
    )


def test_token_items_keeps_words_with_vectors():
    items = token_items(*small_corpus(2), ["d", "b"])
    assert items.schema == ITEMS_EMOTION
    assert [tuple(row.values()) for row in items.to_pylist()] == [
        ("u00", 1, "b", 0, "validation", 1, 1),
        ("u00", 3, "d", 0, "validation", 0, 3),
        ("u01", 1, "b", 1, "train", 1, 5),
        ("u01", 3, "d", 1, "train", 0, 7),
    ]


def test_utterances_without_a_word_of_the_vocabulary_are_logged(caplog):
    """Five of twenty are validation utterances, of class 0; three lose all their words."""
    utterances, tokens = small_corpus()
    assert words_voices.warn_of_unscored(utterances, token_items(utterances, tokens, ["a"])) == 0
    assert not caplog.records
    gone = ("u00", "u08", "u16", "u01")  # the last is a training utterance
    rows = tokens.to_pylist()
    rows = [r | ({"token": "x"} if r["utterance"] in gone else {}) for r in rows]
    items = token_items(utterances, pa.Table.from_pylist(rows, EMOTION_TOKENS), ["a", "b"])
    assert words_voices.warn_of_unscored(utterances, items) == 3
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "3 of 5 validation utterances of a class have no word of the voc" in caplog.text
    # Utterances of no class are never scored.
    rows = [row | {"label": -1} for row in utterances.to_pylist()]
    caplog.clear()
    of_none = pa.Table.from_pylist(rows, EMOTION_UTTERANCES)
    assert words_voices.warn_of_unscored(of_none, items) == 0 and not caplog.records


def test_utterances_are_held_out_once():
    items = token_items(*small_corpus(), ["a", "b", "c", "d"])
    names = words_voices.held_out_utterances(items, 0.8, np.random.default_rng(0))
    assert len(names) == len(set(names.tolist())) == 12  # of 15 for training


def test_split_pairs_holds_out_training_utterances():
    items = token_items(*small_corpus(), ["a", "b", "c", "d"])
    train, stop = split_pairs(items, validation_share=0.2, max_pairs=None, seed=0)
    assert len(train) == 12 * 16 and len(stop) == 3 * 16  # 15 training utterances of 4 tokens
    of = [{row // 4 for row in part["item_acoustic"].to_pylist()} for part in (train, stop)]
    assert not of[0] & of[1] and of[0] | of[1] == {i for i in range(20) if i % 4}
    few, same = split_pairs(items, validation_share=0.2, max_pairs=50, seed=0)
    assert len(few) == 50 and same.equals(stop)
    rows = set(zip(*(train[name].to_pylist() for name in train.column_names[:2]), strict=True))
    assert len({(r["item_verbal"], r["item_acoustic"]) for r in few.to_pylist()} & rows) == 50
    other = split_pairs(items, validation_share=0.2, max_pairs=None, seed=1)[1]
    assert not other.equals(stop)


@pytest.mark.parametrize("limit", [10, 1000])
def test_pairs_beyond_the_limit_are_drawn_without_a_list(monkeypatch, limit, caplog):
    """Of 192 pairs, each is drawn as often: 20 of 192 in 300 draws is 31 times, deviation 5.3."""
    items = token_items(*small_corpus(), ["a", "b", "c", "d"])
    all_pairs, all_stop = split_pairs(items, validation_share=0.2, max_pairs=None, seed=0)
    caplog.set_level("INFO")
    monkeypatch.setattr(words_voices, "LISTED", limit)
    train, stop = split_pairs(items, validation_share=0.2, max_pairs=20, seed=0)
    numbers = [all_pairs.to_pylist().index(pair) for pair in train.to_pylist()]
    assert (
        numbers == sorted(set(numbers))
        and len(train) == 20
        and len(stop) == min(limit, len(all_stop))
    )
    assert "20 of 192 pairs are drawn at random" in caplog.text
    rng = np.random.default_rng(0)
    drawn = [words_voices._drawn(20, rng, 192) for _ in range(300)]
    assert all(len(set(numbers.tolist())) == 20 for numbers in drawn)
    counts = np.bincount(np.concatenate(drawn), minlength=192)
    assert abs(counts - 31.25).max() < 5 * 5.3 and 4 < counts.std() < 7


def test_split_pairs_needs_utterances_on_both_sides():
    items = token_items(*small_corpus(2), ["a"])
    with pytest.raises(InputError, match="1, of which 0 are held out"):
        split_pairs(items, validation_share=0.1, max_pairs=None, seed=0)
