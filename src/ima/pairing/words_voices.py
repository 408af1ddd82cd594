"""Pair words and voices: every token with every acoustic vector of its utterance (Section 4).

A pair consists of row numbers into the features of both modalities, as in `ima.pairing.by_label`.
Each of the N^2 pairs of an utterance of N tokens thus takes two integers, and 12 hours of speech
fit into memory. Beyond LISTED pairs, some are drawn by their numbers, and the others never listed.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.features.glove import word_rows
from ima.utils.emotions import OTHER
from ima.utils.errors import InputError
from ima.utils.schemas import pairs_schema
from ima.utils.schemas_emotion import ITEMS_EMOTION

#: `pair_type` of a pair: a word with its own voice, or with the voice of another word.
SAME_TOKEN, OTHER_TOKEN = "own", "other"
#: Maximum number of pairs of training, and of early stopping, unless the config gives one.
LISTED = 20_000_000

logger = logging.getLogger(__name__)


def utterance_pairs(
    utterances: Sequence[str] | np.ndarray,
    usable: np.ndarray | None = None,
    choose: Callable[[int], np.ndarray | None] = lambda total: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Pair every token with every token of its utterance, or list some of these pairs.

    Args:
        utterances: (T,) the utterance of each token; tokens of an utterance are consecutive.
        usable: (T,) mask of the tokens to pair; None for all.
        choose: returns the numbers of the pairs to list, given how many there are; None for all.

    Returns:
        Two int32 arrays (P,) of indices into `utterances`: an utterance of N usable tokens gives
        N^2 pairs, ordered by the first token, then the second.

    Raises:
        InputError: the tokens of an utterance are not consecutive.
    """
    _, group = np.unique(np.asarray(utterances), return_inverse=True)
    kept = np.arange(len(group), dtype=np.int32)
    if np.count_nonzero(np.diff(group)) + (len(group) > 0) != len(np.unique(group)):
        raise InputError(
            "tokens", expected="consecutive tokens of each utterance", found="one utterance split"
        )
    if usable is not None:
        group, kept = group[usable], kept[usable]
    if len(group) == 0:
        return kept, kept
    first = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
    size = np.diff(first, append=len(group))
    n = np.repeat(size, size)  # (T,) partners of each token
    before = np.cumsum(n) - n  # (T,) number of pairs before those of each token
    offset = np.repeat(first, size) - before
    numbers = choose(int(n.sum()))
    if numbers is None:
        return np.repeat(kept, n), kept[np.repeat(offset, n) + np.arange(n.sum())]
    token = np.searchsorted(before, numbers, "right") - 1
    return kept[token], kept[offset[token] + numbers]


def word_pairs(
    utterances: Sequence[str] | np.ndarray,
    words: np.ndarray,
    labels: np.ndarray,
    voices: np.ndarray | None = None,
    choose: Callable[[int], np.ndarray | None] = lambda total: None,
) -> pa.Table:
    """Return the table of the N^2 pairs of every utterance, or of some of them.

    Tokens without a word vector are excluded from both sides.

    Args:
        utterances: (T,) the utterance of each token; tokens of an utterance are consecutive.
        words: (T,) row of each token in the word vectors, -1 for none (`glove.word_rows`).
        labels: (T,) class of each token's utterance, -1 for none.
        voices: (T,) row of each token in the acoustic vectors; None if they have one row per token.
        choose: as in `utterance_pairs`.

    Returns:
        A table of `pairs_schema(['verbal', 'acoustic'])`; `pair_type` is `own` or `other`.

    Raises:
        InputError: the arrays differ in length, or an error of `utterance_pairs`.
    """
    voices = np.arange(len(words)) if voices is None else np.asarray(voices)
    lengths = {len(utterances), len(words), len(labels), len(voices)}
    if len(lengths) > 1:
        raise InputError("tokens", expected="one row per token", found=f"lengths {sorted(lengths)}")
    first, second = utterance_pairs(utterances, np.asarray(words) >= 0, choose)
    pair_type = pa.DictionaryArray.from_arrays(
        pa.array((first != second).astype(np.int8)), [SAME_TOKEN, OTHER_TOKEN]
    )
    return pa.table(
        {
            "item_verbal": np.asarray(words, np.int32)[first],
            "item_acoustic": voices.astype(np.int32)[second],
            "label": np.asarray(labels, np.int8)[first],
            "pair_type": pair_type.cast(pa.string()),
        },
        schema=pairs_schema(["verbal", "acoustic"]),
    )


def token_items(utterances: pa.Table, tokens: pa.Table, words: Sequence[str]) -> pa.Table:
    """Return the tokens used in pairs: those whose word has a vector.

    Args:
        utterances: EMOTION_UTTERANCES.
        tokens: EMOTION_TOKENS.
        words: the words of the vocabulary, in the order of their vectors.

    Returns:
        ITEMS_EMOTION, in the order of `tokens`.
    """
    rows = word_rows(tokens["token"].to_pylist(), words)
    kept = tokens.filter(pa.array(rows >= 0))
    about = {row["id"]: row for row in utterances.select(["id", "label", "split"]).to_pylist()}
    own = [about[name] for name in kept["utterance"].to_pylist()]
    columns = {name: kept[name] for name in ("utterance", "position", "token")}
    columns |= {name: [row[name] for row in own] for name in ("label", "split")}
    columns |= {"item_verbal": rows[rows >= 0], "item_acoustic": kept["span"]}
    return pa.table(columns).cast(ITEMS_EMOTION)


def warn_of_unscored(utterances: pa.Table, items: pa.Table) -> int:
    """Log and return the number of validation utterances of a class that are not scored.

    Without a word of the vocabulary, an utterance has no item and thus no representation.

    Args:
        utterances: EMOTION_UTTERANCES.
        items: ITEMS_EMOTION.
    """
    of_a_class = pc.and_(
        pc.equal(utterances["split"], "validation"), pc.not_equal(utterances["label"], OTHER)
    )
    tested = utterances.filter(of_a_class)["id"]
    unscored = len(tested.filter(pc.invert(pc.is_in(tested, items["utterance"].unique()))))
    if unscored:
        logger.warning(
            "%d of %d validation utterances of a class have no word of the vocabulary, so Tables "
            "2 and 6 do not score them",
            unscored,
            len(tested),
        )
    return unscored


def held_out_utterances(
    items: pa.Table, validation_share: float, rng: np.random.Generator
) -> np.ndarray:
    """Return the names of the training utterances held out for early stopping.

    Args:
        items: ITEMS_EMOTION.
        validation_share: share of the training utterances that are held out, in [0, 1).
        rng: the generator, seeded with the seed of the pairs, before any other draw.
    """
    training = items.filter(pc.equal(items["split"], "train"))
    names = np.unique(training["utterance"].to_numpy(zero_copy_only=False))
    return rng.choice(names, round(validation_share * len(names)), replace=False)


def split_pairs(
    items: pa.Table, validation_share: float, max_pairs: int | None, seed: int
) -> tuple[pa.Table, pa.Table]:
    """Return the N^2 pairs of training utterances, and those held out for early stopping.

    Args:
        items: ITEMS_EMOTION.
        validation_share: share of the training utterances that are held out, in [0, 1).
        max_pairs: maximum number of training pairs, drawn at random; None for LISTED, which is
            also the maximum number of those for early stopping.
        seed: seed of the random choices.

    Returns:
        The pair tables for training and for early stopping.

    Raises:
        InputError: one of the two tables would be empty.
    """
    rng = np.random.default_rng(seed)
    training = items.filter(pc.equal(items["split"], "train"))
    held_out = held_out_utterances(items, validation_share, rng)
    count = len(training["utterance"].unique())
    is_held_out = np.isin(training["utterance"].to_numpy(zero_copy_only=False), held_out)
    tables = []
    for mask, most in ((~is_held_out, max_pairs or LISTED), (is_held_out, LISTED)):
        part = training.filter(pa.array(mask))
        utterances = part["utterance"].to_numpy(zero_copy_only=False)
        words, labels, voices = (
            part[name].to_numpy() for name in ("item_verbal", "label", "item_acoustic")
        )
        choose = partial(_drawn, most, rng)
        tables.append(word_pairs(utterances, words, labels, voices, choose))
    train, stop = tables
    if not len(train) or not len(stop):
        raise InputError(
            "training utterances",
            expected="some for training and some for early stopping",
            found=f"{count}, of which {len(held_out)} are held out",
        )
    return train, stop


def _drawn(most: int, rng: np.random.Generator, total: int) -> np.ndarray | None:
    """Return the sorted numbers of `most` of a total of pairs, without a list of all; or None."""
    if total <= most:
        return None
    logger.info("%d of %d pairs are drawn at random", most, total)
    if total <= max(LISTED, 2 * most):
        return np.sort(rng.choice(total, most, replace=False))
    numbers = np.unique(rng.integers(total, size=most))
    while len(numbers) < most:
        numbers = np.union1d(numbers, rng.integers(total, size=most - len(numbers)))
    return numbers
