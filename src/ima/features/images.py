"""Image features: flattened grey levels, divided by 255 (A.1.1)."""

import math

import numpy as np


def flatten(images: np.ndarray) -> np.ndarray:
    """Convert uint8 images (n, height, width) to float32 vectors (n, height * width) in [0, 1]."""
    return images.reshape(len(images), math.prod(images.shape[1:])).astype(np.float32) / 255
