"""The DAG as its user runs it: end to end on a small demo. What reruns is in test_rerun.py."""

import itertools
import re

import pyarrow.csv
import pytest

from ima.utils.io import read_parquet
from tests.checkout import ROOT, Checkout, plans


class TestDemo:
    def test_table1_has_every_row_and_sane_values(self, finished):
        rows = pyarrow.csv.read_csv(finished.folder / "results/tables/table1.csv").to_pylist()
        ours = {(r["model"], r["representation"], r["latent"], r["k"]): r for r in rows}
        names, views = (
            ("IMA (paper)", "IMA+"),
            ("weighted", "unweighted", "oracle", "image", "speech"),
        )
        for model, view, k in itertools.product(names, views, (10, 50)):
            row = ours[model, view, 2, k]
            assert row["seeds"] == 2
            assert 0.1 < row["precision"] < 1
            assert row["precision_no_shared"] <= row["precision"] + 0.02
        assert ours["chance", "joint", None, 10]["precision"] == pytest.approx(0.1, abs=0.03)
        assert ours["raw", "joint", None, 10]["precision"] > 0.5
        # An image that is noise says nothing of its class.
        assert ours["raw", "image", None, 50]["precision_image_noise"] < 0.2
        assert ours["denoising autoencoder", "joint", 50, 10]["paper"] == 0.8968

    def test_scores_have_the_controls_and_intervals_that_the_docs_list(self, finished):
        text = (ROOT / "docs/statistics.md").read_text().partition("## Controls")[2]
        checked = set()
        for line in text.splitlines():
            first, control, uncertainty, *_ = [*line.strip("| ").split(" | "), "", "", ""]
            for name in re.findall(r"(?<!own )`(\w+)`", first):
                file = finished.folder / f"results/tables/{name}.csv"
                if not line.startswith("| ") or not file.exists():
                    continue
                table = pyarrow.csv.read_csv(file)
                values = {v for column in table.columns for v in column.to_pylist()}
                assert {*re.findall(r"`(\w+)`", control)} <= {*table.column_names} | values, name
                widths = [c for c in table.column_names if c.endswith("_ci_items")]
                items = "and items" in uncertainty or "and speakers" in uncertainty
                assert bool(widths) == items, name
                found = table[widths[0]].drop_null().to_pylist() if widths else []
                assert bool(found) == ("and items" in uncertainty), name  # two speakers: too few
                checked.add(name)
        assert {"table1", "table2", "table5", "table6", "importance", "figure6"} <= checked

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
        terms = {"rec_image", "align_speech", "norm_speech", "validation"}
        for variant, own in (("paper", "glob"), ("ima+", "self_image")):
            model = finished.folder / f"results/small/models/{variant}/latent2/seed0"
            first = pyarrow.csv.read_csv(model / "autoencoder_round1_history.csv")
            assert first["epoch"].to_pylist() == [1, 2]
            assert terms | {own} <= set(first.column_names)
            second = pyarrow.csv.read_csv(model / "importance_round1_history.csv")
            assert sorted(set(second["copy"].to_pylist())) == [0, 1]

    def test_figures_are_drawn_in_both_formats(self, finished):
        for number in (2, 4, 6):
            for form in ("pdf", "png"):
                file = finished.folder / f"results/figures/figure{number}.{form}"
                assert file.stat().st_size > 5_000

    def test_figure_6_has_its_numbers_beside_it(self, finished):
        rows = pyarrow.csv.read_csv(finished.folder / "results/tables/figure6.csv").to_pylist()
        found = {(r["variant"], r["modality"], r["rho"], r["seeds"]) for r in rows}
        assert found == {
            (variant, m, rho, 2)
            for variant in ("ima+", "paper")
            for m in ("image", "speech")
            for rho in (0.3, 0.8)
        }
        chosen = pyarrow.csv.read_csv(finished.folder / "results/tables/rho.csv").to_pylist()
        assert all(row["rho"] in (0.3, 0.8) for row in chosen) and len(chosen) == 4

    def test_importances_are_told_by_seed_and_on_harder_noise(self, finished):
        tables = finished.folder / "results/tables"
        by_seed = pyarrow.csv.read_csv(tables / "importance.csv").to_pylist()
        told = {(row["variant"], row["latent"], row["modality"]) for row in by_seed}
        assert told == {(o, 2, m) for o in ("ima+", "paper") for m in ("image", "speech")}
        noises = pyarrow.csv.read_csv(tables / "noises.csv").to_pylist()
        assert {row["noise_type"] for row in noises} == {"synthetic", "degraded", "mispaired"}
        best = max(row["f1_noise"] for row in noises if row["noise_type"] == "synthetic")
        assert all(0 <= row["f1_noise"] <= 1 for row in noises) and best > 0.9


class TestConfig:
    def test_missing_corpus_is_named(self, tmp_path):
        checkout = Checkout(tmp_path / "checkout")
        checkout.config.update(run="lacking", raw=str(tmp_path))
        done = checkout.snakemake("results/lacking/recordings/recordings.parquet", check=False)
        assert done.returncode != 0
        assert "tidigits" in done.stderr and "LDC" in done.stderr
        assert not (checkout.folder / "results/lacking/recordings/recordings.parquet").exists()

    def test_studies_can_be_left_out(self):
        changes = ({}, {"noise_study": {"seeds": []}}, {"missing_study": {"seeds": []}})
        whole, *found = (
            plan.rules() for plan in plans([(ROOT, change) for change in changes], anew=True)
        )
        noise = {"noise_study", "noises", "rival_study", "rivals"}
        assert [whole - rules for rules in found] == [noise, {"missing_study", "missing"}]
        assert {"claims", "importance_table", "index"} <= found[0]
