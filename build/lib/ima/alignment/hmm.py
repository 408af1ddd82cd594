"""Whole-word hidden Markov models, trained on the corpus itself from its known digit strings.

Each of the 11 words has 8 left-to-right states, silence has 3; each state is a Gaussian with
diagonal covariance. Training is Viterbi re-estimation over whole strings (segmental k-means: Juang
and Rabiner, 1990). The models of a speaker are maximum a posteriori estimates with the models of
the corpus as prior (Gauvain and Lee, 1994).
"""

import functools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import joblib
import numpy as np

from ima.alignment import viterbi
from ima.alignment.frontend import N_CEPSTRA, Cepstra

log = logging.getLogger(__name__)

#: The words, one character each; z is zero and o is oh.
WORDS = "123456789zo"
STATES, SILENCE_STATES = 8, 3
SILENCE = len(WORDS) * STATES
N_STATES = SILENCE + SILENCE_STATES
#: Training passes over the one-digit strings, over all strings and over each speaker's strings, and
#: additional passes over all strings after a flat start, which is a worse initialisation.
ONE_DIGIT_PASSES, PASSES, SPEAKER_PASSES, FLAT_PASSES = 4, 12, 4, 8
#: Weight of the corpus models in speaker adaptation, in frames of 5 ms.
TAU = 10.0
#: Lower bound of variances (features have a variance of about 1), needed for states with few
#: frames and for digital silence.
VARIANCE_FLOOR = 0.01
#: A state with fewer frames than this in the corpus is not updated.
FEWEST_FRAMES = 3
#: Recordings per task. Statistics are summed by task, in order, so that the result is identical to
#: the bit for any number of threads.
CHUNK = 64


@dataclass(frozen=True)
class Chain:
    """The sequence of nodes for one digit string: [silence] word [silence] word ...

    Args:
        states: (N,) the HMM state of each node.
        word: (N,) position of its digit in the string, -1 for silence.
        skip_from: (N,) an earlier node from which it can be entered, skipping silence, or -1.
        first, last: (N,) log probability of starting and ending at the node: 0 or NEVER.
    """

    states: np.ndarray
    word: np.ndarray
    skip_from: np.ndarray
    first: np.ndarray
    last: np.ndarray


@functools.lru_cache(maxsize=4096)
def chain(digits: str) -> Chain:
    """Return the chain of a digit string; all pauses, including those at the ends, are optional."""
    silence = list(range(SILENCE, N_STATES))
    states, word, skip_from = list(silence), [-1] * SILENCE_STATES, [-1] * SILENCE_STATES
    for position, digit in enumerate(digits):
        begin = WORDS.index(digit) * STATES
        skip_from += [len(states) - SILENCE_STATES - 1 if position else -1] + [-1] * (STATES - 1)
        states += [*range(begin, begin + STATES), *silence]
        word += [position] * STATES + [-1] * SILENCE_STATES
        skip_from += [-1] * SILENCE_STATES
    first = np.full(len(states), viterbi.NEVER)
    last = first.copy()
    first[[0, SILENCE_STATES]] = 0.0
    last[[-1, -1 - SILENCE_STATES]] = 0.0
    return Chain(
        np.array(states, np.int32), np.array(word), np.array(skip_from, np.int32), first, last
    )


@dataclass(frozen=True)
class Statistics:
    """Sums over the frames of each state, and the number of times the state was entered."""

    count: np.ndarray  # (S,)
    total: np.ndarray  # (S, D)
    square: np.ndarray  # (S, D)
    entries: np.ndarray  # (S,)

    @classmethod
    def zeros(cls) -> "Statistics":
        """Return empty sums."""
        shapes = (N_STATES,), (N_STATES, N_CEPSTRA), (N_STATES, N_CEPSTRA), (N_STATES,)
        return cls(*(np.zeros(shape) for shape in shapes))

    def add(self, x: np.ndarray, states: np.ndarray) -> None:
        """Add frames x (T, D), which are aligned to `states` (T,)."""
        viterbi.add_statistics(x, states, self.count, self.total, self.square, self.entries)

    def __iadd__(self, other: "Statistics") -> "Statistics":
        for name in ("count", "total", "square", "entries"):
            getattr(self, name)[...] += getattr(other, name)
        return self


@dataclass(frozen=True)
class Model:
    """Gaussians and self-transition probabilities of all states.

    Args:
        mean, variance: (S, D).
        stay: (S,) probability of remaining in the state for the next frame.
    """

    mean: np.ndarray
    variance: np.ndarray
    stay: np.ndarray

    @functools.cached_property
    def gaussians(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, precision and log normalising constant, as arguments of `viterbi.emissions`."""
        factor = -0.5 * np.log(2 * np.pi * self.variance).sum(axis=1)
        return self.mean, 1 / self.variance, factor

    @functools.cached_property
    def moves(self) -> tuple[np.ndarray, np.ndarray]:
        """Log probability of staying in each state and of leaving it."""
        return np.log(self.stay), np.log1p(-self.stay)


def estimate(statistics: Statistics, before: Model | None = None) -> Model:
    """Return the maximum likelihood models.

    Args:
        statistics: sums over the aligned frames.
        before: the models kept for states with fewer than FEWEST_FRAMES frames; None for defaults.
    """
    count = np.maximum(statistics.count, 1)
    mean = statistics.total / count[:, None]
    variance = statistics.square / count[:, None] - mean**2
    stay = np.clip(1 - statistics.entries / count, 0.05, 0.995)
    rare = statistics.count < FEWEST_FRAMES
    if before is None:
        mean[rare], variance[rare], stay[rare] = 0.0, 1.0, 0.8
    else:
        mean[rare], variance[rare] = before.mean[rare], before.variance[rare]
        stay[rare] = before.stay[rare]
    return Model(mean, np.maximum(variance, VARIANCE_FLOOR), stay)


def adapt(statistics: Statistics, corpus: Model) -> Model:
    """Return the models of a speaker, with the corpus models as a prior worth TAU frames."""
    count = (statistics.count + TAU)[:, None]
    mean = (statistics.total + TAU * corpus.mean) / count
    square = statistics.square + TAU * (corpus.variance + corpus.mean**2)
    variance = np.maximum(square / count - mean**2, VARIANCE_FLOOR)
    return Model(mean, variance, corpus.stay)


def path(model: Model, item: Cepstra, digits: str) -> np.ndarray | None:
    """Return the best path (T,) through the chain of `digits`, or None if there is none.

    The inaudible ends are constrained to silence, unless this leaves too few frames for the words.
    """
    line = chain(digits)
    if len(item.x) < STATES * len(digits):
        return None
    x = item.x.astype(np.float32)
    score = viterbi.emissions(x, *model.gaussians, line.states)
    stay, leave = (move[line.states] for move in model.moves)
    if item.last - item.first >= STATES * len(digits):
        words = line.word >= 0
        score[: item.first, words] = viterbi.NEVER
        score[item.last :, words] = viterbi.NEVER
    places, total = viterbi.best_path(score, stay, leave, line.skip_from, line.first, line.last)
    return places if total > viterbi.NEVER / 2 else None


def train(items: Sequence[Cepstra], strings: Sequence[str], threads: int = 1) -> Model:
    """Train the models of a corpus: initialisation, then passes of alignment and re-estimation.

    The models are initialised on one-digit strings, cut at their energy endpoints. If a word has
    fewer than two such strings, a flat start is used: all strings, divided equally.

    Args:
        items: the features of each recording.
        strings: the digits of each recording.
        threads: the number of threads; the result does not depend on it.
    """
    one = [i for i, digits in enumerate(strings) if len(digits) == 1]
    seen = {word: sum(strings[i] == word for i in one) for word in sorted(set("".join(strings)))}
    few = [word for word, times in seen.items() if times < 2]
    if few:
        log.warning(
            "Flat start: fewer than two one-digit strings of %s. Segmentation is reliable with "
            "about 100 strings or more; there are %d.",
            ", ".join(few),
            len(strings),
        )
        one, passes = list(range(len(strings))), PASSES + FLAT_PASSES
    else:
        passes = PASSES
    model = estimate(_start([(items[i], strings[i]) for i in one]))
    for _ in range(0 if few else ONE_DIGIT_PASSES):
        model = estimate(_collect(model, items, strings, one, threads), model)
    for _ in range(passes):
        model = estimate(_collect(model, items, strings, range(len(items)), threads), model)
    return model


def train_speaker(
    corpus: Model, items: Sequence[Cepstra], strings: Sequence[str], chosen: Sequence[int]
) -> Model:
    """Adapt the corpus models to the speaker of the recordings with indices `chosen`."""
    model = corpus
    for _ in range(SPEAKER_PASSES):
        model = adapt(_collect(model, items, strings, chosen, 1), corpus)
    return model


def _start(pairs: list[tuple[Cepstra, str]]) -> Statistics:
    """Sum the frames after dividing the speech between its endpoints equally among the states."""
    sums = Statistics.zeros()
    for item, digits in pairs:
        begin, end = item.speech
        words = np.concatenate([WORDS.index(d) * STATES + np.arange(STATES) for d in digits])
        silence = np.arange(SILENCE, N_STATES)
        states = np.concatenate(
            [
                _spread(silence, begin),
                _spread(words, end - begin),
                _spread(silence, len(item.x) - end),
            ]
        )
        sums.add(item.x.astype(np.float32), states)
    return sums


def _spread(states: np.ndarray, frames: int) -> np.ndarray:
    """Repeat states in order, as evenly as possible, over a number of frames."""
    return states[np.arange(frames) * len(states) // max(frames, 1)].astype(np.int32)


def _collect(
    model: Model,
    items: Sequence[Cepstra],
    strings: Sequence[str],
    chosen: Sequence[int],
    threads: int,
) -> Statistics:
    """Align the chosen recordings and sum their frames by state."""

    def part(numbers: Sequence[int]) -> Statistics:
        """Return the sums over these recordings; those without a path are skipped."""
        sums = Statistics.zeros()
        for i in numbers:
            places = path(model, items[i], strings[i])
            if places is not None:
                sums.add(items[i].x.astype(np.float32), chain(strings[i]).states[places])
        return sums

    sums = Statistics.zeros()
    run = joblib.Parallel(n_jobs=threads, backend="threading", return_as="generator")
    for partial in run(joblib.delayed(part)(numbers) for numbers in _chunks(chosen)):
        sums += partial
    return sums


def _chunks(chosen: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(chosen), CHUNK):
        yield chosen[start : start + CHUNK]
