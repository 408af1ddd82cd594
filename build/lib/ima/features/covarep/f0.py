"""Fundamental frequency and voicing by the summation of residual harmonics (SRH)."""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import rfft

from ima.features.covarep.lpc import residual, round_half_up

#: Number of harmonics summed; SRH above which a frame is used to narrow the search range; voicing
#: thresholds for tracks with low and high standard deviation of SRH; and their limit, `SPREAD`.
HARMONICS, NARROW, VOICED, VOICED_SPREAD, SPREAD = 5, 0.1, 0.07, 0.085, 0.05

_BLOCK = 128  # frames whose spectra are held at once: 16 MB at 16 kHz


class Pitch(NamedTuple):
    """A pitch track: 1-based centre `sample`, `f0` in Hz, `voiced` and `srh` of each frame (n,)."""

    sample: np.ndarray
    f0: np.ndarray
    voiced: np.ndarray
    srh: np.ndarray


def f0_srh(
    wave: np.ndarray, rate: int, *, low: int = 50, high: int = 500, hop_s: float = 0.010
) -> Pitch:
    """Track F0 and voicing on 100 ms Blackman frames of the LP residual.

    Drugman & Alwan, "Joint robust voicing detection and pitch estimation based on residual
    harmonics", Interspeech 2011, Eqs. 1-2, in two passes: the second searches half to twice the
    median of the first.

    Args:
        wave: samples (n,) with positive polarity.
        rate: sampling rate in Hz; at least 5 x 2 x `high`.
        low, high: search range of F0 in Hz.
        hop_s: time between frames in s.

    Returns:
        One value per frame, including F0 of unvoiced frames. Empty for waves under 100 ms.
    """
    excitation = residual(wave, rate, round_half_up(0.75 * rate / 1000))
    length = 2 * round_half_up((round_half_up(0.1 * rate) - 2) / 2)
    sample = np.arange(length // 2 + 1, wave.size - length // 2 + 1, round_half_up(hop_s * rate))
    if sample.size == 0:
        return Pitch(sample, np.zeros(0), np.zeros(0, bool), np.zeros(0))
    starts = sample - length // 2 - 1
    table = _residual_harmonics(excitation, rate, length, starts, np.arange(low, high + 1))
    floor = low
    for _ in range(2):
        within = table[:, low - floor : high - floor + 1]
        best = within.argmax(axis=1)
        f0, srh = best + float(low), within[np.arange(len(within)), best]
        if srh.max() > NARROW:
            middle = np.median(f0[srh > NARROW])
            low = max(low, round_half_up(0.5 * middle))
            high = min(high, round_half_up(2 * middle))
    spread = srh.std(ddof=1) if srh.size > 1 else 0.0
    threshold = VOICED_SPREAD if spread > SPREAD else VOICED
    return Pitch(sample, f0, srh > threshold, srh)


def _residual_harmonics(excitation, rate, length, starts, f0):
    """Return SRH (n, len(f0)): the harmonics of each candidate minus the values between them."""
    frames = sliding_window_view(excitation, length)
    window = np.blackman(length)
    out = np.zeros((starts.size, f0.size))
    for first in range(0, starts.size, _BLOCK):
        part = frames[starts[first : first + _BLOCK]] * window
        part -= part.mean(axis=1, keepdims=True)
        # With a DFT as long as the sampling rate, bins are 1 Hz apart.
        spectra = np.abs(rfft(part, rate, axis=1))[:, : rate // 2]
        norm = np.linalg.norm(spectra, axis=1, keepdims=True)
        spectra /= np.where(norm > 0, norm, 1.0)
        total = out[first : first + _BLOCK]
        for k in range(1, HARMONICS + 1):
            # COVAREP reads k f from the bin of k f - 1 Hz; this is kept so that F0 agrees.
            total += spectra[:, k * f0 - 1]
            if k < HARMONICS:
                total -= spectra[:, np.floor((k + 0.5) * f0 + 0.5).astype(int) - 1]
    return out
