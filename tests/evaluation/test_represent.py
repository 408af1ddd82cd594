"""Representations of pairs: the joint one by hand, and the table that holds them."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from ima.evaluation.represent import as_table, decode, joint, represent
from ima.models.ima import Autoencoder, IMANetwork, Modality, fuse
from ima.utils.arrow import conform, matrix
from ima.utils.io import read_parquet, write_parquet
from ima.utils.schemas import representations_schema

MODALITIES = {"touch": Modality(3, 4), "image": Modality(5, 4), "audio": Modality(2, 4)}
ITEMS = {
    "touch": torch.tensor([0, 0, 2, 1]),
    "image": torch.tensor([3, 1, 1, 0]),
    "audio": torch.tensor([5, 4, 3, 2]),
}


@pytest.fixture
def trained():
    """Return a model, and features of more items than pairs have."""
    torch.manual_seed(0)
    model = IMANetwork.of(MODALITIES, 2, 4, {"touch": [0.2], "image": [0.5], "audio": [0.9]})
    x = {name: torch.rand(6, modality.dimension) for name, modality in MODALITIES.items()}
    return model, x


def test_latents_and_importances_are_those_of_each_pairs_items(trained):
    model, x = trained
    found = represent(model, x, ITEMS)
    assert found.keys() == {"u", "y", "present"} and found.pop("present") is None
    for name, rows in ITEMS.items():
        assert found["u"][name].shape == (4, 2) and found["y"][name].shape == (4,)
        for pair, row in enumerate(rows.tolist()):
            item = x[name][row : row + 1]
            u, y = model.autoencoder.encoders[name](item), model.importance[name](item)
            torch.testing.assert_close(found["u"][name][pair], u[0])
            torch.testing.assert_close(found["y"][name][pair], y[0, 0])
    assert torch.equal(found["u"]["touch"][0], found["u"]["touch"][1])  # the same item
    assert not any(value.requires_grad for part in found.values() for value in part.values())


def test_joint_representations_by_hand():
    u = {
        "image": torch.tensor([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0]]),
        "audio": torch.tensor([[0.0, 8.0], [0.0, 8.0], [0.0, 8.0]]),
    }
    y = {"image": torch.tensor([0.25, 0.5, 0.0]), "audio": torch.tensor([0.75, 0.0, 0.0])}
    table = as_table(u, y)
    assert matrix(table, "z").tolist() == [[1, 6], [4, 0], [0, 0]]
    assert matrix(table, "z_unweighted").tolist() == [[2, 4]] * 3
    assert matrix(table, "u_image").tolist() == u["image"].tolist()
    assert matrix(table, "u_audio").tolist() == u["audio"].tolist()
    assert table["y_image"].to_pylist() == [0.25, 0.5, 0]
    assert table["y_audio"].to_pylist() == [0.75, 0, 0]


def test_the_table_is_that_of_the_schema(trained, tmp_path):
    table = as_table(**represent(*trained, ITEMS))
    schema = representations_schema(ITEMS)
    assert table.column_names == schema.names
    assert table.column_names[:4] == ["z", "z_unweighted", "u_touch", "u_image"]
    write_parquet(table, tmp_path / "representations.parquet", schema)
    back = read_parquet(tmp_path / "representations.parquet", schema)
    assert back == conform(table, schema, "table") and len(back) == 4
    assert back["z"].type == pa.list_(pa.float32(), 2) and back["y_audio"].type == pa.float32()


def test_pairs_that_lack_a_modality(trained):
    """Pair 0 has touch alone, pair 1 lacks touch, pair 2 has all; rows are -1 where absent."""
    model, x = trained
    items = {
        "touch": torch.tensor([4, -1, 2]),
        "image": torch.tensor([-1, 1, 1]),
        "audio": torch.tensor([-1, 0, 3]),
    }
    here = {"touch": [1, 0, 1], "image": [0, 1, 1], "audio": [0, 1, 1]}
    found = represent(model, x, items)
    assert {m: of.tolist() for m, of in found["present"].items()} == here
    complete = represent(model, x, {m: rows.clamp_min(0) for m, rows in items.items()})
    for m, has in here.items():
        mask = torch.tensor(has, dtype=torch.float32)
        torch.testing.assert_close(found["u"][m], complete["u"][m] * mask.unsqueeze(1))
        torch.testing.assert_close(found["y"][m], complete["y"][m] * mask)
    table = as_table(**found)
    for m, has in here.items():
        assert [v is not None for v in table[f"y_{m}"].to_pylist()] == [bool(h) for h in has]
        assert [v is not None for v in table[f"u_{m}"].to_pylist()] == [bool(h) for h in has]
    unimportant = {m: 0 * y for m, y in found["y"].items()}
    for name in ("z", "z_unweighted"):  # of a single modality, however important
        z = matrix(as_table(found["u"], unimportant, found["present"]), name)[0]
        assert z == pytest.approx(found["u"]["touch"][0].tolist())
    assert matrix(table, "z")[0] == pytest.approx(found["u"]["touch"][0].tolist())
    two = {m: found["u"][m][1] for m in ("image", "audio")}
    y = {m: found["y"][m][1].item() for m in two}
    mean = sum(y[m] * two[m] for m in two) / sum(y.values())
    assert matrix(table, "z")[1] == pytest.approx(mean.tolist())
    assert matrix(table, "z_unweighted")[1] == pytest.approx((sum(two.values()) / 2).tolist())


def test_joint_of_absent_modalities_by_hand():
    """Of one modality, its latent, whatever y is; of none, 0; of two, the mean of these two."""
    u = {"a": torch.tensor([[4.0], [4.0], [0.0], [4.0]]), "b": torch.tensor([[0.0], [8], [0], [8]])}
    u["c"] = torch.tensor([[0.0], [0.0], [0.0], [6.0]])
    y = {"a": torch.tensor([0.0, 0.25, 0.5, 0.5]), "b": torch.tensor([0.9, 0.75, 0.5, 0.0])}
    y["c"] = torch.tensor([0.5, 0.5, 0.5, 0.5])
    present = {"a": torch.tensor([1.0, 1, 0, 1]), "b": torch.tensor([0.0, 1, 0, 1])}
    present["c"] = torch.tensor([0.0, 0.0, 0.0, 1.0])
    assert joint(u, y, present).flatten().tolist() == [4, 7, 0, 5]
    assert joint(u, None, present).flatten().tolist() == [4, 6, 0, 6]
    assert joint({"a": u["a"]}, y).flatten().tolist() == [4, 4, 0, 4]


@pytest.mark.parametrize("loss", ["bce", "sse", "categorical"])
def test_decoded_items_are_predictions_in_the_units_of_x(loss):
    torch.manual_seed(0)
    model = Autoencoder({"image": Modality(4, 3, loss, shape=(2, 2))}, 2)
    z = torch.rand(5, 2)
    decoded, raw = decode(model, z, "image"), model.decoders["image"](z)
    assert raw.requires_grad and not decoded.requires_grad
    expected = {
        "bce": raw.sigmoid(),
        "sse": raw,
        "categorical": raw.view(5, 2, 2).softmax(-1).view(5, 4),
    }
    torch.testing.assert_close(decoded, expected[loss].detach())


@pytest.mark.parametrize("names", [("image",), ("audio", "touch")])
def test_a_subset_of_the_modalities(trained, names):
    model, x = trained
    whole = represent(model, x, ITEMS)
    part = represent(model, x, {name: ITEMS[name] for name in names})
    table = as_table(**part)
    assert table.column_names == representations_schema(names).names
    for name in names:
        assert torch.equal(part["u"][name], whole["u"][name])
        assert torch.equal(part["y"][name], whole["y"][name])
    z = fuse({name: whole["u"][name] for name in names}, whole["y"])
    np.testing.assert_array_equal(matrix(table, "z"), z.numpy())
    if len(names) == 1:  # whatever its importance
        np.testing.assert_allclose(matrix(table, "z"), matrix(table, "u_image"), rtol=1e-6)
