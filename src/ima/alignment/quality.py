"""What makes a cut doubtful. Nothing is dropped: the reasons stand in the table beside the cut."""

from typing import NamedTuple

import numpy as np

from ima.alignment import hmm, viterbi

#: No spoken digit is shorter or longer than this (s), in any style of speech: the 8 states of a
#: word alone take 0.04 s, and a drawn-out digit said alone takes about 1 s.
SHORTEST, LONGEST = 0.07, 1.2
#: A digit may last this many times its word's median in the corpus, or this part of it: a word
#: said alone is up to twice as long as in a string, and a slow speaker up to half as slow again.
RATIO = 3.0
#: Robust deviations (1.4826 x median absolute deviation) below its word's median log-likelihood.
DEVIATIONS = 5.0
#: With fewer cuts of a word than this there is no distribution to compare with.
FEWEST = 10
#: A free choice of digits must fit better by this many nats a frame to put the string in doubt.
#: Chosen on strings made of FSDD's digits and spoken by espeak-ng: nearly all right strings stay
#: below 0.02, and most wrong ones lie above 0.1 (benchmarks/segmentation.py counts both).
GAIN = 0.05


class Cut(NamedTuple):
    """One digit's place (start, end in s), its mean log-likelihood a frame, and doubts about it.

    `heard` and `gain` are of the whole recording: the string that a free choice of digits gives,
    and by how many nats a frame that fits better than the string that was declared.
    """

    digit: str
    start: float
    end: float
    loglik: float
    heard: str
    gain: float
    reason: str


def free_choice(model: hmm.Model, score: np.ndarray, path: np.ndarray) -> tuple[str, float]:
    """Return the digits that fit the audio best, and how much better than a path does.

    A digit costs log 11 in the free choice, as all are equally likely; in the path none costs.

    Args:
        score: (T, S) emissions of all states.
        path: (T,) the states of the declared string.
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
    """Write into each cut of each recording what is odd about it, or '' when nothing is.

    Cuts that have a reason already keep only that, and do not count in what is usual.
    """
    usual = _usual([cut for cuts in recordings for cut in cuts if not cut.reason])
    return [
        [cut if cut.reason else cut._replace(reason=_reason(cut, cuts, usual)) for cut in cuts]
        for cuts in recordings
    ]


def _usual(cuts: list[Cut]) -> dict[str, tuple[float, float, float]]:
    """Return, by word, the median duration (s), and median and deviation of the likelihood."""
    usual = {}
    for word in sorted({cut.digit for cut in cuts}):
        own = np.array([(cut.end - cut.start, cut.loglik) for cut in cuts if cut.digit == word])
        if len(own) >= FEWEST:
            duration, loglik = np.median(own, axis=0)
            deviation = 1.4826 * np.median(np.abs(own[:, 1] - loglik))
            usual[word] = float(duration), float(loglik), float(deviation)
    return usual


def _reason(cut: Cut, cuts: list[Cut], usual: dict[str, tuple[float, float, float]]) -> str:
    reasons = []
    length = cut.end - cut.start
    if not SHORTEST - 1e-9 <= length <= LONGEST + 1e-9:  # times on a grid are sums
        reasons.append(f"lasts {length:.3f} s, not {SHORTEST}-{LONGEST} s")
    if cut.digit in usual:
        duration, loglik, deviation = usual[cut.digit]
        if not duration / RATIO <= length <= duration * RATIO:
            reasons.append(f"lasts {length:.3f} s where the word usually lasts {duration:.3f} s")
        if cut.loglik < loglik - DEVIATIONS * max(deviation, 1e-6):
            reasons.append(f"unlike other cuts of the word ({cut.loglik:.1f}, median {loglik:.1f})")
    declared = "".join(other.digit for other in cuts)
    if cut.gain > GAIN and cut.heard != declared:
        reasons.append(f"sounds more like '{cut.heard}' than '{declared}'")
    return "; ".join(reasons)
