"""The report and the menu: a caption for every result, and an introduction that names the data."""

import html
import json
import re
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from jinja2 import Environment, StrictUndefined

from ima.reporting.page import captions
from ima.workflow.resources import belongs_to_config
from tests.checkout import ROOT, Checkout, Plan, defaults, merged, plans

ABOUT = ROOT / "workflow/report/workflow.rst"
CAPTIONS = sorted(set((ROOT / "workflow/report").glob("*.rst")) - {ABOUT})
EMOTION = {"table2", "table6", "emotion_importance", "figure3", "figure5", "voice_agreement"}
#: By config, what the introduction says of its data.
KINDS = {
    "config.yaml": ("the demo", "the demo"),
    "open.yaml": ("the open corpora", "a constructed pairing"),
    "paper.yaml": ("the paper's corpora, MNIST, TIDIGITS and TI46", "utterances: IEMOCAP"),
}
#: The same for corpora of which only some are the demo's.
MIXED = {
    "a root": (
        {"roots": {"tidigits": "x"}},
        ("digits: TIDIGITS, and the demo's in place of MNIST, TI46", "utterances: the demo's"),
    ),
    "downloaded": (
        {"speech": {"corpora": ["fsdd"]}, "emotion": {"corpus": "ravdess_meld"}},
        ("digits: FSDD, and the demo's in place of MNIST", "a constructed pairing"),
    ),
    "all roots": (
        {"roots": dict.fromkeys(("mnist", "tidigits", "ti46", "iemocap"), "x")},
        ("the paper's corpora, MNIST, TIDIGITS and TI46", "utterances: IEMOCAP"),
    ),
    "not the paper's": ({"raw": "x", "speech": {"corpora": ["ti46"]}}, ("digits: MNIST, TI46 ",)),
}


def config_of(file: str) -> dict:
    return merged(defaults(), yaml.safe_load((ROOT / "config" / file).read_text()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A checkout."""
    return Checkout(tmp_path_factory.mktemp("checkout")).folder


@pytest.fixture(scope="module")
def runs(folder) -> list[Plan]:
    """The whole demo, and a run on data of a user's own."""
    configs = [(folder, {}), (folder, yaml.safe_load((ROOT / "config/own.yaml").read_text()))]
    return plans(configs, ["all", "crate"], anew=True)


@pytest.fixture(scope="module")
def jobs(runs) -> list[dict]:
    """The jobs of both."""
    return runs[0].jobs + runs[1].jobs


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


@pytest.mark.parametrize("name", MIXED)
def test_the_introduction_names_each_corpus_for_what_it_is(name):
    changes, parts = MIXED[name]
    given = SimpleNamespace(config=merged(defaults(), changes))
    said = " ".join(Environment().from_string(ABOUT.read_text()).render(snakemake=given).split())
    assert [part for part in parts if part not in said] == []


def test_claims_and_cards_name_each_corpus_for_what_it_is(runs, folder, tmp_path):
    for corpus in ("mnist", "tidigits", "ti46"):
        (tmp_path / corpus).mkdir()
    changes = (
        {"roots": {"tidigits": str(tmp_path)}, "emotion": {"corpus": "ravdess_meld"}},
        {"speech": {"corpora": ["fsdd"], "segmentation": "whole"}},
        config_of("paper.yaml") | {"raw": str(tmp_path)},
    )
    found = plans([(folder, change) for change in changes], ["claims", "cards"], anew=True)
    data = [plan.of_rules(["claims"])[0]["params"]["data"] for plan in (runs[0], *found)]
    assert [(of["digits"]["name"], of["digits"]["paper"]) for of in data] == [
        ("demo: small handwritten digits, and digits spoken by espeak-ng", False),
        ("TIDIGITS; demo: small handwritten digits, and digits spoken by espeak-ng", False),
        ("FSDD; demo: small handwritten digits", False),
        ("MNIST, TIDIGITS, TI46", True),
    ]
    demo = ("demo: sentences of a grammar, spoken by espeak-ng", False)
    pairing = ("constructed pairing: MELD's texts, each with RAVDESS' voices of its emotion", False)
    expected = [demo, pairing, demo, ("IEMOCAP", True)]
    assert [(of["emotion"]["name"], of["emotion"]["paper"]) for of in data] == expected
    facts = [plan.of_rules(["cards"])[0]["params"]["facts"] for plan in found]
    assert facts == [
        {
            **{"mnist": "mnist_demo", "tidigits": "tidigits", "ti46": "ti46_demo"},
            **{"ravdess": "ravdess", "meld": "meld"},
        },
        {"mnist": "mnist_demo", "fsdd": "fsdd", "iemocap": "iemocap_demo"},
        {"mnist": "mnist", "tidigits": "tidigits", "ti46": "ti46"},
    ]


def test_a_run_on_own_data_names_no_corpus_and_makes_no_claims(runs):
    made = {"claims", "demo_images", "demo_speech", "demo_emotion", "download"}
    assert made <= runs[0].rules() | {"download"} and not made & runs[1].rules()
    (crate,) = runs[1].of_rules(["crate"])
    corpora = [Path(file).stem for name, file, _ in crate["input"] if name == "corpora"]
    assert corpora == ["own_left", "own_right", "own_spoken"]
    summed = {job["wildcards"]["corpus"]: job for job in runs[1].of_rules(["checksums"])}
    for name in corpora:
        file = f"results/example/{name.removeprefix('own_')}.parquet"
        assert summed[name]["params"]["root"] == summed[name]["input"][0][1] == file


@pytest.mark.parametrize("target", ["claims", "cards", "results/tables/table1.csv"])
def test_results_on_the_papers_data_are_refused_for_own_data(target, folder):
    own = yaml.safe_load((ROOT / "config/own.yaml").read_text())
    with pytest.raises(RuntimeError, match=r"expected no `own`.* found .* left, right, spoken\."):
        plans([(folder, own)], [target])


def test_a_page_of_what_is_made_makes_nothing_else(folder, tmp_path):
    """Nor does it download the corpora whose checksums the table's provenance would have."""
    config = config_of("paper.yaml") | {"page": "made", "raw": str(tmp_path)}
    (plan,) = plans([(folder, config)], ["results/index.html"], anew=True)
    assert plan.rules() == {"resources", "index"}


def test_resources_count_every_job_of_the_run(runs):
    """Of jobs that earlier configs left, not those of other seeds."""
    for plan in runs:
        values = plan.of_rules(["resources"])[0]["params"]["job_values"]
        assert values == plan.of_rules(["crate"])[0]["params"]["job_values"]
        names = [Path(log).stem for job in plan.jobs for log in job["log"]]
        assert (
            len(names) > 30
            and [name for name in names if not belongs_to_config(name, values)] == []
        )
        assert not belongs_to_config("autoencoder_mixture_latent10_seed77_round1", values)


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
