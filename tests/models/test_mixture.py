"""`mixture`: ranks are uniform where nothing is shared, and importances follow from them alone."""

import logging
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import f1_score, roc_auc_score

from ima import IMA
from ima.estimator import MIXTURE
from ima.models import ranks
from ima.models.autoencoder import Stage1
from ima.models.compared import FREQUENCY, fourier
from ima.models.ima import Autoencoder, ImportanceNet, Modality, Summary
from ima.models.ima import IMANetwork as IMANetwork
from ima.models.importance import Stage2, fit_importance, train_importance
from ima.models.mixture import fit_mixture
from ima.models.objectives import mixture
from ima.models.rank_density import informative_density, likelihood
from ima.models.ranks import Fold, Ranks, rank_partners
from ima.models.stages import MIN_HELD_OUT, cross_fit
from ima.pairing.by_label import ABSENT
from ima.utils.errors import InputError

SETTINGS = Stage2(objective="mixture", steps=150, batch_size=256, learning_rate=3e-3)


def views(n=1200, names="ab", seed=0):
    """Return latents (n, 3) that share three factors, each view with noise of its own."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((n, 3))
    return {m: torch.tensor(shared + rng.normal(0, 0.5, (n, 3))).float() for m in names}


def fold_of(u, held=600):
    """Return a fold of aligned rows, the last `held` of which are held out."""
    n = len(u[next(iter(u))])
    train, left = torch.arange(n - held), torch.arange(n - held, n)
    return Fold(u, dict.fromkeys(u, train), dict.fromkeys(u, left), left)


def ones(u):
    return {m: torch.ones(len(of), dtype=torch.double) for m, of in u.items()}


# Ranks


def test_ranks_by_hand():
    """c = .6: fit is .9375 a b - .28125 (a^2 + b^2)."""
    a, b = (torch.tensor(of).double()[:, None] for of in ([1.0, 0.0, -2.0], [1.0, -1.0, -2.0]))
    c, one = torch.tensor([0.6]).double(), torch.ones(3).double()
    fit = [[0.375, -0.28125, -3.28125], [-1.5, -0.28125, 0.46875], [-3.28125, -1.125, 1.5]]
    torch.testing.assert_close(ranks.fits(a, b, c), torch.tensor(fit).double())  # items, partners
    # Each partner's fit to an item, less that to the other two items than its own (log mean).
    taken = [
        math.log((math.exp(p) + math.exp(q)) / 2)
        for p, q in ((-1.5, -3.28125), (-0.28125, -1.125), (-3.28125, 0.46875))
    ]
    value = [[of - less for of, less in zip(row, taken, strict=True)] for row in fit]
    fitted = ranks.Fitted("latents", None, a, b, one, one, one > 0)
    found = ranks.rank_among(a, b, ranks.RankReference.of(fitted, c, 0), torch.arange(3))
    above = [sum(value[i][j] > value[i][i] for j in range(3)) for i in range(3)]
    assert above == [0, 2, 0]
    ahead = [value[i][i] - max(v for j, v in enumerate(value[i]) if j != i) for i in (0, 2)]
    expected = [0.5 / 3 * math.exp(-ahead[0]), 2.5 / 3, 0.5 / 3 * math.exp(-ahead[1])]
    torch.testing.assert_close(found, torch.tensor(expected).double(), rtol=1e-6, atol=0)


def test_a_partner_without_weight_ranks_nothing():
    a, b = torch.randn(2, 20, 2).double()
    c, none = torch.tensor([0.5, 0.2]).double(), torch.zeros(20).double()
    reference = ranks.RankReference.of(
        ranks.Fitted("latents", None, a, b, none + 1, none, none > 0), c, 0
    )
    found = ranks.rank_among(a, b, reference, torch.arange(20))
    torch.testing.assert_close(found, torch.full((20,), 0.5).double())


def test_kinds_are_chosen_by_likelihood():
    """Latents that share nothing lose against components that do, and the other way round."""
    u, useless = views(), {m: torch.randn(1200, 3) for m in "ab"}
    for latents, components, kind in ((useless, u, "components"), (u, useless, "latents")):
        found = rank_partners([fold_of(latents)], "a", ones(u), 0, components)
        assert {of.kind for of in found.fitted} <= {kind, "both"}
        assert found.rank.median() < 0.05
    alone = rank_partners([fold_of(useless)], "a", ones(u), 0)
    assert likelihood(alone) == 0 < likelihood(found)


def test_fourier_features_approximate_a_gaussian_kernel():
    """|f(x) - f(y)|^2 / F is 2 (1 - k(x, y)), k = exp(-FREQUENCY^2 |x - y|^2 / 2D)."""
    x = torch.randn(500, 4, generator=torch.Generator().manual_seed(0)).double()
    f = fourier(x, 5000)
    found = (f[0] - f[1:4]).square().mean(1)
    k = (-(FREQUENCY**2) * (x[0] - x[1:4]).square().sum(1) / 8).exp()
    torch.testing.assert_close(found, 2 * (1 - k), rtol=0.1, atol=0.01)
    assert f.mean(0).square().mean() < 5 / len(x)


@pytest.mark.parametrize("shuffled", [False, True])
def test_what_is_not_linear_in_the_other_is_found(shuffled):
    """b is the square of a, with noise: uncorrelated, but not independent."""
    generator = torch.Generator().manual_seed(0)
    a, noise = torch.randn(2, 1200, 1, generator=generator)
    b = (a.square() - 1) / 2**0.5 + 0.2 * noise
    u = {"a": a, "b": b[torch.randperm(1200, generator=generator)] if shuffled else b}
    components = {m: of.double() for m, of in u.items()}
    assert not rank_partners([fold_of(u)], "a", ones(u), 0).correlations.any()
    found = rank_partners([fold_of(u)], "a", ones(u), 0, components)
    if shuffled:
        assert not found.correlations.any() and likelihood(found) == 0
    else:
        assert found.fitted[0].kind == "fourier" and found.rank.median() < 0.2


def test_what_is_shared_ranks_first_and_shuffled_pairs_anywhere():
    u = views()
    own = rank_partners([fold_of(u)], "a", ones(u), 0)
    assert own.rank.mean() < 0.1 and (own.correlations > 0.5).all()
    order = torch.randperm(1200, generator=torch.Generator().manual_seed(1))
    control = rank_partners([fold_of({**u, "b": u["b"][order]})], "a", ones(u), 0)
    assert not control.correlations.any()
    torch.testing.assert_close(control.rank, torch.full((600,), 0.5).double())


def test_exchanged_items_have_uniform_ranks_among_good_ones():
    u = views()
    wrong = torch.arange(1200) % 10 == 0
    u["b"][wrong] = u["b"][wrong].roll(1, 0)
    found = rank_partners([fold_of(u)], "b", ones(u), 0)
    of = found.rank[wrong[600:]]
    assert 0.35 < of.mean() < 0.65 and found.rank[~wrong[600:]].mean() < 0.1


@pytest.mark.parametrize("share", [0.0, 0.5, 0.8, 1.0])
def test_the_density_knows_the_share(share):
    rng = np.random.default_rng(0)
    informative = rng.random(4000) < share
    rank = np.where(informative, rng.beta(1, 12, 4000), rng.random(4000))
    of = Ranks(torch.tensor(rank), torch.ones(4000).bool(), torch.ones(3))
    density = informative_density(of, torch.ones(4000))
    r = density.at(of.rank).numpy()
    assert abs(density.share - share) < 0.05
    if share:
        assert r[rank < 0.02].mean() > 2 > 1 > r[rank > 0.5].mean()
    else:
        assert 0.7 < r.mean() < 1.3  # nothing speaks for either


def test_pairs_that_do_not_count_are_not_in_the_density():
    counts = torch.arange(100) % 2 == 0
    rank = torch.where(counts, 0.01, 0.9).double()
    density = informative_density(Ranks(rank, counts, torch.ones(3)), torch.ones(100))
    assert density.share > 0.95 and density.at(rank)[1] < 0.1 < 10 < density.at(rank)[0]
    nothing = informative_density(Ranks(rank, counts, torch.zeros(3)), torch.ones(100))
    assert nothing.share == 0 and (nothing.at(rank) == 1).all()


# The objective


def test_mixture_by_hand():
    y, r, v = torch.tensor([[0.5, 1.0, 0.25]]), torch.tensor([3.0, 0.5, 1.0]), torch.tensor(1.0)
    terms = mixture(y, r, v)
    expected = -(math.log(2) + math.log(0.5) + 0) / 3
    assert float(terms["loss"]) == pytest.approx(expected, abs=1e-6)
    counted = torch.tensor([[1.0, 0, 0]])
    terms = mixture(y, r, v, rho=0.25, lambda_corr=10.0, counted=counted)
    kl = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert float(terms["local"]) == pytest.approx(kl, rel=1e-5)
    assert float(terms["loss"]) == pytest.approx(kl - 10 * math.log(2), rel=1e-5)


def test_a_partner_that_shares_nothing_tells_nothing():
    y = torch.rand(1, 5, requires_grad=True)
    mixture(y, torch.rand(5), torch.zeros(5))["loss"].sum().backward()
    assert not y.grad.any()


# What networks see


def test_summary_is_pca_and_what_is_left():
    x = torch.randn(300, 8) @ torch.randn(8, 40) + 0.1 * torch.randn(300, 40)
    found = Summary.of(x, most=5)
    pca = PCA(5).fit(x.numpy())
    scores = torch.tensor(pca.transform(x.numpy()) / pca.transform(x.numpy()).std(0))
    torch.testing.assert_close(found(x)[:, :5].abs(), scores.abs().float(), rtol=1e-3, atol=1e-3)
    left = ((x.numpy() - pca.inverse_transform(pca.transform(x.numpy()))) ** 2).sum(1)
    assert np.corrcoef(np.log(left), found(x)[:, 5])[0, 1] > 0.9999
    assert found(torch.randn(50, 40) * 9)[:, 5].mean() > 3  # noise of any direction
    narrow = Summary.of(torch.randn(50, 2), variance=0.999)
    assert narrow.width == 2 and narrow(torch.randn(4, 2)).shape == (4, 2)


def test_a_constant_column_is_no_trouble():
    x = torch.cat((torch.randn(50, 2), torch.ones(50, 1)), 1)
    assert torch.isfinite(Summary.of(x)(x)).all()


def test_a_copy_sees_the_same():
    net = ImportanceNet(6, 8, [0.3, 0.6], components=3)
    net.summary.load_state_dict(Summary.of(torch.randn(40, 6), 1.0, 3).state_dict())
    x = torch.randn(5, 6)
    torch.testing.assert_close(net.copy(1)(x)[0], net(x)[1])


# Importances


def found_of(u, x=None, **changes):
    return fit_mixture([fold_of(u)], x or u, dict.fromkeys(u), 30, SETTINGS, 0, **changes)


def test_visible_noise_is_found_on_new_items():
    u = views(1800)
    x = {m: of.clone() for m, of in u.items()}
    noise = torch.arange(1800) % 8 == 0
    x["b"][noise] = 4 + torch.randn(int(noise.sum()), 3)
    u["b"][noise] = 0.1 * torch.randn(int(noise.sum()), 3)
    networks, history, found = found_of(u, x)
    new = torch.cat((4 + torch.randn(100, 3), views(100, seed=5)["b"]))
    y = networks["b"](new)[0].detach()
    assert f1_score(np.arange(200) < 100, y < 0.5) > 0.9
    assert (networks["a"](x["a"]) == 1).all()  # nothing is wrong there
    assert abs(found["b"].share - 7 / 8) < 0.06
    assert {row["round"] for row in history} == {1, 2} and "corr_b" in history[0]


@pytest.mark.slow
def test_items_in_the_wrong_pair_show_in_concordance_only():
    u = views()
    wrong = torch.arange(1200) % 10 == 0
    u["b"][wrong] = u["b"][wrong].roll(1, 0)
    networks, _, found = found_of(u)
    concordance = found["b"].concordance.numpy()
    assert roc_auc_score(wrong[600:], -concordance) > 0.9
    assert concordance.min() >= 0 and concordance.max() <= 1
    assert networks["b"](u["b"])[0].min() > 0.7


def test_a_view_that_shares_nothing_has_importance_0(caplog):
    u = views(names="abc")
    u["c"] = torch.randn(1200, 3)
    with caplog.at_level(logging.WARNING):
        networks, _, found = found_of(u)
    assert "importance 0: ['c']" in caplog.text
    assert not networks["c"](u["c"]).any() and not found["c"].concordance.any()
    assert min(networks[m](u[m])[0].mean() for m in "ab") > 0.98


def test_nothing_shared_anywhere_says_nothing(caplog):
    u = {m: torch.randn(1200, 3) for m in "ab"}
    with caplog.at_level(logging.WARNING):
        networks, _, _ = found_of(u)
    assert all((networks[m](u[m]) == 1).all() for m in u) and "carry no information" in caplog.text


@pytest.mark.slow
def test_a_rho_is_a_prior():
    u = views()
    means = []
    for rho in (0.2, 0.9):
        networks, _, _ = fit_mixture([fold_of(u)], u, {"a": rho, "b": None}, 30, SETTINGS, 0)
        means.append(networks["a"](u["a"])[0].mean())
    assert means[0] < means[1]
    fixed, _, _ = fit_mixture([fold_of(u)], u, {"a": 1, "b": 0}, 30, SETTINGS, 0)
    assert (fixed["a"](u["a"]) == 1).all() and not fixed["b"](u["b"]).any()


def test_without_steps_there_is_no_network():
    u = views(200)
    with pytest.raises(InputError, match="steps: expected 1 or more, found 0"):
        fit_mixture([fold_of(u, 100)], u, dict.fromkeys(u), 30, replace(SETTINGS, steps=0), 0)


def test_pairs_that_lack_a_modality_count_for_the_others():
    u = views(names="abc")
    fold = fold_of(u)
    lacking = {m: rows.clone() for m, rows in fold.held.items()}
    lacking["c"][::2] = ABSENT
    lacking["b"][1::4] = ABSENT
    lacking["c"][1::4] = ABSENT  # alone: such a pair counts for nothing
    _, _, found = fit_mixture([fold._replace(held=lacking)], u, dict.fromkeys(u), 30, SETTINGS, 0)
    assert not found["c"].importance[::2].any() and not found["c"].concordance[::2].any()
    assert not found["a"].ranks.counts[1::4].any()
    assert found["a"].concordance[::2].mean() > 0.9


def test_rho_auto_needs_mixture():
    u = views(60)
    model = Autoencoder({m: Modality(3, 4, "sse") for m in u}, 2)
    pairs = {m: torch.arange(60) for m in u}
    with pytest.raises(InputError, match="or the objective to mixture"):
        train_importance(model, u, pairs, dict.fromkeys(u, "auto"), 4, Stage2(), 0)


def test_rho_auto_is_no_importance_of_stage_1():
    x = {m: of.numpy() for m, of in views(60).items()}
    layers = {m: {"hidden": 4, "loss": "sse"} for m in x}
    with pytest.raises(InputError, match="or the importances of stage 1 to ones"):
        IMA(layers, 2, stage1=Stage1(epochs=1, importances="untrained")).fit(x)


def test_copies_of_other_objectives_are_not_mixtures():
    u = views(60)
    model = IMANetwork.of({m: Modality(3, 4, "sse") for m in u}, 2, 4, {m: [0.5] for m in u})
    pairs = {m: torch.arange(60) for m in u}
    with pytest.raises(InputError, match="copies are trained in parallel"):
        fit_importance(model, u, pairs, {m: [0.5] for m in u}, SETTINGS, 0)


# Folds and the estimator


def test_folds_hold_out_every_pair_once():
    x = views(100)
    model = Autoencoder({m: Modality(3, 4, "sse") for m in x}, 2)
    items, held = ({m: r for m in x} for r in (torch.arange(80), torch.arange(80, 100)))
    folds = cross_fit(model, x, items, held, Stage1(epochs=1), 0, 5)
    assert len(folds) == 5 and MIN_HELD_OUT == 5
    assert sorted(torch.cat([f.pair for f in folds]).tolist()) == list(range(100))
    for fold in folds:
        assert torch.equal(fold.held["a"], fold.pair)  # aligned rows: items are pairs
        assert not set(fold.held["a"].tolist()) & set(fold.train["a"].tolist())
        assert len(fold.train["a"]) + len(fold.held["a"]) == 100
    assert len(cross_fit(model, x, items, held, Stage1(epochs=1), 0, 1)) == 1


@pytest.mark.parametrize("shuffled", [False, True])
def test_forty_pairs_show_what_they_share(shuffled):
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((40, 3))
    x = {m: shared @ rng.standard_normal((3, 20)) + rng.normal(0, 0.3, (40, 20)) for m in "ab"}
    x["b"] = x["b"][rng.permutation(40)] if shuffled else x["b"]
    layers = {m: {"hidden": 50, "loss": "sse"} for m in x}
    stage2 = replace(MIXTURE, steps=20, rounds=1)
    model = IMA(layers, 10, stage1=Stage1(), stage2=stage2).fit(x)
    for m in x:
        concordance = model.concordance_[m]
        assert np.isfinite(concordance).all()  # every pair was held out once
        assert concordance.mean() < 0.1 if shuffled else concordance.mean() > 0.9
        np.testing.assert_array_equal(model.importance(x)[m], 1)  # and no item is noise


def test_a_few_pairs_at_the_end_of_an_epoch_make_no_step_of_their_own():
    u = views()
    for size, epochs in ((599, 4), (299, 2), (240, 2), (150, 1)):
        settings = replace(SETTINGS, batch_size=size, steps=4, rounds=1)
        _, history, _ = fit_mixture([fold_of(u)], u, dict.fromkeys(u), 8, settings, 0)
        assert max(row["epoch"] for row in history) == epochs, size


def test_the_estimator_takes_no_rho(tmp_path):
    x = {m: of.numpy() for m, of in views(400).items()}
    wrong = np.arange(400) % 10 == 0
    x["b"][wrong] = np.roll(x["b"][wrong], 1, 0)
    layers = {m: {"hidden": 16, "loss": "sse", "activation": "tanh"} for m in x}
    stage2 = replace(MIXTURE, steps=60, rounds=1, folds=3)
    model = IMA(layers, 3, stage1=Stage1(epochs=20, learning_rate=5e-3), stage2=stage2).fit(x)
    assert model.rho_ == {"a": "auto", "b": "auto"}
    assert model.concordance_["b"].shape == (400,)
    assert roc_auc_score(wrong, -model.concordance_["b"]) > 0.8  # in the order of the rows
    model.save(tmp_path / "model.safetensors")
    again = IMA.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.transform(x), model.transform(x))
    quick = {"stage1": Stage1(epochs=1), "stage2": Stage2(rounds=1, steps=1, restarts=1)}
    assert IMA(layers, latent=3, **quick).fit(x).rho_ == {"a": 0.8, "b": 0.8}
