"""Harmonic sinusoids of pitch-synchronous frames, the input to Rd and harmonic phase features."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.fft import rfft

from ima.features.covarep.peaks import peaks

_DFT = 4096
_BLOCK = 64  # spectra held in memory at a time


class Sinusoids(NamedTuple):
    """Harmonics 0..H of n frames; rows are zero-padded after `count` values (including DC).

    Attributes:
        frame: (n,) index of each frame in the pitch track, without frames that extend beyond the
            wave.
        f0: (n,) given F0 in Hz.
        spacing: (n,) measured distance between harmonics in Hz.
        count: (n,) number of harmonics, including DC.
        amplitude: (n, H + 1), linear.
        phase: (n, H + 1) in rad at the centre of the frame.
    """

    frame: np.ndarray
    f0: np.ndarray
    spacing: np.ndarray
    count: np.ndarray
    amplitude: np.ndarray
    phase: np.ndarray


def sinusoids(wave: np.ndarray, rate: int, sample: np.ndarray, f0: np.ndarray) -> Sinusoids:
    """Measure the harmonics of three-period Blackman frames by peak picking.

    McAulay & Quatieri, "Speech analysis/synthesis based on a sinusoidal representation", IEEE
    TASSP 34(4), 1986. The harmonic is the peak nearest to each multiple of F0, or the multiple
    itself if there is no peak within half of F0.

    Args:
        wave: samples (n,) with positive polarity.
        rate: sampling rate in Hz.
        sample: (m,) 0-based centres of the frames.
        f0: (m,) F0 in Hz, integers.

    Returns:
        The harmonics of the frames that lie within the wave.
    """
    half = np.floor(1.5 * rate / f0 + 0.5).astype(int)
    frame = np.flatnonzero((sample - half >= 0) & (sample + half < wave.size))
    sample, f0, half = sample[frame], f0[frame], half[frame]
    count = np.floor((rate / 2 - f0 / 2) / f0 + 0.5).astype(int) + 1
    shape = frame.size, int(count.max(initial=1))
    spacing, amplitude, phase = np.zeros(frame.size), np.zeros(shape), np.zeros(shape)
    for first in range(0, frame.size, _BLOCK):
        block = slice(first, first + _BLOCK)
        spectrum = rfft(_frames(wave, sample[block], half[block]), axis=1)
        level = np.log(np.maximum(np.abs(spectrum), 1e-300))
        angle = np.unwrap(np.angle(spectrum), axis=1)
        for row, n in enumerate(range(frame.size)[block]):
            step, own = _DFT * f0[n] / rate, slice(count[n])
            place = _harmonics(level[row], angle[row], step, amplitude[n, own], phase[n, own])
            spacing[n] = np.median(np.diff(place)) if place.size > 1 else 0.0
    return Sinusoids(frame, f0, spacing * rate / _DFT, count, amplitude, phase)


def _frames(wave, sample, half):
    """Return windowed frames (n, DFT), rotated so that their centre is at index 0 (zero phase)."""
    out = np.zeros((sample.size, _DFT))
    for row, (centre, reach) in enumerate(zip(sample, half, strict=True)):
        frame = wave[centre - reach : centre + reach + 1] * _window(int(reach))
        out[row, : reach + 1] = frame[reach:]
        out[row, _DFT - reach :] = frame[:reach]
    return out


@lru_cache(maxsize=1024)
def _window(half):
    window = np.blackman(2 * half + 1)
    return window / window.sum()


@njit(cache=True)
def _harmonics(level, angle, step, amplitude, phase):
    """Fill in amplitude and phase of the harmonics of a half spectrum; return their bins.

    `level` is the log magnitude, `angle` the unwrapped phase, and `step` is F0 in bins.
    """
    place, height = _interpolate(level, peaks(level))
    where = np.zeros(amplitude.size)
    amplitude[0], phase[0] = np.exp(level[0]), angle[0]
    near = 0
    for k in range(1, amplitude.size):
        target = step * k
        while near + 1 < place.size and abs(place[near + 1] - target) < abs(place[near] - target):
            near += 1
        if place.size and abs(place[near] - target) < step / 2:
            where[k], amplitude[k] = place[near], np.exp(height[near])
        else:
            where[k], amplitude[k] = target, np.exp(level[int(np.floor(target + 0.5))])
        low = min(int(where[k]), angle.size - 2)
        phase[k] = angle[low] + (angle[low + 1] - angle[low]) * (where[k] - low)
    return where


@njit(cache=True)
def _interpolate(level, at):
    """Return the vertex (bin and height) of the parabola through each peak and its neighbours."""
    place, height = np.empty(at.size), np.empty(at.size)
    for i in range(at.size):
        k = at[i]
        slope = 0.5 * (level[k + 1] - level[k - 1])
        bend = level[k] - slope - level[k - 1]
        if bend > 0.0:
            place[i] = k + 0.5 * slope / bend
            height[i] = level[k] + 0.25 * slope * slope / bend
        else:
            place[i], height[i] = k, level[k]
    return place, height
