"""Statistical tests of claims across seeds, and their verdicts.

Each seed is a separate training on the same data. A test over seeds therefore says what another
training would give, but nothing about other test items or another corpus.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from ima.evaluation import multiple_tests

#: Significance level for all tests of one sentence together.
LEVEL = 0.05
#: Minimum number of seeds for a verdict.
MIN_SEEDS = 3
#: Maximum number of seeds for the sign-flip test, which enumerates all signs.
MAX_SIGN_FLIP_SEEDS = 16
#: Largest difference attributed to rounding.
ROUNDING = 1e-12
HOLDS, FAILS, UNDECIDED, UNTESTABLE = (
    "holds",
    "does not hold",
    "undecided",
    "not testable here",
)


@dataclass(frozen=True)
class Tested:
    """The result of a test.

    Attributes:
        points: whether the values support the claim (True), contradict it, or neither (None).
        p: p value of the test in that direction; None if there is none.
        values: the tested quantity x for each seed.
        why: the result in words.
        counted: whether the values are counts that do not depend on the seed and need no p value.
        adjusted: p value adjusted for the other tests of the same sentence.
    """

    points: bool | None
    p: float | None
    values: tuple[float, ...]
    why: str
    counted: bool = False
    adjusted: float | None = None

    @property
    def verdict(self) -> str:
        """One of HOLDS, FAILS and UNDECIDED."""
        decided = self.counted or (self.adjusted is not None and self.adjusted < LEVEL)
        if self.points is None or not decided:
            return UNDECIDED
        return HOLDS if self.points else FAILS


def paired_t(x: Sequence[float], than: float = 0.0) -> float | None:
    """Return the two-sided p value of the one-sample t test that the mean of x (n,) is `than`.

    For differences by seed, this is the paired t test. If all values are equal, the standard
    deviation is 0 and the p value is that of `sign_flip`. None for fewer than MIN_SEEDS values.
    """
    d = np.asarray(x, float) - than
    if len(d) < MIN_SEEDS:
        return None
    if _equal(d):
        return sign_flip(x, than)
    t = d.mean() / (d.std(ddof=1) / math.sqrt(len(d)))
    return float(2 * special.stdtr(len(d) - 1, -abs(t)))


def sign_flip(x: Sequence[float], than: float = 0.0) -> float | None:
    """Return the two-sided p value of the exact sign-flip test, at least 2 / 2^n.

    It is the fraction of all sign combinations of x - than whose mean is at least as far from 0 as
    the observed one. None for a single value, or for more than MAX_SIGN_FLIP_SEEDS unless all are
    equal.
    """
    d = np.asarray(x, float) - than
    if len(d) < 2:
        return None
    if _equal(d):  # only n equal signs reach the observed mean, unless it is 0
        return 1.0 if abs(d.mean()) <= ROUNDING else 2.0 ** (1 - len(d))
    if len(d) > MAX_SIGN_FLIP_SEEDS:
        return None
    sums = np.array([*itertools.product((-1.0, 1.0), repeat=len(d))]) @ d
    return float((np.abs(sums) >= abs(d.sum()) - ROUNDING * max(1.0, np.abs(d).sum())).mean())


def _equal(d: np.ndarray) -> bool:
    """Return whether differences (n,) are the same but for rounding."""
    return bool(d.std(ddof=1) <= ROUNDING * max(1.0, np.abs(d).max()))


def interval(x: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % confidence interval of the mean of x by Student's t; None for one value."""
    if len(x) < 2:
        return None
    half = special.stdtrit(len(x) - 1, 0.975) * np.std(x, ddof=1) / math.sqrt(len(x))
    return float(np.mean(x) - half), float(np.mean(x) + half)


def above(x: Sequence[float], than: float = 0.0) -> Tested:
    """Test that the mean of x is above `than`."""
    d = float(np.mean(x)) - than
    points = None if d == 0 else d > 0
    return Tested(points, paired_t(x, than), tuple(x), _too_few(x) or _compared(x, than))


def below(x: Sequence[float], than: float = 0.0) -> Tested:
    """Test that the mean of x is below `than`."""
    result = above(x, than)
    return replace(result, points=None if result.points is None else not result.points)


def about(x: Sequence[float], value: float, within: float) -> Tested:
    """Test that the mean of x is within `within` of a value.

    Support is tested by two one-sided t tests, one against each end (an equivalence test), and
    contradiction by the two-sided test against the end that the mean lies beyond.
    """
    mean, (low, high) = float(np.mean(x)), (value - within, value + within)
    inside = low < mean < high
    if len(x) < MIN_SEEDS:
        p = None
    elif inside:
        p = max(_one_sided(x, low), _one_sided(x, high))
    else:
        p = paired_t(x, low if mean <= low else high)
    why = _too_few(x) or f"mean {mean:.4f}, {'' if inside else 'not '}in {low:g} to {high:g}"
    return Tested(inside, p, tuple(x), why)


def best(differences: dict[str, Sequence[float]]) -> Tested:
    """Test that one model is better than each of several others.

    The claim is supported if every paired test is significant: the largest p value counts (an
    intersection-union test, which needs no correction for multiple tests). It is contradicted if
    any other model is at least as good: the smallest p value of those counts, times the number of
    tests. The values and the reason are those of the comparison that decides, or of the best other
    model if there are too few seeds for p values.

    Args:
        differences: x for each seed, by name of the other model.
    """
    tests = {name: above(x) for name, x in differences.items()}
    refuting = {name: test for name, test in tests.items() if not test.points}
    known = {name: test.p for name, test in (refuting or tests).items() if test.p is not None}
    if len(known) < len(refuting or tests):
        rival, p = min(tests, key=lambda name: float(np.mean(tests[name].values))), None
    elif refuting:
        rival = min(known, key=known.__getitem__)
        p = min(1.0, known[rival] * len(tests))
    else:
        rival = max(known, key=known.__getitem__)
        p = known[rival]
    why = f"{'at least as good' if refuting else 'least clear'}: {rival}; {tests[rival].why}"
    return Tested(not refuting, p, tests[rival].values, why)


def counted(holds: bool, value: float, why: str) -> Tested:
    """Return the result for a quantity that is counted, not estimated."""
    return Tested(holds, None, (float(value),), why, counted=True)


def holm(tests: Sequence[Tested]) -> list[Tested]:
    """Return tests with Holm-Bonferroni-adjusted p values; tests without p are unchanged."""
    adjusted = iter(multiple_tests.holm([t.p for t in tests if t.p is not None]))
    return [t if t.p is None else replace(t, adjusted=next(adjusted)) for t in tests]


def _one_sided(x: Sequence[float], end: float) -> float:
    """Return the one-sided p value against an end of the interval that the mean of x is within."""
    p = paired_t(x, end)
    return p / 2


def _too_few(x: Sequence[float]) -> str:
    """Return a remark if there are too few seeds; '' otherwise."""
    return (
        "" if len(x) >= MIN_SEEDS else f"{len(x)} seed{'s' * (len(x) > 1)}, {MIN_SEEDS} are needed"
    )


def _compared(x: Sequence[float], than: float) -> str:
    limits = interval(x)
    return f"mean {np.mean(x):+.4f}, 95 % [{limits[0]:+.4f}, {limits[1]:+.4f}], against {than:g}"
