"""Detect creaky voice (vocal fry) by glottal pulses that are strong, irregular and similar."""

from itertools import pairwise

import numpy as np
from scipy.signal import butter, correlate, sosfiltfilt

from ima.features.covarep.lpc import round_half_up
from ima.features.covarep.peaks import peaks

#: Thresholds: minimum rise and fall of power at a pulse (dB), maximum periodicity, minimum
#: similarity, and maximum time between pulses (s). The 7 dB of the paper are interpreted as in
#: COVAREP, as 20 log10 of mean power.
POWER_DB, PERIODICITY, SIMILARITY, INTERVAL_S = 3.5, 0.5, 0.5, 0.1


def creak(wave: np.ndarray, rate: int) -> np.ndarray:
    """Detect the samples that lie between two pulses of creaky voice.

    Ishi, Sakakibara, Ishiguro & Hagita, "A method for automatic detection of vocal fry", IEEE TASLP
    16(1), 2008. COVAREP itself uses a trained network, whose weights are not used here.

    Args:
        wave: samples (n,).
        rate: sampling rate in Hz, over 3,000.

    Returns:
        1.0 in creaky voice, else 0.0 (n,).
    """
    out = np.zeros(wave.size)
    if wave.size < 0.05 * rate or not np.any(wave):
        return out
    band = sosfiltfilt(butter(3, [100, 1500], "bandpass", fs=rate, output="sos"), wave)
    pulse = _pulses(band, rate)
    pulse = pulse[_periodicity(band, rate, pulse) <= PERIODICITY]
    for before, after in pairwise(pulse):
        if after - before <= INTERVAL_S * rate and _similar(band, rate, before, after):
            out[before : after + 1] = 1.0
    return out


def _pulses(band, rate):
    """Return the positions of power peaks that stand out from the 10 ms before and after."""
    length, hop = round_half_up(0.004 * rate), round_half_up(0.002 * rate)
    total = np.concatenate([[0.0], np.cumsum(band**2)])
    start = np.arange(0, band.size - length + 1, hop)
    power = 10 * np.log10(np.maximum(total[start + length] - total[start], 1e-12) / length)
    at = peaks(power)
    stay = []
    for i in at:
        near = power[max(i - 3, 0)], power[min(i + 3, power.size - 1)]
        rise = power[i] - power[max(i - 5, 0) : i].min(initial=power[i])
        fall = power[i] - power[i + 1 : i + 6].min(initial=power[i])
        loud = power[i] > power.max() - 30  # dB
        stay.append(loud and power[i] - 1 >= max(near) and min(rise, fall) >= POWER_DB)
    return start[at[np.array(stay, bool)]] + length // 2


def _periodicity(band, rate, pulse):
    """Return the intraframe periodicity of 32 ms around each pulse, about 0 to 1."""
    half, longest = round_half_up(0.016 * rate), round_half_up(0.015 * rate)
    shortest = round_half_up(0.002 * rate)
    out = np.zeros(pulse.size)
    for n, centre in enumerate(pulse):
        frame = band[max(centre - half, 0) : centre + half]
        lags = correlate(frame, frame, method="fft")[frame.size - 1 :]
        if lags[0] <= 0 or frame.size <= longest:
            continue
        value = lags[: longest + 1] / lags[0] * frame.size / (frame.size - np.arange(longest + 1))
        best = shortest + int(value[shortest:].argmax())
        # A true period repeats at its multiples; a chance similarity does not.
        multiples = np.arange(best, longest + 1, best)
        slack = round_half_up(0.001 * rate)
        out[n] = min(value[max(m - slack, shortest) : m + slack + 1].max() for m in multiples)
    return out


def _similar(band, rate, before, after):
    """Return whether 15 ms around two pulses correlate by at least 0.5 at their best shift."""
    half, shift = round_half_up(0.0075 * rate), round_half_up(0.0025 * rate)
    a = band[max(before - half, 0) : before + half + 1]
    b = band[max(after - half - shift, 0) : after + half + shift + 1]
    if b.size < a.size:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(b, a.size)
    norm = np.linalg.norm(windows, axis=1) * np.linalg.norm(a)
    return bool((windows @ a / np.maximum(norm, 1e-300)).max() >= SIMILARITY)
