"""Detect the polarity of a recording by the skewness of two residuals (RESKEW)."""

import numpy as np
from scipy.signal import ellip, ellipord, filtfilt
from scipy.stats import skew

from ima.features.covarep.lpc import residual


def polarity(wave: np.ndarray, rate: int) -> int:
    """Return whether the polarity of a recording is positive (+1) or inverted (-1).

    Drugman, "Residual excitation skewness for automatic speech polarity detection", IEEE Signal
    Processing Letters 20(4), 2013: with positive polarity, the residual is more skewed than that
    of predictors fitted to the wave without its fundamental (high-pass filtered at 480 Hz).

    Args:
        wave: samples (n,), any scale.
        rate: sampling rate in Hz.

    Returns:
        +1 or -1; +1 if the two are equal (silence, or too short a wave).
    """
    order, edge = ellipord(480, 500, 3, 60, fs=rate)
    b, a = ellip(order, 3, 60, edge, "high", fs=rate)
    if wave.size <= 3 * max(len(a), len(b)):
        return 1
    without_f0 = filtfilt(b, a, wave, padlen=3 * (max(len(a), len(b)) - 1))
    lp_order = round(rate / 1000) + 2
    glottal = residual(wave, rate, lp_order)
    rough = residual(wave, rate, lp_order, model=without_f0)
    if not (np.any(glottal) and np.any(rough)):
        return 1
    return -1 if skew(glottal) < skew(rough) else 1
