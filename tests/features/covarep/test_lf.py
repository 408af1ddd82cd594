import numpy as np
import pytest

from ima.features.covarep import lf


def test_shape_at_rd_1_by_hand():
    # Ra = .038, Rk = .342, Rg = .342 / (4 (.11 / (.5 + 1.2 x .342) - .038)).
    te, tp, ta = lf.shape(1.0)
    rg = 0.342 / (4 * (0.11 / 0.9104 - 0.038))
    assert (te, tp, ta) == pytest.approx((1.342 / (2 * rg), 1 / (2 * rg), 0.038))


@pytest.mark.parametrize("rd", [0.3, 0.5, 1.0, 1.7, 2.5])
def test_pulse_excites_at_te_and_sums_to_zero(rd):
    n = 20_000
    pulse = lf.pulse(rd, n)
    assert pulse.min() == pytest.approx(-1, abs=1e-2)
    assert pulse.argmin() == pytest.approx(lf.shape(rd)[0] * n, abs=2)
    assert pulse.mean() == pytest.approx(0, abs=1e-4)
    # Rd is the normalised amplitude quotient over .11, by definition; the shapes are a regression.
    flow = np.cumsum(pulse) / n
    assert flow.max() - flow.min() == pytest.approx(0.11 * rd, rel=0.11)


@pytest.mark.parametrize("rd", [0.3, 1.0, 2.5])
def test_spectrum_matches_the_pulse(rd):
    n = 2**16
    sampled = np.fft.fft(lf.pulse(rd, n))[1:21] / n
    assert np.abs(lf.spectrum(rd, 20) - sampled).max() < 2e-5
