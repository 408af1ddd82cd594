"""The octave-band wavelet transform used by MDQ and peakSlope."""

import numpy as np
from scipy.signal import oaconvolve


def octave_bands(wave: np.ndarray, scales: range) -> np.ndarray:
    """Split a wave into octave bands with a cosine-modulated Gaussian wavelet, without delay.

    d'Alessandro & Sturmel, "Glottal closure instant and voice source analysis using time-scale
    lines of maximum amplitude", Sadhana 36(5), 2011, Eq. 1.

    Args:
        wave: samples (n,).
        scales: exponents i; band i is centred at rate / 2^(i + 1).

    Returns:
        Bands (len(scales), n).
    """
    reach = np.arange(-1000, 1001)
    bands = np.empty((len(scales), wave.size))
    for row, scale in enumerate(scales):
        t = reach[np.abs(reach) <= 9 * 2**scale] / 2**scale  # beyond, the Gaussian is < 1e-17
        wavelet = -np.cos(np.pi * t) * np.exp(-(t**2) / 2)
        bands[row] = oaconvolve(wave, wavelet, "full")[t.size // 2 : t.size // 2 + wave.size]
    return bands
