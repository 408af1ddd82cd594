"""IMA beside other methods on own data: one peer's scores, the table by hand, and both scripts."""

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from safetensors.torch import save_file

from ima.evaluation.classifier import Classifier
from ima.evaluation.peers import score_peer
from ima.evaluation.reference import score_anchors
from ima.models.peers import PEERS, peer
from ima.models.peers.views import Problem, pair_matrices
from ima.reporting.figures.compare import draw
from ima.reporting.user.compare import compare_table, ima_scores
from ima.training.loop import Training
from ima.utils.errors import InputError
from ima.utils.io import read_json
from ima.utils.schemas import pairs_schema
from ima.workflow.user_config import check_config
from tests.checkout import ROOT
from tests.problems import features

N = {"train": 60, "validation": 20, "test": 40}


def problem(seed=0):
    """Return two views of 3 classes by modality, and pair tables by split, some without a view."""
    rng = np.random.default_rng(seed)
    total = sum(N.values())
    label = rng.integers(0, 3, total)
    centres = rng.normal(size=(3, 5)) * 2
    x = {m: (centres[label] + rng.normal(size=(total, 5))).astype(np.float32) for m in "ab"}
    tables, begin = {}, 0
    for split, count in N.items():
        rows = np.arange(begin, begin + count)
        columns = {
            "item_a": pa.array(rows, pa.int32()),
            "item_b": pa.array(rows, pa.int32(), mask=rows % 10 == 0),
            "label": pa.array(label[rows], pa.int8()),
            "pair_type": pa.array(["b_noise" if row % 4 == 1 else "clean" for row in rows]),
        }
        tables[split] = pa.table(columns).cast(pairs_schema("ab"))
        begin += count
    return x, tables


def row_numbers(table):
    return {
        m: torch.from_numpy(table[f"item_{m}"].fill_null(-1).to_numpy().astype("int64"))
        for m in "ab"
    }


def scored(name, x, tables):
    x = {m: torch.from_numpy(of) for m, of in x.items()}
    pairs = {split: row_numbers(table) for split, table in tables.items()}
    train, validation = (pair_matrices(x, pairs[split]) for split in ("train", "validation"))
    fitted = peer(name).fitted(Problem(train, validation, {}, 2, Training(epochs=1), 0))
    return score_peer(fitted, x, pairs, tables, [5], Classifier(epochs=5), 0)


def test_raw_features_score_as_in_the_table_of_retrieval():
    x, tables = problem()
    anchors = score_anchors(x, *tables.values(), [], [5])
    theirs = [
        {key: value for key, value in row.items() if key not in ("model", "latent")}
        for row in anchors
        if row["model"] == "raw"
    ]
    assert scored("raw", x, tables)["retrieval"] == theirs


def test_precision_does_not_depend_on_the_order_of_test_pairs():
    x, tables = problem()
    order = np.random.default_rng(1).permutation(N["test"])
    shuffled = {**tables, "test": tables["test"].take(order)}
    for name in ("pca", "raw"):
        first, second = (scored(name, x, some)["retrieval"] for some in (tables, shuffled))
        for one, other in zip(first, second, strict=True):
            assert one["precision"] == pytest.approx(other["precision"], abs=1e-12)


def retrieval(**precisions):
    """Return rows of joint and unimodal precision."""
    about = {"k": 5, "subset": "all", "neighbours": "distinct"}
    return [{**about, "representation": m, "precision": p} for m, p in precisions.items()]


def of_ima(seed, weighted):
    more = {"k": 5, "neighbours": "distinct", "representation": "weighted"}
    rows = retrieval(weighted=weighted, unweighted=0.4, a=0.3, oracle=1.0, **{"without a": 0.0})
    rows += retrieval(shared=0.0, shared_unweighted=0.0, shared_a=0.0, contrastive_a=0.0)
    rows += [{**more, "subset": "a_noise", "precision": 0.1}]
    rows += [{**row, "k": 9, "precision": 0.0} for row in rows]
    rows += [{**row, "neighbours": "all", "precision": 0.0} for row in rows]
    return {"model": "IMA", "latent": 2, "seed": seed, "retrieval": rows}


def test_table_by_hand():
    accuracy = {"subset": "all", "latent": 2, "seed": 0}
    accuracies = [
        {**accuracy, "representation": "weighted", "accuracy": 0.9},
        {**accuracy, "representation": "unweighted", "accuracy": 0.8},
        {**accuracy, "representation": "weighted", "accuracy": 0.7, "seed": 1},
        {**accuracy, "representation": "a", "accuracy": 0.0},
    ]
    costs = {
        (2, seed, fused): {"seconds": 3.0, "parameters": 8}
        for seed in (0, 1)
        for fused in ("weighted", "unweighted")
    }
    costs[2, 0, "unweighted"]["cpu_seconds"] = 30.0  # of one seed: unknown of both
    scores = ima_scores([of_ima(0, 0.5), of_ima(1, 0.7)], accuracies, costs, ["a"])
    scores.append(
        {"model": "PCA", "latent": 2, "seed": 0, "seconds": 1.0, "mem_mb": 2.0, "accuracy": []}
        | {"retrieval": retrieval(joint=0.6, a=0.2)}
    )
    table = compare_table(scores, "mine")
    assert table["method"].to_pylist() == ["IMA, weighted", "IMA, unweighted", "PCA"]
    found = {name: table[name].to_pylist() for name in table.column_names}
    assert found["precision"] == pytest.approx([0.6, 0.4, 0.6])
    assert (
        found["precision_sd"][:2] == pytest.approx([0.02**0.5, 0]) and not found["precision_sd"][2]
    )
    assert found["precision_a"] == pytest.approx([0.3, 0.3, 0.2])
    assert found["precision_a_noise"] == [pytest.approx(0.1), None, None]
    assert [name for name in found if "shared" in name or "contrastive" in name] == []
    assert "cpu_seconds" not in found
    assert found["accuracy"] == [pytest.approx(0.8), pytest.approx(0.8), None]
    assert found["seconds"] == [3, 3, 1] and found["mem_mb"] == [None, None, 2]
    assert (
        found["k"] == [5] * 3
        and found["seeds"] == [2, 2, 1]
        and found["parameters"] == [8, 8, None]
    )
    panels = draw(table.to_pylist(), "IMA").axes
    assert [axes.get_xlabel() for axes in panels] == [
        *("(a) joint Precision@5", "(b) accuracy", "(c) peak memory (MB)"),
    ]
    with pytest.raises(InputError, match="comparison: expected methods to draw"):
        draw([], "IMA")


def test_config_names_all_peers_and_needs_labels():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    given = schema["$defs"]["peers"]["items"]["enum"]
    assert set(given) == set(PEERS)
    own = {"modalities": {m: {"file": m} for m in "ab"}, "pairs": {"by": "id"}, "compare": ["pca"]}
    with pytest.raises(InputError, match=r"config, own\.compare: expected labels"):
        check_config(own, dict.fromkeys("ab"), dict.fromkeys("ab"), ())
    own["modalities"]["a"]["label"] = "l"
    assert check_config(own, dict.fromkeys("ab"), dict.fromkeys("ab"), ()) == ["a", "b"]


# The scripts


class Named(SimpleNamespace):
    def __getitem__(self, name):
        return getattr(self, name)


def main_of(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"workflow/scripts/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def job(folder, name):
    """Return a job of peer on the problem's files."""
    x, tables = problem()
    for m, of in x.items():
        pq.write_table(features(of), folder / f"{m}.parquet")
    for split, table in tables.items():
        pq.write_table(table, folder / f"{split}.parquet")
    given = {m: [folder / f"{m}.parquet"] for m in "ab"}
    given |= {split: folder / f"{split}.parquet" for split in tables}
    layers = {m: {"hidden": 8, "loss": "sse", "activation": "tanh"} for m in "ab"}
    params = {"layers": layers, "training": {"epochs": 1}, "classifier": {"epochs": 1}, "k": [5]}
    return SimpleNamespace(
        input=Named(**given),
        output=SimpleNamespace(scores=folder / f"{name}.json"),
        params=SimpleNamespace(**params),
        wildcards=SimpleNamespace(peer=name, latent="2", seed="4"),
    )


def test_scripts_from_files_to_the_table(tmp_path, monkeypatch, capsys, caplog):
    for name in ("infonce", "mvae"):
        main_of("peer")(job(tmp_path, name))
    monkeypatch.setattr("ima.models.peers.lacking", lambda name: f"{name} is skipped")
    main_of("peer")(job(tmp_path, "mcca"))
    said = "mcca is skipped"
    assert read_json(tmp_path / "mcca.json") == {"model": "MCCA", "skipped": said}
    assert capsys.readouterr().out.endswith(f"{said}\n")
    of = read_json(tmp_path / "infonce.json")
    assert of["seed"] == 4 and of["seconds"] > 0 and of["mem_mb"] > 50 and of["cpu_seconds"] > 0
    save_file({"w": torch.zeros(3)}, tmp_path / "stage1.safetensors", {"config": "{}"})
    save_file(
        {"w": torch.zeros(2), "a/w": torch.zeros(9)}, tmp_path / "2.safetensors", {"config": "{}"}
    )
    (tmp_path / "scores.json").write_text(json.dumps([of_ima(0, 0.5)]))
    (tmp_path / "accuracies.json").write_text("[]")
    x, tables = problem()
    chance = score_anchors(x, *tables.values(), [], [5])
    (tmp_path / "anchors.json").write_text(json.dumps(chance))
    guessed = {"model": "chance", "seed": 0, "representation": "joint", "subset": "all"}
    guessed |= {"accuracy": 0.3, "se_items": 0.1, "df_items": 5}
    (tmp_path / "chance.json").write_text(json.dumps([guessed, {**guessed, "model": "raw"}]))
    (tmp_path / "autoencoder_ima.tsv").write_text("s\tcpu_time\tmax_rss\n4\tNA\t300\n")
    model = {"latent": 2, "seed": 0, "unweighted": ["autoencoder_ima"]}
    model["weighted"] = ["autoencoder_ima", "importance_ima"]  # was not measured
    given = SimpleNamespace(
        peers=[tmp_path / f"{name}.json" for name in ("infonce", "mvae", "mcca")],
        scores=[tmp_path / "scores.json"],
        accuracies=[tmp_path / "accuracies.json"],
        anchors=tmp_path / "anchors.json",
        chance=[tmp_path / "chance.json"],
        autoencoders=[tmp_path / "stage1.safetensors"],
        importances=[tmp_path / "2.safetensors"],
    )
    out = {form: tmp_path / f"compare.{form}" for form in ("csv", "pdf", "png")}
    about = {"latent": 2, "run": "mine", "label": "IMA", "modalities": ["a"]}
    params = SimpleNamespace(models=[model], folder=tmp_path, **about)
    files = SimpleNamespace(table=out["csv"], pdf=out["pdf"], png=out["png"])
    main_of("own_compare")(SimpleNamespace(input=given, output=files, params=params))
    rows = pyarrow.csv.read_csv(out["csv"]).to_pylist()
    assert [row["method"] for row in rows] == [
        "IMA, weighted",
        "IMA, unweighted",
        "InfoNCE",
        "MVAE",
        "chance (labels shuffled)",
    ]
    control, infonce = rows[-1], rows[2]
    assert control["accuracy"] == 0.3 and control["precision"] < infonce["precision"]
    assert control["accuracy_ci_items"] == pytest.approx(0.257058, rel=1e-4)
    assert 0 < infonce["precision_ci_items"] < 0.5 and control["seconds"] is None
    assert [row["parameters"] for row in rows[:2]] == [5, 3]
    assert [row["seconds"] for row in rows[:2]] == [None, 4] and rows[1]["mem_mb"] == 300 * 1.048576
    assert all(Path(file).stat().st_size > 5_000 for file in (out["pdf"], out["png"]))
    assert capsys.readouterr().out.endswith("5 rows\n") and caplog.messages == [said]
