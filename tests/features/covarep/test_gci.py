import numpy as np
import pytest

from ima.features.covarep.gci import _nearest, gci_sedreams


@pytest.mark.parametrize(("f0", "rd"), [(100, 0.5), (125, 1.0), (200, 1.0), (125, 2.0)])
def test_closures_of_an_lf_vowel(vowel, f0, rd):
    spoken = vowel(f0, rd)
    found = gci_sedreams(spoken.wave, 16_000, f0)
    inner = spoken.gci[5:-5]
    error = np.abs(inner[:, None] - found).min(axis=1)
    assert (error <= 8).mean() >= 0.95  # 0.5 ms
    between = found[(found > inner[0] - 20) & (found < inner[-1] + 20)]
    assert between.size == pytest.approx(inner.size, abs=1)


def test_instants_half_a_period_off_are_the_negative_control(vowel):
    spoken = vowel(125, 1.0)
    found = gci_sedreams(spoken.wave, 16_000, 125) + 64
    error = np.abs(spoken.gci[5:-5, None] - found).min(axis=1)
    assert (error <= 8).mean() == 0


@pytest.mark.parametrize("wave", [np.zeros(0), np.zeros(1), np.zeros(8000), np.ones(50)])
def test_waves_without_pitch_have_at_most_one_closure(wave):
    assert gci_sedreams(wave, 16_000, 100.0).size <= 1


def test_nearest_takes_the_lower_in_a_tie():
    assert _nearest(np.array([0, 10, 20]), np.array([-3, 5, 6, 15, 99])).tolist() == [0, 0, 1, 1, 2]
    assert _nearest(np.array([4]), np.array([1, 9])).tolist() == [0, 0]
