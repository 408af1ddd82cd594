"""Concordance of new pairs is that of fitted ones, and finds what is exchanged as well."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp
from sklearn.metrics import roc_auc_score

from ima import IMA
from ima.estimator import MIXTURE
from ima.models.autoencoder import Stage1
from ima.models.compared import KINDS
from ima.models.concordance import Checkpoint, ConcordanceModel, fusion_weights, posterior
from ima.models.importance import Stage2
from ima.models.rank_density import CENTRES, Density
from ima.pairing.by_label import ABSENT
from ima.utils.errors import InputError
from tests.models.test_mixture import views

LAYERS = {m: {"hidden": 16, "loss": "sse", "activation": "tanh"} for m in "abc"}
STAGE1 = Stage1(epochs=15, learning_rate=5e-3)
STAGE2 = replace(MIXTURE, steps=40, rounds=1, folds=3)


def exchanged(x, name, step=10):
    """Return x with every so many rows of one modality exchanged, and which these are."""
    wrong = np.arange(len(x[name])) % step == 0
    x = {m: of.copy() for m, of in x.items()}
    x[name][wrong] = np.roll(x[name][wrong], 1, 0)
    return x, wrong


def arrays(n, seed=0):
    return {m: of.numpy() for m, of in views(n, "abc", seed).items()}


@pytest.fixture(scope="module")
def fitted():
    """A model of 600 pairs in which a tenth of c are exchanged, and which."""
    x, wrong = exchanged(arrays(600), "c")
    return IMA(LAYERS, 3, stage1=STAGE1, stage2=STAGE2).fit(x), wrong


def test_new_pairs_are_judged_as_fitted_ones(fitted):
    model, wrong = fitted
    x, new_wrong = exchanged(arrays(600, seed=1), "c")
    new = model.pair_concordance(x)
    auc = roc_auc_score(wrong, -model.concordance_["c"])
    new_auc = roc_auc_score(new_wrong, -new["c"])
    assert auc > 0.9 and abs(auc - new_auc) < 0.04
    good = model.concordance_["c"][~wrong], new["c"][~new_wrong]
    assert ks_2samp(*good).pvalue > 0.01
    assert ks_2samp(good[0], new["c"][new_wrong]).pvalue < 1e-6  # the test can tell them apart


def test_where_nothing_is_wrong_pairs_are_concordant():
    model = IMA(LAYERS, 3, stage1=STAGE1, stage2=STAGE2).fit(arrays(400))
    for of in (model.concordance_, model.pair_concordance(arrays(400, seed=1))):
        assert all(c.mean() > 0.9 for c in of.values())


def test_a_saved_model_judges_alike(fitted, tmp_path):
    model, _ = fitted
    x = arrays(50, seed=2)
    model.save(tmp_path / "model.safetensors")
    again = IMA.load(tmp_path / "model.safetensors")
    for name, c in model.pair_concordance(x).items():
        np.testing.assert_array_equal(again.pair_concordance(x)[name], c)
    for fusion in ("importance", "concordance", "both"):
        z = model.transform(x, weights=fusion)
        np.testing.assert_array_equal(again.transform(x, weights=fusion), z)


def test_a_loaded_model_is_saved_alike(fitted):
    for judge in fitted[0].concordance_models_.values():
        again = ConcordanceModel.from_tensors(judge.tensors())
        for name, tensor in again.tensors().items():
            assert torch.equal(tensor, judge.tensors()[name]), name


@pytest.mark.parametrize("kind", KINDS)
def test_values_by_which_items_are_compared(fitted, kind):
    """They have the stated width, and those of the mean item are 0."""
    judge = fitted[0].concordance_models_["a"]
    judge = judge._replace(mean=judge.mean + 3)
    values = judge.values(kind, judge.mean[None], judge.scale[:1], 3)
    assert values.shape == (1, judge.width(kind, 3))
    if kind != "fourier":
        assert values.abs().max() < 1e-6
    other = judge.values(kind, judge.mean[None] + 1, judge.scale.sum(0)[None], 3)
    assert (values - other).abs().max() > 0.1


def test_pairs_that_lack_a_modality_are_judged_by_the_others(fitted):
    model, _ = fitted
    x = arrays(40, seed=2)
    items = model._items(x).x
    rows = {m: torch.arange(40) for m in x}
    rows["c"] = torch.where(torch.arange(40) < 20, ABSENT, rows["c"])
    alone = torch.arange(40) >= 35
    of_c = {m: torch.where(alone, ABSENT, of) if m != "c" else of for m, of in rows.items()}
    nothing = Checkpoint(model.concordance_models_, torch.zeros(0, dtype=torch.long), {})
    found = nothing.of_pairs(model.network_, items, rows)
    lacking = model.pair_concordance(
        {**x, "c": np.where(np.arange(40)[:, None] < 20, np.nan, x["c"])}
    )
    for m in x:
        np.testing.assert_allclose(found[m], np.nan_to_num(lacking[m]), atol=1e-6)
    assert (found["c"][:20] == 0).all() and found["c"][20:].max() > 0.9
    lonely = nothing.of_pairs(model.network_, items, of_c)
    assert all((c[35:] == 0).all() for c in lonely.values())
    assert torch.equal(lonely["c"][:35], found["c"][:35])


@pytest.fixture(scope="module")
def unordered():
    """A model whose modalities are not in alphabetical order, with its items."""
    x = {m: of for m, of in sorted(arrays(300).items(), reverse=True)}
    return IMA({m: LAYERS[m] for m in x}, 3, stage1=STAGE1, stage2=STAGE2).fit(x), x


def test_the_order_of_names_in_a_file_does_not_matter(unordered, tmp_path):
    """Files have names in alphabetical order; partners are joined in that of the modalities."""
    model, x = unordered
    model.save(tmp_path / "model.safetensors")
    again = IMA.load(tmp_path / "model.safetensors")
    assert list(x) == ["c", "b", "a"]
    for m, c in model.pair_concordance(x).items():
        np.testing.assert_array_equal(again.pair_concordance(x)[m], c)
    said = Checkpoint(model.concordance_models_, torch.zeros(0, dtype=torch.long), {})
    items = model._items(x).x
    rows = {m: torch.arange(300) for m in x}
    found = Checkpoint.from_tensors(said.tensors()).of_pairs(model.network_, items, rows)
    np.testing.assert_array_equal(found["a"], model.pair_concordance(x)["a"])


def test_the_order_of_names_in_pairs_does_not_matter(unordered):
    model, x = unordered
    pairs = {m: np.arange(300) for m in "bac"}
    other = IMA({m: LAYERS[m] for m in x}, 3, stage1=STAGE1, stage2=STAGE2).fit(x, pairs=pairs)
    for m, c in model.pair_concordance(x).items():
        np.testing.assert_array_equal(other.pair_concordance(x)[m], c)


def test_new_pairs_of_a_rank_that_was_not_seen_are_doubtful_rather_than_impossible():
    """The smaller the data, the more: one pair more than seen may share something, or not."""
    f = torch.zeros(len(CENTRES), dtype=torch.double)
    f[CENTRES < 0.1] = 10.0
    ranks = torch.tensor([0.05, 0.16, 0.9])
    for pairs, near in ((20, (0.6, 0.95)), (5000, (0.01, 0.1))):
        density = Density(f, 1.0, pairs)
        prior = torch.tensor([density.highest_prior()] * 3)
        found = posterior(prior, density.of_new(ranks)).tolist()
        assert found[0] > 0.99 and near[0] < found[1] < near[1] and 0 < found[2] < 0.05
    with_noise = posterior(torch.tensor([0.9] * 3), Density(f, 0.9, 500).of_new(ranks))
    assert with_noise[0] > 0.98 and with_noise[1:].max() < 0.15


def test_small_clean_data_are_concordant_out_of_sample():
    model = IMA(LAYERS, 3, stage1=STAGE1, stage2=STAGE2).fit(arrays(80))
    for c in model.pair_concordance(arrays(200, seed=1)).values():
        assert c.all() and (c < 0.5).mean() < 0.1
    wrong = arrays(200, seed=1)
    wrong["a"] = np.roll(wrong["a"], 7, 0)
    assert (model.pair_concordance(wrong)["a"] < 0.5).mean() > 0.2


def test_a_model_file_of_an_earlier_version(fitted):
    """It lacks the number of pairs; that of the reference is used."""
    known = fitted[0].concordance_models_["a"]
    state = known.tensors()
    old = ConcordanceModel.from_tensors({**state, "numbers": state["numbers"][:3]})
    assert old.density.pairs == len(known.reference.a) and old.prior == known.prior


def test_fusion_by_concordance_leaves_out_what_does_not_fit(fitted):
    model, _ = fitted
    x = arrays(200, seed=3)
    wrong = x | {"c": np.roll(x["c"], 7, 0)}
    without = model.transform({m: x[m] for m in "ab"})
    away = {
        fusion: np.square(model.transform(wrong, weights=fusion) - without).sum(1).mean()
        for fusion in ("importance", "concordance")
    }
    assert away["concordance"] < 0.5 * away["importance"]


def test_a_lone_modality_and_a_missing_one(fitted):
    model, _ = fitted
    x = arrays(40, seed=4)
    assert not model.pair_concordance({"a": x["a"]})["a"].any()
    x["b"][::2], x["c"][::4] = np.nan, np.nan
    found = model.pair_concordance(x)
    assert not found["b"][::2].any() and not found["a"][::4].any()
    assert found["a"][1::2].mean() > 0.8
    assert np.isfinite(model.transform(x, weights="both")).all()


def test_errors(fitted):
    x = arrays(10)
    for weights in ("rank", None, [1.0, 0.0, 1.0], True, np.ones(3)):
        with pytest.raises(InputError, match="weights: expected one of"):
            fitted[0].transform(x, weights=weights)
    with pytest.raises(InputError, match="fusion: expected one of"):
        fusion_weights("rank", {}, {})
    other = IMA(LAYERS, 3, stage1=Stage1(epochs=1), stage2=Stage2(objective="paper", steps=1)).fit(
        x
    )
    with pytest.raises(InputError, match="fitted with the objective mixture"):
        other.pair_concordance(x)


def test_weights_by_hand():
    y, c = {"a": torch.tensor([0.5, 1.0])}, {"a": torch.tensor([0.8, 0.0])}
    assert fusion_weights("importance", y, c)["a"].tolist() == [0.5, 1.0]
    torch.testing.assert_close(fusion_weights("concordance", y, c)["a"], torch.tensor([0.8, 0.001]))
    torch.testing.assert_close(fusion_weights("both", y, c)["a"], torch.tensor([0.4, 0.001]))


def test_posterior_by_hand():
    found = posterior(torch.tensor([0.5, 0.5, 0.0, 1.0]), torch.tensor([3.0, 0.0, 9.0, 0.2]))
    torch.testing.assert_close(found, torch.tensor([0.75, 0.0, 0.0, 1.0]))


def test_a_checkpoint_keeps_who_judges_and_what_was_found(fitted):
    model, _ = fitted
    x = model._items(arrays(20, seed=5)).x
    rows = {m: torch.arange(20) for m in x}
    known = {m: torch.linspace(0, 1, 3).double() for m in x}
    said = Checkpoint(model.concordance_models_, torch.tensor([5, 0, 7]), known)
    again = Checkpoint.from_tensors({**said.tensors(), "a.w1": torch.ones(1)})
    found = again.of_pairs(model.network_, x, rows)
    new = model.pair_concordance(arrays(20, seed=5))
    for m, of in found.items():
        assert of[[5, 0, 7]].tolist() == [0, 0.5, 1]
        np.testing.assert_allclose(of[10:], new[m][10:20], rtol=1e-6)
    nothing = Checkpoint.from_tensors({"a.w1": torch.ones(1)})
    assert nothing.of_pairs(model.network_, x, rows) == {} and not len(nothing.pair)
