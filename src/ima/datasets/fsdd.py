"""FSDD, the Free Spoken Digit Dataset: isolated digits of a few speakers, 8 kHz wav.

A recording is `<digit>_<speaker>_<take>.wav` in `recordings/` or in the root itself:

    recordings/0_george_12.wav -> id fsdd/0_george_12, digits z, speaker george

An id doesn't depend on the split, so features of one split serve the other.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from ima.datasets.base import find_recordings, recordings, root_folder
from ima.utils.errors import InputError

CORPUS = "fsdd"
SOURCE = "https://github.com/Jakobovski/free-spoken-digit-dataset"
LAYOUT = "recordings/<digit>_<speaker>_<take>.wav"

#: Takes below this are the dataset's own test split.
TEST_TAKES = 5

_NAME = re.compile(r"([0-9])_([^_]+)_([0-9]+)$")


def index(
    root: str | Path, split: str = "takes", test_speakers: Sequence[str] = ()
) -> tuple[pa.Table, pa.Table]:
    """List the recordings of FSDD.

    Args:
        root: the folder that holds `recordings/`, or that folder.
        split: 'takes' (takes 0-4 of every speaker are the test set, as the dataset has it) or
            'speaker' (every take of `test_speakers` is; the others train).
        test_speakers: names, in lower case as in the file names; for split 'speaker' only.

    Returns:
        items (RECORDINGS): `digits` is one of z 1 ... 9 ('zero' is said), `group` is unknown;
        skipped (SKIPPED): files of other names or kinds, and copies of a recording.

    Raises:
        InputError: no such tree, nothing in it, an unknown split or test speaker, or no speaker
            left for one of the splits.
    """
    _check_split(split, test_speakers)
    root = root_folder(root, "FSDD", SOURCE, LAYOUT)
    rows, skipped = find_recordings(root, "FSDD", LAYOUT, _row)
    if split == "speaker":
        test = _known_speakers({row["speaker"] for row in rows}, test_speakers)
    for row in rows:
        held_out = row["speaker"] in test if split == "speaker" else row["take"] < TEST_TAKES
        row["split"] = "test" if held_out else "train"
        del row["take"]
    return recordings(CORPUS, rows, skipped)


def _check_split(split: str, test_speakers: Sequence[str]) -> None:
    if split not in ("takes", "speaker"):
        raise InputError("split of FSDD", expected="'takes' or 'speaker'", found=repr(split))
    if split == "takes" and test_speakers:
        raise InputError(
            "test_speakers of FSDD",
            expected="none with split 'takes'",
            found=repr(tuple(test_speakers)),
            do="Set split to 'speaker'.",
        )


def _row(path: str) -> dict | str:
    """Return the recording that a relative path names, or why it names none."""
    folder, _, file = path.lower().rpartition("/")
    if folder not in ("", "recordings"):
        return "not in recordings/ or the root"
    stem = file.rpartition(".")[0]
    name = _NAME.match(stem)
    if name is None:
        return f"'{stem}' is not <digit>_<speaker>_<take>"
    digit, speaker, take = name[1], name[2], int(name[3])
    return {
        "id": f"{CORPUS}/{digit}_{speaker}_{take}",
        "speaker": speaker,
        "group": "unknown",
        "digits": digit.replace("0", "z"),
        "file": path,
        "take": take,
    }


def _known_speakers(speakers: set[str], test: Sequence[str]) -> frozenset[str]:
    """Return the test speakers once they are known to leave someone on both sides."""
    test = frozenset([test] if isinstance(test, str) else test)
    if not test or not test < speakers:
        raise InputError(
            "test_speakers of FSDD",
            expected=f"some, not all, of the speakers found: {', '.join(sorted(speakers))}",
            found=", ".join(sorted(test)) or "none",
        )
    return test
