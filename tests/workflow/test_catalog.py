"""What the Snakemake workflow catalog asks of a repository, and who is to be cited."""

import re

import yaml

from ima import __version__
from tests.checkout import ROOT, rules_of_workflow


def test_layout_is_the_catalogs():
    assert (ROOT / "workflow/Snakefile").is_file() and (ROOT / "config/README.md").is_file()
    assert list((ROOT / "rules").glob("*.smk"))
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme and "workflow" in readme


def test_usage_says_what_is_there():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment"}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    stack = usage["software-stack-deployment"]
    assert set(stack) == {"conda", "apptainer", "apptainer+conda", "report"}
    text = "".join(file.read_text() for file in (ROOT / "rules").glob("*.smk"))
    # A conda environment for every rule with a script, no container, and items of a report.
    assert stack["conda"] == (text.count("conda:") >= len(rules_of_workflow()))
    assert stack["apptainer"] == ("container:" in text)
    assert stack["report"] == ("report(" in text)
    for file in re.findall(r"config/\w+\.yaml|docs/\w+\.md", usage["mandatory-flags"]["desc"]):
        assert (ROOT / file).is_file()


def test_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= set(citation)
    assert citation["version"] == __version__
    assert citation["license"] == "Apache-2.0" and (ROOT / "LICENSE").is_file()
    (paper,) = citation["references"]
    assert paper["title"] == "Importance-based Multimodal Autoencoder"


def test_changelog_has_this_version_and_newest_first():
    heads = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    released = [head for head in heads if head != "Unreleased"]
    assert released[0] == __version__ and len(heads) - len(released) in (0, 1)
    numbers = [tuple(map(int, head.split("."))) for head in released]
    assert numbers == sorted(numbers, reverse=True)
