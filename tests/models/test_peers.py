"""Peers of IMA: closed forms, retrieval of what views share, chance if nothing is shared."""

import importlib.util
import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ima.evaluation.neighbours import neighbours
from ima.models.baselines import represent
from ima.models.ima import Modality
from ima.models.peers import PEERS, lacking, peer
from ima.models.peers.deep import dgcca, infonce, shared_maps, whitened
from ima.models.peers.multivae import KINDS, build
from ima.models.peers.views import Problem, as_pairs, filled, means, pair_matrices, with_all
from ima.pairing.by_label import ABSENT
from ima.training.loop import Training
from ima.utils.errors import InputError

NAMES = [
    pytest.param(
        name, marks=pytest.mark.skipif(bool(lacking(name)), reason=lacking(name) or "installed")
    )
    for name in PEERS
]
#: Chance that a partner is among the 5 nearest of 60 items.
CHANCE = 5 / 60


def views(n=300, seed=0, noise=0.0):
    """Return two views (n, D_m) of one latent (n, 3), which are linear images of it."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n, 3))
    x = {m: latent @ rng.normal(size=(3, d)) for m, d in (("a", 6), ("b", 4))}
    x = {m: of / of.std(0) + noise * rng.normal(size=of.shape) for m, of in x.items()}
    return {m: torch.tensor(of, dtype=torch.float32) for m, of in x.items()}


def parts(x, *cuts):
    """Return x cut at some rows."""
    ends = [0, *cuts, len(x["a"])]
    return [{m: of[a:b] for m, of in x.items()} for a, b in itertools.pairwise(ends)]


def fitted(name, x, validation, seed=0, epochs=40):
    modalities = {m: Modality(of.shape[1], 16, "sse", "tanh") for m, of in x.items()}
    settings = Training(epochs=epochs, batch_size=32, learning_rate=1e-2)
    return peer(name).fitted(Problem(x, validation, modalities, 3, settings, seed))


def partners_near(of, x):
    """Return the share of items whose partner's z is among the 5 nearest of b to the z of a."""
    a, b = (of.transform({m: x[m]}).numpy() for m in "ab")
    distances = ((a[:, None] - b[None]) ** 2).sum(-1)
    nearest = distances.argsort(1)[:, :5]
    return (nearest == np.arange(len(a))[:, None]).any(1).mean()


# Views


def test_absent_items_are_rows_of_nan_by_hand():
    x = {"a": torch.tensor([[1.0, 3.0], [5.0, 7.0]]), "b": torch.tensor([[2.0]])}
    items = {"a": torch.tensor([1, 0, 1]), "b": torch.tensor([0, ABSENT, ABSENT])}
    pairs = pair_matrices(x, items)
    assert pairs["a"].tolist() == [[5, 7], [1, 3], [5, 7]]
    assert pairs["b"].isnan().squeeze().tolist() == [False, True, True]
    assert means(pairs)["a"].tolist() == pytest.approx([11 / 3, 17 / 3])
    assert filled(pairs, means(pairs))["b"].tolist() == [[2], [2], [2]]
    assert with_all({"b": x["b"]}, means(pairs))["a"].tolist() == [pytest.approx([11 / 3, 17 / 3])]
    whole, train, validation = as_pairs(pairs, parts(pairs, 1)[0])
    assert train["a"].tolist() == [0, 1, 2] and validation["a"].tolist() == [3]
    assert train["b"].tolist() == [0, ABSENT, ABSENT] and validation["b"].tolist() == [3]
    assert whole["b"].squeeze().tolist() == [2, 0, 0, 2]


# Losses


def test_infonce_by_hand():
    u = {"a": torch.tensor([[2.0, 0.0], [0.0, 1.0]]), "b": torch.tensor([[1.0, 0.0], [0.0, 3.0]])}
    matched = math.log(1 + math.exp(-2))  # of the logits 2 and 0, scale 2
    assert infonce(u, torch.tensor(math.log(2))).item() == pytest.approx(matched, rel=1e-6)
    crossed = {"a": u["a"], "b": u["b"].flip(0)}
    assert infonce(crossed, torch.tensor(math.log(2))).item() == pytest.approx(
        matched + 2, rel=1e-6
    )


def test_dgcca_is_one_minus_the_mean_correlation_of_two_views():
    x = parts(views(noise=1.0))[0]
    u = {m: of[:, :3] for m, of in x.items()}
    q = [np.linalg.qr((of - of.mean(0)).double().numpy())[0] for of in u.values()]
    correlations = np.linalg.svd(q[0].T @ q[1], compute_uv=False)
    # The ridge lowers each by about 1e-3 of the variance.
    assert dgcca(u).item() == pytest.approx(1 - correlations.mean(), abs=5e-3)
    same = {"a": u["a"], "b": u["a"] @ torch.tensor([[1.0, 2, 0], [0, 1, 1], [1, 0, 3]]) + 5}
    assert dgcca(same).item() == pytest.approx(0, abs=2e-2)


def test_whitened_latents_are_orthonormal():
    white, mapping = whitened(views()["a"][:, :3].double())
    assert torch.allclose(white.T @ white, torch.eye(3).double(), atol=5e-2)
    centred = views()["a"][:, :3].double()
    assert torch.allclose((centred - centred.mean(0)) @ mapping, white)


@pytest.mark.skipif(not importlib.util.find_spec("cca_zoo"), reason=lacking("gcca") or "installed")
def test_maps_of_dgcca_are_gccas_of_the_kept_library():
    from cca_zoo.linear import GCCA

    x = {m: of[:, :3].double() for m, of in views(noise=0.3).items()}
    maps = shared_maps(x)
    ours = [(x[m] - mean) @ mapping for m, (mean, mapping) in maps.items()]
    theirs = GCCA(n_components=3).fit_transform([of.numpy() for of in x.values()])
    for mine, other in zip(ours, theirs, strict=True):
        for k in range(3):
            assert abs(np.corrcoef(mine[:, k].numpy(), other[:, k])[0, 1]) > 0.999


def test_factors_of_all_modalities_are_the_kept_librarys():
    from sklearn.decomposition import FactorAnalysis

    train, validation, test = parts(views(noise=0.5), 200, 240)
    ours = fitted("factors", train, validation)
    mean, sd = (
        torch.cat([f(of) for of in train.values()])
        for f in (lambda x: x.mean(0), lambda x: x.std(0))
    )
    whole, new = (
        ((torch.cat([*of.values()], 1) - mean) / sd).double().numpy() for of in (train, test)
    )
    theirs = FactorAnalysis(3, random_state=0).fit(whole).transform(new)
    assert ours.transform(test).numpy() == pytest.approx(theirs, abs=1e-3)
    alone = ours.transform({"a": test["a"]}).numpy()
    assert np.abs(alone).mean() > 0.1 and not np.allclose(alone, theirs, atol=0.1)


# All peers


@pytest.mark.parametrize(
    "name",
    [n for n in NAMES if n.values[0] in ("mcca", "gcca", "kcca", "factors", "infonce", "dgcca")],
)
def test_partners_are_near_if_views_are_linear_images_of_one_latent(name):
    train, validation, test = parts(views(), 200, 240)
    assert partners_near(fitted(name, train, validation), test) > 0.9


@pytest.mark.parametrize(
    "name",
    [n for n in NAMES if n.values[0] in ("mcca", "gcca", "kcca", "factors", "infonce", "dgcca")],
)
def test_partners_are_at_chance_if_training_pairs_are_shuffled(name):
    train, validation, test = parts(views(), 200, 240)
    order = torch.randperm(200, generator=torch.Generator().manual_seed(1))
    near = partners_near(fitted(name, {**train, "b": train["b"][order]}, validation), test)
    assert near < CHANCE + 4 * (CHANCE * (1 - CHANCE) / 60) ** 0.5


@pytest.mark.parametrize("name", NAMES)
def test_representations_do_not_depend_on_the_order_or_number_of_rows(name):
    train, validation, test = parts(views(noise=0.1), 200, 240)
    of = fitted(name, train, validation, epochs=2)
    z = of.representations(test)
    assert list(z) == ["joint", "a", "b"] and len({part.shape for part in z.values()}) == 1
    assert z["joint"].shape == (60, 10 if name == "raw" else 3)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(0))
    shuffled = of.transform({m: x_m[order] for m, x_m in test.items()})
    assert torch.allclose(shuffled, z["joint"][order], atol=1e-5)
    near = [neighbours(some.numpy(), 3) for some in (z["joint"], shuffled)]
    assert (order.numpy()[near[1]] == near[0][order.numpy()]).mean() > 0.99
    assert (of.parameters > 0) == (name != "raw")


@pytest.mark.parametrize("name", NAMES)
def test_pairs_may_lack_a_modality_and_a_seed_is_reproducible(name):
    x = views(noise=0.1)
    rows = torch.arange(300)
    items = {"a": rows, "b": torch.where(rows % 4 == 0, ABSENT, rows)}
    train, validation = parts(pair_matrices(x, items), 200)
    first, second = (fitted(name, train, validation, epochs=1) for _ in range(2))
    z = represent(first, x, items)
    assert all(torch.isfinite(part).all() for part in z.values())
    assert torch.equal(z["joint"], represent(second, x, items)["joint"])


def test_pca_by_hand():
    x = {"a": torch.tensor([[0.0], [2.0], [4.0]]), "b": torch.tensor([[0.0], [2.0], [4.0]])}
    z = peer("pca").fitted(Problem(x, x, {}, 1, None, 0)).transform(x)
    assert z.abs().squeeze().tolist() == pytest.approx([8**0.5, 0, 8**0.5], abs=1e-6)


def test_raw_features_alone_have_the_distances_of_their_modality():
    x = views()
    z = peer("raw").fitted(Problem(x, x, {}, 1, None, 0)).transform({"a": x["a"]})
    assert torch.equal(z[:, :6], x["a"]) and torch.allclose(z[:, 6:].std(0), torch.zeros(4))


def test_a_peer_that_is_not_known_or_lacks_its_package(monkeypatch):
    with pytest.raises(InputError, match="peer: expected one of"):
        peer("dcca")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    install = "pip install --no-deps -r envs/peers.lock"
    assert lacking("mcca") == f"mcca is skipped, as cca_zoo is not installed: {install}"
    assert lacking("pca") == ""
    assert lacking("mopoe").endswith(f"not installed: {install}")


@pytest.mark.parametrize("name", KINDS)
def test_multivae_sums_the_losses_that_we_divide_by_the_number_of_pairs(name):
    """The same pairs twice in a batch have twice the loss, if it is a sum."""
    if why := lacking(name):
        pytest.skip(why)
    torch.manual_seed(0)
    model = build(name, {m: Modality(4, 8, "bce") for m in "ab"}, 2).eval()
    x = {m: torch.rand(200, 4) for m in "ab"}

    def loss(data):
        with torch.enable_grad():
            return float(model(SimpleNamespace(data=data), epoch=10**9, batch_ratio=0).loss)

    ratio = loss({m: values.repeat(2, 1) for m, values in x.items()}) / loss(x)
    assert ratio == pytest.approx(2 if KINDS[name].summed else 1, rel=0.05)


@pytest.mark.parametrize("name", ["multivae_mvae", "multivae_jmvae"])
def test_the_divergence_has_its_full_weight_before_training_ends(name, monkeypatch):
    """Of 5 epochs, the weight rises over 2, as in our baselines; MultiVae's default is 10."""
    if why := lacking(name):
        pytest.skip(why)
    built = []

    def remembered(*given):
        built.append(build(*given))
        return built[-1]

    monkeypatch.setattr("ima.models.peers.multivae.build", remembered)
    x = {m: torch.rand(40, 4) for m in "ab"}
    modalities = {m: Modality(4, 8, "bce") for m in "ab"}
    peer(name).fitted(Problem(x, x, modalities, 2, Training(5, 20), 0))
    assert built[0].warmup == 2


def test_losses_that_multivae_lacks_are_named():
    modalities = {"a": Modality(4, 4, "poisson")}
    with pytest.raises(
        InputError, match=r"model\.a\.loss: expected a loss of \['sse', 'bce'\] for mopoe"
    ):
        build("mopoe", modalities, 2)
