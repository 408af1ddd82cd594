"""What the documentation says of the last open run, made from its tables."""

import json
import os

import pytest

from ima.reporting.results import emotion
from ima.reporting.results_docs import BEGIN, END, ROOT, headline, main, rewritten, section
from ima.utils.errors import InputError

TABLE1 = """run,model,representation,latent,k,seeds,paper,precision_no_shared,precision_no_shared_sd
open,IMA+,weighted,50,10,5,,0.9404,0.0031
open,IMA+,weighted,50,50,5,,0.848,0.002
open,IMA+,weighted,2,10,5,,0.66,0.01
open,IMA+,weighted,2,50,5,,0.6,0.01
open,IMA+,speech,50,10,5,,0.825,0.002
open,IMA+,speech,50,50,5,,0.811,0.002
open,MVAE,joint,50,10,1,,0.9,
open,MVAE,joint,50,50,1,,0.8,
open,MVAE,image,50,10,1,,0.5,
open,raw,joint,,10,1,,0.908,
open,raw,joint,,50,1,,0.8,
open,denoising autoencoder,joint,50,10,0,0.8968,,
"""
IMPORTANCE = """run,variant,latent,modality,seeds,f1_noise,f1_noise_sd
open,ima+,50,image,5,1.0,0.0
"""
NOISES = """run,noise_type,R,modality,detector,seeds,f1_noise,f1_noise_sd
open,mispaired,0.1,image,ima+,2,0.85,0.01
open,mispaired,0.1,image,paper,2,0.1,0.0
open,mispaired,0.1,image,"GMM, u",2,0.64,0.02
open,mispaired,0.1,image,random,2,0.1,0.0
open,mispaired,0.1,image,supervised,2,0.95,0.0
"""
GENERATION = """run,model,latent,given,generated,subset,ceiling,seeds,coherence,coherence_sd,chance
open,IMA+,50,speech,image,clean,0.95,5,0.8,0.01,0.1
open,IMA+,50,image,speech,clean,0.98,5,0.7,0.01,0.12
open,IMA+,50,joint,image,image_noise,0.95,5,0.6,0.02,0.1
open,IMA+,50,joint,image,speech_noise,0.95,5,0.11,0.02,0.3
open,IMA+,50,"joint, unweighted",image,image_noise,0.95,5,0.5,0.02,0.1
open,MVAE,50,speech,image,clean,0.95,1,0.4,,0.1
open,MVAE,50,image,speech,clean,0.98,1,0.3,,0.1
"""
CLAIMS = """run,whose,sentence,verdict,why
open,paper,It is better.,holds,shown
open,paper,It is best.,does not hold,MVAE is above
open,ours,Nothing is found.,does not hold,something is
"""


@pytest.fixture
def results(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/table1.csv").write_text(TABLE1)
    (tmp_path / "tables/importance.csv").write_text(IMPORTANCE)
    (tmp_path / "claims.csv").write_text(CLAIMS)
    sidecar = {
        "code": {"revision": "0123456789abcdef", "dirty": False},
        "config": {"seeds": [0, 1, 2, 3, 4]},
        "corpora": {"mnist": {}, "fsdd": {}},
    }
    (tmp_path / "tables/table1.provenance.json").write_text(json.dumps(sidecar))
    os.utime(tmp_path / "tables/table1.csv", (1_000_000_000, 1_000_000_000))
    return tmp_path


def test_it_has_date_revision_scores_and_failures(results):
    text = section(results, "open")
    assert "`open` of 2001-09-09 (revision `0123456789`), on MNIST, FSDD; 5 seeds" in text
    cells = ("IMA+, weighted by importances", ".940 ± .003 / .848 ± .002")
    assert f"| {' | '.join(cells)} | .660 ± .010 / .600 ± .010 | 5 |" in text
    assert "| MVAE | .900 / .800 |  | 1 |" in text
    assert "| raw features | .908 / .800 |  | 1 |" in text  # what has no latent size is shown once
    assert "denoising" not in text and ".500" not in text  # the paper's alone; not a joint one
    assert "| ima+ | image | 50 | 1.000 ± .000 | 5 |" in text
    assert "2 claims" in text and "1 hold, 1 do not hold, 0 undecided" in text
    assert "* It is best. (MVAE is above)" in text and "Nothing is found" not in text


def test_harder_noise_is_there_if_the_run_made_it(results):
    assert "Harder noise" not in section(results, "open")
    (results / "tables/noises.csv").write_text(NOISES.replace("open", "demo"))
    assert "Harder noise" not in section(results, "open")
    (results / "tables/noises.csv").write_text(NOISES)
    text = section(results, "open")
    assert "Harder noise, 2 seeds" in text
    row = ("mispaired, R 0.1", "image", *(f"{f1} ± {sd}" for f1, sd in (
        (".850", ".010"), (".100", ".000"), (".640", ".020"), (".950", ".000")
    )))  # fmt: skip
    assert f"| {' | '.join(row)} |" in text


def test_generation_is_shown_with_its_limits(results):
    assert "generated" not in section(results, "open")
    (results / "tables/generation.csv").write_text(GENERATION)
    text = section(results, "open")
    assert "0.95 of real image items and 0.98 of real speech items; with shuffled" in text
    assert "labels, at most 0.12 of generated ones" in text
    assert "| IMA+ | .800 ± .010 | .700 ± .010 | .600 ± .020 |  |" in text
    assert "| IMA+, equal weights |  |  | .500 ± .020 |  |" in text
    assert "| MVAE | .400 | .300 |  |  |" in text and ".110" not in text


def test_emotions_have_accuracy_uar_and_what_was_scored():
    about = {"corpus": "IEMOCAP", "classes": "neutral, sad", "protocol": "leave_one_session_out"}
    row = {**about, "held_out": "1, 2", "seeds": 1, "model": "MVAE", "weighting": "", "k": 10}
    row |= {"representation": "joint", "precision_cross_speaker": None, "accuracy": 0.7, "uar": 0.6}
    row |= {f"{name}_sd": None for name in ("precision_cross_speaker", "accuracy", "uar")}
    title, _, head, _, line = emotion([row], [row]).splitlines()
    assert "IEMOCAP; neutral, sad; leave one session out; 1, 2" in title
    assert head.endswith("| accuracy | UAR |") and line == "| MVAE | – | .700 | .600 |"


def test_emotions_have_the_precision_of_the_smallest_k():
    row = {"seeds": 1, "model": "MVAE", "weighting": "", "representation": "joint"}
    row |= {f"{name}_sd": None for name in ("precision_cross_speaker", "accuracy", "uar")}
    table2 = [row | {"k": k, "precision_cross_speaker": p} for k, p in ((5, 0.55), (50, 0.31))]
    _, _, head, _, line = emotion(table2, [row | {"accuracy": 0.7, "uar": 0.6}]).splitlines()
    assert "P@5, other speakers" in head and line == "| MVAE | .550 | .700 | .600 |"


def test_edited_code_is_reported(results):
    file = results / "tables/table1.provenance.json"
    file.write_text(file.read_text().replace("false", "true"))
    assert "with code edited since" in section(results, "open")


def test_tables_of_another_run_are_refused(results):
    with pytest.raises(InputError, match=r"table1.csv: expected the run 'demo', found 'open'"):
        section(results, "demo")
    (results / "claims.csv").write_text(CLAIMS.replace("open", "demo"))
    with pytest.raises(InputError, match=r"claims.csv: expected the run 'open'"):
        section(results, "open")


def test_the_headline_has_the_best_baseline_and_raw_features(results):
    lines = headline(results, "open").splitlines()
    assert lines[0] == "| P@10 of test pairs | latent size 50 | latent size 2 |"
    assert lines[2:] == [
        "| IMA+, weighted by importances | .940 ± .003 | .660 ± .010 |",
        "| MVAE, the best baseline | .900 |  |",
        "| raw features | .908 |  |",
    ]


def test_only_what_is_between_the_markers_is_written(results, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("ima.reporting.results_docs.ROOT", tmp_path)
    files = tmp_path / "README.md", tmp_path / "docs/results/open.md"
    files[1].parent.mkdir(parents=True)
    for file in files:
        file.write_text(f"# Before\n{BEGIN}\nearlier\n{END}\nafter\n")
    for _ in range(2):  # the second time changes nothing
        assert main(["--results", str(results)]) == 0
        for file, start in zip(files, ("| P@10", "The run `open`"), strict=True):
            text = file.read_text()
            assert text.startswith(f"# Before\n{BEGIN}\n{start}")
            assert text.endswith(f"{END}\nafter\n") and "earlier" not in text
    files[1].write_text("no markers\n")
    assert main(["--results", str(results)]) == 1
    assert "expected <!-- results: begin -->" in capsys.readouterr().err
    assert files[1].read_text() == "no markers\n"


@pytest.mark.parametrize("name", ["README.md", "docs/results/open.md"])
def test_the_files_have_the_markers(name):
    text = (ROOT / name).read_text()
    assert rewritten(text, "x", ROOT / name).count("x\n" + END) == 1
