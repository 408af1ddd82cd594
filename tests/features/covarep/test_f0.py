import numpy as np
import pytest

from ima.features.covarep.f0 import f0_srh


@pytest.mark.parametrize("f0", [80.0, 125.0, 200.0, 320.0])
def test_f0_of_a_steady_vowel(vowel, f0):
    pitch = f0_srh(vowel(f0).wave, 16_000)
    assert pitch.voiced[5:-5].all()
    # A period is a whole number of samples: 16,000 / 50 = 320.
    true = 16_000 / round(16_000 / f0)
    assert np.abs(pitch.f0[5:-5] - true).max() <= 1.5


def test_noise_is_unvoiced(noise):
    assert f0_srh(noise, 16_000).voiced.mean() < 0.1


def test_frames_are_10_ms_apart_and_lie_within_the_wave():
    pitch = f0_srh(np.random.default_rng(0).standard_normal(3200), 16_000)
    assert pitch.sample.tolist() == list(range(800, 3200 - 799 + 1, 160))


def test_short_and_silent_waves():
    assert f0_srh(np.zeros(1500), 16_000).f0.size == 0
    silent = f0_srh(np.zeros(16_000), 16_000)
    assert not silent.voiced.any()
    assert np.isfinite(silent.f0).all()
