"""Standardization of each dimension to mean 0 and standard deviation 1 over the training items.

A scale (2, D) holds the mean and standard deviation. A constant dimension has a deviation of 0 and
is 0 for all items after standardization.
"""

import numpy as np
import torch
from torch import Tensor

#: A standard deviation below this share of the absolute mean is treated as rounding error.
ROUNDING = 1e-7


def scale_of(x: Tensor, rows: np.ndarray) -> Tensor:
    """Return the scale (2, D) of the items that occur in pairs.

    Args:
        x: all items (n, D).
        rows: row numbers (N,) of the pairs' items. Numbers outside of x, such as ABSENT, are
            ignored.
    """
    rows = np.unique(np.asarray(rows, np.int64))
    x = x[rows[(rows >= 0) & (rows < len(x))]].double()
    mean, deviation = x.mean(0), x.std(0, correction=0)
    return torch.stack((mean, deviation * (deviation > ROUNDING * mean.abs()))).float()


def standardized(x: Tensor, scale: Tensor) -> Tensor:
    """Return items (n, D) minus the mean, divided by the deviation; 0 in constant dimensions."""
    mean, deviation = scale
    return torch.where(deviation > 0, (x - mean) / deviation, 0)


def unstandardized(x: Tensor, scale: Tensor) -> Tensor:
    """Return standardized items (n, D) in their original units."""
    mean, deviation = scale
    return x * deviation + mean
