"""Pairs by label: number of pairs per type, reuse of items, and rows of noise."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from ima.datasets.splits import hold_out
from ima.pairing.by_label import (
    ABSENT,
    CLEAN,
    check_items,
    class_size,
    draw,
    has_noise,
    is_noise,
    item_column,
    make_pairs,
    modalities,
    noise_count,
    noise_type,
    pair_splits,
    read_pairs,
    row_numbers,
)
from ima.utils.errors import InputError
from ima.utils.io import write_parquet
from ima.utils.schemas import pairs_schema
from tests.checkout import ROOT


def rng(seed=0):
    return np.random.default_rng(seed)


def corpus(*counts, seed=0):
    """Return shuffled labels, given the number of items of class 0, 1, ..."""
    return rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


def pairs_of(labels, factor, total=None, seed=0, rows=None, first=None):
    rows = rows or {m: np.arange(len(v)) for m, v in labels.items()}
    first = first or {m: len(v) for m, v in labels.items()}
    table = make_pairs(labels, rows, factor, total, first, rng(seed))
    return {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}


LABELS = {"image": corpus(20, 30, seed=1), "speech": corpus(7, 30, seed=2)}


@pytest.mark.parametrize(
    ("factor", "noisy"),
    [(0, (0, 0)), (0.1, (2, 3)), (0.5, (10, 15)), (1, (20, 30)), (0.07, (1, 2))],
)
def test_number_of_pairs_per_class_and_kind(factor, noisy):
    """N(1 - R) clean, N R and N R noisy, with N = 20 and 30; R N = 1.4 and 2.1 are rounded."""
    pairs = pairs_of(LABELS, factor)
    found = Counter(zip(pairs["label"].tolist(), pairs["pair_type"].tolist(), strict=True))
    expected = {}
    for label, (n, noise) in enumerate(zip((20, 30), noisy, strict=True)):
        expected[label, "clean"] = n - noise
        expected[label, "image_noise"] = expected[label, "speech_noise"] = noise
    assert found == {key: n for key, n in expected.items() if n}
    assert len(pairs["label"]) == 50 + sum(noisy)  # N (1 + R)


def test_pair_table_follows_its_schema():
    rows = {m: np.arange(len(v)) for m, v in LABELS.items()}
    first = {m: len(v) for m, v in LABELS.items()}
    table = make_pairs(LABELS, rows, 0.1, None, first, rng())
    assert table.schema.equals(pairs_schema(["image", "speech"]))


def label_mismatches(pairs, labels):
    """Count the digits whose class differs from that of their pair."""
    wrong = 0
    for m, values in labels.items():
        digits = pairs[f"item_{m}"] < len(values)
        wrong += int((values[pairs[f"item_{m}"][digits]] != pairs["label"][digits]).sum())
    return wrong


def test_digits_have_the_class_of_their_pair():
    pairs = pairs_of(LABELS, 0.3)
    assert label_mismatches(pairs, LABELS) == 0
    # Control: after permuting one column, the classes of most pairs do not agree.
    pairs["item_speech"] = rng(9).permutation(pairs["item_speech"])
    assert label_mismatches(pairs, LABELS) > 10


def test_kind_names_the_noisy_modality():
    pairs = pairs_of(LABELS, 0.3)
    for m, values in LABELS.items():
        noise = pairs[f"item_{m}"] >= len(values)
        assert (noise == (pairs["pair_type"] == noise_type(m))).all() and noise.any()
    assert CLEAN in pairs["pair_type"]


@pytest.mark.parametrize("factor", [0, 0.3, 1])
def test_digits_are_reused_evenly(factor):
    pairs = pairs_of(LABELS, factor)
    for m, values in LABELS.items():
        digits = pairs[f"item_{m}"][pairs[f"item_{m}"] < len(values)]
        used = np.bincount(digits, minlength=len(values))
        for label, n in ((0, 20), (1, 30)):
            have = int((values == label).sum())
            counts = used[values == label]
            assert counts.sum() == n  # N digits of each class, paired with digits or noise
            assert counts.min() == n // have and counts.max() == -(-n // have)


def test_noise_rows_follow_the_digits_without_gaps():
    pairs = pairs_of(LABELS, 0.3)
    for m, values in LABELS.items():
        noise = np.sort(pairs[f"item_{m}"][pairs["pair_type"] == noise_type(m)])
        assert noise.tolist() == list(range(len(values), len(values) + 15))  # .3 x 20 + .3 x 30


SPLITS = {"image": np.repeat(["train", "test"], 25), "speech": np.tile(["test", "train"], 25)[:37]}


def items():
    """Return ITEMS of both modalities; splits alternate in one and are contiguous in the other."""
    return {
        m: pa.table(
            {
                "id": [f"{m}/{i}" for i in range(len(values))],
                "split": SPLITS[m],
                "label": values.astype(np.int8),
            }
        )
        for m, values in LABELS.items()
    }


def columns(table):
    return {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}


def test_splits_share_neither_digit_nor_noise():
    """Validation pairs consist of training items that are in no training pair."""
    tables = pair_splits(items(), 0.2, {"train": None, "test": 40, "validation": None}, 0.2, seed=0)
    assert list(tables) == ["train", "test", "validation"]
    pairs = {split: columns(table) for split, table in tables.items()}
    for m, labels in LABELS.items():
        noise, used = [], []
        for split in tables:
            rows, pair_types = pairs[split][f"item_{m}"], pairs[split]["pair_type"]
            digits = rows[rows < len(labels)]
            assert (SPLITS[m][digits] == ("test" if split == "test" else "train")).all()
            assert label_mismatches(pairs[split], LABELS) == 0
            noise += sorted(rows[pair_types == noise_type(m)].tolist())
            used.append(set(digits.tolist()))
        assert noise == list(range(len(labels), len(labels) + len(noise))) and noise
        trained = labels[np.flatnonzero(SPLITS[m] == "train")]
        held = labels[[*used[-1]]]  # a fifth of each class
        for label, count in zip(*np.unique(trained, return_counts=True), strict=True):
            assert (held == label).sum() == max(1, round(0.2 * count))
        assert sum(map(len, used)) == len(set().union(*used)) == len(labels)  # and all are used
    assert (pairs["test"]["pair_type"] != "clean").sum() == 2 * 8  # N = 40, R = .2


def test_half_of_each_class_is_held_out():
    labels = {"image": np.repeat(np.arange(10), 10), "speech": np.repeat(np.arange(10), 4)}
    tables = {
        m: pa.table({"split": ["train"] * len(of), "label": of.astype(np.int8)})
        for m, of in labels.items()
    }
    held = pair_splits(tables, 0, {"train": None, "validation": None}, 0.5, seed=0)["validation"]
    for m, of in labels.items():
        rows = np.unique(held[f"item_{m}"].to_numpy())
        assert (np.bincount(of[rows]) == len(of) // 20).all()


def test_splits_are_drawn_independently_and_by_seed():
    one, same, other = (
        pair_splits(items(), 0.2, {"train": 40, "validation": 9}, 0.2, seed) for seed in (0, 0, 1)
    )
    assert len(one["validation"]) == 9 + 2  # N = 9, R N = 2 of 4 and 5, rounded each
    for split in ("train", "validation"):
        assert one[split].equals(same[split]) and not one[split].equals(other[split])
    # The total of one split does not affect the others.
    more = pair_splits(items(), 0.2, {"train": 40, "test": 30}, 0.2, 0)
    less = pair_splits(items(), 0.2, {"train": 40, "test": None}, 0.2, 0)
    assert more["train"].equals(less["train"]) and not more["test"].equals(less["test"])


@pytest.mark.parametrize(
    ("share", "held"),
    [(0.2, (4, 2, 1, 0)), (0.25, (5, 2, 1, 0)), (0.01, (1, 1, 1, 0)), (0.99, (19, 9, 1, 0))],
)
def test_hold_out_takes_a_share_of_each_class(share, held):
    """Of 20, 10, 2 and 1 training items: rounded (2.5 to 2), at least one, and one stays."""
    labels, splits = corpus(25, 12, 3, 2), np.full(42, "test", "<U5")
    for c, n in enumerate((20, 10, 2, 1)):
        splits[np.flatnonzero(labels == c)[:n]] = "train"
    before = splits.copy()
    found = hold_out(splits, labels, share, rng())
    assert (splits == before).all()  # a copy
    assert tuple(np.bincount(labels[found == "validation"], minlength=4)) == held
    assert (before[found == "validation"] == "train").all()
    assert (found[found != "validation"] == before[found != "validation"]).all()


def test_hold_out_is_random_and_depends_on_the_rng():
    labels, splits = corpus(60, 60), np.full(120, "train")
    one, same, other = (
        hold_out(splits, labels, 0.2, rng(seed)) == "validation" for seed in (0, 0, 1)
    )
    assert (one == same).all() and 5 < (one & ~other).sum() < 24
    assert not one[: one.sum()].all()


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_hold_out_rejects_invalid_shares(share):
    with pytest.raises(InputError, match=r"validation_share: expected a share in \(0, 1\)"):
        pair_splits(items(), 0.2, {"train": None}, share, 0)


def test_split_without_items_is_rejected():
    with pytest.raises(InputError, match="image items: expected some in 'dev', found none"):
        pair_splits(items(), 0.2, {"dev": None}, 0.2, seed=0)


def test_noise_count_of_pair_tables(tmp_path):
    tables = pair_splits(items(), 0.2, {"train": None, "test": 40}, 0.2, seed=0)
    paths = [tmp_path / f"{split}.parquet" for split in tables]
    for path, table in zip(paths, tables.values(), strict=True):
        write_parquet(table, path, pairs_schema(["image", "speech"]))
    noisy = [sum(k == "image_noise" for k in t["pair_type"].to_pylist()) for t in tables.values()]
    assert noise_count("image", 50, paths) == sum(noisy)
    assert noise_count("image", 50, paths[:1]) == noisy[0]
    clean = pair_splits(items(), 0, {"train": None}, 0.2, seed=0)["train"]
    write_parquet(clean, tmp_path / "clean.parquet")
    assert noise_count("image", 50, [tmp_path / "clean.parquet"]) == 0


def test_read_pairs_detects_modalities(tmp_path):
    path = tmp_path / "pairs.parquet"
    table = pair_splits(items(), 0.2, {"train": None}, 0.2, seed=0)["train"]
    write_parquet(table, path)
    assert read_pairs(path).equals(table) and modalities(table) == ["image", "speech"]
    write_parquet(table.slice(0, 0), path)
    with pytest.raises(InputError, match=r"pairs\.parquet: expected pairs"):
        read_pairs(path)
    write_parquet(table.select(["label", "pair_type"]), path)
    with pytest.raises(InputError, match=r"expected pairs, .*found \['label', 'pair_type'\]"):
        read_pairs(path)


def test_order_is_random_and_depends_on_the_seed():
    one, same, other = (pairs_of(LABELS, 0.3, seed=seed) for seed in (1, 1, 2))
    for name in one:
        assert (one[name] == same[name]).all()
    assert (one["item_image"] != other["item_image"]).any()
    assert (np.diff(one["label"]) < 0).any()  # classes are mixed
    assert len(set(one["pair_type"][:20].tolist())) > 1  # and so are types


def test_partners_are_random():
    labels = {"image": corpus(50), "speech": corpus(50)}
    pairs = pairs_of(labels, 0)
    # Under chance one pair of the same row number is expected; six or more: p < .001.
    assert (pairs["item_image"] == pairs["item_speech"]).sum() < 6


@pytest.mark.parametrize("factor", [-0.01, 1.01, float("nan")])
def test_noise_factor_out_of_range_is_rejected(factor):
    with pytest.raises(InputError, match=r"noise factor R: expected a number in \[0, 1\]"):
        pairs_of(LABELS, factor)


@pytest.mark.parametrize("names", [["image"], ["image", "speech", "text"]])
def test_make_pairs_needs_two_modalities(names):
    with pytest.raises(InputError, match="modalities: expected two modalities"):
        pairs_of({name: corpus(3) for name in names}, 0)


@pytest.mark.parametrize(
    ("image", "speech", "message"),
    [
        ((3, 3), (3,), r"labels of speech: .*\[0, 1\], found \[0\]"),
        ((3,), (3, 3), r"labels of speech: .*\[0\], found \[0, 1\]"),
        ((), (), r"labels of image: .*found \[\]"),
    ],
)
def test_class_missing_in_one_modality_is_rejected(image, speech, message):
    with pytest.raises(InputError, match=message):
        pairs_of({"image": corpus(*image), "speech": corpus(*speech)}, 0)


@pytest.mark.parametrize(
    ("total", "sizes"),
    [
        (None, {0: 5, 1: 3, 2: 2}),
        (10, {0: 5, 1: 3, 2: 2}),
        (7, {0: 4, 1: 2, 2: 1}),  # 3.5, 2.1, 1.4: the largest remainder gets the one left
        (3, {0: 1, 1: 1, 2: 1}),  # 1.5, 0.9, 0.6: two left, for 1 and 2
        (5, {0: 3, 1: 1, 2: 1}),  # 2.5, 1.5, 1.0: a tie goes to the smaller class
        (1000, {0: 500, 1: 300, 2: 200}),
        (0, {0: 0, 1: 0, 2: 0}),
    ],
)
def test_total_is_distributed_by_largest_remainder(total, sizes):
    labels = {"image": corpus(5, 3, 1), "speech": corpus(2, 2, 2)}
    assert class_size(labels, total) == sizes


@pytest.mark.parametrize(
    ("sizes", "total", "expected"),
    [
        ("larger", None, {0: 12, 1: 6}),
        ("image", None, {0: 4, 1: 6}),
        ("speech", None, {0: 12, 1: 5}),
        ("larger", 9, {0: 6, 1: 3}),
        ("image", 5, {0: 2, 1: 3}),
        ("speech", 34, {0: 24, 1: 10}),
    ],
)
def test_class_sizes_of_a_modality(sizes, total, expected):
    labels = {"image": corpus(4, 6), "speech": corpus(12, 5)}
    assert class_size(labels, total, sizes) == expected


def test_class_sizes_of_images_use_each_image_once():
    """Of 12 recordings of class 0, three times its images, 4 are drawn; one of class 1 twice."""
    labels = {"image": corpus(4, 6), "speech": corpus(12, 5)}
    first = {m: len(v) for m, v in labels.items()}
    rows = {m: np.arange(len(v)) for m, v in labels.items()}
    table = columns(make_pairs(labels, rows, 0, None, first, rng(), sizes="image"))
    assert sorted(table["item_image"].tolist()) == list(range(10))
    assert label_mismatches(table, labels) == 0
    of_zero = Counter(table["item_speech"][table["label"] == 0].tolist())
    of_one = Counter(table["item_speech"][table["label"] == 1].tolist())
    assert len(of_zero) == 4 and set(of_zero.values()) == {1}
    assert sorted(of_one.values()) == [1, 1, 1, 1, 2]


def test_class_sizes_of_an_unknown_modality_are_rejected():
    with pytest.raises(InputError, match="larger, or one of the modalities image, speech, found v"):
        class_size(LABELS, None, "video")


def test_class_sizes_apply_to_every_split():
    """Over all splits, there are as many clean pairs of a class as items of the modality."""
    totals = {"train": None, "test": None, "validation": None}
    for m, labels in LABELS.items():
        tables = pair_splits(items(), 0, totals, 0.2, seed=0, sizes=m)
        found = sum(np.bincount(columns(table)["label"], minlength=2) for table in tables.values())
        assert found.tolist() == np.bincount(labels).tolist()
    by_default = pair_splits(items(), 0.2, totals, 0.2, seed=0)
    larger = pair_splits(items(), 0.2, totals, 0.2, seed=0, sizes="larger")
    assert all(by_default[split].equals(larger[split]) for split in totals)


def test_the_paper_has_a_pair_per_image_of_mnist():
    """Of 60,000 training images, a fifth of each class, rounded, is held out: 12,000."""
    images = {  # of each digit
        "train": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        "test": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    }
    held_out = [round(0.2 * n) for n in images["train"]]
    images["validation"] = held_out
    images["train"] = [n - h for n, h in zip(images["train"], held_out, strict=True)]
    given = yaml.safe_load((ROOT / "config/paper.yaml").read_text())["pairs"]
    for split, counts in images.items():
        labels = {"image": corpus(*counts), "speech": corpus(2 * counts[0], *counts[1:])}
        expected = dict(enumerate(counts))
        assert class_size(labels, given[split], given["sizes"]) == expected
        assert class_size(labels, given[split]) != expected


def test_total_sets_the_number_of_pairs():
    assert len(pairs_of(LABELS, 0, total=33)["label"]) == 33
    pairs = pairs_of(LABELS, 0.5, total=200)
    # 80 and 120 digit pairs, 40 and 60 of each noise
    assert Counter(pairs["pair_type"].tolist()) == {
        "clean": 100,
        "image_noise": 100,
        "speech_noise": 100,
    }


def test_draw_uses_rows_evenly():
    rows = np.array([3, 5, 9])
    assert draw(rows, 0, rng()).tolist() == []
    assert sorted(draw(rows, 3, rng()).tolist()) == [3, 5, 9]
    assert sorted(Counter(draw(rows, 7, rng()).tolist()).values()) == [2, 2, 3]


def test_draw_takes_no_more_random_numbers_than_it_needs():
    """Seven of three are three permutations: what is drawn next does not depend on more."""
    rows, used, expected = np.array([3, 5, 9]), rng(), rng()
    draw(rows, 7, used)
    for _ in range(3):
        expected.permutation(rows)
    assert used.integers(1 << 30) == expected.integers(1 << 30)


# Tables of pairs


def table_of(image, speech, pair_types=None, label=None):
    """Return a table of pairs; None is absent."""
    columns = {"item_image": image, "item_speech": speech, "label": label or [0] * len(image)}
    columns["pair_type"] = pair_types or ["clean"] * len(image)
    return pa.table(columns, pairs_schema(["image", "speech"]))


def test_absent_items_are_null_in_tables_and_minus_one_in_arrays():
    table = table_of([4, None, 0], [None, 2, 3])
    assert ABSENT == -1
    assert row_numbers(table, "image").tolist() == [4, -1, 0]
    assert row_numbers(table, "image").dtype == row_numbers(table, "speech").dtype == np.int64
    assert item_column(np.array([4, -1, 0])).to_pylist() == [4, None, 0]
    assert item_column([4, -1, 0]).type == pa.int32()


def test_noise_by_hand():
    """Types of several modalities are joined by +; an absent item is not noise."""
    kinds = ["clean", "image_noise", "image_noise+speech_noise", "speech_noise", "image_noise"]
    assert has_noise(kinds, "image").tolist() == [False, True, True, False, True]
    assert has_noise(kinds, "speech").tolist() == [False, False, True, True, False]
    assert has_noise(kinds, "age").tolist() == [False] * 5  # and not as a part of `image`
    found = is_noise(table_of([0, 1, 2, 3, None], [0, 1, None, 3, 4], kinds))
    assert {m: of.tolist() for m, of in found.items()} == {
        "image": [False, True, True, False, False],
        "speech": [False, False, False, True, False],
    }


def test_pairs_and_modalities_without_items_are_refused():
    rows = {"image": np.array([0, -1, 1, -1]), "speech": np.array([-1, 3, -1, -1])}
    with pytest.raises(
        InputError,
        match=r"pairs\.parquet: .* 1 pairs without any, the first in row 3.*Remove these",
    ):
        check_items(rows, "pairs.parquet")
    with pytest.raises(InputError, match=r"an item of speech in some.*none in 2 pairs.*Remove the"):
        check_items({"image": np.array([0, 1]), "speech": np.array([-1, -1])}, "p")
    check_items({m: of[:3] for m, of in rows.items()}, "p")


def test_read_pairs_refuses_pairs_without_items(tmp_path):
    schema = pairs_schema(["image", "speech"])
    write_parquet(table_of([0, None], [1, None]), tmp_path / "pairs.parquet", schema)
    with pytest.raises(InputError, match="the first in row 1"):
        read_pairs(tmp_path / "pairs.parquet")


def test_read_pairs_says_what_lacks_and_keeps_many_labels(tmp_path):
    table = table_of([0, 1], [1, 0])
    many = table.set_column(2, "label", pa.array([0, 70_000], pa.int32()))
    pq.write_table(many, tmp_path / "many.parquet")
    assert read_pairs(tmp_path / "many.parquet")["label"].to_pylist() == [0, 70_000]
    pq.write_table(table.set_column(0, "item_image", [["x", "y"]]), tmp_path / "text.parquet")
    with pytest.raises(InputError, match="item_image"):
        read_pairs(tmp_path / "text.parquet")
    pq.write_table(table.drop_columns(["label"]), tmp_path / "none.parquet")
    with pytest.raises(InputError, match="label"):
        read_pairs(tmp_path / "none.parquet")


def test_there_is_no_more_noise_than_pairs(tmp_path):
    """Rows 5 and 6 are noise after five images: two in two pairs may be, with a row 7 not."""
    schema = pairs_schema(["image", "speech"])
    write_parquet(table_of([5, 6], [0, 1]), tmp_path / "all.parquet", schema)
    assert noise_count("image", 5, [tmp_path / "all.parquet"]) == 2
    write_parquet(table_of([5, 7], [0, 1]), tmp_path / "more.parquet", schema)
    with pytest.raises(
        InputError,
        match=r"no more noise than pairs, after 5 items.*found 3 noise.*Create the pairs again",
    ):
        noise_count("image", 5, [tmp_path / "more.parquet"])
