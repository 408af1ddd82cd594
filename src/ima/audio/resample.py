"""Resampling of audio."""

import numpy as np


def resample(wave: np.ndarray, rate: int, target: int) -> np.ndarray:
    """Resample a wave (n,) from `rate` to `target` Hz with soxr's high quality; float32."""
    import soxr

    if rate == target:
        return wave.astype(np.float32, copy=False)
    return soxr.resample(wave, rate, target).astype(np.float32, copy=False)
