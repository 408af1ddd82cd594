"""Synthetic noise, which replaces a digit in some of the pairs (A.1.1, A.1.2)."""

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
    """Draw noise images: Gaussian pixels, of which an exact share is set to zero.

    Args:
        n: number of images.
        pixels: pixels per image.
        mean: mean of the pixels before zeroing (.5 in the paper).
        sd: standard deviation of the pixels before zeroing (.12 in the paper).
        zero_fraction: share K of pixels set to zero, in [0, 1] (.8 in the paper).
        rng: source of randomness.

    Returns:
        Images, float32 (n, pixels), clipped to [0, 1]. In each row, at least
        `round(zero_fraction * pixels)` values are 0.
    """
    images = rng.normal(mean, sd, (n, pixels)).astype(np.float32)
    order = rng.random((n, pixels), dtype=np.float32).argsort(axis=1)
    np.put_along_axis(images, order[:, : round(zero_fraction * pixels)], 0, axis=1)
    return np.clip(images, 0, 1, out=images)


def noise_wave(seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Draw white Gaussian noise of unit variance.

    Args:
        seconds: duration in s.
        rate: sampling rate in Hz.
        rng: source of randomness.

    Returns:
        Samples, float32 (round(seconds * rate),).
    """
    return rng.standard_normal(round(seconds * rate), dtype=np.float32)


def write_noise(modality: str, x: np.ndarray, path: str | Path) -> None:
    """Write noise features as NOISE, with ids `<modality>_noise/00000` ...

    Args:
        modality: the name of the modality.
        x: (n, D) features.
        path: the Parquet file to write.
    """
    ids = [f"{modality}_noise/{i:05d}" for i in range(len(x))]
    write_parquet(pa.table({"id": pa.array(ids, pa.string()), "x": vector_column(x)}), path, NOISE)


def degraded_images(images: np.ndarray, n: int, sd: float, rng: np.random.Generator) -> np.ndarray:
    """Make noise images from real ones by blurring them or permuting their pixels.

    Args:
        images: (m, pixels) square images in [0, 1], from which the originals are drawn.
        n: number of noise images; every second one is permuted, each with its own permutation.
        sd: standard deviation, in pixels, of the Gaussian that blurs the others.
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
    """Draw noise with the long-term spectrum of speech, by shaping white noise.

    Args:
        waves: float32 recordings at one sampling rate, whose mean spectrum is used.
        rng: source of randomness.

    Returns:
        Samples, float32 (n,), as long as the longest recording.
    """
    length = max(map(len, waves))
    spectrum = np.sqrt(np.mean([np.abs(np.fft.rfft(w, length)) ** 2 for w in waves], axis=0))
    white = np.fft.rfft(rng.standard_normal(length))
    return (np.fft.irfft(white * spectrum, length) / np.sqrt(length)).astype(np.float32)


def babble(waves: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Mix recordings into babble, each starting at a random point.

    Args:
        waves: float32 recordings at one sampling rate, scaled to equal power.
        rng: source of randomness.

    Returns:
        Samples, float32 (n,), as long as the longest recording.
    """
    length = max(map(len, waves))
    mixed = np.zeros(length, np.float32)
    for wave in waves:
        level = np.sqrt(np.mean(wave**2)) or 1.0
        mixed += np.roll(np.pad(wave, (0, length - len(wave))), rng.integers(length)) / level
    return mixed / len(waves)
