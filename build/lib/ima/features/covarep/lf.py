"""The Liljencrants-Fant (LF) model of the glottal flow derivative with a single parameter, Rd."""

import numpy as np
from scipy.optimize import brentq

#: Range of Rd, from tense to lax voice, covered by the regression of Fant (1995).
RD_RANGE = (0.3, 2.5)


def shape(rd: float) -> tuple[float, float, float]:
    """Return the LF parameters te, tp and ta for a value of Rd, as fractions of the period.

    Fant, "The LF-model revisited. Transformations and frequency domain analysis", STL-QPSR
    36(2-3), 1995, Eqs. 2-4.

    Args:
        rd: 0.3 (tense) ... 2.5 (lax).

    Returns:
        Instants of the main excitation (te) and of the flow's peak (tp), and the time constant
        of the return phase (ta).
    """
    ra = (-1 + 4.8 * rd) / 100
    rk = (22.4 + 11.8 * rd) / 100
    rg = rk / (4 * (0.11 * rd / (0.5 + 1.2 * rk) - ra))
    tp = 1 / (2 * rg)
    return tp * (1 + rk), tp, ra


def _parameters(rd):
    """Return (te, omega, alpha, epsilon, e0) of a pulse with period 1 and excitation 1."""
    te, tp, ta = shape(rd)
    omega, closed = np.pi / tp, 1 - te
    # Solve 1 - exp(-epsilon closed) = epsilon ta; the root is slightly below 1 / ta.
    epsilon = brentq(lambda e: 1 - np.exp(-e * closed) - e * ta, 1e-3 / ta, 2 / ta, xtol=1e-12)
    # The flow of the return phase, which the open phase must balance.
    back = (1 - np.exp(-epsilon * closed)) / (epsilon**2 * ta)
    back -= closed * np.exp(-epsilon * closed) / (epsilon * ta)
    sine, cosine = np.sin(omega * te), np.cos(omega * te)

    def balance(alpha):
        """Return the net flow of a period for a growth rate alpha; it must be 0."""
        open_phase = omega * np.exp(-alpha * te) + alpha * sine - omega * cosine
        return (alpha**2 + omega**2) * sine * back + open_phase

    top = 1.0
    while balance(0.0) * balance(top) > 0:
        top *= 2
    alpha = brentq(balance, 0.0, top, xtol=1e-12)
    return te, omega, alpha, epsilon, -1 / (np.exp(alpha * te) * sine)


def pulse(rd: float, n: int) -> np.ndarray:
    """Return one period (n,) of the flow derivative, with the excitation at -1.

    Fant, Liljencrants & Lin, "A four-parameter model of glottal flow", STL-QPSR 26(4), 1985.

    Args:
        rd: shape parameter, 0.3 ... 2.5.
        n: samples per period.
    """
    te, omega, alpha, epsilon, e0 = _parameters(rd)
    ta = shape(rd)[2]
    t = np.arange(n) / n
    opening = e0 * np.exp(alpha * np.minimum(t, te)) * np.sin(omega * t)
    closing = -(np.exp(-epsilon * (t - te)) - np.exp(-epsilon * (1 - te))) / (epsilon * ta)
    return np.where(t <= te, opening, closing)


def spectrum(rd: float, harmonics: int) -> np.ndarray:
    """Return the Fourier coefficients of the flow derivative at harmonics 1..`harmonics`.

    The integral of the pulse (period 1) times exp(-2 pi i k t), in closed form; compare Doval &
    d'Alessandro, "Spectral correlates of glottal waveform models", ICASSP 1997.

    Args:
        rd: shape parameter, 0.3 ... 2.5.
        harmonics: number of harmonics, >= 1.

    Returns:
        Complex (harmonics,).
    """
    te, omega, alpha, epsilon, e0 = _parameters(rd)
    ta = shape(rd)[2]
    s = 2j * np.pi * np.arange(1, harmonics + 1)
    a = alpha - s
    opening = e0 * (
        (np.exp(a * te) * (a * np.sin(omega * te) - omega * np.cos(omega * te)) + omega)
        / (a**2 + omega**2)
    )
    tail = np.exp(-epsilon * (1 - te))
    decay = (np.exp(-s * te) - np.exp(-s) * tail) / (epsilon + s)
    floor = tail * (np.exp(-s * te) - np.exp(-s)) / s
    return opening - (decay - floor) / (epsilon * ta)
