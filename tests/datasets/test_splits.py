"""Drawn splits: groups of pairs stay whole, and a split is about as large as its share."""

import numpy as np
import pytest

from ima.datasets.splits import _filling, assign, draw_splits

SHARES = {"test": 0.2, "validation": 0.2}


def rng(seed=0):
    return np.random.default_rng(seed)


def drawn(sizes, seed=0, shares=SHARES, given=None):
    """Return the splits drawn for groups of these sizes, and the group of each row."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    given = np.full(len(groups), "") if given is None else given
    return draw_splits(given, groups, np.full(len(groups), ""), shares, rng(seed)), groups


@pytest.mark.parametrize(
    ("sizes", "wanted", "taken"),
    [
        ([4, 3, 2, 1], 5, [0, 3]),  # neither 3 nor 2 fits after 4
        ([1, 1, 1], 2, [0, 1]),
        ([3, 5, 4], 2, [0]),  # none fits: the smallest, as a split has something
        ([5, 3, 3], 4, [1]),  # 3 is nearer to 4 than 6
        ([3, 3, 7], 4.5, [0, 1]),  # as near as 3
        ([3, 7, 2], 4, [0, 2]),  # 5 is as near as 3
        ([], 3, []),
    ],
)
def test_groups_fill_a_split_by_hand(sizes, wanted, taken):
    assert _filling(np.array(sizes, int), wanted).tolist() == taken


def test_large_groups_do_not_exceed_a_share():
    """Of 1,850 pairs, 370 are wanted for test; the group of 400 and others would be up to 769."""
    sizes = [450, 400, *[1] * 1000]
    for seed in range(40):
        splits, groups = drawn(sizes, seed)
        assert (splits == "test").sum() == 370
        assert (splits == "validation").sum() == 296  # a fifth of the other 1,480
        assert set(splits[groups < 2]) == {"train"}


def test_groups_are_not_divided_and_differ_by_seed():
    sizes = rng(1).integers(1, 30, 100).tolist()
    found = []
    for seed in range(20):
        splits, groups = drawn(sizes, seed)
        assert len(set(zip(splits, groups, strict=True))) == len(sizes)
        share = (splits == "test").mean()
        assert share == pytest.approx(0.2, abs=0.01)
        found.append(tuple(splits))
    assert len(set(found)) == 20
    # Large groups that fit are in test as well: each in some draw, but the one kept in `train`.
    in_test = {number for splits in found for number in groups[np.array(splits) == "test"].tolist()}
    assert len(in_test) > 90 and int(np.argmax(sizes)) not in in_test


def test_pairs_without_groups_are_drawn_as_ever():
    """These rows were drawn before groups that do not fit were left out."""
    splits, _ = drawn([1] * 20)
    assert np.flatnonzero(splits == "test").tolist() == [2, 4, 6, 19]
    assert np.flatnonzero(splits == "validation").tolist() == [7, 9, 10]


def pairs_of(sizes, split=""):
    """Return pairs of which those of a group share an item of a."""
    n = sum(sizes)
    columns = {"a": np.repeat(np.arange(len(sizes)), sizes), "b": np.arange(n)}
    return columns | {"split": np.full(n, split), "label": np.full(n, "")}


@pytest.mark.parametrize(
    ("sizes", "shares", "said"),
    [
        # Of three groups, one each; of 30 and of 20 pairs.
        ([10, 10, 10], (0.2, 0.2), ["test: 0.333 of", "validation: 0.5 of"]),
        ([10, 10, 10], (0.3, 0.45), []),
        ([450, 400, *[1] * 1000], (0.2, 0.2), []),
        ([1] * 4, (0.1, 0.1), []),  # no groups: rounded
        (
            [50, *[20] * 5],
            (0.1, 0.15),
            ["test: 0.133 of the pairs instead of own.shares.test"],
        ),
    ],
)
def test_the_log_warns_of_splits_far_from_their_share(sizes, shares, said, caplog):
    shares = dict(zip(SHARES, shares, strict=True))
    found = assign(pairs_of(sizes), ["a", "b"], shares, rng())
    assert set(found) == {"train", "validation", "test"}
    assert len(caplog.messages) == len(said)
    for message, start in zip(caplog.messages, said, strict=True):
        assert message.startswith(start)


def test_given_splits_cause_no_warning(caplog):
    pairs = pairs_of([10, 10, 10])
    pairs["split"] = np.repeat(["train", "validation", "test"], 10)
    assert (assign(pairs, ["a", "b"], SHARES, rng()) == pairs["split"]).all()
    assert not caplog.messages
