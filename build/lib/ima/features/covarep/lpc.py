"""Linear prediction, shared by several methods: Levinson recursion and overlap-add residual."""

import numpy as np
from numba import njit


@njit(cache=True)
def autocorrelation(frame, order):
    """Return the autocorrelation of `frame` at lags 0..order, shape (order + 1,)."""
    lags = np.zeros(order + 1)
    for lag in range(min(order + 1, frame.size)):
        total = 0.0
        for i in range(frame.size - lag):
            total += frame[i] * frame[i + lag]
        lags[lag] = total
    return lags


@njit(cache=True)
def predictor(frame, order):
    """Return the prediction-error filter 1 + a1 z^-1 + ... of a frame (autocorrelation method).

    Args:
        frame: windowed samples (n,).
        order: number of poles, >= 1.

    Returns:
        Coefficients (order + 1,). The first is 1; the others are 0 if the frame is silent.
    """
    lags = autocorrelation(frame, order)
    a = np.zeros(order + 1)
    a[0] = 1.0
    error = lags[0]
    for m in range(1, order + 1):
        if error <= 0.0:
            break
        acc = lags[m]
        for i in range(1, m):
            acc += a[i] * lags[m - i]
        k = -acc / error
        for i in range(1, m // 2 + 1):
            upper = a[m - i] + k * a[i]
            a[i] += k * a[m - i]
            a[m - i] = upper
        a[m] = k
        error *= 1.0 - k * k
    return a


@njit(cache=True)
def fir(a, x):
    """Filter `x` with the moving-average coefficients `a` from zero initial state; same length."""
    y = np.zeros(x.size)
    for i in range(x.size):
        total = 0.0
        for k in range(min(a.size, i + 1)):
            total += a[k] * x[i - k]
        y[i] = total
    return y


@njit(cache=True)
def _residual(wave, model, window, shift, order):
    out = np.zeros(wave.size)
    length = window.size
    frame, source = np.empty(length), np.empty(length)
    for start in range(0, wave.size - length, shift):
        before, after = 0.0, 0.0
        for i in range(length):
            frame[i] = wave[start + i] * window[i]
            source[i] = model[start + i] * window[i]
            before += frame[i] * frame[i]
        error = fir(predictor(source, order), frame)
        for i in range(length):
            after += error[i] * error[i]
        if after > 0.0:
            gain = np.sqrt(before / after)
            for i in range(length):
                out[start + i] += gain * error[i]
    return out


def residual(
    wave: np.ndarray,
    rate: int,
    order: int,
    *,
    model: np.ndarray | None = None,
    window_s: float = 0.025,
    shift_s: float = 0.005,
) -> np.ndarray:
    """Return the linear-prediction residual by overlap-add of energy-normalised frames.

    Drugman & Dutoit, "Glottal closure and opening instant detection from speech signals",
    Interspeech 2009, section 2.

    Args:
        wave: samples (n,).
        rate: Hz.
        order: prediction order.
        model: signal (n,) to which the predictors are fitted; by default `wave` itself.
        window_s, shift_s: frame length and shift in s.

    Returns:
        Residual (n,) with maximum magnitude 1; zero where `wave` is silent and within the last
        frame.
    """
    window = np.hanning(round_half_up(window_s * rate) + 1)
    wave = np.ascontiguousarray(wave)
    source = wave if model is None else np.ascontiguousarray(model)
    out = _residual(wave, source, window, round_half_up(shift_s * rate), order)
    peak = np.abs(out).max(initial=0.0)
    return out / peak if peak > 0 else out


def round_half_up(value: float) -> int:
    """Round to the nearest integer, with halves rounded up (Python rounds them to even)."""
    return int(np.floor(value + 0.5))
