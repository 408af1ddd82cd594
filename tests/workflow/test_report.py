"""The report and the menu: a caption for every result, and an introduction that names the data."""

import html
import json
import re
import zipfile
from types import SimpleNamespace

import pytest
import yaml
from jinja2 import Environment, StrictUndefined

from ima.reporting.page import captions
from tests.checkout import ROOT, Checkout, defaults, merged, plans

ABOUT = ROOT / "workflow/report/workflow.rst"
CAPTIONS = sorted(set((ROOT / "workflow/report").glob("*.rst")) - {ABOUT})
EMOTION = {"table2", "table6", "emotion_importance", "figure3", "figure5", "voice_agreement"}
#: By config, what the introduction says of its data.
KINDS = {
    "config.yaml": ("the demo", "the demo"),
    "open.yaml": ("the open corpora", "a constructed pairing"),
    "paper.yaml": ("the paper's, mnist and tidigits, ti46", "utterances: IEMOCAP"),
}


def config_of(file: str) -> dict:
    return merged(defaults(), yaml.safe_load((ROOT / "config" / file).read_text()))


@pytest.fixture(scope="module")
def jobs(tmp_path_factory) -> list[dict]:
    """All jobs of the demo, and of a run on data of a user's own."""
    folder = Checkout(tmp_path_factory.mktemp("checkout")).folder
    own = yaml.safe_load((ROOT / "config/own.yaml").read_text())
    digits = plans([(folder, {})], ["all", "crate"], anew=True)[0]
    return digits.jobs + plans([(folder, own)], ["own"], anew=True)[0].jobs


def test_every_result_has_a_caption(jobs):
    """Those under tables/ and figures/, of whatever run, and the page; sidecars go with tables."""
    lacking = {
        file
        for job in jobs
        for _, file, _ in job["output"]
        if re.search(r"^results/(\w+/)?(tables|figures)/|^results/index.html$", file)
        and not file.endswith((".json", "segmentation_examples.csv"))
        and file not in job["reported"]
    }
    assert lacking == set()
    shown = {file for job in jobs for file in job["reported"]}
    assert {"results/tables/table1.csv", "results/figures/figure6.png"} <= shown
    assert {"results/index.html", "results/demo/figures/segmentation_examples"} <= shown
    assert "results/own/tables/retrieval.csv" in shown


@pytest.mark.parametrize("file", CAPTIONS, ids=lambda file: file.stem)
@pytest.mark.parametrize("config", [*KINDS, "own.yaml"])
def test_captions_are_whole(file, config):
    if config == "own.yaml" and file.stem in EMOTION:
        pytest.skip("not made of a user's own data")
    given = SimpleNamespace(config=config_of(config))
    text = Environment(undefined=StrictUndefined).from_string(file.read_text())
    shown = captions.as_html(text.render(snakemake=given))
    assert "system-message" not in shown and "{" not in shown
    assert "mailto:" not in shown  # Precision@10 is no address
    assert len(re.sub(r"(<[^>]+>|\s)+", " ", shown)) > 100


@pytest.mark.parametrize("config", [*KINDS, "own.yaml"])
def test_the_introduction_names_the_data(config):
    given = SimpleNamespace(config=config_of(config))
    text = Environment(undefined=StrictUndefined).from_string(ABOUT.read_text())
    shown = captions.as_html(text.render(snakemake=given))
    assert "system-message" not in shown and "{" not in shown
    said = html.unescape(re.sub(r"(<[^>]+>|\s)+", " ", shown))
    assert f"run {given.config['run']} " in said
    for part in KINDS.get(config, ("on the modalities left, right, spoken",)):
        assert part in said


def test_no_caption_is_of_nothing():
    rules = "".join(file.read_text() for file in (ROOT / "rules").glob("*.smk"))
    for file in CAPTIONS:
        name = file.stem
        assert re.search(rf'{name}\.|/{name}"|caption="{name}"|\{{name\}}', rules), name


def documented() -> dict[str, str]:
    """Return by rule the first line that `snakemake --list` shows of it."""
    files = [ROOT / "workflow/Snakefile", *(ROOT / "rules").glob("*.smk")]
    text = "".join(file.read_text() for file in files)
    return dict(re.findall(r'^ *rule (\w+):\n +"""(.*)"""$', text, re.M))


def test_the_menu_has_a_line_for_every_rule():
    files = [ROOT / "workflow/Snakefile", *(ROOT / "rules").glob("*.smk")]
    rules = re.findall(r"^ *rule (\w+):", "".join(file.read_text() for file in files), re.M)
    lines = documented()
    assert sorted(lines) == sorted(rules)
    assert all(line.endswith(".") and len(line) < 105 for line in lines.values())


def test_the_menu_marks_targets(jobs):
    marked = {rule for rule, line in documented().items() if line.startswith("Target: ")}
    assert {"all", "digits", "emotion", "importances", "checks", "own", "index"} <= marked
    made = {job["rule"] for job in jobs if job["output"]}
    # What makes nothing itself is there to be asked for.
    nothing = {rule for rule in documented() if rule not in made} & {"all", "digits", "own"}
    assert nothing <= marked


@pytest.mark.slow
def test_the_report_of_a_run(finished, tmp_path):
    """By section, claims (once there are) first; a caption with each result."""
    path = tmp_path / "report.zip"
    finished.copy(tmp_path / "run").snakemake("--report", str(path))
    with zipfile.ZipFile(path) as file:
        report = next(n for n in file.namelist() if n.endswith("report.html"))
        text = file.read(report).decode()
        files = {name.rpartition("/")[2] for name in file.namelist()}
    assert {"table1.csv", "figure2.png", "figure6.csv", "index.html", "resources.csv"} <= files
    categories = json.loads(re.search(r"categories = (\{.*?\});?\n", text)[1])
    assert set(categories) >= {
        *("All on one page", "Section 4, data and features", "Section 6.1, importances"),
        *("Section 6.2 and annex, representations", "The run"),
    }
    assert sorted(categories, key=str.lower)[0] == "All on one page"
    assert "the demo, whose corpora the workflow synthesises" in " ".join(text.split())


def test_every_stage_says_its_key_number(finished):
    """In its log, whose last line the terminal shows too."""
    silent = [
        log.name
        for log in (finished.folder / "results/small/logs").rglob("*.log")
        if not re.search(r"\d", log.read_text().strip().rpartition("\n")[2])
    ]
    assert silent == []
