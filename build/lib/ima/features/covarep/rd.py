"""Estimate Rd of the LF model by mean squared phase (MSP)."""

from functools import lru_cache

import numpy as np
from numba import njit
from scipy.optimize import fminbound

from ima.features.covarep import lf
from ima.features.covarep.sinusoids import Sinusoids

#: Number of harmonics whose phase is used.
_ORDER = 8
#: Spacing and start of the table of model phases over Rd, which is interpolated linearly.
_STEP, _LOW = 0.005, lf.RD_RANGE[0]
#: Tolerance of Brent's method, as in the toolbox.
_TOLERANCE = 0.01


def rd_msp(frames: Sinusoids, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Estimate the shape of the glottal pulse from the phases of the first eight harmonics.

    Degottex, Roebel & Rodet, "Phase minimization for glottal model estimation", IEEE TASLP 19(5),
    2011, criterion MSPD2: divide the harmonics by those of the LF model, remove the minimum phase
    of the quotient (the vocal tract), and search for the Rd with the flattest remaining phase.

    Args:
        frames: harmonics of n frames.
        rate: sampling rate in Hz.

    Returns:
        Rd (n,), 0.3 ... 2.5, and its confidence (n,), 1 - sqrt(error) / pi in [0, 1]; both are 0
        for silent frames and frames with fewer than nine harmonics.
    """
    rd, confidence = np.zeros(frames.f0.size), np.zeros(frames.f0.size)
    for n in range(frames.f0.size):
        harmonics = min(int(frames.count[n]), int(rate / 2 // frames.spacing[n]) + 1) - 1
        amplitude = frames.amplitude[n, : harmonics + 1]
        if harmonics <= _ORDER or amplitude[1:].max() <= 1e-200:
            continue
        phase = frames.phase[n, : _ORDER + 1] - _minimum_phase(amplitude)
        # Brent's method may stop at a local minimum, as it does in the toolbox.
        rd[n], error, _, _ = fminbound(
            _error, *lf.RD_RANGE, (phase, _model_phases(harmonics)), _TOLERANCE, full_output=True
        )
        confidence[n] = 1 - np.sqrt(error) / np.pi
    return rd, confidence


def _minimum_phase(amplitude):
    """Return the minimum phase (rad) of harmonics 0..8 from all amplitudes, including DC."""
    level = np.log(np.maximum(amplitude, 1e-300))
    # DC and the last harmonic cannot be measured; use the levels of their neighbours.
    level[..., 0], level[..., -1] = level[..., 1], level[..., -2]
    cepstrum = np.fft.irfft(level, axis=-1)
    half = amplitude.shape[-1] - 1
    cepstrum[..., 1:half] *= 2
    cepstrum[..., half + 1 :] = 0
    return np.fft.rfft(cepstrum, axis=-1).imag[..., : _ORDER + 1]


@lru_cache(maxsize=512)
def _model_phases(harmonics):
    """Return the phases of the LF model minus their minimum phase, one row per Rd of the grid."""
    model = _spectra()[:, :harmonics]
    padded = np.concatenate([model[:, :1], model], axis=1)
    phase = np.angle(padded[:, : _ORDER + 1]) - _minimum_phase(np.abs(padded))
    return np.unwrap(phase, axis=0)


@lru_cache(maxsize=1)
def _spectra():
    """Return the 200 harmonics of the model (8 kHz at an F0 of 40 Hz) for each Rd of the grid."""
    low, high = lf.RD_RANGE
    grid = np.arange(round((high - low) / _STEP) + 1) * _STEP + low
    return np.array([lf.spectrum(rd, 200) for rd in grid])


@njit(cache=True)
def _error(rd, phase, table):
    """Return the mean squared phase distortion that remains after removing the model of `rd`."""
    place = (rd - _LOW) / _STEP
    at = min(int(place), len(table) - 2)
    weight = place - at
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
