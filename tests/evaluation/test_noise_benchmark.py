"""Harder noise: what is paired with what in each type, and that only co-occurrence is found."""

import numpy as np
import pytest

from ima.evaluation.noise_benchmark import problem, study
from ima.models.autoencoder import Stage1
from ima.models.importance import Stage2
from ima.models.stages import Variant
from ima.utils.errors import InputError
from ima.utils.schemas import NOISE_STUDY

TOTALS = {"train": 600, "validation": 300, "test": 300}
WIDTH = 30


def items(seed=0, classes=5, each=60):
    """Return two modalities: a class' prototype with a tenth of its values flipped."""
    rng = np.random.default_rng(seed)
    found = {}
    for name in ("a", "b"):
        label = np.repeat(np.arange(classes), 3 * each)
        split = np.tile(np.repeat(["train", "validation", "test"], each), classes)
        prototypes = rng.random((classes, WIDTH)) < 0.5
        x = prototypes[label] ^ (rng.random((len(label), WIDTH)) < 0.1)
        found[name] = {"x": x.astype(np.float32), "split": split, "label": label}
    return found


def maker(value):
    return lambda n, rng: np.full((n, WIDTH), value, np.float32)


MAKERS = {
    "synthetic": {"a": maker(0.5), "b": maker(0.5)},
    "degraded": {"a": maker(0.25), "b": maker(0.25)},
}


def made(noise_type, R=0.2, seed=0):
    return problem(noise_type, R, items(), MAKERS, TOTALS, seed)


@pytest.mark.parametrize("noise_type", ["synthetic", "degraded", "shuffled"])
def test_noise_is_in_a_fifth_of_the_pairs(noise_type):
    of = made(noise_type)
    for split, total in TOTALS.items():
        for m, rows in of.pairs[split].items():
            assert len(rows) == 1.2 * total
            assert of.noise[m][rows].sum() == 0.2 * total
    value = 0.25 if noise_type == "degraded" else 0.5
    assert (of.x["a"][of.noise["a"]] == value).all() and set(np.unique(of.x["b"])) == {0, value, 1}


def test_class_sizes_are_those_of_the_given_modality():
    """Without two thirds of class 0 in modality b, it has a third of the pairs of other classes."""
    given = items()
    kept = (given["b"]["label"] != 0) | (np.arange(len(given["b"]["label"])) % 3 == 0)
    given["b"] = {name: values[kept] for name, values in given["b"].items()}
    shares = {}
    for sizes in ("larger", "a", "b"):
        of = problem("synthetic", 0, given, MAKERS, TOTALS, 0, sizes)
        labels = given["a"]["label"][of.pairs["train"]["a"]]
        shares[sizes] = (labels == 0).mean()
    assert shares == {"larger": 0.2, "a": 0.2, "b": pytest.approx(20 / 260, abs=1 / 600)}


def agreement(of, split="train"):
    """Return the share of pairs of two real items that have one class."""
    labels = {m: found["label"] for m, found in items().items()}
    rows = of.pairs[split]
    real = np.logical_and.reduce([rows[m] < len(labels[m]) for m in rows])
    return np.mean(labels["a"][rows["a"][real]] == labels["b"][rows["b"][real]])


def test_pairs_go_by_label_unless_they_are_shuffled():
    assert agreement(made("synthetic")) == 1
    assert 0.1 < agreement(made("shuffled")) < 0.3  # one in five by chance


def test_repaired_digits_are_real_and_come_with_all_others():
    of = made("mispaired")
    labels = {m: found["label"] for m, found in items().items()}
    odd = {m: set(labels[m][of.noise[m]]) for m in "ab"}
    assert all(len(classes) == 1 for classes in odd.values()) and odd["a"] != odd["b"]
    rows = of.pairs["train"]
    with_odd = labels["b"][rows["b"][of.noise["a"][rows["a"]]]]
    assert set(with_odd) == set(range(5)) - odd["a"] - odd["b"]
    both = of.noise["a"][rows["a"]] & of.noise["b"][rows["b"]]
    assert not both.any()
    rest = ~of.noise["a"][rows["a"]] & ~of.noise["b"][rows["b"]]
    assert (labels["a"][rows["a"][rest]] == labels["b"][rows["b"][rest]]).all()


def test_splits_share_no_item_and_seeds_differ():
    of, same, other = made("synthetic"), made("synthetic"), made("synthetic", seed=1)
    for m in "ab":
        sets = [set(of.pairs[split][m].tolist()) for split in TOTALS]
        assert not (sets[0] & sets[1] or sets[0] & sets[2] or sets[1] & sets[2])
        assert (of.pairs["train"][m] == same.pairs["train"][m]).all()
        assert (of.pairs["train"][m] != other.pairs["train"][m]).any()


def test_unknown_kind():
    with pytest.raises(InputError, match=r"noise: expected one of .*'mispaired'.*found louder"):
        made("louder")


def scores(noise_type):
    """Return F1 of the noise class by modality and detector."""
    variant = Variant(
        Stage1(epochs=12, learning_rate=3e-3),
        Stage2(steps=80, batch_size=256, learning_rate=1e-2, restarts=2),
        rho={"a": 0.8, "b": 0.8},
        hidden=16,
        layers={m: {"hidden": 32, "loss": "bce"} for m in "ab"},
    )
    rows = study(made(noise_type), latent=8, variants={"ima+": variant}, reference="ima+", seed=0)
    assert {"noise_type", "R", *rows[0]} == set(NOISE_STUDY.names)
    return {(row["modality"], row["detector"]): row["f1_noise"] for row in rows}


def test_only_co_occurrence_is_found():
    """Digits in random pairs are found as noise; the oddest noise is not where all is random."""
    mispaired, shuffled = scores("mispaired"), scores("shuffled")
    for m in "ab":
        assert mispaired[m, "ima+"] > 0.8 > mispaired[m, "isolation forest, x"]
        assert shuffled[m, "ima+"] < 0.3 < shuffled[m, "k-means, x"]


def test_other_variants_change_no_row_but_their_own():
    """The other detectors use the reference's latents, whichever variant is listed last."""

    def variant(hidden):
        layers = {m: {"hidden": hidden, "loss": "bce"} for m in "ab"}
        stages = (Stage1(epochs=1), Stage2(steps=2, restarts=1))
        return Variant(*stages, rho={"a": 0.8, "b": 0.8}, hidden=8, layers=layers)

    data = made("synthetic")
    alone = study(data, 4, {"ima+": variant(16)}, "ima+", seed=0)
    both = study(data, 4, {"ima+": variant(16), "x": variant(4)}, "ima+", seed=0)
    assert [row for row in both if row["detector"] != "x"] == alone
