"""Training: what each stage may change, what it records, and noise that it must find."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from ima import losses
from ima.errors import InputError
from ima.metrics import noise_scores
from ima.model import IMA, Autoencoder, Modality, fuse
from ima.train import (
    Stage1,
    Stage2,
    autoencoder_losses,
    evaluate_importance,
    fit_autoencoder,
    fit_importance,
    importance_losses,
    keep_copy,
)

MODALITIES = {"a": Modality(6, 8), "b": Modality(4, 5, "sse")}
RHO = {"a": [0.8, 0.5, 0.8], "b": [0.7, 0.5, 0.7]}
SHORT1 = Stage1(epochs=3, batch_size=16, learning_rate=1e-2)
SHORT2 = Stage2(epochs=3, batch_size=32, learning_rate=1e-2)


@pytest.fixture(autouse=True)
def one_thread():
    """Networks this small are slower on several threads, by far where others use them too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def small(seed=0, modalities=MODALITIES, n=50):
    """Return an untrained model, features of n items a modality, and 60 pairs of them."""
    torch.manual_seed(seed)
    x = {name: torch.rand(n, modality.dimension) for name, modality in modalities.items()}
    items = {name: torch.randint(0, n, (60,)) for name in modalities}
    rho = {name: RHO.get(name, [0.6] * 3) for name in modalities}
    return IMA(modalities, 3, 7, rho), x, items


def weights(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


def both_stages(seed, order_seed):
    """Return a model trained from the weights of one seed on pairs in the order of another."""
    model, x, items = small(seed)
    first = fit_autoencoder(model.autoencoder, x, items, SHORT1, order_seed)
    second, final = fit_importance(model, x, items, RHO, SHORT2, order_seed)
    return weights(model), first, second, final


# What a stage may change


def test_stage_1_leaves_importance_networks_alone():
    model, x, items = small()
    before, encoders = weights(model.importance), weights(model.autoencoder)
    fit_autoencoder(model.autoencoder, x, items, SHORT1, 0)
    assert same(before, weights(model.importance))
    after = weights(model.autoencoder)
    assert not any(torch.equal(encoders[name], after[name]) for name in encoders)


def test_stage_2_leaves_the_autoencoder_alone():
    model, x, items = small()
    before, networks = weights(model.autoencoder), weights(model.importance)
    fit_importance(model, x, items, RHO, SHORT2, 0)
    assert same(before, weights(model.autoencoder))
    assert all(parameter.grad is None for parameter in model.autoencoder.parameters())
    after = weights(model.importance)
    assert not any(torch.equal(networks[name], after[name]) for name in networks)


def test_features_and_pairs_are_not_changed():
    model, x, items = small()
    before = copy.deepcopy((x, items))
    fit_autoencoder(model.autoencoder, x, items, SHORT1, 0)
    fit_importance(model, x, items, RHO, SHORT2, 0)
    assert same(before[0], x) and same(before[1], items)


def test_one_seed_one_result():
    first, again = both_stages(0, 0), both_stages(0, 0)
    assert same(first[0], again[0])
    assert first[1] == again[1] and first[2] == again[2]
    assert same(first[3], again[3])


@pytest.mark.parametrize(("seed", "order_seed"), [(1, 0), (0, 1)])
def test_another_seed_another_result(seed, order_seed):
    first, other = both_stages(0, 0), both_stages(seed, order_seed)
    assert not any(torch.equal(first[0][name], other[0][name]) for name in first[0])
    assert first[1] != other[1] and first[2] != other[2]


# The losses of a batch


def test_terms_of_eq_2_on_a_batch():
    model, x, items = small()
    batch = {name: x[name][items[name]] for name in x}
    terms = autoencoder_losses(model.autoencoder, batch)
    u = model.autoencoder.encode(batch)
    z = (u["a"] + u["b"]) / 2
    decoders = model.autoencoder.decoders
    by_hand = {
        "align": ((u["a"] - u["b"]) ** 2).sum(1).mean() / 2,  # either is half of that from z
        "rec_a": losses.reconstruction(batch["a"], decoders["a"](u["a"]), "bce"),
        "rec_b": losses.reconstruction(batch["b"], decoders["b"](u["b"]), "sse"),
        "glob_a": losses.reconstruction(batch["a"], decoders["a"](z), "bce"),
        "glob_b": losses.reconstruction(batch["b"], decoders["b"](z), "sse"),
        "norm_a": u["a"].abs().mean(),
        "norm_b": u["b"].abs().mean(),
    }
    assert terms.keys() == by_hand.keys()
    for name, value in by_hand.items():
        torch.testing.assert_close(terms[name], value)


def test_terms_of_eqs_3_and_4_on_a_batch():
    generator = torch.Generator().manual_seed(0)
    u = {name: torch.randn(20, 3, generator=generator) for name in "ab"}
    y = {name: torch.rand(2, 20, generator=generator) for name in "ab"}
    rho = {"a": torch.tensor([0.8, 0.2]), "b": torch.tensor([0.5, 0.4])}
    settings = Stage2(lambda_corr=7.0, target="joint", scale_free=False)
    terms = importance_losses(u, y, rho, settings)
    total = torch.zeros(2)
    for name in "ab":
        corr = losses.correlation(y[name], fuse(u, y), u[name], scale_free=False)
        kl = losses.local(y[name], rho[name])
        torch.testing.assert_close(terms[f"corr_{name}"], corr)
        torch.testing.assert_close(terms[f"local_{name}"], kl)
        torch.testing.assert_close(terms[f"y_{name}"], y[name].mean(1))
        total += kl + 7 * corr
    torch.testing.assert_close(terms["loss"], total)
    assert len(terms) == 7


# What is recorded


def test_history_of_stage_1():
    model, x, items = small()
    history = fit_autoencoder(model.autoencoder, x, items, SHORT1, 0)
    terms = {f"{term}_{name}" for term in ("rec", "glob", "norm") for name in "ab"}
    assert [row["epoch"] for row in history] == [1, 2, 3]
    for row in history:
        assert row.keys() == {"epoch", "align", "loss", *terms}
        assert all(isinstance(value, int | float) for value in row.values())
        parts = row["align"] + sum(row[f"{t}_{m}"] for t in ("rec", "glob") for m in "ab")
        assert row["loss"] == pytest.approx(parts, rel=1e-5)


def test_lambdas_weight_the_terms():
    model, x, items = small()
    settings = Stage1(lambda_rec=2.0, lambda_align=3.0, lambda_glob=0.0, epochs=1)
    (row,) = fit_autoencoder(model.autoencoder, x, items, settings, 0)
    expected = 2 * (row["rec_a"] + row["rec_b"]) + 3 * row["align"]
    assert row["loss"] == pytest.approx(expected, rel=1e-5)


def test_an_epochs_loss_is_the_mean_over_pairs_not_batches():
    """60 pairs in batches of 16 end with one of 12; where nothing is learnt that is no matter."""
    model, x, items = small()
    still = Stage1(epochs=2, batch_size=16, learning_rate=0.0)
    history = fit_autoencoder(model.autoencoder, x, items, still, 0)
    whole = autoencoder_losses(model.autoencoder, {m: x[m][rows] for m, rows in items.items()})
    for row, (term, value) in itertools.product(history, whole.items()):
        assert row[term] == pytest.approx(value.item(), rel=1e-5)


def test_history_of_stage_2():
    model, x, items = small()
    history, final = fit_importance(model, x, items, RHO, SHORT2, 0)
    terms = {f"{term}_{name}" for term in ("corr", "local", "y") for name in "ab"}
    assert [(row["epoch"], row["copy"]) for row in history] == [
        (epoch, index) for epoch in (1, 2, 3) for index in (0, 1, 2)
    ]
    for row in history:
        assert row.keys() == {"epoch", "copy", "loss", *terms}
        parts = sum(row[f"local_{m}"] + 10 * row[f"corr_{m}"] for m in "ab")
        assert row["loss"] == pytest.approx(parts, rel=1e-5)
        assert 0 < row["y_a"] < 1 and 0 < row["y_b"] < 1
    assert final["loss"].shape == (3,)


def test_copies_are_evaluated_as_each_would_be_alone():
    model, x, items = small()
    rho = {name: torch.tensor(values) for name, values in RHO.items()}
    u = {name: value.detach() for name, value in model.autoencoder.encode(x).items()}
    final = evaluate_importance(model, x, u, items, rho, SHORT2)
    for index in range(3):
        alone = IMA(MODALITIES, 3, 7, {"a": [0.5], "b": [0.5]})
        alone.autoencoder, alone.importance = model.autoencoder, keep_copy(model, index)
        of_one = {name: values[index : index + 1] for name, values in rho.items()}
        found = evaluate_importance(alone, x, u, items, of_one, SHORT2)
        torch.testing.assert_close(found["loss"][0], final["loss"][index])


@pytest.mark.parametrize("kind", ["joint", "others"])
def test_copies_train_as_each_would_alone(kind):
    """Side by side on the same batches, none of them sees another, nor another's rho."""
    model, x, items = small()
    settings = Stage2(target=kind, epochs=3, batch_size=32, learning_rate=1e-3)
    alone = IMA(MODALITIES, 3, 7, {"a": [0.5], "b": [0.5]})
    alone.autoencoder, alone.importance = model.autoencoder, keep_copy(model, 1)
    _, final = fit_importance(model, x, items, RHO, settings, 0)
    of_one = {name: values[1:2] for name, values in RHO.items()}
    _, found = fit_importance(alone, x, items, of_one, settings, 0)
    torch.testing.assert_close(found["loss"][0], final["loss"][1], rtol=1e-4, atol=1e-4)
    for name in "ab":
        y, of_all = alone.importance[name](x[name])[0], model.importance[name](x[name])
        torch.testing.assert_close(y, of_all[1], rtol=1e-3, atol=1e-4)
        assert not torch.allclose(y, of_all[0], rtol=1e-3, atol=1e-3)


def test_keep_copy():
    model, x, _ = small()
    y = model.importances(x)
    kept = keep_copy(model, 2)
    assert list(kept) == ["a", "b"]
    for name in "ab":
        torch.testing.assert_close(kept[name](x[name])[0], y[name][2])
        assert not torch.allclose(kept[name](x[name])[0], y[name][1], atol=1e-3)


@pytest.mark.parametrize("cosine", [True, False])
def test_losses_fall(cosine):
    x, _ = noisy_problem(0, pairs=200)
    items = {name: torch.arange(200) for name in x}
    torch.manual_seed(0)
    model = IMA({name: Modality(44, 16) for name in x}, 4, 8, {name: [0.8, 0.5] for name in x})
    settings = Stage1(epochs=10, batch_size=20, learning_rate=1e-2, cosine=cosine)
    history = fit_autoencoder(model.autoencoder, x, items, settings, 0)
    for term in ("loss", "rec_a", "rec_b", "glob_a", "glob_b"):
        assert history[-1][term] < 0.9 * history[0][term]
    settings = Stage2(epochs=20, batch_size=100, learning_rate=1e-2)
    rho = {name: [0.8, 0.5] for name in x}
    history, final = fit_importance(model, x, items, rho, settings, 0)
    assert (final["loss"] < 0.8 * torch.tensor([row["loss"] for row in history[:2]])).all()


def test_cosine_ends_at_0():
    """The last epoch of many moves the weights less than the first; without cosine it needn't."""
    moved = {}
    for cosine in (True, False):
        model, x, items = small()
        fitted = []
        for epochs in (19, 20):
            fresh = copy.deepcopy(model.autoencoder)
            schedule = Stage1(epochs=epochs, batch_size=60, learning_rate=1e-2, cosine=cosine)
            fit_autoencoder(fresh, x, items, schedule, 0)
            fitted.append(torch.cat([value.flatten() for value in fresh.parameters()]))
        moved[cosine] = (fitted[1] - fitted[0]).abs().mean()
    assert moved[True] < moved[False]


def test_without_correlation_importances_go_to_rho():
    """L_local alone: y_mean = rho for every copy, whatever it started from."""
    model, x, items = small()
    settings = Stage2(lambda_corr=0.0, epochs=80, batch_size=60, learning_rate=1e-2)
    rho = {"a": [0.2, 0.9, 0.5], "b": [0.6, 0.3, 0.8]}
    history, _ = fit_importance(model, x, items, rho, settings, 0)
    for index in range(3):
        last = history[index - 3]
        assert last["y_a"] == pytest.approx(rho["a"][index], abs=0.02)
        assert last["y_b"] == pytest.approx(rho["b"][index], abs=0.02)


# What a user may give that doesn't fit


@pytest.mark.parametrize("stage", [1, 2])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, items: items["b"].__setitem__(7, 50), "pairs of b: .* 0 to 49, found .* to 50"),
        (lambda x, items: items["a"].__setitem__(7, -1), "pairs of a: .* 0 to 49, found -1 to"),
        (
            lambda x, items: items.pop("b"),
            r"pairs: expected modalities \['a', 'b'\], found \['a'\]",
        ),
        (lambda x, items: items.update(c=items["a"]), r"found \['a', 'b', 'c'\]"),
        (lambda x, items: items.clear(), r"found \[\]"),
        (lambda x, items: x.pop("b"), r"features: expected those of b, found of \['a'\] only"),
        (
            lambda x, items: items.update(a=items["a"][:59]),
            r"an item of each modality in each, found \{'a': 59, 'b': 60\}",
        ),
        (
            lambda x, items: items.update({name: rows[:0] for name, rows in items.items()}),
            "pairs: expected at least one, found none",
        ),
    ],
)
def test_pairs_that_do_not_fit(stage, change, message):
    model, x, items = small()
    change(x, items)
    with pytest.raises(InputError, match=message):
        if stage == 1:
            fit_autoencoder(model.autoencoder, x, items, SHORT1, 0)
        else:
            fit_importance(model, x, items, RHO, SHORT2, 0)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_feature_that_is_no_number_stops_training(bad):
    model, x, items = small()
    x["b"][items["b"][5], 2] = bad
    with pytest.raises(
        InputError, match=r"stage 1, epoch 1: expected a finite loss, found .*rec_b"
    ):
        fit_autoencoder(model.autoencoder, x, items, SHORT1, 0)
    with pytest.raises(
        InputError, match=r"stage 2, epoch 1: expected a finite loss, found .*corr_b"
    ):
        fit_importance(model, x, items, RHO, SHORT2, 0)


def test_a_learning_rate_that_is_too_high_is_told():
    model, x, items = small()
    settings = Stage1(epochs=50, batch_size=60, learning_rate=1e30)
    with pytest.raises(InputError, match=r"stage 1, epoch \d+: .*Lower the learning rate"):
        fit_autoencoder(model.autoencoder, x, items, settings, 0)


# More modalities


@pytest.mark.parametrize("kind", losses.TARGETS)
def test_three_modalities(kind):
    modalities = {**MODALITIES, "c": Modality(5, 3, "sse")}
    model, x, items = small(modalities=modalities)
    history = fit_autoencoder(model.autoencoder, x, items, SHORT1, 0)
    assert {"rec_c", "glob_c"} <= history[0].keys()
    settings = Stage2(target=kind, epochs=2, batch_size=32)
    rho = {**RHO, "c": [0.6] * 3}
    history, final = fit_importance(model, x, items, rho, settings, 0)
    assert {"corr_c", "local_c", "y_c"} <= history[0].keys()
    assert torch.isfinite(final["loss"]).all() and final["loss"].shape == (3,)


def test_one_modality_has_no_others():
    model, x, items = small(modalities={"a": MODALITIES["a"]})
    fit_autoencoder(model.autoencoder, x, items, SHORT1, 0)
    with pytest.raises(InputError, match="at least one"):
        fit_importance(model, x, items, {"a": RHO["a"]}, Stage2(target="others"), 0)


# A problem whose answer is known


def noisy_problem(seed, pairs=1200, width=44, classes=10, share=0.2):
    """Return two binary modalities of 10 shared classes, and where each of them is noise.

    Items are a class' prototype with 5 % of the values flipped; a fifth of the items of either
    modality are such copies of one more prototype, which comes with every class of the other.
    """
    rng = np.random.default_rng(seed)
    label, x, is_noise = np.arange(pairs) % classes, {}, {}
    for name in "ab":
        prototypes = rng.random((classes + 1, width)) < 0.5
        is_noise[name] = rng.random(pairs) < share
        which = np.where(is_noise[name], classes, label)
        flipped = rng.random((pairs, width)) < 0.05
        x[name] = torch.from_numpy((prototypes[which] ^ flipped).astype(np.float32))
    return x, is_noise


def find_noise(x, items, target, seed):
    """Train both stages; return the importances of the restart of least training loss."""
    torch.manual_seed(seed)
    rho = {name: [0.8] * 4 for name in x}
    model = IMA({name: Modality(values.shape[1], 32) for name, values in x.items()}, 8, 16, rho)
    stage1 = Stage1(epochs=10, learning_rate=3e-3)
    stage2 = Stage2(target=target, epochs=20, batch_size=256, learning_rate=1e-2)
    fit_autoencoder(model.autoencoder, x, items, stage1, seed)
    _, final = fit_importance(model, x, items, rho, stage2, seed)
    best = int(final["loss"].argmin())
    with torch.no_grad():
        return {name: y[best].numpy() for name, y in model.importances(x).items()}


@pytest.mark.parametrize("target", ["others", "joint"])
@pytest.mark.parametrize("seed", [0, 1])
def test_noise_is_found(target, seed):
    x, is_noise = noisy_problem(seed)
    items = {name: torch.arange(1200) for name in x}
    y = find_noise(x, items, target, seed)
    for name in x:
        assert roc_auc_score(~is_noise[name], y[name]) > 0.95
        assert noise_scores(y[name], is_noise[name])["f1_noise"] > 0.8


@pytest.mark.parametrize("seed", [1, 5])
def test_noise_is_not_found_where_pairs_share_nothing(seed):
    """The same items in pairs at random: what marks noise is that the rest goes together."""
    x, is_noise = noisy_problem(seed)
    shuffled = torch.from_numpy(np.random.default_rng(seed).permutation(1200))
    y = find_noise(x, {"a": torch.arange(1200), "b": shuffled}, "others", seed)
    for name in x:
        assert noise_scores(y[name], is_noise[name])["f1_noise"] < 0.3
    assert sum(roc_auc_score(~is_noise[name], y[name]) for name in x) / 2 < 0.7


def test_autoencoder_brings_pairs_together():
    """After stage 1 the two latents of a clean pair are nearer than those of another class."""
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
