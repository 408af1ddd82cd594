"""Whether values of several seeds hold a claim: tests over seeds, and what is said of them.

A seed is one training from its own start on the same data, so a test over seeds tells what another
training would give, and nothing of other test items or another corpus.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

#: Of the chance of a verdict where there should be none, for all that one sentence says.
LEVEL = 0.05
#: Seeds below which nothing is decided.
LEAST = 3
#: Seeds up to which every choice of signs is tried.
MOST_SIGNS = 16
HOLDS, FAILS, UNDECIDED, UNTESTABLE = (
    "holds",
    "does not hold",
    "undecided",
    "not testable here",
)


@dataclass(frozen=True)
class Tested:
    """What a test found.

    Attributes:
        points: whether the values speak for the claim (True), against it, or neither (None).
        p: of the test that points there; None where there is none.
        values: x of each seed, which the claim is about.
        why: what was found, in words.
        counted: whether the values are counts that are the same for every seed: no p is needed.
        adjusted: p once the other tests of the same sentence are allowed for.
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
    """Return the two-sided p of the one-sample t test that the mean of x (n,) is `than`.

    Of differences seed by seed this is the paired t test. Where all values are equal it knows no
    spread: then the p of `sign_flip`.
    """
    d = np.asarray(x, float) - than
    if len(d) < LEAST:
        return None
    if d.std(ddof=1) <= 1e-12 * max(1.0, np.abs(d).max()):
        return sign_flip(x, than)
    t = d.mean() / (d.std(ddof=1) / math.sqrt(len(d)))
    return float(2 * special.stdtr(len(d) - 1, -abs(t)))


def sign_flip(x: Sequence[float], than: float = 0.0) -> float | None:
    """Return the two-sided p of the exact sign-flip test, 2 / 2^n at the least.

    The share of all choices of signs of x - than whose mean is as far from 0 as the one found.
    """
    d = np.asarray(x, float) - than
    if not 1 < len(d) <= MOST_SIGNS:
        return None
    sums = np.array([*itertools.product((-1.0, 1.0), repeat=len(d))]) @ d
    return float((np.abs(sums) >= abs(d.sum()) - 1e-12 * max(1.0, np.abs(d).sum())).mean())


def interval(x: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % confidence interval of the mean of x by Student's t; None of one value."""
    if len(x) < 2:
        return None
    half = special.stdtrit(len(x) - 1, 0.975) * np.std(x, ddof=1) / math.sqrt(len(x))
    return float(np.mean(x) - half), float(np.mean(x) + half)


def above(x: Sequence[float], than: float = 0.0) -> Tested:
    """Test that the mean of x is above `than`."""
    d = float(np.mean(x)) - than
    points = None if d == 0 else d > 0
    return Tested(points, paired_t(x, than), tuple(x), _few(x) or _compared(x, than))


def below(x: Sequence[float], than: float = 0.0) -> Tested:
    """Test that the mean of x is below `than`."""
    found = above(x, than)
    return replace(found, points=None if found.points is None else not found.points)


def about(x: Sequence[float], value: float, within: float) -> Tested:
    """Test that the mean of x is within `within` of a value.

    For it: two one-sided t tests, against either end (equivalence). Against it: the two-sided test
    against the end that the mean lies beyond.
    """
    mean, (low, high) = float(np.mean(x)), (value - within, value + within)
    inside = low < mean < high
    if len(x) < LEAST:
        p = None
    elif inside:
        p = max(_one_sided(x, low), _one_sided(x, high))
    else:
        p = paired_t(x, low if mean <= low else high)
    why = _few(x) or f"mean {mean:.4f}, {'' if inside else 'not '}in {low:g} to {high:g}"
    return Tested(inside, p, tuple(x), why)


def best(differences: dict[str, Sequence[float]]) -> Tested:
    """Test that one model is above each of several others.

    For it all must be below: the greatest p of the paired tests (an intersection-union test, which
    needs no allowance for their number). Against it, that one of them is above: the least p of
    those, times the number of tests. The values are the differences to the others' best.

    Args:
        differences: by name of the other model, x of each seed.
    """
    tests = {name: above(x) for name, x in differences.items()}
    rival = min(tests, key=lambda name: float(np.mean(tests[name].values)))
    others = [found for found in tests.values() if not found.points]
    chosen = others or list(tests.values())
    known = [found.p for found in chosen if found.p is not None]
    if len(known) < len(chosen):
        p = None
    else:
        p = min(1.0, min(known) * len(tests)) if others else max(known)
    why = f"nearest or above: {rival}; {tests[rival].why}"
    return Tested(not others, p, tests[rival].values, why)


def counted(holds: bool, value: float, why: str) -> Tested:
    """Return the verdict of what is counted, not estimated."""
    return Tested(holds, None, (float(value),), why, counted=True)


def holm(tests: Sequence[Tested]) -> list[Tested]:
    """Return tests with p adjusted for their number (Holm-Bonferroni); without p, as they are."""
    order = sorted((t.p, i) for i, t in enumerate(tests) if t.p is not None)
    found, least = list(tests), 0.0
    for rank, (p, i) in enumerate(order):
        least = max(least, min(1.0, p * (len(order) - rank)))
        found[i] = replace(tests[i], adjusted=least)
    return found


def _one_sided(x: Sequence[float], end: float) -> float:
    """Return the p that the mean of x lies on its side of an end only by chance."""
    p = paired_t(x, end)
    return p / 2


def _few(x: Sequence[float]) -> str:
    """Say that there are too few seeds; '' if there are enough."""
    return "" if len(x) >= LEAST else f"{len(x)} seed{'s' * (len(x) > 1)}, {LEAST} are needed"


def _compared(x: Sequence[float], than: float) -> str:
    found = interval(x)
    return f"mean {np.mean(x):+.4f}, 95 % [{found[0]:+.4f}, {found[1]:+.4f}], against {than:g}"
