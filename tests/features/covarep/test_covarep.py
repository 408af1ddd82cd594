import sys
import warnings
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
import soxr

from ima.features.covarep import MIN_RATE, extract
from ima.features.covarep.__main__ import main
from ima.features.covarep.dictionary import COLUMNS, NAMES, as_markdown
from ima.features.voice import measured

RATE = 16_000
DOCS = Path(__file__).parents[3] / "docs"


def values(table):
    return np.stack([table[name].to_numpy() for name in NAMES], axis=1)


@pytest.fixture(scope="module")
def speech(vowel):
    """A vowel between two noises, 1.5 s: voiced from .3 to 1.2 s."""
    wave = 0.01 * np.random.default_rng(0).standard_normal(24_000)
    wave[4800:19_200] += vowel(125, 1.0, seconds=0.9).wave
    return wave


def test_names_of_the_55_features():
    expected = ["F0", "VUV", "NAQ", "QOQ", "H1H2", "PSP", "MDQ", "peakSlope", "Rd", "Rd_conf"]
    expected += ["creak"]
    expected += [f"HMPDM_{i}" for i in range(25)] + [f"HMPDD_{i}" for i in range(13)]
    expected += ["F1", "F2", "F3", "F4", "F5", "HRF"]
    assert list(NAMES) == expected and len(NAMES) == 55


def test_table_has_the_10_ms_grid(speech):
    table = extract(speech, RATE)
    assert table.column_names == ["time_s", *NAMES, "measured"]
    assert table["time_s"].to_numpy() == pytest.approx(79 / 16_000 + 0.01 * np.arange(150))
    assert measured(table).shape == (150, 55)
    assert values(table).dtype == np.float32 and np.isfinite(values(table)).all()


def test_values_match_the_synthetic_vowel(speech):
    table = extract(speech, RATE).to_pandas()
    inner = table[(table["time_s"] > 0.4) & (table["time_s"] < 1.1)]
    assert (inner["VUV"] == 1).all()
    assert inner["F0"].median() == pytest.approx(125, abs=1)
    assert inner["Rd"].median() == pytest.approx(1.0, abs=0.25)
    outside = table[(table["time_s"] < 0.2) | (table["time_s"] > 1.3)]
    assert (outside["VUV"] == 0).mean() > 0.9


@pytest.mark.parametrize("recording", ["speech", "two stretches"])
def test_measured_values_are_within_the_documented_ranges(speech, recording):
    wave = speech if recording == "speech" else np.concatenate([speech, speech])
    table = extract(wave, RATE)
    for column, track, known in zip(COLUMNS, values(table).T, measured(table).T, strict=True):
        assert known.any(), column.name
        low = -np.inf if column.low is None else np.float32(column.low)
        high = np.inf if column.high is None else np.float32(column.high)
        assert low <= track[known].min() and track[known].max() <= high, column.name


def test_start_of_a_voiced_segment_is_not_measured(speech):
    # The value of COVAREP there belongs to a period as long as the gap, or is 0.
    table = extract(np.concatenate([speech, speech]), RATE)
    naq, known = table["NAQ"].to_numpy(), measured(table)[:, NAMES.index("NAQ")]
    assert naq[known].min() > 0.02
    assert naq[table["VUV"].to_numpy() == 1].min() < 0.01


def test_measured_distinguishes_filled_values_from_zeros(speech):
    table = extract(speech, RATE)
    flags = dict(zip(NAMES, measured(table).T, strict=True))
    time, voiced = table["time_s"].to_numpy(), table["VUV"].to_numpy() == 1
    # The first and last 50 ms have no pitch; the 0 there is filled in.
    assert not flags["F0"][(time < 0.05) | (time > 1.45)].any()
    assert flags["F0"][(time > 0.06) & (time < 1.44)].all()
    assert not (flags["NAQ"] & ~voiced).any() and flags["NAQ"].any()
    assert not values(table)[~flags["F0"], 0].any()
    # A measured 0: no creak, no voice.
    assert flags["creak"].all() and not table["creak"].to_numpy().any()


def test_result_does_not_depend_on_polarity(speech):
    assert extract(-speech, RATE).equals(extract(speech, RATE))


def test_extract_is_deterministic(speech):
    first = extract(speech, RATE)
    np.random.seed(5)  # noqa: NPY002
    assert extract(speech.copy(), RATE).equals(first)


def test_extract_does_not_change_its_input(speech):
    before = speech.copy()
    extract(speech, RATE)
    assert (speech == before).all()


def test_only_hrf_depends_on_scale(speech):
    loud, soft = (values(extract(speech * k, RATE)) for k in (1.0, 0.25))
    for i, name in enumerate(NAMES):
        apart = np.abs(loud[:, i] - soft[:, i]) / (1 + np.abs(loud[:, i]))
        # Rounding may tip a frame of the phase columns at the ends.
        assert (np.quantile(apart, 0.85) > 1e-4) == (name == "HRF"), name


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_sampling_rates(speech, rate):
    table = extract(soxr.resample(speech, RATE, rate), rate).to_pandas()
    assert len(table) == pytest.approx(150, abs=1)
    voiced = table[table["VUV"] == 1]
    assert 85 <= len(voiced) <= 100
    assert voiced["F0"].median() == pytest.approx(125, abs=1)
    assert voiced["NAQ"].median() == pytest.approx(0.117, abs=0.03)  # the model's, at Rd 1
    assert voiced["Rd"].median() == pytest.approx(1.0, abs=0.3)


def test_integers_are_scaled_to_full_scale(speech):
    whole = np.round(speech * 32768)
    a, b = extract(whole / 32768, RATE), extract(whole.astype(np.int16), RATE)
    assert a.equals(b)


def _cases(wave):
    silence = np.zeros(8000)
    t = np.arange(RATE) / RATE
    return {
        "silence": np.zeros(RATE),
        "constant": np.ones(RATE),
        "clipped": np.clip(wave * 20, -1, 1),
        "50 ms": wave[8000:8800],
        "10 ms": wave[8000:8160],
        "one sample": wave[:1],
        "nothing": wave[:0],
        "99 ms": wave[8000:9584],
        "101 ms": wave[8000:9616],
        "noise": 0.1 * np.random.default_rng(3).standard_normal(RATE),
        "offset": wave + 0.5,
        "impulse": np.eye(1, RATE, 8000)[0],
        "faint": wave * 1e-9,
        "tone": 0.5 * np.sin(2 * np.pi * 200 * t),
        "square": np.sign(np.sin(2 * np.pi * 100 * t)),
        "silence inside": np.concatenate([wave[:12_000], silence, wave[12_000:]]),
    }


@pytest.mark.parametrize("case", _cases(np.zeros(24_000)))
def test_unusual_input_gives_finite_values_without_a_warning(speech, case):
    wave = _cases(speech)[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = extract(wave, RATE)
    assert len(table) == (max(wave.size - 79, 0) + 159) // 160
    assert np.isfinite(values(table)).all()
    flags = measured(table)
    if case in ("silence", "constant"):
        assert not np.delete(flags, [1, 10], axis=1).any()  # but VUV and creak
    if wave.size <= 1600:
        assert not flags[:, NAMES.index("F0")].any()


def test_noise_has_no_glottal_values(noise):
    table = extract(noise, RATE)
    assert measured(table)[:, NAMES.index("NAQ")].mean() < 0.1


def test_only_a_large_offset_is_removed(speech):
    plain, rms = values(extract(speech, RATE)), speech.std()
    large = values(extract(speech + 2 * rms, RATE))
    assert np.abs(large - plain).max() < 0.1 or np.median(np.abs(large - plain)) < 1e-4
    small = speech + 0.2 * rms
    assert not extract(small, RATE).equals(extract(small, RATE, remove_offset=True))
    kept = extract(speech + 2 * rms, RATE, remove_offset=False)
    assert not kept.equals(extract(speech + 2 * rms, RATE))


@pytest.mark.parametrize(
    ("wave", "rate", "says"),
    [
        (np.array([0.0, np.nan, np.inf]), RATE, "2 NaN or infinite of 3"),
        (np.zeros((100, 2)), RATE, r"found shape \(100, 2\)"),
        (np.full(1000, 3000.0), RATE, "full scale"),
        (np.zeros(100, complex), RATE, "real samples"),
        (np.zeros(100), 2000, "5,000 Hz or more.*found 2000"),
        (np.zeros(4999), 4999, "5,000 Hz or more.*found 4999"),
    ],
)
def test_invalid_input_is_rejected(wave, rate, says):
    with pytest.raises(ValueError, match=says):
        extract(wave, rate)


def test_the_lowest_rate_is_measured(speech):
    """At 5 kHz the fifth harmonic of 500 Hz is in the last bin; F0 is that of the whole band."""
    low = soxr.resample(speech, RATE, MIN_RATE, quality="VHQ")
    table, whole = extract(low, MIN_RATE), extract(speech, RATE)
    assert np.isfinite(values(table)).all()
    n = min(len(table), len(whole))
    f0, voiced = NAMES.index("F0"), NAMES.index("VUV")
    both = (values(table)[:n, voiced] > 0) & (values(whole)[:n, voiced] > 0)
    far = np.abs(values(table)[:n, f0] - values(whole)[:n, f0])[both]
    assert both.sum() > 20 and np.median(far) <= 2


def test_feature_dictionary_in_the_docs_is_current():
    assert (DOCS / "feature_dictionary.md").read_text() == as_markdown() + "\n"


def test_every_paper_and_column_is_in_the_docs():
    text = (DOCS / "covarep.md").read_text()
    for column in COLUMNS:
        authors, year = column.paper.rsplit(" ", 1)
        assert authors.split()[0] in text and year in text, column.paper


def test_command_line(speech, tmp_path, monkeypatch, capsys):
    def run(out):
        monkeypatch.setattr(sys, "argv", ["covarep", str(tmp_path / "in.wav"), str(tmp_path / out)])
        return main()

    soundfile.write(tmp_path / "in.wav", speech, RATE, "DOUBLE")
    assert run("out.parquet") == run("out.csv") == 0
    assert pq.read_table(tmp_path / "out.parquet").equals(extract(speech, RATE))
    assert (tmp_path / "out.csv").read_text().startswith('"time_s","F0","VUV"')
    soundfile.write(tmp_path / "in.wav", np.eye(100, 2), RATE)
    assert run("x.csv") == 1 and "one channel" in capsys.readouterr().err
    assert not (tmp_path / "x.csv").exists()
