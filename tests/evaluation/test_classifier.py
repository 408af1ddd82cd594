"""The classifier of representations, its controls, and the tables made of its accuracy."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ima.evaluation.classifier import Classifier, accuracy_rows, classify, predict
from ima.evaluation.reference_accuracy import classify_anchors
from ima.reporting.tables import read_paper_values
from ima.reporting.tables.digits import table3, table5
from ima.utils.errors import InputError

PAPER = Path(__file__).parents[2] / "config" / "paper_values.csv"
QUICK = Classifier(hidden=16, epochs=15, batch_size=32, learning_rate=1e-2)


def ring(n, seed):
    """Return points on a circle and an outer ring (n, 2): no line parts the two classes."""
    rng = np.random.default_rng(seed)
    classes, angle = rng.integers(0, 2, n), rng.uniform(0, 2 * np.pi, n)
    radius = 1 + 2 * classes + rng.uniform(-0.3, 0.3, n)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    return points.astype("float32"), np.array([4, 9])[classes]


def test_classifier_separates_nonlinear_classes():
    (x, y), (test_x, test_y) = ring(600, 0), ring(300, 1)
    assert classify(x, y, test_x, test_y, QUICK, 0) > 0.97
    assert set(predict(x, y, test_x, QUICK, 0)) == {4, 9}


def test_shuffled_labels_are_at_chance():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3000, 6)).astype("float32")
    y = (x[:, 0] > 0) + 2 * (x[:, 1] > 0)  # four classes, and no clusters a guess could fit
    known, asked = slice(1000), slice(1000, None)
    assert classify(x[known], y[known], x[asked], y[asked], QUICK, 0) > 0.9
    # One order may favour a class in a region and so be far from chance; several are not.
    chance = [
        classify(x[known], rng.permutation(y[known]), x[asked], y[asked], QUICK, seed)
        for seed in range(8)
    ]
    assert np.mean(chance) == pytest.approx(0.25, abs=0.06)


def test_scale_and_place_of_a_representation_are_nothing():
    (x, y), (test_x, _) = ring(300, 0), ring(100, 1)
    plain = predict(x, y, test_x, QUICK, 0)
    moved = predict(1024 * x + 512, y, 1024 * test_x + 512, QUICK, 0)
    assert (plain == moved).mean() >= 0.99  # but for rounding


def test_the_seed_decides_all():
    (x, y), (test_x, _) = ring(200, 0), ring(200, 1)
    noisy = np.random.default_rng(0).permutation(y)
    first, again, other = (predict(x, noisy, test_x, QUICK, seed) for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).any()


def test_a_constant_representation_is_classified_as_the_commonest():
    x = np.full((30, 4), 3, "float32")
    y = np.array([1] * 20 + [2] * 10)
    assert (predict(x, y, x[:5], QUICK, 0) == 1).all()


def test_accuracy_by_subset_by_hand():
    """Class = sign of x; two of the four clean pairs are right, one of two with image noise."""
    x = np.linspace(-1, 1, 200, dtype="float32")[:, None]
    test = np.array([-1, -1, 1, 1, -1, 1], "float32")[:, None]
    labels = [(x[:, 0] > 0).astype(int), np.array([0, 1, 1, 0, 0, 0])]
    pairs = pa.table(
        {
            "item_image": [0, 1, 2, 3, 9, 8],
            "item_speech": [5, 5, 5, 6, 6, 6],
            "pair_type": ["clean"] * 4 + ["image_noise"] * 2,
        }
    )
    rows = accuracy_rows({"z": x}, {"z": test}, labels, pairs, QUICK, 0)
    # Right: 1 0 1 0, 1 0. Of the first recording 2 of 3, of the second 1 of 3: sums .5 and -.5.
    error = {"se_items": pytest.approx((2 * 2 * 0.5**2) ** 0.5 / 6), "df_items": 1}
    assert rows == [
        {"representation": "z", "subset": "all", "accuracy": 3 / 6, **error},
        # Both are of one recording, so nothing is known of others.
        {"representation": "z", "subset": "image_noise", "accuracy": 1 / 2}
        | {"se_items": None, "df_items": 0},
    ]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda x, y, t: (x, y[:-1], t), "with a class each"),
        (lambda x, y, t: (x[:0], y[:0], t), "one or more"),
        (lambda x, y, t: (x, y, t[:, :1]), r"expected \(2,\)"),
        (lambda x, y, t: (x, y, t * np.nan), "finite"),
    ],
)
def test_rejects_mismatched_arrays(change, match):
    x, y = ring(20, 0)
    with pytest.raises(InputError, match=match):
        predict(*change(x, y, x), QUICK, 0)


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="hidden"):
        Classifier(hidden=0)
    with pytest.raises(InputError, match="schedule"):
        Classifier(schedule="never")


# Anchors


def pair_tables():
    """Return features of two modalities that tell the class, one cleaner, and tables of pairs."""
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 4
    x = {
        m: (np.eye(4)[labels] + sd * rng.standard_normal((200, 4))).astype("float32")
        for m, sd in (("a", 0.2), ("b", 0.8))
    }
    tables = []
    for rows in (np.arange(120), np.arange(120, 200)):
        pair_type = np.where(np.arange(len(rows)) % 10 == 0, "a_noise", "clean")
        items = {f"item_{m}": rows for m in x}
        tables.append(pa.table({**items, "label": labels[rows], "pair_type": pair_type}))
    return x, *tables


def test_anchors_have_their_rows_and_order():
    x, train, test = pair_tables()
    rows = classify_anchors(x, train, test, [2, 3], {"a": 8, "b": 4}, QUICK, [0, 1])
    keys = [(r["model"], r["latent"], r["representation"], r["subset"], r["seed"]) for r in rows]
    views = ("joint", "a", "b")
    wanted = {("raw", None, v) for v in views} | {("supervised", None, v) for v in views}
    wanted |= {("pca", latent, v) for latent in (2, 3) for v in views} | {("chance", None, "joint")}
    assert set(keys) == {(*w, s, e) for w in wanted for s in ("all", "a_noise") for e in (0, 1)}
    assert len(set(keys)) == len(keys)
    found = {key[:3]: row["accuracy"] for key, row in zip(keys, rows, strict=True) if "all" in key}
    assert found["raw", None, "joint"] > 0.9 > found["raw", None, "b"]
    assert found["chance", None, "joint"] < 0.5
    assert found["raw", None, "joint"] > found["pca", 2, "joint"]


# Tables 3 and 5


def score(model, representation, latent, seed, subset, accuracy):
    return {
        "model": model,
        "representation": representation,
        "latent": latent,
        "seed": seed,
        "subset": subset,
        "accuracy": accuracy,
    }


def test_table_5_is_means_over_seeds():
    rows = [
        score("IMA", "weighted", 2, 0, "all", 0.25),
        score("IMA", "weighted", 2, 0, "image_noise", 0.5),
        score("IMA", "weighted", 2, 1, "all", 0.75),
        score("IMA", "weighted", 2, 1, "image_noise", 0.5),
        score("raw", "joint", None, 0, "all", 0.5),
    ]
    first, second, paper = table5(rows, read_paper_values(PAPER), "demo").to_pylist()
    assert first == {
        "run": "demo",
        "model": "IMA",
        "representation": "weighted",
        "latent": 2,
        "seeds": 2,
        "paper": None,
        "accuracy": 0.5,
        "accuracy_sd": pytest.approx(0.125**0.5),
        "accuracy_image_noise": 0.5,
        "accuracy_image_noise_sd": 0,
    }
    for row, error in zip(rows, (0.01, 0.02, 0.03, 0.04, 0.05), strict=True):
        row |= {"se_items": error, "df_items": 1e9}
    with_errors = table5(rows, [], "demo").to_pylist()[0]
    assert with_errors["accuracy_ci_items"] == pytest.approx(0.0391993)  # of .01 and .03
    assert with_errors["accuracy_image_noise_ci_items"] == pytest.approx(0.0587989)
    assert second["accuracy"] == 0.5 and second["accuracy_sd"] is None
    assert second["accuracy_image_noise"] is None
    assert (paper["model"], paper["representation"], paper["seeds"]) == ("IMA", "image", 0)
    assert paper["paper"] == pytest.approx(0.8305) and paper["accuracy"] is None


def test_table3_lists_the_settings():
    wide = replace(QUICK, hidden=77)
    table = table3({"digits": QUICK, "emotion": wide}, "demo").to_pylist()
    assert list(table[0]) == ["run", "dataset", "setting", "value"]
    rows = {row["setting"]: row["value"] for row in table if row["dataset"] == "digits"}
    other = {row["setting"]: row["value"] for row in table if row["dataset"] == "emotion"}
    assert other == {**rows, "units of a layer": "77"} and len(table) == 2 * len(rows)
    assert rows["units of a layer"] == "16" and rows["epochs"] == "15"
    assert rows["batch size"] == "32" and rows["learning rate"] == "0.01"
    assert "patience" not in rows
