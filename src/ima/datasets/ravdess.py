"""Read the speech part of RAVDESS: two sentences acted by 24 actors in eight emotions, 16 kHz FLAC.

The folder contains `manifest.csv` (file, emotion, intensity, statement, transcript, repetition,
actor, sex), the recordings that it lists, and their word alignments `wdseg/<stem>.wdseg` in the
format of IEMOCAP:

    audio/03-01-05-02-01-01-12.flac -> id ravdess/03-01-05-02-01-01-12, speaker 12, emotion angry
"""

import csv
from pathlib import Path, PurePosixPath

import pyarrow as pa

from ima.datasets.base import root_folder
from ima.datasets.wdseg import index_tables, read_wdseg, wave_info, why
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import CLASSES, OTHER

CORPUS = "ravdess"
SOURCE = "https://zenodo.org/records/1188976"
LAYOUT = "manifest.csv, audio/<name>.flac and wdseg/<name>.wdseg"
RATE = 16_000  # Hz

#: The class of each emotion; None if it is not one of the four. Calm counts as neutral by default.
LABELS = {
    **{"angry": "angry", "happy": "happy", "neutral": "neutral", "calm": "neutral", "sad": "sad"},
    **dict.fromkeys(("fearful", "disgust", "surprised"), None),
}
_COLUMNS = ("file", "emotion", "transcript", "actor", "sex")


def index(
    root: str | Path, calm_as_neutral: bool = True, rate: int = RATE
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """List the recordings of RAVDESS that have an alignment, and their words.

    Args:
        root: the folder of `manifest.csv`.
        calm_as_neutral: whether 'calm' counts as class neutral; otherwise it has no class.
        rate: the required sampling rate of the recordings, in Hz.

    Returns:
        utterances (UTTERANCES): `session` and `speaker` are the number of the actor;
        tokens (TOKENS): all rows of their alignments;
        skipped (SKIPPED_UTTERANCES): unreadable recordings, recordings without an alignment, and
            files that the manifest does not list.

    Raises:
        InputError: the folder does not exist, the manifest is missing or lacks a column, or no
            recording is usable.
    """
    root = root_folder(root, "RAVDESS", SOURCE, LAYOUT)
    utterances, tokens, skipped, known = [], [], [], set()
    for line in _manifest(root):
        stem = PurePosixPath(line["file"]).stem
        known.add(stem)
        try:
            row, aligned = _utterance(root, line, rate, calm_as_neutral)
        except InputError as error:
            skipped.append((f"{CORPUS}/{stem}", line["emotion"], line["file"], why(error)))
            continue
        utterances.append(row)
        tokens += [{"utterance": row["id"], **token} for token in aligned]
    for path in sorted([*root.glob("audio/*.flac"), *root.glob("wdseg/*.wdseg")]):
        if path.stem not in known:
            file = path.relative_to(root).as_posix()
            skipped.append((f"{CORPUS}/{path.stem}", "", file, "not in manifest.csv"))
    return index_tables(root, CORPUS, utterances, tokens, skipped)


def _manifest(root: Path) -> list[dict[str, str]]:
    path = root / "manifest.csv"
    if not path.is_file():
        raise InputError(path, expected="the list of recordings", found="no file")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        lines, found = list(reader), list(reader.fieldnames or ["nothing"])
    if not set(_COLUMNS) <= set(found):
        expected = f"columns {', '.join(_COLUMNS)}"
        raise InputError(path, expected=expected, found=", ".join(found))
    for i, line in enumerate(lines, 2):
        if any(not line[name] for name in _COLUMNS):
            raise InputError(f"{path}, line {i}", expected="a value in each column", found=line)
    return lines


def _utterance(
    root: Path, line: dict[str, str], rate: int, calm_as_neutral: bool
) -> tuple[dict, list[dict]]:
    emotion, stem = line["emotion"], PurePosixPath(line["file"]).stem
    if emotion not in LABELS:
        raise InputError("label", expected=f"one of {', '.join(LABELS)}", found=emotion)
    path = PurePosixPath(line["file"])
    if path.is_absolute() or ".." in path.parts:
        raise InputError("file", expected="a path within the corpus", found=line["file"])
    samples = wave_info(root / path, rate)
    alignment = root / "wdseg" / f"{stem}.wdseg"
    if not alignment.is_file():
        raise InputError("alignment", expected="one", found="none")
    tokens = read_wdseg(alignment, samples / rate)
    name = LABELS[emotion] if emotion != "calm" or calm_as_neutral else None
    row = {"id": f"{CORPUS}/{stem}", "corpus": CORPUS, "session": line["actor"]}
    row |= {"speaker": line["actor"], "sex": line["sex"], "emotion": emotion}
    row |= {"label": OTHER if name is None else CLASSES.index(name), "text": line["transcript"]}
    return row | {"file": line["file"], "rate": rate, "samples": samples}, tokens
