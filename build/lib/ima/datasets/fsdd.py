"""Read FSDD, the Free Spoken Digit Dataset: isolated digits of a few speakers, 8 kHz wav.

A recording is `<digit>_<speaker>_<take>.wav`, in the root folder or in a folder `recordings`, such
as that of the unpacked archive:

    recordings/0_george_12.wav -> id fsdd/0_george_12, digits z, speaker george

Ids do not depend on the choice of split, so features can be reused for both.
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

#: Takes below this number are the official test split.
TEST_TAKES = 5

_NAME = re.compile(r"([0-9])_([^_]+)_([0-9]+)$")


def index(
    root: str | Path, split: str = "takes", test_speakers: Sequence[str] = ()
) -> tuple[pa.Table, pa.Table]:
    """List the recordings of FSDD.

    Args:
        root: the folder that contains `recordings/`, a folder above it, or that folder itself.
        split: 'takes' tests on takes 0-4 of every speaker, as the dataset defines it; 'speaker'
            tests on all takes of `test_speakers` and trains on the other speakers.
        test_speakers: speakers in lower case, as in the file names; only for split 'speaker'.

    Returns:
        items (RECORDINGS): `digits` is one of z 1 ... 9 (speakers say 'zero'), `group` is unknown;
        skipped (SKIPPED): files with other names or of other types, and duplicate recordings.

    Raises:
        InputError: the folder is missing or has no recordings, the split or a test speaker is
            unknown, or a split would have no speakers.
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
    """Return the row of the recording at a relative path, or why the file is skipped."""
    folder, _, file = path.lower().rpartition("/")
    if folder and folder.rpartition("/")[2] != "recordings":
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
    """Return the test speakers after checking that neither split is empty."""
    test = frozenset([test] if isinstance(test, str) else test)
    if not test or not test < speakers:
        raise InputError(
            "test_speakers of FSDD",
            expected=f"some, but not all, of the speakers {', '.join(sorted(speakers))}",
            found=", ".join(sorted(test)) or "none",
        )
    return test
