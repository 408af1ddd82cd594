"""Glottal closure instants by the mean-based signal and the residual (SEDREAMS)."""

import numpy as np
from scipy.signal import ellip, ellipord, filtfilt, lfilter

from ima.features.covarep.lpc import residual, round_half_up
from ima.features.covarep.peaks import peaks


def gci_sedreams(wave: np.ndarray, rate: int, f0_hz: float) -> np.ndarray:
    """Find the glottal closure instants of a recording, including its unvoiced parts.

    Drugman, Thomas, Gudnason, Naylor & Dutoit, "Detection of glottal closure instants from speech
    signals: a quantitative review", IEEE TASLP 20(3), 2012, section II-D.

    Args:
        wave: samples (n,) with positive polarity.
        rate: sampling rate in Hz.
        f0_hz: mean F0 of the speaker in Hz.

    Returns:
        Unique 0-based samples (m,), in increasing order.
    """
    if wave.size < 2:
        return np.zeros(0, int)
    excitation = residual(wave, rate, round(rate / 1000) + 2)
    mean_based = _mean_based(wave, rate, f0_hz)
    minima, maxima = _cycles(mean_based)
    if minima.size == 0:
        return np.zeros(0, int)
    width = maxima - minima
    strong = np.flatnonzero(excitation > 0.4)
    ratio = 0.0
    if strong.size:
        nearest = _nearest(minima, strong)
        ratio = np.median((strong - minima[nearest]) / width[nearest])
    start = minima + np.floor((ratio - 0.35) * width + 0.5).astype(int)
    stop = minima + np.floor((ratio + 0.35) * width + 0.5).astype(int)
    found = [
        first + int(excitation[first : last + 1].argmax())
        for first, last in zip(np.maximum(start, 0), np.minimum(stop, wave.size - 1), strict=True)
        if first < wave.size and last > 0 and last >= first
    ]
    return np.unique(np.array(found, int))


def _mean_based(wave, rate, f0_hz):
    """Return the wave smoothed over 1.7 mean periods and high-pass filtered at 50 Hz."""
    half = round_half_up(1.7 * round_half_up(rate / f0_hz) / 2)
    window = np.blackman(2 * half + 1)
    smooth = lfilter(window, [window.size], wave)
    out = np.zeros(wave.size)
    if wave.size > 2 * half:
        out[half : wave.size - half] = smooth[2 * half :]
    order, edge = ellipord(50, 30, 3, 60, fs=rate)
    b, a = ellip(order, 3, 60, edge, "high", fs=rate)
    return filtfilt(b, a, out, padlen=min(3 * (max(len(a), len(b)) - 1), wave.size - 1))


def _cycles(signal):
    """Return the minima of a signal and the maximum following each of them."""
    maxima, minima = peaks(signal), peaks(-signal)
    if minima.size == 0:
        return minima, minima
    maxima = maxima[maxima > minima[0]]
    if maxima.size == 0:
        return maxima, maxima
    minima = minima[minima < maxima[-1]]
    n = min(minima.size, maxima.size)
    return minima[:n], maxima[:n]


def _nearest(ordered, values):
    """Return, for each value, the index of the nearest of `ordered` (the lower in a tie)."""
    right = np.clip(np.searchsorted(ordered, values), 1, max(ordered.size - 1, 1))
    if ordered.size == 1:
        return np.zeros(values.size, int)
    left = right - 1
    return np.where(values - ordered[left] <= ordered[right] - values, left, right)
