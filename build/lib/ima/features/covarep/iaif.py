"""Glottal flow by iterative adaptive inverse filtering (IAIF) of two periods around each GCI."""

from functools import lru_cache

import numpy as np
from numba import njit
from scipy.signal import firls
from threadpoolctl import threadpool_limits

from ima.features.covarep.lpc import fir, predictor

#: Leakage factor of the integrator that cancels lip radiation.
LEAK = 0.99


def iaif(wave: np.ndarray, rate: int, gci: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Estimate the glottal flow and its derivative, pitch-synchronously.

    Alku, "Glottal wave analysis with pitch synchronous iterative adaptive inverse filtering",
    Speech Communication 11(2-3), 1992, section 3. Each frame covers one period on both sides of a
    GCI with a Hann window, so that overlapping frames add up to the whole signal.

    Args:
        wave: samples (n,) with positive polarity.
        rate: sampling rate in Hz.
        gci: 0-based samples of the GCIs (m,), in increasing order.

    Returns:
        Flow and flow derivative, each (n,), in the scale of `wave`; zero away from GCIs, and
        everywhere if there are fewer than two GCIs.
    """
    flow, derivative = np.zeros(wave.size), np.zeros(wave.size)
    if gci.size < 2:
        return flow, derivative
    tract, source = 2 * round(rate / 2000) + 4, 2 * round(rate / 4000)
    high_pass = _high_pass(rate)
    period = np.diff(gci)
    period = np.concatenate([period[:1], period])
    for centre, t0 in zip(gci, period, strict=True):
        # COVAREP centres frames one sample before the GCI; this is kept so that features agree.
        start, stop = max(centre - 1 - t0, 0), min(centre + t0, wave.size)
        if stop - start <= tract:
            continue
        window = np.hanning(stop - start)
        frame = _centred(high_pass, wave[start:stop] * window)
        g, dg = _inverse_filter(frame, window, tract, source)
        flow[start:stop] += g
        derivative[start:stop] += dg
    return flow, derivative


@lru_cache(maxsize=16)
def _high_pass(rate):
    """Return a linear-phase high-pass filter with stop band to 40 Hz and pass band from 70 Hz."""
    order = round(300 / 16000 * rate)
    # With several threads, the last digits of the solution and thus the features would differ.
    with threadpool_limits(1, "blas"):
        return firls(order + order % 2 + 1, [0, 40, 70, rate / 2], [0, 0, 1, 1], fs=rate)


def _centred(taps, frame):
    """Filter a frame without delay, so that output sample i is centred on input sample i."""
    half = taps.size // 2
    return np.convolve(frame, taps)[half : half + frame.size]


@njit(cache=True)
def _integrate(x):
    y = np.empty(x.size)
    last = 0.0
    for i in range(x.size):
        last = x[i] + LEAK * last
        y[i] = last
    return y


@njit(cache=True)
def _windowed(x, lead, window):
    """Return the samples after the first `lead`, multiplied by the window."""
    out = np.empty(window.size)
    for i in range(window.size):
        out[i] = x[lead + i] * window[i]
    return out


@njit(cache=True)
def _inverse_filter(frame, window, tract, source):
    """Return the glottal flow and its derivative; names as in the paper's block diagram."""
    # A ramp up to the first sample keeps filter transients out of the frame.
    lead = tract + 1
    signal = np.empty(lead + frame.size)
    for i in range(signal.size):
        signal[i] = frame[0] * (2.0 * i / (lead - 1) - 1.0) if i < lead else frame[i - lead]
    # Remove the combined tilt of source and lips before fitting the first tract model.
    hg1 = predictor(_windowed(frame, 0, window), 1)
    hvt1 = predictor(_windowed(fir(hg1, signal), lead, window), tract)
    g1 = _integrate(fir(hvt1, signal))
    # Repeat with a better model of the source.
    hg2 = predictor(_windowed(g1, lead, window), source)
    hvt2 = predictor(_windowed(_integrate(fir(hg2, signal)), lead, window), tract)
    derivative = fir(hvt2, signal)
    return _integrate(derivative)[lead:], derivative[lead:]
