import numpy as np
import pytest

from ima.features.covarep.formants import _drop_jumps, _fill, formants

A = ((730, 60), (1150, 90), (2500, 120), (3500, 150), (4400, 200))
I = ((300, 50), (2300, 90), (3000, 120), (3700, 150), (4500, 200))  # noqa: E741


@pytest.mark.parametrize("spoken", [A, I])
@pytest.mark.parametrize("f0", [90.0, 125.0])
def test_formants_of_a_vowel(vowel, spoken, f0):
    found = formants(vowel(f0, formants=spoken).wave, 16_000)[5:-5]
    true = np.array([hz for hz, _ in spoken])
    error = np.abs(np.median(found, axis=0) - true) / true
    # F1 is pulled to a harmonic of F0.
    assert error[0] < 0.2 and (error[1:] < 0.08).all()


def test_two_vowels_are_distinguished(vowel):
    a, i = (np.median(formants(vowel(formants=f).wave, 16_000), axis=0) for f in (A, I))
    assert a[0] > 1.5 * i[0] and i[1] > 1.5 * a[1]


def test_jumps_are_dropped_but_not_at_the_ends():
    found = np.tile([500.0, 1500, 2500, 3500, 4500], (7, 1))
    found[3, 1] = 1900
    found[0, 1] = 1900
    _drop_jumps(found)
    assert found[3].tolist() == [500, 0, 2500, 3500, 4500]
    assert found[0, 1] == 1900
    _fill(found)
    assert found[3].tolist() == [500, 1500, 2500, 3500, 4500]


def test_silence_and_short_waves():
    assert formants(np.zeros(300), 16_000).shape == (0, 5)
    assert not formants(np.zeros(3200), 16_000).any()
