"""Read the digits of TI46 (LDC93S9): isolated words of 8 women and 8 men, 12.5 kHz SPHERE.

A recording is `.../{train,test}/{f1-f8,m1-m8}/<word><speaker><session><token>.wav`. The words
`00`-`09` are zero to nine. Session `se` (enrolment, in train) has tokens `t0`-`t9`; sessions
`s1`-`s8` (in test) have `t0` and `t1`. Names of parent folders and letter case do not matter:

    TI46/TI20/TEST/F1/00F1S3T1.WAV -> id ti46/test/f1/00f1s3t1, digits z (speakers say 'zero')

**The same 16 speakers are in train and test**: the corpus was designed for speaker-dependent
recognition. Only the test speakers of TIDIGITS are new. Speakers are named `ti46_f1` and so on, to
distinguish them from TIDIGITS speakers.

The other words, the commands of TI20 (`en er go hp no rb rp sp st ys`) and the letters of TI-alpha
(`0a`-`0z`), are not digits. They share one row of the skipped table, which gives their number.
"""

import re
from pathlib import Path

import pyarrow as pa

from ima.datasets.base import find_recordings, recordings, root_folder
from ima.datasets.counts import Expected, count_report

CORPUS = "ti46"
SOURCE = "the LDC, https://catalog.ldc.upenn.edu/LDC93S9"
LAYOUT = ".../{train,test}/{f1-f8,m1-m8}/<00-09><speaker><session><token>.wav"

_PLACE = re.compile(r"(?:^|/)(train|test)/([fm][1-8])/([^/]+)$")
_NAME = re.compile(
    r"(?P<word>0[0-9a-z]|en|er|go|hp|no|rb|rp|sp|st|ys)(?P<speaker>[fm][1-8])"
    r"(?P<take>(?P<train>set[0-9])|s[1-8]t[01])$"
)

#: Speakers in each (split, group): the same 8 women and 8 men in both splits.
SPEAKERS = {(split, group): 8 for split in ("train", "test") for group in ("man", "woman")}
#: Recordings per speaker: ten digits, 10 tokens each in train and 16 in test; 4,160 in all.
TOKENS = {"train": 100, "test": 160}


def index(root: str | Path) -> tuple[pa.Table, pa.Table]:
    """List the digits of a TI46 tree.

    Args:
        root: a folder above `train` and `test`.

    Returns:
        items (RECORDINGS): `digits` is one of z 1 ... 9, `group` woman or man;
        skipped (SKIPPED): one row for the words that are not digits, audio whose name and folder
            do not follow the layout or contradict each other, files of unknown type, and
            duplicate recordings (the first path in sorted order is kept).

    Raises:
        InputError: the folder does not exist or contains no digit.
    """
    root = root_folder(root, "TI46", SOURCE, LAYOUT)
    rows, skipped = find_recordings(root, "TI46", LAYOUT, _row)
    return recordings(CORPUS, rows, skipped)


def expected_counts(items: pa.Table) -> pa.Table:
    """Compare a table of `index` with the nominal numbers of TI46, and warn of differences.

    The corpus nominally has 16 speakers with 26 tokens of each of ten digits, 4,160 recordings.

    Args:
        items: RECORDINGS, from `index`.

    Returns:
        The table of `ima.datasets.counts.count_report`.
    """
    return count_report(items, Expected(speakers=SPEAKERS, recordings=TOKENS, same_speakers=True))


def _row(path: str) -> dict[str, str] | str | None:
    """Return the row of the digit at a relative path, why it is skipped, or None if not a digit."""
    place = _PLACE.search(path.lower())
    if place is None:
        return f"not in a folder {LAYOUT}"
    split, speaker, file = place.groups()
    stem = file.rpartition(".")[0]
    name = _NAME.match(stem)
    if name is None:
        return f"'{stem}' is not <word><speaker><session><token>"
    if name["speaker"] != speaker:
        return f"the name says speaker {name['speaker']}, the folder {speaker}"
    if (split == "train") != (name["train"] is not None):
        return f"session '{name['take'][:2]}' does not belong in {split}"
    if not name["word"].isdigit():
        return None
    return {
        "id": f"{CORPUS}/{split}/{speaker}/{stem}",
        "split": split,
        "speaker": f"{CORPUS}_{speaker}",
        "group": "woman" if speaker[0] == "f" else "man",
        "digits": name["word"][1].replace("0", "z"),
        "file": path,
    }
