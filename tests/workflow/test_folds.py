"""Stage 2 trains the autoencoders of its folds as stage 1 was trained."""

import importlib.util
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
import torch

from ima.utils.io import write_tensors
from tests.checkout import ROOT, merged, plans
from tests.problems import features, related
from tests.workflow.test_user_data import example

STAGE1 = {"epochs": 1, "objective": "ima+", "importances": "untrained"}
STAGE2 = {"objective": "mixture", "steps": 2, "rounds": 1, "folds": 3}


class Named(dict):
    __getattr__ = dict.__getitem__


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"workflow/scripts/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A job of either stage on two modalities, without its settings."""
    monkeypatch.setattr("ima.models.checkpoints.load_pairs", lambda pairs: pairs)
    _, x, train, held = related()
    for m, of in x.items():
        pq.write_table(features(of.numpy()), tmp_path / f"{m}.parquet")
    given = {m: [tmp_path / f"{m}.parquet"] for m in x} | {"pairs": train, "validation": held}
    layers = {m: {"hidden": 8, "loss": "sse", "activation": "tanh"} for m in x}
    params = {"layers": layers, "hidden": 5, "rho": dict.fromkeys(x, 0.4), "restarts": 1}
    return SimpleNamespace(
        input=Named(given),
        params=SimpleNamespace(**params),
        wildcards=SimpleNamespace(latent="2", seed="3"),
    )


def constants_of_both(job, folder, monkeypatch):
    """Return the constant importances of stage 1 and of the folds of stage 2."""
    seen = []
    first, second = script("autoencoder"), script("importance")
    fit, cross = first.fit_autoencoder, second.cross_fit
    monkeypatch.setattr(first, "fit_autoencoder", lambda *of: seen.append(of[-1]) or fit(*of))
    monkeypatch.setattr(second, "cross_fit", lambda *of: seen.append(of[-1]) or cross(*of))
    job.params.settings = STAGE1
    model, config, _ = first.train(job)
    write_tensors(model.state_dict(), folder / "autoencoder.safetensors", config)
    job.input["autoencoder"] = folder / "autoencoder.safetensors"
    job.params.settings, job.params.stage1 = STAGE2, STAGE1
    tensors, config, *_ = second.train(job)
    write_tensors(tensors, folder / "importance.safetensors", config)
    return seen


def test_folds_have_the_constant_importances_of_stage_1(job, tmp_path, monkeypatch):
    """In the first round those of untrained networks, in the second those of the first."""
    of_stage1, of_folds = constants_of_both(job, tmp_path, monkeypatch)
    torch.testing.assert_close(of_folds, of_stage1)
    assert 0 < of_folds["a"].min() < of_folds["a"].max() < 1
    job.input |= {"importance": tmp_path / "importance.safetensors"}
    job.input |= {"before": tmp_path / "autoencoder.safetensors"}
    again_stage1, again_folds = constants_of_both(job, tmp_path, monkeypatch)
    torch.testing.assert_close(again_folds, again_stage1)
    assert not torch.equal(again_folds["a"], of_folds["a"])


def test_the_rule_is_given_the_importances_of_the_round_before():
    wanted = merged(example(), {"alternations": 2, "variants": ["mixture"]})
    jobs = plans([(ROOT, wanted)], ["own"], anew=True)[0].of_rules(["importance"])
    before = {
        job["wildcards"]["round"]: [f for name, f, _ in job["input"] if name == "importance"]
        for job in jobs
    }
    assert before["1"] == [] and before["2"][0].endswith("importance_round1.safetensors")
