"""Detection and thinning of local maxima, used by several methods."""

import numpy as np
from numba import njit


@njit(cache=True)
def peaks(x):
    """Return the indices of the local maxima of `x` (n,), using the middle of plateaus."""
    found = np.empty(x.size, np.int64)
    n = 0
    rise = -1
    for i in range(1, x.size):
        if x[i] > x[i - 1]:
            rise = i
        elif x[i] < x[i - 1]:
            if rise >= 0:
                found[n] = rise + (i - 1 - rise) // 2
                n += 1
            rise = -1
    return found[:n]


@njit(cache=True)
def thin(position, height, apart):
    """Drop the lower of neighbouring peaks that are at most `apart` samples apart.

    All pairs are compared simultaneously, repeatedly until no such pair is left. Of two peaks of
    equal height, the later one is dropped.

    Returns:
        Indices into `position` of the remaining peaks.
    """
    stay = np.arange(position.size)
    lost = np.zeros(position.size, np.bool_)
    n = position.size
    while True:
        close = False
        for j in range(n - 1):
            if position[stay[j + 1]] - position[stay[j]] <= apart:
                close = True
                lower = j + 1 if height[stay[j]] >= height[stay[j + 1]] else j
                lost[lower] = True
        if not close:
            return stay[:n]
        kept = 0
        for j in range(n):
            if not lost[j]:
                stay[kept] = stay[j]
                kept += 1
            lost[j] = False
        n = kept
