"""Training and representation create no tensor on a device other than that of their inputs.

The default device is set to one that holds no values, so that a tensor which is created without
naming its device cannot be combined with the inputs, as on a GPU.
"""

import pytest
import torch

from ima.evaluation.represent import represent
from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.baselines import BASELINES, baseline, build
from ima.models.ima import Autoencoder, IMANetwork, Modality
from ima.models.importance import Stage2, fit_importance, importances
from ima.models.shared_encoders import fit_weighted
from ima.training.loop import Training, gather

MODALITIES = {"a": Modality(8, 6), "b": Modality(7, 5, "sse")}
COPIES = {name: [0.8, 0.5] for name in MODALITIES}
BATCHES = {"batch_size": 16, "epochs": 1}


@pytest.fixture(params=["complete", "absent"])
def data(request):
    """Return items by modality and pairs, some of which lack a modality."""
    torch.manual_seed(0)
    x = {name: torch.rand(30, m.dimension) for name, m in MODALITIES.items()}
    pairs = {name: torch.randint(0, 30, (40,)) for name in MODALITIES}
    if request.param == "absent":
        pairs["a"][:5] = pairs["b"][5:10] = -1
    return x, pairs


def models(copies):
    autoencoder = Autoencoder(MODALITIES, 3)
    return autoencoder, IMANetwork.from_autoencoder(autoencoder, 5, copies)


@pytest.mark.parametrize("objective", ["paper", "ima+"])
def test_both_stages(objective, data):
    autoencoder, network = models(COPIES)
    stage1 = Stage1(objective=objective, **BATCHES)
    stage2 = Stage2(objective=objective, rounds=1, steps=2, batch_size=16, restarts=2)
    with torch.device("meta"):
        first = fit_autoencoder(autoencoder, *data, stage1, 0, data[1])
        second, _ = fit_importance(network, *data, COPIES, stage2, 0)
    assert first[0]["validation"] > 0 and len(second) >= 2
    assert {p.device.type for p in network.parameters()} == {"cpu"}


@pytest.mark.parametrize("name", BASELINES)
def test_baselines(name, data):
    absent = {"absent": "impute"} if hasattr(baseline(name).settings, "absent") else {}
    settings = baseline(name).settings(**BATCHES, **absent)
    model = build(name, MODALITIES, 3, settings)
    with torch.device("meta"):
        history = baseline(name).fit(model, *data, settings, 0, data[1])
    assert len(history) == 1 and history[0]["validation"] > 0


def test_representations(data):
    _, network = models({name: [0.8] for name in MODALITIES})
    expected = represent(network, *data)
    with torch.device("meta"):
        found = represent(network, *data)
    assert found.keys() == expected.keys()
    for name, values in found.items():
        torch.testing.assert_close(values, expected[name], equal_nan=True)


def test_items_on_a_device_and_pairs_on_the_cpu(data):
    """As on a GPU. There are no values on "meta", so that each ends when it needs one."""
    x, pairs = data
    x = {name: of.to("meta") for name, of in x.items()}
    _, network = models(COPIES)
    with pytest.raises(RuntimeError) as of_pairs:
        importances(network.to("meta").importance, x, pairs)
    y = {name: torch.ones(30, device="meta") for name in x}
    with pytest.raises(RuntimeError) as of_encoders:
        fit_weighted(MODALITIES, 3, y, x, pairs, pairs, Training(**BATCHES), 0)
    for error in (of_pairs, of_encoders):
        assert "meta" in str(error.value) and "expected device" not in str(error.value)


def test_a_tensor_on_the_default_device_is_noticed(data):
    """The control: row numbers that are drawn without a device cannot be used."""
    x, pairs = data
    with torch.device("meta"), pytest.raises((RuntimeError, NotImplementedError)):
        gathered = gather(x, pairs).x["a"]
        float((gathered + torch.ones(len(gathered), 1)).sum())
