"""Read the speech part of RAVDESS: two sentences acted by 24 actors in eight emotions.

The folder holds the owners' archive, 48 kHz wav whose names tell everything but the word places:

    Actor_12/03-01-05-02-01-01-12.wav -> id ravdess/03-01-05-02-01-01-12, speaker 12, emotion angry

or 16 kHz FLAC with a list `manifest.csv` (file, emotion, intensity, statement, transcript,
repetition, actor, sex) and word alignments `wdseg/<name>.wdseg` in the format of IEMOCAP. A list
takes precedence over the names.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import pyarrow as pa

from ima.audio.sphere import read_audio
from ima.datasets.base import audio_files, choose_copy, find_file, root_folder
from ima.datasets.wdseg import index_tables, read_wdseg, wave_info, why
from ima.utils.emotions import CLASSES, label_of
from ima.utils.errors import InputError
from ima.utils.text_files import read_records
from ima.utils.trees import disc_name, files_below

CORPUS = "ravdess"
SOURCE = "https://zenodo.org/records/1188976"
LAYOUT = "Actor_01/03-01-01-01-01-01-01.wav, ..."
#: The sampling rate of listed recordings, and the lowest one of others, in Hz.
RATE = 16_000

#: The name of each emotion in `ima.utils.emotions.EMOTIONS`. Calm counts as neutral by
#: default.
LABELS = {
    **{"angry": "angry", "happy": "happy", "neutral": "neutral", "calm": "neutral", "sad": "sad"},
    **{name: name for name in ("fearful", "disgust", "surprised")},
}
#: Codes in file names. Odd actors are male.
EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
STATEMENTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
_NAME = re.compile(r"03-01-0([1-8])-0[12]-(0[12])-0[12]-(\d\d)")
_COLUMNS = ("file", "emotion", "transcript", "actor", "sex")

#: Finds the words of recordings: corpus folder, rows of UTTERANCES -> by id, rows of TOKENS without
#: `utterance`, or the reason why there are none.
Align = Callable[[Path, list[dict]], Mapping[str, list[dict] | str]]


def index(
    root: str | Path,
    calm_as_neutral: bool = True,
    align: Align | None = None,
    classes: Sequence[str] = CLASSES,
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """List the recordings of RAVDESS that have an alignment, and their words.

    Args:
        root: the folder of the actors or of `manifest.csv`, or a folder above it.
        calm_as_neutral: whether 'calm' counts as class neutral; otherwise it has no class.
        align: aligns the recordings of a folder without `manifest.csv` that have no `.wdseg`,
            such as `ima.alignment.sentences.align_sentences`.
        classes: the emotions that are classes, some of `ima.utils.emotions.EMOTIONS`.

    Returns:
        utterances (UTTERANCES): `session` and `speaker` are the number of the actor;
        tokens (TOKENS): all rows of their alignments;
        skipped (SKIPPED_UTTERANCES): unreadable recordings, recordings without an alignment or
            that are listed twice, files that the manifest does not list, songs, other files.

    Raises:
        InputError: the folder does not exist, has neither a manifest nor recordings with RAVDESS'
            names, the manifest lacks a column, two different recordings have the same name, or no
            recording is usable; or an error of `align`.
    """
    root = root_folder(root, "RAVDESS", SOURCE, LAYOUT)
    manifest, copies = find_file(root, "manifest.csv")
    lines, skipped = _listed(root, manifest) if manifest else _named(root)
    skipped += [("", "", file, reason) for file, reason in copies]
    lines, copies = _once(root, lines)
    skipped += copies
    utterances, tokens, unread = _read(root, lines, calm_as_neutral, classes)
    skipped += unread
    unplaced = [row for row in utterances if tokens[row["id"]] is None]
    if unplaced and align and not manifest:
        tokens |= align(root, unplaced)
    used, rows = [], []
    for row in utterances:
        found = tokens[row["id"]] or "expected one, found none"
        if isinstance(found, str):
            skipped.append((row["id"], row["emotion"], row["file"], f"alignment: {found}"))
            continue
        used.append(row)
        rows += [{"utterance": row["id"], **token} for token in found]
    return index_tables(root, CORPUS, used, rows, skipped)


def _read(
    root: Path, lines: list[dict[str, str]], calm_as_neutral: bool, classes: Sequence[str]
) -> tuple[list[dict], dict[str, list[dict] | None], list[tuple[str, str, str, str]]]:
    """Return the rows of UTTERANCES, their words by id as from `_aligned`, and what is skipped."""
    utterances, tokens, skipped = [], {}, []
    for line in lines:
        try:
            row = _utterance(root, line)
            tokens[row["id"]] = _aligned(root, line, row)
        except Exception as error:
            name = f"{CORPUS}/{_stem(line['file'])}"
            skipped.append((name, line["emotion"], line["file"], why(error)))
            continue
        emotion = row["emotion"]
        name = LABELS[emotion] if emotion != "calm" or calm_as_neutral else None
        utterances.append(row | {"label": label_of(name, classes)})
    return utterances, tokens, skipped


def _stem(file: str) -> str:
    return PurePosixPath(file).stem


def _listed(
    root: Path, manifest: str
) -> tuple[list[dict[str, str]], list[tuple[str, str, str, str]]]:
    """Return the lines of the manifest, with `file` relative to `root`, and files not in it."""
    lines, place = [], PurePosixPath(manifest).parent
    for i, record in read_records(root / manifest, _COLUMNS):
        line = {name: (record.get(name) or "").strip() for name in _COLUMNS}
        if not all(line.values()):
            where = f"{root / manifest}, line {i}"
            raise InputError(where, expected="a value in each column", found=record)
        file = str(place / line["file"])
        wdseg = str(place / "wdseg" / _stem(file))
        lines.append(line | {"file": file, "wdseg": f"{wdseg}.wdseg", "listed": "yes"})
    known, skipped = {_stem(line["file"]) for line in lines}, []
    for file in files_below(root):
        name = disc_name(file).removesuffix(".gz")
        if PurePosixPath(name).suffix in (".flac", ".wdseg") and _stem(name) not in known:
            skipped.append((f"{CORPUS}/{_stem(name)}", "", file, "not in manifest.csv"))
    return lines, skipped


def _named(root: Path) -> tuple[list[dict[str, str]], list[tuple[str, str, str, str]]]:
    """Return lines like those of a manifest from the names of recordings, and the other files."""
    audio, others = audio_files(root)
    aligned = {_stem(file): file for file, _ in others if file.endswith(".wdseg")}
    skipped = [("", "", *other) for other in others if not other[0].endswith(".wdseg")]
    lines = []
    for file in audio:
        stem = _stem(disc_name(file))
        if not (codes := _NAME.fullmatch(stem)):
            reason = "a name other than those of speech without video, 03-01-..."
            skipped.append((f"{CORPUS}/{stem}", "", file, reason))
            continue
        emotion, statement, actor = codes.groups()
        line = {"file": file, "emotion": EMOTIONS[int(emotion) - 1], "actor": actor}
        line |= {"transcript": STATEMENTS[statement], "sex": "M" if int(actor) % 2 else "F"}
        lines.append(line | {"wdseg": aligned.get(stem, f"wdseg/{stem}.wdseg"), "listed": ""})
    if not lines:
        expected = f"recordings named {LAYOUT}, or manifest.csv, the list of recordings"
        raise InputError(root, expected=expected, found="neither", do=f"See {SOURCE}.")
    return lines, skipped


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


def _utterance(root: Path, line: dict[str, str]) -> dict:
    """Return the row of UTTERANCES of a recording, without `label`."""
    emotion = line["emotion"].lower()
    if emotion not in LABELS:
        raise InputError("label", expected=f"one of {', '.join(LABELS)}", found=emotion)
    path = PurePosixPath(line["file"])
    if path.is_absolute() or ".." in path.parts:
        raise InputError("file", expected="a path within the corpus", found=line["file"])
    samples, rate = wave_info(root / path, RATE, higher=not line["listed"])
    row = {"id": f"{CORPUS}/{_stem(line['file'])}", "corpus": CORPUS, "session": line["actor"]}
    row |= {"speaker": line["actor"], "sex": line["sex"], "emotion": emotion}
    row |= {"text": line["transcript"], "file": line["file"]}
    return row | {"rate": rate, "samples": samples}


def _aligned(root: Path, line: dict[str, str], row: dict) -> list[dict] | None:
    """Return the words of a recording from its `.wdseg`, or None if it has none."""
    for name in (line["wdseg"], f"{line['wdseg']}.gz"):
        if (root / name).is_file():
            return read_wdseg(root / name, row["samples"] / row["rate"])
    return None
