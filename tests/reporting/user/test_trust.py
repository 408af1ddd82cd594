"""Whether importances of own data can be trusted: what is measured, and what follows from it."""

import math

import numpy as np
import pyarrow as pa
import pytest
import torch

from ima.evaluation.item_errors import Clusters
from ima.evaluation.user.shared import (
    Coordinates,
    coordinates,
    correlations,
    joint_coordinates,
    model_of,
    shared,
)
from ima.evaluation.user.stability import compare, mean_of, over_folds, over_seeds
from ima.evaluation.user.weighting import (
    LEFT_OUT,
    WEIGHTED_PAIRS,
    effect_of,
    partner_ranks,
    precision_effect,
)
from ima.models.mixture import MixtureFit
from ima.reporting.user import advice as own_advice
from ima.reporting.user.trust import trust_tables
from ima.utils.arrow import vector_column
from ima.utils.errors import InputError

N = 600


def rng(seed=0):
    return np.random.default_rng(seed)


def representations(names="ab", seed=0, noise=0.0, shuffled="", y=None, labels=True, absent=0.0):
    """Return representations of N pairs that share two of three latents, half of them tested.

    In a share `noise` of the pairs the first modality is noise, which its importances know; a
    modality that is `shuffled` shares nothing.
    """
    draw = rng(7)
    common = draw.normal(size=(N, 2))
    bad = draw.random(N) < noise
    u = {}
    for m in names:
        own = common[draw.permutation(N)] if m in shuffled else common
        if m == names[0]:
            own = np.where(bad[:, None], draw.normal(size=own.shape), own)
        u[m] = np.hstack((own + 0.3 * draw.normal(size=own.shape), draw.normal(size=(N, 1))))
        u[m] = u[m] + 0.01 * rng([seed, ord(m)]).normal(size=u[m].shape)
    importance = {m: np.ones(N) for m in names} | {names[0]: np.where(bad, 0.02, 0.98)}
    importance |= y or {}
    there = {m: np.ones(N, bool) for m in names}
    there[names[-1]] = draw.random(N) >= absent
    weight = {m: importance[m] * there[m] for m in names}
    joint = sum(weight[m][:, None] * u[m] for m in names) / sum(weight.values())[:, None]
    plain = sum(there[m][:, None] * u[m] for m in names) / sum(there.values())[:, None]
    split = np.repeat(["train", "validation", "test"], [N // 3, N // 6, N // 2])
    classes = (common[:, 0] > 0).astype(int)
    columns = {"split": split, "label": [str(c) if labels else "" for c in classes]}
    columns["pair_type"] = ["clean"] * N
    columns |= {f"id_{m}": pa.array([f"{m}{i}" for i in range(N)], mask=~there[m]) for m in names}
    columns |= {"z": vector_column(joint), "z_unweighted": vector_column(plain)}
    columns |= {f"u_{m}": vector_column(u[m], there[m]) for m in names}
    columns |= {f"y_{m}": pa.array(importance[m].astype(np.float32), mask=~there[m]) for m in names}
    return pa.table(columns)


def tables_of(tables, labels=True, folds=None):
    models = [{"latent": 3, "seed": seed} for seed in range(len(tables))]
    folds = folds or [{}] * len(tables)
    found = trust_tables(lambda i: tables[i], models, folds, labels, 10, "run")
    return [table.to_pylist() for table in found]


# Stability


def test_agreement_by_hand():
    found = compare(np.array([0.1, 0.9, 0.9, 0.2]), np.array([0.1, 0.9, 0.4, 0.9]))
    # Below .5: 1 0 0 1 and 1 0 1 0.
    assert found["agreement"] == found["permuted"] == 0.5 and found["kappa"] == 0
    found = compare(np.array([0.1, 0.9, 0.9, 0.9]), np.array([0.2, 0.8, 0.8, 0.8]))
    assert found["permuted"] == 0.625 and found["kappa"] == 1
    assert found["correlation"] == pytest.approx(1)


def test_permuted_agreement_equals_the_control():
    y = (rng().random(4000) > 0.1).astype(float)
    found = compare(y, y[rng(1).permutation(4000)])
    assert found["agreement"] == pytest.approx(found["permuted"], abs=0.01)
    assert abs(found["kappa"]) < 0.05 and abs(found["correlation"]) < 0.05


def test_networks_that_are_constant_have_no_kappa():
    found = compare(np.ones(9), np.ones(9))
    assert found["agreement"] == found["permuted"] == 1
    assert found["kappa"] is None and found["correlation"] is None
    assert over_seeds([np.ones(9)]) == dict.fromkeys(found)
    other = compare(np.array([0.0, 1]), np.array([0.0, 1]))
    assert mean_of([found, other])["kappa"] == 1


def test_folds_compare_items_with_networks_that_have_not_seen_them():
    x = {"a": torch.tensor([[0.1], [0.2], [0.9], [0.8]])}
    pairs = {"a": torch.tensor([3, 2, -1, 1, 0, 0])}
    pair = torch.tensor([4, 5, 0, 1, 2, 3])
    out_of_fold = torch.tensor([0.2, 0.2, 0.7, 0.3, 0.0, 0.4])  # of items 0 0 3 2 - 1
    found = {"a": MixtureFit(pair, None, out_of_fold, None, 0.75, None)}
    networks = torch.nn.ModuleDict({"a": Row()})
    scores = over_folds(found, networks, x, pairs)["a"]
    assert scores["agreement"] == 0.75 and scores["informative"] == 0.75  # differs in item 2
    found["a"] = found["a"]._replace(share=0.0)
    scores = over_folds(found, networks, x, pairs)["a"]
    assert scores.pop("informative") == 0 and set(scores.values()) == {None}


class Row(torch.nn.Module):
    """Importances that are the items' only feature."""

    def forward(self, x):
        return x.T


# What is shared


def test_correlations_by_hand():
    a = np.array([[1.0, 1], [2, 1], [3, 1]])
    b = np.array([[2.0, 5], [4, 1], [6, 3]])
    assert correlations(a, b).tolist() == pytest.approx([1, 0])


@pytest.mark.parametrize("names", ["ab", "abcd"])
def test_correlation_exceeds_that_of_shuffled_pairs(names):
    model = model_of(representations(names))
    found = shared(coordinates(model, "b"), seed=0, permutations=199)
    assert found.pairs == N // 2 and found.coordinates == 2
    # Of two, z is the other's u: 1 / (1 + .09); of more it is less noisy.
    expected = 1 / 1.09 if names == "ab" else 1 / math.sqrt(1.09 * (1 + 0.09 / 3))
    assert found.correlation == pytest.approx(expected, abs=0.03)
    assert found.p == 1 / 200 and np.quantile(found.shuffled, 0.99) < 0.25
    control = model_of(representations(names, shuffled="b"))
    found = shared(coordinates(control, "b"), seed=0, permutations=199)
    assert found.p > own_advice.LEVEL and found.coordinates == 0


def test_large_latents_that_share_nothing_do_not_hide_what_others_share():
    table = representations("abc", shuffled="c")
    model = model_of(table)
    model = model._replace(u=model.u | {"c": 20 * model.u["c"]})
    found = shared(coordinates(model, "b"), 0, 199)
    assert found.correlation == pytest.approx(1 / 1.09, abs=0.03) and found.p == 1 / 200
    joint = joint_coordinates(model, "b", weighted=False)
    assert correlations(joint.a, joint.b).max() < 0.2
    # Weighted, what has no importance hides nothing.
    model = model._replace(y=model.y | {"c": np.zeros(N)})
    joint = joint_coordinates(model, "b", weighted=True)
    assert correlations(joint.a, joint.b).max() == pytest.approx(1 / 1.09, abs=0.03)


def test_items_are_permuted_not_pairs():
    """Forty unrelated items, each in 20 pairs: as pairs they would seem to share something."""
    item, pair = np.repeat(np.arange(40), 20), np.arange(800)
    p = []
    for seed in range(12):
        a, b = rng([seed, 1]).normal(size=(40, 3))[item], rng([seed, 2]).normal(size=(40, 3))[item]
        p.append([shared(Coordinates(a, b, pair, of), 0, 49).p for of in (item, pair)])
    by_item, by_pair = np.mean(p, axis=0)
    assert by_pair < 0.3 < 0.5 < by_item


def test_pairs_that_lack_a_modality_do_not_count():
    model = model_of(representations("ab", absent=0.25))
    of = coordinates(model, "a")
    assert len(of.rows) == int((model.test & model.present["b"]).sum()) < N // 2
    assert (of.item >= 0).all()


# The effect of weighting


def test_an_effect_by_hand():
    weighted, unweighted = np.array([[1.0, 0, 1, 0]]), np.array([[0.5, 0.5, 0.5, 0.5]])
    weight = np.array([[1.0, 0, 1, 0]])
    found = effect_of("c", weighted, unweighted, weight, Clusters([], 4))
    assert (found.weighted, found.unweighted, found.difference) == (1, 0.5, 0.5)
    assert found.differences == [0.5] and (found.pairs, found.groups) == (4, 4)
    assert found.low is None and found.high is None  # four pairs tell nothing of others
    assert effect_of("c", weighted, unweighted, 0 * weight, Clusters([], 4)) is None


def test_the_interval_is_of_groups_and_holds_what_is_true():
    gain = rng().normal(0.01, 0.1, (1, 400))
    of = [np.zeros((1, 400)), np.ones((1, 400))]
    alone = effect_of("c", gain, *of, Clusters([], 400))
    assert alone.high - alone.low == pytest.approx(2 * 1.96 * 0.1 / 20, rel=0.15)
    assert alone.low < gain.mean() < alone.high
    # The same pair ten times says no more than once.
    ten = [np.repeat(v, 10, 1) for v in (gain, *of)]
    again = effect_of("c", *ten, Clusters([np.repeat(np.arange(400), 10)], 4000))
    assert again.high - again.low == pytest.approx(alone.high - alone.low, rel=1e-9)
    wrong = effect_of("c", *ten, Clusters([], 4000))
    assert wrong.high - wrong.low < 0.5 * (alone.high - alone.low)


@pytest.mark.parametrize("groups", [5, 8, 30])
def test_no_effect_is_seldom_taken_for_one(groups):
    """Weights and scores are independent: the interval excludes 0 in about 5 % of the draws."""
    draw, size, draws, wrong = rng(4), 6, 400, 0
    clusters = Clusters([np.repeat(np.arange(groups), size)], groups * size)
    for _ in range(draws):
        of_groups = draw.normal(size=(2, groups)).repeat(size, 1)
        scores = 0.5 + 0.1 * (of_groups[0] + draw.normal(size=groups * size))
        weight = np.exp(0.3 * of_groups[1])
        found = effect_of("c", scores[None], scores[None], weight[None], clusters)
        wrong += not found.low <= 0 <= found.high
    assert wrong / draws < 0.1  # .05 + 4.6 standard errors


def test_partner_ranks_of_equal_and_of_unrelated_coordinates():
    a = rng(1).normal(size=(300, 3))
    of = Coordinates(a, a.copy(), np.arange(300), np.arange(300))
    assert partner_ranks(of, 0).mean() > 0.99
    other = Coordinates(a, rng(2).normal(size=(300, 3)), np.arange(300), np.arange(300))
    assert partner_ranks(other, 0).mean() == pytest.approx(0.5, abs=0.08)


def test_precision_without_pairs_that_have_no_label():
    table = representations("ab", noise=0.3)
    model = model_of(table)
    labels = np.array(table["label"].to_pylist())[model.test]
    labels[:50] = ""
    z = rng().normal(size=(N // 2, 3))
    good = np.where(labels == "1", 5.0, -5.0)[:, None] * np.ones(3)
    found = precision_effect([(good, z)], labels, [model], 10)
    assert found.pairs == N // 2 - 50 and found.weighted == 1
    assert found.unweighted == pytest.approx(0.5, abs=0.05) and found.low > 0
    alone = np.arange(len(labels)).astype(str)
    with pytest.raises(InputError, match="expected two test pairs of a class"):
        precision_effect([(good, z)], alone, [model], 1)


# The tables


def test_good_importances_are_trusted_and_weighting_gains():
    folds = [{"a": {**compare(np.array([0, 1.0]), np.array([0, 1.0])), "informative": 0.7}}] * 2
    tables = [representations("abc", seed=s, noise=0.3) for s in (0, 1)]
    trust, weighting = tables_of(tables, folds=folds)
    assert [row["modality"] for row in trust] == ["a", "b", "c"]
    first = trust[0]
    assert first["unimportant"] == pytest.approx(0.3, abs=0.06) and first["informative"] == 0.7
    assert first["agreement_seeds"] == first["kappa_seeds"] == 1
    assert first["permuted_seeds"] == pytest.approx(0.58, abs=0.06)
    assert trust[1]["informative"] is None and trust[1]["kappa_folds"] is None
    assert [own_advice.judge(row) for row in trust] == ["stable", "none", "none"]
    assert [row["criterion"] for row in weighting] == ["Precision@10", LEFT_OUT]
    assert all(row["low"] > 0 for row in weighting)
    text = own_advice.report(trust, weighting, "run")
    assert "Use the weighted representation" in text and "| it is said that | if |" in text
    assert "None" not in text and "nan" not in text


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_without_labels_and_with_one_seed(names):
    table = representations(names, noise=0.3, labels=False)
    trust, weighting = tables_of([table], labels=False)
    (effect,) = weighting
    assert effect["criterion"] == (WEIGHTED_PAIRS if names == "ab" else LEFT_OUT)
    assert effect["low"] > 0 and effect["difference_sd"] is None
    assert own_advice.judge(trust[0]) == "unknown" and trust[0]["agreement_seeds"] is None
    assert "add a seed" in own_advice.advice(trust, [effect])
    # Control: the same importances at random, where nothing is wrong.
    y = np.array(table["y_a"].to_pylist())[rng(5).permutation(N)]
    table = representations(names, labels=False, y={"a": y})
    assert tables_of([table], labels=False)[1][0]["low"] < 0


def test_shuffled_pairs_share_nothing_and_the_report_says_so():
    trust, weighting = tables_of([representations("ab", seed=s, shuffled="ab") for s in (0, 1)])
    assert {own_advice.judge(row) for row in trust} == {"nothing"}
    text = own_advice.report(trust, weighting, "run")
    assert "share nothing that test pairs show: the importances are uninformative" in text
    y = {"c": np.zeros(N)}
    tables = [representations("abc", seed=s, shuffled="c", y=y) for s in (0, 1)]
    trust, weighting = tables_of(tables)
    assert [own_advice.judge(row) for row in trust] == ["none", "none", "nothing"]
    assert "check its pairs: c" in own_advice.advice(trust, weighting)


def test_unmeasured_effects_are_reported(caplog):
    table = representations("ab", y={"a": np.zeros(N)})
    ids = pa.array(["one"] * N)
    table = table.set_column(table.column_names.index("id_b"), "id_b", ids)
    trust, weighting = tables_of([table])
    assert "Precision@10 of test pairs cannot be measured" in caplog.text
    (row,) = weighting
    assert row["low"] is None and row["advice"] == own_advice.WEIGHTING["none"]
    assert own_advice.describe_effect(row) == own_advice.WEIGHTING["none"]
    assert own_advice.judge(trust[0]) == "contradicted"


# The rules

GOOD = {"modality": "m", "p": 0.002, "pairs": 400, "unimportant": 0.1, "informative": 0.9}
GOOD |= {f"{score}_{over}": 0.97 for score in ("agreement", "kappa") for over in ("seeds", "folds")}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, "stable"),
        ({"p": 0.02}, "nothing"),
        ({"p": 0.02, "pairs": 40}, "few"),
        ({"pairs": 40}, "stable"),  # what is found in few pairs is found
        ({"informative": 0.0, "kappa_folds": 0.0}, "missed"),
        ({"informative": None}, "stable"),
        ({"unimportant": 0.99}, "contradicted"),
        ({"kappa_seeds": 0.3}, "unstable"),
        ({"kappa_folds": 0.3}, "unstable"),
        ({"kappa_seeds": None}, "unstable"),
        ({"kappa_seeds": 0.3, "agreement_seeds": 0.995}, "stable"),
        ({"agreement_seeds": 1.0, "kappa_seeds": None, "unimportant": 0.0}, "none"),
        ({"agreement_seeds": None, "kappa_seeds": None}, "unknown"),
        ({"agreement_seeds": None, "kappa_seeds": None, "unimportant": 0.0}, "none"),
        ({"agreement_folds": None, "kappa_folds": None}, "stable"),
    ],
    ids=str,
)
def test_finding_of_a_modality(changed, code):
    row = GOOD | changed
    assert own_advice.judge(row) == code
    if code not in ("nothing", "few"):
        assert "m" in own_advice.advice([row, GOOD], []).split()[-20:] or code == "stable"


@pytest.mark.parametrize(
    ("low", "high", "code"),
    [
        (0.001, 0.02, "better"),
        (-0.02, -0.001, "worse"),
        (-0.004, 0.02, "equal"),
        (-0.02, 0.02, "open"),
        (0.0, 0.0, "equal"),
        (None, None, "none"),
    ],
)
def test_finding_of_weighting(low, high, code):
    row = {"criterion": "Precision@10", "low": low, "high": high}
    assert own_advice.judge_weighting(row) == code
    assert own_advice.WEIGHTING[code] in own_advice.advice([GOOD], [row])


def test_criteria_of_weighting_that_disagree():
    worse = {"criterion": "Precision@10", "low": -0.04, "high": -0.01}
    better = {"criterion": "partner rank", "low": 0.01, "high": 0.02}
    unknown = {"criterion": "other", "low": None, "high": None}
    assert own_advice.advice([GOOD], [worse, better, unknown]).startswith(
        "Criteria of weighting disagree. By Precision@10: Use the unweighted representation: "
        "weighting does harm. By partner rank: Use the weighted representation"
    )
    assert own_advice.advice([GOOD], [unknown, better]) == own_advice.advice([GOOD], [better])


def test_the_advice_names_modalities():
    rows = [
        GOOD | {"modality": name} | changed
        for name, changed in {
            "left": {},
            "right": {"kappa_seeds": 0.1},
            "third": {"p": 0.5},
        }.items()
    ]
    said = own_advice.advice(rows, [{"criterion": "P", "low": 0.001, "high": 0.003}])
    assert said == (
        "Leave out what shares nothing with the others, or check its pairs: third. "
        "Use the weighted representation: it is better. Don't use single importances of right: "
        "unstable; add pairs. Single importances of left can be used."
    )
    few = [GOOD | {"p": 0.5, "pairs": 30}]
    assert "fewer than 50" in own_advice.advice(few, [])


@pytest.mark.parametrize(
    ("pairs", "end"),
    [("", "items of m."), ("5 % are low", "items of m, and 5 % are low.")],
)
def test_where_nothing_is_wrong_only_items_are_judged(pairs, end):
    rows = [GOOD | {"unimportant": 0.0}]
    assert own_advice.advice(rows, [], pairs).endswith(f"Nothing wrong is found in single {end}")
