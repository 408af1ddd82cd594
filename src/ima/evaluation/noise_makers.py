"""Generators of image and speech noise as feature vectors, for `ima.evaluation.noise_benchmark`."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from ima.datasets import noise
from ima.datasets.digit_recordings import Waves
from ima.features.mfcc import Mfcc, UnitInterval, mfcc_of_waves

#: Function that generates n noise items (n, D) of a modality.
NoiseMaker = Callable[[int, np.random.Generator], np.ndarray]

#: Digits that speech noise is made from, talkers mixed at once, and blur of images in pixels.
VOICES, TALKERS, BLUR = 400, 6, 4.0


def synthetic(
    settings: Mapping[str, Mapping], pixels: int, mfcc: Mfcc, mapping: UnitInterval
) -> dict[str, NoiseMaker]:
    """Return generators of the paper's noise by modality.

    Args:
        settings: settings of `image` (mean, sd, zero_fraction) and `speech` (seconds), as in the
            config.
        pixels: number of pixels of an image.
        mfcc, mapping: settings that turn waveforms into features.
    """

    def image(n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n noise images (n, pixels), from `ima.datasets.noise.noise_images`."""
        return noise.noise_images(n, pixels, **settings["image"], rng=rng)

    def speech(n: int, rng: np.random.Generator) -> np.ndarray:
        """Return the features (n, D) of n noise waveforms, from `ima.datasets.noise.noise_wave`."""
        seconds = settings["speech"]["seconds"]
        waves = (noise.noise_wave(seconds, mfcc.rate, rng) for _ in range(n))
        return mapping(mfcc_of_waves(waves, mfcc))

    return {"image": image, "speech": speech}


def degraded(
    images: np.ndarray, voices: Sequence[np.ndarray], mfcc: Mfcc, mapping: UnitInterval
) -> dict[str, NoiseMaker]:
    """Return generators of noise derived from real items, by modality: see `ima.datasets.noise`.

    Args:
        images: images (m, pixels) in [0, 1].
        voices: waveforms of spoken digits, at the sampling rate of `mfcc`.
        mfcc, mapping: settings that turn waveforms into features.
    """

    def image(n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n degraded images (n, pixels), from `ima.datasets.noise.degraded_images`."""
        return noise.degraded_images(images, n, BLUR, rng)

    def speech(n: int, rng: np.random.Generator) -> np.ndarray:
        """Return the features (n, D) of babble and speech-shaped noise, alternating."""
        return mapping(mfcc_of_waves((_wave(i, rng) for i in range(n)), mfcc))

    def _wave(i: int, rng: np.random.Generator) -> np.ndarray:
        some = [voices[j] for j in rng.integers(len(voices), size=TALKERS)]
        return (noise.shaped_noise if i % 2 else noise.babble)(some, rng)

    return {"image": image, "speech": speech}


def digit_waves(segments: pa.Table, waves: Waves) -> list[np.ndarray]:
    """Return the waveforms of VOICES digits, evenly spread over the corpus, in the table's order.

    If there are fewer digits, all are returned.

    Args:
        segments: SEGMENTS.
        waves: function that returns a recording's waveform and sampling rate.
    """
    rows = np.linspace(0, len(segments) - 1, min(VOICES, len(segments))).round().astype(int)
    digits = []
    for row in segments.take(np.unique(rows)).to_pylist():
        wave, rate = waves(row["recording"])
        digits.append(wave[round(row["start_s"] * rate) : round(row["end_s"] * rate)])
    return digits
