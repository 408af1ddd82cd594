"""Mean and deviation of harmonic phase distortion (HMPD)."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import median_filter
from scipy.signal import filtfilt

from ima.features.covarep.sinusoids import Sinusoids

_DFT = 1024
_MEAN_FRAMES, _SPREAD_FRAMES = 25, 9  # six and two periods of four frames, made odd
_MEANS, _SPREADS = 25, 13  # coefficients
_BLOCK = 64  # bins smoothed at a time
_LINEAR = 8  # the scale of the means is linear below this bin
#: Minimum number of frames for smoothing: three windows of the mean.
MIN_FRAMES = 3 * (_MEAN_FRAMES - 1) + 1


class PhaseDistortion(NamedTuple):
    """`mean` (n, 25) rad in (-pi, pi] and `deviation` (n, 13), cepstral, of n frames."""

    mean: np.ndarray
    deviation: np.ndarray


def harmonic_phase_distortion(frames: Sinusoids, rate: int) -> PhaseDistortion:
    """Return the mean and deviation over time of the phase distortion of the harmonics.

    Degottex & Erro, "A uniform phase representation for the harmonic model in speech synthesis
    applications", EURASIP JASMP 2014:38, sections 2-3. The minimum phase of the amplitude envelope
    is removed first; mean and standard deviation are circular.

    Args:
        frames: harmonics of n frames, 10 ms apart.
        rate: sampling rate in Hz.

    Returns:
        Means on COVAREP's compressed scale of DFT bins, and the mel cepstrum of the deviation. The
        first eight means are near zero, as there are no harmonics below 125 Hz. Both are empty for
        fewer than 73 frames, the length needed for smoothing.
    """
    n = frames.f0.size
    if n < MIN_FRAMES:
        return PhaseDistortion(np.zeros((0, _MEANS)), np.zeros((0, _SPREADS)))
    distortion = _distortion(frames, rate)
    means, scale = np.zeros((n, _MEANS), complex), _scale()
    for first in range(0, scale.size + 1, _BLOCK):
        block = slice(first, first + _BLOCK)
        unit = np.exp(1j * np.angle(_smooth(np.exp(1j * distortion[:, block]), _MEAN_FRAMES)))
        for coefficient, column in zip(scale[block], unit.T, strict=False):
            means[:, coefficient - 1] += column
        detrended = distortion[:, block] - _trend(distortion[:, block])
        distortion[:, block] = _spread(_smooth(np.exp(1j * detrended), _SPREAD_FRAMES))
    return PhaseDistortion(np.angle(means), _compress_deviation(distortion, rate))


def wrap(angle: np.ndarray) -> np.ndarray:
    """Return angles (rad) in [-pi, pi]."""
    return angle - 2 * np.pi * np.round(angle / (2 * np.pi))


def _distortion(frames, rate):
    """Return the phase distortion (rad) on DFT bins 0..512 of every frame."""
    bins = rate * np.arange(_DFT // 2 + 1) / _DFT
    # COVAREP fills the bins above the last harmonic with noise; the seed makes it reproducible.
    noise = np.random.default_rng(0)
    width = int(frames.count.max())
    out = np.empty((frames.f0.size, bins.size))
    for n in range(frames.f0.size):
        count = frames.count[n]
        place = frames.spacing[n] * np.arange(count)
        phase = frames.phase[n, :count] - _tract_phase(place, frames.amplitude[n, :count], bins)
        phase = wrap(phase)
        phase[0] = 0.0
        relative = phase - np.arange(count) * phase[1]
        bend = wrap(noise.uniform(0, 2 * np.pi, width))
        bend[: count - 1] = wrap(np.diff(np.unwrap(relative)))
        f0 = frames.f0[n]
        x = np.concatenate([[0, 0.95 * f0], f0 * np.arange(1, width + 1)])
        y = np.unwrap(np.concatenate([[0, 0], bend]))
        out[n] = wrap(np.interp(bins, x, y))
    return out


def _tract_phase(place, amplitude, bins):
    """Return the minimum phase of the amplitude envelope at the harmonics (DC first)."""
    level = np.log(np.maximum(amplitude, 1e-300))
    envelope = np.interp(bins, place[1:], level[1:])
    cepstrum = np.fft.irfft(envelope)
    cepstrum[1 : _DFT // 2] *= 2
    cepstrum[_DFT // 2 + 1 :] = 0
    return np.interp(place, bins, np.fft.rfft(cepstrum).imag, 0, 0)


def _smooth(unit, frames):
    """Smooth complex values over frames with a rectangular window, forwards and backwards."""
    window = np.full(frames, 1 / frames)
    return filtfilt(window, 1, unit, axis=0, padlen=3 * (frames - 1))


def _trend(distortion):
    """Return the slow component of the distortion: a median filter, then a Hann window twice."""
    window = np.hanning(_SPREAD_FRAMES)
    window /= window.sum()
    parts = [
        filtfilt(
            window,
            1,
            median_filter(part, (_SPREAD_FRAMES, 1), mode="constant"),
            axis=0,
            padlen=3 * (_SPREAD_FRAMES - 1),
        )
        for part in (np.cos(distortion), np.sin(distortion))
    ]
    return np.arctan2(parts[1], parts[0])


def _spread(mean):
    """Return Fisher's circular standard deviation from the mean of unit vectors."""
    length = np.clip(np.abs(mean), 1e-300, 1.0)
    return np.sqrt(-2 * np.log(length))


def _scale():
    """Return the coefficient (1..25) of each of the bins 0..511: linear, then flattening.

    A quadratic Bezier curve from (8, 8) over (25, 25) to (512, 25).
    """
    t = np.linspace(0, 1, 101)
    x = (1 - t) ** 2 * _LINEAR + 2 * t * (1 - t) * _MEANS + t**2 * (_DFT // 2)
    y = (1 - t) ** 2 * _LINEAR + (1 - (1 - t) ** 2) * _MEANS
    place = np.arange(1, _DFT // 2 + 1, dtype=float)
    place[_LINEAR:] = np.interp(place[_LINEAR:], x, y)
    return np.floor(place + 0.5).astype(int)


def _compress_deviation(deviation, rate):
    """Return the mel cepstrum (n, 13) of the deviation (n, 513)."""
    deviation = deviation.copy()
    deviation[:, 0] = deviation[:, 1]
    # Values below 1e-6 are rounding errors, whose logarithms would be large.
    deviation[deviation < 1e-6] = 0.001
    bins = rate * np.arange(_DFT // 2 + 1) / _DFT
    mel = np.log1p(bins / 700)
    mel *= rate / 2 / mel[-1]
    level = np.log(np.stack([np.interp(bins, mel, row) for row in deviation]))
    cepstrum = np.fft.irfft(level, axis=1)[:, :_SPREADS]
    cepstrum[:, 1:] *= 2
    return cepstrum
