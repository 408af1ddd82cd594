"""Parameters of the glottal flow, one set per period: NAQ, QOQ, H1-H2, HRF, PSP."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.fft import rfft

from ima.features.covarep.lpc import round_half_up
from ima.features.covarep.peaks import peaks, thin

_PSP_DFT = 2048  # Alku et al. 1997
_HRF_TOP = 5000  # Hz
_F0_RANGE = (20, 500)  # Hz; periods outside this range have no parameters
_BLOCK = 128  # spectra held in memory at a time: 16 MB at 16 kHz


class Glottal(NamedTuple):
    """Parameters of each period (m,); 0 if no period of 20-500 Hz precedes the GCI."""

    naq: np.ndarray
    qoq: np.ndarray
    h1h2: np.ndarray
    psp: np.ndarray
    hrf: np.ndarray


def glottal_parameters(
    flow: np.ndarray, derivative: np.ndarray, rate: int, gci: np.ndarray
) -> Glottal:
    """Measure the glottal flow between each GCI and the preceding one.

    NAQ (Alku, Bäckström & Vilkman, JASA 112(2), 2002): peak-to-peak flow over peak slope and
    period. QOQ (Hacki 1989): share of the period with the flow above half its peak. H1-H2
    (Hanson, JASA 101(1), 1997) and HRF (Childers & Lee, JASA 90(5), 1991): on the spectrum of
    three periods of the derivative. PSP (Alku, Strik & Vilkman, Speech Communication 22(1),
    1997): curvature of one period's spectrum, relative to that of a rectangular pulse.

    Args:
        flow, derivative: (n,), from `ima.features.covarep.iaif.iaif`.
        rate: sampling rate in Hz.
        gci: 0-based samples (m,), in increasing order.

    Returns:
        Five arrays (m,). H1-H2 is in dB. HRF is the ratio of sums of dB of COVAREP, so it depends
        on the scale of the wave (full scale is 1).
    """
    out = np.zeros((5, gci.size))
    if gci.size < 2:
        return Glottal(*out)
    period = np.diff(gci)
    period = np.concatenate([period[:1], period])
    usable = (rate / period > _F0_RANGE[0]) & (rate / period < _F0_RANGE[1])
    usable &= gci < flow.size
    for n in np.flatnonzero(usable):
        start = gci[n - 1] if n else 0
        tail = round_half_up(0.0005 * rate)
        out[:2, n] = _quotients(flow, derivative, start, gci[n], period[n], tail)
        if n:
            out[3, n] = _psp(flow[start : gci[n] + 1], period[n])
    which = np.flatnonzero(usable)
    for first in range(0, which.size, _BLOCK):
        part = which[first : first + _BLOCK]
        out[2, part], out[4, part] = _harmonics(derivative, rate, gci[part], period[part])
    return Glottal(*out)


@njit(cache=True)
def _quotients(flow, derivative, start, stop, period, tail):
    """Return NAQ and QOQ of the pulse flow[start..stop] after removing its baseline drift."""
    pulse = np.empty(stop + 1 - start)
    drift = (flow[stop] - flow[start]) / max(pulse.size - 1, 1)
    top = 0
    for i in range(pulse.size):
        pulse[i] = flow[start + i] - flow[start] - drift * i
        if pulse[i] > pulse[top]:
            top = i
    slope = 0.0
    for i in range(start, stop + (tail if stop + tail < derivative.size else 0) + 1):
        slope = max(slope, abs(derivative[i]))
    if slope == 0.0:
        return 0.0, 0.0
    height = pulse[top]
    left = top
    while pulse[left] > 0.5 * height and left > 2:
        left -= 1
    right = top
    while pulse[right] > 0.5 * height and right < pulse.size - 3:
        right += 1
    return height / slope / period, (right - left) / period


def _harmonics(derivative, rate, gci, period):
    """Return H1-H2 (dB) and HRF of the spectra of three periods around each GCI."""
    frames = np.zeros((gci.size, rate))
    for row, (centre, t0) in enumerate(zip(gci, period, strict=True)):
        half = round_half_up(1.5 * t0)
        frame = derivative[max(centre - half, 0) : centre + half + 1]
        # HRF depends on the scale; this is that of 16-bit samples.
        frames[row, : frame.size] = frame * 2**15 * np.hamming(frame.size)
    magnitude = np.abs(rfft(frames, axis=1))
    level = 20 * np.log10(np.maximum(magnitude, 1e-12))
    h1h2, hrf = np.zeros(gci.size), np.zeros(gci.size)
    for row, t0 in enumerate(period):
        h1h2[row], hrf[row] = _ratios(level[row], rate / t0)
    return h1h2, hrf


@njit(cache=True)
def _ratios(level, f0):
    """Return H1-H2 and HRF of a spectrum with one bin per Hz."""
    at = peaks(level)
    at = at[thin(at, level[at], f0 / 2)]
    # COVAREP requires five peaks in the two-sided spectrum.
    if 2 * at.size < 5:
        return 0.0, 0.0
    count = int(np.floor(_HRF_TOP / f0))
    total, h1, h2 = 0.0, 0.0, 0.0
    for k in range(1, count + 1):
        best = 0
        for j in range(1, at.size):
            # COVAREP counts bins from 1.
            if abs(at[j] + 1 - k * f0) < abs(at[best] + 1 - k * f0):
                best = j
        value = level[at[best]]
        if k == 1:
            h1 = value
        else:
            total += value
            if k == 2:
                h2 = value
    return h1 - h2, (total / h1 if h1 != 0.0 else 0.0)


def _psp(pulse, period):
    """Return the parabolic spectral parameter of one pulse."""
    pulse = pulse - pulse.min()
    top = pulse.max()
    if top == 0:
        return 0.0
    level = _decibels(pulse / top)
    return _curvature(level, 0.01) / _steepest(int(period))


@lru_cache(maxsize=1024)
def _steepest(period):
    """Return the curvature of the flattest pulse, the a_max of the paper."""
    return _curvature(_decibels(np.full(period, 1 / period)), 0.01)


def _decibels(pulse):
    magnitude = np.abs(rfft(pulse, _PSP_DFT))[: _PSP_DFT // 2]
    return 20 * np.log10(np.maximum(magnitude, 1e-300))


@njit(cache=True)
def _curvature(level, tolerance):
    """Return `a` of the parabola a k^2 + b fitted to as many bins as the error tolerance allows."""
    n = 2
    sum_k2, sum_k4, sum_x, sum_xk2, sum_x2 = 1.0, 1.0, 0.0, 0.0, 0.0
    for k in range(2):
        sum_x += level[k]
        sum_xk2 += level[k] * k * k
        sum_x2 += level[k] ** 2
    a = 0.0
    while n < level.size:
        k2 = float(n * n)
        sum_k2 += k2
        sum_k4 += k2 * k2
        sum_x += level[n]
        sum_xk2 += level[n] * k2
        sum_x2 += level[n] ** 2
        n += 1
        a = (n * sum_xk2 - sum_x * sum_k2) / (n * sum_k4 - sum_k2 * sum_k2)
        b = (sum_x - a * sum_k2) / n
        error = 0.0
        for k in range(n):
            error += (level[k] - a * k * k - b) ** 2
        if not error < tolerance * sum_x2:
            break
    return a
