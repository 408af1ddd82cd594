"""Synthesise speech with the espeak-ng library from the `espeakng-loader` wheel.

The library is called through its C API in synchronous mode, so only a Python package is needed. It
keeps state between texts: the same text sounds slightly different the second time. Each list of
texts is therefore spoken in a fresh process, and the same list gives the same samples. Variants
that set `breath` (f2, f3, f5, ...) are the exception: espeak-ng 1.52 computes their breath noise
from uninitialised memory.
"""

import ctypes
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ima.utils.errors import InputError

_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: pass samples to the callback, return when done
_CHARS_UTF8 = 1
_POSITION_CHARACTER = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4  # espeak_PARAMETER
_EVENT_LIST_TERMINATED, _EVENT_WORD = 0, 1


@dataclass(frozen=True)
class Voice:
    """The voice of one synthetic speaker.

    Args:
        name: espeak-ng's voice and variant, such as `en-us+f3`.
        rate: speaking rate in words per minute, 80 to 450.
        pitch: base pitch, 0 to 100 (50 is the variant's default).
        range: pitch range, 0 (monotone) to 100.
    """

    name: str
    rate: int = 175
    pitch: int = 50
    range: int = 50


@dataclass(frozen=True)
class Word:
    """A spoken word: its position and length in the text (characters) and its onset in s."""

    position: int
    length: int
    start_s: float


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # ms
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),  # a union, not used here
    ]


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Library:
    """The loaded library, and the samples and words of the current text."""

    def __init__(self):
        import espeakng_loader

        self.lib = ctypes.CDLL(espeakng_loader.get_library_path())
        self.data = Path(espeakng_loader.get_data_path())
        self.rate = self.lib.espeak_Initialize(_SYNCHRONOUS, 0, bytes(self.data), 0)
        if self.rate <= 0:
            raise RuntimeError(f"espeak-ng could not start with the data in {self.data}")
        self.samples: list[np.ndarray] = []
        self.words: list[Word] = []
        self.callback = _CALLBACK(self._hear)  # keep a reference: the library stores a raw pointer
        self.lib.espeak_SetSynthCallback(self.callback)

    def speak(self, text: str, voice: Voice) -> "Speech":
        """Synthesise a text with a voice.

        Raises:
            InputError: espeak-ng has no such voice or variant.
            RuntimeError: espeak-ng rejected the text or returned no samples.
        """
        # espeak-ng silently ignores an unknown variant.
        variant = voice.name.partition("+")[2]
        known = not variant or (self.data / "voices" / "!v" / variant).is_file()
        if not known or self.lib.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise InputError("voice", expected="a voice of espeak-ng", found=voice.name)
        for parameter, value in (
            (_RATE, voice.rate),
            (_VOLUME, 100),
            (_PITCH, voice.pitch),
            (_RANGE, voice.range),
        ):
            self.lib.espeak_SetParameter(parameter, int(value), 0)
        self.samples, self.words = [], []
        data = text.encode()
        status = self.lib.espeak_Synth(
            data, len(data) + 1, 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None
        )
        if status != 0 or not self.samples:
            raise RuntimeError(f"espeak-ng returned no speech for {text!r} with {voice.name}")
        return Speech(np.concatenate(self.samples), self.rate, self.words)

    def _hear(self, samples, count, events):
        if samples and count > 0:
            self.samples.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while events[i].type != _EVENT_LIST_TERMINATED:
            event = events[i]
            if event.type == _EVENT_WORD:
                start_s = event.audio_position / 1000
                self.words.append(Word(event.text_position - 1, event.length, start_s))
            i += 1
        return 0


@dataclass(frozen=True)
class Speech:
    """One synthesised text: int16 `samples` (n,) at `rate` Hz, and its words in order.

    espeak-ng may report several words ('I am') as one.
    """

    samples: np.ndarray
    rate: int
    words: list[Word]


def speak(texts: Sequence[str], voices: Sequence[Voice]) -> list[Speech]:
    """Synthesise each text with its voice.

    Args:
        texts: the texts, in the language of their voices.
        voices: one voice per text.

    Returns:
        The speech of each text, at 22,050 Hz.

    Raises:
        InputError: espeak-ng has no such voice.
    """
    # Forking takes milliseconds. This process never loads the library, so its state is new.
    fresh = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(max_workers=1, mp_context=fresh) as pool:
        return pool.submit(_speak_all, list(zip(texts, voices, strict=True))).result()


def _speak_all(jobs: list[tuple[str, Voice]]) -> list[Speech]:
    engine = _Library()
    return [engine.speak(text, voice) for text, voice in jobs]
