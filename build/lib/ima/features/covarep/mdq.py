"""Maxima dispersion quotient (MDQ): mean distance of wavelet maxima of the residual from GCIs."""

import numpy as np

from ima.features.covarep.lpc import round_half_up
from ima.features.covarep.wavelet import octave_bands

SCALES = range(2, 7)  # 2 kHz ... 125 Hz at 16 kHz


def mdq(excitation: np.ndarray, gci: np.ndarray) -> np.ndarray:
    """Measure the dispersion of the maxima of five octave bands around each GCI.

    Kane & Gobl, "Wavelet maxima dispersion for breathy to tense voice discrimination", IEEE TASLP
    21(6), 2013, Eqs. 4-6: low for tense, high for breathy voices.

    Args:
        excitation: LP residual (n,).
        gci: 0-based samples (m,), in increasing order.

    Returns:
        Mean distance of the maxima divided by the period (m,), >= 0; 0 if a period extends beyond
        the wave, and if there are fewer than two GCIs.
    """
    out = np.zeros(gci.size)
    if gci.size < 2:
        return out
    bands = octave_bands(excitation, SCALES)
    period = np.diff(gci)
    period = np.concatenate([period[:1], period])
    for n in np.flatnonzero((gci - period >= 0) & (gci + period < excitation.size)):
        reach = round_half_up(0.2 * period[n])
        near = bands[:, gci[n] - reach : gci[n] + reach + 1]
        # COVAREP measures from one sample before the GCI; this is kept so that MDQ agrees.
        out[n] = np.abs(near.argmax(axis=1) - (reach - 1)).mean() / period[n]
    return out
