"""The cost of a model is that of all jobs that training it takes."""

from pathlib import Path

import pytest

from tests.checkout import ROOT, defaults, plans

TRAINING = ("autoencoder", "importance", "shared_encoders")


def training_of(plan, files):
    """Return the names of the training jobs that files are made by, directly or not."""
    jobs = plan.jobs
    wanted = [i for i, job in enumerate(jobs) if {*files} & {f for _, f, _ in job["output"]}]
    found = set()
    while wanted:
        number = wanted.pop()
        if number not in found:
            found.add(number)
            wanted += jobs[number]["after"]
    return {Path(jobs[i]["log"][0]).stem for i in found if jobs[i]["rule"] in TRAINING}


@pytest.mark.parametrize("alternations", [1, 2])
def test_costs_are_of_all_jobs_before_a_model(alternations):
    """Importance networks at latent size 2 come from an autoencoder of size 50."""
    more = {"alternations": alternations, "seeds": [0], "shared_encoders": ["ima+"]}
    (plan,) = plans([(ROOT, defaults() | more)], ["results/tables/costs.csv"], anew=True)
    (costs,) = plan.of_rules(["costs"])
    files, models = [f for name, f, _ in costs["input"] if name == "ima"], costs["params"]["ima"]
    assert len(models) == 4
    for about, jobs in models:
        assert list(jobs) == ["unweighted", "weighted", "contrastive"][: len(jobs)]
        own = [files.pop(0) for _ in range(len(jobs))]
        for number, names in enumerate(jobs.values(), start=1):
            assert len(names) == len(set(names))
            assert set(names) == training_of(plan, own[:number]), (about, number)
    assert not files
