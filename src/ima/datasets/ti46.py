"""TI46 (LDC93S9): isolated words of 8 women and 8 men, 12.5 kHz SPHERE; the ten digits are used.

A recording is `.../{train,test}/{f1-f8,m1-m8}/<word><speaker><session><token>.wav`: `00`-`09` for
zero to nine, session `se` (enrolment, in train) with tokens `t0`-`t9`, and `s1`-`s8` (in test) with
`t0` and `t1`; whatever the folders above are called, and in either case:

    TI46/TI20/TEST/F1/00F1S3T1.WAV -> id ti46/test/f1/00f1s3t1, digits z (speakers say 'zero')

**The same 16 speakers are in train and test**, by the corpus' design (it is for speaker-dependent
recognition); only TIDIGITS' test speakers are new. Speakers are called `ti46_f1` so that they
cannot be taken for a TIDIGITS speaker.

The corpus' other words, TI20's commands (`en er go hp no rb rp sp st ys`) and TI-alpha's letters
(`0a`-`0z`), are not digits: they share one row of the skipped table, which says how many there are.
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

#: Speakers of (split, group): the same 8 women and 8 men in both.
SPEAKERS = {(split, group): 8 for split in ("train", "test") for group in ("man", "woman")}
#: Recordings a speaker: ten digits, 10 tokens in train and 16 in test; 4,160 in all.
TOKENS = {"train": 100, "test": 160}


def index(root: str | Path) -> tuple[pa.Table, pa.Table]:
    """List the digits of a TI46 tree.

    Args:
        root: a folder above `train` and `test`.

    Returns:
        items (RECORDINGS): `digits` is one of z 1 ... 9, `group` woman or man;
        skipped (SKIPPED): one row for the words that aren't digits, audio whose name or folder
            isn't of the corpus or contradict each other, files of an unknown kind, and copies of
            a recording (of two, the first path in order is kept).

    Raises:
        InputError: no such tree, or no digit in it.
    """
    root = root_folder(root, "TI46", SOURCE, LAYOUT)
    rows, skipped = find_recordings(root, "TI46", LAYOUT, _row)
    return recordings(CORPUS, rows, skipped)


def expected_counts(items: pa.Table) -> pa.Table:
    """Compare a table of `index` with the corpus' nominal numbers, and warn of what is missing.

    Nominal are 16 speakers of 26 tokens of ten digits, 4,160 in all.

    Returns:
        the table of `ima.datasets.counts.count_report`.
    """
    return count_report(items, Expected(speakers=SPEAKERS, recordings=TOKENS, same_speakers=True))


def _row(path: str) -> dict[str, str] | str | None:
    """Return the digit that a relative path names, why it names none, or None for other words."""
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
