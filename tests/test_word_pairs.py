"""N^2 pairs, and borrowed voices: hand-computed rows, disjoint speakers, bounded memory."""

import collections
import resource
import time

import numpy as np
import pyarrow as pa
import pytest

from ima.errors import InputError
from ima.schema import pairs_schema
from ima.schema_emotion import BORROWED, TEXT_TOKENS, TOKENS, UTTERANCES
from ima.word_pairs import borrow_voices, square, word_pairs


def test_every_token_with_every_token_of_its_utterance():
    first, second = square(["b", "b", "a", "c", "c", "c"])
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [
        *[(0, 0), (0, 1), (1, 0), (1, 1)],
        (2, 2),
        *[(3, 3), (3, 4), (3, 5), (4, 3), (4, 4), (4, 5), (5, 3), (5, 4), (5, 5)],
    ]
    assert first.dtype == second.dtype == np.int32


def test_tokens_that_are_not_usable_are_on_neither_side():
    usable = np.array([False, True, True, False, True, False])
    first, second = square(["b", "b", "b", "a", "c", "c"], usable)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [
        *[(1, 1), (1, 2), (2, 1), (2, 2)],
        (4, 4),
    ]


@pytest.mark.parametrize("usable", [None, np.zeros(3, bool)])
def test_nothing_to_pair(usable):
    first, second = square([] if usable is None else ["a", "a", "b"], usable)
    assert len(first) == len(second) == 0


def test_one_utterance_in_two_places():
    with pytest.raises(InputError, match="each utterance's together"):
        square(["a", "b", "a"])


def test_the_table():
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


def test_arrays_of_different_lengths():
    with pytest.raises(InputError, match=r"one row a token, found lengths \[1, 2\]"):
        word_pairs(["u", "u"], np.array([0]), np.array([0, 0]))


def test_twelve_hours_of_speech_fit():
    """10,039 utterances, 2 million pairs: two integers each, no copy of a feature."""
    rng = np.random.default_rng(0)
    lengths = 1 + rng.negative_binomial(2, 0.155, 10_039)
    utterances = np.repeat(np.arange(len(lengths)), lengths)
    words = rng.integers(0, 1215, utterances.size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    table = word_pairs(utterances, words, rng.integers(0, 4, utterances.size))
    seconds = time.process_time() - start
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert len(table) == (lengths.astype(int) ** 2).sum() > 2_000_000
    assert table.nbytes < 20 * len(table)
    assert grown_mb < 150 * len(table) / 2e6 and seconds < 5
    # Gathering a batch touches the rows of the batch only.
    verbal = np.arange(1215 * 200, dtype=np.float32).reshape(1215, 200)
    batch = table.slice(1_000_000, 64)["item_verbal"].to_numpy()
    assert verbal[batch].shape == (64, 200)


# Borrowed voices

SPEAKERS = {"01": 2, "02": 1, "03": 2}  # recordings of each class and speaker


def spoken():
    """Three speakers' recordings in classes 0 and 1, of a silence and three words each."""
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


def test_words_get_as_many_spans_of_their_emotion_and_split():
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


def test_a_recording_s_words_stay_in_order_and_are_used_evenly():
    utterances, tokens = spoken()
    table = borrow_voices(*both([0], [13]), utterances, tokens, ["03"], seed=1)
    rows = [row["row"] for row in table.to_pylist() if row["split"] == "validation"]
    runs = [rows[k : k + 3] for k in range(0, 12, 3)]
    assert all(run == [run[0], run[0] + 1, run[0] + 2] for run in runs)
    assert {run[0] for run in runs[:2]} == {run[0] for run in runs[2:]} and runs[0] != runs[1]


def test_the_seed_decides():
    utterances, tokens = spoken()
    given = (*both([0, 1] * 8, [3] * 16), utterances, tokens, ["03"])
    assert borrow_voices(*given, seed=0).equals(borrow_voices(*given, seed=0))
    assert not borrow_voices(*given, seed=0).equals(borrow_voices(*given, seed=1))


def test_no_one_to_borrow_from():
    utterances, tokens = spoken()
    for bad in ([], ["09"], list(SPEAKERS)):
        with pytest.raises(InputError, match="some, not all, of 01, 02, 03"):
            borrow_voices(*both([0], [2]), utterances, tokens, bad, seed=0)
    with pytest.raises(InputError, match="a train speaker with recordings of class 3, found none"):
        borrow_voices(*both([3], [2]), utterances, tokens, ["03"], seed=0)
