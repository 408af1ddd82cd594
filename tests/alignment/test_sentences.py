"""Word places in sentences of RAVDESS: made of eleven noises whose spectra and times are known."""

import numpy as np
import pytest
import soundfile

from ima.alignment import sentences
from ima.alignment.sentences import SOUNDS, align_sentences
from ima.utils.errors import InputError

RATE = 16_000
TEXTS = ("Kids are talking by the door", "Dogs are sitting by the door")


def made(rng, text):
    """Return a recording of a text, and the times (n, 2) of its words in s."""
    parts, times, at = [], [], 0.3
    for word in text.lower().split():
        begin = at
        for sound in SOUNDS[word].split():
            seconds = rng.uniform(0.06, 0.2)
            t = np.arange(round(seconds * RATE)) / RATE
            place = list(sentences._CODE).index(sound)
            tones = [300 * (1 + place % 6), 2000 + 300 * (place // 6)]
            parts.append(sum(np.sin(2 * np.pi * f * t + rng.uniform(0, 6)) for f in tones) / 8)
            at += len(t) / RATE
        times.append((begin, at))
    quiet = np.zeros(round(0.3 * RATE))
    wave = np.concatenate([quiet, *parts, quiet])
    return wave + rng.normal(0, 1e-3, wave.size), np.array(times)


@pytest.fixture
def corpus(tmp_path):
    rng = np.random.default_rng(0)
    rows, times = [], {}
    for i in range(24):
        text = TEXTS[i % 2]
        wave, times[f"r/{i}"] = made(rng, text)
        soundfile.write(tmp_path / f"{i}.wav", wave, RATE)
        row = {"id": f"r/{i}", "corpus": "r", "speaker": str(i % 3), "file": f"{i}.wav"}
        rows.append(row | {"text": text})
    return tmp_path, rows, times


@pytest.mark.slow
def test_words_are_found(corpus):
    root, rows, times = corpus
    soundfile.write(root / "silent.wav", np.zeros(RATE), RATE)
    silent = rows[0] | {"id": "r/silent", "file": "silent.wav"}
    found = align_sentences(root, [*rows, silent])
    assert found.pop("r/silent") == "digital silence"
    assert [token["token"] for token in found["r/1"]] == TEXTS[1].lower().split()
    assert [token["position"] for token in found["r/1"]] == list(range(6))
    aligned = {
        id_: np.array([(t["start_s"], t["end_s"]) for t in own]) for id_, own in found.items()
    }
    errors = np.concatenate([np.abs(aligned[id_] - times[id_]).ravel() for id_ in times])
    even = [
        np.linspace(own[0, 0], own[-1, 1], 7) - [*own[:, 0], own[-1, 1]] for own in times.values()
    ]
    assert np.median(errors) <= 0.010  # two frames
    assert np.median(errors) < np.median(np.abs(even)) / 4


def test_other_words_are_rejected(tmp_path):
    row = {"id": "r/0", "corpus": "r", "speaker": "1", "file": "0.wav"}
    for text, found in (("Kids are singing", "singing"), ("", "none")):
        with pytest.raises(InputError, match=f"text of r/0: expected words among.*found {found}"):
            align_sentences(tmp_path, [row | {"text": text}])
