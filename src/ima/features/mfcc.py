"""MFCC of spoken digits (A.1.2): 58 frames around a digit's midpoint, 12 coefficients each.

Every digit is cut to the same length, so that whole batches are transformed at once. Samples
outside a digit are set to digital silence. The log-mel spectrum of silence is constant, and the
cosine transform of a constant is 0 in all coefficients but the zeroth, which is excluded. Padding
the waveform is therefore equivalent to padding the features with zeros.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.audio.resample import resample
from ima.utils.errors import InputError
from ima.utils.matrices import empty
from ima.utils.parallel import imap
from ima.utils.progress import progress_bar

MAPPINGS = ("sigmoid", "minmax", "binary")

#: Number of cuts transformed at a time, chosen so that their spectra fit in the CPU cache.
CUTS_PER_BLOCK = 32
#: Least number of segments of which `extract` yields the vectors at a time.
SEGMENTS_PER_BATCH = 256
#: Number of rows converted to float64 at a time.
BLOCK = 8192


@dataclass(frozen=True)
class Mfcc:
    """Settings of MFCC extraction.

    Args:
        rate: sampling rate in Hz to which all recordings are resampled.
        win_length_ms: length of a frame in ms.
        hop_length_ms: distance between frames in ms.
        n_mfcc: number of cepstral coefficients c1 ... cn; c0, the energy, is excluded.
        frames: number of frames on each side of the midpoint.
        n_mels: number of bands of the mel filter bank.
        padding: how digits shorter than the cut are padded: `symmetric` or `right`.
        cmvn: whether to normalise each coefficient to mean 0 and variance 1 over the frames of
            each digit.
    """

    rate: int = 12_500
    win_length_ms: float = 20.0
    hop_length_ms: float = 10.0
    n_mfcc: int = 12
    frames: int = 29
    n_mels: int = 40
    padding: str = "symmetric"
    cmvn: bool = False

    @property
    def window(self) -> int:
        """Length of a frame in samples."""
        return round(self.rate * self.win_length_ms / 1000)

    @property
    def shift(self) -> int:
        """Samples from one frame to the next."""
        return round(self.rate * self.hop_length_ms / 1000)

    @property
    def n_fft(self) -> int:
        """Length of the Fourier transform: the smallest power of two that holds the window."""
        return 1 << (self.window - 1).bit_length()

    @property
    def samples(self) -> int:
        """Length of a cut in samples, exactly as needed for the frames."""
        return (2 * self.frames - 1) * self.shift + self.n_fft

    @property
    def width(self) -> int:
        """Length of a vector: 2 x 29 frames x 12 coefficients = 696 in the paper."""
        return 2 * self.frames * self.n_mfcc


def cut(wave: np.ndarray, start: int, end: int, mfcc: Mfcc) -> np.ndarray:
    """Return a cut of fixed length (samples,) around the middle of `wave[start:end]`.

    Args:
        wave: float32 (n,), a recording at `mfcc.rate`.
        start: first sample of the digit.
        end: one past the last sample of the digit; samples outside it are set to 0.
        mfcc: settings, which determine the length of the cut.
    """
    length = end - start
    out = np.zeros(mfcc.samples, np.float32)
    if length >= mfcc.samples:
        first = start + (length - mfcc.samples) // 2
        out[:] = wave[first : first + mfcc.samples]
    else:
        before = (mfcc.samples - length) // 2 if mfcc.padding == "symmetric" else 0
        out[before : before + length] = wave[start:end]
    return out


def mfcc_of_cuts(cuts: np.ndarray, mfcc: Mfcc) -> np.ndarray:
    """Return MFCC vectors (n, width), frame by frame, of cuts (n, samples).

    Up to rounding, they equal those of librosa (same window, mel filter bank and decibels). librosa
    is designed for single long recordings: the overhead of its calls exceeds the computation for a
    cut of 58 frames.
    """
    out = np.empty((len(cuts), mfcc.width), np.float32)
    for first in range(0, len(cuts), CUTS_PER_BLOCK):
        cepstrum = _cepstra(cuts[first : first + CUTS_PER_BLOCK], mfcc)  # (n, T, C)
        out[first : first + CUTS_PER_BLOCK] = cepstrum.reshape(-1, mfcc.width)
    return out


def _cepstra(cuts: np.ndarray, mfcc: Mfcc) -> np.ndarray:
    import librosa
    from scipy.fft import dct, rfft

    window, mel_bank = _filters(mfcc)
    frames = np.lib.stride_tricks.sliding_window_view(cuts, mfcc.n_fft, axis=-1)
    spectrum = rfft(frames[:, :: mfcc.shift] * window)  # (n, T, F)
    mel = (spectrum.real**2 + spectrum.imag**2) @ mel_bank  # (n, T, M)
    # top_db=None: with a floor relative to the peak, frames would depend on the loudest frame.
    log_mel = librosa.power_to_db(mel, top_db=None)
    cepstrum = dct(log_mel, norm="ortho")[..., 1 : mfcc.n_mfcc + 1]  # (n, T, C)
    if mfcc.cmvn:
        mean, sd = cepstrum.mean(1, keepdims=True), cepstrum.std(1, keepdims=True)
        cepstrum = (cepstrum - mean) / np.maximum(sd, 1e-5)
    return cepstrum


@functools.cache
def _filters(mfcc: Mfcc) -> tuple[np.ndarray, np.ndarray]:
    """Return the window (n_fft,), centred and zero-padded, and the mel filter bank (F, M)."""
    from librosa import filters, util

    window = util.pad_center(filters.get_window("hann", mfcc.window), size=mfcc.n_fft)
    bank = filters.mel(sr=mfcc.rate, n_fft=mfcc.n_fft, n_mels=mfcc.n_mels)
    return window.astype(np.float32), np.ascontiguousarray(bank.T)


#: Returns the waveform of a recording, float32 (n,), and its rate in Hz, by recording id
#: (`ima.datasets.digit_recordings.Waves`).
Reader = Callable[[str], tuple[np.ndarray, int]]


def extract(
    segments: pa.Table, read: Reader, mfcc: Mfcc, processes: int = 1
) -> Iterator[np.ndarray]:
    """Yield MFCC vectors (n, width) of spoken digits, in order, one batch of recordings at a time.

    Memory does not grow with the number of digits.

    Args:
        segments: SEGMENTS; rows of a recording are consecutive, so that it is read only once.
        read: returns the waveform of a recording.
        mfcc: settings of the features.
        processes: the number of parallel processes.

    Raises:
        InputError: a recording cannot be read, or a digit lies outside its recording.
    """
    batches = ((batch, read, mfcc) for batch in _batches(segments, SEGMENTS_PER_BATCH))
    yield from progress_bar(imap(_extract_batch, batches, processes), "MFCC", "batch")


def _batches(segments: pa.Table, size: int) -> Iterator[list[dict]]:
    """Yield batches of at least `size` segments, without splitting a recording."""
    columns = segments.select(["recording", "start_s", "end_s"])
    for first, end in itertools.pairwise([0, *batch_ends(segments, size)]):
        yield columns.slice(first, end - first).to_pylist()


def batch_ends(segments: pa.Table, size: int = SEGMENTS_PER_BATCH) -> list[int]:
    """Return one past the last row of each batch of `extract`."""
    recordings = pc.run_end_encode(segments["recording"].combine_chunks()).run_ends
    ends = [0]
    for end in recordings.to_pylist():
        if end - ends[-1] >= size or end == len(segments):
            ends.append(end)
    return ends[1:]


def _extract_batch(segments: list[dict], read: Reader, mfcc: Mfcc) -> np.ndarray:
    return mfcc_of_cuts(np.stack(list(_cuts(segments, read, mfcc))), mfcc)


def _cuts(segments: list[dict], read: Reader, mfcc: Mfcc) -> Iterator[np.ndarray]:
    recording, wave = None, np.empty(0)
    for segment in segments:
        if segment["recording"] != recording:
            recording = segment["recording"]
            wave = resample(*read(recording), mfcc.rate)
        start, end = (round(segment[name] * mfcc.rate) for name in ("start_s", "end_s"))
        # Rounding to the new rate may place the end one sample outside.
        if not 0 <= start < end <= len(wave) + 1:
            raise InputError(
                recording,
                expected=f"a digit inside the recording of {len(wave) / mfcc.rate:.3f} s",
                found=f"{segment['start_s']:.3f} to {segment['end_s']:.3f} s",
                do="Create the segments again from these recordings.",
            )
        yield cut(wave, start, min(end, len(wave)), mfcc)


def mfcc_of_waves(waves: Iterable[np.ndarray], mfcc: Mfcc) -> np.ndarray:
    """Return MFCC vectors (n, width) of whole waveforms at `mfcc.rate`, one digit each."""
    waves = iter(waves)
    parts = [np.empty((0, mfcc.width), np.float32)]
    while batch := [cut(wave, 0, len(wave), mfcc) for wave in itertools.islice(waves, 256)]:
        parts.append(mfcc_of_cuts(np.stack(batch), mfcc))
    return np.concatenate(parts)


@dataclass(frozen=True)
class UnitInterval:
    """A mapping of MFCC to [0, 1], needed for the cross-entropy loss of the speech decoder.

    Args:
        kind: `sigmoid`, the logistic function of the z-score of each coefficient (pooled over
            frames); `minmax`, each dimension scaled to its range and clipped; or `binary`, whether
            each dimension exceeds its median.
        low: mean, minimum or median of each coefficient or dimension.
        scale: standard deviation or range; 1 for `binary`.
    """

    kind: str
    low: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, x: np.ndarray, kind: str, coefficients: int) -> "UnitInterval":
        """Fit the mapping to the training digits.

        Args:
            x: MFCC vectors (n, D).
            kind: one of MAPPINGS.
            coefficients: number of coefficients per frame.

        Raises:
            InputError: `kind` is not one of MAPPINGS, or there are no vectors.
        """
        if not len(x):
            raise InputError("mapping", expected="training digits to fit it to", found="none")
        if kind == "sigmoid":
            mean, sd = _moments(x.reshape(-1, coefficients))
            return cls(kind, mean, _positive(sd))
        if kind == "minmax":
            return cls(kind, x.min(0), _positive(np.ptp(x, axis=0)))
        if kind == "binary":
            return cls(kind, np.median(x, axis=0), np.ones(x.shape[1]))
        raise InputError("mapping", expected=f"one of {MAPPINGS}", found=kind)

    def as_dict(self) -> dict:
        """Return the mapping as a dictionary that can be stored as JSON."""
        return {"kind": self.kind, "low": self.low.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_dict(cls, values: dict) -> "UnitInterval":
        """Return the mapping stored by `as_dict`."""
        return cls(values["kind"], np.array(values["low"]), np.array(values["scale"]))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Map MFCC vectors (n, D) to [0, 1], as a matrix of `ima.utils.matrices.empty`."""
        mapped = empty(*x.shape)
        for start in range(0, len(x), BLOCK):  # avoids a float64 copy of all rows
            mapped[start : start + BLOCK] = self._map(x[start : start + BLOCK])
        return mapped

    def _map(self, x: np.ndarray) -> np.ndarray:
        from scipy.special import expit

        frames = x.shape[1] // len(self.low)  # 1 if each dimension has its own scale
        scaled = (x.reshape(len(x), frames, len(self.low)) - self.low) / self.scale
        if self.kind == "sigmoid":
            mapped = expit(scaled)
        elif self.kind == "minmax":
            mapped = np.clip(scaled, 0, 1)
        else:
            mapped = scaled > 0
        return mapped.reshape(x.shape)


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and standard deviation of each column, bitwise equal to numpy in float64.

    They are computed in blocks, as a float64 copy of all rows would dominate memory use.
    """

    def summed(of_block: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return the mean over rows, (D,), of `of_block` applied to them."""
        total = np.zeros((0, x.shape[1]))
        for start in range(0, len(x), BLOCK):
            values = of_block(x[start : start + BLOCK].astype(np.float64))
            # With the running sum as first row, rows are added in the same order as without blocks.
            total = np.add.reduce(np.concatenate([total, values]), axis=0, keepdims=True)
        return total[0] / len(x)

    mean = summed(lambda block: block)
    return mean, np.sqrt(summed(lambda block: (block - mean) ** 2))


def _positive(scale: np.ndarray) -> np.ndarray:
    """Replace zero scales by 1, so that constant coefficients do not cause a division by 0."""
    return np.where(scale > 0, scale, 1)
