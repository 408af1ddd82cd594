"""The synthetic noise that a part of the pairs gets in place of a digit (Section 4)."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from ima.io import vector_column, write_parquet
from ima.schema import NOISE


def noise_images(
    n: int, pixels: int, mean: float, sd: float, zeroed: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw noise images: Gaussian pixels, an exact share of which is set to zero.

    Args:
        n: number of images.
        pixels: pixels an image.
        mean: of the pixels before zeroing (.5 in the paper).
        sd: their standard deviation (.12).
        zeroed: share K of the pixels that is zeroed, in [0, 1] (.8).
        rng: source of randomness.

    Returns:
        float32 (n, pixels), no value below 0; `round(zeroed * pixels)` of each row are zeroed,
        and negative ones besides.
    """
    images = rng.normal(mean, sd, (n, pixels)).astype(np.float32)
    order = rng.random((n, pixels), dtype=np.float32).argsort(axis=1)
    np.put_along_axis(images, order[:, : round(zeroed * pixels)], 0, axis=1)
    return np.clip(images, 0, 1, out=images)


def noise_wave(seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Draw white noise of unit variance: float32 (seconds * rate,)."""
    return rng.standard_normal(round(seconds * rate), dtype=np.float32)


def write_noise(modality: str, x: np.ndarray, path: str | Path) -> None:
    """Write the noise items of a modality, features (n, D), with ids `<modality>_noise/00000`..."""
    ids = [f"{modality}_noise/{i:05d}" for i in range(len(x))]
    write_parquet(pa.table({"id": pa.array(ids, pa.string()), "x": vector_column(x)}), path, NOISE)
