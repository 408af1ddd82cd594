"""Assign voices to texts without audio: spoken words of the same emotion (in the open run)."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ima.utils.emotions import OTHER
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import BORROWED


def borrow_voices(
    texts: pa.Table,
    text_tokens: pa.Table,
    utterances: pa.Table,
    tokens: pa.Table,
    validation: Sequence[str],
    seed: int,
) -> pa.Table:
    """Assign to each word of a text a spoken word of the same emotion.

    A text of N words gets one speaker of its split and N word spans of recordings of that speaker
    and class. The words of a recording stay in spoken order, one recording after another.

    Args:
        texts, text_tokens: UTTERANCES and TEXT_TOKENS of a corpus without audio. Texts whose
            `session` is train get training speakers, the others validation speakers.
        utterances, tokens: UTTERANCES and TOKENS of a corpus with audio.
        validation: the speakers of that corpus held out for validation.
        seed: seed of the choice of speakers and recordings.

    Returns:
        BORROWED: `row` is a row number of `tokens`. Texts without a class are left out.

    Raises:
        InputError: a split has no speakers, or no speaker with recordings of a class.
    """
    held_out = _held_out(utterances, validation)
    spans = _spans(utterances, tokens)
    words = Counter(text_tokens["utterance"].to_pylist())
    rng, rows = np.random.default_rng(seed), []
    for text in texts.select(["id", "session", "label"]).to_pylist():
        if text["label"] == OTHER:
            continue
        split = "train" if text["session"] == "train" else "validation"
        candidates = [
            speaker
            for speaker, label in spans
            if label == text["label"] and (speaker in held_out) == (split == "validation")
        ]
        if not candidates:
            expected = f"a {split} speaker with recordings of class {text['label']}"
            raise InputError(text["id"], expected=expected, found="none")
        speaker = candidates[rng.integers(len(candidates))]
        chosen = _draw(spans[speaker, text["label"]], words[text["id"]], rng)
        about = {"utterance": text["id"], "split": split, "speaker": speaker}
        rows += [{**about, "position": k, "row": row} for k, row in enumerate(chosen)]
    return pa.Table.from_pylist(rows, schema=BORROWED)


def _held_out(utterances: pa.Table, validation: Sequence[str]) -> frozenset[str]:
    """Return the validation speakers after checking that neither split is empty."""
    speakers, held_out = set(utterances["speaker"].to_pylist()), frozenset(validation)
    if not held_out or not held_out < speakers:
        raise InputError(
            "validation speakers",
            expected=f"some, but not all, of {', '.join(sorted(speakers))}",
            found=", ".join(sorted(held_out)) or "none",
        )
    return held_out


def _spans(utterances: pa.Table, tokens: pa.Table) -> dict[tuple[str, int], list[list[int]]]:
    """Return the row numbers of the words of each recording, by speaker and class."""
    word_rows: dict[str, list[int]] = {}
    kinds = zip(tokens["utterance"].to_pylist(), tokens["kind"].to_pylist(), strict=True)
    for row, (utterance, kind) in enumerate(kinds):
        if kind == "word":
            word_rows.setdefault(utterance, []).append(row)
    spans: dict[tuple[str, int], list[list[int]]] = {}
    for item in utterances.select(["id", "speaker", "label"]).to_pylist():
        if item["label"] != OTHER and item["id"] in word_rows:
            spans.setdefault((item["speaker"], item["label"]), []).append(word_rows[item["id"]])
    return spans


def _draw(recordings: list[list[int]], n: int, rng: np.random.Generator) -> list[int]:
    """Return n rows of recordings in random order; none is reused before all have been used."""
    rows: list[int] = []
    while len(rows) < n:
        for i in rng.permutation(len(recordings)):
            rows += recordings[i]
    return rows[:n]
