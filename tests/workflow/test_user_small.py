"""Small and odd data of a user's own: each ends with results, or with one error before training."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
import yaml

from ima.datasets.user import read_items
from ima.evaluation.classifier import Classifier
from ima.evaluation.fusion import fusion_scores
from ima.evaluation.metrics import score_model
from ima.evaluation.reference import score_anchors
from ima.evaluation.reference_accuracy import classify_anchors
from ima.evaluation.represent import as_table, represent
from ima.evaluation.tsne import embed_views, spaces_of
from ima.models import checkpoints
from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.ima import Autoencoder, IMANetwork
from ima.models.importance import Stage2, train_importance
from ima.models.stages import cross_fit
from ima.pairing.by_label import modalities, row_numbers
from ima.pairing.user import pair_own
from ima.pairing.user_scaled import scale_items
from ima.reporting.figures.importance import figure2, figure4
from ima.reporting.tables.user import importance_table
from ima.utils.arrow import matrix
from ima.utils.errors import InputError
from ima.workflow.user_config import LAYERS, fill_defaults
from tests.checkout import ROOT, merged

SHARES = {"test": 0.2, "validation": 0.2}


def frames(n, dims=(6, 4), classes=2):
    """Return two views of three variables, with ids s0 ... and labels, as frames."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(n, 3))
    found = {}
    for name, d in zip("ab", dims, strict=True):
        x = shared @ rng.normal(size=(3, d)) + rng.normal(size=(n, d))
        found[name] = pd.DataFrame(x, columns=[f"f{i}" for i in range(d)])
        found[name].index = [f"s{i}" for i in range(n)]
        found[name]["label"] = np.arange(n) % classes
    return found


def prepared(folder, given, labelled=True):
    """Return what the rules before training make of frames: items, pairs, and classes."""
    columns = {"vector": "f*"} | ({"label": "label"} if labelled else {})
    items = {}
    for name, frame in given.items():
        frame.to_parquet(folder / f"{name}.parquet")
        items[name] = read_items(folder / f"{name}.parquet", columns, "sse")
    pairs, classes = pair_own(items, "id", SHARES, seed=0)
    for name in items:
        items[name], _ = scale_items(items[name], row_numbers(pairs["train"], name), True, name)
    return items, pairs, classes


def finished(items, pairs, classes):
    """Return scores of a model, of anchors and of classifiers, and both figures."""
    x = {m: torch.from_numpy(np.array(matrix(of, "x"))) for m, of in items.items()}
    rows = {
        s: {m: torch.from_numpy(row_numbers(t, m)) for m in modalities(t)} for s, t in pairs.items()
    }
    torch.manual_seed(0)
    stage1 = Stage1(epochs=1, batch_size="auto", patience="auto")
    stage2 = Stage2("mixture", steps=2, rounds=1, batch_size=256)
    model = Autoencoder(checkpoints.modalities_of(x, dict.fromkeys(x, LAYERS)), 10)
    fit_autoencoder(model, x, rows["train"], stage1, 0, rows["validation"])
    folds = cross_fit(model, x, rows["train"], rows["validation"], stage1, 0, 3)
    rho = dict.fromkeys(x, "auto")
    networks, _, _ = train_importance(
        model, x, rows["train"], rho, 100, stage2, 0, rows["validation"], folds
    )
    whole = IMANetwork(model, networks)
    test, table = pairs["test"], as_table(**represent(whole, x, rows["test"]))
    named = table.append_column("split", [["test"] * len(table)])
    named = named.append_column("pair_type", test["pair_type"])
    for m in x:
        named = named.append_column(f"id_{m}", test[f"item_{m}"])
    scores = {"importance": importance_table([named], [{"latent": 10, "seed": 0}], False, "r")}
    raw = {m: of.numpy() for m, of in x.items()}
    if classes:
        both = (raw, pairs["train"], test, [10])
        scores["model"] = score_model(table, test, [10])["retrieval"]
        scores["anchors"] = score_anchors(raw, *pairs.values(), [10], [10])
        classifier = Classifier(epochs=1)
        scores["classifier"] = classify_anchors(*both, dict.fromkeys(x, 20), classifier, [0])
    fusion_scores(table, test)
    shown = {m: of.clamp_min(0) for m, of in rows["test"].items()}
    with torch.no_grad():
        hidden = {m: networks[m].hidden(x[m][shown[m]])[0].numpy() for m in x}
    vectors = {name: matrix(table, name, absent=True) for name in ("z", *(f"u_{m}" for m in x))}
    embeddings = embed_views(test, spaces_of(test, hidden, vectors), 10, 0.5, 0)
    y = {m: table[f"y_{m}"].to_numpy(zero_copy_only=False) for m in x}
    figures = [
        figure2(embeddings, y, classes, False, scale=True),
        figure4(embeddings, classes, False),
    ]
    for figure in figures:
        figure.canvas.draw()
    return scores


def all_finite(scores):
    rows = [row for name in ("model", "anchors", "classifier") for row in scores.get(name, [])]
    values = [row.get("precision", row.get("accuracy")) for row in rows]
    return bool(np.isfinite(values).all())


def partly_labelled(given):
    for frame in given.values():
        frame["label"] = frame["label"].where(np.arange(len(frame)) % 3 > 0)
    return given


def nearly_absent(given):
    return given | {"b": given["b"].iloc[:6]}


def a_constant_dimension(given):
    given["b"]["f0"] = 7.0
    return given


CASES = {
    "40 items": frames(40),
    "4 items": frames(4, classes=1),
    "one dimension": frames(40, (1, 1)),
    "one class": frames(40, classes=1),
    "a class each": frames(40, classes=40),
    "partly labelled": partly_labelled(frames(40)),
    "a constant dimension": a_constant_dimension(frames(40)),
    "nearly absent": nearly_absent(frames(40)),
}


@pytest.mark.parametrize("name", CASES)
def test_small_and_odd_data_have_results(tmp_path, name):
    scores = finished(*prepared(tmp_path, CASES[name]))
    assert len(scores["importance"]) == 2 and all_finite(scores)
    # Chance is scored whatever the data.
    assert "chance" in {row["model"] for row in scores["classifier"]}


def test_maps_of_more_classes_than_8_bits_can_number():
    labels = pa.array(range(0, 600, 10), pa.int32())
    rows = {f"item_{m}": pa.array(range(60), pa.int32()) for m in "ab"}
    pairs = pa.table({**rows, "label": labels, "pair_type": ["clean"] * 60})
    vectors = {name: np.random.default_rng(0).normal(size=(60, 3)) for name in ("z", "u_a", "u_b")}
    hidden = {m: vectors[f"u_{m}"] for m in "ab"}
    table = embed_views(pairs, spaces_of(pairs, hidden, vectors), 2, 0.5, 0)
    assert set(table["label"].to_pylist()) == set(range(0, 600, 10))
    figure4(table, list(map(str, range(600))), False).canvas.draw()


def test_the_greatest_k_is_told_before_training(tmp_path, caplog):
    caplog.set_level("INFO")
    prepared(tmp_path, frames(40))  # 8 test pairs
    assert "test pairs have at least 7 neighbours" in caplog.text


def test_without_labels(tmp_path):
    scores = finished(*prepared(tmp_path, frames(12), labelled=False))
    assert list(scores) == ["importance"]


def constant_view(given):
    given["b"].loc[:, "f0":"f3"] = 7.0
    return given


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (frames(2), "at least three pairs"),
        (frames(1), "at least three pairs"),
        (constant_view(frames(40)), "all the same. Remove b from"),
        (frames(40) | {"b": frames(40)["b"].iloc[:2]}, "an item of b in some of the pairs"),
        (frames(40) | {"b": frames(80)["b"].iloc[40:]}, "ids shared by at least two of"),
    ],
    ids=[
        "two items",
        "one item",
        "a constant view",
        "absent from all but two",
        "nothing in common",
    ],
)
def test_data_that_cannot_be_trained_on_end_before_training(tmp_path, given, says):
    with pytest.raises(InputError) as error:
        prepared(tmp_path, given)
    assert says in str(error.value) and error.value.do


# What follows from the size of the data


@pytest.mark.parametrize(
    ("pairs", "epochs"),
    # of 64 pairs a step, 2000 steps in all: 1 step an epoch, 2, 8, 16; 10 epochs at the least
    [(3, 2000), (100, 1000), (512, 250), (1000, 125), (10**6, 10)],
)
def test_epochs_follow_from_the_number_of_pairs(pairs, epochs):
    settings = Stage1(epochs="auto", batch_size="auto", patience="auto").sized(pairs)
    assert (settings.batch_size, settings.epochs) == (64, epochs)
    assert settings.patience == max(5, round(epochs / 10))
    assert Stage1(epochs=7).sized(pairs) == Stage1(epochs=7)


def test_a_config_of_files_alone_is_filled_in():
    demo = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    own = {"modalities": {"image": {"file": "a.csv"}, "b": {"file": "b.csv"}}}
    given = {"own": own, "model": {"b": {"hidden": 7}}, "figures": {"latent": 3}}
    config = merged(demo, given)
    fill_defaults(config, given)
    assert config["own"]["pairs"] == {"by": "id"}
    assert config["variants"] == ["mixture"] and config["latents"] == [10]
    # Not the demo's layers of a modality that happens to have the same name.
    assert config["model"]["image"] == LAYERS and config["model"]["b"] == LAYERS | {"hidden": 7}
    stage1 = config["autoencoder"]
    assert [stage1[k] for k in ("epochs", "batch_size", "patience")] == ["auto"] * 3
    assert stage1["by_latent"] == {} and stage1["learning_rate"] == 0.001
    assert config["sweep"]["latent"] == 10 and config["figures"]["latent"] == 3
    digits = merged(demo, {})
    fill_defaults(digits, {})
    assert digits == demo
    with pytest.raises(InputError, match=r"model.image.standardize"):
        fill_defaults(merged(demo, {"model": {"image": {"standardize": True}}}), {})
