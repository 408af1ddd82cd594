import numpy as np
import pytest

from ima.features.covarep.lpc import autocorrelation, fir, predictor, residual, round_half_up
from ima.features.covarep.peaks import peaks, thin


def test_predictor_of_two_equal_samples_by_hand():
    # Lags 2, 1: a1 = -1/2.
    assert predictor(np.array([1.0, 1.0]), 1) == pytest.approx([1, -1 / 2])
    # Lags 3, 2, 1: k1 = -2/3, error 5/3, k2 = -(1 - 4/3) / (5/3) = 1/5; a1 = -2/3 (1 + 1/5).
    assert predictor(np.ones(3), 2) == pytest.approx([1, -4 / 5, 1 / 5])


def test_predictor_of_silence_predicts_nothing():
    assert predictor(np.zeros(50), 4).tolist() == [1, 0, 0, 0, 0]


def test_predictor_solves_the_normal_equations():
    frame = np.random.default_rng(0).standard_normal(200).cumsum() * np.hanning(200)
    lags = autocorrelation(frame, 12)
    matrix = lags[np.abs(np.arange(12)[:, None] - np.arange(12))]
    assert predictor(frame, 12)[1:] == pytest.approx(-np.linalg.solve(matrix, lags[1:]), rel=1e-6)


def test_fir_by_hand():
    assert fir(np.array([1.0, -0.5]), np.array([2.0, 2.0, 0.0])).tolist() == [2, 1, -1]


def test_residual_finds_the_impulses_behind_a_resonance(vowel):
    spoken = vowel(f0=100)
    excitation = residual(spoken.wave, 16_000, 18)
    assert np.abs(excitation).max() == 1
    strong = np.argsort(excitation)[-40:]
    near = np.abs(strong[:, None] - spoken.gci).min(axis=1)
    assert np.median(near) <= 2


def test_residual_of_silence_and_of_a_short_wave_is_silent():
    assert not residual(np.zeros(1000), 16_000, 18).any()
    assert residual(np.ones(10), 16_000, 18).tolist() == [0] * 10


def test_halves_round_up():
    assert [round_half_up(x) for x in (0.5, 1.5, 2.5, -0.5, 2.49)] == [1, 2, 3, 0, 2]


def test_peaks_and_plateaus():
    assert peaks(np.array([0.0, 1, 0, 2, 2, 0, 3, 3, 3, 0, 4])).tolist() == [1, 3, 7]
    assert peaks(np.array([3.0, 2, 1])).size == peaks(np.zeros(5)).size == 0


def test_thinning_keeps_the_higher_of_close_peaks():
    place, height = np.array([0, 3, 10, 12]), np.array([1.0, 2, 5, 5])
    assert thin(place, height, 3.0).tolist() == [1, 2]
    assert thin(place, height, 0.5).tolist() == [0, 1, 2, 3]
