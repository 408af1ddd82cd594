"""Prepare user items for training: standardize them by the items of the training pairs."""

import logging

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from ima.datasets.user_vectors import names_of
from ima.features.scaling import scale_of, standardized
from ima.utils.arrow import matrix, vector_column
from ima.utils.errors import InputError, first_few
from ima.utils.matrices import blocks, empty

logger = logging.getLogger(__name__)


def scale_items(
    items: pa.Table, rows: np.ndarray, standardize: bool, name: str
) -> tuple[pa.Table, dict[str, Tensor]]:
    """Return items with standardized vectors, and the scale that `ima.IMA.load` reads.

    Args:
        items: OWN_ITEMS of a modality.
        rows: row numbers (N,) of the training pairs' items, negative if a pair lacks the modality.
        standardize: whether to scale each dimension to mean 0 and standard deviation 1 over the
            training items; otherwise vectors are unchanged.
        name: name of the modality.

    Returns:
        The items, and `scale.<name>` (2, D) with means and standard deviations; empty without
        standardization.

    Raises:
        InputError: all training items are the same.
    """
    x = matrix(items, "x")
    scale = scale_of(x, rows)
    constant = torch.nonzero(scale[1] == 0).ravel().tolist()
    if len(constant) == x.shape[1]:
        raise InputError(
            f"vectors of {name}",
            expected="training items that differ",
            found=f"{len(np.unique(rows[rows >= 0]))} that are all the same",
            do=f"Remove {name} from own.modalities, or add items: there is nothing to learn.",
        )
    if not standardize:
        return items, {}
    if constant:
        names = names_of(items) or range(x.shape[1])
        logger.warning(
            "%s: %d of %d dimensions are constant over the training items and are set to 0: %s",
            name,
            len(constant),
            x.shape[1],
            first_few([names[at] for at in constant]),
        )
    column = items.column_names.index("x")
    scaled = empty(*x.shape)
    for block in blocks(*x.shape):
        scaled[block] = standardized(torch.tensor(x[block]), scale)
    return items.set_column(column, "x", vector_column(scaled)), {f"scale.{name}": scale}
