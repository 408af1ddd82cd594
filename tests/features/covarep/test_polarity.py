import numpy as np
import pytest

from ima.features.covarep.polarity import polarity


@pytest.mark.parametrize(("f0", "rd"), [(110, 0.5), (110, 1.0), (180, 1.7)])
def test_polarity_of_an_lf_vowel(vowel, f0, rd):
    wave = vowel(f0, rd).wave
    assert polarity(wave, 16_000) == 1
    assert polarity(-wave, 16_000) == -1


@pytest.mark.parametrize("n", [0, 1, 30, 5000])
def test_silence_has_positive_polarity(n):
    assert polarity(np.zeros(n), 16_000) == 1
