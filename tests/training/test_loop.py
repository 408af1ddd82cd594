"""Stage 1 and the training loop: recorded terms, learning rates and early stopping."""

import copy
import math
import threading

import pytest
import torch

from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.ima import Autoencoder, Modality
from ima.models.objectives import AUTOENCODER, autoencoder_ima_plus, autoencoder_paper
from ima.training import loop, losses
from ima.training.loop import (
    DECAY_FACTOR,
    MAX_DECAYS,
    SCHEDULES,
    EarlyStopping,
    RunningMeans,
    Training,
    fit,
    mean_loss,
)
from ima.utils import matrices
from ima.utils.errors import InputError
from tests.problems import MISFITS, MODALITIES, noisy_problem, same, small, weights

SHORT = Stage1(epochs=3, batch_size=16, learning_rate=1e-2)


def stage_1(seed, order_seed):
    """Train a model with initial weights of one seed and the pair order of another."""
    model, x, items = small(seed)
    history = fit_autoencoder(model.autoencoder, x, items, SHORT, order_seed)
    return weights(model.autoencoder), history


# Batches


@pytest.mark.parametrize("least", [1, 2, 4])
@pytest.mark.parametrize("count", range(1, 25))
def test_a_small_last_batch_is_part_of_the_one_before(count, least):
    parts = loop.batches_of_rows(count, 8, torch.Generator().manual_seed(0), least)
    sizes = [len(part) for part in parts]
    assert torch.equal(torch.cat(parts).sort().values, torch.arange(count))
    assert len(sizes) == loop.batch_count(count, 8, least)
    assert sizes[:-1] == [8] * (len(sizes) - 1) and (len(sizes) == 1 or sizes[-1] >= least)
    assert sizes[-1] < 8 + least


def test_the_last_rate_is_0_where_batch_normalisation_takes_a_small_batch(monkeypatch):
    """17 pairs in batches of 16 are one batch, not two, so that an epoch has one step."""
    model, x, items = small()
    model.autoencoder.add_module("norm", torch.nn.BatchNorm1d(2))
    rates = []
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR

    class Seen(cosine):
        def step(self, *args):
            super().step(*args)
            rates.append(self.get_last_lr()[0])

    monkeypatch.setattr(torch.optim.lr_scheduler, "CosineAnnealingLR", Seen)
    some = {name: rows[:17] for name, rows in items.items()}
    settings = Stage1(epochs=3, batch_size=16, learning_rate=1e-2, schedule="cosine")
    fit_autoencoder(model.autoencoder, x, some, settings, 0)
    made = [rate for rate in rates if rate < 1e-2]  # the scheduler's first call is its own
    assert len(made) == 3 and made[-1] == pytest.approx(0, abs=1e-9)


def test_batches_read_ahead_are_those_of_one_thread(on_disk):
    """Ten batches in their order, gathered by threads of which the first is the slowest."""
    asked, first = [], threading.Event()

    class Slow(dict):
        def items(self):
            asked.append(threading.current_thread())
            if len(asked) == 1:
                first.wait(5)
            else:
                first.set()
            return super().items()

    x = {"a": torch.arange(40.0).view(20, 2)}
    drawn = [{"a": torch.tensor([i, 19 - i])} for i in range(10)]
    found = list(loop.gathered(x, map(Slow, drawn)))
    for batch, rows in zip(found, drawn, strict=True):
        assert torch.equal(batch.x["a"], x["a"][rows["a"]]) and batch.present is None
    assert first.is_set() and threading.current_thread() not in asked
    with pytest.raises(IndexError):
        list(loop.gathered(x, [{"a": torch.tensor([20])}]))


def test_training_on_mapped_items_is_the_same(monkeypatch):
    expected = stage_1(0, 0)
    monkeypatch.setattr(matrices, "LIMIT", 0)
    found = stage_1(0, 0)
    assert same(expected[0], found[0]) and expected[1] == found[1]


# Effects of stage 1


def test_stage_1_does_not_change_importance_networks():
    model, x, items = small()
    before, encoders = weights(model.importance), weights(model.autoencoder)
    fit_autoencoder(model.autoencoder, x, items, SHORT, 0)
    assert same(before, weights(model.importance))
    after = weights(model.autoencoder)
    assert not any(torch.equal(encoders[name], after[name]) for name in encoders)


def test_features_and_pairs_are_not_changed():
    model, x, items = small()
    validation = {name: rows[:20].clone() for name, rows in items.items()}
    before = copy.deepcopy((x, items, validation))
    fit_autoencoder(model.autoencoder, x, items, SHORT, 0, validation)
    assert all(map(same, before, (x, items, validation)))


def test_same_seed_gives_the_same_result():
    first, again = stage_1(0, 0), stage_1(0, 0)
    assert same(first[0], again[0]) and first[1] == again[1]


@pytest.mark.parametrize(("seed", "order_seed"), [(1, 0), (0, 1)])
def test_different_seeds_give_different_results(seed, order_seed):
    first, other = stage_1(0, 0), stage_1(seed, order_seed)
    assert not any(torch.equal(first[0][name], other[0][name]) for name in first[0])
    assert first[1] != other[1]


# Recorded terms


def test_terms_of_both_objectives_on_a_batch():
    """`paper` decodes z and centres it; `ima+` decodes z and the latent of each modality."""
    model, x, items = small()
    batch = {name: x[name][items[name]] for name in x}
    u = model.autoencoder.encode(batch)
    z = (u["a"] + u["b"]) / 2
    decoders = model.autoencoder.decoders
    shared = {
        "rec_a": losses.reconstruction(batch["a"], decoders["a"](z), "bce"),
        "rec_b": losses.reconstruction(batch["b"], decoders["b"](z), "sse"),
        "align_a": ((u["a"] - u["b"]) ** 2).sum(1).mean() / 4,  # z is halfway
        "align_b": ((u["a"] - u["b"]) ** 2).sum(1).mean() / 4,
        "norm_a": u["a"].abs().mean(),
        "norm_b": u["b"].abs().mean(),
    }
    own = {
        "self_a": losses.reconstruction(batch["a"], decoders["a"](u["a"]), "bce"),
        "self_b": losses.reconstruction(batch["b"], decoders["b"](u["b"]), "sse"),
    }
    for objective, more in (
        (autoencoder_paper, {"glob": (z**2).sum(1).mean()}),
        (autoencoder_ima_plus, own),
    ):
        terms = objective(model.autoencoder, batch)
        assert terms.keys() == shared.keys() | more.keys()
        for name, value in (shared | more).items():
            torch.testing.assert_close(terms[name], value)


TERMS = {
    "paper": {"glob", *(f"{term}_{m}" for term in ("rec", "align", "norm") for m in "ab")},
    "ima+": {f"{term}_{m}" for term in ("rec", "self", "align", "norm") for m in "ab"},
}


@pytest.mark.parametrize("objective", TERMS)
@pytest.mark.parametrize("validated", [False, True])
def test_history_of_stage_1(validated, objective):
    model, x, items = small()
    validation = items if validated else None
    settings = Stage1(**{**vars(SHORT), "objective": objective})
    history = fit_autoencoder(model.autoencoder, x, items, settings, 0, validation)
    assert [row["epoch"] for row in history] == [1, 2, 3]
    for row in history:
        assert row.keys() == {"epoch", "loss", *TERMS[objective]} | (
            {"validation"} if validated else set()
        )
        assert all(isinstance(value, int | float) for value in row.values())
        parts = sum(row[term] for term in TERMS[objective] if not term.startswith("norm_"))
        assert row["loss"] == pytest.approx(parts, rel=1e-5)


@pytest.mark.parametrize("objective", TERMS)
def test_lambdas_weight_the_terms(objective):
    """Also on validation pairs: with a learning rate of 0, their loss is that of one batch."""
    model, x, items = small()
    lambdas = {"rec": 2.0, "align": 3.0, "glob": 5.0, "self": 7.0}
    given = {f"lambda_{term}": value for term, value in lambdas.items()}
    settings = Stage1(objective=objective, epochs=1, learning_rate=0, **given)
    validation = {name: torch.arange(30) for name in x}
    (row,) = fit_autoencoder(model.autoencoder, x, items, settings, 0, validation)
    weighted = [t for t in TERMS[objective] if not t.startswith("norm_")]
    expected = sum(lambdas[t.split("_")[0]] * row[t] for t in weighted)
    assert row["loss"] == pytest.approx(expected, rel=1e-5)
    terms = AUTOENCODER[objective](model.autoencoder, {name: x[name][:30] for name in x})
    expected = sum(lambdas[t.split("_")[0]] * terms[t].item() for t in weighted)
    assert row["validation"] == pytest.approx(expected, rel=1e-5)
    assert row["validation"] != pytest.approx(row["loss"], rel=1e-3)


@pytest.mark.parametrize("objective", TERMS)
def test_constant_importances_weight_z(objective):
    """Importances of 1 have no effect; others change z and only the terms that contain z."""
    model, x, items = small()
    rng = torch.Generator().manual_seed(0)
    batch = {name: x[name][items[name]] for name in x}
    y = {m: torch.rand(60, generator=rng) for m in x}
    loss = AUTOENCODER[objective]
    plain, ones, uneven = (
        loss(model.autoencoder, batch, of) for of in (None, {m: torch.ones(60) for m in x}, y)
    )
    for term, value in plain.items():
        torch.testing.assert_close(ones[term], value)
        without_z = term.startswith(("self_", "norm_"))
        assert torch.equal(uneven[term], value) == without_z


def test_unknown_objective_and_importances_are_rejected():
    with pytest.raises(InputError, match=r"objective: expected one of .*'paper'.*, found ima"):
        Stage1(objective="ima")
    with pytest.raises(InputError, match=r"importances: expected one of .*'untrained'.*found 1"):
        Stage1(importances="1")


def test_running_means_by_hand():
    """Means 1 and 4 of 3 pairs and 1 pair: 7/4 over pairs, whereas the mean of means is 5/2."""
    sums = RunningMeans()
    sums.add({"loss": torch.tensor([1.0, 0.0])}, 3)
    sums.add({"loss": torch.tensor([4.0, 8.0])}, 1)
    assert sums.means("here")["loss"].tolist() == [7 / 4, 2]
    sums.add({"loss": torch.tensor([0.0, math.nan])}, 1)
    with pytest.raises(InputError, match=r"^here: expected a finite loss, found .*nan"):
        sums.means("here")


def test_mean_loss_averages_pairs_without_gradient():
    """2,050 pairs are more than one batch, and the last two differ from the others."""
    x = {"a": torch.cat((torch.ones(2048, 1), torch.full((2, 1), 5000.0)))}
    factor = torch.ones((), requires_grad=True)
    seen = []

    def compute_losses(batch):
        loss = (factor * batch.x["a"]).mean()
        seen.append(loss.requires_grad)
        return {"loss": loss}

    found = mean_loss(compute_losses, x, {"a": torch.arange(2050)})
    assert found == pytest.approx((2048 + 2 * 5000) / 2050) and len(seen) == 3
    assert not any(seen)


# Learning rates


def fit_scripted(losses_of_epochs, monkeypatch=None, **settings):
    """Train with the given losses on the validation pairs; return all there is to see.

    Returns:
        The weights in the end, those after each epoch, the history, and the learning rates at
        the end of each epoch (with `monkeypatch`).
    """
    spied, states, rates = [], [], []
    if monkeypatch:

        class Spied(loop.Adam):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                spied.append(self)

        monkeypatch.setattr(loop, "Adam", Spied)
    model, x, items = small()
    script = iter(losses_of_epochs)

    def validate():
        states.append(weights(model.autoencoder))
        rates.extend(group["lr"] for adam in spied for group in adam.param_groups)
        return next(script)

    def compute_losses(batch):
        terms = autoencoder_ima_plus(model.autoencoder, batch.x)
        return {"loss": terms["rec_a"] + terms["rec_b"]}

    settings = Training(**{"epochs": 20, "batch_size": 60, "learning_rate": 1e-2, **settings})
    history = fit(model.autoencoder, compute_losses, x, items, settings, 0, "test", validate)
    return weights(model.autoencoder), states, history, rates


def test_constant_and_cosine_rates(monkeypatch):
    constant = fit_scripted(range(8, 0, -1), monkeypatch, epochs=8, schedule="constant")[3]
    assert constant == [1e-2] * 8
    cosine = fit_scripted(range(8, 0, -1), monkeypatch, epochs=8, schedule="cosine")[3]
    expected = [5e-3 * (1 + math.cos(math.pi * epoch / 8)) for epoch in range(1, 9)]
    assert cosine == pytest.approx(expected, abs=1e-12) and cosine[-1] == pytest.approx(0, abs=1e-9)


def test_plateau_lowers_the_rate_twice_then_stops(monkeypatch):
    """The loss never falls: with patience 2 the rate decays after epochs 3 and 5; 7 is the last."""
    assert (DECAY_FACTOR, MAX_DECAYS) == (0.3, 2)
    _, _, history, rates = fit_scripted(
        [1.0] * 20, monkeypatch, schedule="plateau", patience=2, learning_rate=1.0
    )
    assert len(history) == 7
    assert rates == pytest.approx([1, 1, 1, 0.3, 0.3, 0.09, 0.09])


def test_plateau_patience_restarts_at_a_new_minimum(monkeypatch):
    """A new minimum resets the waiting time, but not the number of decays or the learning rate."""
    script = [5, 6, 6, 4, 6, 3, 6, 6, 6, 2, 6, 6, *[6] * 9]
    _, states, history, rates = fit_scripted(
        script, monkeypatch, schedule="plateau", patience=2, learning_rate=1.0
    )
    # decays after epochs 3 and 8; 9 waits, 10 is a new minimum, 12 is the last
    expected = [1] * 3 + [0.3] * 5 + [0.09] * 4
    assert rates == pytest.approx(expected) and len(history) == len(states) == 12


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_other_schedules_stop_after_patience(schedule):
    assert len(fit_scripted([1.0] * 20, schedule=schedule, patience=2)[2]) == 3


def test_plateau_without_validation_is_constant():
    after = {}
    for schedule in ("plateau", "constant", "cosine"):
        model, x, items = small()
        settings = Stage1(epochs=8, batch_size=60, learning_rate=1e-2, schedule=schedule)
        assert len(fit_autoencoder(model.autoencoder, x, items, settings, 0)) == 8
        after[schedule] = weights(model.autoencoder)
    assert same(after["plateau"], after["constant"])
    assert not same(after["plateau"], after["cosine"])


def test_unknown_schedule_is_rejected():
    with pytest.raises(InputError, match=r"schedule: expected one of .*'plateau'.*, found linear"):
        Stage1(schedule="linear")
    assert {Training(schedule=schedule).schedule for schedule in SCHEDULES} == set(SCHEDULES)


# Early stopping


@pytest.mark.parametrize(
    ("script", "patience", "last", "kept"),
    [
        ([3, 2, 1, 5, 5, 5, 0], 3, 6, 3),  # the 0 would come one epoch later
        ([3, 4, 2, 4, 4, 0], 2, 5, 3),  # a new minimum resets the waiting time
        ([1, 1, 1, 0], 2, 3, 1),  # an equal loss is not a new minimum
        ([2, 3, 1, 0], 1, 2, 1),
        ([4, 3, 2, 1], 3, 4, 4),  # improves until the last epoch
        ([4, 1, 2, 3], 3, 4, 2),  # the epochs end first; the best is still kept
        ([math.inf, math.nan, 7, 8], 3, 4, 3),
    ],
)
def test_early_stopping_restores_the_best_weights(script, patience, last, kept):
    settings = {"epochs": 4} if len(script) == 4 else {}
    schedule = {"schedule": "constant", "patience": patience, **settings}
    final, states, history, _ = fit_scripted(script, **schedule)
    assert len(history) == len(states) == last
    assert [row["validation"] for row in history] == pytest.approx(script[:last], nan_ok=True)
    assert [index for index, state in enumerate(states, 1) if same(final, state)] == [kept]


def test_kept_weights_are_copies():
    """Further training changes the model in place, but must not change the kept weights."""
    model = small()[0].autoencoder
    best = EarlyStopping(model, torch.optim.Adam(model.parameters()), "cosine", 5)
    before = weights(model)
    assert not best.step(1.0)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(1)
    assert not best.step(2.0) and not any(
        torch.equal(before[name], value) for name, value in weights(model).items()
    )
    best.restore()
    assert same(before, weights(model))


#: Trained to its end on 60 pairs at random, it does worse and worse on 60 others.
OVERFIT = {"batch_size": 20, "learning_rate": 3e-2, "schedule": "constant", "patience": 4}


def overfit(epochs, validated=True):
    """Return the weights and history of a model that overfits."""
    model, x, items = small()
    generator = torch.Generator().manual_seed(1)
    others = {name: torch.randint(0, 50, (60,), generator=generator) for name in x}
    settings = Stage1(epochs=epochs, **OVERFIT)
    arguments = (model.autoencoder, x, items, settings, 0)
    history = fit_autoencoder(*arguments, others) if validated else fit_autoencoder(*arguments)
    return weights(model.autoencoder), history


def test_validation_does_not_change_training():
    """Up to any epoch; the kept weights are those of a run that ends with the best epoch."""
    final, history = overfit(100)
    losses_seen = [row.pop("validation") for row in history]
    best = losses_seen.index(min(losses_seen)) + 1
    assert 1 < best < 90 and len(history) == best + 4  # it stopped early
    without, plain = overfit(len(history), validated=False)
    assert plain == history
    assert not same(final, without)
    assert same(final, overfit(best, validated=False)[0])
    assert not same(final, overfit(best + 1, validated=False)[0])


def test_invalid_validation_pairs_are_rejected():
    model, x, items = small()
    before = weights(model)
    for change, message in (
        ({"a": torch.tensor([50]), "b": torch.tensor([0])}, "pairs of a: .* 0 to 49.* found 50"),
        ({"a": items["a"]}, r"expected modalities \['a', 'b'\]"),
        ({name: rows[:0] for name, rows in items.items()}, "expected at least one, found none"),
    ):
        with pytest.raises(InputError, match=message):
            fit_autoencoder(model.autoencoder, x, items, SHORT, 0, change)
    assert same(before, weights(model))


# Effects of training


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_losses_fall(schedule):
    x, _ = noisy_problem(0, pairs=200)
    items = {name: torch.arange(200) for name in x}
    torch.manual_seed(0)
    model = Autoencoder({name: Modality(44, 16) for name in x}, 4)
    settings = Stage1(epochs=10, batch_size=20, learning_rate=1e-2, schedule=schedule)
    history = fit_autoencoder(model, x, items, settings, 0, items)
    for term in ("loss", "rec_a", "rec_b", "self_a", "self_b", "validation"):
        assert history[-1][term] < 0.9 * history[0][term]


def test_autoencoder_aligns_paired_representations():
    """After stage 1, the latents of a clean pair are closer than those of different classes."""
    x, is_noise = noisy_problem(0)
    torch.manual_seed(0)
    model = Autoencoder({name: Modality(44, 32) for name in x}, 8)
    items = {name: torch.arange(1200) for name in x}
    fit_autoencoder(model, x, items, Stage1(epochs=5, learning_rate=3e-3), 0)
    with torch.no_grad():
        u = model.encode(x)
    clean = torch.from_numpy(~is_noise["a"] & ~is_noise["b"])
    own = (u["a"] - u["b"]).square().sum(1)[clean].mean()
    other = (u["a"] - u["b"].roll(1, 0)).square().sum(1)[clean].mean()
    assert own < 0.7 * other


@pytest.mark.parametrize("names", ["a", "abc"])
def test_autoencoder_accepts_any_number_of_modalities(names):
    every = {**MODALITIES, "c": Modality(5, 3, "sse")}
    model, x, items = small(modalities={name: every[name] for name in names})
    history = fit_autoencoder(model.autoencoder, x, items, SHORT, 0, items)
    assert {f"{term}_{m}" for term in ("rec", "self") for m in names} <= history[0].keys()
    assert history[-1]["loss"] < history[0]["loss"]


# Invalid input


@pytest.mark.parametrize(("change", "message"), MISFITS)
def test_invalid_pairs_are_rejected(change, message):
    model, x, items = small()
    change(x, items)
    with pytest.raises(InputError, match=message):
        fit_autoencoder(model.autoencoder, x, items, SHORT, 0)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_feature_stops_training(bad):
    model, x, items = small()
    x["b"][items["b"][5], 2] = bad
    with pytest.raises(InputError, match=r"stage 1, epoch 1: expected a finite loss, .*rec_b"):
        fit_autoencoder(model.autoencoder, x, items, SHORT, 0)


def test_nan_validation_feature_stops_training():
    model, x, items = small(n=51)
    for name, rows in items.items():
        items[name] = rows.clamp_max(49)
    x["b"][50, 2] = math.nan
    validation = {name: torch.tensor([3, 50]) for name in x}
    with pytest.raises(InputError, match="validation: expected a finite loss"):
        fit_autoencoder(model.autoencoder, x, items, SHORT, 0, validation)
