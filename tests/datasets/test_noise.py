"""Synthetic noise: exact share of zeros, moments, determinism."""

import numpy as np
import pytest

from ima.datasets.noise import (
    babble,
    degraded_images,
    noise_images,
    noise_wave,
    shaped_noise,
    write_noise,
)
from ima.utils.arrow import matrix
from ima.utils.io import read_parquet
from ima.utils.matrices import read_matrix
from ima.utils.schemas import NOISE

PAPER = {"pixels": 784, "mean": 0.5, "sd": 0.12, "zero_fraction": 0.8}


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("pixels", "zero_fraction", "zeros"),
    [(784, 0.8, 627), (784, 0, 0), (784, 1, 784), (10, 0.26, 3), (1, 0.4, 0)],
)
def test_noise_images_have_an_exact_share_of_zeros(pixels, zero_fraction, zeros):
    # With a mean 4 standard deviations above 0, hardly any pixel is zero by chance.
    images = noise_images(200, pixels, 0.5, 0.05, zero_fraction, rng())
    assert images.shape == (200, pixels) and images.dtype == np.float32
    assert ((images == 0).sum(axis=1) == zeros).all()


def test_noise_images_zero_pixels_uniformly_at_random():
    images = noise_images(4000, 20, 0.5, 0.05, 0.5, rng())
    share = (images == 0).mean(axis=0)
    assert np.abs(share - 0.5).max() < 5 * 0.5 / np.sqrt(4000)
    assert len(np.unique(images == 0, axis=0)) > 3900  # of 184,756 patterns


def test_noise_images_have_the_given_moments():
    images = noise_images(2000, **PAPER, rng=rng())
    rest = images[images > 0]
    n = rest.size
    assert n == pytest.approx(2000 * 157, rel=1e-4)
    # The five sigma of sampling; clipping at 0 and 1 is 4.2 sd away.
    assert abs(rest.mean() - 0.5) < 5 * 0.12 / np.sqrt(n)
    assert abs(rest.std() - 0.12) < 5 * 0.12 / np.sqrt(2 * n)


def test_noise_images_stay_in_the_unit_interval():
    images = noise_images(100, 784, 0.5, 1.0, 0.1, rng())
    assert images.min() == 0 and images.max() == 1
    zeros = (images == 0).sum(axis=1)
    assert (zeros >= 78).all() and zeros.mean() > 78 + 0.25 * 706  # negative ones besides: 31 %


def test_noise_depends_only_on_the_seed():
    a, b, other = (noise_images(3, **PAPER, rng=rng(seed)) for seed in (1, 1, 2))
    assert (a == b).all() and (a != other).any()
    assert (noise_wave(0.1, 8000, rng(1)) == noise_wave(0.1, 8000, rng(1))).all()
    assert (noise_wave(0.1, 8000, rng(1)) != noise_wave(0.1, 8000, rng(2))).any()


def test_noise_wave_is_white_with_unit_variance():
    wave = noise_wave(4, 12_500, rng())
    n = 50_000
    assert wave.shape == (n,) and wave.dtype == np.float32
    assert abs(wave.mean()) < 5 / np.sqrt(n)
    assert abs(wave.var() - 1) < 5 * np.sqrt(2 / n)
    for lag in (1, 2, 10):
        assert abs(np.mean(wave[lag:] * wave[:-lag])) < 5 / np.sqrt(n)
    octaves = np.add.reduceat(np.abs(np.fft.rfft(wave)) ** 2, np.arange(0, 25_000, 5_000)) / n
    assert octaves / 5_000 == pytest.approx(1, abs=5 / np.sqrt(5_000))


def test_noise_wave_length_is_rounded():
    assert len(noise_wave(0.01001, 12_500, rng())) == 125


def test_write_noise_writes_ids(tmp_path):
    x = noise_images(2, 4, 0.5, 0.12, 0.5, rng())
    write_noise("image", x, tmp_path / "noise.parquet")
    table = read_parquet(tmp_path / "noise.parquet", NOISE)
    assert table["id"].to_pylist() == ["image_noise/00000", "image_noise/00001"]
    np.testing.assert_array_equal(matrix(table, "x"), x)


def test_write_noise_accepts_zero_items(tmp_path):
    write_noise("image", np.empty((0, 784), np.float32), tmp_path / "noise.parquet")
    assert read_matrix([tmp_path / "noise.parquet"]).shape == (0, 784)


def test_degraded_images_are_blurred_and_permuted():
    images = np.zeros((3, 16), np.float32)
    images[:, :4] = 1  # the first row of 4 x 4 pixels
    made = degraded_images(images, 5, 1.0, rng())
    assert made.shape == (5, 16) and made.dtype == np.float32
    # A permutation keeps the values; a blur changes them but nearly keeps their sum.
    assert all(sorted(image.tolist()) == [0] * 12 + [1] * 4 for image in made[1::2])
    assert all(0 < image.max() < 1 and len(np.unique(image)) > 2 for image in made[::2])
    assert (made[1] != made[3]).any()  # different permutations


def test_shaped_noise_has_the_spectrum_of_its_recordings():
    rate = np.arange(4000)
    tone = np.sin(2 * np.pi * rate * 500 / 4000).astype(np.float32)
    made = shaped_noise([tone, tone[:3000]], rng())
    power = np.abs(np.fft.rfft(made)) ** 2
    assert len(made) == 4000 and made.dtype == np.float32
    assert power[480:520].sum() > 0.9 * power.sum()


def test_babble_mixes_all_its_voices():
    n = np.arange(4000)
    tones = [np.sin(2 * np.pi * n[:length] * f / 4000) for f, length in ((300, 4000), (900, 3500))]
    tones = [tone.astype(np.float32) for tone in tones]
    tones[1] *= 100  # loudness does not affect the weight
    power = np.abs(np.fft.rfft(babble(tones, rng()))) ** 2
    low, high = power[280:320].sum(), power[880:920].sum()
    assert low + high > 0.9 * power.sum() and 0.5 < low / high < 2
    assert np.isfinite(babble([np.zeros(100, np.float32)], rng())).all()
