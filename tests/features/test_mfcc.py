"""MFCC of spoken digits: position of the cut, values of the frames, and mapping to [0, 1]."""

import json

import librosa
import numpy as np
import pyarrow as pa
import pytest

from ima.features import mfcc as speech
from ima.features.mfcc import Mfcc, UnitInterval, cut, extract, mfcc_of_cuts, mfcc_of_waves
from ima.utils.errors import InputError
from ima.utils.schemas import SEGMENTS

#: Four frames of four samples, side by side: cuts of 16 samples that can be written down.
SMALL = Mfcc(rate=1000, win_length_ms=4, hop_length_ms=4, frames=2, n_mels=2, n_mfcc=1)
PAPER = Mfcc()


def test_sizes_match_the_paper():
    assert (PAPER.window, PAPER.shift, PAPER.n_fft) == (250, 125, 256)  # 20 ms, 10 ms, 2^8
    assert PAPER.samples == 57 * 125 + 256
    assert PAPER.width == 2 * 29 * 12 == 696
    assert Mfcc(rate=8000, win_length_ms=32).n_fft == 256  # a power of two is kept
    assert mfcc_of_cuts(np.zeros((3, PAPER.samples), np.float32), PAPER).shape == (3, 696)


# Cuts

WAVE = np.arange(1, 101, dtype=np.float32)


def test_short_digit_is_centred():
    out = cut(WAVE, 10, 16, SMALL)  # 6 samples in 16: five zeros before and after
    assert SMALL.samples == 16 and out.dtype == np.float32
    assert out.tolist() == [0] * 5 + [11, 12, 13, 14, 15, 16] + [0] * 5
    assert cut(WAVE, 10, 15, SMALL).tolist() == [0] * 5 + [11, 12, 13, 14, 15] + [0] * 6


def test_short_digit_can_be_padded_on_the_right():
    right = Mfcc(**{**SMALL.__dict__, "padding": "right"})
    assert cut(WAVE, 10, 13, right).tolist() == [11, 12, 13] + [0] * 13


@pytest.mark.parametrize("padding", ["symmetric", "right"])
def test_long_digit_is_cut_around_its_midpoint(padding):
    mfcc = Mfcc(**{**SMALL.__dict__, "padding": padding})
    assert cut(WAVE, 10, 30, mfcc).tolist() == list(range(13, 29))  # 2 samples off either end
    assert cut(WAVE, 10, 26, mfcc).tolist() == list(range(11, 27))  # just as long
    assert cut(WAVE, 84, 100, mfcc).tolist() == list(range(85, 101))  # at the very end
    assert cut(WAVE, 0, 100, mfcc).tolist() == list(range(43, 59))


# Frames


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, shape).astype(np.float32)


def test_frames_match_librosa():
    wave = noise(PAPER.samples)
    expected = librosa.feature.mfcc(
        y=wave,
        sr=12_500,
        n_mfcc=13,
        n_fft=256,
        win_length=250,
        hop_length=125,
        n_mels=40,
        center=False,
    )
    assert expected.shape == (13, 58)
    found = mfcc_of_cuts(wave[None], PAPER).reshape(58, 12)
    np.testing.assert_allclose(found, expected[1:].T, rtol=1e-4, atol=1e-3)
    # Control: with c0 included, or in another order, the values differ.
    assert not np.allclose(found, expected[:12].T, atol=1)
    assert not np.allclose(found.ravel(), expected[1:].ravel(), atol=1)


def test_loudness_is_excluded_with_c0():
    cuts = noise(1, PAPER.samples)
    np.testing.assert_allclose(mfcc_of_cuts(cuts, PAPER), mfcc_of_cuts(cuts / 8, PAPER), atol=1e-3)


def test_silence_is_zero_in_every_coefficient():
    assert np.abs(mfcc_of_cuts(np.zeros((1, PAPER.samples), np.float32), PAPER)).max() < 1e-4


def test_padding_the_wave_is_padding_the_features():
    """A digit of 30 frames: only frames entirely within the padding are 0."""
    length = 29 * 125 + 256
    padded = cut(noise(length), 0, length, PAPER)
    frames = mfcc_of_cuts(padded[None], PAPER).reshape(58, 12)
    starts = np.arange(58) * 125
    before = (PAPER.samples - length) // 2
    silent = (starts + 256 <= before) | (starts >= before + length)
    inside = (starts >= before) & (starts + 256 <= before + length)
    assert silent.sum() == 24 and inside.sum() == 30  # the others straddle an edge
    assert np.abs(frames[silent]).max() < 1e-4
    assert (np.abs(frames[inside]).max(axis=1) > 1).all()


def test_cmvn_is_per_digit_and_coefficient():
    mfcc = Mfcc(cmvn=True)
    x = mfcc_of_cuts(noise(2, mfcc.samples), mfcc).reshape(2, 58, 12)
    np.testing.assert_allclose(x.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=1), 1, atol=1e-4)
    silence = mfcc_of_cuts(np.zeros((1, mfcc.samples), np.float32), mfcc)
    assert np.isfinite(silence).all() and np.abs(silence).max() < 2


def test_whole_waves_are_single_digits():
    waves = [noise(5000, seed=i) for i in range(300)]  # more than a batch
    x = mfcc_of_waves(iter(waves), PAPER)
    assert x.shape == (300, 696)
    for i in (0, 255, 256, 299):
        one = mfcc_of_cuts(cut(waves[i], 0, 5000, PAPER)[None], PAPER)[0]
        np.testing.assert_allclose(x[i], one, atol=1e-3)
    assert mfcc_of_waves([], PAPER).shape == (0, 696)


# From recordings


def segments(*rows):
    """Make SEGMENTS of (recording, start_s, end_s)."""
    return pa.Table.from_pylist(
        [
            {
                "recording": recording,
                "position": i,
                "digit": "1",
                "start_s": start,
                "end_s": end,
                "loglik": 0.0,
                "doubtful": "",
            }
            for i, (recording, start, end) in enumerate(rows)
        ],
        schema=SEGMENTS,
    )


def read(recording):
    """Replace a corpus: half a second at 8 kHz, with different noise for each name."""
    return noise(4000, seed=int(recording[1:])), 8000


def many(recordings=130, each=4):
    return segments(
        *((f"r{i}", 0.1 * j, 0.1 * j + 0.1) for i in range(recordings) for j in range(each))
    )


def test_digits_are_cut_after_resampling():
    x = np.concatenate(list(extract(segments(("r7", 0.1, 0.3)), read, PAPER)))
    wave = speech.resample(*read("r7"), 12_500)
    assert len(wave) == 6250
    expected = mfcc_of_cuts(cut(wave, 1250, 3750, PAPER)[None], PAPER)
    np.testing.assert_allclose(x, expected, atol=1e-3)


def test_resampling_keeps_a_tone():
    t = np.arange(8000) / 8000
    wave = np.sin(2 * np.pi * 440 * t).astype(np.float32)
    out = speech.resample(wave, 8000, 12_500)
    assert out.dtype == np.float32 and len(out) == 12_500
    expected = np.sin(2 * np.pi * 440 * np.arange(12_500) / 12_500)
    assert np.abs(out - expected)[500:-500].max() < 1e-3
    assert speech.resample(wave, 8000, 8000) is wave


def test_batches_never_split_a_recording():
    table = many(recordings=7, each=3)
    batches = list(speech._batches(table, size=4))
    assert [len(batch) for batch in batches] == [6, 6, 6, 3]
    assert [row["start_s"] for batch in batches for row in batch] == table["start_s"].to_pylist()
    first = [batch[0]["recording"] for batch in batches]
    last = [batch[-1]["recording"] for batch in batches]
    assert not set(first[1:]) & set(last[:-1])
    assert [len(b) for b in speech._batches(many(recordings=1, each=5), size=2)] == [5]
    assert [len(b) for b in speech._batches(many(recordings=3, each=1), size=1)] == [1, 1, 1]
    assert list(speech._batches(many(recordings=0), size=4)) == []


def test_recordings_are_read_once():
    seen = []

    def noting(recording):
        seen.append(recording)
        return read(recording)

    batches = list(extract(many(), noting, PAPER))
    assert [len(batch) for batch in batches] == [256, 256, 8]
    assert seen == [f"r{i}" for i in range(130)]


@pytest.mark.slow
def test_result_does_not_depend_on_the_number_of_processes():
    table = many()
    one = np.concatenate(list(extract(table, read, PAPER, processes=1)))
    two = np.concatenate(list(extract(table, read, PAPER, processes=2)))
    assert one.shape == (520, 696)
    np.testing.assert_array_equal(one, two)
    assert len(np.unique(one[:, 12 * 29])) > 500  # a frame in the middle: they are not all one


@pytest.mark.parametrize(
    ("start", "end"), [(0.4, 0.51), (-0.1, 0.1), (0.2, 0.2), (0.3, 0.2), (0.6, 0.7)]
)
def test_digit_outside_its_recording_is_rejected(start, end):
    table = segments(("r1", 0.0, 0.1), ("r1", start, end))
    message = rf"r1: expected a digit inside the recording of 0\.500 s, found {start:.3f} to"
    with pytest.raises(InputError, match=message):
        list(extract(table, read, PAPER))


def test_digit_may_end_with_its_recording():
    table = segments(("r1", 0.4, 0.5), ("r1", 0.4, 0.50008))  # one sample beyond, by rounding
    x = np.concatenate(list(extract(table, read, PAPER)))
    np.testing.assert_array_equal(x[0], x[1])


def test_results_are_identical_for_any_batch_size():
    """Features of a cut do not depend on the cuts transformed together with it."""
    cuts = noise(70, PAPER.samples)
    together = mfcc_of_cuts(cuts, PAPER)
    for first, last in ((0, 1), (3, 4), (30, 37), (1, 70)):
        np.testing.assert_array_equal(mfcc_of_cuts(cuts[first:last], PAPER), together[first:last])


# Mapping to [0, 1]

#: Two digits of two frames of two coefficients: c1 is 0 2 4 6, c2 is 1 1 1 1.
X = np.array([[0, 1, 2, 1], [4, 1, 6, 1]], np.float32)


def test_sigmoid_maps_z_scores_pooled_over_frames():
    scale = UnitInterval.fit(X, "sigmoid", coefficients=2)
    assert scale.low.tolist() == [3, 1]
    assert scale.scale.tolist() == [np.sqrt(5), 1]  # (9 + 1 + 1 + 9) / 4; c2 never varies
    y = scale(X)
    expected = [1 / (1 + np.exp((3 - c) / np.sqrt(5))) for c in (0, 2, 4, 6)]
    np.testing.assert_allclose(y[:, [0, 2]].ravel(), expected, rtol=1e-6)
    assert y.dtype == np.float32 and y[:, [1, 3]].tolist() == [[0.5, 0.5]] * 2


def test_minmax_scales_each_dimension_and_clips():
    scale = UnitInterval.fit(X, "minmax", coefficients=2)
    assert scale(X).tolist() == [[0, 0, 0, 0], [1, 0, 1, 0]]
    assert scale(np.array([[1, 9, 9, -9]], np.float32)).tolist() == [[0.25, 1, 1, 0]]


def test_binary_compares_with_the_median_of_each_dimension():
    x = np.array([[1, 5], [2, 5], [9, 6]], np.float32)
    scale = UnitInterval.fit(x, "binary", coefficients=1)
    assert scale.low.tolist() == [2, 5]
    assert scale(x).tolist() == [[0, 0], [0, 0], [1, 1]]  # the median itself is not above it


@pytest.mark.parametrize("kind", speech.MAPPINGS)
def test_every_mapping_stays_in_the_unit_interval(kind):
    rng = np.random.default_rng(0)
    scale = UnitInterval.fit(rng.normal(size=(50, 24)).astype(np.float32), kind, coefficients=12)
    y = scale(10 * rng.normal(size=(200, 24)).astype(np.float32))
    assert y.shape == (200, 24) and y.dtype == np.float32
    assert y.min() >= 0 and y.max() <= 1 and y.std() > 0.3
    assert (scale(np.full((1, 24), 1e6, np.float32)) == 1).all()
    with np.errstate(over="raise"):
        assert (scale(np.full((1, 24), -1e6, np.float32)) == 0).all()
    assert scale(np.empty((0, 24), np.float32)).shape == (0, 24)


@pytest.mark.parametrize("kind", speech.MAPPINGS)
def test_mapping_json_round_trip(kind):
    scale = UnitInterval.fit(X, kind, coefficients=2)
    back = UnitInterval.from_dict(json.loads(json.dumps(scale.as_dict())))
    assert back.kind == kind
    np.testing.assert_array_equal(back(X), scale(X))


def test_unknown_mapping_is_rejected():
    with pytest.raises(InputError, match=r"mapping: expected one of .*found rank"):
        UnitInterval.fit(X, "rank", coefficients=2)


def test_mapping_does_not_depend_on_block_size(monkeypatch):
    rng = np.random.default_rng(0)
    x = (3 * rng.normal(size=(1000, 24)) + 1).astype(np.float32)
    pooled = x.reshape(-1, 12).astype(np.float64)
    for block in (7, 999, 2000, 10**6):  # of 2000 rows
        monkeypatch.setattr(speech, "BLOCK", block)
        mapping = speech.UnitInterval.fit(x, "sigmoid", 12)
        # To the last bit: the same seed must give the same bytes.
        np.testing.assert_array_equal(mapping.low, pooled.mean(0))
        np.testing.assert_array_equal(mapping.scale, pooled.std(0))
        whole = 1 / (1 + np.exp(-(pooled - pooled.mean(0)) / pooled.std(0)))
        np.testing.assert_allclose(mapping(x), whole.reshape(x.shape), rtol=1e-6)


def test_mapping_needs_training_digits():
    with pytest.raises(InputError, match="expected training digits to fit it to, found none"):
        speech.UnitInterval.fit(np.empty((0, 24), np.float32), "sigmoid", 12)
