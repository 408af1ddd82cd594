"""The wheel: what it requires, what is in it, what importing it loads, and its annotations."""

import ast
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENTRY = "ima.command.main:main"
CORE = {"filelock", "numpy", "pyarrow", "safetensors", "scikit-learn", "torch", "tqdm"}
#: Import names of packages of the extras.
BLOCKED = (
    *(
        "bokeh",
        "desphere",
        "docutils",
        "empath",
        "espeakng_loader",
        "gensim",
        "jsonschema",
        "librosa",
    ),
    *(
        "matplotlib",
        "nrclex",
        "numba",
        "openTSNE",
        "opensmile",
        "pandas",
        "PIL",
        "pooch",
        "rocrate",
    ),
    *("snakemake", "soundfile", "soxr", "yaml"),
)
#: Fits, saves and loads where packages of the extras cannot be imported.
SCRIPT = """
import sys
sys.modules.update(dict.fromkeys({blocked!r}))
import ima
assert "torch" not in sys.modules
from ima import IMA
assert "ima.workflow" not in sys.modules and "ima.reporting" not in sys.modules
import numpy as np
from ima.models.autoencoder import Stage1
from ima.models.importance import Stage2
x = {{m: np.random.default_rng(0).normal(size=(30, 3)) for m in "ab"}}
stage2 = Stage2("mixture", steps=1, rounds=1, folds=1)
model = IMA(latent=2, stage1=Stage1(epochs=1), stage2=stage2).fit(x)
model.save("model.safetensors")
again = IMA.load("model.safetensors")
assert (again.transform(x) == model.transform(x)).all()
for method, extra in ((model.plot_history, "matplotlib"), (model.history_frame, "pandas")):
    try:
        method()
    except ImportError as error:
        assert extra in str(error) and "ima[plots]" in str(error)
    else:
        raise AssertionError(extra)
import ima.command.guess, ima.command.steps
"""


def test_the_library_needs_nothing_but_its_core(tmp_path):
    command = [sys.executable, "-c", SCRIPT.format(blocked=BLOCKED)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of the files that it is made from."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", folder / "src", ignore=ignored)
    build = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"
    command = [sys.executable, "-c", build]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return ZipFile(folder / done.stdout.split()[-1])


def test_the_wheel_requires_the_core_alone(wheel):
    name = next(name for name in wheel.namelist() if name.endswith("METADATA"))
    facts = Parser().parsestr(wheel.read(name).decode())
    required = [line for line in facts.get_all("Requires-Dist") if "extra ==" not in line]
    assert {line.partition(">=")[0] for line in required} == CORE
    assert all(">=" in line and "==" not in line for line in required)  # ranges, not pins
    assert facts["Requires-Python"] == "<3.14,>=3.11"
    assert set(facts.get_all("Provides-Extra")) >= {"workflow", "speech", "emotion", "page", "all"}


def test_the_wheel_has_every_module_and_data_file(wheel):
    source = ROOT / "src"
    kinds = (".py", ".csv", ".json", ".txt", ".typed")
    files = {file.relative_to(source).as_posix() for file in source.glob("ima/**/*")}
    expected = {file for file in files if file.endswith(kinds)}
    assert "ima/py.typed" in expected
    assert expected == {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_the_wheel_has_the_command(wheel):
    name = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert wheel.read(name).decode().split() == ["[console_scripts]", "ima", "=", ENTRY]
    module, _, function = ENTRY.partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_help_of_the_command_needs_no_package():
    """Nor time to import it."""
    code = f"import sys; sys.modules.update(dict.fromkeys({sorted(CORE | {'sklearn'})!r}))\n"
    code += "from ima.command.main import main; main(['fit', '--help'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("usage: ima fit"), done.stderr


def test_every_import_is_of_a_declared_package():
    """Of the core or an extra, so that `pip install 'ima[all]'` runs all of the package."""
    names = {"sklearn": "scikit-learn", "PIL": "pillow", "yaml": "pyyaml"}
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for of in extras.values() for line in of)]
    declared = {line.partition(">=")[0].lower().replace("_", "-") for line in lines}
    found = set()
    for file in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.partition(".")[0])
    found -= {*sys.stdlib_module_names, "ima"}
    found = {names.get(name, name.lower().replace("_", "-")) for name in found}
    assert found and not found - declared


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_annotations(tmp_path):
    """Strictly, by the settings in pyproject.toml."""
    command = [sys.executable, "-m", "mypy", "--cache-dir", tmp_path]
    # As its users run it: what PYTHONPATH has is not checked.
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, env=clean)
    assert done.returncode == 0, done.stdout + done.stderr
