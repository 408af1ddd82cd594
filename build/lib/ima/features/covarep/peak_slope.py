"""peakSlope: slope of wavelet peaks over octave bands, a measure of spectral tilt."""

import numpy as np
from scipy.ndimage import maximum_filter1d

from ima.features.covarep.lpc import round_half_up
from ima.features.covarep.wavelet import octave_bands

SCALES = range(7)  # 8 kHz ... 125 Hz at 16 kHz


def peak_slope(wave: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Fit a line to the log10 peaks of seven octave bands, in 40 ms frames every 10 ms.

    Kane & Gobl, "Identifying regions of non-modal phonation using features of the wavelet
    transform", Interspeech 2011, section 3.

    Args:
        wave: samples (n,).
        rate: Hz.

    Returns:
        The 0-based centre of each frame (m,), and its slope from lower to higher bands in log10
        units per octave (m,), 0 if a band is silent.
    """
    length, shift = round_half_up(0.04 * rate), round_half_up(0.01 * rate)
    start = np.arange(0, wave.size - length + 1, shift)
    if start.size == 0:
        return start, np.zeros(0)
    bands = np.abs(octave_bands(wave, SCALES))
    # The filter's value at i is the maximum over [i - length // 2, i + (length - 1) // 2].
    top = maximum_filter1d(bands, length, axis=1, mode="nearest")[:, start + length // 2]
    audible = top.min(axis=0) > 0
    level = np.log10(np.where(top > 0, top, 1.0))[::-1]  # low bands first
    octave = np.arange(len(level)) - (len(level) - 1) / 2
    slope = octave @ level / (octave @ octave)
    return start + length // 2, np.where(audible, slope, 0.0)
