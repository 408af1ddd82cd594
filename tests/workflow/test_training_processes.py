"""The workflow with several processes per training (config key `training_processes`)."""

import csv

import pytest

RUN = "results/small"


def losses(path):
    """Return the losses in a history, epoch by epoch."""
    with path.open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


@pytest.mark.slow
def test_two_processes_give_the_losses_of_one(finished, tmp_path):
    """The order of summation differs, so that losses agree to rounding, and bytes do not.

    Stage 2 starts from weights of stage 1 that differ in the sixth digit, and amplifies this; how
    its own steps agree is tested in tests/training/test_distributed.py.
    """
    two = finished.copy(tmp_path / "two")
    two.config["training_processes"] = 2
    model = f"{RUN}/models/ima+/latent2/seed0"
    tolerances = {
        f"{model}/autoencoder_round1_history.csv": 1e-4,
        f"{RUN}/baselines/mvae/latent2/seeds0/history.csv": 1e-4,
        f"{model}/importance_round1_history.csv": 0.2,
    }
    done = two.snakemake(*tolerances, forked=True)
    assert "3 of 3 steps" in done.stderr, done.stderr
    for name, tolerance in tolerances.items():
        one, again = losses(finished.folder / name), losses(two.folder / name)
        assert again == pytest.approx(one, rel=tolerance), name
    weights = f"{model}/autoencoder_round1.safetensors"
    assert (two.folder / weights).read_bytes() != (finished.folder / weights).read_bytes()
