"""What importances make of pairs: weights, and distances of latents from the joint one."""

import math

import numpy as np
import pyarrow as pa
import pytest
import torch

from ima.evaluation.fusion import distances, fusion_scores, mean_weights, normalised_weights
from ima.models.ima import fuse
from ima.utils.arrow import vector_column
from ima.utils.errors import InputError

Y = {"image": np.array([0.9, 0.1, 0.8, 0.0]), "speech": np.array([0.3, 0.9, 0.2, 0.0])}


def by(rows, value, *keys):
    return {tuple(row[key] for key in keys): row[value] for row in rows}


def test_normalised_weights_by_hand():
    w = normalised_weights(Y)
    assert w["image"].tolist() == pytest.approx([3 / 4, 1 / 10, 4 / 5, 0])
    assert w["speech"].tolist() == pytest.approx([1 / 4, 9 / 10, 1 / 5, 0])


def test_they_are_those_of_the_joint_representation():
    rng = np.random.default_rng(0)
    y = {name: rng.random(5) for name in "abc"}
    u = {name: rng.normal(size=(5, 2)) for name in "abc"}
    by_hand = sum(normalised_weights(y)[name][:, None] * u[name] for name in "abc")
    z = fuse(*({m: torch.tensor(v) for m, v in of.items()} for of in (u, y)))
    np.testing.assert_allclose(by_hand, z.numpy())


def test_invalid_importances_have_no_weights():
    for values in ([-0.1], [1.1], [math.nan]):
        with pytest.raises(InputError, match=r"numbers in \[0, 1\]"):
            normalised_weights({"image": np.array(values)})
    with pytest.raises(InputError, match="one modality or more, found none"):
        normalised_weights({})


def test_mean_weights_by_hand():
    y = {"image": np.array([0.1, 1.0, 0.0]), "speech": np.array([0.9, 1.0, 0.0])}
    rows = mean_weights(y, np.array(["image_noise", "clean", "clean"]))
    w = by(rows, "weight", "subset", "modality")
    assert w["image_noise", "image"] == pytest.approx(0.1)
    assert w["image_noise", "speech"] == pytest.approx(0.9)
    # 1/10, 1/2, and 0 where all importances are 0, as in z
    assert w["all", "image"] == pytest.approx(0.6 / 3)
    assert by(rows, "importance", "subset", "modality")["all", "speech"] == pytest.approx(1.9 / 3)


def test_distances_by_hand():
    z = np.array([[0.0], [2.0], [4.0]])  # its variance is 8/3
    rows = distances(z, {"same": z, "mean": np.full((3, 1), 2.0), "off": z + 1})
    own = by(rows, "distance", "modality", "pairs")
    assert own["same", "own"] == 0 and own["mean", "own"] == 1 and own["off", "own"] == 3 / 8
    # rolled by one or by two: 4, 4 and 16
    assert own["same", "shuffled"] == pytest.approx(24 / 8)


def test_distances_of_latents_that_know_nothing():
    """Independent of z, both are as far: its variance and theirs."""
    rng = np.random.default_rng(0)
    rows = distances(rng.normal(size=(5000, 3)), {"image": 2 * rng.normal(size=(5000, 3))})
    for row in rows:
        assert row["distance"] == pytest.approx(1 + 4, rel=0.05)


def test_joint_latents_that_all_are_alike_have_a_finite_distance():
    (own, _) = distances(np.ones((3, 2)), {"image": np.zeros((3, 2))})
    assert np.isfinite(own["distance"]) and own["distance"] > 1


def test_scores_of_tables():
    vectors = vector_column(np.array([[0.0], [2.0]], np.float32))
    y = pa.array([0.5, 1.0], pa.float32())
    names = ("z", "z_unweighted", "u_image", "u_speech")
    columns = {**dict.fromkeys(names, vectors), "y_image": y, "y_speech": y}
    pairs = pa.table(
        {
            **{f"item_{m}": pa.array([0, 1], pa.int32()) for m in ("image", "speech")},
            **{"label": pa.array([0, 1], pa.int8()), "pair_type": ["clean", "image_noise"]},
        }
    )
    found = fusion_scores(pa.table(columns), pairs)
    assert found["share_noise"] == {"image": 0.5, "speech": 0.0}
    assert {row["weight"] for row in found["weights"]} == {0.5}
    assert found["centre"] == 1 / 2  # the mean is 1, of squares 0 and 4
    assert {r["distance"] for r in found["distances"] if r["pairs"] == "own"} == {0.0}
