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
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ima.audio.sphere import read_audio
from ima.datasets.base import choose_copy, root_folder
from ima.datasets.counts import CountWarning
from ima.datasets.wdseg import index_tables, read_wdseg, wave_info, why
from ima.utils.emotions import CLASSES, label_of
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import EMOTION_COUNTS
from ima.utils.text_files import lines_of, read_text
from ima.utils.trees import disc_name, files_below, is_hidden

CORPUS = "iemocap"
SOURCE = "https://sail.usc.edu/iemocap/"
LAYOUT = "Session1 ... Session5, each with dialog/ and sentences/"
RATE = 16_000  # Hz

#: Number of utterances of each emotion code, 10,039 in all; xxx means no majority of evaluators.
EXPECTED = {
    **{"neu": 1708, "ang": 1103, "sad": 1084, "hap": 595, "exc": 1041},
    **{"fru": 1849, "sur": 107, "fea": 40, "dis": 2, "oth": 3, "xxx": 2507},
}
#: The emotion of each code, of those that can be classes.
LABELS = {
    **{"ang": "angry", "hap": "happy", "neu": "neutral", "sad": "sad"},
    **{"exc": "excited", "fru": "frustrated"},
    **{"fea": "fearful", "dis": "disgust", "sur": "surprised"},
}

_SESSION = re.compile("session[1-5]", re.IGNORECASE)
_TURN = re.compile(r"(Ses0([1-5]))[FM]_\w+_([FM])\d{3}")
_LABEL = re.compile(r"\[\s*[\d.]+\s*-\s*[\d.]+\s*\]\s+(\S+)\s+(\S+)\s+\[[^\]]*\]\s*")
_TEXT = re.compile(r"(\S+)\s+\[\s*[\d.]+\s*-\s*[\d.]+\s*\]\s*:\s*(.*)")


def index(
    root: str | Path,
    excited_as_happy: bool = True,
    classes: Sequence[str] = CLASSES,
    rate: int = RATE,
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """List the utterances of IEMOCAP and their aligned words (Section 4, A.2).

    Args:
        root: the folder that contains `Session1` ..., or a folder one or two levels above. Copies
            of a session, or of some of its files, must have the same content.
        excited_as_happy: whether 'exc' counts as class happy if it is no class itself; the four
            classes then have 5,531 utterances.
        classes: the emotions that are classes, some of `ima.utils.emotions.EMOTIONS`.
        rate: the required sampling rate of the wav files, in Hz.

    Returns:
        utterances (UTTERANCES): those with a label, a text, a wav and an alignment, sorted by id;
        tokens (TOKENS): all rows of their alignments, for `ima.datasets.wdseg.keep_tokens`;
        skipped (SKIPPED_UTTERANCES): the other utterances with the reason, and files and lines
            that belong to no labelled turn.

    Raises:
        InputError: the folder does not exist, has no sessions, has no usable utterance, or has
            files of the same turn that differ.
    """
    root = root_folder(root, "IEMOCAP", SOURCE, LAYOUT)
    utterances, tokens, skipped = [], [], []
    for folders in _sessions(root):
        found = _Session(root, folders, skipped)
        for turn, (emotion, file) in sorted(found.labels.items()):
            try:
                row, aligned = found.utterance(turn, emotion, rate)
            except Exception as error:
                file = found.wavs.get(turn.lower(), file)
                skipped.append((f"{CORPUS}/{turn}", emotion, file, why(error)))
                continue
            row["label"] = label_of(_class(emotion, excited_as_happy, classes), classes)
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
    four = {code for code, name in LABELS.items() if name in CLASSES}
    groups |= {"four": four | ({"exc"} if merged else set()), "all": {*EXPECTED}}
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


def split_by(
    utterances: pa.Table, validation: Sequence[str] = ("5",), by: str = "session"
) -> list[str]:
    """Return the split of every utterance, train or validation, by its session or speaker.

    Args:
        utterances: UTTERANCES.
        validation: the sessions or speakers held out; no speaker of IEMOCAP is in two sessions.
        by: the column that contains them, `session` or `speaker`.

    Raises:
        InputError: a session or speaker does not exist, or one of the splits is empty.
    """
    held_out = {str(group) for group in validation}
    groups = utterances[by].to_pylist()
    if not held_out or not held_out < set(groups):
        raise InputError(
            f"validation {by}s",
            expected=f"some, but not all, of {', '.join(sorted(set(groups)))}",
            found=", ".join(sorted(held_out)) or "none",
        )
    return ["validation" if group in held_out else "train" for group in groups]


def _class(emotion: str, excited_as_happy: bool, classes: Sequence[str]) -> str | None:
    merged = emotion == "exc" and excited_as_happy and "excited" not in classes
    return "happy" if merged else LABELS.get(emotion)


def _sessions(root: Path) -> list[list[Path]]:
    """Return the folders of each session, of which there may be copies.

    They lie in the root or up to two levels below it.
    """
    level, found = [root], {}
    for _ in range(3):
        try:
            inside = sorted(path for folder in level for path in folder.iterdir())
        except OSError as error:
            where, found = error.filename, error.strerror
            raise InputError(where, expected="a readable folder", found=found) from error
        level = [path for path in inside if path.is_dir() and not is_hidden(path.name)]
        for path in level:
            if _SESSION.fullmatch(path.name):
                found.setdefault(path.name[-1], []).append(path)
        if found:
            return [found[number] for number in sorted(found)]
    do = "Set the path to the folder that contains them, IEMOCAP_full_release."
    raise InputError(root, expected=LAYOUT, found="no such folders", do=do)


class _Session:
    """The files of one session by turn; those of no labelled turn are appended to `skipped`.

    Turns in file names are compared in lower case, as discs may have changed the case.
    """

    def __init__(self, root: Path, folders: list[Path], skipped: list[tuple[str, str, str, str]]):
        self.root, self.skipped = root, skipped
        self.labels, self.texts = {}, {}
        files = [
            (file, f"{folder.relative_to(root).as_posix()}/{file}")
            for folder in folders
            for file in files_below(folder)
        ]
        self.wavs = self._files(files, r"sentences/wav/[^/]+/([^/]+)\.wav", read_audio)
        self.alignments = self._files(
            files, r"sentences/forcedalignment/[^/]+/([^/]+)\.wdseg(\.gz)?", read_text
        )
        for name, read in (
            ("emoevaluation", self._read_labels),
            ("transcriptions", self._read_texts),
        ):
            texts = self._files(files, rf"dialog/{name}/([^/]+)\.txt(\.gz)?", read_text)
            for file in texts.values():
                try:
                    read(file)
                except Exception as error:
                    skipped.append(("", "", file, why(error)))
        labelled = {turn.lower() for turn in self.labels}
        for what in (self.wavs, self.alignments):
            for turn in what.keys() - labelled:
                name = re.split(r"[./]", what[turn])[-2]
                skipped.append((f"{CORPUS}/{name}", "", what[turn], "no label in EmoEvaluation"))

    def _files(
        self, files: list[tuple[str, str]], pattern: str, read: Callable[[Path], object]
    ) -> dict[str, str]:
        """Return the files of a kind by name in lower case; of copies, one that can be read.

        Args:
            files: paths relative to the session and to the corpus.
            pattern: that of a path relative to the session, whose first group is the name.
            read: reads such a file.
        """
        by_name: dict[str, list[str]] = {}
        for file, path in files:
            if name := re.fullmatch(pattern, disc_name(file).lower()):
                by_name.setdefault(name[1], []).append(path)
        found = {}
        for name, paths in by_name.items():
            found[name], copies = choose_copy(self.root, paths, read)
            self.skipped += [("", "", copy, reason) for copy, reason in copies]
        return found

    def _lines(self, file: str) -> list[tuple[int, str]]:
        return lines_of(read_text(self.root / file))

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
            text = _TEXT.fullmatch(line)
            if text is None or text[1] not in self.labels:
                self.skipped.append(("", "", file, f"line {i} has no labelled turn"))
            elif self.texts.setdefault(text[1], text[2]) != text[2]:
                reason = f"line {i}: a second transcription"
                self.skipped.append((f"{CORPUS}/{text[1]}", "", file, reason))

    def utterance(self, turn: str, emotion: str, rate: int) -> tuple[dict, list[dict]]:
        """Return the row of a labelled turn, without `label`, and the rows of its tokens."""
        stem = turn.lower()
        for name, value, known in (
            ("label", emotion, EXPECTED),
            ("wav", stem, self.wavs),
            ("transcription", turn, self.texts),
            ("alignment", stem, self.alignments),
        ):
            if value not in known:
                expected = f"one of {', '.join(EXPECTED)}" if name == "label" else "one"
                raise InputError(
                    name, expected=expected, found=value if known is EXPECTED else "none"
                )
        samples, _ = wave_info(self.root / self.wavs[stem], rate)
        tokens = read_wdseg(self.root / self.alignments[stem], samples / rate)
        number, sex = _TURN.fullmatch(turn).group(2, 3)
        row = {"id": f"{CORPUS}/{turn}", "corpus": CORPUS, "session": number}
        row |= {"speaker": f"Ses0{number}{sex}", "sex": sex, "emotion": emotion}
        row |= {"text": self.texts[turn], "file": self.wavs[stem]}
        row |= {"rate": rate, "samples": samples}
        return row, [{"utterance": row["id"], **token} for token in tokens]
