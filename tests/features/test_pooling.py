"""Voice features of time spans, and their z-scores."""

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from ima.features import voice
from ima.features.pooling import span_vectors, z_score
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import SPANS

RATE = 16_000


def tone(hz, seconds=1.0):
    time = np.arange(int(seconds * RATE)) / RATE
    return 0.3 * sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, 20))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spans")
    for name, hz in (("low", 110), ("high", 220)):
        soundfile.write(folder / f"{name}.wav", tone(hz), RATE)
    return folder


def spans(*rows):
    names = ("file", "start_s", "end_s")
    made = [dict(zip(names, row, strict=True)) for row in rows]
    made = [{**row, "utterance": "u", "position": i, "speaker": "s"} for i, row in enumerate(made)]
    return pa.Table.from_pylist(made, schema=SPANS)


def test_span_vectors_keep_the_row_order(root):
    table = spans(("low.wav", 0.2, 0.5), ("high.wav", 0.2, 0.8), ("low.wav", 0.5, 0.8))
    found = span_vectors(root, table, "egemaps")
    frames = voice.extract(*soundfile.read(root / "low.wav"), "egemaps")
    alone = voice.word_vectors(frames, [(0.2, 0.5), (0.5, 0.8)], "egemaps")
    assert np.allclose(found[[0, 2]], alone, equal_nan=True)
    pitch = [c.name for c in voice.columns("egemaps")].index("F0semitoneFrom27.5Hz_sma3nz")
    assert found[1, pitch] - found[0, pitch] == pytest.approx(12, abs=0.3)  # an octave


def test_unusable_files_and_spans_are_named(root):
    with pytest.raises(InputError, match=r"gone\.wav: expected a readable audio file"):
        span_vectors(root, spans(("gone.wav", 0, 1)), "egemaps")
    with pytest.raises(InputError, match=r"low\.wav, token: expected a time within"):
        span_vectors(root, spans(("low.wav", 5, 6)), "egemaps")


def test_offset_is_subtracted_on_request(tmp_path):
    soundfile.write(tmp_path / "offset.wav", tone(110) + 0.1, RATE, "FLOAT")
    soundfile.write(tmp_path / "clean.wav", tone(110), RATE, "FLOAT")
    rows = [("offset.wav", 0.2, 0.8), ("clean.wav", 0.2, 0.8)]
    kept = span_vectors(tmp_path, spans(*rows), "covarep55")
    removed = span_vectors(tmp_path, spans(*rows), "covarep55", remove_offset=True)
    names = [c.name for c in voice.columns("covarep55")]
    # Not NAQ or H1H2: linear prediction of a sum of sines is singular, so rounding decides them.
    slope = names.index("peakSlope")
    assert abs(removed[0, slope] - removed[1, slope]) < 1e-5
    assert abs(kept[0, slope] - kept[1, slope]) > 1e-3


def test_z_scores_by_hand():
    vectors = np.array([[1.0, 5], [3, 5], [10, np.nan], [20, 8]])
    speakers, training = ["a", "a", "b", "b"], ["a"]
    own = z_score(vectors, speakers, training, "speaker")
    assert own.tolist() == [[-1, 0], [1, 0], [-1, 0], [1, 0]]
    # Mean 2 and deviation 1 of speaker a; the second column has no spread in training.
    train = z_score(vectors, speakers, training, "train")
    assert train.tolist() == [[-1, 0], [1, 0], [8, 0], [18, 3]]
    with pytest.raises(InputError, match="one of"):
        z_score(vectors, speakers, training, "all")
