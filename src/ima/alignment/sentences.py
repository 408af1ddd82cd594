"""Word places in the two sentences of RAVDESS, by the aligner of digit strings.

The eleven words of `ima.alignment.hmm` stand for the sounds that the eight words of the sentences
consist of. Sounds that several words share are learnt from all of them, and long words get more
time at the flat start than short ones. docs/emotion.md reports the agreement with other places.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from ima.alignment.align import align
from ima.alignment.hmm import WORDS
from ima.utils.errors import InputError
from ima.utils.schemas import RECORDINGS

#: The sounds of each word; 'dz' is the end of both nouns.
SOUNDS: Mapping[str, str] = {
    "kids": "k i dz",
    "dogs": "d o dz",
    "are": "r",
    "talking": "t o k ing",
    "sitting": "s i t ing",
    "by": "by",
    "the": "the",
    "door": "d o r",
}
#: Each sound as a word of the aligner.
_CODE = dict(zip(["k", "i", "dz", "d", "o", "r", "t", "ing", "s", "by", "the"], WORDS, strict=True))


def align_sentences(
    root: str | Path, utterances: Sequence[dict], processes: int = 1
) -> dict[str, list[dict] | str]:
    """Find the time span of each word with models trained on all given recordings.

    Args:
        root: the folder that `file` is relative to.
        utterances: rows with id, corpus, speaker, file and text (of words in `SOUNDS`), such as
            those of UTTERANCES.
        processes: the number of parallel jobs; the result does not depend on it.

    Returns:
        By id, the rows of TOKENS without `utterance` (times in s on a grid of 5 ms), or the reason
        why there are none.

    Raises:
        InputError: a text has another word, or an error of `ima.alignment.align`.
    """
    texts = {row["id"]: row["text"].lower().split() for row in utterances}
    rows = [
        {name: row[name] for name in ("id", "corpus", "speaker", "file")}
        | {"split": "", "group": "unknown", "digits": _coded(row["id"], texts[row["id"]])}
        for row in utterances
    ]
    segments = align(pa.Table.from_pylist(rows, RECORDINGS), root, processes=processes)
    sounds: dict[str, list[dict]] = {}
    for segment in segments.to_pylist():
        sounds.setdefault(segment["recording"], []).append(segment)
    return {
        id_: own[0]["doubtful"] if math.isnan(own[0]["loglik"]) else list(_words(texts[id_], own))
        for id_, own in sounds.items()
    }


def _coded(id_: str, words: Sequence[str]) -> str:
    """Return the sounds of words as a string of digits."""
    unknown = [word for word in words if word not in SOUNDS]
    if unknown or not words:
        expected, found = f"words among {', '.join(SOUNDS)}", ", ".join(unknown) or "none"
        raise InputError(f"text of {id_}", expected=expected, found=found)
    return "".join(_CODE[sound] for word in words for sound in SOUNDS[word].split())


def _words(words: Sequence[str], sounds: Sequence[dict]) -> Iterator[dict]:
    """Yield one token for each word, from its first sound to its last."""
    begin = 0
    for position, word in enumerate(words):
        end = begin + len(SOUNDS[word].split())
        times = {"start_s": sounds[begin]["start_s"], "end_s": sounds[end - 1]["end_s"]}
        yield {"position": position, "token": word, "kind": "word", **times}
        begin = end
