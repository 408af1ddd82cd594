"""Segment recordings into digits: `align` and the baseline `equal_split`."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import joblib
import numpy as np
import pyarrow as pa

from ima.alignment import hmm, quality, viterbi
from ima.alignment.frontend import SHIFT, WINDOW, Cepstra, cepstra, fault
from ima.alignment.quality import Cut, too_short
from ima.audio import sphere
from ima.utils.arrow import conform
from ima.utils.errors import InputError
from ima.utils.schemas import RECORDINGS, SEGMENTS

log = logging.getLogger(__name__)

#: At a pause, a window reaches the sound before its centre does, by up to half a window if the
#: sound is loud. Boundaries at pauses are moved into the word by half that range (s).
PAUSE_SHIFT = WINDOW / 4

#: Reads a recording: path -> samples, float (n,), and sampling rate in Hz.
Reader = Callable[[str | Path], tuple[np.ndarray, int]]
#: Location of recordings: the corpus root, or a function from a recording's id to its path (or to
#: another argument that the reader accepts).
Place = str | Path | Callable[[str], str | Path]


def align(
    recordings: pa.Table,
    root: Place,
    *,
    read: Reader = sphere.read_audio,
    processes: int = 1,
    adapt: bool = True,
) -> pa.Table:
    """Find the time span of each digit with models trained on all given recordings.

    Args:
        recordings: RECORDINGS, with any mixture of sampling rates from 8 to 48 kHz.
        root: the folder that `file` is relative to, or a function id -> path.
        read: reads a path; if it raises InputError, the recording is marked as doubtful.
        processes: the number of parallel jobs; the result does not depend on it.
        adapt: whether to adapt the models to each speaker (column `speaker`, within `corpus`).

    Returns:
        SEGMENTS, one row per digit, in the order of `recordings` and of the digits: times in s on
        a 5 ms grid, `loglik` in nats per frame (NaN if no path was found) and `doubtful` (see
        `ima.alignment.quality`).

    Raises:
        InputError: there are no recordings, an id occurs twice, a digit is not one of 1-9, z, o,
            or no recording can be aligned.
    """
    rows, loaded = _load(recordings, root, read, processes)
    good = [i for i, item in enumerate(loaded) if isinstance(item, Cepstra)]
    items = [loaded[i] for i in good]
    strings = [rows[i]["digits"] for i in good]
    model = hmm.train(items, strings, processes)
    cuts: dict[int, list[Cut]] = {}
    groups = _by_speaker([rows[i] for i in good])

    def one_speaker(chosen: Sequence[int]) -> list[list[Cut]]:
        """Return the cuts of a speaker's recordings, given as indices into `items`."""
        own = hmm.train_speaker(model, items, strings, chosen) if adapt else model
        return [_cut(own, items[i], strings[i]) for i in chosen]

    run = joblib.Parallel(n_jobs=processes, backend="threading")
    for chosen, found in zip(
        groups, run(joblib.delayed(one_speaker)(chosen) for chosen in groups), strict=True
    ):
        cuts |= {good[i]: cut for i, cut in zip(chosen, found, strict=True)}
    for i, item in enumerate(loaded):
        if not isinstance(item, Cepstra):
            cuts[i] = _even(rows[i]["digits"], 0.0, item[1], item[0])
    in_order = [cuts[i] for i in range(len(rows))]
    return _table(rows, quality.judge(in_order))


def equal_split(
    recordings: pa.Table,
    root: Place,
    *,
    read: Reader = sphere.read_audio,
    processes: int = 1,
) -> pa.Table:
    """Divide each recording equally between its energy endpoints, as a baseline for `align`.

    Args, returned table and errors are those of `align`.
    """
    rows, loaded = _load(recordings, root, read, processes)
    cuts = []
    for row, item in zip(rows, loaded, strict=True):
        if isinstance(item, Cepstra):
            begin, end = (_seconds(frame, item) for frame in item.speech)
            reason = too_short(item.duration, row["digits"])
            cuts.append(_even(row["digits"], begin, end, reason))
        else:
            cuts.append(_even(row["digits"], 0.0, item[1], item[0]))
    return _table(rows, cuts)


def _load(
    recordings: pa.Table, root: Place, read: Reader, processes: int
) -> tuple[list[dict], list[Cepstra | tuple[str, float]]]:
    """Return the rows, and for each its features or (reason for failure, duration in s)."""
    rows = conform(recordings, RECORDINGS, "recordings").to_pylist()
    _check(rows)
    paths = [root(row["id"]) if callable(root) else Path(root) / row["file"] for row in rows]
    run = joblib.Parallel(n_jobs=processes, batch_size=32 if processes > 1 else 1)
    loaded = run(joblib.delayed(_features)(read, path) for path in paths)
    bad = [(row, item) for row, item in zip(rows, loaded, strict=True) if type(item) is tuple]
    for row, (reason, _) in bad:
        log.warning("Recording %s is divided equally: %s.", row["id"], reason)
    if len(bad) == len(rows):
        raise InputError(
            "recordings",
            expected="at least one that can be aligned",
            found=f"none of {len(rows)} (the first, {bad[0][0]['file']}: {bad[0][1][0]})",
        )
    return rows, loaded


def _check(rows: list[dict]) -> None:
    if not rows:
        raise InputError("recordings", expected="at least one row", found="none")
    seen = set()
    for row in rows:
        if row["id"] in seen:
            raise InputError("recordings", expected="unique ids", found=f"{row['id']} twice")
        seen.add(row["id"])
        if not row["digits"] or not set(row["digits"]) <= set(hmm.WORDS):
            raise InputError(
                f"recordings, digits of {row['id']}",
                expected="one or more of 1-9, z (zero) and o (oh)",
                found=repr(row["digits"]),
            )


def _features(read: Reader, path: str | Path) -> Cepstra | tuple[str, float]:
    try:
        samples, rate = read(path)
    except InputError as error:
        return f"unreadable: {error}".rstrip("."), 0.0
    reason = fault(samples, rate)
    return (reason, len(samples) / rate if rate > 0 else 0.0) if reason else cepstra(samples, rate)


def _by_speaker(rows: list[dict]) -> list[list[int]]:
    groups: Mapping[tuple[str, str], list[int]] = {}
    for i, row in enumerate(rows):
        groups.setdefault((row["corpus"], row["speaker"]), []).append(i)
    return list(groups.values())


def _cut(model: hmm.Model, item: Cepstra, digits: str) -> list[Cut]:
    """Segment one recording along the best path through its digits."""
    places = hmm.path(model, item, digits)
    if places is None:
        begin, end = (_seconds(frame, item) for frame in item.speech)
        reason = (
            f"too short: {len(item.x)} frames for {hmm.STATES * len(digits)} states, cut equally"
        )
        return _even(digits, begin, end, reason)
    line = hmm.chain(digits)
    x = item.x.astype(np.float32)
    score = viterbi.emissions(x, *model.gaussians, np.arange(hmm.N_STATES, dtype=np.int32))
    frame_score = score[np.arange(len(x)), line.states[places]]  # (T,)
    heard, gain = quality.free_choice(model, score, line.states[places])
    word = line.word[places]
    cuts = []
    for position, digit in enumerate(digits):
        frames = np.flatnonzero(word == position)
        begin = _seconds(frames[0], item)
        end = _seconds(frames[-1] + 1, item)
        if frames[0] > 0 and word[frames[0] - 1] < 0:
            begin += PAUSE_SHIFT
        if frames[-1] + 1 < len(word) and word[frames[-1] + 1] < 0:
            end -= PAUSE_SHIFT
        cuts.append(Cut(digit, begin, end, float(frame_score[frames].mean()), heard, gain, ""))
    return cuts


def _seconds(frame: int, item: Cepstra) -> float:
    """Return the time (s) halfway between the centres of the previous frame and this one."""
    if frame >= len(item.x):
        return item.duration
    return float(min(max((frame - 0.5) * SHIFT, 0.0), item.duration))


def _even(digits: str, begin: float, end: float, reason: str) -> list[Cut]:
    edges = np.linspace(begin, end, len(digits) + 1).tolist()
    return [
        Cut(digit, edges[i], edges[i + 1], float("nan"), digits, 0.0, reason)
        for i, digit in enumerate(digits)
    ]


def _table(rows: list[dict], cuts: list[list[Cut]]) -> pa.Table:
    found = [
        {
            "recording": row["id"],
            "position": position,
            "digit": cut.digit,
            "start_s": cut.start,
            "end_s": cut.end,
            "loglik": cut.loglik,
            "doubtful": cut.reason,
        }
        for row, recording in zip(rows, cuts, strict=True)
        for position, cut in enumerate(recording)
    ]
    return pa.Table.from_pylist(found, schema=SEGMENTS)
