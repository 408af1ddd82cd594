"""t-SNE: the same coordinates for the same seed, each item once, classes that stay together."""

import numpy as np
import pyarrow as pa
import pytest

from ima.errors import InputError
from ima.metrics import precision_at_k
from ima.schema import EMBEDDINGS, pairs_schema
from ima.tsne import embed, embed_views, first_of_each, views_of


def blobs(n=150, classes=3):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % classes
    centres = 8 * rng.normal(size=(classes, 10))
    return (centres[labels] + rng.normal(size=(n, 10))).astype(np.float32), labels


def test_same_seed_same_coordinates():
    x, _ = blobs()
    first = embed(x, 10, 0.5, 3)
    assert first.shape == (150, 2) and first.dtype == np.float32
    assert np.array_equal(embed(x, 10, 0.5, 3), first)
    assert np.array_equal(embed(x.copy(), 10, 0.5, 3), first)


def test_classes_stay_together_and_shuffled_labels_do_not():
    x, labels = blobs()
    coordinates = embed(x, 10, 0.5, 0)
    shuffled = np.random.default_rng(1).permutation(labels)
    assert precision_at_k(coordinates, labels, [10])[10].mean() > 0.95
    assert precision_at_k(coordinates, shuffled, [10])[10].mean() < 0.45


def test_perplexity_and_angle_are_used():
    x, _ = blobs()
    coordinates = embed(x, 10, 0.5, 0)
    assert not np.allclose(embed(x, 5, 0.5, 0), coordinates)
    assert not np.allclose(embed(x, 10, 0.9, 0), coordinates)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.random.default_rng(0).random((31, 4)), "more than 31 samples .* found 31"),
        (np.ones((50, 4)), "samples that differ"),
        (np.where(np.eye(50) > 0, np.nan, 1.0), "finite samples"),
    ],
)
def test_samples_that_cannot_be_embedded(x, message):
    with pytest.raises(InputError, match=message):
        embed(x, 10, 0.5, 0)


def test_first_of_each_by_hand():
    a, b = np.array([5, 5, 2, 5, 2]), np.array([1, 1, 1, 9, 1])
    assert first_of_each([a]).tolist() == [0, 2]
    assert first_of_each([a, b]).tolist() == [0, 2, 3]


def pairs_of(n=120):
    """Return pairs of images that come twice; each 10th has noise for it, the 2nd for speech."""
    kinds = ["image_noise" if i % 10 == 0 else "clean" for i in range(n)]
    kinds[1] = "speech_noise"
    columns = {"item_image": np.arange(n) // 2, "item_speech": np.arange(n)}
    columns |= {"label": np.arange(n) // 2 % 5, "kind": kinds}
    return pa.table(columns).cast(pairs_schema(["image", "speech"]))


def test_views_have_each_item_once_and_its_noise():
    pairs = pairs_of()
    rng = np.random.default_rng(0)
    vectors = {name: rng.random((120, 4)) for name in ("u_image", "u_speech", "z_unweighted", "z")}
    hidden = {name: rng.random((120, 4)) for name in ("image", "speech")}
    table = embed_views(pairs, views_of(pairs, hidden, vectors), 10, 0.5, 0)
    assert table.schema == EMBEDDINGS
    views = table["view"].to_pylist()
    sizes = {view: views.count(view) for view in dict.fromkeys(views)}
    assert sizes == {
        "hidden_image": 60,
        "hidden_speech": 120,
        "u_image": 60,
        "u_speech": 120,
        "z_unweighted": 120,
        "z": 120,
    }
    rows = {view: [r for r in table.to_pylist() if r["view"] == view] for view in sizes}
    assert [r["pair"] for r in rows["hidden_image"]] == list(range(0, 120, 2))
    assert [r["pair"] for r in rows["hidden_image"] if r["noise"]] == list(range(0, 120, 10))
    assert [r["pair"] for r in rows["u_speech"] if r["noise"]] == [1]
    assert [r["pair"] for r in rows["z"] if r["noise"]] == [0, 1, *range(10, 120, 10)]
    assert all(r["label"] == r["pair"] // 2 % 5 for view in rows.values() for r in view)
    expected = embed(hidden["image"][::2], 10, 0.5, 0)
    assert [r["x"] for r in rows["hidden_image"]] == expected[:, 0].tolist()


def test_view_of_another_length_is_named():
    with pytest.raises(InputError, match="view u: expected 120 rows, found 119"):
        embed_views(pairs_of(), {"u": (["image"], np.ones((119, 2)))}, 10, 0.5, 0)
    with pytest.raises(InputError, match=r"t-SNE of u: .*differ"):
        embed_views(pairs_of(), {"u": (["image"], np.ones((120, 2)))}, 10, 0.5, 0)
