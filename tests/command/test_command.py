"""The command from files to the report, as docs/command.md shows it, and what stops it."""

import json
import re
import shlex
import sys
import tomllib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from pyarrow import csv
from sklearn.metrics import roc_auc_score

from ima import IMA
from ima.command import columns, guess, steps
from ima.command.config import read_config
from ima.command.counts import counted
from ima.command.data import Data
from ima.command.main import main
from ima.datasets.user_files import read_table
from ima.estimator import model
from ima.models.autoencoder import Stage1
from ima.models.importance import Stage2
from ima.training import sizes
from ima.utils.errors import InputError
from ima.utils.schemas import OWN_IMPORTANCES, own_representations_schema

DOCS = (Path(__file__).parents[2] / "docs/command.md").read_text()
EXAMPLE = re.search(r"```python\n(.*?)```", DOCS, re.S)[1]
TRANSCRIPT = re.search(r"```console\n(.*?)```", DOCS, re.S)[1]
NAMES = ("left", "right")
#: Numbers and advice that depend on how long models are trained.
TRAINED = r"[\d.]+%(?= below)|(?<=trust.md: ).*"


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The docs' example with few training steps: its folder, and what each command printed."""
    folder, said = tmp_path_factory.mktemp("command"), []
    with pytest.MonkeyPatch.context() as patch, pytest.MonkeyPatch.context() as capture:
        patch.chdir(folder)
        patch.setattr(sizes, "UPDATES", 60)
        patch.setattr(model, "MIXTURE", replace(model.MIXTURE, steps=60, folds=3))
        capture.setattr("builtins.print", lambda text, **_: said.append(text))
        exec(compile(EXAMPLE, "command.md", "exec"), {})
        for line in re.findall(r"^\$ ima (.*)$", TRANSCRIPT, re.M):
            said.append(f"$ ima {line}")
            assert main(shlex.split(line)) == 0, said
    return folder, said


@pytest.fixture
def inside(run, monkeypatch):
    """The folder of the run, as the current one."""
    monkeypatch.chdir(run[0])
    return run[0]


def test_transcript_is_what_is_printed(run):
    printed = "\n".join(run[1]) + "\n"
    assert re.sub(TRAINED, "", printed) == re.sub(TRAINED, "", TRANSCRIPT)


def test_representations_of_every_pair(run):
    folder, _ = run
    found = pq.read_table(folder / "own/representations.parquet")
    assert found.column_names == own_representations_schema(NAMES, True).names
    assert sorted(found["id_left"].to_pylist()) == sorted(f"item{i}" for i in range(300))
    lacking = found.filter(pa.compute.is_null(found["id_right"]))
    assert set(lacking["id_left"].to_pylist()) == {f"item{i}" for i in range(5)}
    for name in ("u_right", "y_right", "c_right"):
        assert lacking[name].null_count == 5 == found[name].null_count
    fitted, of = IMA.load(folder / "own/model.safetensors"), np.load(folder / "left.npz")
    rows = [int(i.removeprefix("item")) for i in lacking["id_left"].to_pylist()]
    alone = fitted.transform({"left": of["x"][rows]})
    assert np.allclose(lacking["z"].to_pylist(), alone, atol=1e-5)


@pytest.mark.parametrize("fusion", ["concordance", "both"])
def test_representations_weighted_by_concordance(fusion, inside):
    config = read_config("own.toml")
    config["own"]["fusion"] = fusion
    Path("weighted.json").write_text(json.dumps(config))
    assert main(["embed", "weighted.json", "--force"]) == 0
    found = pq.read_table("own/representations.parquet")
    u, c, y = ({m: found[f"{part}_{m}"].to_pylist() for m in NAMES} for part in "ucy")
    complete = [i for i in range(len(found)) if found["u_right"][i].is_valid]
    for i in complete[:20]:
        weight = {m: max(c[m][i], 1e-3) * (y[m][i] if fusion == "both" else 1) for m in NAMES}
        z = sum(weight[m] * np.array(u[m][i]) for m in NAMES) / sum(weight.values())
        assert np.allclose(found[f"z_{fusion}"][i].as_py(), z, atol=1e-4)
    assert main(["embed", "--force"]) == 0  # as it was


def test_concordance_is_refused_where_a_model_has_none(inside, capsys):
    """It would be weighted by importance, and called by another name."""
    x = {"left": np.load("left.npz")["x"][:100]}
    x["right"] = x["left"][:, :8] + 1
    stages = {"stage1": Stage1(epochs=1), "stage2": Stage2(objective="paper", steps=1, rounds=1)}
    IMA(latent=2, **stages).fit(x).save("paper.safetensors")
    config = read_config("own.toml")
    config["own"]["fusion"] = "both"
    Path("weighted.json").write_text(json.dumps(config))
    said = stopped(capsys, "embed", "weighted.json", "--force", "--model", "paper.safetensors")
    assert "own.fusion: expected importance, for a model without concordance, found both" in said


def test_planted_noise_is_found(run):
    """By importance in the noisy modality alone; chance would be .5."""
    table = pq.read_table(run[0] / "own/importances.parquet").cast(OWN_IMPORTANCES)
    found = {m: table.filter(pa.compute.equal(table["modality"], m)) for m in NAMES}
    noise = [int(i.removeprefix("item")) < 30 for i in found["left"]["id"].to_pylist()]
    assert sum(noise) == 30 and len(found["right"]) == 295
    assert roc_auc_score(noise, -found["left"]["importance"].to_numpy()) > 0.95
    concordance = pq.read_table(run[0] / "own/concordance.parquet")
    there = concordance.filter(pa.compute.is_valid(concordance["c_left"]))
    there = there.filter(pa.compute.is_valid(there["id_right"]))
    noise = [int(i.removeprefix("item")) < 30 for i in there["id_left"].to_pylist()]
    assert roc_auc_score(noise, -there["c_left"].to_numpy()) > 0.9


def test_concordance_of_learned_pairs_is_out_of_fold(run):
    folder = run[0] / "own"
    fitted, found = (pq.read_table(folder / f"{n}.parquet") for n in ("pairs", "concordance"))
    assert found["id_left"] == fitted["id_left"]
    test = np.array(fitted["split"].to_pylist()) == "test"
    known = fitted["c_left"].is_valid().to_numpy()
    assert not known[test].any() and known[~test].any()
    assert (found["c_left"].to_numpy()[known] == fitted["c_left"].to_numpy()[known]).all()


def test_report_knows_both_seeds_and_folds(run):
    text = (run[0] / "own/trust.md").read_text()
    assert "The 2 seeds agree" in text and "Stability over folds is not known" not in text
    rows = csv.read_csv(run[0] / "own/trust.csv").to_pylist()
    assert [row["modality"] for row in rows] == [*NAMES] and rows[0]["pairs"] >= 50
    assert rows[0]["agreement_folds"] is not None


def test_models_differ_by_seed(run):
    first, other = (
        IMA.load(run[0] / "own" / n) for n in ("model.safetensors", "model_seed1.safetensors")
    )
    x = {"left": np.load(run[0] / "left.npz")["x"]}
    assert (first.seed_, other.seed_) == (0, 1)
    assert not np.allclose(first.transform(x), other.transform(x))


def test_csv_has_the_same_numbers(inside):
    assert main(["embed", "--format", "csv"]) == 0
    table = csv.read_csv("own/representations.csv")
    expected = pq.read_table("own/representations.parquet")
    z = np.array(expected["z"].to_pylist())
    columns = [table[f"z_{i}"].to_numpy() for i in range(z.shape[1])]
    assert np.allclose(np.stack(columns, 1), z, atol=1e-6)
    assert table["y_right"].null_count == 5


def test_new_items_of_one_modality(inside, capsys):
    np.savez("new.npz", id=["n1", "n2"], x=np.load("left.npz")["x"][100:102])
    config = {"run": "new", "own": {"modalities": {"left": {"file": "new.npz"}}}}
    Path("new.json").write_text(json.dumps(config))
    model = ["--model", "own/model.safetensors"]
    assert main(["embed", "new.json", *model]) == main(["importance", "new.json", *model]) == 0
    found = pq.read_table("new/representations.parquet")
    assert found["id_left"].to_pylist() == ["n1", "n2"]
    old = pq.read_table("own/representations.parquet").to_pylist()
    old = {row["id_left"]: row for row in old}
    assert np.allclose(found["u_left"].to_pylist()[1], old["item101"]["u_left"], atol=1e-5)
    assert not Path("new/concordance.parquet").exists()
    assert "at least two modalities" in stopped(capsys, "embed", "new.json")
    assert "none/model.safetensors" in stopped(capsys, "embed", "--out", "none")


@pytest.mark.parametrize(
    "step", ["init left.npz right.csv", "fit", "embed", "importance", "report"]
)
def test_nothing_is_overwritten(step, inside, capsys):
    before = files_in(inside) | files_in(inside / "own")
    assert "--force" in stopped(capsys, *step.split())
    assert files_in(inside) | files_in(inside / "own") == before


def test_files_of_other_columns_name_the_file_and_the_model(inside, capsys):
    np.savez("wide.npz", x=np.zeros((3, 11)))
    config = {"run": "wide", "own": {"modalities": {"left": {"file": "wide.npz"}}}}
    Path("wide.json").write_text(json.dumps(config))
    said = stopped(capsys, "embed", "wide.json", "--model", "own/model.safetensors")
    assert "wide.npz: expected 10 dimensions, as in own/model.safetensors, found 11." in said


def test_renamed_columns_are_noticed(inside, capsys):
    """Of equal number, as after an update of what computed the features."""
    Path("renamed.csv").write_text(Path("right.csv").read_text().replace("v3", "w3", 1))
    text = Path("own.toml").read_text()
    Path("renamed.toml").write_text(text.replace("right.csv", "renamed.csv"))
    said = stopped(capsys, "embed", "renamed.toml", "--force")
    assert "renamed.csv: expected the columns of fit, found no v3, but w3." in said


def test_force_overwrites(inside):
    Path("own/importances.parquet").write_text("old")
    assert main(["importance"]) == 1 and main(["importance", "--force"]) == 0
    assert len(pq.read_table("own/importances.parquet")) == 595


def test_changed_files_are_noticed(inside, capsys):
    text = Path("own.toml").read_text()
    Path("changed.toml").write_text(text.replace("left.npz", "fewer.npz"))
    left = dict(np.load("left.npz"))
    np.savez("fewer.npz", **{name: of[1:] for name, of in left.items()})
    assert main(["embed", "changed.toml", "--force"]) == 1
    assert "1 other, such as 'item0'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "noun", "said"), [(1, "seed", "1 seed"), (1000, "class", "1,000 classes")]
)
def test_one_is_singular(number, noun, said):
    assert counted(number, noun) == said


# What stops it


def stopped(capsys, *argv) -> str:
    """Return the single line with which a command stops."""
    capsys.readouterr()
    assert main(argv) == 1
    said = capsys.readouterr().err
    assert said.startswith("ima: error: ") and said.count("\n") == 1, said
    return said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("left.npz", "gone.npz"), "gone.npz"),
        (('id = "id"', 'id = "name"'), "'name'"),
        (('by = "id"', 'by = "name"'), "own.pairs.by"),
        (("[own.pairs]", "[own.pears]"), "'pears'"),
        (("own.modalities.left", "own.modalities.test"), "not reserved"),
        (("[own.shares]", "[own.shares"), "expected TOML"),
        (("seeds = [0, 1]", "model.center.loss = 'sse'"), "model"),
        (("seeds = [0, 1]", "model.left.loss = 'bce'"), r"values in \[0, 1\]"),
        (("seeds = [0, 1]", "model.left.standardize = false"), "standardize"),
    ],
    ids=str,
)
def test_wrong_configs_stop_every_step(change, said, inside, capsys):
    text = Path("own.toml").read_text()
    assert text.count(change[0])
    Path("wrong.toml").write_text(text.replace(*change))
    assert re.search(said, stopped(capsys, "check", "wrong.toml"))
    assert re.search(said, stopped(capsys, "fit", "wrong.toml", "--out", "none"))
    assert not Path("none").exists()


def test_configs_that_are_none(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert "ima init" in stopped(capsys, "check")
    Path("own.txt").touch()
    assert ".toml, .json or .yaml" in stopped(capsys, "check", "own.txt")
    Path("own.yaml").write_text("own: [")
    assert "expected YAML" in stopped(capsys, "check", "own.yaml")
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert "pip install PyYAML" in stopped(capsys, "check", "own.yaml")


def test_keys_of_the_workflow_are_named(tmp_path, caplog):
    config = {"own": {"modalities": {m: {"file": f"{m}.csv"} for m in "ab"}}, "figures": {}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(config | {"latents": [3, 5]}))
    found = read_config(tmp_path / "own.yaml")
    assert "only: figures" in caplog.text and "first of latents is used, 3" in caplog.text
    assert found["model"]["a"] == {"hidden": "auto", "loss": "sse", "activation": "tanh"}
    assert found["seeds"] == [0] and found["own"]["pairs"] == {"by": "id", "missing": "keep"}


@pytest.mark.parametrize("figures", [None, 5, [1], {"latent": 3}])
def test_keys_of_the_workflow_alone_are_not_checked(figures, tmp_path):
    config = {"own": {"modalities": {m: {"file": f"{m}.csv"} for m in "ab"}}}
    for name, extra in ("without", {}), ("with", {"figures": figures, "sweep": figures}):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(config | extra))
    assert read_config(tmp_path / "with.yaml") == read_config(tmp_path / "without.yaml")


def test_settings_of_the_latent_size_are_used(tmp_path):
    """They may be keyed by a number, as in YAML, or by text, as in TOML and JSON."""
    config = {"own": {"modalities": {m: {"file": f"{m}.csv"} for m in "ab"}}, "latents": [3, 5]}
    for number in (3, "3", 5):
        stage1 = {"epochs": 9, "by_latent": {number: {"epochs": 4, "learning_rate": 0.01}}}
        (tmp_path / "own.yaml").write_text(yaml.safe_dump(config | {"autoencoder": stage1}))
        found = read_config(tmp_path / "own.yaml")["autoencoder"]
        assert "by_latent" not in found
        own = (4, 0.01) if number != 5 else (9, None)
        assert (found["epochs"], found.get("learning_rate")) == own


def test_keys_that_yaml_takes_for_another_type(tmp_path):
    (tmp_path / "own.yaml").write_text("own: {modalities: {yes: {file: a}, b: {file: b}}}")
    with pytest.raises(InputError, match=r"own.yaml, own.modalities: .* found True. Write the key"):
        read_config(tmp_path / "own.yaml")
    (tmp_path / "own.yaml").write_text("own: {modalities: {1: {file: a}, b: {file: b}}}")
    with pytest.raises(InputError, match=r"own.yaml, own.modalities: expected names of .* '1'"):
        read_config(tmp_path / "own.yaml")


def test_wrong_arguments_show_usage(capsys):
    with pytest.raises(SystemExit) as status:
        main(["fit", "--epochs", "3"])
    assert status.value.code == 2 and "usage: ima" in capsys.readouterr().err


@pytest.mark.parametrize("step", ["", "init", "check", "fit", "embed", "importance", "report"])
def test_help_fits_a_terminal(step, capsys):
    with pytest.raises(SystemExit) as status:
        main([*step.split(), "--help"])
    said = capsys.readouterr().out
    assert status.value.code == 0 and f"ima {step}".strip() in said
    assert max(map(len, said.splitlines())) <= 100


# What `init` guesses


def written(folder: Path, name: str, /, **columns) -> Path:
    csv.write_csv(pa.table(columns), folder / name)
    return folder / name


def guessed(file: Path):
    return guess._guess(file, read_table(file))


def test_columns_are_guessed(tmp_path):
    made = {"ID": ["a", "b"], "Class": [0, 1], "split": ["train", "test"], "noise": [0, 1]}
    numbers = {"u": [0.5, 1.5], "note": ["p", "q"]}
    files = [written(tmp_path, "One-A.csv", **made, **numbers), tmp_path / "test.npy"]
    np.save(files[1], np.zeros((2, 3)))
    other = written(tmp_path, "one_a.tsv", split=[1, 2], v=[0.5, 2])
    other.write_text("split\tv\n1\t.5\n2\t2\n")  # no splits, and no feature
    found = guess._guesses([*files, other])
    assert [*found] == ["one_a", "my_test", "one_a_2"]
    expected = {"file": str(files[0]), "id": "ID", "label": "Class", "split": "split"}
    one = found["one_a"]
    assert one.options == expected | {"vector": {"all_but": ["note", "noise"]}}
    assert one.about == "2 rows, 1 dimension; id: ID, label: Class, split: split"
    assert one.notes[0] == "not used: note (text)" and "'noise' is not used" in one.notes[1]
    assert found["my_test"].options == {"file": str(files[1])}  # `noise` only for all or none
    assert found["one_a_2"].options == {"file": str(other), "vector": {"all_but": ["split"]}}
    assert found["one_a_2"].notes[0] == "not used: split (not a split)"


ROWS = range(40)
FREE = {"v": [r / 7 for r in ROWS]}


@pytest.mark.parametrize(
    ("given", "about", "notes"),
    [
        (
            {"digit": [r % 4 for r in ROWS]},
            "2 dim",
            ["'digit' has 4 values and is used as a feature: .* set label = \"digit\""],
        ),
        (
            {"Label": [r / 3 for r in ROWS]},
            "1 dim.*label: none",
            [r"not used: Label \(fractions\)", "'Label' is not used: it has fractions"],
        ),
        (
            {"a": [r % 2 for r in ROWS], "b": ["xyz"[r % 3] for r in ROWS]},
            "2 dim.*label: none",
            [
                r"not used: b \(text\)",
                "'a', 'b' have few values .'a': used as features.: .* set label",
            ],
        ),
        ({"label": [r % 2 for r in ROWS], "b": [r % 3 for r in ROWS]}, "2 dim.*label: label", []),
        (
            {"label": ["xyz"[r % 3] for r in ROWS], "target": [r % 4 for r in ROWS]},
            "1 dimension; .*label: label",
            [r"not used: target \(another label\)$"],
        ),
        (
            {"label": ["xyz"[r % 3] for r in ROWS], "code": [9.0 - r % 3 for r in ROWS]},
            "1 dimension; .*label: label",
            [r"not used: code \(the same as 'label'\)$"],
        ),
        ({"label": list(ROWS)}, "1 dimension; .*label: label", []),  # all distinct, as `v` is
        (
            {"age": ["n/a", *map(str, ROWS[1:])]},  # distinct, but no ids
            "1 dimension; id: row numbers,",
            [r"not used: age \(text\)", "'age' has numbers, but also words: 'n/a'$"],
        ),
        ({"name": [f"n{r}" for r in ROWS]}, "1 dim.* id: name, ", []),
        ({"count": ROWS}, "id: row numbers, ", ["'count' is used as a feature: .* set id = "]),
        ({"": ROWS}, "id: the unnamed first column, ", []),
        (
            {"split": ["dev", "train"] * 20, "label": [1, 2] * 20},
            "split: drawn",
            ["not used: split", "'split' is not used: it has 'dev'; splits are 'train', 'val"],
        ),
        ({f"t{i}": ["x"] * 40 for i in range(9)}, "1 dim", [r"t4 \(text\) and 4 more$"]),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, dict) else "",
)
def test_what_is_used_is_told(given, about, notes, tmp_path):
    found = guessed(written(tmp_path, "a.csv", **given, **FREE))
    assert re.search(about, found.about) and len(found.notes) == len(notes), found
    assert all(map(re.search, notes, found.notes)), found.notes


def test_features_are_no_copies_of_the_label(tmp_path):
    """Measured numbers, and all that describes the items, though each class has others."""
    label = [r % 4 for r in ROWS]
    measured = {"label": label, "u": [n / 7 for n in label], "code": [9 - n for n in label]}
    found = guessed(written(tmp_path, "a.csv", **measured))
    assert found.options["vector"] == {"all_but": ["code"]} and found.about.startswith("40 rows, 1")
    words = {"label": ["pqrs"[n] for n in label], "v": label, "w": [n * n for n in label]}
    assert guessed(written(tmp_path, "b.csv", **words)).options["vector"] == "all"


def test_columns_of_any_type_are_compared_with_the_label():
    label = pa.array([r % 4 for r in ROWS])
    others = {
        "list": pa.array([[r] for r in ROWS]),
        "bytes": pa.array([b"\xff"] * 40),
        "view": label.cast(pa.string()).cast(pa.string_view()),
        "codes": label.cast(pa.string()).dictionary_encode(),
        "half": label.cast(pa.float16()),
        "none": pa.nulls(40),
    }
    table = pa.table({"label": label, **others})
    assert columns.same_classes(table, "label", others) == ["view", "codes", "half"]
    for name in ("list", "bytes", "none"):  # as a label
        assert columns.same_classes(table, name, ["label"]) == []


def test_texts_are_ids_unless_others_are_row_numbers(tmp_path):
    texts = [written(tmp_path, f"{m}.csv", name=["p", "q"], v=[1.0, 2.0]) for m in NAMES]
    assert [of.options["id"] for of in guess._guesses(texts).values()] == ["name"] * 2
    np.save(tmp_path / "b.npy", np.zeros((2, 3)))
    found = guess._guesses([texts[0], tmp_path / "b.npy"])["left"]
    assert "id" not in found.options and found.options["vector"] == {"all_but": ["name"]}
    assert "id: row numbers" in found.about and 'set id = "name"' in found.notes[-1]


@pytest.mark.parametrize("made_of", [int, "s{}".format])
def test_ids_are_a_column_of_all_files_whatever_its_name(made_of, tmp_path):
    """Of distinct texts or whole numbers that files have in common; repeated ones are kept."""
    ids = [made_of(i) for i in range(100, 140)]
    shuffled = [*reversed(ids[2:]), ids[5], ids[6]]
    made = {"left": ids, "right": shuffled}
    files = [
        written(tmp_path, f"{m}.csv", part=of, v=[i / 7 for i in ROWS]) for m, of in made.items()
    ]
    assert [of.options["id"] for of in guess._guesses(files).values()] == ["part", "part"]
    apart = written(tmp_path, "b.csv", part=[made_of(i) for i in range(200, 240)], v=[1.5] * 40)
    found = guess._guesses([files[0], apart]).values()  # whole numbers may be features, too
    assert [of.options.get("id") for of in found] == [None if made_of is int else "part"] * 2


def test_matrices_of_an_archive_that_are_not_used(tmp_path):
    np.savez(tmp_path / "one.npz", e=np.zeros((4, 2)))
    np.savez(tmp_path / "two.npz", e=np.zeros((4, 2)), f=np.ones((4, 3)))
    one, two = (guessed(tmp_path / f"{name}.npz") for name in ("one", "two"))
    assert one.notes == [] and "vector" not in one.options
    assert two.options["vector"] == "e" and "2 dimensions (e)" in two.about
    assert two.notes == ["not used: f (another vector)"]


def test_lists_are_vectors(tmp_path):
    pq.write_table(pa.table({"e": [[1.0, 2.0]], "n": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"e": [[1.0]], "x": [[1.0]]}), tmp_path / "b.parquet")
    assert guessed(tmp_path / "a.parquet").options["vector"] == "e"
    assert "vector" not in guessed(tmp_path / "b.parquet").options


def test_decimals_are_numbers(tmp_path):
    pq.write_table(pa.table({"d": [Decimal("1.5")]}), tmp_path / "a.parquet")
    assert guessed(tmp_path / "a.parquet").options["vector"] == "all"


def test_toml_yaml_and_json_are_equivalent(tmp_path):
    files = [
        written(tmp_path, f"{m}.csv", id=["a"], v=[1.0], note=['a "word"'], noise=[True])
        for m in NAMES
    ]
    for kind in ("toml", "yaml", "json"):
        guess.init(files, tmp_path / f"mine.{kind}", False)
    config = yaml.safe_load((tmp_path / "mine.yaml").read_text())
    assert config == tomllib.loads((tmp_path / "mine.toml").read_text())
    assert config == json.loads((tmp_path / "mine.json").read_text())
    assert config["run"] == "mine" and config["own"]["modalities"]["right"]["noise"] == "noise"
    assert read_config(tmp_path / "mine.toml") == read_config(tmp_path / "mine.yaml")


@pytest.mark.parametrize(
    ("files", "config", "said"),
    [
        (["a.csv"], "c.toml", "two or more"),
        (["a.csv", "words.csv"], "c.toml", "numeric columns.* Embed the texts first"),
        (["a.csv", "gone.csv"], "c.toml", r"gone.csv: .* no file. Correct the path\.$"),
        (["a.csv", "a.csv"], "c.ini", "--config: expected a .toml, .json or .yaml file"),
        (["a.csv", "a.csv"], "a b.toml", "--config"),
        (["a.csv", "a.csv"], "tables.toml", "--config: .* other than tables"),
    ],
)
def test_init_stops(files, config, said, tmp_path):
    written(tmp_path, "a.csv", v=[1.0])
    written(tmp_path, "words.csv", v=["a"])
    with pytest.raises(InputError, match=said):
        guess.init([tmp_path / f for f in files], tmp_path / config, False)
    assert not (tmp_path / config).exists()


def test_a_modality_that_a_pair_lacks_casts_no_doubt_on_it():
    """Of three modalities, c lacks in a pair that fits; another pair is alone; the third is low."""
    rows = {"a": np.arange(4), "b": np.array([0, -1, 2, 3]), "c": np.array([-1, -1, 2, 3])}
    data = Data({}, {}, rows, pa.table({}), {})
    low = {"c_a": [0.9, 0.0, 0.1, 0.9], "c_b": [0.9, 0.0, 0.9, 0.9], "c_c": [0.0, 0.0, 0.9, 0.9]}
    said = steps._doubted(data, {name: np.array(values) for name, values in low.items()})
    assert said == "33.3% of pairs with two or more items have a concordance below 0.5"
