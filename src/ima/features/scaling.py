"""Standardized dimensions: a mean of 0 and a deviation of 1 for the items that are trained on.

A scale (2, D) holds mean and deviation; the deviation of a constant dimension is 0, and the
dimension is 0 for all items.
"""

import numpy as np
import torch
from torch import Tensor

#: A deviation of so small a share of the greatest value is rounding.
ROUNDING = 1e-7


def scale_of(x: Tensor, rows: np.ndarray) -> Tensor:
    """Return the scale (2, D) of the items (n, D) that pairs have.

    Args:
        x: of all items.
        rows: row numbers (N,) of the pairs' items; those that are none of x are passed over.
    """
    rows = np.unique(np.asarray(rows, np.int64))
    x = x[rows[(rows >= 0) & (rows < len(x))]].double()
    mean, deviation = x.mean(0), x.std(0, correction=0)
    return torch.stack((mean, deviation * (deviation > ROUNDING * mean.abs()))).float()


def standardized(x: Tensor, scale: Tensor) -> Tensor:
    """Return items (n, D) with each dimension less its mean, by its deviation; 0 if constant."""
    mean, deviation = scale
    return torch.where(deviation > 0, (x - mean) / deviation, 0)


def unstandardized(x: Tensor, scale: Tensor) -> Tensor:
    """Return items (n, D) that were `standardized` in their own units."""
    mean, deviation = scale
    return x * deviation + mean
