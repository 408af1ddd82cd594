"""Files about the project: who is to be cited, the licence, containers, CI."""

import json
import re
import runpy
import shutil
import subprocess

import pytest
import yaml

from ima import __version__
from ima.workflow.provenance import CODE
from tests.checkout import ROOT


@pytest.fixture
def citation() -> dict:
    return yaml.safe_load((ROOT / "CITATION.cff").read_text())


def test_all_descriptions_of_the_software_agree(citation):
    meta = json.loads((ROOT / "codemeta.json").read_text())
    zenodo = json.loads((ROOT / ".zenodo.json").read_text())
    assert meta["version"] == zenodo["version"] == __version__
    assert meta["name"] == zenodo["title"] == citation["title"]
    assert meta["description"] == zenodo["description"] == citation["abstract"]
    assert meta["keywords"] == zenodo["keywords"] == citation["keywords"]
    people = [author["name"] for author in citation["authors"]]
    assert [author["name"] for author in meta["author"]] == people
    assert [creator["name"] for creator in zenodo["creators"]] == people
    assert meta["license"].endswith(citation["license"]) and zenodo["license"] == "Apache-2.0"
    assert meta["@context"] and meta["@type"] == "SoftwareSourceCode"


def test_every_file_has_a_licence():
    text = (ROOT / "REUSE.toml").read_text()
    assert 'path = "**"' in text and 'SPDX-License-Identifier = "Apache-2.0"' in text
    assert (ROOT / "LICENSES/Apache-2.0.txt").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("command", [("reuse", "lint", "--quiet"), ("cffconvert", "--validate")])
def test_the_field_s_tools_accept_them(command):
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_containers_have_the_code_and_the_environment_of_the_lock():
    docker, apptainer = ((ROOT / f"envs/{name}").read_text() for name in ("Dockerfile", "ima.def"))
    copied = {name for line in re.findall(r"^COPY (.+)$", docker, re.M) for name in line.split()}
    files = apptainer.partition("%files")[2].partition("%post")[0].split()
    needed = {*CODE, "pyproject.toml", "README.md", "LICENSE"}
    assert needed == {name for name in copied if not name.startswith("/opt")}
    assert needed == set(files[::2]) and set(files[1::2]) == {f"/opt/ima/{n}" for n in needed}
    for recipe in (docker, apptainer):
        assert "python3.11 /opt/ima/envs/run.py" in recipe and "python:3.11" in recipe
        assert "snakemake" in recipe and "/opt/ima/Snakefile" in recipe


def test_conda_environment_is_made_from_the_lock(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "envs"))
    made = runpy.run_path(str(ROOT / "envs/conda.py"))["environment"]()
    assert (ROOT / "envs/ima.yaml").read_text() == made
    lines = (ROOT / "envs/requirements.lock").read_text().splitlines()
    pins = yaml.safe_load(made)["dependencies"][-1]["pip"]
    assert pins[0].startswith("torch==") and all("==" in pin for pin in pins)
    assert pins[1:] == [line for line in lines if line and not line.startswith("#")]


def test_ci_runs_the_checks_and_builds_the_wheel_and_the_site():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    commands = {name: [s.get("run") for s in job["steps"]] for name, job in jobs.items()}
    assert ".ci/run" in commands["checks"] and "python -m build" in commands["wheel"]
    assert "python envs/run.py mkdocs build --strict -f docs/site/mkdocs.yml" in commands["site"]
    assert (ROOT / ".ci/run").is_file()
