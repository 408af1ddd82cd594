"""Voice features of utterances and words, with one interface for two feature sets.

`covarep55` is `ima.features.covarep`. `egemaps` consists of the 25 low-level descriptors of
eGeMAPSv02 (Eyben et al., "The Geneva minimalistic acoustic parameter set", IEEE Trans. Affective
Computing 7(2), 2016), computed with the `opensmile` package. Frames are extracted from whole
utterances, averaged over words, and z-scored (A.2).
"""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from joblib import Parallel, delayed

from ima.audio.sphere import read_audio
from ima.features import covarep
from ima.features.covarep.dictionary import COLUMNS
from ima.utils.errors import InputError, reason_of

#: Time between frames in s, for both feature sets.
HOP_S = 0.010

#: The centre of the last frame lies at most this long before the end of the utterance, in s.
LAST_S = 0.030

#: eGeMAPS time stamps are frame starts; windows last 20 ms, or 60 ms for pitch-based descriptors.
_SHORT_S, _LONG_FRAMES = 0.010, 2


class Column(NamedTuple):
    """A column of a feature set: its name, and whether it is voiced-only or an angle."""

    name: str
    voiced: bool
    angle: bool = False


def columns(features: str) -> tuple[Column, ...]:
    """Return the columns of a feature set in order.

    Args:
        features: 'covarep55' or 'egemaps'.

    Raises:
        InputError: the feature set is unknown.
    """
    if features == "covarep55":
        return tuple(Column(c.name, c.voiced, c.angle) for c in COLUMNS)
    if features == "egemaps":
        return tuple(Column(name, "sma3nz" in name) for name in _smile().feature_names)
    raise InputError("features", expected="covarep55 or egemaps", found=features)


def extract(
    wave: np.ndarray, rate: int, features: str = "covarep55", remove_offset: bool = False
) -> pa.Table:
    """Extract the frame-wise features of an utterance.

    Args:
        wave: samples (n,) of the whole utterance, full scale 1.
        rate: sampling rate in Hz.
        features: 'covarep55' or 'egemaps'.
        remove_offset: whether to always subtract the mean (see `ima.features.covarep.extract`).

    Returns:
        A table with one row per frame: `time_s` (centre of the frame), the columns of the feature
        set (float32), and `measured` (one boolean per column), False for missing or filled values.

    Raises:
        InputError: see `columns`.
        ValueError: see `ima.features.covarep.extract`.
    """
    if features == "covarep55":
        return covarep.extract(wave, rate, remove_offset=remove_offset or None)
    names = [column.name for column in columns(features)]
    values, measured = _egemaps(*covarep.prepare(wave, rate))
    table = {"time_s": _SHORT_S + HOP_S * np.arange(len(values))}
    table |= {name: values[:, i] for i, name in enumerate(names)}
    flags = pa.FixedSizeListArray.from_arrays(pa.array(measured.ravel()), len(names))
    return pa.table(table | {"measured": flags})


@functools.lru_cache(maxsize=1)
def _smile():
    import opensmile

    return opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=opensmile.FeatureLevel.LowLevelDescriptors,
    )


def _egemaps(wave, rate):
    """Return the 25 descriptors (n, 25) at 10 ms + k 10 ms, and a mask (n, 25) of measured ones."""
    every = columns("egemaps")
    if wave.size < 0.06 * rate:
        shape = int(wave.size / rate / HOP_S), len(every)
        return np.zeros(shape, np.float32), np.zeros(shape, bool)
    # openSMILE casts samples to 16 bits, where +1.0 would overflow to -1.0.
    descriptors = _smile().process_signal(np.clip(wave, -1, 32767 / 32768), rate).to_numpy()
    values = np.zeros((len(descriptors) + _LONG_FRAMES, len(every)), np.float32)
    measured = np.zeros(values.shape, bool)
    for i, column in enumerate(every):
        lag = _LONG_FRAMES if column.name.startswith(_LONG) else 0
        values[lag : lag + len(descriptors), i] = descriptors[:, i]
        measured[lag : lag + len(descriptors), i] = True
    voiced = values[:, [c.name for c in every].index(_PITCH)] > 0
    measured[:, [c.voiced for c in every]] &= voiced[:, None]
    return values, measured


_PITCH = "F0semitoneFrom27.5Hz_sma3nz"
#: Name prefixes of the descriptors with 60 ms windows.
_LONG = ("F0semi", "jitter", "shimmer", "HNR", "logRelF0", "F1amp", "F2amp", "F3amp")


def extract_files(
    paths: Sequence[str | Path],
    features: str = "covarep55",
    jobs: int = 1,
    remove_offset: bool = False,
) -> Iterator[pa.Table]:
    """Yield the table of every file in the order of `paths`, processing files in parallel.

    Args:
        paths: single-channel sound files.
        features, remove_offset: see `extract`.
        jobs: number of processes; 1 uses the current one. The result does not depend on it.

    Raises:
        InputError: a file cannot be read or measured; the message names it.
    """
    columns(features)  # rejects an unknown name immediately
    if jobs == 1:
        return (_extract_file(path, features, remove_offset) for path in paths)
    tasks = (delayed(_extract_file)(path, features, remove_offset) for path in paths)
    return Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs")(tasks)


def _extract_file(path, features, remove_offset):
    wave, rate = read_audio(path, "float64")
    try:
        return extract(wave, rate, features, remove_offset)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            path, expected="a voice that can be measured", found=reason_of(error)
        ) from error


def frames_of(time_s: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    """Return the frames that co-occur with a token: start <= centre < end, at least one.

    If no frame centre lies within the token, the frame nearest to its middle is used (the earlier
    one in a tie).

    Args:
        time_s: (n,) centres of the frames in s, increasing.
        start_s, end_s: start and end of the token in s.

    Returns:
        Indices of the frames (m,), m >= 1.

    Raises:
        InputError: there are no frames, or the token ends before it starts or lies outside the
            utterance.
    """
    if not end_s >= start_s:
        raise InputError(
            "token", expected="a start no later than the end", found=f"{start_s} to {end_s} s"
        )
    if len(time_s) == 0 or end_s < 0 or start_s > time_s[-1] + LAST_S:
        last = f"0 to {time_s[-1] + LAST_S:.3f} s" if len(time_s) else "an utterance with frames"
        raise InputError(
            "token",
            expected=f"a time within {last}",
            found=f"{start_s} to {end_s} s",
            do="Check that the alignment belongs to this utterance.",
        )
    # Rounding to nanoseconds makes comparisons exact when an edge coincides with a frame centre.
    centre, edges = np.round(time_s, 9), np.round([start_s, end_s], 9)
    first, stop = np.searchsorted(centre, edges, side="left")
    if stop > first:
        return np.arange(first, stop)
    return np.array([np.round(np.abs(centre - edges.mean()), 9).argmin()])


def word_vectors(
    table: pa.Table, tokens: Sequence[tuple[float, float]], features: str = "covarep55"
) -> np.ndarray:
    """Average the frames of every token (A.2).

    Averages are taken over measured frames, for voiced-only columns over voiced frames, and are
    circular means for angles. A token without the centre of a frame gets the values of the nearest
    frame in which all columns but the voiced-only ones are measured.

    Args:
        table: frames of the whole utterance, from `extract`.
        tokens: (start, end) of each token in s; see `frames_of` for the treatment of edges.
        features: the feature set of `table`.

    Returns:
        Vectors (len(tokens), D), float32. A value is NaN if no frame of the token has it, such as
        F0 in an unvoiced token, or if the utterance is shorter than a frame; `scale` replaces it
        by the mean.

    Raises:
        InputError: see `frames_of`.
    """
    every = columns(features)
    values = np.stack([table[c.name].to_numpy() for c in every], axis=1).astype(float)
    counts = measured(table).copy()
    voiced = values[:, [c.name for c in every].index("VUV")] == 1 if features != "egemaps" else None
    if voiced is not None:
        counts[:, [c.voiced for c in every]] &= voiced[:, None]
    angle = np.array([c.angle for c in every])
    unit = np.where(angle, np.exp(1j * values), values)
    time_s = table["time_s"].to_numpy()
    always = counts[:, [not c.voiced for c in every]]
    complete = np.flatnonzero(always[:, always.any(axis=0)].all(axis=1))
    out = np.full((len(tokens), len(every)), np.nan, np.float32)
    for row, (start_s, end_s) in enumerate(tokens if len(table) else ()):
        frames = frames_of(time_s, start_s, end_s)
        if len(complete) and not start_s <= round(time_s[frames[0]], 9) < end_s:
            # No centre lies within the token: the first and last frames may lack some columns.
            frames = complete[[np.abs(time_s[complete] - (start_s + end_s) / 2).round(9).argmin()]]
        n = counts[frames].sum(axis=0)
        total = np.where(counts[frames], unit[frames], 0).sum(axis=0)
        mean = np.where(angle, np.angle(total), total.real / np.maximum(n, 1))
        out[row] = np.where(n > 0, mean, np.nan)
    return out


def measured(table: pa.Table) -> np.ndarray:
    """Return the `measured` flags of a table from `extract` as a boolean array (n, D)."""
    column = table["measured"]
    flat = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return np.concatenate(flat or [np.zeros(0, bool)]).reshape(len(table), column.type.list_size)


class Scaler(NamedTuple):
    """Means and standard deviations of training vectors by speaker, and of all speakers under ''.

    Attributes:
        mean, deviation: speaker -> (D,).
    """

    mean: dict[str, np.ndarray]
    deviation: dict[str, np.ndarray]


def fit_scaler(vectors: np.ndarray, speakers: Sequence[str], by: str = "speaker") -> Scaler:
    """Fit a z-score to training vectors.

    Args:
        vectors: (n, D) training vectors, NaN for missing values.
        speakers: (n,) the speaker of each vector.
        by: 'speaker' for separate means and deviations, 'all' for common ones.

    Returns:
        The scaler for `scale`. Columns without values or without variance are only centred.

    Raises:
        InputError: `by` is invalid, there are no vectors, or a speaker has no name.
    """
    if by not in ("speaker", "all"):
        raise InputError("z-score", expected="by speaker or all", found=by)
    if len(vectors) == 0 or len(vectors) != len(speakers) or "" in set(speakers):
        raise InputError(
            "z-score",
            expected="training vectors with one speaker each",
            found=f"{len(vectors)} vectors, {len(speakers)} speakers",
        )
    groups = {"": np.ones(len(vectors), bool)}
    if by == "speaker":
        who = np.asarray(speakers)
        groups |= {str(name): who == name for name in sorted(set(speakers))}
    mean, deviation = {}, {}
    for name, rows in groups.items():
        known = ~np.isnan(vectors[rows])
        n = np.maximum(known.sum(axis=0), 1)
        filled = np.where(known, vectors[rows], 0).astype(float)
        mean[name] = filled.sum(axis=0) / n
        spread = np.sqrt((np.where(known, filled - mean[name], 0) ** 2).sum(axis=0) / n)
        deviation[name] = np.where(spread > 1e-8 * np.maximum(np.abs(mean[name]), 1), spread, 1.0)
    return Scaler(mean, deviation)


def scale(vectors: np.ndarray, speakers: Sequence[str], scaler: Scaler) -> np.ndarray:
    """Apply a z-score; missing values become 0, the mean.

    Speakers that are not in the training data are scaled with the statistics of all training
    speakers.

    Args:
        vectors: (n, D), NaN for missing values.
        speakers: (n,) the speaker of each vector; ignored if the scaler was fitted with `by='all'`.
        scaler: the scaler from `fit_scaler`.

    Returns:
        Finite vectors (n, D), float32.
    """
    known = [name if name in scaler.mean else "" for name in speakers]
    shape = len(vectors), next(iter(scaler.mean.values())).size
    mean = np.array([scaler.mean[name] for name in known]).reshape(shape)
    deviation = np.array([scaler.deviation[name] for name in known]).reshape(shape)
    scaled = (vectors - mean) / deviation
    return np.where(np.isnan(scaled), 0.0, scaled).astype(np.float32)
