"""Checks of the features of speech: which digits are compared, and what accuracy finds."""

import numpy as np
import pyarrow as pa
import pytest

from ima.evaluation import feature_ablation
from ima.evaluation.feature_ablation import (
    CHECKS,
    accuracy,
    check,
    feature_checks,
    splits,
    variants,
)
from ima.features.mfcc import Mfcc
from ima.utils.schemas import RECORDINGS, SEGMENTS


def columns(*rows):
    """Return corpus, speaker and split, str (n,) each, of rows 'corpus speaker split'."""
    return (np.array(column) for column in zip(*(row.split() for row in rows), strict=True))


def as_lists(folds):
    return [tuple(np.flatnonzero(mask).tolist() for mask in fold) for fold in folds]


# Splits


def test_a_split_by_speaker_is_taken_as_it_is():
    found = splits(*columns("t a train", "t b test", "t a train", "t c test"))
    assert {name: as_lists(folds) for name, folds in found.items()} == {
        "t speakers": [([0, 2], [1, 3])]
    }


def test_shared_speakers_add_cross_validation():
    found = splits(*columns("f a train", "f b train", "f a test", "f b test"))
    assert {name: as_lists(folds) for name, folds in found.items()} == {
        "f takes": [([0, 1], [2, 3])],
        "f speakers": [([1, 3], [0, 2]), ([0, 2], [1, 3])],
    }


def test_many_speakers_are_left_out_in_six_parts():
    rows = [f"f s{i:02d} {split}" for i in range(16) for split in ("train", "test")]
    folds = splits(*columns(*rows))["f speakers"]
    assert len(folds) == 6
    tested = np.sum([test for _, test in folds], axis=0)
    assert tested.tolist() == [1] * 32  # each digit once
    assert all((train ^ test).all() for train, test in folds)
    speaker = np.array([row.split()[1] for row in rows])
    for train, test in folds:
        assert not set(speaker[train]) & set(speaker[test])


def test_corpora_are_apart():
    found = splits(*columns("t a train", "t b test", "f a train", "f a test"))
    assert {name: as_lists(folds) for name, folds in found.items()} == {
        "f takes": [([2], [3])],
        "t speakers": [([0], [1])],
    }


# Accuracy


def classes(n, seed=0, apart=4.0):
    """Return n vectors (n, 24) of ten classes that lie `apart`, and their labels."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 10
    centres = np.random.default_rng(9).normal(size=(10, 24))
    return (apart * centres[y] + rng.normal(size=(n, 24))).astype(np.float32), y


def test_accuracy_of_classes_that_lie_apart_and_together():
    x, y = classes(200)
    other, labels = classes(100, seed=1)
    assert accuracy(x, y, other, labels) == 1
    assert accuracy(x, y, other, (labels + 1) % 10) == 0
    # Control: classes that lie in one place.
    x, y = classes(1000, apart=0)
    other, labels = classes(1000, seed=1, apart=0)
    assert accuracy(x, y, other, labels) == pytest.approx(0.1, abs=0.03)


def test_scale_and_offset_of_dimensions_do_not_matter():
    x, y = classes(200, apart=0.7)
    other, labels = classes(300, seed=1, apart=0.7)
    scale = np.geomspace(1e-3, 1e3, 24).astype(np.float32)
    plain = accuracy(x, y, other, labels)
    assert 0.5 < plain < 1
    assert accuracy(x * scale + 5, y, other * scale + 5, labels) == pytest.approx(plain, abs=0.02)


@pytest.mark.parametrize("mapping", ["sigmoid", "minmax", "binary", "none"])
def test_shuffled_labels_are_chance(mapping):
    x, y = classes(1200)
    train = np.arange(1200) < 600
    found = check(x, y, [(train, ~train), (~train, train)], mapping, coefficients=12)
    assert found["digits_train"] == 600 and found["digits_test"] == 1200
    assert found["accuracy"] > 0.95
    assert found["accuracy_shuffled"] == pytest.approx(0.1, abs=0.05)


def test_the_mapping_sees_no_test_digit(monkeypatch):
    seen = []

    class Fit(feature_ablation.UnitInterval):
        @classmethod
        def fit(cls, x, kind, coefficients):
            seen.append(x[:, 0].tolist())
            return super().fit(x, kind, coefficients)

    monkeypatch.setattr(feature_ablation, "UnitInterval", Fit)
    x, y = classes(40)
    x[:, 0] = np.arange(40)
    first = np.arange(40) < 20
    check(x, y, [(first, ~first), (~first, first)], "minmax", 12)
    assert seen == [list(range(20)), list(range(20, 40))]


# Variants


def test_variants_differ_from_the_configured_way_in_one_choice():
    found = variants(Mfcc(), "sigmoid", "hmm", ["hmm", "equal", "whole"])
    assert [variant.name for variant in found] == [
        "as configured",
        "mapping minmax",
        "mapping binary",
        "mapping none",
        "padding right",
        "cmvn on",
        "segmentation equal",
        "segmentation whole",
    ]
    for variant in found[1:]:
        choices = [
            variant.mapping != "sigmoid",
            variant.segmentation != "hmm",
            variant.mfcc.padding != "symmetric",
            variant.mfcc.cmvn,
        ]
        assert sum(choices) == 1, variant
    other = variants(Mfcc(padding="right", cmvn=True), "binary", "equal", ["hmm", "equal"])
    assert [variant.name for variant in other] == [
        "as configured",
        "mapping sigmoid",
        "mapping minmax",
        "mapping none",
        "padding symmetric",
        "cmvn off",
        "segmentation hmm",
    ]


# The table


def tone(digit, rng):
    """Say a digit of a made-up language: a buzz whose colour is its number."""
    t = np.arange(3000) / 12_500
    wave = np.sin(2 * np.pi * (300 + 350 * digit) * t)
    return (0.3 * wave + 0.01 * rng.standard_normal(3000)).astype(np.float32)


def corpus():
    """Return RECORDINGS of 4 speakers, SEGMENTS of them as whole files, and their reader."""
    rng = np.random.default_rng(0)
    rows, cuts, waves = [], [], {}
    for speaker in "abcd":
        for digit in range(1, 6):
            for take in range(4):
                name = f"made/{speaker}/{digit}_{take}"
                split = "test" if take == 0 else "train"
                rows.append((name, "made", split, speaker, "unknown", str(digit), name))
                cuts.append((name, 0, str(digit), 0.0, 3000 / 12_500, -1.0, ""))
                waves[name] = tone(digit, rng)
    tables = [
        pa.Table.from_pylist([dict(zip(s.names, row, strict=True)) for row in of], schema=s)
        for s, of in ((RECORDINGS, rows), (SEGMENTS, cuts))
    ]
    return *tables, lambda name: (waves[name], 12_500)


def test_the_table_has_a_row_a_variant_and_split():
    recordings, segments, read = corpus()
    wanted = ("as configured", "mapping none", "padding right", "cmvn on")
    every = variants(Mfcc(), "sigmoid", "whole", ["whole"])
    chosen = [variant for variant in every if variant.name in wanted]
    table = feature_checks("tiny", recordings, {"whole": segments}, read, chosen)
    assert table.schema == CHECKS
    rows = table.to_pylist()
    assert [(r["variant"], r["split"]) for r in rows] == [
        (v.name, split) for v in chosen for split in ("made takes", "made speakers")
    ]
    assert {row["run"] for row in rows} == {"tiny"}
    for row in rows:
        expected = (60, 20) if row["split"] == "made takes" else (60, 80)
        assert (row["digits_train"], row["digits_test"]) == expected
        assert row["accuracy"] > 0.9, row
        assert row["accuracy_shuffled"] < 0.6, row
    by_name = {row["variant"]: row for row in rows}
    assert by_name["padding right"]["padding"] == "right"
    assert by_name["cmvn on"]["cmvn"] and not by_name["as configured"]["cmvn"]
    assert by_name["mapping none"]["mapping"] == "none"
