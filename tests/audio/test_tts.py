"""Speech from text: repeatable, with words in their order."""

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


def test_the_same_list_gives_the_same_samples(spoken):
    again = speak(TEXTS, [MAN, MAN, WOMAN])
    for one, other in zip(spoken, again, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)
        assert one.words == other.words


def test_it_is_speech_and_not_silence(spoken):
    for speech in spoken:
        assert speech.rate == 22_050 and speech.samples.dtype == np.int16
        assert np.abs(speech.samples.astype(int)).max() > 3000
        assert 0.2 < len(speech.samples) / speech.rate < 3


def test_text_and_voice_both_matter(spoken):
    three, one, woman = (speech.samples for speech in spoken)
    assert len(three) > 1.5 * len(one)
    n = min(len(three), len(woman))
    assert (three[:n] != woman[:n]).mean() > 0.5


@pytest.mark.parametrize(
    ("change", "low", "high"), [({"rate": 320}, 0.3, 0.8), ({"rate": 80}, 1.5, 3)]
)
def test_rate_is_words_a_minute(spoken, change, low, high):
    (other,) = speak(TEXTS[:1], [Voice(MAN.name, **change)])
    assert low < len(other.samples) / len(spoken[0].samples) < high


def test_words_are_where_the_text_has_them_and_one_after_the_other(spoken):
    for speech, text in zip(spoken, TEXTS, strict=True):
        words = [text[w.position : w.position + w.length] for w in speech.words]
        assert words == text.split()
        starts = [word.start_s for word in speech.words]
        assert all(a < b for a, b in itertools.pairwise(starts))
        assert starts[0] >= 0 and starts[-1] < len(speech.samples) / speech.rate


def test_a_word_begins_about_where_it_sounds(spoken):
    """'two' and 'three' of 'one two three' begin with little energy before a vowel."""
    speech = spoken[0]
    energy = np.convolve(speech.samples.astype(float) ** 2, np.ones(441) / 441, "same")
    for word in speech.words[1:]:
        at = round(word.start_s * speech.rate)
        assert energy[at : at + 4410].max() > 4 * energy[at]


@pytest.mark.parametrize("name", ["xx-nowhere", "elvish+m1", "en-us+nobody"])
def test_a_voice_that_espeak_does_not_have(name):
    with pytest.raises(InputError, match="voice: expected one that espeak-ng has") as caught:
        speak(["one"], [Voice(name)])
    assert caught.value.found == name


def test_a_voice_for_each_text():
    with pytest.raises(ValueError, match="shorter"):
        speak(["one", "two"], [MAN])


def breathes(variant):
    """Tell whether a variant's definition sets breath, whose noise is not repeatable."""
    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    lines = (folder / variant).read_text(errors="replace").splitlines()
    return any(line.split()[:1] == ["breath"] for line in lines)


def test_the_demo_has_no_voice_with_breath():
    assert breathes("f2") and not breathes("m3")  # the test can tell
    variants = {name for names in digits._VARIANTS.values() for name in names}
    assert len(variants) > 15
    assert not [name for name in sorted(variants) if breathes(name)]
