"""The DAG as its user runs it: end to end on a small demo, and what reruns after which change."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.csv
import pytest
import yaml

from ima.io import read_parquet

ROOT = Path(__file__).parents[1]
CHECKOUT = ("Snakefile", "workflow", "rules", "envs", "config", "src")
#: A demo that is small enough to train in seconds.
SMALL = {
    "run": "small",
    "seeds": [0, 1],
    "latents": [2],
    "demo": {
        "speakers": {"man": 4, "woman": 4, "boy": 2, "girl": 2},
        "strings": 3,
        "ti46_tokens": {"train": 1, "test": 1},
    },
    "pairs": {"train": 600, "test": 400},
    "autoencoder": {"epochs": 2},
    "importance": {"restarts": 2, "epochs": 2},
    "sweep": {"latent": 2, "rho": [0.3, 0.8], "restarts": 2},
    "figures": {"latent": 2, "tsne": {"points": 200}},
}
TRAINING = {"autoencoder": 2, "importance": 2, "represent": 2, "scores": 2, "rho_sweep": 2}
#: t-SNE of the first seed, and all that shows every seed.
DRAWN = {"tsne": 1, "figure2": 1, "figure4": 1}
SHOWN = {"table1": 1, "figure6": 1, **DRAWN}
ALL_AFTER_PAIRS = {"noise_image": 1, "noise_speech": 1, **TRAINING, "anchors": 1, **SHOWN}


class Checkout:
    """A copy of the workflow in a folder of its own, with a config of its own."""

    def __init__(self, folder: Path):
        self.folder, self.config = folder, json.loads(json.dumps(SMALL))
        for name in CHECKOUT:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, folder / name)

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        config = self.folder / "small.yaml"
        config.write_text(yaml.safe_dump(self.config))
        command = [sys.executable, "-m", "snakemake", *arguments, "--cores", "2"]
        environment = {name: v for name, v in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [*command, "--configfile", str(config)],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def reruns(self) -> dict[str, int]:
        """Return how many jobs of each rule a run would have now."""
        done = self.snakemake("--dry-run")
        text = done.stdout + done.stderr
        block = re.search(r"^job +count\n-+ +-+\n(.*?)^total", text, re.M | re.S)
        counts = dict(re.findall(r"^(\w+) +(\d+)$", block[1], re.M)) if block else {}
        return {rule: int(count) for rule, count in counts.items() if rule != "all"}

    def edit(self, file: str) -> None:
        path = self.folder / file
        path.write_text(path.read_text() + "\n# edited\n")

    def restore(self, file: str) -> None:
        shutil.copy2(ROOT / file, self.folder / file)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Checkout:
    checkout = Checkout(tmp_path_factory.mktemp("workflow"))
    checkout.snakemake()
    return checkout


@pytest.fixture
def checkout(finished: Checkout):
    """The finished run, put back as it was after the test."""
    kept = json.loads(json.dumps(finished.config))
    yield finished
    finished.config = kept


@pytest.mark.slow
class TestDemo:
    def test_table1_has_every_row_and_sane_values(self, finished):
        rows = pyarrow.csv.read_csv(finished.folder / "results/tables/table1.csv").to_pylist()
        ours = {(r["model"], r["representation"], r["latent"], r["k"]): r for r in rows}
        for name in ("weighted", "unweighted", "image", "speech"):
            for k in (10, 50):
                row = ours["IMA", name, 2, k]
                assert row["seeds"] == 2
                assert 0.1 < row["precision"] < 1
                assert row["distinct"] <= row["precision"] + 0.02
        assert ours["chance", "joint", None, 10]["precision"] == pytest.approx(0.1, abs=0.03)
        assert ours["raw", "joint", None, 10]["precision"] > 0.5
        # An image that is noise says nothing of its class.
        assert ours["raw", "image", None, 50]["precision_image_noise"] < 0.2
        assert ours["denoising autoencoder", "joint", 50, 10]["paper"] == 0.8968

    def test_ids_of_splits_and_pairs_are_written(self, finished):
        run = finished.folder / "results/small"
        items = read_parquet(run / "features/speech.parquet")
        pairs = {s: read_parquet(run / f"pairs/{s}.parquet") for s in ("train", "test")}
        assert len(set(items["id"].to_pylist())) == len(items)
        split = items["split"].to_pylist()
        for name, table in pairs.items():
            corpus = [i for i in table["item_speech"].to_pylist() if i < len(items)]
            assert {split[i] for i in corpus} == {name}

    def test_history_has_every_epoch(self, finished):
        model = finished.folder / "results/small/models/latent2/seed0"
        first = pyarrow.csv.read_csv(model / "autoencoder_history.csv")
        second = pyarrow.csv.read_csv(model / "importance_history.csv")
        assert first["epoch"].to_pylist() == [1, 2]
        assert {"rec_image", "glob_speech", "align", "norm_speech"} <= set(first.column_names)
        assert sorted(set(second["copy"].to_pylist())) == [0, 1]

    def test_figures_are_drawn_in_both_formats(self, finished):
        for number in (2, 4, 6):
            for form in ("pdf", "png"):
                file = finished.folder / f"results/figures/figure{number}.{form}"
                assert file.stat().st_size > 5_000

    def test_figure_6_has_its_numbers_beside_it(self, finished):
        rows = pyarrow.csv.read_csv(finished.folder / "results/tables/figure6.csv").to_pylist()
        found = [(row["modality"], row["rho"], row["seeds"]) for row in rows]
        assert found == [(m, rho, 2) for m in ("image", "speech") for rho in (0.3, 0.8)]


@pytest.mark.slow
class TestReruns:
    def test_nothing_after_nothing(self, checkout):
        assert checkout.reruns() == {}

    def test_rho(self, checkout):
        checkout.config["importance"]["rho"] = {"image": 0.7}
        after = {name: 2 for name in ("importance", "represent", "scores")}
        assert checkout.reruns() == {**after, "table1": 1, **DRAWN}

    def test_rho_of_the_sweep(self, checkout):
        checkout.config["sweep"]["rho"] = [0.3, 0.5, 0.8]
        assert checkout.reruns() == {"rho_sweep": 2, "figure6": 1}

    def test_points_of_the_figures(self, checkout):
        checkout.config["figures"]["tsne"]["points"] = 300
        assert checkout.reruns() == DRAWN

    def test_noise_factor(self, checkout):
        checkout.config["pairs"]["R"] = 0.2
        assert checkout.reruns() == {"pairs": 1, **ALL_AFTER_PAIRS}

    def test_mapping_of_speech(self, checkout):
        checkout.config["speech"] = {"mapping": "binary"}
        rules = {"features_speech": 1, **ALL_AFTER_PAIRS}
        rules.pop("noise_image")
        assert checkout.reruns() == rules

    def test_new_seed_adds_only_its_jobs(self, checkout):
        checkout.config["seeds"] = [0, 1, 2]
        assert checkout.reruns() == {**dict.fromkeys(TRAINING, 1), "table1": 1, "figure6": 1}

    @pytest.mark.parametrize(
        ("module", "rules"),
        [
            ("metrics", {"scores": 2, "anchors": 1, "table1": 1, "rho_sweep": 2, "figure6": 1}),
            ("tables", {"table1": 1, "figure2": 1, "figure4": 1, "figure6": 1}),
            ("train", {**TRAINING, **SHOWN}),
            ("noise", ALL_AFTER_PAIRS),
            ("figures_importance", {"figure2": 1, "figure4": 1, "figure6": 1}),
        ],
    )
    def test_edited_module(self, checkout, module, rules):
        file = f"src/ima/{module}.py"
        checkout.edit(file)
        try:
            assert checkout.reruns() == rules
        finally:
            checkout.restore(file)


@pytest.mark.slow
class TestConfig:
    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"rhoo": 0.5}, "rhoo"),
            ({"importance": {"rho": {"image": 1.5}}}, "1.5"),
            ({"pairs": {"R": -0.1}}, "-0.1"),
            ({"latents": [0]}, "0"),
            ({"retrieval": {"k": [0]}}, "0"),
            ({"speech": {"oh": "maybe"}}, "maybe"),
        ],
    )
    def test_wrong_key_or_value_is_named(self, checkout, change, named):
        checkout.config.update(change)
        done = checkout.snakemake("--dry-run", check=False)
        assert done.returncode != 0
        assert named in done.stdout + done.stderr

    def test_missing_corpus_is_named(self, checkout, tmp_path):
        checkout.config.update(run="lacking", raw=str(tmp_path))
        done = checkout.snakemake("results/lacking/recordings/recordings.parquet", check=False)
        assert done.returncode != 0
        assert "tidigits" in done.stderr and "LDC" in done.stderr
        assert not (checkout.folder / "results/lacking/recordings/recordings.parquet").exists()
