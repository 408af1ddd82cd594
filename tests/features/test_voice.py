import numpy as np
import pyarrow as pa
import pytest
import soundfile

from ima.features import covarep
from ima.features.voice import (
    columns,
    extract,
    extract_files,
    fit_scaler,
    frames_of,
    measured,
    scale,
    word_vectors,
)
from ima.utils.errors import InputError

RATE = 16_000
TIMES = 0.005 + 0.01 * np.arange(10)  # .005 ... .095


def glottal_buzz(seconds=1.0, f0=125):
    """A voiced wave: impulses through two resonances, with a little noise."""
    wave = np.zeros(round(seconds * RATE))
    wave[:: RATE // f0] = 0.3
    for pole in (0.97, 0.9):
        for n in range(2, wave.size):
            wave[n] += 1.8 * pole * wave[n - 1] - pole**2 * wave[n - 2]
    noise = np.random.default_rng(0).standard_normal(wave.size)
    return 0.5 * wave / np.abs(wave).max() + 1e-4 * noise


@pytest.fixture(scope="module")
def wave():
    return glottal_buzz()


def frames(**tracks):
    """A covarep55 table of ten frames; columns not given are 0, all are measured."""
    every = columns("covarep55")
    zero = np.zeros(10, np.float32)
    data = {c.name: np.asarray(tracks.get(c.name, zero), np.float32) for c in every}
    flags = np.ones((10, len(every)), bool)
    for i, name in enumerate(data):
        if f"{name}_measured" in tracks:
            flags[:, i] = tracks[f"{name}_measured"]
    flags = pa.FixedSizeListArray.from_arrays(pa.array(flags.ravel()), len(every))
    return pa.table({"time_s": TIMES} | data | {"measured": flags})


def column_of(name):
    return [c.name for c in columns("covarep55")].index(name)


# --- both sets ---


def test_both_sets_have_the_same_interface(wave):
    for features, width in (("covarep55", 55), ("egemaps", 25)):
        table = extract(wave, RATE, features)
        names = [c.name for c in columns(features)]
        assert len(names) == width
        assert table.column_names == ["time_s", *names, "measured"]
        assert measured(table).shape == (len(table), width)
        vectors = word_vectors(table, [(0.2, 0.5), (0.5, 0.503)], features)
        assert vectors.shape == (2, width) and np.isfinite(vectors).all()


def test_unknown_set_is_rejected():
    with pytest.raises(InputError, match="covarep55 or egemaps, found mfcc"):
        extract(np.zeros(100), RATE, "mfcc")


# --- egemaps ---


def test_egemaps_pitch_of_a_tone(wave):
    table = extract(wave, RATE, "egemaps").to_pandas()
    semitones = table["F0semitoneFrom27.5Hz_sma3nz"]
    voiced = semitones[(table["time_s"] > 0.2) & (table["time_s"] < 0.8)]
    assert voiced.median() == pytest.approx(12 * np.log2(125 / 27.5), abs=0.2)


@pytest.mark.parametrize(
    "name", ["Loudness_sma3", "F0semitoneFrom27.5Hz_sma3nz", "mfcc2_sma3", "HNRdBACF_sma3nz"]
)
def test_egemaps_frames_have_correct_times(name):
    # A change at .6 s of two vowels, in both orders: what is early in one is late in the other.
    low, high = glottal_buzz(1.2, 110), glottal_buzz(1.2, 160)
    high = np.convolve(high, [1, 0.9], "same")
    low, high = low / low.std(), high / high.std()
    late = []
    for a, b in ((low, high), (high, low)):
        joined = 0.05 * np.where(np.arange(a.size) < 0.6 * RATE, a, b)
        table = extract(joined, RATE, "egemaps")
        track, time = table[name].to_numpy(), table["time_s"].to_numpy()
        ends = [np.median(track[(time > t) & (time < t + 0.2)]) for t in (0.3, 0.7)]
        share = np.clip((track - ends[0]) / (ends[1] - ends[0]), 0, 1)
        near = (time > 0.5) & (time < 0.7)
        # The area above the curve is the time of the change.
        late.append(0.5 + 0.01 * np.sum(1 - share[near]) - 0.6)
    assert np.mean(late) == pytest.approx(0, abs=0.012)


def test_egemaps_clips_before_the_16_bit_cast(wave):
    # +1.0 would wrap to -1.0: a full-scale wave would turn into clicks.
    loud = wave / np.abs(wave).max()
    just_under = np.clip(loud, -1, 32767 / 32768)
    assert extract(loud, RATE, "egemaps").equals(extract(just_under, RATE, "egemaps"))
    over = extract(np.clip(wave * 1.9, -1.5, 1.5), RATE, "egemaps").to_pandas()
    assert np.isfinite(over.drop(columns="measured").to_numpy()).all()


def test_egemaps_of_silence_and_short_waves():
    assert not extract(np.zeros(800), RATE, "egemaps")["measured"].to_pylist()[0][0]
    table = extract(np.zeros(RATE), RATE, "egemaps")
    voiced = np.array([c.voiced for c in columns("egemaps")])
    assert not measured(table)[:, voiced].any()


# --- files ---


@pytest.mark.slow
def test_extract_files_keeps_order_for_any_number_of_processes(wave, tmp_path):
    paths = []
    for i, part in enumerate((wave[:6000], wave[:9000], wave[:3000])):
        paths.append(tmp_path / f"{i}.wav")
        soundfile.write(paths[-1], part, RATE, "DOUBLE")
    alone, together = list(extract_files(paths)), list(extract_files(paths, jobs=2))
    assert [len(t) for t in alone] == [38, 56, 19]
    assert all(a.equals(b) for a, b in zip(alone, together, strict=True))
    assert alone[1].equals(covarep.extract(wave[:9000], RATE))


def test_unusable_file_is_named(tmp_path):
    (tmp_path / "text.wav").write_text("no sound")
    soundfile.write(tmp_path / "stereo.wav", np.eye(100, 2), RATE)
    for jobs in (1, 2):
        with pytest.raises(InputError, match=r"text\.wav: expected audio"):
            list(extract_files([tmp_path / "text.wav"], jobs=jobs))
    with pytest.raises(InputError, match=r"stereo\.wav: expected one channel, found 2"):
        list(extract_files([tmp_path / "stereo.wav"]))
    with pytest.raises(InputError, match="covarep55 or egemaps"):
        extract_files([], "mfcc")


# --- words ---


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0.0, 0.1, range(10)),
        (0.015, 0.035, [1, 2]),  # a centre at the start is in, one at the end is not
        (0.0149, 0.0351, [1, 2, 3]),
        (0.006, 0.014, [0]),  # between two centres: the nearest to .010, the earlier on a tie
        (0.008, 0.014, [1]),
        (0.02, 0.02, [1]),
        (0.096, 0.104, [9]),  # after the last centre, within the last frame
        (-0.01, 0.004, [0]),
        (0.09, 5.0, [9]),  # alignments may run over the end
    ],
)
def test_frames_of_a_token(start, end, expected):
    assert frames_of(TIMES, start, end).tolist() == list(expected)


@pytest.mark.parametrize(
    ("start", "end"), [(0.05, 0.04), (0.2, 0.3), (-0.2, -0.1), (np.nan, 0.1), (0.0, np.nan)]
)
def test_tokens_outside_the_utterance_are_rejected(start, end):
    with pytest.raises(InputError, match="token"):
        frames_of(TIMES, start, end)
    with pytest.raises(InputError, match="utterance"):
        frames_of(np.zeros(0), 0.0, 0.1)


def test_word_vectors_by_hand():
    voiced = [0, 0, 1, 1, 1, 0, 0, 0, 0, 0]
    table = frames(
        VUV=voiced,
        F0=[50, 60, 100, 110, 120, 400, 1, 1, 1, 1],
        peakSlope=np.arange(10),
        HMPDM_9=[0, 0, 3, -3, np.pi, 0, 0, 0, 0, 0],
        F1=[0, 500, 0, 700, 0, 0, 0, 0, 0, 0],
        F1_measured=[0, 1, 0, 1, 0, 0, 0, 0, 0, 0],
    )
    word, unvoiced = word_vectors(table, [(0.01, 0.06), (0.06, 0.1)])
    # Frames 1-5: F0 over the voiced ones 2-4, VUV and peakSlope over all.
    assert word[column_of("F0")] == 110
    assert word[column_of("VUV")] == pytest.approx(3 / 5)
    assert word[column_of("peakSlope")] == 3
    # Angles 3, -3 and pi lie around pi.
    assert abs(word[column_of("HMPDM_9")]) == pytest.approx(np.pi, abs=1e-6)
    # A formant that was not found does not count as 0 Hz.
    assert word[column_of("F1")] == 600
    assert np.isnan(unvoiced[column_of("F0")]) and np.isnan(unvoiced[column_of("F1")])
    assert unvoiced[column_of("VUV")] == 0 and unvoiced[column_of("peakSlope")] == 7.5


# --- z-score ---

X = np.array([[1.0, 5], [3, 5], [10, np.nan], [30, 7]])
WHO = ["a", "a", "b", "b"]


def test_z_score_by_speaker_by_hand():
    scaler = fit_scaler(X, WHO, by="speaker")
    # a: mean 2, deviation 1; b: mean 20, deviation 10. The second column has no spread: centred.
    assert scale(X, WHO, scaler).tolist() == [[-1, 0], [1, 0], [-1, 0], [1, 0]]


def test_z_score_over_all_speakers_by_hand():
    scaler = fit_scaler(X, WHO, by="all")
    mean, deviation = 11, np.sqrt((100 + 64 + 1 + 361) / 4)
    assert scale(X, WHO, scaler)[:, 0] == pytest.approx((X[:, 0] - mean) / deviation)
    # Second column: 5, 5, 7: mean 17/3, variance 8/9; the missing value becomes the mean.
    second = np.array([-2 / 3, -2 / 3, 0, 4 / 3]) / np.sqrt(8 / 9)
    assert scale(X, WHO, scaler)[:, 1] == pytest.approx(second, abs=1e-6)


def test_unknown_speakers_use_statistics_of_all():
    by_speaker, of_all = fit_scaler(X, WHO), fit_scaler(X, WHO, by="all")
    new = np.array([[4.0, 6]])
    assert scale(new, ["c"], by_speaker).tolist() == scale(new, ["c"], of_all).tolist()


def test_z_score_is_fitted_on_training_vectors_only():
    scaler = fit_scaler(X[:2], WHO[:2])
    assert scale(X[:2], WHO[:2], scaler)[:, 0].tolist() == [-1, 1]
    assert scale(np.array([[102.0, 5]]), ["a"], scaler)[0, 0] == 100


def test_z_score_rejects_invalid_input():
    with pytest.raises(InputError, match="speaker or all, found session"):
        fit_scaler(X, WHO, by="session")
    with pytest.raises(InputError, match="0 vectors"):
        fit_scaler(X[:0], [])
    with pytest.raises(InputError, match="one speaker each"):
        fit_scaler(X, ["a", "a", "b"])


def test_scale_accepts_no_vectors():
    assert scale(X[:0], [], fit_scaler(X, WHO)).shape == (0, 2)
