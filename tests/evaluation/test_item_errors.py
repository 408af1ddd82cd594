"""Errors over items: by hand, against bootstraps, the naive error and the truth of simulations."""

import numpy as np
import pytest
from scipy.stats import t

from ima.evaluation.item_errors import (
    MOST_COLUMNS,
    Clusters,
    f1_values,
    half_width,
    over_parts,
    recall_values,
)


def naive(values):
    return values.std(ddof=1) / len(values) ** 0.5


def test_error_by_hand():
    """Errors 2, 1, -1, -2 of two items: sums 3 and -3, variance 2/1 (9 + 9) / 4^2."""
    clusters = Clusters([np.array([7, 7, 3, 3])], 4)
    values = np.array([5.0, 4, 2, 1])
    assert clusters.count == 2 and clusters.se(values) == pytest.approx((36 / 16) ** 0.5)
    assert clusters.error(values) == {"se_items": pytest.approx(1.5), "df_items": 1}


def test_error_of_two_columns_by_hand():
    """V_a + V_b - V_ab, each with its own G / (G - 1): 2 of a, 3 of b and 4 of both."""
    a, b = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 2, 2])
    values = np.array([4.0, 1, 0, -2, -3])  # mean 0
    by_a = 2 / 1 * (5**2 + 5**2)
    by_b = 3 / 2 * (4**2 + 1**2 + 5**2)
    by_both = 4 / 3 * (4**2 + 1**2 + 0 + 5**2)
    assert by_a + by_b - by_both > max(by_a, by_b)
    found = Clusters([a, b], 5)
    assert found.se(values) == pytest.approx((by_a + by_b - by_both) ** 0.5 / 5)
    assert found.count == 2


def test_error_is_never_below_that_of_one_column():
    """Where values of a column cancel, the sum of the terms can be negative."""
    a, b = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 2])
    values = np.array([1.0, -1, -1, 1, 0])  # sums of both columns are 0, those of cells are not
    assert Clusters([a, b], 5).se(values) == 0
    assert naive(values) > 0.4


def test_three_columns_are_those_of_two_if_the_third_is_shared_by_no_samples():
    rng = np.random.default_rng(0)
    a, b, values = rng.integers(0, 9, 60), rng.integers(0, 9, 60), rng.normal(size=60)
    two = Clusters([a, b], 60)
    assert Clusters([a, np.arange(60), b], 60).se(values) == pytest.approx(two.se(values))
    assert Clusters([a, a], 60).se(values) == pytest.approx(Clusters([a], 60).se(values))
    c = rng.integers(0, 9, 60)  # inclusion and exclusion of all seven groupings
    v = {}
    for name, columns in {"a": [a], "b": [b], "c": [c], "ab": [a, b], "ac": [a, c], "bc": [b, c],
                          "abc": [a, b, c]}.items():  # fmt: skip
        codes = np.unique(np.stack(columns), axis=1, return_inverse=True)[1].reshape(-1)
        sums = np.bincount(codes, values - values.mean())
        v[name] = len(sums) / (len(sums) - 1) * (sums**2).sum()
    whole = v["a"] + v["b"] + v["c"] - v["ab"] - v["ac"] - v["bc"] + v["abc"]
    whole = max(whole, v["a"], v["b"], v["c"])
    assert Clusters([a, b, c], 60).se(values) == pytest.approx(whole**0.5 / 60)


def test_absent_items_are_shared_by_no_samples():
    values = np.random.default_rng(0).normal(size=6)
    lacking = Clusters([np.array([-1, -1, -1, 4, 4, 0])], 6)
    assert lacking.count == 5
    assert lacking.se(values) == pytest.approx(
        Clusters([np.array([1, 2, 3, 4, 4, 0])], 6).se(values)
    )
    assert Clusters([np.full(6, -1)], 6).se(values) == pytest.approx(naive(values))


def test_independent_items_give_the_naive_error():
    values = np.random.default_rng(0).normal(size=200)
    for columns in ([], [np.arange(200)], [np.arange(200), np.arange(200)[::-1]]):
        clusters = Clusters(columns, 200)
        assert clusters.se(values) == pytest.approx(naive(values), rel=1e-12)
        assert clusters.count == 200


def test_copies_of_samples_add_no_information():
    """Each item ten times: the naive error falls by sqrt(10), this one not at all."""
    values = np.random.default_rng(0).normal(size=100)
    copies = np.repeat(values, 10)
    error = Clusters([np.repeat(np.arange(100), 10)], 1000).se(copies)
    assert error == pytest.approx(naive(values), rel=1e-12)
    assert naive(copies) < error / 3


@pytest.mark.parametrize(("column", "n"), [([0, 0, 0], 3), ([0], 1), ([], 0)])
def test_a_single_item_has_no_error(column, n):
    clusters = Clusters([np.array(column, int)], n)
    assert clusters.se(np.arange(n, dtype=float)) is None
    assert half_width(clusters.error(np.arange(n, dtype=float))) is None


def test_five_folds_of_two_speakers_have_an_interval_that_covers_the_mean():
    """Each fold has one degree of freedom, all of them five; level .95, 2,000 draws."""
    rng, covered = np.random.default_rng(0), 0
    for _ in range(2000):
        rows = []
        for _ in range(5):
            values = np.repeat(rng.normal(size=2), 10) + rng.normal(size=20)
            error = Clusters([np.repeat([0, 1], 10)], 20).error(values)
            rows.append({"value": values.mean(), **error})
        of = over_parts(rows)
        assert of["df_items"] == 5
        covered += abs(np.mean([row["value"] for row in rows])) < half_width(of)
    assert abs(covered / 2000 - 0.95) < 4 * (0.95 * 0.05 / 2000) ** 0.5


def test_too_many_columns_give_no_error_rather_than_a_wrong_one():
    columns = [np.arange(50) % 7] * (MOST_COLUMNS + 1)
    assert Clusters(columns, 50).se(np.arange(50.0)) is None
    assert Clusters(columns[1:], 50).se(np.arange(50.0)) > 0


def test_half_width_by_hand():
    assert half_width({"se_items": 0.1, "df_items": 5}) == pytest.approx(0.25706, rel=1e-4)
    assert half_width({"se_items": 0.1, "df_items": 1e6}) == pytest.approx(0.196, rel=1e-3)
    assert half_width({"se_items": 0.1, "df_items": 4}) == pytest.approx(0.277645, rel=1e-5)
    assert half_width({"se_items": 0.1, "df_items": 3.99}) is None  # as of four items or fewer


def test_error_agrees_with_a_bootstrap_of_items():
    """Items of unequal size drawn with replacement; 3 Monte Carlo errors of 4,000 draws."""
    rng = np.random.default_rng(0)
    of = rng.integers(0, 60, 600)
    values = (rng.normal(size=60)[of] + rng.normal(size=600) > 0).astype(float)
    sums, sizes = np.bincount(of, values), np.bincount(of)
    draws, groups = 4000, len(sums)
    weights = rng.multinomial(groups, np.full(groups, 1 / groups), draws)
    spread = (weights @ sums / (weights @ sizes)).std(ddof=1)
    error = Clusters([of], 600).se(values) * ((groups - 1) / groups) ** 0.5
    assert spread == pytest.approx(error, rel=3 / (2 * draws) ** 0.5)
    assert naive(values) < 0.6 * spread  # what counting samples as independent gives


@pytest.mark.parametrize("score", ["recall", "f1"])
def test_linearised_scores_agree_with_a_bootstrap_of_items(score):
    rng = np.random.default_rng(0)
    of = rng.integers(0, 80, 800)
    actual = rng.choice(3, 80, p=[0.6, 0.3, 0.1])[of]
    guess = np.where(rng.random(80)[of] + 0.3 * rng.random(800) < 0.7, actual, 0)
    if score == "f1":
        actual, guess = actual > 0, guess > 0
    function = f1_values if score == "f1" else recall_values
    draws = []
    for _ in range(1500):
        rows = np.concatenate([np.flatnonzero(of == i) for i in rng.integers(0, 80, 80)])
        draws.append(function(guess[rows], actual[rows]).mean())
    error = Clusters([of], 800).se(function(guess, actual))
    # Beyond Monte Carlo error, the linearisation itself is first-order only.
    assert np.std(draws) == pytest.approx(error, rel=0.1)


def test_linearised_scores_have_the_scores_as_their_means():
    predicted, actual = np.array([0, 0, 0, 2, 0, 5]), np.array([0, 0, 0, 0, 2, 5])
    assert recall_values(predicted, actual).mean() == pytest.approx((3 / 4 + 0 + 1) / 3)
    predicted, actual = np.array([1, 1, 1, 0, 0, 0], bool), np.array([1, 0, 0, 1, 0, 0], bool)
    assert f1_values(predicted, actual).mean() == pytest.approx(2 / 5)
    # hit 2, 0, 0, 0, 0, 0 and both 2, 1, 1, 1, 0, 0, of mean 5/6
    expected = [0.4 + (2 - 0.8) * 6 / 5, *[0.4 - 0.4 * 6 / 5] * 3, 0.4, 0.4]
    assert f1_values(predicted, actual) == pytest.approx(expected)
    assert (f1_values(np.zeros(3, bool), np.zeros(3, bool)) == 0).all()


def coverage(simulate, times=600):
    """Return the shares of simulations in which 95 % intervals contain the true mean 0.

    They are this module's and the naive one; `simulate` returns values and columns of items.
    """
    rng, inside = np.random.default_rng(0), np.zeros(2)
    for _ in range(times):
        values, columns = simulate(rng)
        width = half_width(Clusters(columns, len(values)).error(values))
        plain = t.ppf(0.975, len(values) - 1) * naive(values)
        inside += abs(values.mean()) <= np.array([width, plain])
    return inside / times


def of_one_column(rng):
    """Return 300 samples of 30 items."""
    of = np.repeat(np.arange(30), 10)
    return rng.normal(size=30)[of] + rng.normal(size=300), [of]


def of_two_columns(rng):
    """Return 900 samples of 30 images and 30 recordings, all combined."""
    a, b = np.divmod(np.arange(900), 30)
    return rng.normal(size=30)[a] + rng.normal(size=30)[b] + rng.normal(size=900), [a, b]


def of_no_shared_items(rng):
    return rng.normal(size=100), [np.arange(100)]


@pytest.mark.parametrize("simulate", [of_one_column, of_two_columns, of_no_shared_items])
def test_intervals_cover_the_truth(simulate):
    """95 % of 600, within 3 standard deviations of a binomial; the naive interval does not."""
    covered, plain = coverage(simulate)
    assert covered == pytest.approx(0.95, abs=3 * (0.95 * 0.05 / 600) ** 0.5)
    assert (plain < 0.75) == (simulate is not of_no_shared_items)
