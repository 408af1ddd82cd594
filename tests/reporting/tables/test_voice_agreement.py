"""The table of agreement: what agrees by construction does, and its control does not."""

import numpy as np
import pytest

from ima.evaluation.voice_agreement import RELATED, SAME, Feature, Reference
from ima.features.covarep.dictionary import COLUMNS, NAMES
from ima.reporting.tables.voice_agreement import AGREEMENT, agreement_table, shuffled

SHARES = (0.5, 0.4, 0.3)


def feature(name, ours, theirs, speaker=None, kind=SAME, alike=True):
    column = COLUMNS[NAMES.index(name)]
    who = np.array(["a"] * len(ours) if speaker is None else speaker, dtype=object)
    return Feature(column, kind, "theirs", np.asarray(ours), np.asarray(theirs), who, alike)


def row_of(one):
    table = agreement_table("toy", "made", Reference(3, 2, SHARES, [one]))
    assert table.schema == AGREEMENT
    return table.to_pylist()[0]


@pytest.fixture
def pitch():
    """Two speakers an octave apart, 400 frames each, ours with an error of 1 Hz."""
    rng = np.random.default_rng(1)
    speaker = np.repeat(["a", "b"], 400)
    theirs = np.where(speaker == "a", 110.0, 220.0) + rng.normal(0, 10, 800)
    return theirs + rng.choice([-1.0, 1.0], 800), theirs, speaker


def test_known_agreement_and_its_control(pitch):
    row = row_of(feature("F0", *pitch))
    assert (row["frames"], row["recordings"], row["speakers"]) == (800, 3, 2)
    assert row["agreement"] > 0.999 and row["spearman"] > 0.99
    # Of a variance of 100, the error has 1: r = sqrt(100 / 101).
    assert row["within_speakers"] == pytest.approx(np.sqrt(100 / 101), abs=2e-3)
    assert row["median_difference"] == pytest.approx(1)
    # The speakers' means alone: 55^2 of 55^2 + 10^2.
    assert row["agreement_shuffled"] == pytest.approx(3025 / 3125, abs=0.01)
    # Of two normal values of sd 10: .954 x 10.
    assert row["median_difference_shuffled"] == pytest.approx(9.5, abs=1)
    assert [row[f"voiced_{who}"] for who in ("ours", "theirs", "both")] == list(SHARES)


def test_the_control_of_one_speaker_is_near_0():
    x = np.random.default_rng(2).normal(size=2000)
    row = row_of(feature("NAQ", x, x))
    assert row["agreement"] == pytest.approx(1) == row["spearman"]
    assert abs(row["agreement_shuffled"]) < 0.08 and abs(row["spearman_shuffled"]) < 0.08


def test_speakers_keep_their_own_frames(pitch):
    one = feature("F0", *pitch)
    mixed = shuffled(one)
    for name in "ab":
        own = one.speaker == name
        assert sorted(mixed[own]) == sorted(one.ours[own])
    assert (mixed != one.ours).mean() > 0.9
    assert (shuffled(one) == mixed).all()  # the same in table and figure


def test_voicing_is_the_share_of_equal_frames():
    row = row_of(feature("VUV", [1.0, 1, 0, 0, 1], [1.0, 0, 0, 0, 1]))
    assert row["agreement"] == 4 / 5 and row["within_speakers"] is None
    # Phi of 2, 1, 0, 2: (2 x 2 - 1 x 0) / sqrt(3 x 2 x 2 x 3).
    assert row["spearman"] == pytest.approx(4 / 6)


def test_undefined_statistics_are_empty():
    rng = np.random.default_rng(0)
    unlike = row_of(feature("peakSlope", *rng.normal(size=(2, 9)), kind=RELATED, alike=False))
    assert unlike["median_difference"] is unlike["median_difference_shuffled"] is None
    assert unlike["kind"] == RELATED and unlike["spearman"] is not None
    flat = row_of(feature("F1", np.full(9, 500.0), rng.normal(size=9)))
    assert flat["agreement"] is flat["within_speakers"] is None and flat["frames"] == 9
    none = row_of(feature("F0", np.zeros(0), np.zeros(0)))
    assert none["frames"] == 0 and none["agreement"] is none["median_difference"] is None
