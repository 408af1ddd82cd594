"""Standardization of each dimension to mean 0 and standard deviation 1 over the training items.

A scale (2, D) holds the mean and standard deviation. A constant dimension has a deviation of 0 and
is 0 for all items after standardization.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ima.utils.matrices import blocks

#: A standard deviation below this share of the absolute mean is treated as rounding error.
ROUNDING = 1e-7


def scale_of(x: Tensor | np.ndarray, rows: np.ndarray) -> Tensor:
    """Return the scale (2, D) of the items that occur in pairs.

    Args:
        x: all items (n, D).
        rows: row numbers (N,) of the pairs' items. Numbers outside of x, such as ABSENT, are
            ignored.
    """
    rows = np.unique(np.asarray(rows, np.int64))
    rows = rows[(rows >= 0) & (rows < len(x))]

    def mean_of(function: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the mean (D,) of a function of the items, of which one block is in memory."""
        total = torch.zeros(x.shape[1], dtype=torch.double)
        for block in blocks(len(rows), x.shape[1]):
            summed = function(torch.as_tensor(x[rows[block]]).double()).sum(0)
            total = total.to(summed) + summed
        return total / len(rows)

    mean = mean_of(lambda values: values)
    deviation = mean_of(lambda values: values.sub_(mean).square_()).sqrt()
    return torch.stack((mean, deviation * (deviation > ROUNDING * mean.abs()))).float()


def standardized(x: Tensor, scale: Tensor) -> Tensor:
    """Return items (n, D) minus the mean, divided by the deviation; 0 in constant dimensions."""
    mean, deviation = scale
    return torch.where(deviation > 0, (x - mean) / deviation, 0)


def standardize(x: Tensor, scale: Tensor) -> Tensor:
    """Standardize items (n, D) in place, a block at a time, and return them."""
    for block in blocks(*x.shape):
        x[block] = standardized(x[block], scale)
    return x


def unstandardized(x: Tensor, scale: Tensor) -> Tensor:
    """Return standardized items (n, D) in their original units."""
    mean, deviation = scale
    return x * deviation + mean
