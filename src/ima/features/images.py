"""Images as vectors (Section 4): grey levels over 255, flattened."""

import math

import numpy as np


def flatten(images: np.ndarray) -> np.ndarray:
    """Return uint8 images (n, height, width) as float32 vectors (n, height * width) in [0, 1]."""
    return images.reshape(len(images), math.prod(images.shape[1:])).astype(np.float32) / 255
