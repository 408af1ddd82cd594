"""Compiled inner loops: emissions, best path through a known string, best string of any words.

All functions use log probabilities. numba compiles them at the first call (about 5 s) and keeps the
result beside this file, or in the user's cache folder if this one is not writable.
"""

import numba
import numpy as np

#: The log probability of impossible events; finite, so that sums of it stay comparable.
NEVER = -1e30


@numba.njit(nogil=True, cache=True)
def emissions(x, mean, precision, constant, states):
    """Return log densities (T, N) of each frame x[t] (D,) under the Gaussian of states[n]."""
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


@numba.njit(nogil=True, cache=True)
def best_path(score, stay, leave, skip_from, first, last):
    """Find the best path through a chain of N nodes, some of which may be skipped.

    Args:
        score: (T, N) log emission densities.
        stay, leave: (N,) log probabilities of staying at a node and of moving on from it.
        skip_from: (N,) an earlier node from which node n can also be entered, or -1.
        first, last: (N,) log probability of starting and of ending at a node.

    Returns:
        The path, int32 (T,), and its log probability, at most NEVER / 2 if there is no path.
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


@numba.njit(nogil=True, cache=True)
def add_statistics(x, states, count, total, square, entries):
    """Add frames x (T, D) to the sums of their states (T,), and count entries into each state."""
    for t in range(len(x)):
        s = states[t]
        count[s] += 1
        for d in range(x.shape[1]):
            total[s, d] += x[t, d]
            square[s, d] += x[t, d] * x[t, d]
        if t == 0 or s != states[t - 1]:
            entries[s] += 1


@numba.njit(nogil=True, cache=True)
def best_string(score, stay, leave, per_word, words, penalty):
    """Find the best string of any words, with optional pauses.

    Args:
        score: (T, S) log emission densities of all states: `words` words of `per_word` states,
            followed by silence.
        stay, leave: (S,) log probabilities of staying in a state and of leaving it.
        per_word: the number of states per word.
        words: the number of words.
        penalty: log prior probability of a word.

    Returns:
        The indices of the words, in order, and the log probability of the path.
    """
    frames, size = score.shape
    silence = words * per_word
    # Word histories are linked lists: entering a word adds (word, link to the previous entry).
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


@numba.njit(nogil=True, cache=True)
def _best_end(score, link, per_word, words):
    """Return the maximum of `score` (S,) over the last states of words, and its link."""
    top, at = NEVER, np.int32(-1)
    for w in range(words):
        s = (w + 1) * per_word - 1
        if score[s] > top:
            top, at = score[s], link[s]
    return top, at


@numba.njit(nogil=True, cache=True)
def _followed(chosen, before, at):
    """Return the words along the links ending at `at`, in order; links 0 and -1 are empty."""
    words = [0]
    while at > 0:
        words.append(chosen[at])
        at = before[at]
    return np.array(words[1:][::-1], np.int32)
