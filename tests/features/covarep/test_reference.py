"""Agreement with the output of the toolbox; skipped if it is not available."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ima.features.covarep import f0_srh, gci_sedreams, glottal_parameters, iaif, polarity
from ima.features.covarep.dictionary import COLUMNS, NAMES

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "covarep_agreement.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("covarep_agreement", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_likeness_by_hand(benchmark):
    f0, vuv, angle = (COLUMNS[NAMES.index(name)] for name in ("F0", "VUV", "HMPDM_9"))
    a, b = np.array([1.0, 2, 3, 6]), np.array([2.0, 4, 5, 13])
    # Deviations (-2, -1, 0, 3) and (-4, -2, -1, 7): 31 / sqrt(14 * 70).
    assert benchmark.likeness(f0, a, b) == pytest.approx(31 / np.sqrt(980))
    assert benchmark.likeness(vuv, np.array([1, 0, 1, 1]), np.array([1, 1, 1, 1])) == 3 / 4
    assert np.isnan(benchmark.likeness(f0, a, np.full(4, 2.0)))
    angles = np.random.default_rng(0).normal(3.1, 0.3, 200)
    wrapped = np.angle(np.exp(1j * angles))  # turned all round, angles are the same
    assert benchmark.likeness(f0, angles, wrapped) < 0.5
    assert benchmark.likeness(angle, angles, wrapped) == pytest.approx(1)


@pytest.fixture(scope="module")
def pairs(reference, benchmark):
    return {name: benchmark.both(reference, name) for name in benchmark.recordings(reference)}


def test_every_agreement_goal_is_reached(pairs, benchmark):
    whole = [pd.concat([pair[i] for pair in pairs.values()]) for i in (0, 1)]
    found = benchmark.agreement(*whole).set_index("feature")["agreement"]
    missed = {name: found[name] for name, goal in benchmark.GOALS.items() if found[name] < goal}
    assert not missed


def test_dictionary_states_the_measured_agreement(pairs, benchmark):
    whole = [pd.concat([pair[i] for pair in pairs.values()]) for i in (0, 1)]
    found = benchmark.agreement(*whole).set_index("feature")["agreement"]
    for column in COLUMNS:
        if np.isfinite(column.agreement):
            assert found[column.name] >= column.agreement - 5e-5, column.name


def test_shuffled_frames_are_the_negative_control(pairs, benchmark):
    ours, theirs = (pd.concat([pair[i] for pair in pairs.values()]) for i in (0, 1))
    voiced = theirs["VUV"] == 1
    order = np.random.default_rng(0).permutation(int(voiced.sum()))
    shuffled = benchmark.agreement(ours[voiced].iloc[order], theirs[voiced]).set_index("feature")
    assert shuffled.drop("VUV")["agreement"].abs().max() < 0.2


def test_as_close_to_the_lf_model_as_the_toolbox(reference, pairs, benchmark):
    assert (benchmark.against_truth(reference, pairs)["verdict"] == "pass").all()


def test_polarity_matches_the_toolbox(reference):
    table = pd.read_csv(reference / "timings.csv").set_index("file")["polarity"]
    for name, expected in table.items():
        assert polarity(*soundfile.read(reference / "wav" / f"{name}.wav")) == expected, name


@pytest.mark.parametrize("name", ["howto_0011_arctic_bdl1", "fsdd_8_george_28"])
def test_closures_and_their_values_match_one_by_one(reference, name):
    wave, rate = soundfile.read(reference / "wav" / f"{name}.wav")
    wave = wave * polarity(wave, rate)
    pitch = f0_srh(wave, rate)
    gci = gci_sedreams(wave, rate, float(np.median(pitch.f0[pitch.voiced])))
    voicing = np.interp(gci - 1, pitch.sample - 1, pitch.voiced.astype(float), 0, 0)
    gci = gci[(voicing >= 0.5) & (gci >= 1)]
    theirs = pd.read_csv(reference / "covarep" / f"{name}.gci.csv")
    assert gci.tolist() == (theirs["gci_s"] * rate - 1).round().astype(int).tolist()
    ours = glottal_parameters(*iaif(wave, rate, gci), rate, gci)
    for column in ("NAQ", "H1H2", "PSP", "HRF"):
        mine = getattr(ours, column.lower())
        assert mine == pytest.approx(theirs[column].to_numpy(), abs=1e-5), column
    # The width at half height is a whole number of samples: ties may fall either way.
    assert np.abs(ours.qoq - theirs["QOQ"]).max() < 0.02
