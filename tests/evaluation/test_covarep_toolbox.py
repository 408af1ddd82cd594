"""What is compared with the toolbox's output, and what is said of a folder that isn't one."""

import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile

from ima.evaluation.covarep_files import recordings
from ima.evaluation.covarep_toolbox import (
    agreement,
    both,
    correlation,
    differences,
    likeness,
    pairs_of,
)
from ima.features.covarep.dictionary import COLUMNS, NAMES
from ima.utils.errors import InputError
from tests.features.covarep.conftest import make_vowel

F0, VUV, HMPDM = (COLUMNS[NAMES.index(name)] for name in ("F0", "VUV", "HMPDM_9"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder like the toolbox's of two recordings, with numbers that are ours."""
    from ima.features.covarep import extract

    folder = tmp_path_factory.mktemp("toolbox")
    for name in ("wav", "covarep", "covarep_rdfix"):
        (folder / name).mkdir()
    for name, f0 in (("a", 110.0), ("b", 160.0)):
        wave = folder / "wav" / f"{name}.wav"
        soundfile.write(wave, make_vowel(f0, seconds=0.9, jitter=0.02).wave, 16_000)
        table = extract(*soundfile.read(wave)).to_pandas()[["time_s", *NAMES]]
        table[["Rd", "Rd_conf"]].to_csv(folder / "covarep_rdfix" / f"{name}.csv", index=False)
        table["Rd"] = -1.0  # of the toolbox that is not repaired
        table.to_csv(folder / "covarep" / f"{name}.csv", index=False)
        (folder / "covarep" / f"{name}.gci.csv").write_text("gci_s\n0.1\n")
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(made, tmp_path / "toolbox")


def test_equal_tables_agree(made):
    assert recordings(made) == ["a", "b"]
    pairs = [both(made, name) for name in recordings(made)]
    found = agreement(*(pd.concat([p[i] for p in pairs]) for i in (0, 1))).set_index("feature")
    assert list(found.index) == list(NAMES)
    varying = found["agreement"].dropna()
    assert len(varying) > 45 and varying.min() > 0.9999
    assert found["largest_difference"].max() < 1e-3
    assert found["frames"]["VUV"] == 180 and 100 < found["frames"]["F0"] < 180


def test_rd_is_the_repaired_one_where_there_is_one(folder):
    ours, theirs = both(folder, "a")
    assert np.allclose(ours["Rd"], theirs["Rd"], atol=1e-5)
    shutil.rmtree(folder / "covarep_rdfix")
    assert (both(folder, "a")[1]["Rd"] == -1).all()


def test_what_the_toolbox_s_own_extraction_lacks_may_lack(folder):
    file = folder / "covarep/a.csv"
    pd.read_csv(file).drop(columns=["HRF", "F1"]).to_csv(file, index=False)
    found = agreement(*both(folder, "a")).set_index("feature")
    assert found["frames"][["HRF", "F1"]].tolist() == [0, 0]
    assert found["agreement"][["HRF", "F1"]].isna().all()
    assert found["agreement"]["F2"] > 0.9999


def test_voiced_frames_with_a_value_are_compared():
    theirs = pd.DataFrame({"VUV": [1, 0, 1, 1], "F0": [100, 120, np.nan, 140]})
    ours = pd.DataFrame({"VUV": [1, 1, 0, 1], "F0": [101, 121, 131, 141]})
    assert [values.tolist() for values in pairs_of(F0, ours, theirs)] == [[101, 141], [100, 140]]
    assert [values.tolist() for values in pairs_of(VUV, ours, theirs)] == [
        [1, 1, 0, 1],
        [1, 0, 1, 1],
    ]


def test_likeness_by_hand():
    a, b = np.array([1.0, 2, 3, 6]), np.array([2.0, 4, 5, 13])
    # Deviations (-2, -1, 0, 3) and (-4, -2, -1, 7): 31 / sqrt(14 * 70).
    assert correlation(a, b) == likeness(F0, a, b) == pytest.approx(31 / np.sqrt(980))
    assert likeness(VUV, np.array([1, 0, 1, 1]), np.array([1, 1, 1, 1])) == 3 / 4
    assert np.isnan(correlation(a, np.full(4, 2.0))) and np.isnan(likeness(VUV, a[:0], a[:0]))


def test_angles_go_round():
    """-3.1 and 3.1 are near one another; turned all round, angles stay what they are."""
    assert differences(HMPDM, np.array([-3.1]), np.array([3.1])) == pytest.approx(2 * np.pi - 6.2)
    angles = np.random.default_rng(0).normal(3.1, 0.3, 200)
    wrapped = np.angle(np.exp(1j * angles))
    assert likeness(HMPDM, wrapped, wrapped) == pytest.approx(1)
    assert correlation(angles, wrapped) < 0.5 < likeness(HMPDM, angles, wrapped)


#: What can be wrong with the folder: by name, how it is spoilt and what is said.
WRONG = {
    "no folder": (shutil.rmtree, "wav: expected wav files .*, found none.*reference is a folder"),
    "no table": (lambda f: (f / "covarep/b.csv").unlink(), r"covarep/b\.csv: .* found no file"),
    "no Rd": (lambda f: (f / "covarep_rdfix/b.csv").unlink(), r"rdfix/b\.csv: .* found no file"),
    "fewer frames": (
        lambda f: cut(f / "covarep/b.csv"),
        r"covarep/b\.csv: expected 90 frames, .* found 88",
    ),
    "fewer frames of Rd": (
        lambda f: cut(f / "covarep_rdfix/b.csv"),
        r"covarep_rdfix/b\.csv: expected 90 frames, .* found 88",
    ),
    "column missing": (
        lambda f: drop(f / "covarep/b.csv", "NAQ"),
        r"covarep/b\.csv: expected COVAREP's columns.*, found no NAQ",
    ),
    "text": (
        lambda f: (f / "covarep/b.csv").write_text("F0\nhigh\n"),
        r"covarep/b\.csv: .*, found no VUV, NAQ",
    ),
    "words among numbers": (
        lambda f: say(f / "covarep/b.csv", "PSP"),
        r"covarep/b\.csv: .*, found text in PSP",
    ),
    "empty table": (lambda f: (f / "covarep/b.csv").write_bytes(b""), r"b\.csv: expected a CSV"),
    "random bytes": (
        lambda f: (f / "covarep/b.csv").write_bytes(np.random.default_rng(0).bytes(2000)),
        r"b\.csv: expected",
    ),
    "no sound": (lambda f: (f / "wav/b.wav").write_text("x"), r"wav/b\.wav: expected a sound file"),
}


def cut(file):
    pd.read_csv(file).iloc[:-2].to_csv(file, index=False)


def drop(file, column):
    pd.read_csv(file).drop(columns=column).to_csv(file, index=False)


def say(file, column):
    pd.read_csv(file).astype({column: str}).replace({column: {"0.0": "none"}}).to_csv(
        file, index=False
    )


@pytest.mark.parametrize("name", WRONG)
def test_a_folder_that_is_not_the_toolbox_s(folder, name):
    spoil, said = WRONG[name]
    spoil(folder)
    with pytest.raises(InputError, match=said):
        for one in recordings(folder):
            both(folder, one)
