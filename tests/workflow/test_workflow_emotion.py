"""The emotion experiment in the DAG: its results on the small demo, and whom it leaves alone."""

import pyarrow.compute as pc
import pyarrow.csv
import pytest

from ima.utils.emotions import CLASSES
from ima.utils.io import read_parquet


def rows(finished, table):
    return pyarrow.csv.read_csv(finished.folder / f"results/tables/{table}.csv").to_pylist()


def test_tables_2_and_6_have_every_model_and_anchor(finished):
    for table, score in (("table2", "precision"), ("table6", "accuracy")):
        of = {
            (r["model"], r["weighting"] or "", r["representation"]): r
            for r in rows(finished, table)
        }
        for view in ("joint", "verbal", "acoustic"):
            for label in ("IMA (paper)", "IMA+"):
                for weighting in ("weighted", "unweighted", "shuffled", "sif"):
                    assert 0 <= of[label, weighting, view][score] <= 1
            for model in ("JMVAE-KL", "MVAE", "denoising autoencoder", "raw features"):
                assert 0 <= of[model, "", view][score] <= 1
        gain = of["IMA (paper)", "weighted - unweighted", "verbal"]
        assert gain["paper"] in (pytest.approx(0.0267), pytest.approx(0.0386))
        assert of["IMA+", "weighted - unweighted", "verbal"]["paper"] is None
        assert not [name for name, *_ in of if name == "IMA"]
        # A session of the small demo has some twenty utterances: chance is wide.
        assert of["chance", "", "joint"][score] < 0.6
    assert of["majority", "", "joint"]["uar"] == pytest.approx(1 / len(CLASSES))


def test_importances_are_scored_by_lexicon_emotion_and_truth(finished):
    found = rows(finished, "emotion_importance")
    kinds = {(r["modality"], r["reference"]) for r in found}
    assert kinds == {
        *(("verbal", "lexicon"), ("acoustic", "emotion")),
        *(("verbal", "truth"), ("acoustic", "truth")),
    }
    assert {(r["variant"] or "", r["unit"]) for r in found if r["by"] == "ima" and r["seeds"]} == {
        (variant, unit) for variant in ("paper", "ima+") for unit in ("tokens", "types")
    }
    ours = [r for r in found if r["by"] == "ima" and r["seeds"]]
    assert {r["rho"] for r in ours} == {0, 0.5}
    # At rho 0 all is unimportant, which a share p of important items makes F1 of 0 and of the rest.
    for row in ours:
        if row["rho"] == 0:
            p = row["share_important"]
            assert row["macro_f1"] == pytest.approx((1 - p) / (2 - p), abs=1e-6)
    assert all(r["macro_f1"] <= 0.5 + 1e-6 for r in found if r["by"] == "random" and r["seeds"])
    drawn = {r["by"]: r for r in found if r["unit"] == "types" and r["reference"] == "lexicon"}
    assert drawn["random best"]["seeds"] == drawn["random drawn"]["seeds"] == 50
    groups = {}
    for row in found:
        if row["seeds"]:
            key = tuple(row[k] for k in ("variant", "modality", "reference", "unit", "by"))
            groups.setdefault(key, []).append(row)
    for rows_of in groups.values():
        trained = [r for r in rows_of if r["by"] != "ima" or 0 < r["rho"] < 1]
        greatest = max(r["macro_f1"] for r in trained)
        best = [r for r in trained if r["macro_f1"] == greatest]
        assert [r for r in rows_of if r["best"]] == best


def test_figures_and_the_page(finished):
    for file in ("figure3.pdf", "figure3.png", "figure5.pdf", "figure5.png"):
        assert (finished.folder / "results/figures" / file).stat().st_size > 5_000
    page = (finished.folder / "results/index.html").read_text()
    utterances = read_parquet(finished.folder / "results/small/emotion/utterances.parquet")
    held_out = utterances.filter(pc.equal(utterances["split"], "validation"))
    assert len(held_out) and all(f'"{name}"' in page for name in held_out["id"].to_pylist())


def test_held_out_speakers_are_in_no_training_pair(finished):
    run = finished.folder / "results/small/emotion"
    voices = read_parquet(run / "voices.parquet")["speaker"].to_pylist()
    for part in ("train", "stopping"):
        used = read_parquet(run / f"pairs/{part}.parquet")["item_acoustic"].to_pylist()
        assert used and not {voices[row] for row in used} & {"Ses05F", "Ses05M"}


def test_the_digits_need_nothing_of_it(finished):
    rules = finished.plan("results/tables/table1.csv").rules()
    assert "table1" in rules and not [rule for rule in rules if "emotion" in rule]
    rules = finished.plan("emotion").rules()
    assert {"table2", "figure5"} <= rules and not {"mfcc", "autoencoder"} & rules
