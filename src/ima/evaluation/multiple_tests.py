"""Correction of p values for several tests that are read together."""

from collections.abc import Sequence


def holm(p: Sequence[float]) -> list[float]:
    """Return p values adjusted by Holm's method for all of them together, in their order."""
    adjusted, floor = [1.0] * len(p), 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        floor = max(floor, min(1.0, p[i] * (len(p) - rank)))
        adjusted[i] = floor
    return adjusted
