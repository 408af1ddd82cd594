"""Measure the error of segment boundaries against ground truth, read from CSV or CTM files."""

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from ima.utils.errors import InputError
from ima.utils.text_files import lines_of, read_records, read_text

#: Ground truth: the start and end, in s, of digit `position` (0-based) of a recording.
TRUTH = pa.schema(
    [
        ("recording", pa.string()),
        ("position", pa.int16()),
        ("digit", pa.string()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
    ]
)
#: Tolerance (ms) of the share of accurate boundaries.
NEAR_MS = 50.0
#: Digits of the words of a CTM file, in lower case; pauses and noises are ignored.
CTM_WORDS = {
    **{"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6"},
    **{"seven": "7", "eight": "8", "nine": "9", "zero": "z", "oh": "o", "0": "z"},
    **{digit: digit for digit in "123456789zo"},
}
CTM_PAUSES = frozenset(
    {"<eps>", "<sil>", "sil", "!sil", "sp", "<s>", "</s>", "nsn", "spn", "<unk>"}
)


def score(segments: pa.Table, truth: pa.Table, kinds: Mapping[str, str] | None = None) -> pa.Table:
    """Measure the boundary errors over the start and end of every digit.

    Args:
        segments: SEGMENTS.
        truth: TRUTH; recordings not in it are not scored.
        kinds: recording id -> kind, such as the speaker group; by default all are of kind 'all'.

    Returns:
        One row per kind, sorted by name, and a final row 'all' if there are several. Columns:
        kind, recordings, boundaries; mean_ms, median_ms and within_50_pct of absolute errors;
        bias_ms (median of segment - truth); and missing (digits of the truth without a segment).

    Raises:
        InputError: no digit of the truth has a segment, or a segment has another digit.
    """
    cuts = {(row["recording"], row["position"]): row for row in segments.to_pylist()}
    errors: dict[str, list[float]] = {}
    missing: dict[str, int] = {}
    scored: dict[str, set[str]] = {}
    for true in truth.to_pylist():
        kind = "all" if kinds is None else kinds.get(true["recording"], "unknown")
        for name in dict.fromkeys((kind, "all")):
            errors.setdefault(name, [])
            missing.setdefault(name, 0)
            scored.setdefault(name, set())
            cut = cuts.get((true["recording"], true["position"]))
            if cut is None:
                missing[name] += 1
                continue
            _same_digit(cut, true)
            scored[name].add(true["recording"])
            errors[name] += [1e3 * (cut[edge] - true[edge]) for edge in ("start_s", "end_s")]
    if not errors.get("all"):
        raise InputError(
            "truth",
            expected="recordings that were cut",
            found=f"{len(truth)} digits of other recordings",
            do="Compare the names of the truth's recordings with the ids of the segments.",
        )
    names = sorted(set(errors) - {"all"})
    names += ["all"] if len(names) != 1 else []
    return pa.Table.from_pylist(
        [_summary(name, errors[name], missing[name], len(scored[name])) for name in names]
    )


def _same_digit(cut: dict, true: dict) -> None:
    if cut["digit"] != true["digit"]:
        raise InputError(
            f"truth of {true['recording']}, digit {true['position']}",
            expected=f"'{cut['digit']}' as in the segments",
            found=f"'{true['digit']}'",
        )


def _summary(kind: str, errors: list[float], missing: int, recordings: int) -> dict:
    distance = np.abs(errors) if errors else np.array([np.nan])
    return {
        "kind": kind,
        "recordings": recordings,
        "boundaries": len(errors),
        "mean_ms": float(distance.mean()),
        "median_ms": float(np.median(distance)),
        "within_50_pct": float(100 * (distance <= NEAR_MS).mean()) if errors else float("nan"),
        "bias_ms": float(np.median(errors)) if errors else float("nan"),
        "missing": missing,
    }


def read_truth(path: str | Path, recordings: pa.Table) -> pa.Table:
    """Read ground truth from a CSV file with columns file, digit_index, digit, start_s, end_s.

    Args:
        path: the CSV file; `file` may be any name of a recording (see `read_ctm`).
        recordings: RECORDINGS.

    Returns:
        TRUTH of the given recordings; other files are ignored.

    Raises:
        InputError: the file does not exist, a column is missing, or a value is not a number.
    """
    names = _names(recordings)
    wanted = ("file", "digit_index", "digit", "start_s", "end_s")
    rows = []
    for i, line in read_records(path, wanted):
        place = f"{path}, line {i}"
        recording = names.get(_key(line["file"]))
        if recording is not None:
            position = int(_number(line["digit_index"], place))
            start, end = (_number(line[c], place) for c in ("start_s", "end_s"))
            rows.append(_true(recording, position, line["digit"], start, end))
    return pa.Table.from_pylist(rows, schema=TRUTH)


def read_ctm(path: str | Path, recordings: pa.Table) -> pa.Table:
    """Read a public alignment in the CTM format of NIST: `file channel start duration word`, in s.

    A recording may be identified by its id, by its path, or by the last parts of its path joined
    by `/`, `_` or `-`, ignoring extension and case: man/ae/1a.wav may be `ae_1a`. Words may be
    digits or English words; pauses are ignored. Digits are numbered in order of time.

    Args:
        path: the CTM file; `;;` starts a comment.
        recordings: RECORDINGS.

    Returns:
        TRUTH of the given recordings; other files are ignored.

    Raises:
        InputError: the file does not exist, a line is malformed, a word is unknown, or the digits
            differ from those of the recording.
    """
    names = _names(recordings)
    found: dict[str, list[tuple[float, float, str]]] = {}
    for number, line in lines_of(read_text(path, "a CTM file")):
        fields = line.split(";;")[0].split()
        if not fields:
            continue
        place = f"{path}, line {number}"
        if len(fields) < 5:
            raise InputError(place, expected="file channel start duration word", found=line)
        start, duration = (_number(field, place) for field in fields[2:4])
        if start < 0 or duration < 0:
            raise InputError(place, expected="times of 0 or more", found=line)
        recording, word = names.get(_key(fields[0])), fields[4].lower()
        if recording is None or word in CTM_PAUSES:
            continue
        if word not in CTM_WORDS:
            raise InputError(place, expected="a digit or a pause", found=f"'{fields[4]}'")
        found.setdefault(recording, []).append((start, start + duration, CTM_WORDS[word]))
    return _in_order(path, found, recordings)


def _in_order(path: object, found: dict[str, list], recordings: pa.Table) -> pa.Table:
    digits = dict(zip(recordings["id"].to_pylist(), recordings["digits"].to_pylist(), strict=True))
    rows = []
    for recording, words in found.items():
        words.sort()
        spoken = "".join(word for *_, word in words)
        if spoken != digits[recording]:
            raise InputError(
                f"{path}, {recording}",
                expected=f"digits '{digits[recording]}'",
                found=f"'{spoken}'",
            )
        rows += [_true(recording, i, word, *times) for i, (*times, word) in enumerate(words)]
    return pa.Table.from_pylist(rows, schema=TRUTH)


def _true(recording: str, position: int, digit: str, start: float, end: float) -> dict:
    values = (recording, position, digit, start, end)
    return dict(zip(TRUTH.names, values, strict=True))


def _number(text: str, place: str) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        raise InputError(place, expected="a number", found=repr(text)) from None
    if not np.isfinite(value):
        raise InputError(place, expected="a finite number", found=text)
    return value


def _key(name: str) -> str:
    return str(PurePosixPath(name.replace("\\", "/").lower()).with_suffix(""))


def _names(recordings: pa.Table) -> dict[str, str]:
    """Map every unambiguous name of a recording to its id."""
    owners: dict[str, set[str]] = {}
    pairs = zip(recordings["id"].to_pylist(), recordings["file"].to_pylist(), strict=True)
    for id_, file in pairs:
        for name in {_key(id_), *_tails(_key(file))}:
            owners.setdefault(name, set()).add(id_)
    return {name: next(iter(ids)) for name, ids in owners.items() if len(ids) == 1}


def _tails(path: str) -> Iterable[str]:
    parts = path.split("/")
    for i in range(len(parts)):
        for joint in "/_-":
            yield joint.join(parts[i:])
