"""The synthetic noise that a part of the pairs gets in place of a digit (Section 4)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from ima.utils.arrow import vector_column
from ima.utils.io import write_parquet
from ima.utils.schemas import NOISE


def noise_images(
    n: int, pixels: int, mean: float, sd: float, zero_fraction: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw noise images: Gaussian pixels, an exact share of which is set to zero.

    Args:
        n: number of images.
        pixels: pixels an image.
        mean: of the pixels before zeroing (.5 in the paper).
        sd: their standard deviation (.12).
        zero_fraction: share K of the pixels that is zeroed, in [0, 1] (.8).
        rng: source of randomness.

    Returns:
        float32 (n, pixels), no value below 0; `round(zero_fraction * pixels)` of each row are
        zeroed, and negative ones besides.
    """
    images = rng.normal(mean, sd, (n, pixels)).astype(np.float32)
    order = rng.random((n, pixels), dtype=np.float32).argsort(axis=1)
    np.put_along_axis(images, order[:, : round(zero_fraction * pixels)], 0, axis=1)
    return np.clip(images, 0, 1, out=images)


def noise_wave(seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Draw white noise of unit variance: float32 (seconds * rate,)."""
    return rng.standard_normal(round(seconds * rate), dtype=np.float32)


def write_noise(modality: str, x: np.ndarray, path: str | Path) -> None:
    """Write the noise items of a modality, features (n, D), with ids `<modality>_noise/00000`..."""
    ids = [f"{modality}_noise/{i:05d}" for i in range(len(x))]
    write_parquet(pa.table({"id": pa.array(ids, pa.string()), "x": vector_column(x)}), path, NOISE)


def degraded_images(images: np.ndarray, n: int, sd: float, rng: np.random.Generator) -> np.ndarray:
    """Return n real images that are no digit any more: blurred, or with their pixels permuted.

    Args:
        images: (m, pixels) of square images in [0, 1]; each noise image is made from one drawn.
        n: number of noise images; every second one is permuted, by an order of its own.
        sd: of the Gaussian that blurs the others, in pixels.
        rng: source of randomness.

    Returns:
        float32 (n, pixels).
    """
    from scipy.ndimage import gaussian_filter

    side = round(images.shape[1] ** 0.5)
    drawn = images[rng.integers(len(images), size=n)].reshape(n, side, side)
    blurred = gaussian_filter(drawn[::2], sd, axes=(1, 2)).reshape(-1, side * side)
    noise = np.empty((n, side * side), np.float32)
    noise[::2] = blurred
    noise[1::2] = rng.permuted(drawn[1::2].reshape(-1, side * side), axis=1)
    return noise


def shaped_noise(waves: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Draw noise with the long-term spectrum of speech: white noise through that of some waves.

    Args:
        waves: float32 recordings of one rate; the longest gives the noise its length (n,).
        rng: source of randomness.
    """
    length = max(map(len, waves))
    spectrum = np.sqrt(np.mean([np.abs(np.fft.rfft(w, length)) ** 2 for w in waves], axis=0))
    white = np.fft.rfft(rng.standard_normal(length))
    return (np.fft.irfft(white * spectrum, length) / np.sqrt(length)).astype(np.float32)


def babble(waves: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Mix voices that speak at once, each at a random point of its wave; the longest's length."""
    length = max(map(len, waves))
    mixed = np.zeros(length, np.float32)
    for wave in waves:
        level = np.sqrt(np.mean(wave**2)) or 1.0
        mixed += np.roll(np.pad(wave, (0, length - len(wave))), rng.integers(length)) / level
    return mixed / len(waves)
