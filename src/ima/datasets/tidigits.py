"""TIDIGITS (LDC93S10): connected digit strings of men, women, boys and girls, 20 kHz SPHERE.

A recording is `.../{train,test}/{man,woman,boy,girl}/<speaker>/<digits><production>.wav`:
two letters a speaker, digits `1`-`9`, `z` (zero) and `o` (oh), production `a` or `b`. Whatever
the folders above are called (`disc_4.1.1/`, `tidigits/`, `data/adults/`), and in either case:

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

#: Speakers of (split, group): 55 + 56 = 111 men, 114 women, 50 boys, 51 girls; 163 a split.
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
#: Strings a speaker: 22 of one digit, and 11 each of 2, 3, 4, 5 and 7 digits.
STRINGS, ONE_DIGIT = 77, 22


def index(root: str | Path) -> tuple[pa.Table, pa.Table]:
    """List the recordings of a TIDIGITS tree.

    Args:
        root: a folder above `train` and `test`.

    Returns:
        items (RECORDINGS): `speaker` is the two-letter code, `group` man, woman, boy or girl, and
            `digits` keeps `o`;
        skipped (SKIPPED): audio that isn't a digit string or isn't in such a folder, files of an
            unknown kind, and copies of a recording (of two, the first path in order is kept).

    Raises:
        InputError: no such tree, nothing in it, or a speaker who is in train and test, or in two
            groups.
    """
    root = root_folder(root, "TIDIGITS", SOURCE, LAYOUT)
    rows, skipped = find_recordings(root, "TIDIGITS", LAYOUT, _row)
    _check_speakers(root, rows)
    return recordings(CORPUS, rows, skipped)


def expected_counts(items: pa.Table) -> pa.Table:
    """Compare a table of `index` with the corpus' nominal numbers, and warn of what is missing.

    Nominal are 326 speakers of 77 strings, 25,102 in all; public copies have 25,096.

    Returns:
        the table of `ima.datasets.counts.count_report`.
    """
    return count_report(items, Expected(speakers=SPEAKERS, recordings=STRINGS, one_digit=ONE_DIGIT))


def _row(path: str) -> dict[str, str] | str:
    """Return the recording that a relative path names, or why it names none."""
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
                do="Results on speakers that were trained on mean nothing: remove the wrong copy.",
            )
