"""Read the corpus of the emotion experiment: IEMOCAP, or texts of MELD with voices of RAVDESS.

Both give the same tables: utterances with a class and a split, their tokens, and time spans of
recordings. Each token has one span; in the constructed corpus, several tokens may share a span.
There are also spans of no token, those of utterances that are neither trained on nor scored, so
that voices are standardised over all of a speaker's recordings, whatever their emotions.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.datasets import iemocap, meld, ravdess
from ima.datasets.voices import borrow_voices
from ima.datasets.wdseg import keep_tokens
from ima.utils.emotions import CLASSES, EMOTIONS, OTHER, label_of
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import (
    CORPUS_WORDS,
    EMOTION_COUNTS,
    EMOTION_TOKENS,
    EMOTION_UTTERANCES,
    SKIPPED_UTTERANCES,
    SPANS,
)

logger = logging.getLogger(__name__)

#: How the reason begins for which an utterance of pauses and fillers alone is skipped.
WORDLESS = "no token but those dropped"


class Corpus(NamedTuple):
    """An emotion corpus.

    Attributes:
        utterances: EMOTION_UTTERANCES.
        tokens: EMOTION_TOKENS.
        spans: SPANS.
        skipped: SKIPPED_UTTERANCES.
        counts: EMOTION_COUNTS.
        dropped: number of occurrences of each silence or filler token that was dropped.
        words: CORPUS_WORDS; None for a constructed corpus.
    """

    utterances: pa.Table
    tokens: pa.Table
    spans: pa.Table
    skipped: pa.Table
    counts: pa.Table
    dropped: dict[str, int]
    words: pa.Table | None = None


def read_iemocap(
    root: str,
    validation: Sequence[str],
    excited_as_happy: bool = True,
    others: str = "train",
    silence: str = "keep",
    fillers: str = "drop",
    nominal: bool = True,
    by: str = "session",
    classes: Sequence[str] = CLASSES,
) -> Corpus:
    """Read IEMOCAP, or a corpus in the same format (Section 4, A.2).

    Args:
        root: see `ima.datasets.iemocap.index`.
        validation: the sessions or speakers held out for validation.
        excited_as_happy: see `ima.datasets.iemocap.index`.
        others: `train` uses utterances outside the classes for training if they are in the
            training part; `drop` excludes them.
        silence, fillers: see `ima.datasets.wdseg.keep_tokens`.
        nominal: whether to compare the counts with those of the complete corpus and warn.
        by: `session` or `speaker`, what `validation` lists.
        classes: the emotions that are classes, some of `ima.utils.emotions.EMOTIONS`.

    Raises:
        InputError: an error of the functions named above, or `others` is invalid.
    """
    utterances, aligned, skipped = iemocap.index(root, excited_as_happy, classes)
    tokens, dropped = keep_tokens(aligned, silence, fillers)
    utterances, without = _with_tokens(utterances, aligned, tokens)
    skipped = pa.concat_tables([skipped, without])
    skipped = skipped.sort_by([(name, "ascending") for name in ("id", "emotion", "file", "reason")])
    counts = (
        iemocap.expected_counts(utterances, skipped) if nominal else counted(utterances, skipped)
    )
    split = iemocap.split_by(utterances, validation, by)
    utterances = utterances.append_column("split", pa.array(split))
    spans = _spans(tokens, utterances)
    tokens = tokens.append_column("span", pa.array(np.arange(len(tokens), dtype=np.int32)))
    utterances, tokens = _chosen(utterances, tokens, others)
    corpus = _corpus(utterances, tokens, spans, skipped, counts, dropped)
    return corpus._replace(words=_word_counts(aligned))


def read_ravdess_meld(
    roots: Mapping[str, str],
    validation: Sequence[str],
    seed: int,
    calm_as_neutral: bool = True,
    others: str = "train",
    align: ravdess.Align | None = None,
    classes: Sequence[str] = CLASSES,
) -> Corpus:
    """Construct a corpus from texts of MELD and RAVDESS voices of the same emotion.

    Args:
        roots: the folders of `ravdess` and `meld`.
        validation: RAVDESS actors whose voices are used for the dev and test texts of MELD; its
            training texts use the voices of the other actors.
        seed: seed of the assignment (`ima.datasets.voices.borrow_voices`).
        calm_as_neutral: see `ima.datasets.ravdess.index`.
        others: `train` uses training texts of other emotions than the classes, with voices of the
            same emotion, for training only; `drop` excludes them.
        align: finds word places in RAVDESS' recordings (`ima.datasets.ravdess.index`).
        classes: the emotions that are classes, some of `ima.utils.emotions.EMOTIONS`.

    Returns:
        A corpus whose utterances are the texts of MELD; `speaker` is the actor of the voice.

    Raises:
        InputError: an error of the readers or of `borrow_voices`, or `others` is invalid.
    """
    paired = EMOTIONS if _others(others) == "train" else classes
    spoken, words, unspoken = ravdess.index(roots["ravdess"], calm_as_neutral, align, paired)
    texts, tokens, unread = meld.index(roots["meld"], paired)
    counts = pa.concat_tables([counted(spoken, unspoken), counted(texts, unread)])
    borrowed = borrow_voices(texts, tokens, spoken, words, validation, seed)
    texts = _of_classes(texts, classes)
    about = {row["utterance"]: row for row in borrowed.to_pylist()}
    texts = texts.filter(pc.is_in(texts["id"], pa.array(about)))
    rows = [about[name] for name in texts["id"].to_pylist()]
    texts = texts.append_column("split", pa.array([row["split"] for row in rows]))
    place = texts.column_names.index("speaker")
    texts = texts.set_column(place, "speaker", pa.array([row["speaker"] for row in rows]))
    used, span = np.unique(borrowed["row"].to_numpy(), return_inverse=True)
    tokens = tokens.filter(pc.is_in(tokens["utterance"], pa.array(about)))
    _check_rows(tokens, borrowed)
    tokens = tokens.append_column("kind", pa.array(["word"] * len(tokens)))
    tokens = tokens.append_column("span", pa.array(span.astype(np.int32)))
    texts, tokens = _chosen(texts, tokens, others)
    skipped = pa.concat_tables([unspoken, unread])
    return _corpus(texts, tokens, _spans(words.take(used), spoken), skipped, counts, {})


def counted(utterances: pa.Table, skipped: pa.Table) -> pa.Table:
    """Return EMOTION_COUNTS by the emotion names of a corpus; `expected` is the labelled number."""
    corpus = utterances["corpus"][0].as_py()
    usable = utterances["emotion"].to_pylist()
    labelled = usable + [emotion for emotion in skipped["emotion"].to_pylist() if emotion]
    rows = []
    for name in [*sorted(set(labelled)), "all"]:
        found = [sum(name in (e, "all") for e in emotions) for emotions in (labelled, usable)]
        rows.append({"corpus": corpus, "emotion": name, "expected": found[0]})
        rows[-1] |= dict(zip(("labelled", "usable"), found, strict=True))
    return pa.Table.from_pylist(rows, schema=EMOTION_COUNTS)


def check_skipped(corpus: Corpus, most: float) -> None:
    """Check that at most a share `most`, in [0, 1], of the labelled utterances is unusable.

    Those without words (WORDLESS) do not count: they are as the corpus has them. The log lists the
    others.

    Raises:
        InputError: the share is exceeded.
    """
    whole = corpus.counts.filter(pc.equal(corpus.counts["emotion"], "all"))
    labelled, usable = pc.sum(whole["labelled"]).as_py(), pc.sum(whole["usable"]).as_py()
    rows = [row for row in corpus.skipped.to_pylist() if row["emotion"]]
    broken = [row for row in rows if not row["reason"].startswith(WORDLESS)]
    unusable = labelled - usable - (len(rows) - len(broken))
    if unusable > most * labelled:
        for row in broken:
            logger.error("skipped: %s: %s", row["file"], row["reason"])
        raise InputError(
            "utterances",
            expected=f"at most {most:.1%} of them unusable",
            found=f"{unusable} of {labelled}, the first: {broken[0]['reason']}",
            do="Repair them (the rule's log lists them), or raise emotion.max_skipped.",
        )


def check_classes(corpus: Corpus, classes: Sequence[str]) -> None:
    """Check that the training part has an utterance of every class.

    Raises:
        InputError: a class has none.
    """
    training = corpus.utterances.filter(pc.equal(corpus.utterances["split"], "train"))
    found = {EMOTIONS[label] for label in training["label"].to_pylist() if label != OTHER}
    if missing := [name for name in classes if name not in found]:
        raise InputError(
            "training utterances",
            expected=f"some of each class, {', '.join(classes)}",
            found=f"none of {', '.join(missing)}",
            do="Choose other classes by emotion.classes.",
        )


def _of_classes(utterances: pa.Table, classes: Sequence[str]) -> pa.Table:
    """Return utterances whose labels outside some classes are OTHER."""
    labels = utterances["label"].to_pylist()
    labels = [OTHER if n == OTHER else label_of(EMOTIONS[n], classes) for n in labels]
    place = utterances.column_names.index("label")
    return utterances.set_column(place, "label", pa.array(labels, pa.int8()))


def _others(others: str) -> str:
    if others not in ("train", "drop"):
        raise InputError("others", expected="'train' or 'drop'", found=repr(others))
    return others


def _chosen(utterances: pa.Table, tokens: pa.Table, others: str) -> tuple[pa.Table, pa.Table]:
    """Drop utterances that are neither trained on nor scored."""
    scored = pc.not_equal(utterances["label"], OTHER)
    if _others(others) == "train":
        scored = pc.or_(scored, pc.equal(utterances["split"], "train"))
    utterances = utterances.filter(scored)
    return utterances, tokens.filter(pc.is_in(tokens["utterance"], utterances["id"]))


def _with_tokens(
    utterances: pa.Table, aligned: pa.Table, tokens: pa.Table
) -> tuple[pa.Table, pa.Table]:
    """Return the utterances that have tokens, and SKIPPED_UTTERANCES of the others.

    Args:
        utterances: UTTERANCES.
        aligned: TOKENS, all rows of their alignments.
        tokens: those of them that `keep_tokens` kept.

    Raises:
        InputError: no utterance has tokens.
    """
    have = pc.is_in(utterances["id"], tokens["utterance"].unique())
    if not pc.any(have).as_py():
        raise InputError(
            "utterances",
            expected="tokens in some of them",
            found=f"none in {len(utterances)}, after pauses or fillers were dropped",
            do="Keep them by emotion.silence or emotion.fillers.",
        )
    without = utterances.filter(pc.invert(have))
    rows = without.select(["corpus", "id", "emotion", "file"]).to_pylist()
    sounds: dict[str, set[str]] = {row["id"]: set() for row in rows}
    of_them = aligned.filter(pc.is_in(aligned["utterance"], without["id"]))
    for row in of_them.select(["utterance", "token"]).to_pylist():
        sounds[row["utterance"]].add(row["token"])
    for row in rows:
        row["reason"] = f"{WORDLESS}: {', '.join(sorted(sounds[row['id']]))}"
    return utterances.filter(have), pa.Table.from_pylist(rows, schema=SKIPPED_UTTERANCES)


def _word_counts(aligned: pa.Table) -> pa.Table:
    """Return the CORPUS_WORDS of alignments (TOKENS), the most frequent words first."""
    words = aligned.filter(pc.equal(aligned["kind"], "word"))
    counts = words.group_by("token").aggregate([([], "count_all")])
    counts = counts.rename_columns(["token", "count"]).cast(CORPUS_WORDS)
    return counts.sort_by([("count", "descending"), ("token", "ascending")])


def _spans(tokens: pa.Table, utterances: pa.Table) -> pa.Table:
    """Return the SPANS of time-aligned tokens, row for row."""
    names = ("id", "file", "speaker")
    about = {row["id"]: row for row in utterances.select(names).to_pylist()}
    rows = [about[name] for name in tokens["utterance"].to_pylist()]
    columns = {name: [row[name] for row in rows] for name in ("file", "speaker")}
    columns |= {name: tokens[name] for name in ("utterance", "position", "start_s", "end_s")}
    return pa.table(columns).select(SPANS.names).cast(SPANS)


def _check_rows(tokens: pa.Table, borrowed: pa.Table) -> None:
    keys = [
        list(zip(t["utterance"].to_pylist(), t["position"].to_pylist(), strict=True))
        for t in (tokens, borrowed)
    ]
    if keys[0] != keys[1]:
        raise InputError(
            "borrowed voices", expected="one row per token, in order", found="other rows"
        )


def _corpus(utterances, tokens, spans, skipped, counts, dropped) -> Corpus:
    if set(utterances["split"].to_pylist()) != {"train", "validation"}:
        found = ", ".join(set(utterances["split"].to_pylist())) or "none"
        raise InputError("utterances", expected="utterances in each split", found=found)
    return Corpus(
        utterances.select(EMOTION_UTTERANCES.names).cast(EMOTION_UTTERANCES),
        tokens.select(EMOTION_TOKENS.names).cast(EMOTION_TOKENS),
        spans,
        skipped,
        counts,
        dropped,
    )
