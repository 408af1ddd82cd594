"""Read TIDIGITS (LDC93S10): digit strings spoken by men, women, boys and girls, 20 kHz SPHERE.

A recording is `.../{train,test}/{man,woman,boy,girl}/<speaker>/<digits><production>.wav`, with a
two-letter speaker code, digits `1`-`9`, `z` (zero) and `o` (oh), and production `a` or `b`. Names
of parent folders (`disc_4.1.1/`, `tidigits/`, `data/adults/`) and letter case do not matter:

    disc_4.1.1/tidigits/train/man/ae/6Z97ZA.WAV -> id tidigits/train/man/ae/6z97za, digits 6z97z
"""

import re
from pathlib import Path

import pyarrow as pa

from ima.datasets.base import find_recordings, recordings, root_folder
from ima.datasets.counts import Expected, count_report
from ima.utils.errors import InputError

CORPUS = "tidigits"
SOURCE = "the LDC, https://catalog.ldc.upenn.edu/LDC93S10"
LAYOUT = ".../{train,test}/{man,woman,boy,girl}/<speaker>/<digits><a|b>.wav"

_PLACE = re.compile(r"(?:^|/)(train|test)/(man|woman|boy|girl)/([a-z]{2})/([^/]+)$")
_NAME = re.compile(r"([1-9zo]{1,7})([ab])$")

#: Speakers in each (split, group): 55 + 56 = 111 men, 114 women, 50 boys, 51 girls; 163 per split.
SPEAKERS = {
    ("train", "man"): 55,
    ("train", "woman"): 57,
    ("train", "boy"): 25,
    ("train", "girl"): 26,
    ("test", "man"): 56,
    ("test", "woman"): 57,
    ("test", "boy"): 25,
    ("test", "girl"): 25,
}
#: Strings per speaker: 22 of one digit, and 11 each of 2, 3, 4, 5 and 7 digits.
STRINGS, ONE_DIGIT = 77, 22


def index(root: str | Path) -> tuple[pa.Table, pa.Table]:
    """List the recordings of a TIDIGITS tree.

    Args:
        root: a folder above `train` and `test`.

    Returns:
        items (RECORDINGS): `speaker` is the two-letter code, `group` man, woman, boy or girl;
            `digits` distinguishes `z` and `o`;
        skipped (SKIPPED): audio whose name or folder does not follow the layout, files of unknown
            type, and duplicate recordings (the first path in sorted order is kept).

    Raises:
        InputError: the folder does not exist or has no recordings, or a speaker is in both splits
            or in two groups.
    """
    root = root_folder(root, "TIDIGITS", SOURCE, LAYOUT)
    rows, skipped = find_recordings(root, "TIDIGITS", LAYOUT, _row)
    _check_speakers(root, rows)
    return recordings(CORPUS, rows, skipped)


def expected_counts(items: pa.Table) -> pa.Table:
    """Compare a table of `index` with the nominal numbers of TIDIGITS, and warn of differences.

    The corpus nominally has 326 speakers with 77 strings each, 25,102 recordings; public copies
    have 25,096.

    Args:
        items: RECORDINGS, from `index`.

    Returns:
        The table of `ima.datasets.counts.count_report`.
    """
    return count_report(items, Expected(speakers=SPEAKERS, recordings=STRINGS, one_digit=ONE_DIGIT))


def _row(path: str) -> dict[str, str] | str:
    """Return the row of the recording at a relative path, or why the file is skipped."""
    place = _PLACE.search(path.lower())
    if place is None:
        return f"not in a folder {LAYOUT}"
    split, group, speaker, file = place.groups()
    stem = file.rpartition(".")[0]
    name = _NAME.match(stem)
    if name is None:
        return f"'{stem}' is not 1 to 7 digits of 1-9 z o and a production a or b"
    return {
        "id": f"{CORPUS}/{split}/{group}/{speaker}/{stem}",
        "split": split,
        "speaker": speaker,
        "group": group,
        "digits": name[1],
        "file": path,
    }


def _check_speakers(root: Path, rows: list[dict]) -> None:
    first = {}
    for row in rows:
        known = first.setdefault(row["speaker"], row)
        if (known["split"], known["group"]) != (row["split"], row["group"]):
            raise InputError(
                root,
                expected="each speaker in one split and one group",
                found=f"'{row['speaker']}' in {known['file']} and {row['file']}",
                do="Test speakers must not occur in training: remove the wrong copy.",
            )
