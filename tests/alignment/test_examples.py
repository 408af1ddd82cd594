"""Selection of recordings for inspection."""

import math

import pyarrow as pa

from ima.alignment.examples import choose
from ima.utils.schemas import RECORDINGS, SEGMENTS


def tables(*rows):
    """Return RECORDINGS and SEGMENTS of (id, group, digits, doubtful, loglik)."""
    recordings, segments = [], []
    for id_, group, digits, doubtful, loglik in rows:
        corpus, speaker, _ = id_.split("/")
        recordings.append((id_, corpus, "train", speaker, group, digits, id_))
        for i, digit in enumerate(digits):
            segments.append((id_, i, digit, i / 2, i / 2 + 0.4, loglik, doubtful))
    return tuple(
        pa.Table.from_pylist([dict(zip(s.names, row, strict=True)) for row in of], schema=s)
        for s, of in ((RECORDINGS, recordings), (SEGMENTS, segments))
    )


ROWS = [
    ("t/aa/1", "man", "123", "", -1.0),
    ("t/aa/2", "man", "456", "", -1.0),
    ("t/aa/3", "man", "789", "", -1.0),
    ("t/aa/4", "man", "1", "", -1.0),
    ("t/bb/1", "woman", "1", "", -1.0),
    ("t/bb/2", "woman", "1234567", "lasts 2.000 s, not 0.07-1.2 s", -2.0),
    ("t/bb/3", "woman", "12", "lasts 0.010 s, not 0.07-1.2 s; sounds more like '1'", -9.0),
    ("t/bb/4", "woman", "15", "sounds more like '1' than '15'", -8.0),
    ("t/bb/5", "woman", "5", "digital silence", math.nan),
    ("f/s1/1", "unknown", "1", "", -1.0),
    ("f/s2/1", "unknown", "1", "", -1.0),
]


def test_choose_selects_groups_longest_and_doubtful():
    assert choose(*tables(*ROWS)) == [
        ("f/s1/1", "f, s1"),  # without a group, one of each speaker
        ("f/s2/1", "f, s2"),
        ("t/aa/2", "t, man"),  # the middle one of the strings
        ("t/bb/1", "t, woman"),  # the only one without doubt
        ("t/bb/2", "t, longest"),
        ("t/bb/5", "doubtful: digital silence"),
        ("t/bb/3", "doubtful: duration"),  # the least likely; t/bb/2 is there already
        ("t/bb/4", "doubtful: sounds like another digit"),  # the least likely that isn't there yet
    ]


def test_choose_does_not_depend_on_the_row_order():
    assert choose(*tables(*reversed(ROWS))) == choose(*tables(*ROWS))


def test_choose_selects_a_doubtful_recording_if_all_are_doubtful():
    assert choose(*tables(("t/aa/1", "man", "12", "digital silence", math.nan))) == [
        ("t/aa/1", "t, man")
    ]
