"""The inner loops: emissions, best path through a known string, best string of a free loop.

All work in log probabilities. Compiled with numba at the first call of a process (about 5 s); no
cache is kept on disk, because an installed package may lie in a folder that cannot be written.
"""

import numba
import numpy as np

#: The log probability of what cannot be. Finite, so that sums of it stay comparable.
NEVER = -1e30


@numba.njit(nogil=True)
def emissions(x, mean, precision, constant, states):
    """Return (T, N): the log density of frame x[t] (D,) in the Gaussian of states[n]."""
    frames, size = x.shape
    out = np.empty((frames, len(states)))
    for n in range(len(states)):
        s = states[n]
        for t in range(frames):
            distance = 0.0
            for d in range(size):
                difference = x[t, d] - mean[s, d]
                distance += difference * difference * precision[s, d]
            out[t, n] = constant[s] - 0.5 * distance
    return out


@numba.njit(nogil=True)
def best_path(score, stay, leave, skip_from, first, last):
    """Find the best path through N places in a line, where some places may be skipped.

    Args:
        score: (T, N) emissions.
        stay, leave: (N,) log probabilities of staying in a place and of going on from it.
        skip_from: (N,) an earlier place from which n may be entered too, or -1.
        first, last: (N,) log probability of beginning and of ending in a place.

    Returns:
        path (T,) int32 and its log probability; at or below NEVER / 2 when there is no path.
    """
    frames, size = score.shape
    back = np.empty((frames, size), np.int32)
    best = first + score[0]
    new = np.empty(size)
    for t in range(1, frames):
        for n in range(size):
            top, source = best[n] + stay[n], n
            if n > 0 and best[n - 1] + leave[n - 1] > top:
                top, source = best[n - 1] + leave[n - 1], n - 1
            j = skip_from[n]
            if j >= 0 and best[j] + leave[j] > top:
                top, source = best[j] + leave[j], j
            new[n] = max(top + score[t, n], NEVER)
            back[t, n] = source
        best[:] = new
    total = best + last
    path = np.empty(frames, np.int32)
    path[-1] = np.argmax(total)
    for t in range(frames - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path, total[path[-1]]


@numba.njit(nogil=True)
def add_statistics(x, states, count, total, square, entries):
    """Add the frames x (T, D) to the sums of the state each lies in, and count entries."""
    for t in range(len(x)):
        s = states[t]
        count[s] += 1
        for d in range(x.shape[1]):
            total[s, d] += x[t, d]
            square[s, d] += x[t, d] * x[t, d]
        if t == 0 or s != states[t - 1]:
            entries[s] += 1


@numba.njit(nogil=True)
def best_string(score, stay, leave, per_word, words, penalty):
    """Find the best string of any words, with or without pauses.

    Args:
        score: (T, S) emissions of every state: `words` words of `per_word` states, then silence.
        stay, leave: (S,) log probabilities.
        penalty: log probability of choosing a word.

    Returns:
        the words' numbers, in order, and the log probability of the path.
    """
    frames, size = score.shape
    silence = words * per_word
    # Words so far are kept as links: each entry of a word adds (word, link to what went before).
    link = np.full(size, -1, np.int32)
    chosen, before = [0], [-1]
    best = np.full(size, NEVER)
    best[silence] = score[0, silence]
    for w in range(words):
        chosen.append(w)
        before.append(-1)
        best[w * per_word] = penalty + score[0, w * per_word]
        link[w * per_word] = len(chosen) - 1
    new, new_link = np.empty(size), np.empty(size, np.int32)
    for t in range(1, frames):
        end, end_link = best[size - 1] + leave[size - 1], link[size - 1]
        quiet, quiet_link = _best_end(best + leave, link, per_word, words)
        if quiet > end:
            end, end_link = quiet, quiet_link
        for s in range(size):
            new[s], new_link[s] = best[s] + stay[s], link[s]
            starts_word = s < silence and s % per_word == 0
            if starts_word:
                if end + penalty > new[s]:
                    chosen.append(s // per_word)
                    before.append(end_link)
                    new[s], new_link[s] = end + penalty, len(chosen) - 1
            elif s == silence:
                if quiet > new[s]:
                    new[s], new_link[s] = quiet, quiet_link
            elif best[s - 1] + leave[s - 1] > new[s]:
                new[s], new_link[s] = best[s - 1] + leave[s - 1], link[s - 1]
            new[s] = max(new[s] + score[t, s], NEVER)
        best[:] = new
        link[:] = new_link
    top, at = _best_end(best, link, per_word, words)
    if best[size - 1] >= top:
        top, at = best[size - 1], link[size - 1]
    return _followed(chosen, before, at), top


@numba.njit(nogil=True)
def _best_end(score, link, per_word, words):
    """Return the most of `score` (S,) that a word ends with, and that state's link."""
    top, at = NEVER, np.int32(-1)
    for w in range(words):
        s = (w + 1) * per_word - 1
        if score[s] > top:
            top, at = score[s], link[s]
    return top, at


@numba.njit(nogil=True)
def _followed(chosen, before, at):
    """Return the words of the chain of links that ends at `at`, in order; 0 and -1 are no link."""
    found = [0]
    while at > 0:
        found.append(chosen[at])
        at = before[at]
    return np.array(found[1:][::-1], np.int32)
