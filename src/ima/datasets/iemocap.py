"""Read IEMOCAP: acted dialogues of ten speakers in five sessions, with emotions and alignments.

These files of a turn make one row:

    Session1/dialog/EmoEvaluation/Ses01F_impro01.txt          emotion of every turn
    Session1/dialog/transcriptions/Ses01F_impro01.txt         text of every turn
    Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav
    Session1/sentences/ForcedAlignment/Ses01F_impro01/Ses01F_impro01_F000.wdseg

    -> id iemocap/Ses01F_impro01_F000, session 1, speaker Ses01F (by the last letter of the turn;
       the first F or M is the actor who wore the markers)
"""

import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ima.datasets.base import root_folder
from ima.datasets.counts import CountWarning
from ima.datasets.wdseg import index_tables, read_wdseg, wave_info, why
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import CLASSES, EMOTION_COUNTS, OTHER

CORPUS = "iemocap"
SOURCE = "https://sail.usc.edu/iemocap/"
LAYOUT = "Session1 ... Session5, each with dialog/ and sentences/"
RATE = 16_000  # Hz

#: Number of utterances of each emotion code, 10,039 in all; xxx means no majority of evaluators.
EXPECTED = {
    **{"neu": 1708, "ang": 1103, "sad": 1084, "hap": 595, "exc": 1041},
    **{"fru": 1849, "sur": 107, "fea": 40, "dis": 2, "oth": 3, "xxx": 2507},
}
_CLASS = {"ang": "angry", "hap": "happy", "neu": "neutral", "sad": "sad"}

_TURN = re.compile(r"(Ses0([1-5]))[FM]_\w+_([FM])\d{3}")
_LABEL = re.compile(r"\[\s*[\d.]+\s*-\s*[\d.]+\s*\]\s+(\S+)\s+(\S+)\s+\[[\d., ]+\]\s*")
_TEXT = re.compile(r"(\S+)\s+\[\s*[\d.]+\s*-\s*[\d.]+\s*\]\s*:\s*(.*)")


def index(
    root: str | Path, excited_as_happy: bool = True, rate: int = RATE
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """List the utterances of IEMOCAP and their aligned words (6.2, A.2).

    Args:
        root: the folder that contains `Session1` ..., or a folder one or two levels above.
        excited_as_happy: whether 'exc' counts as class happy; the four classes then have 5,531
            utterances.
        rate: the required sampling rate of the wav files, in Hz.

    Returns:
        utterances (UTTERANCES): those with a label, a text, a wav and an alignment, sorted by id;
        tokens (TOKENS): all rows of their alignments, for `ima.datasets.wdseg.keep_tokens`;
        skipped (SKIPPED_UTTERANCES): the other utterances with the reason, and files and lines
            that belong to no labelled turn.

    Raises:
        InputError: the folder does not exist, has no sessions, or has no usable utterance.
    """
    root = root_folder(root, "IEMOCAP", SOURCE, LAYOUT)
    utterances, tokens, skipped = [], [], []
    for session in _sessions(root):
        found = _Session(root, session, skipped)
        for turn, (emotion, file) in sorted(found.labels.items()):
            try:
                row, aligned = found.utterance(turn, emotion, rate)
            except InputError as error:
                file = found.wavs.get(turn, file)
                skipped.append((f"{CORPUS}/{turn}", emotion, file, why(error)))
                continue
            row["label"] = _label(emotion, excited_as_happy)
            utterances.append(row)
            tokens += aligned
    return index_tables(root, CORPUS, utterances, tokens, skipped)


def expected_counts(utterances: pa.Table, skipped: pa.Table) -> pa.Table:
    """Compare the tables of `index` with the nominal numbers of IEMOCAP.

    Args:
        utterances: UTTERANCES, from `index`.
        skipped: SKIPPED_UTTERANCES, from `index`.

    Returns:
        EMOTION_COUNTS of each emotion code, 'four' (5,531 if `utterances` label exc as happy,
        else 4,490) and 'all' (10,039).

    Warns:
        CountWarning: issued once, with all differences and the number of unusable alignments.
    """
    happy = pc.field("label") == CLASSES.index("happy")
    merged = "exc" in utterances.filter(happy)["emotion"].to_pylist()
    usable = utterances["emotion"].to_pylist()
    labelled = usable + [emotion for emotion in skipped["emotion"].to_pylist() if emotion]
    groups = {code: {code} for code in EXPECTED}
    groups |= {"four": {*_CLASS, *(["exc"] if merged else [])}, "all": {*EXPECTED}}
    rows = [
        {
            "corpus": CORPUS,
            "emotion": name,
            "expected": sum(EXPECTED[code] for code in codes),
            "labelled": sum(emotion in codes for emotion in labelled),
            "usable": sum(emotion in codes for emotion in usable),
        }
        for name, codes in groups.items()
    ]
    wrong = [row for row in rows if row["labelled"] != row["expected"] or row["usable"] == 0]
    if wrong:
        found = "; ".join(f"{r['emotion']} {r['labelled']:,} of {r['expected']:,}" for r in wrong)
        missing = sum(r.startswith("alignment: ") for r in skipped["reason"].to_pylist())
        message = f"{CORPUS}, labelled of nominal: {found}; {missing} without a usable alignment"
        warnings.warn(message, CountWarning, stacklevel=2)
    return pa.Table.from_pylist(rows, schema=EMOTION_COUNTS)


def split_sessions(utterances: pa.Table, validation: Sequence[str] = ("5",)) -> list[str]:
    """Return the split of every utterance, train or validation, by its session.

    Args:
        utterances: UTTERANCES.
        validation: the sessions held out; no speaker of IEMOCAP is in two sessions.

    Raises:
        InputError: a session does not exist, or one of the splits is empty.
    """
    held_out = {str(session) for session in validation}
    sessions = utterances["session"].to_pylist()
    if not held_out or not held_out < set(sessions):
        raise InputError(
            "validation sessions",
            expected=f"some, but not all, of {', '.join(sorted(set(sessions)))}",
            found=", ".join(sorted(held_out)) or "none",
        )
    return ["validation" if session in held_out else "train" for session in sessions]


def _label(emotion: str, excited_as_happy: bool) -> int:
    code = "hap" if emotion == "exc" and excited_as_happy else emotion
    return CLASSES.index(_CLASS[code]) if code in _CLASS else OTHER


def _sessions(root: Path) -> list[Path]:
    """Return the folders Session1 ... in the root or up to two levels below it."""
    for pattern in ("Session[1-5]", "*/Session[1-5]", "*/*/Session[1-5]"):
        if found := sorted(path for path in root.glob(pattern) if path.is_dir()):
            break
    else:
        do = "Set the path to the folder that contains them, IEMOCAP_full_release."
        raise InputError(root, expected=LAYOUT, found="no such folders", do=do)
    names = [path.name for path in found]
    if len(set(names)) < len(names):
        found = ", ".join(str(path.relative_to(root)) for path in found)
        raise InputError(root, expected="each session once", found=found)
    return found


class _Session:
    """The files of one session by turn; those of no labelled turn are appended to `skipped`."""

    def __init__(self, root: Path, folder: Path, skipped: list[tuple[str, str, str, str]]):
        self.root, self.skipped = root, skipped
        self.labels, self.texts = {}, {}
        self.wavs = self._files(folder, "sentences/wav/*/*.wav")
        self.alignments = self._files(folder, "sentences/ForcedAlignment/*/*.wdseg")
        for file in self._files(folder, "dialog/EmoEvaluation/*.txt").values():
            self._read_labels(file)
        for file in self._files(folder, "dialog/transcriptions/*.txt").values():
            self._read_texts(file)
        for what in (self.wavs, self.alignments):
            for turn in what.keys() - self.labels.keys():
                skipped.append((f"{CORPUS}/{turn}", "", what[turn], "no label in EmoEvaluation"))

    def _files(self, folder: Path, pattern: str) -> dict[str, str]:
        paths = (path for path in folder.glob(pattern) if not path.name.startswith("."))
        return {path.stem: path.relative_to(self.root).as_posix() for path in sorted(paths)}

    def _lines(self, file: str) -> Iterable[tuple[int, str]]:
        text = (self.root / file).read_text(encoding="utf-8", errors="replace")
        return ((i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip())

    def _read_labels(self, file: str) -> None:
        for i, line in self._lines(file):
            if not line.startswith("["):
                continue  # the header, or the rating of a single evaluator
            label = _LABEL.fullmatch(line)
            if label is None or not _TURN.fullmatch(label[1]):
                self.skipped.append(("", "", file, f"line {i} is not [start - end] turn emotion"))
            elif self.labels.setdefault(label[1], (label[2], file)) != (label[2], file):
                reason = f"line {i}: a second label, {label[2]}"
                self.skipped.append((f"{CORPUS}/{label[1]}", "", file, reason))

    def _read_texts(self, file: str) -> None:
        for i, line in self._lines(file):
            text = _TEXT.fullmatch(line.strip())
            if text is None or text[1] not in self.labels:
                self.skipped.append(("", "", file, f"line {i} has no labelled turn"))
            else:
                self.texts[text[1]] = text[2]

    def utterance(self, turn: str, emotion: str, rate: int) -> tuple[dict, list[dict]]:
        """Return the row of a labelled turn, without `label`, and the rows of its tokens."""
        for name, value, known in (
            ("label", emotion, EXPECTED),
            ("wav", turn, self.wavs),
            ("transcription", turn, self.texts),
            ("alignment", turn, self.alignments),
        ):
            if value not in known:
                expected = f"one of {', '.join(EXPECTED)}" if name == "label" else "one"
                raise InputError(
                    name, expected=expected, found=value if known is EXPECTED else "none"
                )
        samples = wave_info(self.root / self.wavs[turn], rate)
        tokens = read_wdseg(self.root / self.alignments[turn], samples / rate)
        number, sex = _TURN.fullmatch(turn).group(2, 3)
        row = {"id": f"{CORPUS}/{turn}", "corpus": CORPUS, "session": number}
        row |= {"speaker": f"Ses0{number}{sex}", "sex": sex, "emotion": emotion}
        row |= {"text": self.texts[turn], "file": self.wavs[turn]}
        row |= {"rate": rate, "samples": samples}
        return row, [{"utterance": row["id"], **token} for token in tokens]
