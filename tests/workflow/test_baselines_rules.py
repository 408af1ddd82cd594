"""The jobs of baselines and classifiers: seeds share one, and a new seed adds only its own."""

import pytest

from tests.checkout import Checkout, name_of, plans

pytestmark = pytest.mark.slow

#: Rules whose jobs take several seeds.
BATCHED = {
    "baseline",
    "baseline_scores",
    "baseline_classify",
    "emotion_baseline",
    "scores",
    "classify",
    "anchors_classify",
}


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Return plans, as if nothing had been made: two seeds a job, then a third and a model more."""
    checkout = Checkout(tmp_path_factory.mktemp("baselines"))
    changes = {"seeds_per_job": 2, "seeds": [0, 1]}
    checkout.config |= changes | {"baselines": {"seeds": None}}
    checkout.config["emotion"]["seeds"] = None
    more_seeds = {**checkout.config, "seeds": [0, 1, 2]}
    weak = {"kind": "jmvae", "label": "weak", "alpha": 0.1, "activation": "gelu"}
    more_models = {**checkout.config, "baselines": {"seeds": None, "models": {"weak": weak}}}
    configs = (checkout.config, more_seeds, more_models)
    found = plans(
        [(checkout.folder, config) for config in configs], ["digits", "emotion"], anew=True
    )
    return [{name_of(job): job for job in plan.jobs} for plan in found]


def batches(jobs):
    return {(job["rule"], job["wildcards"]["seeds"]) for job in jobs if job["rule"] in BATCHED}


def test_seeds_of_a_model_share_a_job(planned):
    assert batches(planned[0].values()) == {(rule, "0-1") for rule in BATCHED}
    trained = [job for job in planned[0].values() if job["rule"] == "baseline"]
    assert sorted(job["wildcards"]["baseline"] for job in trained) == ["denoising", "jmvae", "mvae"]


def test_a_new_seed_adds_only_its_own_jobs(planned):
    before, after = planned[:2]
    new = [job for name, job in after.items() if name not in before]
    assert batches(new) == {(rule, "2") for rule in BATCHED}
    own = {job["wildcards"].get("seed", job["wildcards"].get("seeds")) for job in new}
    assert own == {"2"} and before.keys() <= after.keys()
    for name, job in before.items():
        if job["rule"] in BATCHED | {"autoencoder", "importance"}:
            assert {k: job[k] for k in ("input", "params")} == {
                k: after[name][k] for k in ("input", "params")
            }


def test_a_new_baseline_adds_only_its_own_jobs(planned):
    before, _, after = planned
    new = [job for name, job in after.items() if name not in before]
    assert {job["wildcards"]["baseline"] for job in new} == {"weak"}
    (job,) = [job for job in new if job["rule"] == "baseline"]
    assert job["params"]["kind"] == "jmvae" and job["params"]["own"] == {"alpha": 0.1}
    assert [layers["activation"] for layers in job["params"]["layers"].values()] == ["gelu"] * 2


def test_baselines_are_trained_as_stage_1_is(planned):
    jobs = planned[0].values()
    stage1 = {
        job["wildcards"]["latent"]: job["params"]["settings"]
        for job in jobs
        if job["rule"] == "autoencoder"
    }
    trained = [job for job in jobs if job["rule"] == "baseline"]
    assert trained
    for job in trained:
        wanted = stage1[job["wildcards"]["latent"]]
        shared = ("epochs", "batch_size", "learning_rate", "schedule", "patience")
        assert job["params"]["training"] == {name: wanted[name] for name in shared}
        assert [layers["hidden"] for layers in job["params"]["layers"].values()] == [500, 100]
