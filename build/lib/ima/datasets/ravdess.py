"""Read the speech part of RAVDESS: two sentences acted by 24 actors in eight emotions, 16 kHz FLAC.

The folder contains `manifest.csv` (file, emotion, intensity, statement, transcript, repetition,
actor, sex), the recordings that it lists, and their word alignments `wdseg/<stem>.wdseg` in the
format of IEMOCAP:

    audio/03-01-05-02-01-01-12.flac -> id ravdess/03-01-05-02-01-01-12, speaker 12, emotion angry
"""

from pathlib import Path, PurePosixPath

import pyarrow as pa

from ima.audio.sphere import read_audio
from ima.datasets.base import choose_copy, find_file, root_folder
from ima.datasets.wdseg import index_tables, read_wdseg, wave_info, why
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import CLASSES, OTHER
from ima.utils.text_files import read_records
from ima.utils.trees import disc_name, files_below

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
        root: the folder of `manifest.csv`, or a folder above it.
        calm_as_neutral: whether 'calm' counts as class neutral; otherwise it has no class.
        rate: the required sampling rate of the recordings, in Hz.

    Returns:
        utterances (UTTERANCES): `session` and `speaker` are the number of the actor;
        tokens (TOKENS): all rows of their alignments;
        skipped (SKIPPED_UTTERANCES): unreadable recordings, recordings without an alignment or
            that are listed twice, and files that the manifest does not list.

    Raises:
        InputError: the folder does not exist, the manifest is missing or lacks a column, two
            different recordings have the same name, or no recording is usable.
    """
    root = root_folder(root, "RAVDESS", SOURCE, LAYOUT)
    lines, skipped = _manifest(root)
    utterances, tokens, known = [], [], {_stem(line["file"]) for line in lines}
    lines, copies = _once(root, lines)
    skipped += copies
    for line in lines:
        try:
            row, aligned = _utterance(root, line, rate, calm_as_neutral)
        except Exception as error:
            name = f"{CORPUS}/{_stem(line['file'])}"
            skipped.append((name, line["emotion"], line["file"], why(error)))
            continue
        utterances.append(row)
        tokens += [{"utterance": row["id"], **token} for token in aligned]
    for file in files_below(root):
        name = disc_name(file).removesuffix(".gz")
        if PurePosixPath(name).suffix in (".flac", ".wdseg") and _stem(name) not in known:
            skipped.append((f"{CORPUS}/{_stem(name)}", "", file, "not in manifest.csv"))
    return index_tables(root, CORPUS, utterances, tokens, skipped)


def _stem(file: str) -> str:
    return PurePosixPath(file).stem


def _manifest(root: Path) -> tuple[list[dict[str, str]], list[tuple[str, str, str, str]]]:
    """Return the lines of the manifest, with `file` relative to `root`, and its skipped copies."""
    found, copies = find_file(root, "manifest.csv")
    if found is None:
        expected = "manifest.csv, the list of recordings"
        raise InputError(root, expected=expected, found="no such file", do=f"See {SOURCE}.")
    lines = []
    for i, record in read_records(root / found, _COLUMNS):
        line = {name: (record.get(name) or "").strip() for name in _COLUMNS}
        if not all(line.values()):
            where = f"{root / found}, line {i}"
            raise InputError(where, expected="a value in each column", found=record)
        place = PurePosixPath(found).parent
        lines.append(line | {"file": str(place / line["file"]), "wdseg": str(place / "wdseg")})
    return lines, [("", "", file, reason) for file, reason in copies]


def _once(
    root: Path, lines: list[dict[str, str]]
) -> tuple[list[dict[str, str]], list[tuple[str, str, str, str]]]:
    """Return one line for each recording, and the skipped lines and copies of recordings."""
    by_stem: dict[str, dict[str, dict]] = {}
    skipped = []
    for line in lines:
        of = by_stem.setdefault(_stem(line["file"]), {})
        first = of.setdefault(line["file"], line)
        if first is not line:
            same = "" if first == line else f", as {line['emotion']}"
            reason = f"listed a second time in manifest.csv{same}"
            skipped.append((f"{CORPUS}/{_stem(line['file'])}", "", line["file"], reason))
    kept = []
    for stem, of in by_stem.items():
        file, copies = choose_copy(root, list(of), read_audio)
        kept.append(of[file])
        skipped += [(f"{CORPUS}/{stem}", "", copy, reason) for copy, reason in copies]
    return kept, skipped


def _utterance(
    root: Path, line: dict[str, str], rate: int, calm_as_neutral: bool
) -> tuple[dict, list[dict]]:
    emotion, stem = line["emotion"].lower(), _stem(line["file"])
    if emotion not in LABELS:
        raise InputError("label", expected=f"one of {', '.join(LABELS)}", found=emotion)
    path = PurePosixPath(line["file"])
    if path.is_absolute() or ".." in path.parts:
        raise InputError("file", expected="a path within the corpus", found=line["file"])
    samples = wave_info(root / path, rate)
    places = (root / line["wdseg"] / f"{stem}.wdseg{packed}" for packed in ("", ".gz"))
    alignment = next((place for place in places if place.is_file()), None)
    if alignment is None:
        raise InputError("alignment", expected="one", found="none")
    tokens = read_wdseg(alignment, samples / rate)
    name = LABELS[emotion] if emotion != "calm" or calm_as_neutral else None
    row = {"id": f"{CORPUS}/{stem}", "corpus": CORPUS, "session": line["actor"]}
    row |= {"speaker": line["actor"], "sex": line["sex"], "emotion": emotion}
    row |= {"label": OTHER if name is None else CLASSES.index(name), "text": line["transcript"]}
    return row | {"file": line["file"], "rate": rate, "samples": samples}, tokens
