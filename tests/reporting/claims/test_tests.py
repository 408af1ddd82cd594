"""Verdicts over seeds: by hand, and how often they are false where nothing is so."""

from math import sqrt

import numpy as np
import pytest
from scipy import stats

from ima.reporting.claims import tests as verdicts
from ima.reporting.claims.tests import (
    FAILS,
    HOLDS,
    UNDECIDED,
    about,
    above,
    below,
    best,
    counted,
    holm,
)


def verdict(found):
    return holm([found])[0].verdict


def test_paired_t_by_hand():
    # mean 2, sd 1, n 3: t = 2 sqrt(3)
    found = above([1, 2, 3])
    assert found.p == pytest.approx(2 * stats.t.sf(2 * sqrt(3), 2))
    assert found.points is True and verdict(found) == UNDECIDED  # p .074


def test_paired_t_is_scipys():
    x = np.random.default_rng(0).normal(0.1, 1, 7)
    assert verdicts.paired_t(x, 0.3) == pytest.approx(stats.ttest_1samp(x, 0.3).pvalue)
    assert verdicts.interval(x) == pytest.approx(stats.ttest_1samp(x, 0).confidence_interval())


def test_sign_flip_by_hand():
    assert verdicts.sign_flip([1, 2, 3, 4, 5]) == 2 / 32
    assert verdicts.sign_flip([1, 2, -3]) == 1  # sums +-6, +-4, +-2, 0, 0: all at least 0
    assert verdicts.sign_flip([1, 2, 4, -1]) == 6 / 16  # at least 6: +-8, and +-6 twice each
    assert verdicts.sign_flip([1.0]) is None


def test_equal_values_leave_it_to_the_signs():
    assert above([0.1] * 5).p == 2 / 32
    assert above([0.1] * 6).p == 2 / 64
    assert verdict(above([0.1] * 5)) == UNDECIDED and verdict(above([0.1] * 6)) == HOLDS
    assert above([0.0] * 6).points is None and verdict(above([0.0] * 6)) == UNDECIDED


def test_equal_values_of_more_seeds_than_the_signs_are_listed_of():
    """Of the 2^n signs, only all + and all - have a mean as far from 0."""
    for n in (2, 5, 16, 17, 40):
        assert verdicts.sign_flip([0.1] * n) == 2.0 ** (1 - n)
        assert verdicts.sign_flip([0.3] * n, 0.1 + 0.2) == 1  # equal but for rounding
    assert above([0.1] * 17).p == 2.0**-16 and verdict(above([0.1] * 17)) == HOLDS
    assert verdict(below([0.1] * 17)) == FAILS and verdict(above([0.1] * 17, 0.1)) == UNDECIDED
    assert about([0.5] * 17, 0.5, 0.02).p == 2.0**-17  # one-sided
    assert verdict(about([0.5] * 17, 0.5, 0.02)) == HOLDS
    assert verdicts.sign_flip([0.1] * 16 + [0.2]) is None


@pytest.mark.parametrize("x", [[5.0], [5.0, 5.1]])
def test_too_few_seeds_decide_nothing(x):
    for found in (above(x), below(x), about(x, 5, 1), best({"other": x})):
        assert found.p is None and verdict(found) == UNDECIDED
    assert "3 are needed" in above(x).why


def test_above_and_below_are_opposite():
    x = [0.51, 0.52, 0.53, 0.52]
    assert verdict(above(x, 0.5)) == HOLDS and verdict(below(x, 0.5)) == FAILS
    assert verdict(above(x, 0.55)) == FAILS and verdict(below(x, 0.55)) == HOLDS


def test_about_is_shown_within_refuted_beyond_and_open_at_the_edge():
    x = [0.80, 0.81, 0.79, 0.80]
    assert verdict(about(x, 0.8, 0.02)) == HOLDS
    assert verdict(about(x, 0.9, 0.02)) == FAILS
    assert verdict(about(x, 0.82, 0.02)) == UNDECIDED
    # sd sqrt(2/3) / 100, standard error half of it; the nearer end is .02 away.
    t = 0.02 / (0.01 * sqrt(2 / 3) / 2)
    assert about(x, 0.8, 0.02).p == pytest.approx(stats.t.sf(t, 3))


def test_best_needs_every_comparison_and_one_refutes():
    clear, close = [0.10, 0.11, 0.12, 0.10], [0.01, -0.01, 0.02, 0.0]
    assert verdict(best({"a": clear, "b": clear})) == HOLDS
    assert verdict(best({"a": clear, "b": close})) == UNDECIDED
    assert best({"a": clear, "b": close}).p == above(close).p
    beaten = [-x for x in clear]
    found = best({"a": clear, "b": beaten})
    assert verdict(found) == FAILS and found.p == 2 * above(beaten).p and "b" in found.why


def test_best_gives_the_numbers_of_the_comparison_that_decides():
    """Not of the other model that is ahead by most, if seeds vary too much to be sure of that."""
    unsure, beaten = [-0.02, 0.012, -0.015, 0.004, -0.0135], [-0.0031, -0.003, -0.0029, -0.003]
    found = best({"unsure": unsure, "beaten": [*beaten, -0.0032]})
    assert verdict(found) == FAILS and found.values == (*beaten, -0.0032)
    assert found.why.startswith("at least as good: beaten; mean -0.0030, 95 % [-0.003")
    clear, wide = [0.11, 0.12, 0.10, 0.11], [0.1, 0.5, 0.3, 0.2]
    found = best({"clear": clear, "wide": wide})
    assert found.why.startswith("least clear: wide") and found.p == above(wide).p


def test_holm_by_hand():
    tests = [verdicts.Tested(True, p, (1.0,), "") for p in (0.04, 0.01, None, 0.03)]
    assert [t.adjusted for t in holm(tests)] == [
        *(pytest.approx(0.06), pytest.approx(0.03), None, pytest.approx(0.06))
    ]


def test_counts_need_no_seeds():
    assert counted(True, 3, "").verdict == HOLDS
    assert counted(False, 3, "").verdict == FAILS


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_false_verdicts_are_no_more_than_their_level(seeds):
    """Scores of models that do not differ: the negative control of every test."""
    rng, runs = np.random.default_rng(seeds), 1000
    found = {"above": [], "below": [], "edge": [], "best": [], "sentence": []}
    for _ in range(runs):
        a, b, c = rng.normal(0.8, 0.01, (3, seeds))
        found["above"].append(verdict(above(a - b)))
        found["below"].append(verdict(below(a - b)))
        found["edge"].append(verdict(about(a, 0.82, 0.02)))  # truly at the end of the range
        found["best"].append(verdict(best({"b": a - b, "c": a - c})))
        rows = holm([above(x) for x in rng.normal(0, 0.01, (8, seeds))])
        found["sentence"].append(HOLDS if {r.verdict for r in rows} != {UNDECIDED} else "")
    for name, verdicts_ in found.items():
        level = 0.05 + 3 * sqrt(0.05 * 0.95 / runs)
        for one in (HOLDS, FAILS):
            assert verdicts_.count(one) / runs < level, (name, one)


def test_true_differences_are_found():
    """The control of that control: tests that never decide would pass it."""
    rng = np.random.default_rng(0)
    x = rng.normal(0.03, 0.01, (300, 5))
    assert np.mean([verdict(above(row)) == HOLDS for row in x]) > 0.9
    assert np.mean([verdict(about(row, 0.03, 0.03)) == HOLDS for row in x]) > 0.9
