"""Checkpoints give back the model that was written, and matrices and pairs what files hold."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from ima.evaluation.represent import represent
from ima.models import checkpoints
from ima.models.ima import Autoencoder, IMANetwork, Modality
from ima.models.importance import select_members
from ima.utils.arrow import vector_column
from ima.utils.errors import InputError
from ima.utils.io import read_tensors, write_parquet, write_tensors
from ima.utils.schemas import FEATURES, NOISE, pairs_schema

#: In an order that is not that of the alphabet, nor its reverse.
MODALITIES = {
    "image": Modality(5, 4, activation="tanh"),
    "audio": Modality(3, 6, "sse"),
    "touch": Modality(2, 2),
}


def model_of(seed=0, copies=1):
    torch.manual_seed(seed)
    return IMANetwork.of(MODALITIES, 3, 7, {name: [0.8] * copies for name in MODALITIES})


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


# Checkpoints


def test_autoencoder_round_trip(tmp_path):
    model = model_of().autoencoder
    config = {**checkpoints.model_config(model), "seed": 4}
    write_tensors(model.state_dict(), tmp_path / "a.safetensors", config)
    torch.manual_seed(1)  # what is drawn in building must be overwritten
    state, found = read_tensors(tmp_path / "a.safetensors")
    assert found["seed"] == 4
    back = checkpoints.build_autoencoder(found, state)
    assert same(model.state_dict(), back.state_dict())
    assert back.modalities == MODALITIES and list(back.modalities) == list(MODALITIES)
    assert back.latent == 3
    x = {name: torch.rand(6, modality.dimension) for name, modality in MODALITIES.items()}
    assert same(model.encode(x), back.encode(x))


def test_whole_model_round_trip(tmp_path):
    """As the workflow does it: stage 2 keeps a copy of each network, and stands in its own file."""
    model = model_of(copies=3)
    first, second = tmp_path / "autoencoder.safetensors", tmp_path / "importance.safetensors"
    write_tensors(
        model.autoencoder.state_dict(), first, checkpoints.model_config(model.autoencoder)
    )
    copies = {"image": 2, "audio": 0, "touch": 1}
    kept = select_members(model, copies)
    rho = dict.fromkeys(MODALITIES, 0.8)
    write_tensors(kept.state_dict(), second, {"hidden": 7, "rho": rho, "copy": copies})
    state, config = read_tensors(first)
    autoencoder = checkpoints.build_autoencoder(config, state)
    state, config = read_tensors(second)
    back = checkpoints.build_ima(autoencoder, config, state)
    assert same(kept.state_dict(), back.importance.state_dict())
    assert same(model.autoencoder.state_dict(), back.autoencoder.state_dict())
    assert list(back.importance) == list(MODALITIES)
    x = {name: torch.rand(6, modality.dimension) for name, modality in MODALITIES.items()}
    found = represent(back, x, {name: torch.arange(6) for name in x})
    for name, y in model.importances(x).items():
        torch.testing.assert_close(found["y"][name], y[copies[name]])


@pytest.mark.parametrize(
    "change",
    [
        {"latent": 4},
        {"modalities": [[n, {**vars(m), "hidden": m.hidden + 1}] for n, m in MODALITIES.items()]},
        {"modalities": [[n, vars(m)] for n, m in list(MODALITIES.items())[:2]]},
        {"modalities": [[n.upper(), vars(m)] for n, m in MODALITIES.items()]},
    ],
)
def test_weights_of_another_autoencoder(change):
    model = model_of().autoencoder
    config = checkpoints.model_config(model)
    assert checkpoints.build_autoencoder(config, model.state_dict()).latent == 3
    with pytest.raises(InputError, match="checkpoint: expected weights that fit its config"):
        checkpoints.build_autoencoder({**config, **change}, model.state_dict())


def test_weights_of_other_importance_networks():
    model = model_of()
    config = {"hidden": 7, "rho": dict.fromkeys(MODALITIES, 0.8)}
    assert checkpoints.build_ima(model.autoencoder, config, model.importance.state_dict())
    for state, hidden in (
        (model.importance.state_dict(), 8),
        (model_of(copies=2).importance.state_dict(), 7),
        (model.autoencoder.state_dict(), 7),
    ):
        with pytest.raises(InputError, match="checkpoint: expected weights that fit its config"):
            checkpoints.build_ima(model.autoencoder, {**config, "hidden": hidden}, state)


def test_networks_of_a_size_that_takes_no_space_in_a_file():
    """Zero components of 10^13 inputs: the mean of so many would need 40 TB."""
    state = {"a.summary.directions": torch.zeros(10**13, 0), "a.summary.mean": torch.zeros(1)}
    state |= {"a.w1": torch.zeros(1, 1, 2), "a.w2": torch.zeros(1, 2, 2)}
    with pytest.raises(InputError, match=r"no a\.w2|summary\.(mean|directions) of shape"):
        checkpoints.build_networks({"a": 10**13}, {"hidden": 2}, state)
    state["a.summary.mean"] = torch.zeros(1).expand(10**13)
    with pytest.raises(InputError, match=r"summary\.directions of shape \(10{13}, 0\)"):
        checkpoints.build_networks({"a": 10**13}, {"hidden": 2}, state)


def test_checking_draws_no_random_numbers():
    """Trainings of the workflow that load a checkpoint begin with the same numbers as before."""
    model = model_of().autoencoder
    config = checkpoints.model_config(model)
    torch.manual_seed(3)
    Autoencoder(MODALITIES, 3)
    expected = torch.get_rng_state()
    torch.manual_seed(3)
    back = checkpoints.build_autoencoder(config, model.state_dict())
    assert torch.equal(torch.get_rng_state(), expected)
    assert all(p.requires_grad and not p.is_meta for p in back.parameters())


def test_modalities_of_data_and_config():
    x = {"speech": torch.zeros(2, 696), "image": torch.zeros(3, 784)}
    layers = {"image": {"hidden": 500, "loss": "bce"}, "speech": {"hidden": 100, "loss": "sse"}}
    found = checkpoints.modalities_of(x, layers)
    assert found == {"speech": Modality(696, 100, "sse"), "image": Modality(784, 500, "bce")}
    assert list(found) == ["speech", "image"]  # as the pairs have them
    assert Autoencoder(found, 2).decoders["image"](torch.zeros(1, 2)).shape == (1, 784)


# Pairs and features


def write_pairs(path, **columns):
    rows = len(next(iter(columns.values())))
    items = {f"item_{name}": values for name, values in columns.items()}
    table = pa.table({**items, "label": [0] * rows, "pair_type": ["clean"] * rows})
    schema = pairs_schema(columns)
    write_parquet(table, path, schema)
    return path


def test_pairs_as_row_numbers(tmp_path):
    path = write_pairs(tmp_path / "pairs.parquet", touch=[2, 0, 1], audio=[4, 4, 5])
    rows = checkpoints.load_pairs(path)
    assert list(rows) == ["touch", "audio"]
    assert rows["touch"].tolist() == [2, 0, 1] and rows["audio"].tolist() == [4, 4, 5]
    assert all(values.dtype == torch.int64 for values in rows.values())


def test_pairs_that_are_none(tmp_path):
    with pytest.raises(InputError, match="expected pairs"):
        checkpoints.load_pairs(write_pairs(tmp_path / "pairs.parquet", a=pa.array([], pa.int32())))
    with pytest.raises(InputError, match="expected a Parquet file, found no file"):
        checkpoints.load_pairs(tmp_path / "other.parquet")


def test_rows_beyond_the_features_name_both_files(tmp_path):
    inputs = {"test": write_pairs(tmp_path / "pairs.parquet", a=[0, 2], b=[1, 1])}
    for name, count in (("a", 3), ("b", 2)):
        inputs[name] = [tmp_path / f"{name}.parquet"]
        items = {"id": [f"{i}" for i in range(count)], "x": vector_column(np.ones((count, 2)))}
        write_parquet(pa.table(items), inputs[name][0], NOISE)
    x, (rows,) = checkpoints.load_data(inputs, ["test"], torch.device("cpu"))
    assert len(x["a"]) == 3 and rows["a"].tolist() == [0, 2]
    inputs["a"] = inputs["b"]
    where = r"pairs.parquet \(rows of .*b.parquet, .*b.parquet\), pairs of a"
    with pytest.raises(InputError, match=where + ": .* 0 to 1.* found 0 to 2"):
        checkpoints.load_data(inputs, ["test"], torch.device("cpu"))


def test_checkpoint_that_does_not_fit_is_named(tmp_path):
    model, other = model_of(), model_of(copies=2)
    first, second = tmp_path / "autoencoder.safetensors", tmp_path / "importance.safetensors"
    layers = checkpoints.model_config(model.autoencoder)
    write_tensors(model.autoencoder.state_dict(), first, layers)
    config = {"hidden": 7, "rho": dict.fromkeys(MODALITIES, 0.8)}
    write_tensors(other.importance.state_dict(), second, config)
    with pytest.raises(InputError, match=r"importance.safetensors, checkpoint: expected weights"):
        checkpoints.load_ima(first, second, torch.device("cpu"))
    with pytest.raises(InputError, match=str(tmp_path)):  # a folder
        checkpoints.load_ima(tmp_path, second, torch.device("cpu"))


def test_noise_follows_the_corpus(tmp_path):
    """The rows that pair tables mean: `len(items) + k` is the k-th noise item."""
    digits, noise = np.arange(6).reshape(3, 2) / 8, np.ones((2, 2)) / 4
    corpus = {"id": ["a", "b", "c"], "split": ["train"] * 3, "label": [0, 1, 2]}
    write_parquet(
        pa.table({**corpus, "x": vector_column(digits)}), tmp_path / "x.parquet", FEATURES
    )
    write_parquet(
        pa.table({"id": ["n0", "n1"], "x": vector_column(noise)}), tmp_path / "n.parquet", NOISE
    )
    paths = {"image": [tmp_path / "x.parquet", tmp_path / "n.parquet"]}
    x = checkpoints.load_features(paths, torch.device("cpu"))
    assert x["image"].dtype == torch.float32
    assert x["image"].tolist() == [*digits.tolist(), *noise.tolist()]


def test_items_without_a_pair_are_left_out():
    x = {"a": torch.arange(9.0)[:, None], "b": torch.arange(9.0)[:, None]}
    pairs = [
        {"a": torch.tensor([7, -1, 2, 7]), "b": torch.tensor([0, 1, 2, 3])},
        {"a": torch.tensor([5]), "b": torch.tensor([3])},
    ]
    small, renumbered = checkpoints.only_paired(x, pairs)
    assert small["a"].flatten().tolist() == [2, 5, 7]
    assert small["b"].flatten().tolist() == [0, 1, 2, 3]
    assert [of["a"].tolist() for of in renumbered] == [[2, -1, 0, 2], [1]]
    for split, new in zip(pairs, renumbered, strict=True):
        assert torch.equal(small["b"][new["b"]], x["b"][split["b"]])
