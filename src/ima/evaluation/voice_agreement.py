"""How our voice features agree with other software's, frame by frame (6.2).

`covarep55` is written anew, so its numbers are held against others': of some recordings of the
run's own corpus against openSMILE (eGeMAPSv02), and where the toolbox's output is at hand against
COVAREP itself (`ima.evaluation.covarep_toolbox`). What comes of it is
`ima.reporting.tables.voice_agreement`'s.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from ima.evaluation.covarep_toolbox import both, pairs_of, recordings
from ima.features import voice
from ima.features.covarep.dictionary import COLUMNS, NAMES, Column
from ima.utils.errors import InputError

#: Recordings that are compared at the most, and the seed of their choice.
MOST, SEED = 40, 0
OPENSMILE, TOOLBOX = "openSMILE", "COVAREP toolbox"
#: What a counterpart is: the same quantity by another method, or only a related one.
SAME, RELATED = "same", "related"


class Feature(NamedTuple):
    """Values of a feature on the frames that are compared.

    Attributes:
        column: ours.
        kind: SAME or RELATED.
        counterpart: what theirs is, in words.
        ours, theirs: values (n,), finite; in the same unit where `alike`.
        speaker: whose each frame is, str (n,).
        alike: whether the two have one unit.
    """

    column: Column
    kind: str
    counterpart: str
    ours: np.ndarray
    theirs: np.ndarray
    speaker: np.ndarray
    alike: bool = True


class Reference(NamedTuple):
    """What another software measured, and we on the same frames.

    Attributes:
        name: OPENSMILE or TOOLBOX.
        recordings, speakers: how many; of unknown speakers 0.
        voiced: shares of all frames that we, they and both call voiced, each in [0, 1].
        features: in the order of our columns.
    """

    name: str
    recordings: int
    speakers: int
    voiced: tuple[float, float, float]
    features: list[Feature]


class Counterpart(NamedTuple):
    """A descriptor of eGeMAPSv02 that stands beside a column of ours."""

    feature: str
    descriptor: str
    kind: str
    words: str
    convert: Callable[[np.ndarray], np.ndarray] = np.asarray
    alike: bool = True


_PITCH = "F0semitoneFrom27.5Hz_sma3nz"
#: The descriptors that have a column of ours to stand beside, and in which unit they are compared.
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


def choose(speakers: Sequence[str], files: Sequence[str], most: int = MOST) -> list[tuple]:
    """Choose recordings of a corpus: as many of each speaker, at random with a fixed seed.

    Args:
        speakers, files: whose a recording is, and its file, (n,); files may come more than once.
        most: recordings at the most, 1 or more. Of more speakers than that, so many are chosen.

    Returns:
        (speaker, file), in the order of speakers and files. A speaker of few recordings has fewer.

    Raises:
        InputError: no recordings.
    """
    of: dict[str, set[str]] = {}
    for speaker, file in zip(speakers, files, strict=True):
        of.setdefault(speaker, set()).add(file)
    if not of:
        raise InputError("recordings", expected="at least one", found="none")
    rng = np.random.default_rng(SEED)
    names = sorted(of)
    if len(names) > most:
        names = sorted(rng.choice(names, most, replace=False).tolist())
    each, chosen = most // len(names), []
    for name in names:
        its = sorted(of[name])
        taken = rng.choice(len(its), min(each, len(its)), replace=False)
        chosen += [(name, its[i]) for i in sorted(taken)]
    return chosen


def against_opensmile(
    root: str | Path, chosen: Sequence[tuple], remove_offset: bool = False, jobs: int = 1
) -> Reference:
    """Measure recordings by `covarep55` and by openSMILE, and match their frames.

    Both have a frame every 10 ms, ours some 5 ms beside theirs. Theirs are drawn as lines between
    their frames (their centres, see `ima.features.voice`) and read at the times of ours; where one
    of the two frames around has no value, there is none. A frame is voiced for openSMILE where the
    line between 1 (voiced) and 0 is at .5 or more, as it is for us.

    Args:
        root: folder that files are relative to.
        chosen: (speaker, file) of each, from `choose`.
        remove_offset: see `ima.features.voice.extract`.
        jobs: processes; the result does not depend on it.

    Raises:
        InputError: a file cannot be read or measured; it names the file.
    """
    paths = [Path(root, file) for _, file in chosen]
    ours = list(voice.extract_files(paths, "covarep55", jobs, remove_offset))
    theirs = list(voice.extract_files(paths, "egemaps", jobs))
    return matched(ours, theirs, [speaker for speaker, _ in chosen])


def matched(
    ours: Sequence[pa.Table], theirs: Sequence[pa.Table], speakers: Sequence[str]
) -> Reference:
    """Match the frames of recordings by `covarep55` and `egemaps`; see `against_opensmile`.

    Args:
        ours, theirs: tables of `ima.features.voice.extract`, of the same recordings.
        speakers: of each.
    """
    frames = [_frames(*pair) for pair in zip(ours, theirs, strict=True)]
    whole = pd.concat(frames, ignore_index=True)
    who = np.repeat(np.array(speakers, dtype=object), [len(part) for part in frames])
    mine, other = (whole[side, "VUV"].to_numpy() for side in ("ours", "theirs"))
    known = np.isfinite(mine) & np.isfinite(other)
    voiced = known & (mine == 1) & (other == 1)
    features = []
    for one in COUNTERPARTS:
        a, b = (whole[side, one.feature].to_numpy() for side in ("ours", "theirs"))
        use = known if one.feature == "VUV" else voiced & np.isfinite(a) & np.isfinite(b)
        column = COLUMNS[NAMES.index(one.feature)]
        features.append(Feature(column, one.kind, one.words, a[use], b[use], who[use], one.alike))
    shares = _shares(mine[known] == 1, other[known] == 1)
    return Reference(OPENSMILE, len(frames), len(set(speakers)), shares, features)


def _frames(ours: pa.Table, theirs: pa.Table) -> pd.DataFrame:
    """Return of a recording's frames each counterpart, ours and theirs; NaN where there is none."""
    time_s, their_s = (table["time_s"].to_numpy() for table in (ours, theirs))
    known, their_known = voice.measured(ours), voice.measured(theirs)
    names = [column.name for column in voice.columns("egemaps")]
    found = {}
    for one in COUNTERPARTS:
        mine = ours[one.feature].to_numpy().astype(float)
        mine[~known[:, NAMES.index(one.feature)]] = np.nan
        other = theirs[one.descriptor].to_numpy().astype(float)
        if one.feature == "VUV":
            found["ours", "VUV"] = mine
            line = np.interp(time_s, their_s, other > 0, np.nan, np.nan)
            found["theirs", "VUV"] = np.where(np.isnan(line), np.nan, line >= 0.5)
            continue
        other = one.convert(other)
        other[~their_known[:, names.index(one.descriptor)]] = np.nan
        found["ours", one.feature] = mine
        found["theirs", one.feature] = np.interp(time_s, their_s, other, np.nan, np.nan)
    return pd.DataFrame(found)


def against_toolbox(folder: str | Path) -> Reference:
    """Measure the recordings that the MATLAB toolbox has measured, and match their frames.

    Args:
        folder: of the toolbox's output (`ima.evaluation.covarep_toolbox`).

    Returns:
        All columns that the toolbox has a value of. Who speaks isn't known: all is of one speaker.

    Raises:
        InputError: a file lacks, cannot be read, or has other columns or frames.
    """
    names = recordings(folder)
    pairs = [both(folder, name) for name in names]
    ours, theirs = (pd.concat([pair[i] for pair in pairs], ignore_index=True) for i in (0, 1))
    features = []
    for column in COLUMNS:
        a, b = pairs_of(column, ours, theirs)
        words, kind = ("its neural network", RELATED) if column.name == "creak" else ("", SAME)
        if a.size:
            who = np.full(a.size, "", dtype=object)
            counterpart = f"{column.name}{', ' * bool(words)}{words}"
            features.append(Feature(column, kind, counterpart, a, b, who))
    voiced = _shares(*((table["VUV"] == 1).to_numpy() for table in (ours, theirs)))
    return Reference(TOOLBOX, len(names), 0, voiced, features)


def _shares(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float, float]:
    """Return which shares of frames are voiced for us, them and both."""
    parts = (ours, theirs, ours & theirs)
    return tuple(float(part.mean()) if part.size else 0.0 for part in parts)
