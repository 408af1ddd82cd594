import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy.signal import lfilter

from ima.features.covarep import lf

RATE = 16_000
#: Formants (Hz, bandwidth Hz) of a neutral vowel.
NEUTRAL = ((500, 60), (1500, 90), (2500, 120), (3500, 150), (4500, 200))


class Vowel(NamedTuple):
    wave: np.ndarray
    source: np.ndarray  # the flow derivative, in the scale of no filter
    gci: np.ndarray  # 0-based samples


def make_vowel(f0=125.0, rd=1.0, seconds=1.2, formants=NEUTRAL, jitter=0.0, open_hz=None, seed=0):
    """An LF source through resonances; `open_hz` sets the length of pulses, whatever their rate."""
    noise = np.random.default_rng(seed)
    n = round(seconds * RATE)
    source, gci, start = np.zeros(n + RATE), [], 0
    te = lf.shape(rd)[0]
    while start < n:
        period = max(round(RATE / f0 * (1 + jitter * noise.standard_normal())), 32)
        length = min(period, round(RATE / (open_hz or f0)))
        source[start : start + length] = lf.pulse(rd, length)
        gci.append(start + round(te * length))
        start += period
    source = source[:n]
    wave = source
    for hz, width in formants:
        radius = np.exp(-np.pi * width / RATE)
        wave = lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * hz / RATE), radius**2], wave)
    wave = 0.3 * wave / np.abs(wave).max() + 1e-5 * noise.standard_normal(n)
    return Vowel(wave, source, np.array([g for g in gci if g < n]))


@pytest.fixture(scope="session")
def vowel():
    return make_vowel


@pytest.fixture(scope="session")
def noise():
    return 0.1 * np.random.default_rng(1).standard_normal(RATE)


@pytest.fixture(scope="session")
def reference():
    """The output of the toolbox, if available."""
    root = Path(__file__).parents[3]
    shared = Path(os.environ.get("IMA_SHARED", root.parent / "shared"))
    folder = shared / "reference" / "covarep"
    if not folder.is_dir():
        pytest.skip(f"the toolbox's output is not at {folder} (set IMA_SHARED)")
    return folder
