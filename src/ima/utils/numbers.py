"""Check numbers that users give as settings."""

import math
import numbers
from typing import Any

from ima.utils.errors import InputError


def whole(name: str, value: Any, low: int = 1, high: int | None = None) -> int:
    """Return a whole number as `int`, also if it is one of NumPy.

    Args:
        name: name of the setting, for the message.
        value: what the user gave.
        low, high: smallest and largest valid number; `high` may be None.

    Raises:
        InputError: it is not a whole number, or out of range.
    """
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_whole or value < low or (high is not None and value > high):
        expected = f"a whole number of {low} " + ("or more" if high is None else f"to {high}")
        raise InputError(name, expected=expected, found=repr(value))
    return int(value)


def real(
    name: str, value: Any, low: float = 0, high: float = math.inf, is_open: bool = False
) -> float:
    """Return a finite number as `float`, also if it is one of NumPy.

    Args:
        name: name of the setting, for the message.
        value: what the user gave.
        low, high: range of valid numbers.
        is_open: whether the ends of the range are not valid.

    Raises:
        InputError: it is not a number, not finite, or out of range.
    """
    is_real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    inside = is_real and math.isfinite(value) and low <= value <= high
    if not inside or (is_open and value in (low, high)):
        left, right = "()" if is_open or high == math.inf else "[]"
        limits = f"{left if is_open else '['}{low:g}, {high:g}{right}"
        raise InputError(name, expected=f"a number in {limits}", found=repr(value))
    return float(value)
