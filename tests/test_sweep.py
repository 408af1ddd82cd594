"""The sweep over rho: what is chosen without labels, and scores by hand."""

import numpy as np
import pytest
import torch

from ima.errors import InputError
from ima.model import IMA, Autoencoder, Modality
from ima.schema import RHO_SWEEP
from ima.sweep import score, sweep
from ima.train import Stage1, Stage2, fit_autoencoder, fit_importance

GRID = [0.2, 0.5, 0.8]
SETTINGS = Stage2(restarts=3, epochs=2, batch_size=32, learning_rate=1e-2)


def small(pairs=60):
    """Return an autoencoder, features, train and test pairs, and what is noise in the latter."""
    torch.manual_seed(0)
    modalities = {"a": Modality(6, 8), "b": Modality(4, 5, "sse")}
    x = {name: torch.rand(50, modality.dimension) for name, modality in modalities.items()}
    train, test = ({m: torch.randint(0, 50, (pairs,)) for m in x} for _ in range(2))
    is_noise = {name: rows.numpy() % 7 == 0 for name, rows in test.items()}
    return Autoencoder(modalities, 3), x, train, test, is_noise


def swept(settings=SETTINGS, seed=0, noise=None):
    autoencoder, x, train, test, is_noise = small()
    return sweep(autoencoder, x, train, test, noise or is_noise, GRID, 7, settings, seed)


def test_score_by_hand():
    """Noise is said of the first and third, and is the first and last."""
    y = np.array([0.2, 0.6, 0.4, 0.9, 0.5])
    found = score(y, np.array([True, False, False, False, True]))
    # noise: 1 hit of 2 said and 2 there; important: said of 2nd, 4th, 5th, 2 hits, 3 there
    assert found == {
        "precision_noise": 1 / 2,
        "recall_noise": 1 / 2,
        "f1_noise": 1 / 2,
        "f1_important": 2 / 3,
        "mean_importance": pytest.approx(2.6 / 5),
    }


def test_score_where_nothing_is_taken_for_noise():
    found = score(np.array([0.5, 0.7, 1.0, 0.8]), np.array([True, False, False, False]))
    assert (found["precision_noise"], found["recall_noise"], found["f1_noise"]) == (0, 0, 0)
    assert found["f1_important"] == 6 / 7


def test_score_of_importances_at_random():
    rng = np.random.default_rng(0)
    found = score(rng.random(20_000), rng.random(20_000) < 0.1)
    assert found["precision_noise"] == pytest.approx(0.1, abs=0.01)
    assert found["recall_noise"] == pytest.approx(0.5, abs=0.03)
    assert found["f1_noise"] == pytest.approx(1 / 6, abs=0.02)  # 2 (.1)(.5) / .6


def test_rows():
    table = swept()
    assert table.schema == RHO_SWEEP
    rows = table.to_pylist()
    assert [(r["modality"], r["rho"]) for r in rows] == [(m, rho) for m in "ab" for rho in GRID]
    for first, second in zip(rows[:3], rows[3:], strict=True):
        assert first["loss"] == second["loss"]  # of both modalities, from one copy
    assert swept().equals(table)
    assert not swept(seed=1).equals(table)


@pytest.mark.parametrize("scale_free", [True, False])
def test_the_restart_of_least_training_loss_is_kept(scale_free):
    """Against the same training done by hand, for either form of L_corr."""
    settings = Stage2(**{**vars(SETTINGS), "scale_free": scale_free})
    autoencoder, x, train, test, is_noise = small()
    rho = {name: [value for value in GRID for _ in range(3)] for name in x}
    torch.manual_seed(0)
    model = IMA(autoencoder.modalities, 3, 7, rho)
    model.autoencoder = autoencoder
    _, final = fit_importance(model, x, train, rho, settings, 0)
    with torch.no_grad():
        y = model.importances({name: x[name][rows] for name, rows in test.items()})
    for row in swept(settings).to_pylist():
        first = 3 * GRID.index(row["rho"])
        losses = final["loss"][first : first + 3]
        copy = first + int(losses.argmin())
        name = row["modality"]
        assert row["loss"] == losses.min().item()
        assert row["mean_importance"] == pytest.approx(y[name][copy].mean().item(), rel=1e-5)
        assert row["local"] == pytest.approx(final[f"local_{name}"][copy].item())
        expected = score(y[name][copy].numpy(), is_noise[name])
        assert row["f1_noise"] == expected["f1_noise"]
        if scale_free:
            assert row["corr"] == pytest.approx(final[f"corr_{name}"][copy].item())
        else:  # the column is scale-free all the same: of the size of 1, as untrained networks are
            assert 0.3 < row["corr"] < 3 and final[f"corr_{name}"][copy] < 0.1


def test_labels_of_noise_change_scores_only():
    table, nothing = swept(), swept(noise={m: np.zeros(60, bool) for m in "ab"})
    for column in ("mean_importance", "corr", "local", "loss"):
        assert table[column].equals(nothing[column])
    assert set(nothing["f1_noise"].to_pylist()) == {0}


def test_autoencoder_stays():
    autoencoder, x, train, test, is_noise = small()
    before = {name: value.clone() for name, value in autoencoder.state_dict().items()}
    sweep(autoencoder, x, train, test, is_noise, GRID, 7, SETTINGS, 0)
    assert all(torch.equal(before[n], value) for n, value in autoencoder.state_dict().items())


@pytest.mark.parametrize("grid", [[], [0.5, 1.0]])
def test_rho_outside_0_and_1(grid):
    autoencoder, x, train, test, is_noise = small()
    with pytest.raises(InputError, match=r"rho: expected numbers in \(0, 1\)"):
        sweep(autoencoder, x, train, test, is_noise, grid, 7, SETTINGS, 0)


def test_noise_is_found_at_a_rho_near_its_share():
    """A fifth of either modality comes with every class of the other: found at rho .8."""
    rng = np.random.default_rng(0)
    label, x, is_noise = np.arange(1200) % 10, {}, {}
    for name in "ab":
        prototypes = rng.random((11, 44)) < 0.5
        is_noise[name] = rng.random(1200) < 0.2
        which = np.where(is_noise[name], 10, label)
        x[name] = torch.from_numpy((prototypes[which] ^ (rng.random((1200, 44)) < 0.05)) * 1.0)
        x[name] = x[name].float()
    items = {name: torch.arange(1200) for name in x}
    torch.manual_seed(0)
    autoencoder = Autoencoder({name: Modality(44, 32) for name in x}, 8)
    fit_autoencoder(autoencoder, x, items, Stage1(epochs=10, learning_rate=3e-3), 0)
    settings = Stage2(target="others", restarts=2, epochs=20, batch_size=256, learning_rate=1e-2)
    rows = sweep(autoencoder, x, items, items, is_noise, [0.5, 0.8], 16, settings, 0).to_pylist()
    assert all(row["f1_noise"] > 0.8 for row in rows if row["rho"] == 0.8)
