"""Cepstral features for alignment, and detection of the audible part of a recording.

Each frame has thirteen static mel-frequency cepstral coefficients (Davis and Mermelstein, 1980).
Delta coefficients are deliberately omitted: they look several frames ahead, which would make words
appear to start too early.
"""

import functools
from typing import NamedTuple

import librosa
import numpy as np
import scipy.fft
import soxr

#: Rate (Hz) to which all recordings are resampled: the bandwidth common to all accepted rates.
RATE = 8_000
LOWEST_RATE, HIGHEST_RATE = 8_000, 48_000
#: Recordings whose samples differ by no more than two steps of 16 bits are silent.
SILENT = 2 / 32768
#: Time between frames and length of the analysis window, in s.
SHIFT, WINDOW = 0.005, 0.020
N_CEPSTRA, N_MELS, N_FFT, LOWEST_HZ, PREEMPHASIS = 13, 24, 256, 60.0, 0.97
#: Mel energies are floored at this fraction of the recording's maximum (-80 dB), so that digital
#: silence gives a constant, finite value instead of minus infinity.
ENERGY_FLOOR = 1e-8
#: Frames less than this (dB) above the noise floor of the recording are inaudible. The energy of
#: 20 ms of stationary noise varies by 0.5 dB.
AUDIBLE_DB = 3.0
#: How far (s) a word may extend into the inaudible ends: about the length of a stop closure.
MARGIN = 0.050
#: Initial guess at the start and end of speech: where the level crosses this fraction of the range
#: between the quiet and the loud frames, widened by ENDPOINT_PAD (s) on both sides.
ENDPOINT_LEVEL, ENDPOINT_PAD = 0.3, 0.020


class Cepstra(NamedTuple):
    """The features of one recording; frame t is centred on t x 5 ms.

    Args:
        x: (T, 13) float16, normalised; half precision keeps a corpus of 14 hours under 300 MB.
        first: the first frame at which a word may start.
        last: the frame before which all words must end.
        speech: (start, end) frames of an initial guess at the extent of speech.
        duration: duration of the recording in s.
    """

    x: np.ndarray
    first: int
    last: int
    speech: tuple[int, int]
    duration: float


def fault(samples: np.ndarray, rate: int) -> str:
    """Return why a recording cannot be aligned, or '' if it can.

    Args:
        samples: (n,) float.
        rate: sampling rate in Hz.
    """
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        return f"sampling rate of {rate} Hz is not within {LOWEST_RATE}-{HIGHEST_RATE} Hz"
    if np.ndim(samples) != 1:
        return f"not one channel: samples of shape {np.shape(samples)}"
    if len(samples) < WINDOW * rate:
        return f"only {len(samples)} samples"
    if not np.isfinite(samples).all():
        return "samples that are NaN or infinite"
    if np.ptp(samples) <= SILENT:
        return "digital silence"
    return ""


def cepstra(samples: np.ndarray, rate: int) -> Cepstra:
    """Return the features of a recording without a `fault`.

    Each coefficient is standardised by a weighted mean and standard deviation, in which quiet and
    loud frames have a total weight of one half each. Unweighted statistics would depend on the
    share of silence, so that one silence model would not fit both short and long strings.

    Args:
        samples: (n,) float.
        rate: sampling rate in Hz, 8,000-48,000; the recording is first resampled to 8,000 Hz.
    """
    raw, level = _mfcc(samples, rate)
    quiet, loud = np.percentile(level, [2, 95])
    is_loud = level > (quiet + loud) / 2
    weight = np.where(is_loud, 0.5 / max(is_loud.sum(), 1), 0.5 / max((~is_loud).sum(), 1))
    weight /= weight.sum()
    mean = weight @ raw
    scale = np.sqrt(weight @ (raw - mean) ** 2)
    x = ((raw - mean) / np.maximum(scale, 1e-3)).astype(np.float16)
    first, last = _span(level > np.percentile(level, 10) + AUDIBLE_DB, MARGIN)
    low, high = np.percentile(level, [5, 95])
    speech = _span(level > low + ENDPOINT_LEVEL * (high - low), ENDPOINT_PAD)
    return Cepstra(x, first, last, speech, len(samples) / rate)


def _mfcc(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Return cepstra (T, 13) and level in dB (T,), both float64."""
    x = np.asarray(samples, dtype=np.float32)
    if rate != RATE:
        x = soxr.resample(x, rate, RATE)
    hop, width = round(SHIFT * RATE), round(WINDOW * RATE)
    x = np.append(x[:1], x[1:] - np.float32(PREEMPHASIS) * x[:-1])
    padded = np.pad(x, width // 2, mode="reflect" if len(x) > width else "edge")
    frames = np.lib.stride_tricks.sliding_window_view(padded, width)[::hop]  # (T, width)
    spectrum = scipy.fft.rfft(frames * _hamming(width), N_FFT, axis=1)
    mel = (spectrum.real**2 + spectrum.imag**2) @ _mel_bank()  # (T, 24)
    # The absolute floor only matters for recordings that have no energy left after resampling.
    log_mel = np.log(np.maximum(mel, max(ENERGY_FLOOR * mel.max(), 1e-30)))
    raw = scipy.fft.dct(log_mel, type=2, norm="ortho", axis=1)[:, :N_CEPSTRA]
    total = np.maximum(mel.sum(axis=1), max(ENERGY_FLOOR * mel.max(), 1e-30))
    return raw.astype(np.float64), 10 * np.log10(total.astype(np.float64))


@functools.cache
def _mel_bank() -> np.ndarray:
    bank = librosa.filters.mel(sr=RATE, n_fft=N_FFT, n_mels=N_MELS, fmin=LOWEST_HZ)
    return np.ascontiguousarray(bank.T, dtype=np.float32)  # (129, 24)


@functools.cache
def _hamming(width: int) -> np.ndarray:
    return np.hamming(width).astype(np.float32)


def _span(active: np.ndarray, pad: float) -> tuple[int, int]:
    """Return the range of true frames (end exclusive), widened by `pad` s; all if none is true."""
    where = np.flatnonzero(active)
    if not len(where):
        return 0, len(active)
    extra = round(pad / SHIFT)
    return max(0, int(where[0]) - extra), min(len(active), int(where[-1]) + 1 + extra)
