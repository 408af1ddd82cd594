"""Cepstral features of a recording for alignment, and where its audible part lies.

Thirteen static mel-frequency cepstral coefficients a frame (Davis and Mermelstein, 1980). Deltas
are left out on purpose: they look several frames ahead, so a word would begin before it does.
"""

import functools
from typing import NamedTuple

import librosa
import numpy as np
import scipy.fft
import soxr

#: Every recording is brought to this rate (Hz): the band that all accepted rates have in common.
RATE = 8_000
LOWEST_RATE, HIGHEST_RATE = 8_000, 48_000
#: Time between frames and length of a frame's window, in s.
SHIFT, WINDOW = 0.005, 0.020
N_CEPSTRA, N_MELS, N_FFT, LOWEST_HZ, PREEMPHASIS = 13, 24, 256, 60.0, 0.97
#: Mel energies below this part of the recording's highest are raised to it (-80 dB), so that
#: digital silence is a steady, finite value and not minus infinity.
ENERGY_FLOOR = 1e-8
#: A frame less than this above the recording's noise floor (dB) is not audible. Energies of 20 ms
#: of steady noise scatter by 0.5 dB.
AUDIBLE_DB = 3.0
#: How far (s) a word may reach into the inaudible ends: about one stop closure.
MARGIN = 0.050
#: Start and end of speech, for a first guess only: where the level passes this part of the range
#: between the recording's quiet and loud frames, widened by ENDPOINT_PAD (s) on both sides.
ENDPOINT_LEVEL, ENDPOINT_PAD = 0.3, 0.020


class Cepstra(NamedTuple):
    """The features of one recording; frame t is centred on t x 5 ms.

    Args:
        x: (T, 13) float16, normalised; half precision keeps a corpus of 14 hours under 300 MB.
        first: words may begin at this frame at the earliest ...
        last: ... and end before this one.
        speech: (start, end) frames of a first guess at where speech lies.
        duration: of the recording, in s.
    """

    x: np.ndarray
    first: int
    last: int
    speech: tuple[int, int]
    duration: float


def fault(samples: np.ndarray, rate: int) -> str:
    """Say why a recording (samples (n,), rate in Hz) cannot be aligned; '' when it can."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        return f"sampling rate of {rate} Hz is not within {LOWEST_RATE}-{HIGHEST_RATE} Hz"
    if np.ndim(samples) != 1:
        return f"not one channel: samples of shape {np.shape(samples)}"
    if len(samples) < WINDOW * rate:
        return f"only {len(samples)} samples"
    if not np.isfinite(samples).all():
        return "samples that are NaN or infinite"
    if np.ptp(samples) == 0:
        return "digital silence"
    return ""


def cepstra(samples: np.ndarray, rate: int) -> Cepstra:
    """Return the features of a recording that has no `fault`.

    Each coefficient is centred and scaled by the mean and standard deviation in which the quiet
    and the loud frames weigh one half each: plain statistics over the recording would move with
    its share of silence, and one model of silence could not serve short and long strings.

    Args:
        samples: (n,) float.
        rate: in Hz, 8,000-48,000; brought to 8,000 Hz first.
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
    # The absolute floor only matters for a recording that resampling left without energy.
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
    """Return first and one past the last true frame, widened by `pad` s; all frames if none is."""
    where = np.flatnonzero(active)
    if not len(where):
        return 0, len(active)
    extra = round(pad / SHIFT)
    return max(0, int(where[0]) - extra), min(len(active), int(where[-1]) + 1 + extra)
