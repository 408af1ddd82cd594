"""Read word alignments in the `.wdseg` format of Sphinx-3; helpers of the emotion corpus readers.

     SFrm  EFrm    SegAScr Word
       41    72     -17530 WHAT(2)
     Total score:     -276191

Frames last 10 ms and are counted from the start of the recording; the end frame is included.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.audio.sphere import read_audio
from ima.datasets.base import printable
from ima.utils.errors import InputError, reason_of
from ima.utils.schemas_emotion import SKIPPED_UTTERANCES, TOKENS, UTTERANCES
from ima.utils.text_files import lines_of, read_text

#: An alignment may end this much (s) after its recording; it is then clipped.
TOLERANCE_S = 0.05

_FRAME = re.compile(r"[0-9]{1,9}")
_VARIANT = re.compile(r"\(\d+\)$")
_FILLER = re.compile(r"\+\+(\w+)\+\+")


def read_wdseg(path: str | Path, seconds: float) -> list[dict]:
    """Read a Sphinx-3 alignment with lines `SFrm EFrm SegAScr Word` in frames of 10 ms.

    Args:
        path: the `.wdseg` file.
        seconds: the duration of its recording in s. Ends up to `TOLERANCE_S` later are clipped.

    Returns:
        Rows of TOKENS, without `utterance`.

    Raises:
        InputError: the file has no rows, a malformed line or no final line `Total score`, or times
            go backwards or beyond the end of the recording.
    """
    tokens, last = [], 0
    for i, start, stop, word in _rows(path):
        if not last <= start < stop:
            found = f"frames {start} to {stop - 1} in line {i} after a start at {last}"
            raise InputError("alignment", expected="times in increasing order", found=found)
        if start / 100 >= seconds or stop / 100 > seconds + TOLERANCE_S:
            found = f"'{word}' until {stop / 100:.2f} s in line {i}"
            expected = f"tokens within the {seconds:.2f} s of the recording"
            raise InputError("alignment", expected=expected, found=found)
        token, kind = token_of(word)
        times = {"start_s": start / 100, "end_s": min(stop / 100, seconds)}
        tokens.append({"position": len(tokens), "token": token, "kind": kind, **times})
        last = start
    return tokens


def _rows(path: str | Path) -> list[tuple[int, int, int, str]]:
    """Return (line number, first frame, last frame + 1, word) of every row of a `.wdseg` file."""
    rows = []
    lines = [(i, line.split()) for i, line in lines_of(read_text(path, "an alignment"))]
    for i, fields in lines:
        if len(fields) == 4 and _FRAME.fullmatch(fields[0]) and _FRAME.fullmatch(fields[1]):
            rows.append((i, int(fields[0]), int(fields[1]) + 1, fields[3]))
        elif fields[0] != "SFrm" and fields[:2] != ["Total", "score:"]:
            found = f"line {i}: '{' '.join(fields)}'"
            raise InputError("alignment", expected="lines SFrm EFrm SegAScr Word", found=found)
    if not rows:
        raise InputError("alignment", expected="aligned words", found="an empty .wdseg")
    if lines[-1][1][:2] != ["Total", "score:"]:
        found = f"the end of the file after line {lines[-1][0]}"
        raise InputError("alignment", expected="a last line 'Total score'", found=found)
    return rows


def token_of(word: str) -> tuple[str, str]:
    """Return the lower-case token of an aligned word, and its kind.

    `WHAT(2)` is the word 'what', `<sil>` the silence 'sil' and `++LAUGHTER++` the filler
    'laughter'; `<s>` and `</s>` are edges.
    """
    if word in ("<s>", "</s>"):
        return word, "edge"
    if word.lower() in ("<sil>", "sil"):
        return "sil", "silence"
    if filler := _FILLER.fullmatch(word):
        return filler[1].lower(), "filler"
    return _VARIANT.sub("", word).lower(), "word"


def index_tables(
    root: Path,
    corpus: str,
    utterances: list[dict],
    tokens: list[dict],
    skipped: Iterable[tuple[str, str, str, str]],
    token_schema: pa.Schema = TOKENS,
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return the three tables of an emotion corpus: utterances, tokens and skipped utterances.

    Args:
        root: the corpus folder, for error messages.
        corpus: the name of the corpus.
        utterances, tokens: rows of UTTERANCES and of `token_schema`.
        skipped: (id, emotion, file, reason) of each skipped utterance or file.
        token_schema: TOKENS, or TEXT_TOKENS for a corpus without audio.

    Returns:
        UTTERANCES sorted by id, tokens sorted by utterance and position, and SKIPPED_UTTERANCES.

    Raises:
        InputError: there is no utterance.
    """
    names = ("id", "emotion", "file", "reason")
    rows = [
        {"corpus": corpus, **dict(zip(names, map(printable, row), strict=True))}
        for row in sorted(skipped)
    ]
    if not utterances:
        first = f", the first being {rows[0]['file']}: {rows[0]['reason']}" if rows else ""
        raise InputError(root, expected="usable utterances", found=f"none{first}")
    order = [("utterance", "ascending"), ("position", "ascending")]
    return (
        pa.Table.from_pylist(utterances, schema=UTTERANCES).sort_by("id"),
        pa.Table.from_pylist(tokens, schema=token_schema).sort_by(order),
        pa.Table.from_pylist(rows, schema=SKIPPED_UTTERANCES),
    )


def why(error: Exception) -> str:
    """Return the text of an error, as the reason for skipping an utterance."""
    where = f"{error.where}: " if isinstance(error, InputError) else ""
    return f"{where}{reason_of(error)}"


def wave_info(path: Path, rate: int, higher: bool = False) -> tuple[int, int]:
    """Return the number of samples and the rate (Hz) of a single-channel sound file.

    The whole file is read: a header does not show that the samples are damaged or missing.

    Args:
        path: the file.
        rate: the required rate in Hz.
        higher: whether the rate may be higher.

    Raises:
        InputError: an error of `ima.audio.sphere.read_audio`, or the file has another rate.
    """
    try:
        samples, own_rate = read_audio(path)
    except InputError as error:
        raise InputError("sound", expected=error.expected, found=error.found) from error
    if own_rate < rate or (own_rate > rate and not higher):
        found = f"{len(samples)} samples at {own_rate} Hz"
        raise InputError("sound", expected=f"samples of 1 channel at {rate} Hz", found=found)
    return len(samples), own_rate


def keep_tokens(
    tokens: pa.Table, silence: str = "keep", fillers: str = "drop"
) -> tuple[pa.Table, dict[str, int]]:
    """Select the rows of alignments that are tokens of the experiment (Section 4).

    Words are always kept. The silence around an utterance is always dropped: edges (`<s>`, `</s>`),
    and pauses that have no other token before or after them.

    Args:
        tokens: TOKENS.
        silence: `keep` pauses between other tokens (`<sil>`) as tokens 'sil', or `drop` them.
        fillers: `keep` laughter, breathing and other fillers as tokens, or `drop` them.

    Returns:
        TOKENS kept, with their positions in the alignment, and the number of each dropped token.

    Raises:
        InputError: `silence` or `fillers` is neither `keep` nor `drop`.
    """
    choice = {"silence": silence, "fillers": fillers}
    for name, value in choice.items():
        if value not in ("keep", "drop"):
            raise InputError(name, expected="'keep' or 'drop'", found=repr(value))
    kinds = ["word", "filler"] if fillers == "keep" else ["word"]
    keep = pc.is_in(tokens["kind"], pa.array(kinds))
    if silence == "keep":
        pause = pc.equal(tokens["kind"], "silence")
        keep = pc.or_(keep, pc.and_(pause, _between(tokens, keep)))
    dropped = tokens.filter(pc.invert(keep))["token"].value_counts().to_pylist()
    return tokens.filter(keep), {row["values"]: row["counts"] for row in dropped}


def _between(tokens: pa.Table, kept: pa.ChunkedArray) -> pa.Array:
    """Return which TOKENS have some of the `kept` ones before and after them in the utterance."""
    utterance = tokens["utterance"].combine_chunks().dictionary_encode().indices.to_numpy()
    position, kept = tokens["position"].to_numpy(), kept.to_numpy()
    first = np.full(len(tokens), np.iinfo(position.dtype).max)
    last = np.full(len(tokens), -1)
    np.minimum.at(first, utterance[kept], position[kept])
    np.maximum.at(last, utterance[kept], position[kept])
    return pa.array((first[utterance] < position) & (position < last[utterance]))
