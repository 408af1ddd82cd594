"""Voice features of utterances and words: two sets, one interface.

`covarep55` is `ima.features.covarep`; `egemaps` the 25 low-level descriptors of eGeMAPSv02 (Eyben
et al., "The Geneva minimalistic acoustic parameter set", IEEE Trans. Affective Computing 7(2),
2016) through the `opensmile` package. Frames are extracted on whole utterances, then averaged over
words, then z-scored (section 6.2).
"""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import soundfile
from joblib import Parallel, delayed

from ima.features import covarep
from ima.features.covarep.dictionary import COLUMNS
from ima.utils.errors import InputError

#: s between the frames of both sets.
HOP_S = 0.010

#: eGeMAPS stamps its frames at their start; windows are 20 ms, or 60 ms for what follows pitch.
_SHORT_S, _LONG_FRAMES = 0.010, 2


class Column(NamedTuple):
    """A column of a feature set: its name, whether only voiced frames count, whether an angle."""

    name: str
    voiced: bool
    angle: bool = False


def columns(features: str) -> tuple[Column, ...]:
    """Return the columns of a feature set in order.

    Args:
        features: 'covarep55' or 'egemaps'.

    Raises:
        InputError: another name.
    """
    if features == "covarep55":
        return tuple(Column(c.name, c.voiced, c.angle) for c in COLUMNS)
    if features == "egemaps":
        return tuple(Column(name, "sma3nz" in name) for name in _smile().feature_names)
    raise InputError("features", expected="covarep55 or egemaps", found=features)


def extract(
    wave: np.ndarray, rate: int, features: str = "covarep55", remove_offset: bool = False
) -> pa.Table:
    """Measure the frames of an utterance.

    Args:
        wave: samples (n,), full scale 1; the whole utterance.
        rate: Hz.
        features: 'covarep55' or 'egemaps'.
        remove_offset: always subtract the wave's mean (see `ima.features.covarep.extract`).

    Returns:
        `time_s` (the frame's centre), the set's columns (float32), `measured` (a boolean a
        column): False where a value is missing or a filler.

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
    """Return the 25 descriptors (n, 25) at 10 ms + k 10 ms, and which are measured (n, 25)."""
    every = columns("egemaps")
    if wave.size < 0.06 * rate:
        shape = int(wave.size / rate / HOP_S), len(every)
        return np.zeros(shape, np.float32), np.zeros(shape, bool)
    # The samples are cast to 16 bits inside, where +1.0 would turn into -1.0.
    found = _smile().process_signal(np.clip(wave, -1, 32767 / 32768), rate).to_numpy()
    values = np.zeros((len(found) + _LONG_FRAMES, len(every)), np.float32)
    measured = np.zeros(values.shape, bool)
    for i, column in enumerate(every):
        lag = _LONG_FRAMES if column.name.startswith(_LONG) else 0
        values[lag : lag + len(found), i] = found[:, i]
        measured[lag : lag + len(found), i] = True
    voiced = values[:, [c.name for c in every].index(_PITCH)] > 0
    measured[:, [c.voiced for c in every]] &= voiced[:, None]
    return values, measured


_PITCH = "F0semitoneFrom27.5Hz_sma3nz"
#: Names (their beginnings) of the descriptors on 60 ms windows.
_LONG = ("F0semi", "jitter", "shimmer", "HNR", "logRelF0", "F1amp", "F2amp", "F3amp")


def extract_files(
    paths: Sequence[str | Path],
    features: str = "covarep55",
    jobs: int = 1,
    remove_offset: bool = False,
) -> Iterator[pa.Table]:
    """Yield the table of every file in the order of `paths`, many files at a time.

    Args:
        paths: sound files of one channel each.
        features, remove_offset: see `extract`.
        jobs: processes; 1 runs in this one. The result does not depend on it.

    Raises:
        InputError: a file cannot be read, or its wave cannot be measured; it names the file.
    """
    columns(features)  # says at once that a name is wrong
    if jobs == 1:
        return (_extract_file(path, features, remove_offset) for path in paths)
    tasks = (delayed(_extract_file)(path, features, remove_offset) for path in paths)
    return Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs")(tasks)


def _extract_file(path, features, remove_offset):
    try:
        wave, rate = soundfile.read(path, dtype="float64")
    except (soundfile.LibsndfileError, OSError) as error:
        raise InputError(path, expected="a sound file", found=str(error)) from error
    try:
        return extract(wave, rate, features, remove_offset)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(path, expected="a voice that can be measured", found=error) from error


def frames_of(time_s: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    """Return the frames that co-occur with a token: start <= centre < end, at least one.

    A token with no frame's centre in it gets the frame nearest its middle (the earlier on a tie).

    Args:
        time_s: centres of the frames, s, rising (n,).
        start_s, end_s: the token, s.

    Returns:
        Indices (m,), m >= 1.

    Raises:
        InputError: no frames, the token ends before it starts, or lies outside the utterance.
    """
    if not end_s >= start_s:
        raise InputError(
            "token", expected="a start no later than the end", found=f"{start_s} to {end_s} s"
        )
    if len(time_s) == 0 or end_s < 0 or start_s > time_s[-1] + HOP_S:
        last = f"0 to {time_s[-1] + HOP_S:.3f} s" if len(time_s) else "an utterance with frames"
        raise InputError(
            "token",
            expected=f"a time within {last}",
            found=f"{start_s} to {end_s} s",
            do="Check that the alignment belongs to this utterance.",
        )
    # To the nanosecond, so that an edge on a frame's centre is not left to rounding.
    centre, edges = np.round(time_s, 9), np.round([start_s, end_s], 9)
    first, stop = np.searchsorted(centre, edges, side="left")
    if stop > first:
        return np.arange(first, stop)
    return np.array([np.round(np.abs(centre - edges.mean()), 9).argmin()])


def word_vectors(
    table: pa.Table, tokens: Sequence[tuple[float, float]], features: str = "covarep55"
) -> np.ndarray:
    """Average the frames of every token (6.2).

    Voiced-only columns are averaged over voiced frames, every column over measured ones, angles as
    angles.

    Args:
        table: frames of the whole utterance, from `extract`.
        tokens: (start, end) of each, s; see `frames_of` for the edges.
        features: the set that `table` holds.

    Returns:
        Vectors (len(tokens), D), float32; NaN where no frame of the token has the value, e.g. F0 of
        an unvoiced token. `scale` turns it into the mean.

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
    out = np.full((len(tokens), len(every)), np.nan, np.float32)
    for row, (start_s, end_s) in enumerate(tokens):
        frames = frames_of(time_s, start_s, end_s)
        n = counts[frames].sum(axis=0)
        total = np.where(counts[frames], unit[frames], 0).sum(axis=0)
        mean = np.where(angle, np.angle(total), total.real / np.maximum(n, 1))
        out[row] = np.where(n > 0, mean, np.nan)
    return out


def measured(table: pa.Table) -> np.ndarray:
    """Return the flags of a table from `extract` as booleans (n, D)."""
    column = table["measured"]
    flat = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return np.concatenate(flat or [np.zeros(0, bool)]).reshape(len(table), column.type.list_size)


class Scaler(NamedTuple):
    """Means and deviations of the training vectors, by speaker; '' holds those of all.

    Attributes:
        mean, deviation: speaker -> (D,).
    """

    mean: dict[str, np.ndarray]
    deviation: dict[str, np.ndarray]


def fit_scaler(vectors: np.ndarray, speakers: Sequence[str], by: str = "speaker") -> Scaler:
    """Learn the z-score of training vectors.

    Args:
        vectors: (n, D), NaN for missing values; training items only.
        speakers: who spoke each (n,).
        by: 'speaker' for each one's own mean and deviation, 'all' for one of all.

    Returns:
        What `scale` needs. A column without values or without spread is only centred.

    Raises:
        InputError: another `by`, no vectors, or a speaker without a name.
    """
    if by not in ("speaker", "all"):
        raise InputError("z-score", expected="by speaker or all", found=by)
    if len(vectors) == 0 or len(vectors) != len(speakers) or "" in set(speakers):
        raise InputError(
            "z-score",
            expected="training vectors with a speaker each",
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

    A speaker who was not in training is scaled with the statistics of all training speakers.

    Args:
        vectors: (n, D), NaN for missing.
        speakers: who spoke each (n,); ignored by a scaler of `by='all'`.
        scaler: from `fit_scaler`.

    Returns:
        Finite vectors (n, D), float32.
    """
    known = [name if name in scaler.mean else "" for name in speakers]
    shape = len(vectors), next(iter(scaler.mean.values())).size
    mean = np.array([scaler.mean[name] for name in known]).reshape(shape)
    deviation = np.array([scaler.deviation[name] for name in known]).reshape(shape)
    scaled = (vectors - mean) / deviation
    return np.where(np.isnan(scaled), 0.0, scaled).astype(np.float32)
