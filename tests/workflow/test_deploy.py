"""The workflow where only Snakemake is installed, and imported as a module from git."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ima.workflow.config import complete
from ima.workflow.user_config import OF_MODULES
from tests.checkout import ROOT, SMALL, Checkout, defaults, merged, name_of, plans

#: Empty folders and files that stand for the corpora of a run.
CORPORA = ("mnist", "fsdd", "ravdess", "meld", "tidigits", "ti46", "iemocap")
FILES = ("glove.6B.200d.txt", "lexicon.dic")

#: Plans runs while every module is refused that neither Python nor Snakemake comes with.
REFUSING = """
import importlib.metadata as metadata, json, pkgutil, re, sys
from pathlib import Path
import yaml
from tests.checkout import plans

def closure(name, found):
    for of in metadata.requires(name) or ():
        other = re.match(r"[\\w.-]+", of)[0]
        if "extra ==" not in of and other not in found:
            found.add(other)
            try:
                closure(other, found)
            except metadata.PackageNotFoundError:  # of another platform
                pass
    return found

def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()

allowed = {plain(name) for name in closure("snakemake", {"snakemake"})}
modules = {"ima", "tests", *sys.stdlib_module_names}
modules |= {
    m for m, of in metadata.packages_distributions().items() if allowed & set(map(plain, of))
}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in modules:
            raise ImportError(f"{name} refused")

# Snakemake imports every plugin that is installed.
every = pkgutil.iter_modules
pkgutil.iter_modules = lambda *of: (m for m in every(*of) if m.name in modules)
sys.meta_path.insert(0, Refuse())
wanted = [(Path(sys.argv[1]), yaml.safe_load(Path(file).read_text())) for file in sys.argv[2:]]
print(json.dumps([len(plan.jobs) for plan in plans(wanted)]))
refused = [n for n in ("numpy", "pandas", "pyarrow", "torch") if n in sys.modules]
assert not refused, refused
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Checkout:
    """A checkout with configs of every run, whose corpora are empty."""
    made = Checkout(tmp_path_factory.mktemp("checkout"))
    for corpus in CORPORA:
        (made.folder / "corpora" / corpus).mkdir(parents=True)
        (made.folder / "corpora" / corpus / "file").touch()
    for name in FILES:
        (made.folder / "corpora" / name).touch()
    words = {"glove": f"corpora/{FILES[0]}", "lexicon": f"corpora/{FILES[1]}"}
    there = {"raw": "corpora", "emotion": {"words": words}}
    for run in ("open", "paper"):
        config = merged(yaml.safe_load((ROOT / f"config/{run}.yaml").read_text()), there)
        (made.folder / f"{run}.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    shutil.copy(ROOT / "config/own.yaml", made.folder / "own.yaml")
    (made.folder / "demo.yaml").write_text("run: demo\n")
    return made


RUNS = ("demo", "open", "own", "paper")


@pytest.mark.slow
def test_jobs_are_planned_with_the_standard_library_alone(checkout):
    files = [str(checkout.folder / f"{run}.yaml") for run in RUNS]
    command = [sys.executable, "-c", REFUSING, str(checkout.folder), *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = yaml.safe_load(done.stdout.splitlines()[-1])
    assert len(counts) == len(RUNS) and min(counts) > 15


def test_a_module_that_is_not_snakemakes_would_be_refused():
    line = "import numpy"
    code = REFUSING.replace("wanted = [", f"{line}\nwanted = [")
    done = subprocess.run(
        [sys.executable, "-c", code, "."], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode and "numpy refused" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif("IMA_FULL" not in os.environ, reason="installs Snakemake; set IMA_FULL=1")
def test_snakemake_alone_plans_every_run(checkout, tmp_path):
    lock = (ROOT / "envs/requirements.lock").read_text().splitlines()
    pin = next(line.split()[0] for line in lock if line.startswith("snakemake=="))
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    subprocess.run([tmp_path / "venv/bin/pip", "install", "-q", pin], check=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/conda").write_text(FAKE_CONDA)
    (tmp_path / "bin/conda").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    path = os.pathsep.join((f"{tmp_path}/bin", f"{tmp_path}/venv/bin", os.environ["PATH"]))
    for run in RUNS:
        for more in ((), ("--sdm", "conda")):
            command = [tmp_path / "venv/bin/snakemake", "-n", "-q", "rules", *more]
            done = subprocess.run(
                [*command, "--configfile", f"{run}.yaml"],
                cwd=checkout.folder,
                env={**kept, "PATH": path},
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, (run, more, done.stdout + done.stderr)


#: Answers what Snakemake asks conda before it plans; it cannot make an environment.
FAKE_CONDA = """#!/bin/sh
case "$1" in
  --version) echo "conda 26.9.0" ;;
  info) echo '{"conda_version": "26.9.0", "platform": "linux-64", "conda_prefix": "/none",
    "root_prefix": "/none", "envs_dirs": [], "channels": []}' ;;
  config) echo '{"get": {"channel_priority": "strict"}}' ;;
  *) exit 1 ;;
esac
"""

#: What `snakedeploy deploy-workflow` writes to workflow/Snakefile.
SNAKEDEPLOY = """
from snakemake.utils import min_version


min_version("6.10.0")


configfile: "config/config.yaml"


# declare https://github.com/someone/ima as a module
module ima:
    snakefile:
        github("someone/ima", path="workflow/Snakefile", tag="v1")
    config:
        config


# use all rules from https://github.com/someone/ima
use rule * from ima
"""
GITFILE = """
module ima:
    snakefile:
        gitfile("{repo}", path="workflow/Snakefile", ref="main")
    config:
        config


use rule * from ima


rule mine:
    input:
        "results/tables/table1.csv",
    output:
        "results/tables/mine.csv",
    shell:
        "cp {{input}} {{output}}"
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """A git repository of the workflow, with a branch `main` and a tag `v1`."""
    folder = tmp_path_factory.mktemp("git") / "ima"
    Checkout(folder)
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
    more = (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "all"], ["tag", "v1"])
    for arguments in more:
        subprocess.run([*git, *arguments], check=True)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("form", ["gitfile", "snakedeploy"])
def test_a_module_import_plans_the_same_jobs(form, repository, checkout, tmp_path, monkeypatch):
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if form == "gitfile":
        (project / "Snakefile").write_text(GITFILE.format(repo=repository))
    else:
        (project / "Snakefile").write_text(SNAKEDEPLOY)
        shutil.copytree(ROOT / "config", project / "config")
        # The repository stands for the hosted one.
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{repository}.insteadOf")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/someone/ima")
    config = {**SMALL, "run": "mine"}
    here, there = plans([(checkout.folder, config), (project, config)])
    assert sorted(map(name_of, there.jobs)) == sorted(map(name_of, here.jobs))
    (copied,) = (project / ".snakemake/ima").iterdir()
    (job,) = there.of_rules(["table1"])
    files = [file for _, file, _ in job["input"]]
    code = f".snakemake/ima/{copied.name}/"
    assert "src/ima/workflow/script.py" in job["code"]
    assert f"{code}config/paper_values.csv" in files and (copied / "COMMIT").is_file()
    assert [file for _, file, _ in job["output"]] == [
        "results/tables/table1.csv",
        "results/tables/table1.provenance.json",
    ]
    if form == "gitfile":  # a rule of the user's gets no sidecar
        (mine,) = plans([(project, config)], ["mine"])[0].of_rules(["mine"])
        assert [file for _, file, _ in mine["output"]] == ["results/tables/mine.csv"]


def test_a_config_is_completed_and_says_what_differs():
    config = {"a": {"b": 1, "c": 5}, "x": [1], "n": None}
    default = {"a": {"b": 1, "c": 2, "d": 3}, "x": [1], "n": {"m": 1}, "y": {"z": 0}}
    assert complete(config, default) == {"a": {"c": 5}, "n": None}
    assert config == {"a": {"b": 1, "c": 5, "d": 3}, "x": [1], "n": None, "y": {"z": 0}}
    assert complete(defaults(), defaults()) == {}
    config["y"]["z"] = 9
    assert default["y"]["z"] == 0


def test_reserved_names_are_those_of_torch():
    from torch import nn

    lower = {name for name in dir(nn.ModuleDict()) if name.islower() and name[0].isalpha()}
    assert lower == OF_MODULES
