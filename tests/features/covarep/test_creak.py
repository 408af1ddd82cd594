import numpy as np
import pytest

from ima.features.covarep.creak import creak


@pytest.mark.parametrize(("rate_hz", "jitter"), [(30, 0.2), (45, 0.1)])
def test_irregular_slow_pulses_are_creaky(vowel, rate_hz, jitter):
    wave = vowel(rate_hz, rd=0.5, jitter=jitter, open_hz=120, seconds=2).wave
    assert creak(wave, 16_000).mean() > 0.9


@pytest.mark.parametrize(("f0", "rd"), [(80, 1.0), (110, 1.0), (200, 1.0), (110, 2.5)])
def test_modal_and_breathy_vowels_are_not_creaky(vowel, f0, rd):
    assert creak(vowel(f0, rd, jitter=0.01).wave, 16_000).mean() < 0.01


def test_noise_silence_and_short_waves_are_not_creaky(noise):
    assert creak(noise, 16_000).mean() < 0.02
    assert not creak(np.zeros(16_000), 16_000).any()
    assert creak(np.ones(100), 16_000).tolist() == [0] * 100
