import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from ima.features.covarep import lf
from ima.features.covarep.glottal import _curvature, _quotients, glottal_parameters
from ima.features.covarep.iaif import _high_pass, iaif


def test_inverse_filtering_recovers_the_source(vowel):
    spoken = vowel(f0=100, rd=1.0)
    flow, derivative = iaif(spoken.wave, 16_000, spoken.gci)
    inner = slice(spoken.gci[10], spoken.gci[-10])
    assert np.corrcoef(derivative[inner], spoken.source[inner])[0, 1] > 0.9
    # The control: the wave itself is less like the source.
    assert np.corrcoef(spoken.wave[inner], spoken.source[inner])[0, 1] < 0.75
    # Flow is the (leaky) integral of its derivative.
    assert np.corrcoef(np.diff(flow[inner]), derivative[inner][1:])[0, 1] > 0.95


def test_no_flow_without_two_closures():
    for gci in ([], [50]):
        flow, derivative = iaif(np.ones(100), 16_000, np.array(gci, int))
        assert not flow.any() and not derivative.any()


def test_high_pass_filter_does_not_depend_on_threads():
    """Its last digits decide ties, so features would depend on the number of cores."""
    found = []
    for threads in (1, 2, 4):
        _high_pass.cache_clear()
        with threadpool_limits(threads, "blas"):
            found.append(_high_pass(16_000).tobytes())
    assert len(set(found)) == 1


@pytest.mark.parametrize("rd", [0.5, 1.0, 1.7, 2.5])
def test_parameters_of_the_lf_model(rd):
    n, periods = 160, 30  # 100 Hz
    derivative = np.tile(lf.pulse(rd, n), periods)
    flow = np.cumsum(derivative)
    gci = round(lf.shape(rd)[0] * n) + n * np.arange(periods)
    found = glottal_parameters(flow, derivative, 16_000, gci)
    inner = slice(3, -3)
    pulse = lf.pulse(rd, 20_000)
    true = np.cumsum(pulse) / 20_000
    # Flow is measured over the line from closure to closure.
    naq = true.max() - true[pulse.argmin()]
    assert found.naq[inner] == pytest.approx(naq, rel=0.17)
    h = 20 * np.log10(np.abs(lf.spectrum(rd, 2)))
    assert found.h1h2[inner] == pytest.approx(h[0] - h[1], abs=0.3)
    assert np.all((found.qoq[inner] > 0.1) & (found.qoq[inner] < 0.7))


def test_naq_qoq_h1h2_psp_rise_with_rd():
    found = []
    for rd in (0.5, 1.0, 1.7, 2.5):
        derivative = np.tile(lf.pulse(rd, 160), 20)
        gci = round(lf.shape(rd)[0] * 160) + 160 * np.arange(20)
        p = glottal_parameters(np.cumsum(derivative), derivative, 16_000, gci)
        found.append([p.naq[10], p.qoq[10], p.h1h2[10], p.psp[10]])
    assert (np.diff(found, axis=0) > 0).all()


def test_quotients_of_a_triangle_by_hand():
    # Rises 5 samples to 1, falls 5: peak 1, steepest 1/5, period 10: NAQ 1/2. Above one half
    # it is 5 samples wide, and both searches stop at the sample at or under one half: 6/10.
    flow = np.concatenate([np.arange(6), np.arange(4, -1, -1)]) / 5
    derivative = np.diff(flow, prepend=0)
    naq, qoq = _quotients(flow, derivative, 0, 10, 10, 0)
    assert (naq, qoq) == pytest.approx((1 / 2, 6 / 10))


def test_curvature_of_a_parabola_is_exact():
    k = np.arange(1024.0)
    assert _curvature(3 - 0.01 * k**2, 0.01) == pytest.approx(-0.01)


def test_curvature_uses_only_the_first_bins():
    # What comes after a tooth at bin 20 does not count.
    k = np.arange(1024.0)
    level = 40 - 0.05 * k**2
    level[20:] = 500
    other = level.copy()
    other[30:] = -500
    assert _curvature(level, 0.01) == _curvature(other, 0.01)


def test_psp_needs_a_preceding_period():
    derivative = np.tile(lf.pulse(1.0, 160), 5)
    psp = glottal_parameters(
        np.cumsum(derivative), derivative, 16_000, 100 + 160 * np.arange(5)
    ).psp
    assert psp[0] == 0 and psp[1:].all()


def test_periods_outside_20_to_500_hz_have_no_value():
    derivative = np.tile(lf.pulse(1.0, 160), 20)
    gci = np.array([160, 180, 340, 2340])  # 800 Hz, 100 Hz, 8 Hz
    found = np.array(glottal_parameters(np.cumsum(derivative), derivative, 16_000, gci))
    assert not found[:, 1].any() and not found[:, 3].any()
    assert found[:3, 2].all()
