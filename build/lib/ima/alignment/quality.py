"""Mark doubtful segments. None are dropped; the reason is stored in the table of segments."""

from typing import NamedTuple

import numpy as np

from ima.alignment import hmm, viterbi

#: Range of plausible digit durations (s) in any style of speech: the 8 states of a word already
#: need 0.04 s, and a drawn-out isolated digit takes about 1 s.
SHORTEST, LONGEST = 0.07, 1.2
#: Maximum ratio between the duration of a digit and the median of its word in the corpus, in either
#: direction: isolated words are up to twice as long as in strings, and slow speakers up to half as
#: slow again.
MAX_DURATION_RATIO = 3.0
#: Maximum distance of the log-likelihood below the median of its word, in robust standard
#: deviations (1.4826 x median absolute deviation).
MAX_DEVIATIONS = 5.0
#: Minimum number of segments of a word for a comparison with its distribution.
MIN_SEGMENTS = 10
#: A string is doubtful if a free choice of digits fits better by this many nats per frame. Chosen
#: on strings of FSDD digits and on strings spoken by espeak-ng: nearly all correct strings stay
#: below 0.02, most wrong ones exceed 0.1 (measured by benchmarks/segmentation.py).
MAX_GAIN = 0.05


def too_short(seconds: float, digits: str) -> str:
    """Return why a recording is too short for its digits, or '' if it is not."""
    shortest = SHORTEST * len(digits)
    return f"lasts {seconds:.3f} s, not {shortest:g} s" if seconds < shortest - 1e-9 else ""


class Cut(NamedTuple):
    """The time span of one digit (start, end in s), its mean log-likelihood per frame, and doubts.

    `heard` and `gain` describe the whole recording: the best-fitting string of any digits, and how
    much better, in nats per frame, it fits than the declared string.
    """

    digit: str
    start: float
    end: float
    loglik: float
    heard: str
    gain: float
    reason: str


def free_choice(model: hmm.Model, score: np.ndarray, path: np.ndarray) -> tuple[str, float]:
    """Return the digits that fit the audio best, and their gain over the declared string.

    Each freely chosen digit has a prior probability of 1/11; declared digits have none.

    Args:
        model: the models used for alignment.
        score: (T, S) log emission densities of all states.
        path: (T,) the states along the path of the declared string.

    Returns:
        The digits, and the gain in log probability in nats per frame.
    """
    stay, leave = model.moves
    words, total = viterbi.best_string(
        score, stay, leave, hmm.STATES, len(hmm.WORDS), -np.log(len(hmm.WORDS))
    )
    moved = path[1:] != path[:-1]
    declared = score[np.arange(len(path)), path].sum()
    declared += np.where(moved, leave[path[:-1]], stay[path[:-1]]).sum()
    return "".join(hmm.WORDS[w] for w in words), float(total - declared) / len(path)


def judge(recordings: list[list[Cut]]) -> list[list[Cut]]:
    """Add to each cut of each recording the reason why it is doubtful, or ''.

    Cuts that already have a reason keep it and are excluded from the reference distributions.
    """
    usual = _usual([cut for cuts in recordings for cut in cuts if not cut.reason])
    return [
        [cut if cut.reason else cut._replace(reason=_reason(cut, cuts, usual)) for cut in cuts]
        for cuts in recordings
    ]


def _usual(cuts: list[Cut]) -> dict[str, tuple[float, float, float]]:
    """Return, by word, the median duration (s), and the median and deviation of log-likelihoods."""
    usual = {}
    for word in sorted({cut.digit for cut in cuts}):
        own = np.array([(cut.end - cut.start, cut.loglik) for cut in cuts if cut.digit == word])
        if len(own) >= MIN_SEGMENTS:
            duration, loglik = np.median(own, axis=0)
            deviation = 1.4826 * np.median(np.abs(own[:, 1] - loglik))
            usual[word] = float(duration), float(loglik), float(deviation)
    return usual


def _reason(cut: Cut, cuts: list[Cut], usual: dict[str, tuple[float, float, float]]) -> str:
    reasons = []
    length = cut.end - cut.start
    if not SHORTEST - 1e-9 <= length <= LONGEST + 1e-9:  # allow for rounding of the times
        reasons.append(f"lasts {length:.3f} s, not {SHORTEST}-{LONGEST} s")
    if cut.digit in usual:
        duration, loglik, deviation = usual[cut.digit]
        if not duration / MAX_DURATION_RATIO <= length <= duration * MAX_DURATION_RATIO:
            reasons.append(f"lasts {length:.3f} s where the word usually lasts {duration:.3f} s")
        if cut.loglik < loglik - MAX_DEVIATIONS * max(deviation, 1e-6):
            reasons.append(f"unlike other cuts of the word ({cut.loglik:.1f}, median {loglik:.1f})")
    declared = "".join(other.digit for other in cuts)
    if cut.gain > MAX_GAIN and cut.heard != declared:
        reasons.append(f"sounds more like '{cut.heard}' than '{declared}'")
    return "; ".join(reasons)
