import numpy as np
import pytest

from ima.features.covarep import lf
from ima.features.covarep.hmpd import MIN_FRAMES, _scale, harmonic_phase_distortion, wrap
from ima.features.covarep.rd import rd_msp
from ima.features.covarep.sinusoids import Sinusoids, sinusoids


def of_model(rd, f0=100.0, frames=3, tract=None, shift=0.3, scramble=None):
    """Harmonics of the LF model itself, moved by a share of the period, through `tract`."""
    h = int(8000 / f0 - 0.5)
    values = lf.spectrum(rd, h) * np.exp(2j * np.pi * shift * np.arange(1, h + 1))
    if tract is not None:
        values = values * tract(np.exp(2j * np.pi * f0 * np.arange(1, h + 1) / 16_000))
    values = np.concatenate([[np.abs(values[0])], values])
    rows = np.tile(values, (frames, 1))
    if scramble is not None:
        rows = rows * np.exp(2j * np.pi * scramble.random(rows.shape))
    full = np.full(frames, f0)
    count = np.full(frames, h + 1)
    return Sinusoids(np.arange(frames), full, full, count, np.abs(rows), np.angle(rows))


def resonance(z):
    radius, angle = 0.95, 2 * np.pi * 700 / 16_000
    return 1 / (1 - 2 * radius * np.cos(angle) / z + radius**2 / z**2)


@pytest.mark.parametrize("rd", [0.5, 1.0, 1.7, 2.3])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_rd_of_the_lf_model(rd, shift):
    # Brent's search looks for a local minimum to 0.01.
    found, confidence = rd_msp(of_model(rd, shift=shift), 16_000)
    assert found == pytest.approx(rd, abs=0.02)
    assert (confidence > 0.98).all()


def test_rd_does_not_depend_on_the_vocal_tract():
    found, confidence = rd_msp(of_model(1.0, tract=resonance), 16_000)
    assert found == pytest.approx(1.0, abs=0.1)
    assert (confidence > 0.95).all()


def test_confidence_of_random_phases_is_low():
    scrambled = of_model(1.0, frames=200, scramble=np.random.default_rng(0))
    # Seven uniform phase errors: sqrt(pi^2 / 3) / pi = .577 on average, less the best Rd's gain.
    assert rd_msp(scrambled, 16_000)[1].mean() == pytest.approx(1 - 0.577, abs=0.1)


def test_too_few_harmonics_and_silence_have_no_rd():
    few = of_model(1.0, f0=1000.0)
    silent = of_model(1.0)._replace(amplitude=np.zeros((3, 80)))
    for frames in (few, silent):
        assert not np.any(rd_msp(frames, 16_000))


def test_sinusoids_of_two_harmonics_by_hand():
    t = np.arange(4000) / 16_000
    wave = np.cos(2 * np.pi * 200 * t) + 0.5 * np.cos(2 * np.pi * 400 * t + 1.0)
    centre = 1600  # t = .1 s: 20 and 40 whole cycles
    found = sinusoids(wave, 16_000, np.array([centre]), np.array([200.0]))
    # Amplitudes are of the two-sided spectrum: one half.
    assert found.amplitude[0, 1:3] == pytest.approx([0.5, 0.25], rel=0.01)
    assert found.phase[0, 1:3] == pytest.approx([0, 1], abs=0.02)
    assert found.spacing[0] == pytest.approx(200, abs=20)
    assert found.count[0] == 41  # 8000 / 200 - 1/2, rounded up, and DC


def test_frames_beyond_the_ends_are_excluded():
    found = sinusoids(np.ones(1000), 16_000, np.array([100, 500, 950]), np.full(3, 100.0))
    assert found.frame.tolist() == [1]


def test_steady_phases_have_no_deviation_and_random_ones_have():
    steady = harmonic_phase_distortion(of_model(1.0, frames=100), 16_000)
    chance = np.random.default_rng(0)
    random = harmonic_phase_distortion(of_model(1.0, frames=100, scramble=chance), 16_000)
    assert steady.mean.shape == (100, 25) and steady.deviation.shape == (100, 13)
    assert random.deviation[:, 0].mean() > steady.deviation[:, 0].mean() + 2
    assert np.abs(steady.mean).max() <= np.pi
    # The first coefficients lie under the first harmonic.
    assert np.abs(steady.mean[:, :5]).max() < 1e-6


def test_minimum_phase_harmonics_are_not_distorted():
    zero = of_model(1.0, frames=80)
    zero = zero._replace(amplitude=np.ones_like(zero.amplitude), phase=np.zeros_like(zero.phase))
    assert np.abs(harmonic_phase_distortion(zero, 16_000).mean[:, :24]).max() < 1e-6


def test_phase_distortion_needs_73_frames():
    assert MIN_FRAMES == 73
    assert len(harmonic_phase_distortion(of_model(1.0, frames=72), 16_000).mean) == 0
    assert len(harmonic_phase_distortion(of_model(1.0, frames=73), 16_000).mean) == 73


def test_scale_of_the_means():
    scale = _scale()
    assert scale[:8].tolist() == list(range(1, 9))
    assert scale[-1] == 25 and (np.diff(scale) >= 0).all() and set(scale) == set(range(1, 26))


def test_wrap():
    assert wrap(np.array([0.0, 3.5, -3.5, 7.0])) == pytest.approx(
        [0, 3.5 - 2 * np.pi, 2 * np.pi - 3.5, 7 - 2 * np.pi]
    )
