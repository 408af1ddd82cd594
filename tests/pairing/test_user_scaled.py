"""Vectors standardized by the items of the training pairs, and what the model's file keeps."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from ima import IMA
from ima.datasets.user_vectors import with_names
from ima.features.scaling import scale_of, unstandardized
from ima.features.scaling import standardized as scaled
from ima.models.autoencoder import Stage1
from ima.models.importance import Stage2
from ima.pairing.user_scaled import scale_items
from ima.utils.arrow import matrix, vector_column
from ima.utils.errors import InputError
from ima.workflow.user_config import standardized

#: Not what is tested here.
QUICK = Stage2("ima+", steps=1, restarts=1, rounds=1)


def items(x):
    return pa.table({"id": [str(i) for i in range(len(x))], "x": vector_column(np.array(x))})


def test_mean_and_deviation_of_training_items_by_hand(caplog):
    """Rows 0 and 1 are trained on (0 twice): means 2, 7; deviations 1, 0. Row 2 is not."""
    table, scale = scale_items(items([[1, 7], [3, 7], [6, 9]]), np.array([0, 0, 1, -1]), True, "a")
    assert scale["scale.a"].tolist() == [[2, 7], [1, 0]]
    assert table["x"].to_pylist() == [[-1, 0], [1, 0], [4, 0]]
    assert "1 of 2 dimensions are constant over the training items and are set to 0: 1" in (
        caplog.text
    )
    back = unstandardized(torch.tensor(matrix(table, "x")), scale["scale.a"])
    assert back.tolist() == [[1, 7], [3, 7], [6, 7]]


@pytest.mark.parametrize(
    ("names", "constant", "said"),
    [
        (
            [],
            5,
            "5 of 6 dimensions are constant over the training items and are set to 0: 0, 1, 2 ",
        ),
        ([f"v{i}" for i in range(6)], 5, ": v0, v1, v2 and 2 more"),
        ([f"v{i}" for i in range(6)], 1, ": v0"),
    ],
)
def test_constant_dimensions_are_named(caplog, names, constant, said):
    x = np.arange(12.0).reshape(2, 6)
    x[:, :constant] = 7
    scale_items(with_names(items(x), names), np.array([0, 1]), True, "a")
    assert said in caplog.text and ("v1" in caplog.text) == (bool(names) and constant > 1)


def test_vectors_stay_where_they_are_not_standardized(caplog):
    given = items([[1, 7], [3, 7]])
    table, scale = scale_items(given, np.array([0, 1]), False, "a")
    assert table.equals(given) and scale == {} and not caplog.text


@pytest.mark.parametrize("standardize", [True, False])
def test_a_view_that_is_constant_ends_with_what_to_do(standardize):
    x = items([[1, 7], [1, 7], [6, 9]])
    with pytest.raises(InputError, match=r"found 2 that are all the same\. Remove a from"):
        scale_items(x, np.array([0, 1]), standardize, "a")
    scale_items(x, np.array([0, 1, 2]), standardize, "a")


def test_which_modalities_are_standardized():
    assert standardized({"loss": "sse"}) and not standardized({"loss": "bce"})
    assert not standardized({"loss": "sse", "standardize": False})


def test_a_loaded_model_takes_raw_vectors(tmp_path):
    """As the estimator's: what it does to raw vectors is what the workflow's items are."""
    rng = np.random.default_rng(0)
    x = {m: (rng.normal(size=(60, 4)) * [1, 100, 0, 1e-3] + 5).astype(np.float32) for m in "ab"}
    layers = {m: {"hidden": 8, "loss": "sse"} for m in "ab"}
    model = IMA(layers, latent=2, stage1=Stage1(epochs=1), stage2=QUICK).fit(x)
    model.save(tmp_path / "model.safetensors")
    table, scale = scale_items(items(x["a"]), np.arange(60), True, "a")
    assert torch.equal(scale["scale.a"], model.scales_["a"].cpu())
    loaded = IMA.load(tmp_path / "model.safetensors")
    with torch.no_grad():
        u = loaded.network_.autoencoder.encoders["a"](torch.tensor(matrix(table, "x")))
    np.testing.assert_allclose(loaded.transform({"a": x["a"]}), u, rtol=1e-5, atol=1e-6)
    # Control: not of vectors in other units.
    assert np.abs(loaded.transform({"a": 2 * x["a"]}) - u.numpy()).max() > 0.01
    assert torch.equal(scaled(torch.tensor(x["a"]), scale["scale.a"])[:, 2], torch.zeros(60))


def test_reconstructions_have_the_units_of_the_vectors():
    """One latent that both share, times 100 and 5 from 0: reconstructed to a tenth of that."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(400, 1))
    x = {m: (100 * shared @ rng.normal(size=(1, 6)) + 500).astype(np.float32) for m in "ab"}
    stage1 = Stage1(epochs=40, learning_rate=3e-3)
    layers = {m: {"hidden": 32, "loss": "sse", "activation": "tanh"} for m in "ab"}
    model = IMA(layers, latent=2, stage1=stage1, stage2=QUICK).fit(x)
    for given in (x, {"a": x["a"]}):  # also of a modality from another
        found = model.reconstruct(given)
        assert list(found) == ["a", "b"]
        for m, of in found.items():
            error = ((of - x[m]) ** 2).mean() / x[m].var(0).mean()
            assert of.shape == x[m].shape and error < 0.1


def test_the_scale_of_pairs_that_lack_items():
    x = torch.tensor([[0.0], [2.0], [100.0]])
    assert scale_of(x, np.array([0, 1, -1, 1])).tolist() == [[1], [1]]
