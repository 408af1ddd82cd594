"""Frame-by-frame agreement of our voice features with those of other software (A.2).

`covarep55` is a new implementation, so its values are compared with independent ones: for some
recordings of the run's own corpus with openSMILE (eGeMAPSv02). The results are tabulated by
`ima.reporting.tables.voice_agreement`. For COVAREP itself, see benchmarks/covarep_agreement.py.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from ima.features import voice
from ima.features.covarep.dictionary import COLUMNS, NAMES, Column
from ima.utils.errors import InputError

#: Maximum number of recordings compared, and the seed of their choice.
MAX_RECORDINGS, SEED = 40, 0
OPENSMILE = "openSMILE"
#: Kind of a counterpart: the same quantity by another method, or only a related one.
SAME, RELATED = "same", "related"


class Feature(NamedTuple):
    """Values of a feature on the frames that are compared.

    Attributes:
        column: our column.
        kind: SAME or RELATED.
        counterpart: description of the other software's feature.
        ours, theirs: finite values (n,); in the same unit if `alike`.
        speaker: speaker of each frame, str (n,).
        alike: whether both have the same unit.
    """

    column: Column
    kind: str
    counterpart: str
    ours: np.ndarray
    theirs: np.ndarray
    speaker: np.ndarray
    alike: bool = True


class Reference(NamedTuple):
    """Measurements of openSMILE, and ours on the same frames.

    Attributes:
        recordings, speakers: their numbers.
        voiced: shares of all frames that are voiced according to us, them and both, in [0, 1].
        features: the features, in the order of our columns.
    """

    recordings: int
    speakers: int
    voiced: tuple[float, float, float]
    features: list[Feature]


class Counterpart(NamedTuple):
    """A descriptor of eGeMAPSv02 that is compared with one of our columns."""

    feature: str
    descriptor: str
    kind: str
    words: str
    convert: Callable[[np.ndarray], np.ndarray] = np.asarray
    alike: bool = True


_PITCH = "F0semitoneFrom27.5Hz_sma3nz"
#: The descriptors that correspond to our columns, and the units in which they are compared.
COUNTERPARTS = (
    Counterpart("F0", _PITCH, SAME, "F0, semitones to Hz", lambda s: 27.5 * 2 ** (s / 12)),
    Counterpart("VUV", _PITCH, SAME, "F0 is not 0"),
    Counterpart("H1H2", "logRelF0-H1-H2_sma3nz", RELATED, "H1-H2 of the speech, dB"),
    Counterpart("peakSlope", "alphaRatio_sma3", RELATED, "alpha ratio, dB", alike=False),
    *(
        Counterpart(f"F{i}", f"F{i}frequency_sma3nz", SAME, f"F{i} by linear prediction")
        for i in (1, 2, 3)
    ),
)


def choose(
    speakers: Sequence[str], files: Sequence[str], most: int = MAX_RECORDINGS
) -> list[tuple]:
    """Choose recordings of a corpus at random with a fixed seed, equally many from each speaker.

    Args:
        speakers, files: speaker and file of each recording (n,); files may be repeated.
        most: maximum number of recordings, 1 or more. If there are more speakers, that many
            speakers are chosen.

    Returns:
        (speaker, file), ordered by speaker and file. A speaker with few recordings has fewer.

    Raises:
        InputError: there are no recordings.
    """
    by_speaker: dict[str, set[str]] = {}
    for speaker, file in zip(speakers, files, strict=True):
        by_speaker.setdefault(speaker, set()).add(file)
    if not by_speaker:
        raise InputError("recordings", expected="at least one", found="none")
    rng = np.random.default_rng(SEED)
    names = sorted(by_speaker)
    if len(names) > most:
        names = sorted(rng.choice(names, most, replace=False).tolist())
    each, chosen = most // len(names), []
    for name in names:
        its = sorted(by_speaker[name])
        drawn = rng.choice(len(its), min(each, len(its)), replace=False)
        chosen += [(name, its[i]) for i in sorted(drawn)]
    return chosen


def against_opensmile(
    root: str | Path, chosen: Sequence[tuple], remove_offset: bool = False, jobs: int = 1
) -> Reference:
    """Measure recordings with `covarep55` and openSMILE, and match their frames.

    Both have a frame every 10 ms, offset by some 5 ms. Their values are interpolated linearly
    between the centres of their frames (see `ima.features.voice`) at the times of ours. If either
    neighbouring frame has no value, neither has the interpolation. A frame counts as voiced for
    openSMILE if the interpolation between 1 (voiced) and 0 is at least .5, as it does for us.

    Args:
        root: folder that files are relative to.
        chosen: (speaker, file) of each recording, from `choose`.
        remove_offset: see `ima.features.voice.extract`.
        jobs: number of processes; it does not affect the result.

    Raises:
        InputError: a file cannot be read or measured; the error names the file.
    """
    paths = [Path(root, file) for _, file in chosen]
    ours = list(voice.extract_files(paths, "covarep55", jobs, remove_offset))
    theirs = list(voice.extract_files(paths, "egemaps", jobs))
    return matched(ours, theirs, [speaker for speaker, _ in chosen])


def matched(
    ours: Sequence[pa.Table], theirs: Sequence[pa.Table], speakers: Sequence[str]
) -> Reference:
    """Match the frames of recordings from `covarep55` and `egemaps`; see `against_opensmile`.

    Args:
        ours, theirs: tables of `ima.features.voice.extract` for the same recordings.
        speakers: speaker of each recording.
    """
    frames = [_frames(*pair) for pair in zip(ours, theirs, strict=True)]
    table = pd.concat(frames, ignore_index=True)
    who = np.repeat(np.array(speakers, dtype=object), [len(part) for part in frames])
    mine, other = (table[side, "VUV"].to_numpy() for side in ("ours", "theirs"))
    known = np.isfinite(mine) & np.isfinite(other)
    voiced = known & (mine == 1) & (other == 1)
    features = []
    for counterpart in COUNTERPARTS:
        a, b = (table[side, counterpart.feature].to_numpy() for side in ("ours", "theirs"))
        use = known if counterpart.feature == "VUV" else voiced & np.isfinite(a) & np.isfinite(b)
        column = COLUMNS[NAMES.index(counterpart.feature)]
        features.append(
            Feature(
                column,
                counterpart.kind,
                counterpart.words,
                a[use],
                b[use],
                who[use],
                counterpart.alike,
            )
        )
    parts = (mine[known] == 1, other[known] == 1, voiced[known])
    shares = tuple(float(part.mean()) if part.size else 0.0 for part in parts)
    return Reference(len(frames), len(set(speakers)), shares, features)


def _frames(ours: pa.Table, theirs: pa.Table) -> pd.DataFrame:
    """Return a recording's frames of each counterpart, ours and theirs; NaN without a value."""
    time_s, their_s = (table["time_s"].to_numpy() for table in (ours, theirs))
    known, their_known = voice.measured(ours), voice.measured(theirs)
    names = [column.name for column in voice.columns("egemaps")]
    columns = {}
    for counterpart in COUNTERPARTS:
        mine = ours[counterpart.feature].to_numpy().astype(float)
        mine[~known[:, NAMES.index(counterpart.feature)]] = np.nan
        other = theirs[counterpart.descriptor].to_numpy().astype(float)
        if counterpart.feature == "VUV":
            columns["ours", "VUV"] = mine
            line = np.interp(time_s, their_s, other > 0, np.nan, np.nan)
            columns["theirs", "VUV"] = np.where(np.isnan(line), np.nan, line >= 0.5)
            continue
        other = counterpart.convert(other)
        other[~their_known[:, names.index(counterpart.descriptor)]] = np.nan
        columns["ours", counterpart.feature] = mine
        columns["theirs", counterpart.feature] = np.interp(time_s, their_s, other, np.nan, np.nan)
    return pd.DataFrame(columns)
