"""Five formants from the chirp group delay of the zero-phase signal (CGDZP)."""

import numpy as np
from numba import njit
from numpy.lib.stride_tricks import sliding_window_view

from ima.features.covarep.lpc import round_half_up

FORMANTS = 5
_DFT = 2048
_BINS = round(_DFT / 3.2)  # 0-5 kHz at 16 kHz
_RADIUS, _RADIUS_STEP = 1.12, 0.01
_RADIUS_RANGE = (1.01, 1.25)
#: A formant is dropped if the two frames before and after have none within this distance (Hz).
_JUMP = 250.0
_BLOCK = 128  # frames analysed at once


def formants(wave: np.ndarray, rate: int) -> np.ndarray:
    """Track five formants on 30 ms Blackman frames, every 10 ms.

    Bozkurt, Doval, d'Alessandro & Dutoit, "Improved differential phase spectrum processing for
    formant tracking", ICSLP 2004: peaks of the group delay on a circle outside the unit circle,
    whose radius is varied until there are five.

    Args:
        wave: samples (n,).
        rate: sampling rate in Hz.

    Returns:
        Frequencies in Hz (m, 5), increasing; missing formants are 0 and come first. Frame k covers
        samples k hop ... k hop + 30 ms. Waves under 40 ms give no frames.
    """
    length, hop = round_half_up(0.03 * rate), round_half_up(0.01 * rate)
    n = max((wave.size - length) // hop, 0)
    found = np.zeros((n, FORMANTS))
    window = np.blackman(length)
    for first in range(0, n, _BLOCK):
        rows = np.arange(first, min(first + _BLOCK, n))
        frames = sliding_window_view(wave, length)[rows * hop] * window
        found[rows] = _peaks_of_group_delay(_zero_phase(frames))
    found = np.floor(found * rate / _DFT + 0.5)
    _drop_jumps(found)
    _fill(found)
    return found


def _zero_phase(frames):
    difference = np.diff(frames, axis=1)
    return np.fft.ifft(np.abs(np.fft.fft(difference, axis=1)), axis=1).real


def _peaks_of_group_delay(zero_phase):
    """Return the bins (n, 5) of the first five peaks, at a radius with exactly five if possible."""
    n, length = zero_phase.shape
    radius, best = np.full(n, _RADIUS), np.zeros((n, FORMANTS))
    active = np.arange(n)
    while active.size:
        decay = np.exp(-np.log(radius[active])[:, None] * np.arange(length))
        chirp = np.fft.rfft(zero_phase[active] * decay, _DFT, axis=1)[:, :_BINS]
        delay = -np.diff(np.angle(chirp), axis=1)
        count = np.empty(active.size, int)
        for row, which in enumerate(active):
            count[row] = _first_peaks(delay[row], best[which])
        # Larger radii give smoother curves; a search that would reverse has skipped five.
        more = (count > FORMANTS) & (radius[active] >= _RADIUS)
        fewer = (count < FORMANTS) & (radius[active] <= _RADIUS)
        radius[active[more]] += _RADIUS_STEP
        radius[active[fewer]] -= _RADIUS_STEP
        inside = (radius[active] > _RADIUS_RANGE[0]) & (radius[active] < _RADIUS_RANGE[1])
        active = active[(more | fewer) & inside]
    return best


@njit(cache=True)
def _first_peaks(delay, out):
    """Write the 1-based bins of peaks above five neighbours on each side; return their number."""
    out[:] = 0.0
    count = 0
    for i in range(5, delay.size - 6):
        top = True
        for j in range(1, 6):
            high = max(delay[i - j], delay[i + j])
            # The two nearest neighbours on each side may be equally high.
            if delay[i] < high or (j > 2 and delay[i] == high):
                top = False
                break
        if top:
            if count < out.size:
                out[count] = i + 1
            count += 1
    return count


@njit(cache=True)
def _drop_jumps(found):
    """Set formants to 0 that have no similar one in the two frames before and after; keep ends."""
    cost = np.zeros(found.shape)
    for n in range(2, len(found) - 2):
        for m in range(FORMANTS):
            near = np.inf
            for other in (n - 2, n - 1, n + 1, n + 2):
                near = min(near, np.min(np.abs(found[other] - found[n, m])))
            cost[n, m] = near
    for n in range(len(found)):
        for m in range(FORMANTS):
            if cost[n, m] > _JUMP:
                found[n, m] = 0.0


def _fill(found):
    """Fill missing formants from the frames before and after, and sort each frame."""
    for n in range(1, len(found) - 1):
        present = found[n][found[n] > 0]
        missing = FORMANTS - present.size
        if missing == 0 or present.size == 0:
            continue
        around = np.sort(np.concatenate([found[n - 1], found[n + 1]]))
        around = around[around > 0]
        far = np.abs(around[:, None] - present).min(axis=1, initial=np.inf) > _JUMP
        candidates = around[far]
        if candidates.size > missing == 1:
            # Choose the candidate on which the two neighbouring frames agree best.
            candidates = candidates[[np.diff(candidates).argmin()]]
        chosen = np.concatenate([present, candidates[:missing]])
        found[n] = np.sort(np.concatenate([chosen, np.zeros(FORMANTS - chosen.size)]))
