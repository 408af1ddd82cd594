"""t-SNE: the same coordinates for the same seed, each item once, classes that stay together."""

import numpy as np
import pyarrow as pa
import pytest

from ima.evaluation.metrics import precision_at_k
from ima.evaluation.tsne import View, embed, embed_some, embed_views, first_of_each, spaces_of
from ima.utils.errors import InputError
from ima.utils.schemas import EMBEDDINGS, pairs_schema


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
        (np.ones((50, 4)), "not all equal"),
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
    pair_types = ["image_noise" if i % 10 == 0 else "clean" for i in range(n)]
    pair_types[1] = "speech_noise"
    columns = {"item_image": np.arange(n) // 2, "item_speech": np.arange(n)}
    columns |= {"label": np.arange(n) // 2 % 5, "pair_type": pair_types}
    return pa.table(columns).cast(pairs_schema(["image", "speech"]))


VIEWS = ["hidden_image", "hidden_speech", "u_image", "u_speech", "z"]


def spaces(pairs):
    rng = np.random.default_rng(0)
    vectors = {name: rng.random((120, 4), np.float32) for name in ("u_image", "u_speech", "z")}
    hidden = {name: rng.random((120, 4), np.float32) for name in ("image", "speech")}
    return hidden, vectors, spaces_of(pairs, hidden, vectors)


def test_views_have_each_item_once_and_its_noise():
    pairs = pairs_of()
    hidden, _, views = spaces(pairs)
    table = embed_views(pairs, views, 10, 0.5, 0)
    assert table.schema == EMBEDDINGS and table["view"].unique().to_pylist() == VIEWS
    rows = {view: [r for r in table.to_pylist() if r["view"] == view] for view in VIEWS}
    assert [len(rows[view]) for view in VIEWS] == [60, 120, 60, 120, 120]
    assert [r["pair"] for r in rows["hidden_image"]] == list(range(0, 120, 2))
    assert [r["pair"] for r in rows["hidden_image"] if r["noise"]] == list(range(0, 120, 10))
    assert [r["pair"] for r in rows["u_speech"] if r["noise"]] == [1]
    assert [r["pair"] for r in rows["z"] if r["noise"]] == [0, 1, *range(10, 120, 10)]
    assert [r["pair"] for r in rows["z"] if r["pair_type"] == "image_noise"] == [*range(0, 120, 10)]
    assert all(r["label"] == r["pair"] // 2 % 5 for view in rows.values() for r in view)
    expected = embed(hidden["image"][::2], 10, 0.5, 0)
    assert [r["x"] for r in rows["hidden_image"]] == expected[:, 0].tolist()


def test_representations_share_one_embedding():
    pairs = pairs_of()
    _, vectors, views = spaces(pairs)
    table = embed_views(pairs, views, 10, 0.5, 0)
    together = np.concatenate([vectors["u_image"][::2], vectors["u_speech"], vectors["z"]])
    found = [(r["x"], r["y"]) for r in table.to_pylist() if not r["view"].startswith("hidden")]
    np.testing.assert_array_equal(found, embed(together, 10, 0.5, 0))


def test_the_same_vectors_lie_together_in_one_space_and_not_in_two():
    pairs = pairs_of()
    x, _ = blobs(120)
    one = {"u_speech": View(["speech"], x), "z": View(["image", "speech"], x)}

    def gaps(spaces):
        """Return how far the points of a pair are from each other, against the spread of all."""
        at = embed_views(pairs, spaces, 10, 0.5, 0)
        at = np.stack([at["x"].to_numpy(), at["y"].to_numpy()], axis=1)
        return np.linalg.norm(at[:120] - at[120:], axis=1).mean() / at.std(0).mean()

    assert gaps([one]) < 0.1
    apart = View(["speech"], x[np.random.default_rng(0).permutation(120)])
    assert gaps([{"u_speech": apart}, {"z": one["z"]}]) > 0.5


def test_pairs_that_lack_a_modality_have_no_point_of_it():
    pairs = pairs_of()
    some = pa.array([None if i < 20 else i // 2 for i in range(120)], pa.int32())
    pairs = pairs.set_column(0, "item_image", some)
    _, _, views = spaces(pairs)
    table = embed_views(pairs, views, 10, 0.5, 0).to_pylist()
    assert min(r["pair"] for r in table if r["view"] == "u_image") == 20
    assert [r["pair"] for r in table if r["view"] == "z"] == list(range(120))


def test_view_of_another_length_is_named():
    with pytest.raises(InputError, match="view u: expected 120 rows, found 119"):
        embed_views(pairs_of(), [{"u": View(["image"], np.ones((119, 2)))}], 10, 0.5, 0)


def test_samples_that_are_few_or_alike_are_drawn_all_the_same(caplog):
    alike = embed_views(pairs_of(), [{"u": View(["image"], np.ones((120, 2)))}], 10, 0.5, 0)
    assert np.ptp(alike["x"].to_numpy()) == 0 and "u: 60 samples, too few or too alike" in (
        caplog.text
    )
    x = np.random.default_rng(0).normal(size=(20, 5))
    assert embed_some(x, 30, 0.5, 0, "v").shape == (20, 2)
    assert "v: perplexity 6 for 20 samples" in caplog.text  # 19 / 3 at the most
    # Of seven, principal components: they keep the distances of points in a plane.
    few = embed_some(x[:7, :2], 30, 0.5, 0, "w")
    gaps = [np.linalg.norm(of[:, None] - of[None], axis=-1) for of in (few, x[:7, :2])]
    np.testing.assert_allclose(*gaps, atol=1e-5)
    assert embed_some(x[:1, :1], 30, 0.5, 0, "one").tolist() == [[0, 0]]
    assert embed_some(x[:0], 30, 0.5, 0, "none").shape == (0, 2)
