"""The study of missing items: what is taken away, what is trained, and what becomes of scores."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from ima.evaluation.missing_modalities import (
    TESTS,
    BaselineModel,
    ImaModel,
    _with_equal_steps,
    study,
    study_table,
    withheld,
)
from ima.models.autoencoder import Stage1
from ima.models.baselines.mvae import MVAESettings
from ima.models.importance import Stage2
from ima.pairing.by_label import ABSENT
from ima.reporting.figures.missing_modalities import draw
from ima.training.loop import Training
from ima.utils.errors import InputError
from ima.utils.schemas import MISSING_STUDY

LAYERS = {m: {"hidden": 16, "loss": "bce"} for m in "ab"}
MODELS = {
    "IMA": ImaModel(
        Stage1(objective="paper", epochs=15, batch_size=32, learning_rate=5e-3),
        Stage2(objective="paper", steps=10, restarts=1),
        {"a": 0.8, "b": 0.8},
        8,
        LAYERS,
    ),
    "MVAE": BaselineModel("mvae", MVAESettings(epochs=10, batch_size=32), LAYERS),
}


def rows(count=100, modalities="ab"):
    return {m: torch.arange(count) for m in modalities}


@pytest.mark.parametrize("share", [0, 0.25, 0.5, 0.75, 1])
def test_a_share_of_the_pairs_lacks_one_item(share):
    for modalities in ("ab", "abc"):
        found = withheld(rows(120, modalities), share, np.random.default_rng(0))
        absent = torch.stack([of == ABSENT for of in found.values()])
        assert absent.sum().item() == absent.any(0).sum().item() == 120 * share  # one each
        assert (absent.sum(1) == 120 * share / len(modalities)).all()
        kept = {m: of[of != ABSENT] for m, of in found.items()}
        assert all((kept[m] == torch.arange(120)[found[m] != ABSENT]).all() for m in kept)


def test_missing_items_stay_missing_at_larger_shares():
    some, more, other = (
        withheld(rows(), share, np.random.default_rng(seed))
        for share, seed in ((0.25, 0), (0.75, 0), (0.75, 1))
    )
    for m in "ab":
        assert set(torch.where(some[m] == ABSENT)[0].tolist()) <= set(
            torch.where(more[m] == ABSENT)[0].tolist()
        )
        assert not torch.equal(more[m], other[m])


@pytest.mark.parametrize(
    ("items", "share", "says"),
    [
        (rows(), 1.5, "a share of the pairs"),
        (rows(modalities="a"), 0.5, "two modalities or more"),
        ({"a": torch.tensor([0, ABSENT]), "b": torch.tensor([0, 1])}, 0.5, "complete pairs"),
    ],
)
def test_withheld_rejects_invalid_input(items, share, says):
    with pytest.raises(InputError, match=says):
        withheld(items, share, np.random.default_rng(0))


def test_dropping_trains_with_equal_steps():
    pairs = withheld(rows(), 0.75, np.random.default_rng(0))
    assert _with_equal_steps(Training(epochs=20), pairs).epochs == 80
    assert _with_equal_steps(Training(epochs=20), rows()).epochs == 20


def problem(seed=0, classes=4, each=40, width=20):
    """Return two modalities: a class' prototype with a tenth of its values flipped."""
    rng = np.random.default_rng(seed)
    labels = np.tile(np.arange(classes), 3 * each)
    x = {}
    for m in "ab":
        prototypes = rng.random((classes, width)) < 0.5
        flipped = rng.random((len(labels), width)) < 0.1
        x[m] = torch.tensor(prototypes[labels] ^ flipped, dtype=torch.float32)
    count = classes * each
    parts = zip(("train", "validation", "test"), torch.arange(3 * count).split(count), strict=True)
    return x, {split: dict.fromkeys("ab", of) for split, of in parts}, labels[:count]


@pytest.fixture(scope="module")
def found():
    x, pairs, labels = problem()
    jmvae = BaselineModel("jmvae", _settings(), LAYERS)
    return study(x, pairs, labels, [0, 0.5], {**MODELS, "JMVAE": jmvae}, latent=4, seed=0)


def _settings():
    from ima.models.baselines.jmvae import JMVAESettings

    return JMVAESettings(epochs=10, batch_size=32)


def test_every_model_and_way_has_its_rows(found):
    assert set(found[0]) == set(MISSING_STUDY.names)
    ways = {(row["model"], row["absent"]) for row in found}
    assert ways == {
        *(("IMA", "learn"), ("IMA", "drop"), ("MVAE", "learn"), ("MVAE", "drop")),
        *(("JMVAE", "drop"), ("JMVAE", "impute")),
        *(("raw features", "impute"), ("chance", "none")),
    }
    views = {(row["model"], row["representation"]) for row in found}
    assert {view for name, view in views if name == "IMA"} == {"weighted", "unweighted"}
    assert {row["test"] for row in found} == set(TESTS)


def test_ways_and_tests_agree_without_missing_items(found):
    for name in ("IMA", "MVAE", "JMVAE", "raw features"):
        for view in ("weighted", "joint"):
            for which in ("all", "distinct"):
                same = {
                    row["precision"]
                    for row in found
                    if (row["model"], row["representation"], row["neighbours"], row["share"])
                    == (name, view, which, 0)
                }
                assert len(same) <= 1


def test_trained_models_exceed_chance(found):
    def of(model, share, test="complete", absent=None):
        return np.mean(
            [
                row["precision"]
                for row in found
                if (row["model"], row["share"], row["test"]) == (model, share, test)
                and absent in (None, row["absent"])
            ]
        )

    for share in (0, 0.5):
        for test in TESTS:
            assert 0.15 < of("chance", share, test) < 0.35  # one in four
    for absent in ("learn", "drop"):
        assert of("IMA", 0.5, absent=absent) > 0.6
    # Pairs that lack an item are harder: of raw features too.
    assert of("raw features", 0.5, "incomplete") < of("raw features", 0.5)
    assert of("raw features", 0.5) == of("raw features", 0)


def test_seeds_are_of_all_and_the_same_seed_is_the_same(found):
    x, pairs, labels = problem()
    again = study(x, pairs, labels, [0.5], {"MVAE": MODELS["MVAE"]}, 4, 0)
    before = [row for row in found if (row["model"], row["share"]) == ("MVAE", 0.5)]
    assert [row for row in again if row["model"] == "MVAE"] == before
    other = study(x, pairs, labels, [0.5], {"MVAE": MODELS["MVAE"]}, 4, 1)
    assert [row["precision"] for row in other] != [row["precision"] for row in again]


def test_table_over_seeds_and_figure(found):
    second = [{**row, "seed": 1, "precision": row["precision"] / 2} for row in found]
    table = study_table(pa.Table.from_pylist([*found, *second], MISSING_STUDY), "run")
    assert len(table) == len(found) and set(table["seeds"].to_pylist()) == {2}
    first = table.to_pylist()[0]
    assert first["precision"] == pytest.approx(0.75 * found[0]["precision"])
    assert first["precision_sd"] == pytest.approx(found[0]["precision"] / 2 / 2**0.5)
    figure = draw(table.to_pylist())
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        "(a) complete test pairs, no shared items",
        "(b) incomplete test pairs, no shared items",
        "(c) complete test pairs, all neighbours",
        "(d) incomplete test pairs, all neighbours",
    ]
    named = [[text.get_text() for text in legend.get_texts()] for legend in figure.legends]
    assert named[0] == ["IMA", "MVAE", "JMVAE", "raw features"] and len(named[1]) == 3
    whole = [row for row in found if row["share"] == 0]
    lone = study_table(pa.Table.from_pylist(whole, MISSING_STUDY), "run")
    assert pa.compute.all(lone["precision_sd"].is_null()).as_py()
    draw(lone.to_pylist())
    with pytest.raises(InputError, match="rows to draw"):
        draw([])
