"""Frames of ours and of openSMILE's are matched as told, and recordings chosen by rule."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from pyarrow import csv

from ima.evaluation.voice_agreement import RELATED, SAME, choose, matched
from ima.features.voice import columns, extract
from ima.reporting.tables.voice_agreement import AGREEMENT
from ima.utils.errors import InputError
from ima.utils.io import write_parquet
from ima.utils.schemas_emotion import SPANS
from ima.workflow import script
from tests.features.covarep.conftest import make_vowel

SCRIPT = Path(__file__).parents[2] / "workflow/scripts/voice_agreement.py"
PITCH, F1 = "F0semitoneFrom27.5Hz_sma3nz", "F1frequency_sma3nz"


# Which recordings


def corpus(**counts):
    """Return speakers and files, three spans a file, of so many files a speaker."""
    rows = [(who, f"{who}/{i}.wav") for who, n in counts.items() for i in range(n)] * 3
    return [who for who, _ in rows], [file for _, file in rows]


def test_as_many_of_each_speaker_and_no_file_twice():
    chosen = choose(*corpus(a=50, b=7, c=50), most=30)
    assert [who for who, _ in chosen] == ["a"] * 10 + ["b"] * 7 + ["c"] * 10
    assert len(set(chosen)) == len(chosen)
    # Not the first ones.
    assert {file for who, file in chosen if who == "a"} != {f"a/{i}.wav" for i in range(10)}


def test_the_choice_does_not_depend_on_the_order_of_rows():
    speakers, files = corpus(a=9, b=9)
    assert choose(speakers, files, 6) == choose(speakers[::-1], files[::-1], 6)


def test_choose_subset_if_more_speakers_than_recordings():
    chosen = choose(*corpus(**{f"s{i}": 2 for i in range(50)}), most=40)
    assert len(chosen) == len({who for who, _ in chosen}) == 40


def test_a_corpus_of_nothing():
    with pytest.raises(InputError, match="recordings: expected at least one, found none"):
        choose([], [])


# Frames


def table(features, time_s, tracks, unmeasured=None):
    """Return a table of `extract`; columns that aren't given are 0, all frames are measured."""
    names = [column.name for column in columns(features)]
    flags = np.ones((len(time_s), len(names)), bool)
    for name, frames in (unmeasured or {}).items():
        flags[frames, names.index(name)] = False
    zero = np.zeros(len(time_s), np.float32)
    found = {"time_s": time_s} | {n: np.asarray(tracks.get(n, zero), np.float32) for n in names}
    measured = pa.FixedSizeListArray.from_arrays(pa.array(flags.ravel()), len(names))
    return pa.table(found | {"measured": measured})


OURS_S = 0.005 + 0.01 * np.arange(10)  # .005 ... .095
THEIRS_S = 0.01 + 0.01 * np.arange(9)  # .010 ... .090


def pair(mine=None, other=None, unmeasured=None, their_unmeasured=None):
    """Return both tables of one voiced recording, as lists."""
    mine = {"VUV": np.ones(10), "F0": np.full(10, 110.0)} | (mine or {})
    other = {PITCH: np.full(9, 24.0)} | (other or {})
    return (
        [table("covarep55", OURS_S, mine, unmeasured)],
        [table("egemaps", THEIRS_S, other, their_unmeasured)],
    )


def of(reference, name):
    return next(f for f in reference.features if f.column.name == name)


def test_semitones_become_hz():
    """24 semitones over 27.5 Hz are two octaves: 110 Hz."""
    f0 = of(matched(*pair(), ["a"]), "F0")
    assert f0.theirs == pytest.approx(np.full(8, 110.0)) and f0.kind == SAME
    assert (f0.ours == 110).all() and set(f0.speaker) == {"a"}


def test_theirs_are_read_at_our_times():
    """A line over time stays that line; outside of their frames, .010 to .090 s, there is none."""
    reference = matched(*pair({"F1": 300 + 1000 * OURS_S}, {F1: 300 + 1000 * THEIRS_S}), ["a"])
    f1 = of(reference, "F1")
    assert f1.ours.tolist() == pytest.approx((300 + 1000 * OURS_S[1:9]).tolist())
    assert f1.theirs == pytest.approx(f1.ours)


def test_a_frame_without_a_value_of_either_is_not_compared():
    gone = {"F1": [4]}, {F1: [6]}  # ours at .045; theirs at .070, which .065 and .075 lie beside
    reference = matched(*pair({"F1": OURS_S}, {F1: THEIRS_S}, *gone), ["a"])
    assert of(reference, "F1").ours == pytest.approx([0.015, 0.025, 0.035, 0.055, 0.085])
    assert of(reference, "F0").ours.size == 8


def test_voicing():
    """Voiced is what both call voiced; halfway between voiced and unvoiced counts as voiced."""
    mine = {"VUV": [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]}
    other = {PITCH: [24, 24, 24, 0, 0, 0, 0, 24, 24]}  # voiced to .030, from .080
    reference = matched(*pair(mine, other, {"VUV": [0, 9]}), ["a"])
    vuv = of(reference, "VUV")
    assert vuv.ours.tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert vuv.theirs.tolist() == [1, 1, 1, 0, 0, 0, 1, 1]  # at .015, .025 ... .085
    assert reference.voiced == pytest.approx((4 / 8, 5 / 8, 3 / 8))
    assert of(reference, "F3").ours.size == 3


def test_recordings_of_speakers_one_after_the_other():
    tables = [side * 3 for side in pair()]
    reference = matched(*tables, ["a", "b", "a"])
    assert (reference.recordings, reference.speakers) == (3, 2)
    assert of(reference, "F0").speaker.tolist() == ["a"] * 8 + ["b"] * 8 + ["a"] * 8


def test_different_units_have_no_difference():
    reference = matched(*pair(), ["a"])
    assert [f.column.name for f in reference.features if not f.alike] == ["peakSlope"]
    related = [f.column.name for f in reference.features if f.kind == RELATED]
    assert related == ["H1H2", "peakSlope"]


# Real measures


def test_pitch_of_a_glide_agrees_within_a_hertz():
    """Were their frames 30 ms late, as openSMILE stamps them, 100 Hz/s would make it 3 Hz."""
    t = np.arange(round(1.5 * 16_000)) / 16_000
    phase = np.cumsum(100 + 100 * t) / 16_000
    wave = 0.2 * sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 20))
    wave += 1e-4 * np.random.default_rng(0).standard_normal(t.size)
    sides = ([extract(wave, 16_000, kind)] for kind in ("covarep55", "egemaps"))
    reference = matched(*sides, ["a"])
    f0 = of(reference, "F0")
    assert f0.ours.size > 100
    assert abs(np.median(f0.ours - f0.theirs)) < 1
    assert reference.voiced[2] > 0.9


@pytest.mark.parametrize(
    "vowel", [((300, 50), (2300, 90), (3000, 120)), ((730, 60), (1150, 90), (2500, 120))]
)
def test_formants_of_known_vowels_are_closer_than_opensmiles(vowel):
    """What the caption and docs/covarep.md say."""
    wave = make_vowel(formants=(*vowel, (3600, 150), (4500, 200)), jitter=0.01).wave
    sides = ([extract(wave, 16_000, kind)] for kind in ("covarep55", "egemaps"))
    reference = matched(*sides, ["a"])
    hz = [of(reference, f"F{i}") for i in (1, 2, 3)]
    error = {
        who: max(
            abs(np.median(getattr(f, who)) / true - 1)
            for f, (true, _) in zip(hz, vowel, strict=True)
        )
        for who in ("ours", "theirs")
    }
    assert error["ours"] < 0.12 and error["theirs"] > 0.3


# The rule's script


class Files(SimpleNamespace):
    """Files by name, as Snakemake gives them to a script."""

    def __iter__(self):
        return iter(vars(self).values())


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """A job of the rule on two short recordings of each of two speakers."""
    monkeypatch.chdir(tmp_path)
    rows = []
    for who, f0 in (("a", 100.0), ("b", 180.0)):
        for i in range(2):
            file = f"{who}{i}.wav"
            soundfile.write(file, make_vowel(f0 + 10 * i, seconds=0.9, jitter=0.02).wave, 16_000)
            rows.append((f"{who}{i}", 0, who, file, 0.0, 0.9))
    rows = [dict(zip(SPANS.names, row, strict=True)) for row in rows]
    write_parquet(pa.Table.from_pylist(rows, schema=SPANS), "spans.parquet", SPANS)
    names = ("table", "pdf", "png")
    output = {n: f"made/voice.{'csv' if n == 'table' else n}" for n in names}
    params = {"run": "toy", "corpus": "made", "root": ".", "remove_offset": True}
    return SimpleNamespace(
        rule="voice_agreement",
        input=Files(spans="spans.parquet"),
        output=Files(**output),
        params=SimpleNamespace(**params),
        wildcards={},
        log=["voice.log"],
        threads=1,
    )


def run(planned, capfd):
    spec = importlib.util.spec_from_file_location("voice_agreement", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    capfd.readouterr()
    try:
        script.run(module.main, planned)
    except SystemExit as error:
        assert error.code == 1
    return capfd.readouterr().err


def test_table_and_figure(planned, capfd):
    said = run(planned, capfd)
    assert said.startswith("voice_agreement: ") and "agreement" in said
    found = csv.read_csv("made/voice.csv")
    assert found.column_names == AGREEMENT.names and len(found) == 7
    assert Path("made/voice.png").stat().st_size > 10_000
