import numpy as np
import pytest

from ima.features.covarep.mdq import mdq
from ima.features.covarep.peak_slope import peak_slope
from ima.features.covarep.wavelet import octave_bands


def test_bands_are_centred_and_peak_at_their_octave():
    impulse = np.eye(1, 2001, 1000)[0]
    bands = octave_bands(impulse, range(7))
    assert np.abs(bands).argmax(axis=1).tolist() == [1000] * 7
    for scale, band in enumerate(bands):
        top = np.abs(np.fft.rfft(band, 2**14)).argmax() / 2**14
        assert top == pytest.approx(2.0 ** -(scale + 1), rel=0.05)


def test_mdq_of_impulses_is_one_sample_by_hand():
    # Every band is largest at the impulse, one sample from where COVAREP measures: 1 / period.
    excitation = np.zeros(2000)
    gci = np.arange(100, 1900, 100)
    excitation[gci] = -1.0  # the wavelet is a negative cosine: its maximum sits on -1
    assert mdq(excitation, gci)[1:-1] == pytest.approx(1 / 100)


def test_mdq_grows_with_dispersion():
    excitation, gci = np.zeros(4000), np.arange(200, 3800, 160)
    excitation[gci] = -1.0
    smeared = np.convolve(excitation, np.hanning(60), "same")
    smeared += 0.3 * np.random.default_rng(0).standard_normal(4000)
    assert mdq(smeared, gci).mean() > 2 * mdq(excitation, gci).mean()


def test_mdq_at_the_ends_and_without_closures():
    assert mdq(np.ones(300), np.array([10, 150, 290])).tolist()[::2] == [0, 0]
    assert mdq(np.ones(300), np.array([], int)).size == 0
    assert mdq(np.ones(300), np.array([10])).tolist() == [0]


def test_peak_slope_of_an_impulse_is_zero():
    # One impulse is as high in every band.
    at, slope = peak_slope(np.eye(1, 1280, 640)[0], 16_000)
    assert at.tolist() == [320, 480, 640, 800, 960]
    assert slope[1:] == pytest.approx(0, abs=1e-9)


def test_peak_slope_of_a_step_falls_by_an_octave():
    # Integration halves the response with every octave of frequency: log10(1/2).
    slope = peak_slope(np.repeat([0.0, 1.0], 2000), 16_000)[1]
    assert slope[slope != 0].min() == pytest.approx(np.log10(0.5), abs=0.05)


def test_peak_slope_of_silence_and_of_short_waves():
    assert peak_slope(np.zeros(1600), 16_000)[1].tolist() == [0] * 7
    assert peak_slope(np.zeros(639), 16_000)[1].size == 0
