"""Rd of the LF model by mean squared phase (MSP)."""

from functools import lru_cache

import numpy as np
from numba import njit

from ima.features.covarep import lf
from ima.features.covarep.sinusoids import Sinusoids

#: Harmonics whose phase is looked at.
_ORDER = 8
#: The spacing of the table of model phases over Rd; between, it is linear.
_STEP = 0.005
#: Brent's search stops at this distance, the toolbox's.
_TOLERANCE = 0.01


def rd_msp(frames: Sinusoids, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Estimate the shape of the glottal pulse from the phases of the first eight harmonics.

    Degottex, Roebel & Rodet, "Phase minimization for glottal model estimation", IEEE TASLP 19(5),
    2011, the criterion MSPD2: divide the harmonics by the LF model's, take away the minimum phase
    of what is left (the vocal tract), and look for the Rd that leaves the flattest phase.

    Args:
        frames: harmonics of n frames.
        rate: Hz.

    Returns:
        Rd (n,), 0.3 ... 2.5, and its confidence (n,), 1 - sqrt(error) / pi in [0, 1]; both 0
        for a frame of fewer than nine harmonics or of silence.
    """
    rd, confidence = np.zeros(frames.f0.size), np.zeros(frames.f0.size)
    for n in range(frames.f0.size):
        harmonics = min(int(frames.count[n]), int(rate / 2 // frames.spacing[n]) + 1) - 1
        amplitude = frames.amplitude[n, : harmonics + 1]
        if harmonics <= _ORDER or amplitude[1:].max() <= 1e-200:
            continue
        phase = frames.phase[n, : _ORDER + 1] - _minimum_phase(amplitude)
        rd[n], error = _search(phase, _model_phases(harmonics), *lf.RD_RANGE, _STEP, _TOLERANCE)
        confidence[n] = 1 - np.sqrt(error) / np.pi
    return rd, confidence


def _minimum_phase(amplitude):
    """Return the minimum phase (rad) of harmonics 0..8, from the amplitudes of all, DC first."""
    level = np.log(np.maximum(amplitude, 1e-300))
    # DC and the last harmonic cannot be measured: they take their neighbour's level.
    level[..., 0], level[..., -1] = level[..., 1], level[..., -2]
    cepstrum = np.fft.irfft(level, axis=-1)
    half = amplitude.shape[-1] - 1
    cepstrum[..., 1:half] *= 2
    cepstrum[..., half + 1 :] = 0
    return np.fft.rfft(cepstrum, axis=-1).imag[..., : _ORDER + 1]


@lru_cache(maxsize=512)
def _model_phases(harmonics):
    """Return the LF model's phases less their minimum phase, one row an Rd of the grid."""
    model = _spectra()[:, :harmonics]
    padded = np.concatenate([model[:, :1], model], axis=1)
    phase = np.angle(padded[:, : _ORDER + 1]) - _minimum_phase(np.abs(padded))
    return np.unwrap(phase, axis=0)


@lru_cache(maxsize=1)
def _spectra():
    """Return the model's harmonics for every Rd of the grid; 200 reach over 8 kHz at 40 Hz."""
    low, high = lf.RD_RANGE
    grid = np.arange(round((high - low) / _STEP) + 1) * _STEP + low
    return np.array([lf.spectrum(rd, 200) for rd in grid])


@njit(cache=True)
def _error(rd, phase, table, low, step):
    """Return the mean squared phase distortion that is left after the model of `rd`."""
    at = min(int((rd - low) / step), len(table) - 2)
    weight = (rd - low) / step - at
    total, before, first = 0.0, 0.0, 0.0
    for k in range(1, phase.size):
        left = phase[k] - (1 - weight) * table[at, k] - weight * table[at + 1, k]
        if k == 1:
            first = left
        else:
            turn = left - before - first
            turn -= 2 * np.pi * np.round(turn / (2 * np.pi))
            total += turn * turn
        before = left
    return total / (phase.size - 2)


@njit(cache=True)
def _search(phase, table, low, high, step, tolerance):
    """Minimise `_error` over low..high by Brent's method; return the place and the error.

    Brent, "Algorithms for minimization without derivatives", 1973, chapter 5. It may stop in a
    local minimum; a full search finds another in few frames, and agrees less with the toolbox.
    """
    golden = 0.5 * (3 - np.sqrt(5.0))
    a, b = low, high
    x = w = v = a + golden * (b - a)
    fx = fw = fv = _error(x, phase, table, low, step)
    move = last = 0.0
    for _ in range(31):
        middle = 0.5 * (a + b)
        near = 1.5e-8 * abs(x) + tolerance / 3
        if abs(x - middle) <= 2 * near - 0.5 * (b - a):
            break
        parabola = False
        if abs(last) > near:
            r, q = (x - w) * (fx - fv), (x - v) * (fx - fw)
            p, q = (x - v) * q - (x - w) * r, 2 * (q - r)
            p, q = (-p if q > 0 else p), abs(q)
            before, last = last, move
            if abs(p) < abs(0.5 * q * before) and p > q * (a - x) and p < q * (b - x):
                parabola = True
                move = p / q
                u = x + move
                if u - a < 2 * near or b - u < 2 * near:
                    move = near if middle >= x else -near
        if not parabola:
            last = a - x if x >= middle else b - x
            move = golden * last
        u = x + (max(abs(move), near) if move >= 0 else -max(abs(move), near))
        fu = _error(u, phase, table, low, step)
        if fu <= fx:
            a, b = (x, b) if u >= x else (a, x)
            v, w, x, fv, fw, fx = w, x, u, fw, fx, fu
        else:
            a, b = (u, b) if u < x else (a, u)
            if fu <= fw or w == x:
                v, w, fv, fw = w, u, fw, fu
            elif fu <= fv or v in (x, w):
                v, fv = u, fu
    return x, fx
