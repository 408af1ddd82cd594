"""Speech synthesis: deterministic, with the words in order."""

import itertools
from pathlib import Path

import espeakng_loader
import numpy as np
import pytest

from ima.audio.tts import Voice, speak
from ima.datasets.synthetic import digits
from ima.utils.errors import InputError

MAN, WOMAN = Voice("en-us+m3", rate=160), Voice("en-gb-x-rp+f4", rate=160, pitch=70)
TEXTS = ["one two three", "nine", "one two three"]


@pytest.fixture(scope="module")
def spoken():
    return speak(TEXTS, [MAN, MAN, WOMAN])


def test_same_texts_give_the_same_samples(spoken):
    again = speak(TEXTS, [MAN, MAN, WOMAN])
    for one, other in zip(spoken, again, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)
        assert one.words == other.words


def test_speech_is_not_silent(spoken):
    for speech in spoken:
        assert speech.rate == 22_050 and speech.samples.dtype == np.int16
        assert np.abs(speech.samples.astype(int)).max() > 3000
        assert 0.2 < len(speech.samples) / speech.rate < 3


def test_speech_depends_on_text_and_voice(spoken):
    three, one, woman = (speech.samples for speech in spoken)
    assert len(three) > 1.5 * len(one)
    n = min(len(three), len(woman))
    assert (three[:n] != woman[:n]).mean() > 0.5


@pytest.mark.parametrize(
    ("change", "low", "high"), [({"rate": 320}, 0.3, 0.8), ({"rate": 80}, 1.5, 3)]
)
def test_rate_is_words_per_minute(spoken, change, low, high):
    (other,) = speak(TEXTS[:1], [Voice(MAN.name, **change)])
    assert low < len(other.samples) / len(spoken[0].samples) < high


def test_words_have_text_positions_and_rising_onsets(spoken):
    for speech, text in zip(spoken, TEXTS, strict=True):
        words = [text[w.position : w.position + w.length] for w in speech.words]
        assert words == text.split()
        starts = [word.start_s for word in speech.words]
        assert all(a < b for a, b in itertools.pairwise(starts))
        assert starts[0] >= 0 and starts[-1] < len(speech.samples) / speech.rate


def test_word_onsets_match_the_sound(spoken):
    """In 'one two three', 'two' and 'three' start with little energy before the vowel."""
    speech = spoken[0]
    energy = np.convolve(speech.samples.astype(float) ** 2, np.ones(441) / 441, "same")
    for word in speech.words[1:]:
        at = round(word.start_s * speech.rate)
        assert energy[at : at + 4410].max() > 4 * energy[at]


@pytest.mark.parametrize("name", ["xx-nowhere", "elvish+m1", "en-us+nobody"])
def test_unknown_voice_is_rejected(name):
    with pytest.raises(InputError, match="voice: expected a voice of espeak-ng") as caught:
        speak(["one"], [Voice(name)])
    assert caught.value.found == name


def test_each_text_needs_a_voice():
    with pytest.raises(ValueError, match="shorter"):
        speak(["one", "two"], [MAN])


def breathes(variant):
    """Return whether a variant sets breath, whose noise is not deterministic."""
    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    lines = (folder / variant).read_text(errors="replace").splitlines()
    return any(line.split()[:1] == ["breath"] for line in lines)


def test_demo_voices_have_no_breath_noise():
    assert breathes("f2") and not breathes("m3")  # the check can tell them apart
    variants = {name for names in digits._VARIANTS.values() for name in names}
    assert len(variants) > 15
    assert not [name for name in sorted(variants) if breathes(name)]
