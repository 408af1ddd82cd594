"""Baselines: losses against hand-computed values, integrals and the package multivae."""

import importlib.util
import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ima.models.baselines import (
    BASELINES,
    build,
    checkpoint_config,
    rebuild,
    represent,
)
from ima.models.baselines.denoising import (
    DenoisingAutoencoder,
    DenoisingSettings,
    denoising_losses,
    fit_denoising,
    keep_masks,
)
from ima.models.baselines.gaussian import (
    Annealed,
    Gaussian,
    betas,
    kl,
    negative_log_likelihood,
    product,
    sample,
    split,
    subsets,
)
from ima.models.baselines.jmvae import JMVAE, JMVAESettings, fit_jmvae, jmvae_losses
from ima.models.baselines.mvae import MVAE, MVAESettings, draw_subsets, fit_mvae, mvae_losses
from ima.models.baselines.seeds import checkpoint, fit_seeds, rebuild_seeds
from ima.models.ima import Modality
from ima.utils import io
from ima.utils.errors import InputError

HERE = Path(__file__).parents[1]
TWO = {"a": Modality(6, 8), "b": Modality(4, 5, "sse")}
THREE = {**TWO, "c": Modality(3, 4)}
DEFAULTS = {name: kind.settings() for name, kind in BASELINES.items()}
SHORT = {"epochs": 3, "batch_size": 16, "learning_rate": 1e-2}


def load_cases():
    """Import what the golden values were made of: the benchmark's cases and weights."""
    path = HERE.parent / "benchmarks" / "multivae_cases.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PEER = load_cases()
GOLDEN = json.loads((HERE / "golden" / "baselines_multivae.json").read_text())


def gaussian(mean, variance):
    """Return a Gaussian (B, L) of lists."""
    return Gaussian(torch.tensor(mean), torch.tensor(variance).log())


def data(modalities, n=50, pairs=60, seed=0):
    """Return features of one degree of freedom a modality, and random pairs."""
    generator = torch.Generator().manual_seed(seed)
    x = {
        name: torch.sigmoid(
            8 * torch.randn(n, 1, generator=generator) * torch.linspace(-2, 2, modality.dimension)
        )
        for name, modality in modalities.items()
    }
    items = {m: torch.randint(0, n, (pairs,), generator=generator) for m in modalities}
    return x, items


def made(name, modalities=TWO, latent=3, seed=0, **settings):
    torch.manual_seed(seed)
    settings = BASELINES[name].settings(**settings)
    return build(name, modalities, latent, settings), settings


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


# Gaussians


def test_kl_to_the_prior_by_hand():
    # (4 + 9 - 1 - ln 4) / 2 and (1 + 0 - 1 - 0) / 2 in one sample; 1/2 (mean 1) in the other.
    q = gaussian([[3.0, 0.0], [1.0, 0.0]], [[4.0, 1.0], [1.0, 1.0]])
    assert kl(q).item() == pytest.approx(((12 - math.log(4)) / 2 + 1 / 2) / 2)


def test_kl_of_two_gaussians_by_hand():
    # ln(sd_p / sd_q) + (var_q + distance^2) / (2 var_p) - 1/2 = ln 2 + (1 + 9) / 8 - 1/2
    q, p = gaussian([[1.0]], [[1.0]]), gaussian([[4.0]], [[4.0]])
    assert kl(q, p).item() == pytest.approx(math.log(2) + 10 / 8 - 1 / 2)
    assert kl(q, q).item() == 0
    standard = gaussian([[0.0]], [[1.0]])
    assert kl(p, standard).item() == pytest.approx(kl(p).item())


def test_product_of_experts_by_hand():
    # Precisions 1, 1/4 (and 1 of the prior): mean (1 * 2 + 6 / 4) / (5/4 or 9/4).
    experts = [gaussian([[2.0]], [[1.0]]), gaussian([[6.0]], [[4.0]])]
    q = product(experts, prior=False)
    assert q.mean.item() == pytest.approx(14 / 5)
    assert q.log_variance.exp().item() == pytest.approx(4 / 5)
    q = product(experts, prior=True)
    assert q.mean.item() == pytest.approx(14 / 9)
    assert q.log_variance.exp().item() == pytest.approx(4 / 9)


def test_product_does_not_overflow():
    certain = Gaussian(torch.tensor([[2.0]]), torch.tensor([[-200.0]]))
    q = product([certain, gaussian([[5.0]], [[1.0]])], prior=True)
    assert q.mean.item() == 2 and q.log_variance.item() == -200


def test_product_of_nothing_is_refused():
    with pytest.raises(InputError, match="at least one"):
        product([], prior=True)


def test_sample_and_split_by_hand():
    q = split(torch.tensor([[1.0, 2.0, math.log(4), 0.0]]))
    assert q.mean.tolist() == [[1.0, 2.0]]
    torch.testing.assert_close(sample(q, torch.tensor([[3.0, -1.0]])), torch.tensor([[7.0, 1.0]]))


@pytest.mark.parametrize("name", BASELINES)
def test_classes_of_several_axes_have_a_softmax_each(name):
    """With all logits 0, an item of two one-hot rows of three costs 2 log 3, not 2 log 6."""
    classes = Modality(6, 4, "categorical", shape=(2, 3))
    model, settings = made(name, {"a": classes, "b": classes}, epochs=1, batch_size=8)
    for parameter in model.decoders.parameters():
        torch.nn.init.zeros_(parameter)
    rows = torch.tensor([[1.0, 0, 0, 0, 0, 1]]).expand(8, 6)
    pairs = dict.fromkeys("ab", torch.arange(8))
    (epoch,) = BASELINES[name].fit(model, dict.fromkeys("ab", rows), pairs, settings, 0)
    costs = [of / (2 * math.log(3)) for term, of in epoch.items() if term.startswith("rec")]
    assert len(costs) >= 2 and costs == pytest.approx([*map(round, costs)], rel=1e-5)


@pytest.mark.parametrize("name", BASELINES)
def test_modules_of_the_user_are_refused(name):
    own = {**TWO, "a": replace(TWO["a"], encoder=torch.nn.Linear(2, 2))}
    with pytest.raises(InputError, match=r"layers\['a'\]: expected no encoder or decoder"):
        made(name, own)


def test_likelihoods_by_hand():
    x, decoded = torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([[0.0, 0.0], [2.0, 1.0]])
    # Gaussian: (1 + 1 + 1) / 2 over two samples. Bernoulli: 2 ln 2, then softplus(-2), softplus(1).
    assert negative_log_likelihood(x, decoded, Modality(2, 3, "sse")).item() == pytest.approx(3 / 4)
    expected = 2 * math.log(2) + math.log1p(math.exp(-2)) + math.log1p(math.e)
    assert negative_log_likelihood(x, decoded, Modality(2, 3, "bce")).item() == pytest.approx(
        expected / 2
    )


def test_kl_weight_rises_linearly_then_stays():
    # 10 pairs in batches of 4 are 3 steps an epoch; half of 4 epochs are 6 steps.
    settings = Annealed(epochs=4, batch_size=4, warmup=0.5)
    first = list(itertools.islice(betas(settings, 10), 8))
    assert first == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1, 1])
    assert next(betas(Annealed(warmup=0), 10)) == 1


# The losses of a linear model, whose posterior and likelihood are known


def linear(network, slope, bias=0.0, log_variance=None):
    """Make an MLP of widths 1-2-2-k exactly linear: relu(v) - relu(-v) = v."""
    first, second, last = network.layers[0], network.layers[2], network.layers[4]
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        first.weight.copy_(torch.tensor([[1.0], [-1.0]]).expand(2, first.in_features))
        second.weight.copy_(torch.eye(2))
        last.weight[0] = torch.tensor([slope, -slope], dtype=torch.float64)
        last.bias[0] = bias
        if log_variance is not None:
            last.bias[1] = log_variance


W = {"a": 2.0, "b": -0.5}  # x_m = w_m z + noise of variance 1, z from N(0, 1)
X = {"a": 1.5, "b": 0.8}
LINEAR = {name: Modality(1, 2, "sse") for name in W}


def log_evidence(names):
    """Return log p(x_m, m in names) but for the constants of the Gaussians p(x_m | z)."""
    precision = 1 + sum(W[m] ** 2 for m in names)
    mean = sum(W[m] * X[m] for m in names) / precision
    square = sum(X[m] ** 2 for m in names)
    return -math.log(precision) / 2 - (square - precision * mean**2) / 2


def posterior(names):
    precision = 1 + sum(W[m] ** 2 for m in names)
    return sum(W[m] * X[m] for m in names) / precision, 1 / precision


def expected(losses_at):
    """Integrate a loss over eps of N(0, 1) by Gauss-Hermite quadrature (exact here)."""
    nodes, weight = np.polynomial.hermite_e.hermegauss(8)
    values = [losses_at(float(node))["loss"].item() for node in nodes]
    return float(np.dot(weight, values) / math.sqrt(2 * math.pi))


def linear_batch():
    return {name: torch.tensor([[value]], dtype=torch.float64) for name, value in X.items()}


def linear_mvae():
    model = MVAE(LINEAR, 1).double()
    for name, w in W.items():
        # The likelihood as a function of z is a Gaussian of mean x / w, variance 1 / w^2.
        linear(model.encoders[name], 1 / w, log_variance=-math.log(w**2))
        linear(model.decoders[name], w)
    return model


def test_mvae_with_the_true_experts_reaches_the_evidence():
    model, x = linear_mvae(), linear_batch()
    eps = torch.ones(3, 1, 1, dtype=torch.float64)
    loss = expected(lambda node: mvae_losses(model, x, node * eps, beta=1))
    every = [("a", "b"), ("a",), ("b",)]
    assert loss == pytest.approx(-sum(log_evidence(names) for names in every), rel=1e-10)


def test_mvae_posterior_of_the_true_experts_is_the_true_one():
    q = linear_mvae().posterior(linear_batch())
    mean, variance = posterior("ab")
    assert q.mean.item() == pytest.approx(mean)
    assert q.log_variance.exp().item() == pytest.approx(variance)


def linear_jmvae(slope_error=0.0):
    model = JMVAE(LINEAR, 1).double()
    variance = posterior("ab")[1]
    joint = model.encoders["a+b"]  # widths 2-4-4-2
    with torch.no_grad():
        for weight in joint.parameters():
            weight.zero_()
        joint.layers[0].weight.copy_(torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]]))
        joint.layers[2].weight.copy_(torch.eye(4))
        slopes = [variance * w + slope_error for w in W.values()]
        signed = [slope * sign for slope in slopes for sign in (1, -1)]
        joint.layers[4].weight[0] = torch.tensor(signed, dtype=torch.float64)
        joint.layers[4].bias[1] = math.log(variance)
    for name, w in W.items():
        variance = posterior(name)[1]
        linear(model.encoders[name], variance * w, log_variance=math.log(variance))
        linear(model.decoders[name], w)
    return model


def gap(names):
    """Return KL(posterior of all || posterior of some) by hand."""
    (mean, variance), (mean_m, variance_m) = posterior("ab"), posterior(names)
    ratio = variance / variance_m
    return (ratio + (mean - mean_m) ** 2 / variance_m - 1 - math.log(ratio)) / 2


@pytest.mark.parametrize("alpha", [0, 0.1, 1])
def test_jmvae_with_the_true_posteriors_reaches_the_evidence(alpha):
    model, x = linear_jmvae(), linear_batch()
    one = torch.ones(1, 1, dtype=torch.float64)
    loss = expected(lambda node: jmvae_losses(model, x, node * one, alpha, beta=1))
    wanted = -log_evidence("ab") + alpha * (gap("a") + gap("b"))
    assert loss == pytest.approx(wanted, rel=1e-10)


def test_jmvae_with_a_wrong_posterior_is_above_the_evidence():
    model, x = linear_jmvae(slope_error=0.1), linear_batch()
    one = torch.ones(1, 1, dtype=torch.float64)
    loss = expected(lambda node: jmvae_losses(model, x, node * one, alpha=0, beta=1))
    (mean, variance), error = posterior("ab"), 0.1 * (X["a"] + X["b"])
    assert mean + error != pytest.approx(mean)
    assert loss == pytest.approx(-log_evidence("ab") + error**2 / (2 * variance), rel=1e-10)


# Against multivae


@pytest.mark.parametrize("label", PEER.CASES)
def test_losses_and_gradients_are_those_of_multivae(label):
    """Values printed by benchmarks/baselines_vs_multivae.py --golden (multivae 1.0.3)."""
    loss, gradients = PEER.ours(PEER.CASES[label])
    assert loss == pytest.approx(GOLDEN[label]["loss"], rel=1e-8)
    assert gradients.keys() == GOLDEN[label]["gradients"].keys()
    for phase, (name, gradient) in enumerate(gradients.items()):
        norm, along = PEER.summary(gradient, phase)
        wanted = GOLDEN[label]["gradients"][name]
        assert (norm, along) == pytest.approx(tuple(wanted), rel=1e-8, abs=1e-8 * wanted[0]), name


def compute_losses(name, model, x):
    """Return a function of nothing that computes the loss on fixed noise."""
    count, generator = len(next(iter(x.values()))), torch.Generator().manual_seed(3)
    drawn = subsets([*model.modalities], 2, len(model.modalities) - 1)
    shape = (1 + len(model.modalities) + len(drawn), count, model.latent)
    eps = torch.randn(shape, generator=generator, dtype=torch.float64)
    if name == "jmvae":
        return lambda: jmvae_losses(model, x, eps[0], 0.3, 0.7)["loss"]
    if name == "mvae":
        return lambda: mvae_losses(model, x, eps, 0.7, drawn)["loss"]
    keep = keep_masks(x, 0.3, "entries", generator)
    return lambda: denoising_losses(model, x, keep)["loss"]


@pytest.mark.parametrize("name", BASELINES)
def test_gradients_are_finite_differences(name):
    model, _ = made(name, THREE)
    model = model.double()
    x = {m: v[:7].double() for m, v in data(THREE)[0].items()}
    loss = compute_losses(name, model, x)
    loss().backward()
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        direction = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
        values = []
        with torch.no_grad():
            for step in (1e-6, -2e-6):
                weight += step * direction
                values.append(loss().item())
            weight += 1e-6 * direction
        slope = (values[0] - values[1]) / 2e-6
        assert slope == pytest.approx((weight.grad * direction).sum().item(), rel=1e-4, abs=1e-6)


# Training


@pytest.mark.parametrize("modalities", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("name", BASELINES)
def test_training_lowers_the_loss_and_records_it(name, modalities):
    model, settings = made(name, modalities, **{**SHORT, "epochs": 15})
    x, items = data(modalities)
    history = BASELINES[name].fit(model, x, items, settings, seed=0)
    assert [row["epoch"] for row in history] == list(range(1, 16))
    rec = [sum(v for k, v in row.items() if k.startswith("rec_")) for row in history]
    assert rec[-1] < rec[0]
    assert all(math.isfinite(v) for row in history for v in row.values())
    assert name == "denoising" or history[-1]["beta"] == 1 > history[0]["beta"]


@pytest.mark.parametrize("name", BASELINES)
def test_training_is_determined_by_the_seed(name):
    def trained(seed):
        model, settings = made(name, THREE, **SHORT)
        torch.manual_seed(seed + 17)  # the global generator plays no part
        x, items = data(THREE)
        history = BASELINES[name].fit(model, x, items, settings, seed)
        return weights(model), history

    (first, history), (second, again), (other, _) = trained(0), trained(0), trained(1)
    assert same(first, second) and history == again
    assert not same(first, other)


def validation_loss(name, model, settings, x, items):
    """Return the loss on pairs as training watches it: annealed weights at 1, draws of seed 0."""
    generator = torch.Generator().manual_seed(0)
    batch = {m: x[m][rows] for m, rows in items.items()}
    with torch.no_grad():
        if name == "denoising":
            keep = keep_masks(batch, settings.corruption_prob, settings.corruption, generator)
            return denoising_losses(model, batch, keep)["loss"].item()
        if name == "jmvae":
            eps = torch.randn(len(items["a"]), 3, generator=generator)
            return jmvae_losses(model, batch, eps, settings.alpha, 1.0)["loss"].item()
        eps = torch.randn(3, len(items["a"]), 3, generator=generator)
        return mvae_losses(model, batch, eps, 1.0)["loss"].item()


@pytest.mark.parametrize("name", BASELINES)
def test_the_epoch_of_least_validation_loss_is_kept(name):
    """A learning rate that overshoots: the last epoch is not the best, and training ends early."""
    wild = {"epochs": 60, "batch_size": 16, "learning_rate": 0.2, "patience": 4}
    model, settings = made(name, TWO, schedule="constant", **wild)
    x, items = data(TWO)
    held = {m: torch.arange(45) for m in TWO}
    history = BASELINES[name].fit(model, x, items, settings, 0, held)
    losses = [row["validation"] for row in history]
    best = losses.index(min(losses))
    assert best == len(losses) - 1 - 4 and len(losses) < 60
    assert validation_loss(name, model, settings, x, held) == pytest.approx(min(losses), rel=1e-5)


@pytest.mark.parametrize("name", BASELINES)
def test_validation_plays_no_part_in_training(name):
    """Neither its pairs nor its draws: with patience to spare, weights are those without it."""
    x, items = data(TWO)
    held = {m: torch.arange(45) for m in TWO}
    found = []
    for validation in (None, held):
        model, settings = (
            made(name, TWO, **SHORT, warmup=0) if name != "denoising" else made(name, TWO, **SHORT)
        )
        history = BASELINES[name].fit(model, x, items, settings, 0, validation)
        found.append([row["loss"] for row in history])
    assert found[0] == found[1]


@pytest.mark.parametrize("name", BASELINES)
def test_validation_pairs_that_do_not_fit_are_refused(name):
    model, settings = made(name, TWO, **SHORT)
    x, items = data(TWO)
    with pytest.raises(InputError, match="row numbers"):
        BASELINES[name].fit(model, x, items, settings, 0, {**items, "a": items["a"] + 1000})


@pytest.mark.parametrize("name", BASELINES)
def test_seeds_of_one_job_are_as_trained_alone(tmp_path, name):
    x, items = data(THREE)
    settings = BASELINES[name].settings(**SHORT)

    def trained(seeds):
        return fit_seeds(name, THREE, 3, settings, x, items, items, seeds)

    models, history = trained([3, 11, 1])
    alone, own = trained([11])
    assert same(weights(models[11]), weights(alone[11]))
    assert [row for row in history if row["seed"] == 11] == own
    assert not same(weights(models[1]), weights(models[11]))
    tensors, config = checkpoint(name, models, settings)
    io.write_tensors(tensors, tmp_path / "model.safetensors", config)
    state, found = io.read_tensors(tmp_path / "model.safetensors")
    again = rebuild_seeds(found, state)
    assert list(again) == [3, 11, 1]
    assert all(same(weights(again[seed]), weights(models[seed])) for seed in models)


def test_joint_encoders_have_the_activation_of_the_modalities():
    tanh = {name: replace(modality, activation="tanh") for name, modality in THREE.items()}
    for name in BASELINES:
        model, _ = made(name, tanh)
        kinds = {type(layer) for layer in model.modules() if not [*layer.children()]}
        assert kinds == {torch.nn.Linear, torch.nn.Tanh}


def test_denoising_noise_is_drawn_by_rate():
    x = {"a": torch.ones(4000, 6), "b": torch.ones(4000, 4)}
    generator = torch.Generator().manual_seed(0)
    keep = keep_masks(x, 0.3, "entries", generator)
    assert {m: mask.shape for m, mask in keep.items()} == {m: v.shape for m, v in x.items()}
    assert torch.cat([*keep.values()], -1).mean().item() == pytest.approx(0.7, abs=0.01)
    keep = keep_masks(x, 0.3, "modalities", generator)
    both = torch.cat([*keep.values()], -1)  # (4000, 2)
    assert both.sum(-1).min() >= 1
    # P(kept) = .7 + P(all dropped) .09
    assert both.mean(0).tolist() == pytest.approx([0.79, 0.79], abs=0.02)


def test_denoising_decodes_the_clean_input_from_the_corrupted_one():
    model, _ = made("denoising", TWO)
    x = {name: x_m[:5] for name, x_m in data(TWO)[0].items()}
    keep = keep_masks(x, 0.5, "entries", torch.Generator().manual_seed(0))
    z = model.encoder(torch.cat([x[m] * keep[m] for m in TWO], -1))
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    a = bce(model.decoders["a"](z), x["a"], reduction="none").sum(-1).mean()
    b = (model.decoders["b"](z) - x["b"]).square().sum(-1).mean()  # IMA's: no half
    torch.testing.assert_close(denoising_losses(model, x, keep)["loss"], a + b)


def test_mvae_draws_different_subsets_of_the_sizes_between():
    generator = torch.Generator().manual_seed(0)
    drawn = [draw_subsets("abcd", 3, generator) for _ in range(200)]
    assert all(len(set(some)) == 3 for some in drawn)
    seen = set(itertools.chain(*drawn))
    assert seen == {s for n in (2, 3) for s in itertools.combinations("abcd", n)}
    assert draw_subsets("ab", 3, generator) == []
    assert len(draw_subsets("abc", 99, generator)) == 3


def test_mvae_with_all_subsets_is_the_sum_of_every_elbo():
    model, _ = made("mvae", THREE)
    x = {name: x_m[:5] for name, x_m in data(THREE)[0].items()}
    drawn = subsets("abc", 2, 2)
    eps = torch.randn(7, 5, 3, generator=torch.Generator().manual_seed(0))
    total = 0
    for subset, e in zip([tuple("abc"), *subsets("abc", 1, 1), *drawn], eps, strict=True):
        q = model.posterior({m: x[m] for m in subset})
        z = sample(q, e)
        rec = [negative_log_likelihood(x[m], model.decoders[m](z), THREE[m]) for m in subset]
        total = total + sum(rec) + 0.5 * kl(q)
    torch.testing.assert_close(mvae_losses(model, x, eps, 0.5, drawn)["loss"], total)


# Alignment, and its negative control


def classes(n, seed):
    """Return paired views of 8 classes: noisy binary prototypes, and labels."""
    rng = np.random.default_rng(0)
    prototypes = {"a": rng.random((8, 32)) < 0.5, "b": rng.random((8, 24)) < 0.5}
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 8, n)
    x = {
        m: torch.from_numpy((p[labels] ^ (rng.random((n, p.shape[1])) < 0.05)).astype("float32"))
        for m, p in prototypes.items()
    }
    return x, labels


def cross_modal_precision(model, shuffled):
    """Train on pairs, true or shuffled; return how often the nearest `b` has the class of `a`."""
    x, _ = classes(600, seed=1)
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(600, generator=generator) if shuffled else torch.arange(600)
    items = {"a": torch.arange(600), "b": order}
    name, settings = model
    torch.manual_seed(0)
    trained = build(name, {"a": Modality(32, 32), "b": Modality(24, 32)}, 4, settings)
    BASELINES[name].fit(trained, x, items, settings, seed=0)
    test, labels = classes(300, seed=2)
    z = represent(trained, test, dict.fromkeys("ab", torch.arange(300)))
    nearest = torch.cdist(z["a"], z["b"]).argmin(1).numpy()
    return float((labels[nearest] == labels).mean())


ALIGNED = {"epochs": 16, "batch_size": 32, "learning_rate": 1e-2}


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        ("jmvae", JMVAESettings(**ALIGNED)),
        ("mvae", MVAESettings(**ALIGNED)),
        ("denoising", DenoisingSettings(**ALIGNED, corruption="modalities")),
    ],
    ids=lambda model: model[0],
)
def test_true_pairs_align_modalities_and_shuffled_ones_do_not(model):
    true, shuffled = (cross_modal_precision(model, s) for s in (False, True))
    assert true > 0.9
    assert shuffled < 0.5  # chance is 1/8, give or take a few classes that meet by accident


# Representations


@pytest.mark.parametrize("name", BASELINES)
def test_representations_of_pairs(name):
    model, _ = made(name, THREE)
    x, items = data(THREE)
    z = represent(model, x, items, size=7)
    assert list(z) == ["joint", "a", "b", "c"]
    assert all(v.shape == (60, 3) and not v.requires_grad for v in z.values())
    whole = represent(model, x, items)
    for key, value in whole.items():
        torch.testing.assert_close(z[key], value)
    assert not torch.allclose(z["a"], z["b"])


@pytest.mark.parametrize("name", BASELINES)
def test_any_modalities_may_be_missing(name):
    model, _ = made(name, THREE)
    x, items = data(THREE)
    whole = represent(model, x, items)
    for subset in subsets("abc", 1, 2):
        z = represent(model, x, {m: items[m] for m in subset})
        assert list(z) == ["joint", *subset]
        for m in subset:
            torch.testing.assert_close(z[m], whole[m])
        if len(subset) == 1:
            assert torch.equal(z["joint"], z[subset[0]])
    for wrong in ({}, {"d": x["a"]}):
        with pytest.raises(InputError, match="modalities"):
            model.representations(wrong)


def test_jmvae_infers_from_a_subset_by_product_or_by_its_own_encoder():
    x = {name: x_m[:5] for name, x_m in data(THREE)[0].items() if name != "c"}
    model, _ = made("jmvae", THREE)
    q = model.encode(x)
    assert list(q) == ["a", "b"]
    torch.testing.assert_close(model.posterior(x).mean, product([*q.values()], prior=False).mean)
    model, _ = made("jmvae", THREE, subset_encoders=True)
    assert torch.equal(model.posterior(x).mean, model.encode(x)["a+b"].mean)
    reordered = {"b": x["b"], "a": x["a"]}
    assert torch.equal(model.posterior(x).mean, model.posterior(reordered).mean)


def test_representations_are_posterior_means():
    model = linear_mvae()
    z = model.representations(linear_batch())
    for key, names in {"joint": "ab", "a": "a", "b": "b"}.items():
        assert z[key].item() == pytest.approx(posterior(names)[0])


def test_denoising_represents_a_modality_with_the_others_at_0():
    model, _ = made("denoising", TWO)
    x, _ = data(TWO)
    alone = model.encoder(torch.cat([x["a"], torch.zeros_like(x["b"])], -1))
    torch.testing.assert_close(model.representations(x)["a"], alone)


# Building, checkpoints, counts


@pytest.mark.parametrize(
    ("name", "extra"),
    [*((name, {}) for name in BASELINES), ("jmvae", {"subset_encoders": True})],
)
def test_a_checkpoint_is_built_again(tmp_path, name, extra):
    modalities = {"z": THREE["a"], "a": THREE["b"], "m": THREE["c"]}  # not in order of name
    model, settings = made(name, modalities, **SHORT, **extra)
    x, items = data(modalities)
    BASELINES[name].fit(model, x, items, settings, seed=4)
    config = checkpoint_config(name, model, settings, seeds=[4])
    io.write_tensors(model.state_dict(), tmp_path / "model.safetensors", config)
    state, found = io.read_tensors(tmp_path / "model.safetensors")
    again = rebuild(found, state)
    assert list(again.modalities.items()) == list(modalities.items())
    assert found["seeds"] == [4] and found["settings"]["epochs"] == 3
    assert same(represent(model, x, items), represent(again, x, items))
    del state[next(iter(state))]
    with pytest.raises(InputError, match="weights that fit"):
        rebuild(found, state)


def test_build_rejects_invalid_settings():
    with pytest.raises(InputError, match="one of \\['jmvae', 'mvae', 'denoising'\\]"):
        build("gan", TWO, 2, DEFAULTS["mvae"])
    with pytest.raises(InputError, match="expected JMVAESettings"):
        build("jmvae", TWO, 2, DEFAULTS["mvae"])
    with pytest.raises(InputError, match="latent"):
        build("mvae", TWO, 0, DEFAULTS["mvae"])
    for wrong in ({}, {"joint": TWO["a"]}, {"a+b": TWO["a"]}):
        with pytest.raises(InputError, match="modalities"):
            build("denoising", wrong, 2, DEFAULTS["denoising"])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: JMVAESettings(alpha=-1),
        lambda: JMVAESettings(warmup=1.5),
        lambda: MVAESettings(n_subsets=-1),
        lambda: MVAESettings(warmup=-0.1),
        lambda: DenoisingSettings(corruption_prob=1.0),
        lambda: DenoisingSettings(corruption="pixels"),
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(InputError, match="expected"):
        wrong()


@pytest.mark.parametrize("fit", [fit_jmvae, fit_mvae, fit_denoising])
def test_pairs_that_do_not_fit_are_refused(fit):
    name = {fit_jmvae: "jmvae", fit_mvae: "mvae", fit_denoising: "denoising"}[fit]
    model, settings = made(name, TWO, **SHORT)
    x, items = data(TWO)
    with pytest.raises(InputError, match="row numbers"):
        fit(model, x, {**items, "a": items["a"] + 1000}, settings, seed=0)


def test_parameters_by_hand():
    # Encoders 6-8-8-2L and 4-5-5-2L, decoders L-8-8-6 and L-5-5-4, joint 10-13-13-2L; L = 3.
    unimodal = (6 * 8 + 8) + (8 * 8 + 8) + (8 * 6 + 6) + (4 * 5 + 5) + (5 * 5 + 5) + (5 * 6 + 6)
    decoders = (3 * 8 + 8) + (8 * 8 + 8) + (8 * 6 + 6) + (3 * 5 + 5) + (5 * 5 + 5) + (5 * 4 + 4)
    hidden = (10 * 13 + 13) + (13 * 13 + 13)
    encoders = {
        "jmvae": unimodal + hidden + 13 * 6 + 6,
        "mvae": unimodal,
        "denoising": hidden + 13 * 3 + 3,
    }
    for name, count in encoders.items():
        model, _ = made(name)
        weights = sum(p.numel() for p in model.parameters())
        assert sum(p.numel() for p in model.decoders.parameters()) == decoders
        assert weights == count + decoders


def test_a_single_modality_is_a_variational_autoencoder():
    only = {"a": TWO["a"]}
    x = {"a": data(only)[0]["a"][:5]}
    eps = torch.zeros(5, 3)
    model, _ = made("jmvae", only)
    terms = jmvae_losses(model, x, eps, 1, 1)
    assert set(terms) == {"rec_a", "kl_prior", "loss"}
    assert isinstance(made("denoising", only)[0], DenoisingAutoencoder)
