"""The sweep over rho: what is chosen without labels, and scores by hand."""

import numpy as np
import pytest
import torch

from ima.evaluation.metrics import importance_scores
from ima.evaluation.rho_sweep import agreements, sweep
from ima.models.ima import IMANetwork
from ima.models.importance import Stage2, fit_importance
from ima.utils.errors import InputError
from ima.utils.schemas import RHO_SWEEP
from tests.problems import related

GRID = [0.2, 0.5, 0.8]
SETTINGS = Stage2(rounds=2, restarts=3, steps=10, batch_size=32, learning_rate=1e-2)


def small():
    """Return an autoencoder, features, train and test pairs, noise in those, held-out pairs."""
    model, x, train, held = related()
    test = {name: torch.randint(0, 300, (60,)) for name in x}
    is_noise = {name: rows.numpy() % 7 == 0 for name, rows in test.items()}
    return model.autoencoder, x, train, test, is_noise, held


def swept(settings=SETTINGS, seed=0, noise=None):
    autoencoder, x, train, test, is_noise, held = small()
    noise = noise or is_noise
    return sweep("mine", autoencoder, x, train, test, noise, held, GRID, 7, settings, seed)


def test_agreement_by_hand():
    """{0 1 2} and {1 2 3} share 2 of 4; {3} shares 1 of 3 with the second; nothing else."""
    chosen = np.array([[1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]], bool)
    assert agreements(chosen).tolist() == pytest.approx([1 / 6, (1 / 2 + 1 / 3) / 3, 1 / 9, 0])
    assert agreements(chosen[[0, 0, 0]]).tolist() == [1, 1, 1]
    assert agreements(chosen[:1]).tolist() == [0]  # with no other


def test_agreement_of_sets_at_random():
    """Of shares p they agree by p / (2 - p)."""
    chosen = np.random.default_rng(0).random((4, 20_000)) < 0.2
    assert agreements(chosen).tolist() == pytest.approx([1 / 9] * 4, abs=0.01)


def test_rows():
    table = swept()
    assert table.schema == RHO_SWEEP
    rows = table.to_pylist()
    assert [(r["modality"], r["rho"]) for r in rows] == [(m, rho) for m in "ab" for rho in GRID]
    for row in rows:
        assert row["variant"] == "mine"
        assert row["loss"] == pytest.approx(row["local"] + 10 * row["corr"])  # of one modality
    assert swept().equals(table)
    assert not swept(seed=1).equals(table)


def by_hand(settings):
    """Return the final terms and importances of the training that `sweep` does."""
    autoencoder, x, train, test, _, held = small()
    rho = {name: [value for value in GRID for _ in range(3)] for name in x}
    torch.manual_seed(0)
    model = IMANetwork.of(autoencoder.modalities, 3, 7, rho)
    model.autoencoder = autoencoder
    _, final = fit_importance(model, x, train, rho, settings, 0, held)
    with torch.no_grad():
        y = [model.importances({m: x[m][rows] for m, rows in p.items()}) for p in (train, test)]
    return final, *y


CHOICES = [{}, {"objective": "paper"}, {"objective": "paper", "corr_scale": "raw"}]


@pytest.mark.parametrize("choice", CHOICES)
def test_the_restart_of_least_training_loss_is_kept(choice):
    """Of each modality in `ima+`, of both in `paper`, by the loss in the form that was trained."""
    settings = Stage2(**{**vars(SETTINGS), **choice})
    final, y_train, y_test = by_hand(settings)
    is_noise = small()[-2]
    rows = swept(settings).to_pylist()
    kept = {name: [] for name in "ab"}
    for row in rows:
        name, part = (
            row["modality"],
            slice(3 * GRID.index(row["rho"]), 3 * GRID.index(row["rho"]) + 3),
        )
        own = final[f"local_{name}"] + 10 * final[f"corr_{name}"]
        copy = part.start + int((final["loss"] if choice else own)[part].argmin())
        kept[name].append(copy)
        assert row["variant"] == "mine"
        assert row["loss"] == pytest.approx(own[copy].item())
        for term in ("corr", "raw", "local"):
            assert row[term] == pytest.approx(final[f"{term}_{name}"][copy].item())
        expected = importance_scores(y_test[name][copy].numpy(), is_noise[name])
        assert row["mean_importance"] == pytest.approx(expected["mean_importance"], rel=1e-5)
        assert row["f1_noise"] == expected["f1_noise"]
    assert (kept["a"] == kept["b"]) == bool(choice)
    for name in "ab":
        found = [row["agreement"] for row in rows if row["modality"] == name]
        assert found == pytest.approx(agreements(y_train[name][kept[name]].numpy() < 0.5).tolist())


def test_labels_of_noise_change_scores_only():
    table, nothing = swept(), swept(noise={m: np.zeros(60, bool) for m in "ab"})
    for column in ("mean_importance", "corr", "raw", "local", "loss", "agreement"):
        assert table[column].equals(nothing[column])
    assert set(nothing["f1_noise"].to_pylist()) == {0}


@pytest.mark.parametrize("grid", [[], [0.5, 1.1]])
def test_rho_outside_0_and_1(grid):
    autoencoder, x, train, test, is_noise, held = small()
    with pytest.raises(InputError, match=r"rho: expected numbers in \[0, 1\]"):
        sweep("mine", autoencoder, x, train, test, is_noise, held, grid, 7, SETTINGS, 0)
