"""Sphinx-3 alignments, and the rules for their control tokens."""

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from ima.datasets.wdseg import keep_tokens, read_wdseg, token_of, wave_info
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import TOKENS

HEAD = "\t SFrm  EFrm    SegAScr Word\n"
TOTAL = " Total score:     -276191\n"
ROWS = [
    "\t    0    40     -17530 <s>\n",
    "\t   41    72     -17530 WHAT(2)\n",
    "\t   73   132         -1 <sil>\n",
    "\t  133   146    -258661 WELL\n",
    "\t  147   160         -1 ++LAUGHTER++\n",
    "\t  161   199         -1 </s>\n",
]


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "a.wdseg"
        path.write_text(text)
        return path

    return write


def test_frames_last_10_ms_and_include_the_end_frame(write):
    rows = read_wdseg(write(HEAD + "".join(ROWS) + TOTAL), 2.0)
    assert [(r["token"], r["kind"], r["start_s"], r["end_s"]) for r in rows] == [
        ("<s>", "edge", 0.0, 0.41),
        ("what", "word", 0.41, 0.73),
        ("sil", "silence", 0.73, 1.33),
        ("well", "word", 1.33, 1.47),
        ("laughter", "filler", 1.47, 1.61),
        ("</s>", "edge", 1.61, 2.0),
    ]
    assert [r["position"] for r in rows] == list(range(6))


def test_ends_slightly_after_the_recording_are_clipped(write):
    assert read_wdseg(write(HEAD + "".join(ROWS) + TOTAL), 1.96)[-1]["end_s"] == 1.96


def test_rows_may_share_a_frame(write):
    shared = "\t    0    15          0 DOOR\n\t   15    15          0 </s>\n"
    rows = read_wdseg(write(HEAD + shared + TOTAL), 0.16)
    assert [(r["start_s"], r["end_s"]) for r in rows] == [(0.0, 0.16), (0.15, 0.16)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty .wdseg"),
        (HEAD + TOTAL, "an empty .wdseg"),
        (HEAD + "".join(ROWS), "a last line 'Total score', found the end of the file after line 7"),
        (HEAD + "".join(ROWS)[:-20], "line 7: '161'"),
        (HEAD + ROWS[1] + "\t 80 70 -1 WELL\n" + TOTAL, "frames 80 to 70 in line 3"),
        (HEAD + ROWS[3] + ROWS[1] + TOTAL, "frames 41 to 72 in line 3 after a start at 133"),
        (
            HEAD + "\t  0  205  -1 WELL\n" + TOTAL,
            "within the 2.00 s of the recording, found 'WELL' until 2.06",
        ),
        (HEAD + "\t 200 201 -1 WELL\n" + TOTAL, "within the 2.00 s of the recording"),
        (HEAD + "\t -3 20 -1 WELL\n" + TOTAL, "line 2: '-3 20 -1 WELL'"),
    ],
)
def test_malformed_alignments_are_rejected(write, text, message):
    with pytest.raises(InputError, match=r"^alignment: ") as error:
        read_wdseg(write(text), 2.0)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("WHAT(2)", ("what", "word")),
        ("DON'T(12)", ("don't", "word")),
        ("I", ("i", "word")),
        ("SIL", ("sil", "silence")),
        ("<sil>", ("sil", "silence")),
        ("</s>", ("</s>", "edge")),
        ("++LIPSMACK++", ("lipsmack", "filler")),
    ],
)
def test_kinds_of_control_tokens(word, expected):
    assert token_of(word) == expected


def tokens(write):
    rows = read_wdseg(write(HEAD + "".join(ROWS) + TOTAL), 2.0)
    return pa.Table.from_pylist([{"utterance": "u", **row} for row in rows], schema=TOKENS)


@pytest.mark.parametrize(
    ("choice", "kept", "dropped"),
    [
        ({}, ["what", "sil", "well"], {"<s>": 1, "laughter": 1, "</s>": 1}),
        ({"silence": "drop"}, ["what", "well"], {"<s>": 1, "sil": 1, "laughter": 1, "</s>": 1}),
        ({"fillers": "keep"}, ["what", "sil", "well", "laughter"], {"<s>": 1, "</s>": 1}),
    ],
)
def test_keep_tokens_options(write, choice, kept, dropped):
    found, gone = keep_tokens(tokens(write), **choice)
    assert found["token"].to_pylist() == kept and gone == dropped
    assert found["position"].to_pylist()[:1] == [1]  # the place in the alignment


@pytest.mark.parametrize(
    ("words", "fillers", "kept"),
    [
        ("<sil> HELLO <sil>", "drop", "hello"),
        ("<sil> HELLO <sil> WORLD <sil>", "drop", "hello sil world"),
        ("HELLO <sil> ++LAUGHTER++ <sil>", "drop", "hello"),
        ("HELLO <sil> ++LAUGHTER++ <sil>", "keep", "hello sil laughter"),
        ("<sil> ++LAUGHTER++ <sil>", "drop", ""),
        ("HELLO <sil> ++LAUGHTER++ <sil> WORLD", "drop", "hello sil sil world"),
    ],
)
def test_pauses_are_tokens_only_between_others(words, fillers, kept):
    """Each utterance by itself: the next one's words do not count."""
    rows = []
    for utterance in "ab":
        for position, word in enumerate(["<s>", *words.split(), "</s>"]):
            token, kind = token_of(word)
            times = {"start_s": position / 10, "end_s": (position + 1) / 10}
            rows.append({"utterance": utterance, "position": position, **times})
            rows[-1] |= {"token": token, "kind": kind}
    found = keep_tokens(pa.Table.from_pylist(rows, schema=TOKENS), fillers=fillers)[0]
    assert found["token"].to_pylist() == kept.split() * 2


def test_keep_tokens_rejects_invalid_options(write):
    with pytest.raises(InputError, match="fillers: expected 'keep' or 'drop', found 'yes'"):
        keep_tokens(tokens(write), fillers="yes")


@pytest.mark.parametrize(
    ("shape", "rate", "found"),
    [
        ((160,), 8000, "160 samples at 8000 Hz"),
        ((160, 2), 16000, "sound: expected one channel, found 2 channels"),
        ((0,), 16000, "expected at least one sample"),
    ],
)
def test_wave_info_rejects_other_formats(tmp_path, shape, rate, found):
    samples = np.linspace(0, 0.5, np.prod(shape, dtype=int)).reshape(shape)
    soundfile.write(tmp_path / "a.wav", samples, rate)
    with pytest.raises(InputError) as error:
        wave_info(tmp_path / "a.wav", 16000)
    assert found in str(error.value)


def test_wave_info_rejects_unreadable_files(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF and nothing more")
    with pytest.raises(InputError, match="sound: expected audio: SPHERE"):
        wave_info(tmp_path / "a.wav", 16000)
