"""Flattening of images to vectors."""

import numpy as np

from ima.features.images import flatten


def test_grey_levels_by_hand():
    images = np.array([[[0, 51], [102, 255]], [[255, 0], [0, 1]]], np.uint8)
    x = flatten(images)
    assert x.dtype == np.float32
    expected = np.array([[0, 0.2, 0.4, 1], [1, 0, 0, 1 / 255]], np.float32)
    np.testing.assert_array_equal(x, expected)


def test_every_grey_level_round_trips():
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    x = flatten(images)
    assert x.min() == 0 and x.max() == 1
    assert (np.rint(x * 255).astype(np.uint8).reshape(images.shape) == images).all()


def test_flatten_keeps_rows_and_does_not_change_its_input():
    images = np.zeros((3, 28, 28), np.uint8)
    images[1, 2, 3] = 255
    x = flatten(images)
    assert x.shape == (3, 784)
    assert np.argwhere(x).tolist() == [[1, 2 * 28 + 3]]
    assert images.dtype == np.uint8 and images[1, 2, 3] == 255
    assert flatten(images[:0]).shape == (0, 784)
