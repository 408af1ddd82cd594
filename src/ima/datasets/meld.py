"""Read MELD: transcribed utterances of a television series with emotion labels.

The folder contains `train_sent_emo.csv`, `dev_sent_emo.csv` and `test_sent_emo.csv`:

    train, Dialogue_ID 0, Utterance_ID 3 -> id meld/train/0_3, session train, emotion neutral
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from ima.datasets.base import find_file, root_folder
from ima.datasets.wdseg import index_tables
from ima.utils.emotions import CLASSES, label_of
from ima.utils.schemas_emotion import TEXT_TOKENS
from ima.utils.text import tokenise
from ima.utils.text_files import read_records

CORPUS = "meld"
SOURCE = "https://github.com/declare-lab/MELD"
LAYOUT = "train_sent_emo.csv, dev_sent_emo.csv and test_sent_emo.csv"
SPLITS = ("train", "dev", "test")

#: The name of each emotion in `ima.utils.emotions.EMOTIONS`.
LABELS = {
    **{"anger": "angry", "joy": "happy", "neutral": "neutral", "sadness": "sad"},
    **{"disgust": "disgust", "fear": "fearful", "surprise": "surprised"},
}
_COLUMNS = ("Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")


def index(
    root: str | Path, classes: Sequence[str] = CLASSES
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """List the utterances of MELD and their words.

    Args:
        root: the folder of the three csv files, plain or gzipped, or a folder above it; missing
            files are listed as skipped.
        classes: the emotions that are classes, some of `ima.utils.emotions.EMOTIONS`.

    Returns:
        utterances (UTTERANCES): `session` is the split of MELD, `file` the csv, `sex` unknown;
        tokens (TEXT_TOKENS): their words, split by `ima.utils.text.tokenise`;
        skipped (SKIPPED_UTTERANCES): lines with an unknown emotion, a duplicate or malformed id or
            no words, and missing files.

    Raises:
        InputError: the folder does not exist, a file lacks a column, or no line is usable.
    """
    root = root_folder(root, "MELD", SOURCE, LAYOUT)
    utterances, tokens, skipped, seen = [], [], [], set()
    for split in SPLITS:
        file = f"{split}_sent_emo.csv"
        found, copies = find_file(root, file)
        skipped += [("", "", copy, reason) for copy, reason in copies]
        if found is None:
            skipped.append(("", "", file, "no such file"))
            continue
        for i, line in read_records(root / found, _COLUMNS):
            row, words = _utterance(split, file, line)
            reason = _reason(row, words, seen)
            if reason:
                skipped.append((row["id"], row["emotion"], file, f"line {i}: {reason}"))
                continue
            seen.add(row["id"])
            utterances.append(row | {"label": label_of(LABELS[row["emotion"]], classes)})
            tokens += [
                {"utterance": row["id"], "position": k, "token": word}
                for k, word in enumerate(words)
            ]
    return index_tables(root, CORPUS, utterances, tokens, skipped, TEXT_TOKENS)


def _utterance(split: str, file: str, line: dict[str, str]) -> tuple[dict, list[str]]:
    row = {"id": f"{CORPUS}/{split}/{line['Dialogue_ID']}_{line['Utterance_ID']}"}
    row |= {"corpus": CORPUS, "session": split, "speaker": line["Speaker"], "sex": ""}
    row |= {"emotion": line["Emotion"].strip().lower(), "text": line["Utterance"].strip()}
    return row | {"file": file, "rate": 0, "samples": 0}, tokenise(line["Utterance"])


def _reason(row: dict, words: list[str], seen: set[str]) -> str:
    """Return why a line is unusable, or '' if it is usable."""
    if row["emotion"] not in LABELS:
        return f"label: expected one of {', '.join(LABELS)}, found '{row['emotion']}'"
    if row["id"] in seen or not row["id"].rpartition("/")[2].replace("_", "").isdecimal():
        return f"id: expected a unique number, found {row['id']}"
    return "" if words else "text: expected words, found none"
