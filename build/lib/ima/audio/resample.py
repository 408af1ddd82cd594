"""Resampling of audio."""

import numpy as np


def resample(wave: np.ndarray, rate: int, target: int) -> np.ndarray:
    """Resample a waveform with soxr at its high-quality setting.

    Args:
        wave: (n,).
        rate: its sampling rate in Hz.
        target: the new rate in Hz.

    Returns:
        The resampled waveform, float32.
    """
    import soxr

    if rate == target:
        return wave.astype(np.float32, copy=False)
    return soxr.resample(wave, rate, target).astype(np.float32, copy=False)
