"""Speech from text by the espeak-ng library that the `espeakng-loader` wheel carries.

The library is driven through its C API in synchronous mode, so that nothing but a Python package
is needed. It carries state from one text to the next: the same text sounds a little different the
second time. So a list is spoken in a fresh process, and the same list gives the same samples; but
not with variants that set `breath` (f2, f3, f5, ...), whose breath noise reads memory that
espeak-ng 1.52 has not set.
"""

import ctypes
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ima.utils.errors import InputError

_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: call the callback, return when all is spoken
_CHARS_UTF8 = 1
_POSITION_CHARACTER = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4  # espeak_PARAMETER
_EVENT_LIST_TERMINATED, _EVENT_WORD = 0, 1


@dataclass(frozen=True)
class Voice:
    """How one synthetic speaker sounds.

    Args:
        name: espeak-ng's voice and variant, as `en-us+f3`.
        rate: words a minute, 80 to 450.
        pitch: base pitch, 0 to 100 (50 is the variant's own).
        range: pitch range, 0 (monotone) to 100.
    """

    name: str
    rate: int = 175
    pitch: int = 50
    range: int = 50


@dataclass(frozen=True)
class Word:
    """A word that was spoken: its place in the text (characters) and its onset in s."""

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
        ("id", ctypes.c_char * 8),  # a union of which nothing is read here
    ]


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Library:
    """The loaded library and what it has said since the last text."""

    def __init__(self):
        import espeakng_loader

        self.lib = ctypes.CDLL(espeakng_loader.get_library_path())
        self.data = Path(espeakng_loader.get_data_path())
        self.rate = self.lib.espeak_Initialize(_SYNCHRONOUS, 0, bytes(self.data), 0)
        if self.rate <= 0:
            raise RuntimeError(f"espeak-ng could not start with the data in {self.data}")
        self.samples: list[np.ndarray] = []
        self.words: list[Word] = []
        self.callback = _CALLBACK(self._hear)  # kept: the library holds a bare pointer to it
        self.lib.espeak_SetSynthCallback(self.callback)

    def speak(self, text: str, voice: Voice) -> "Speech":
        """Return a text as a voice speaks it.

        Raises:
            InputError: espeak-ng has no such voice or variant.
            RuntimeError: espeak-ng refused the text, or gave no sample.
        """
        # A variant that espeak-ng doesn't have it passes over without a word.
        variant = voice.name.partition("+")[2]
        known = not variant or (self.data / "voices" / "!v" / variant).is_file()
        if not known or self.lib.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise InputError("voice", expected="one that espeak-ng has", found=voice.name)
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
            raise RuntimeError(f"espeak-ng said nothing for {text!r} as {voice.name}")
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
    """One spoken text: int16 `samples` (n,) at `rate` Hz, and its words in order.

    espeak-ng may merge words ('I am') into one.
    """

    samples: np.ndarray
    rate: int
    words: list[Word]


def speak(texts: Sequence[str], voices: Sequence[Voice]) -> list[Speech]:
    """Speak each text with its voice.

    Args:
        texts: what to say, in the voices' language.
        voices: who says it, one a text.

    Returns:
        The speech of each text, at 22,050 Hz.

    Raises:
        InputError: espeak-ng has no such voice.
    """
    # A fork starts in milliseconds; this process never loads the library, so the child is fresh.
    fresh = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(max_workers=1, mp_context=fresh) as pool:
        return pool.submit(_speak_all, list(zip(texts, voices, strict=True))).result()


def _speak_all(jobs: list[tuple[str, Voice]]) -> list[Speech]:
    engine = _Library()
    return [engine.speak(text, voice) for text, voice in jobs]
