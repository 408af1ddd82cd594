"""Create the digit corpora of the demo: free data in the formats of the licensed corpora.

Images are the handwritten digits of scikit-learn (8x8, scaled to the 28x28 of MNIST), written as
IDX files. Speech is synthesised by espeak-ng and written as TIDIGITS (SPHERE, 20 kHz) and TI46
(SPHERE, 12.5 kHz) trees. Speakers differ in accent, voice, rate, pitch and pitch range, recordings
in gain and noise. The time span of each digit is stored as ground truth. The same seed gives the
same bytes.
"""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import soundfile
import soxr

from ima.audio import tts
from ima.audio.tts import Voice
from ima.datasets import mnist
from ima.utils.io import whole_file, write_parquet
from ima.utils.schemas import TRUTH

WORDS = {
    "z": "zero",
    "o": "oh",
    **dict(
        zip(
            "123456789",
            ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
            strict=True,
        )
    ),
}
TIDIGITS_RATE, TI46_RATE = 20_000, 12_500  # Hz
STRING_LENGTHS = (2, 3, 4, 5, 7)

_ACCENTS = ("en-us", "en-us-nyc", "en", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-029")
# Only variants without breath noise, which is not deterministic (`ima.audio.tts`).
_VARIANTS = {
    "man": ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "adam", "david", "paul"),
    "woman": ("f1", "f4", "linda", "anika", "steph", "Annie", "Andrea", "belinda", "aunty"),
    "boy": ("m1", "m3", "m4", "m7", "f4", "steph"),
    "girl": ("f1", "f4", "anika", "linda", "Annie"),
}
_PITCHES = {"man": (15, 60), "woman": (35, 75), "boy": (65, 90), "girl": (75, 99)}


@dataclass(frozen=True)
class Speaker:
    """A synthetic speaker: code, group and split, and the properties of the recordings."""

    code: str
    group: str
    split: str
    voice: Voice
    gain_db: float
    snr_db: float
    endian: str


@dataclass(frozen=True)
class Take:
    """A recording to create: speaker, `digits` as in TIDIGITS file names, and output `file`."""

    speaker: Speaker
    digits: str
    file: str


def write_images(folder: Path, test_share: float, seed: int) -> None:
    """Write the 1,797 digits of scikit-learn as the four gzipped IDX files of MNIST.

    Args:
        folder: the output folder of `train-images-idx3-ubyte.gz` and the other three files.
        test_share: share of each class in the test set, in (0, 1); the sets are disjoint.
        seed: seed of the split.
    """
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    small, labels = load_digits(return_X_y=True)
    # As in MNIST, the digit fills the central 20x20 of 28x28. Cubic splines keep strokes smooth.
    scaled = zoom(small.reshape(-1, 8, 8), (1, 2.5, 2.5), order=3)
    middle = np.clip(np.rint(scaled * (255 / 16)), 0, 255).astype(np.uint8)
    images = np.pad(middle, ((0, 0), (4, 4), (4, 4)))
    rows = train_test_split(
        np.arange(len(labels)), test_size=test_share, stratify=labels, random_state=seed
    )
    for prefix, chosen in zip(("train", "t10k"), rows, strict=True):
        mnist.write_idx(images[chosen], folder / f"{prefix}-images-idx3-ubyte.gz")
        mnist.write_idx(labels[chosen].astype(np.uint8), folder / f"{prefix}-labels-idx1-ubyte.gz")


def write_tidigits(folder: Path, speakers: dict[str, int], strings: int, seed: int) -> pa.Table:
    """Write a TIDIGITS tree of synthetic speakers.

    Half of the speakers of each group are test speakers. All files of a speaker have the same byte
    order.

    Args:
        folder: the root of the tree.
        speakers: number of speakers in each group (man, woman, boy, girl).
        strings: connected strings per speaker, of 2, 3, 4, 5 and 7 digits in turn, in addition to
            the 22 one-digit strings.
        seed: seed of voices, strings, gains and noise.

    Returns:
        The time span of each digit, with the columns of TRUTH.
    """
    rng = np.random.default_rng([seed, 0])
    codes = ("".join(pair) for pair in itertools.product("abcdefghijklmnopqrstuvwxyz", repeat=2))
    takes = []
    for group, count in speakers.items():
        for i in range(count):
            split = "train" if i < (count + 1) // 2 else "test"
            speaker = _draw_speaker(next(codes), group, split, rng)
            takes += [
                Take(speaker, name[:-1], f"{split}/{group}/{speaker.code}/{name}.wav")
                for name in _string_names(strings, rng)
            ]
    return _record(takes, folder, TIDIGITS_RATE, rng)


def write_ti46(folder: Path, train_tokens: int, test_tokens: int, seed: int) -> pa.Table:
    """Write a TI46 (TI20) tree: ten digits spoken by eight women and eight men.

    As in the original corpus, the same speakers are in train and test.

    Args:
        folder: the root of the tree.
        train_tokens: tokens of each digit and speaker in train, 1 to 10.
        test_tokens: tokens of each digit and speaker in test, 1 to 16.
        seed: seed of voices, gains and noise.

    Returns:
        The time span of each digit, with the columns of TRUTH.
    """
    rng = np.random.default_rng([seed, 1])
    takes = []
    for sex, group in (("f", "woman"), ("m", "man")):
        for i in range(1, 9):
            speaker = _draw_speaker(f"{sex}{i}", group, "", rng)
            for digit in range(10):
                stem = f"{digit:02d}{speaker.code}"
                train = [f"train/{speaker.code}/{stem}set{t}.wav" for t in range(train_tokens)]
                test = [
                    f"test/{speaker.code}/{stem}s{t // 2 + 1}t{t % 2}.wav"
                    for t in range(test_tokens)
                ]
                digits = str(digit) if digit else "z"
                takes += [Take(speaker, digits, file) for file in train + test]
    return _record(takes, folder, TI46_RATE, rng)


def write_truth(tables: list[pa.Table], path: Path) -> None:
    """Write the true time spans of the demo's digits as TRUTH."""
    write_parquet(pa.concat_tables(tables), path, TRUTH)


def _draw_speaker(code: str, group: str, split: str, rng: np.random.Generator) -> Speaker:
    voice = Voice(
        name=f"{rng.choice(_ACCENTS)}+{rng.choice(_VARIANTS[group])}",
        rate=int(rng.integers(130, 215)),
        pitch=int(rng.integers(*_PITCHES[group])),
        range=int(rng.integers(25, 90)),
    )
    gain_db, snr_db = rng.uniform(-12, 0), rng.uniform(22, 40)
    return Speaker(code, group, split, voice, gain_db, snr_db, str(rng.choice(("LITTLE", "BIG"))))


def _string_names(strings: int, rng: np.random.Generator) -> list[str]:
    """Return the TIDIGITS file names of one speaker: digits, then the production (a or b)."""
    isolated = [digit + production for digit in WORDS for production in "ab"]
    lengths = itertools.islice(itertools.cycle(STRING_LENGTHS), strings)
    connected = dict.fromkeys("".join(rng.choice(list(WORDS), n)) + "a" for n in lengths)
    return isolated + list(connected)


def _record(takes: list[Take], folder: Path, rate: int, rng: np.random.Generator) -> pa.Table:
    texts = [" ".join(WORDS[digit] for digit in take.digits) for take in takes]
    jitter = rng.uniform(0.9, 1.1, len(takes))
    voices = [
        replace(take.speaker.voice, rate=round(take.speaker.voice.rate * j))
        for take, j in zip(takes, jitter, strict=True)
    ]
    truth = []
    for take, speech in zip(takes, tts.speak(texts, voices), strict=True):
        wave, starts, ends = _add_noise_and_silence(speech, take.speaker, rate, rng)
        with whole_file(folder / take.file) as temporary:
            soundfile.write(temporary, wave, rate, "PCM_16", take.speaker.endian, format="NIST")
        rows = zip(take.digits, starts, ends, strict=True)
        truth += [
            {"file": take.file, "position": i, "digit": digit, "start_s": start, "end_s": end}
            for i, (digit, start, end) in enumerate(rows)
        ]
    return pa.Table.from_pylist(truth)


def _add_noise_and_silence(
    speech: tts.Speech, speaker: Speaker, rate: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a recording at `rate` Hz, float64 in [-1, 1), and each word's start and end in s.

    Silence of .1 to .4 s is added on both sides, then gain and noise are applied to the whole.
    """
    loud = np.flatnonzero(np.abs(speech.samples) > 0.01 * np.abs(speech.samples).max())
    starts = np.array([word.start_s for word in speech.words])
    starts[0] = max(starts[0], loud[0] / speech.rate)
    ends = np.append(starts[1:], (loud[-1] + 1) / speech.rate)

    before, after = rng.uniform(0.1, 0.4, 2)
    clean = soxr.resample(speech.samples / 32768, speech.rate, rate)
    padding = (round(before * rate), round(after * rate))
    gain = 10 ** ((speaker.gain_db + rng.uniform(-3, 3) - 6) / 20)
    noise_sd = np.sqrt(np.mean(clean**2)) * 10 ** (-speaker.snr_db / 20)
    wave = np.pad(clean, padding)
    wave = gain * (wave + rng.normal(0, noise_sd, wave.size))
    shift = padding[0] / rate
    return np.clip(wave, -1, 1 - 2**-15), starts + shift, ends + shift
