"""The map from the paper to the code, the README's example, and links of the documentation."""

import ast
import importlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ima.estimator import model
from ima.training import sizes

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAPER_TO_CODE = (ROOT / "docs/paper_to_code.md").read_text()
DOCS = sorted(str(file.relative_to(ROOT)) for file in (ROOT / "docs").rglob("*.md"))
#: Rules that make data where a user has none, or say where results come from: not of the paper.
SUPPLY = {"demo_emotion", "demo_images", "demo_speech", "download", "own_example"}
SUPPLY |= {"checksums", "crate"}
MAP = re.findall(r"^\| [^|]+ \| `(\w+)` \| `([^`]+)` \| `(ima\.[\w.]+)` \|$", PAPER_TO_CODE, re.M)


def rules_with_scripts() -> set[str]:
    text = "".join(file.read_text() for file in sorted((ROOT / "rules").glob("*.smk")))
    return set(re.findall(r"workflow/scripts/(\w+)\.py", text))


def test_map_names_every_rule_once():
    assert sorted(rule for rule, _, _ in MAP) == sorted(rules_with_scripts() - SUPPLY)


@pytest.mark.parametrize(("rule", "makes", "function"), MAP, ids=[row[0] for row in MAP])
def test_script_names_its_function_and_it_exists(rule, makes, function):
    told = ast.get_docstring(ast.parse((ROOT / f"workflow/scripts/{rule}.py").read_text()))
    assert f"`{function}`" in told
    module, _, name = function.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))
    rules = "".join(file.read_text() for file in (ROOT / "rules").glob("*.smk"))
    written = {"results/<run>/": "{RUN}/", "<n>": "{{round}}"}
    written |= {f"<{name}>": f"{{{{{name}}}}}" for name in ("latent", "seed")}
    for told, wildcard in written.items():
        makes = makes.replace(told, wildcard)
    assert makes in rules


@pytest.mark.parametrize("rule", sorted(rules_with_scripts()))
def test_script_can_be_imported_without_snakemake(rule):
    spec = importlib.util.spec_from_file_location(rule, ROOT / f"workflow/scripts/{rule}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert callable(module.main)


def test_every_table_says_its_control_uncertainty_and_comparisons():
    """A new table fails this until docs/statistics.md has its line."""
    rules = "".join(file.read_text() for file in sorted((ROOT / "rules").glob("*.smk")))
    made = re.findall(r'reported\(\s*f?"(\{?[\w/]+\}?[\w/{}]*)/(\w+)\.csv"', rules)
    names = {("own " if folder == "{RUN}/tables" else "") + name for folder, name in made}
    text = (ROOT / "docs/statistics.md").read_text().partition("## Controls")[2]
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    listed = [
        own + name for first, *_ in lines for own, name in re.findall(r"(own )?`(\w+)`", first)
    ]
    assert sorted(listed) == sorted(names) and len(names) > 25


@pytest.mark.parametrize("file", ["README.md", "config/README.md", *DOCS])
def test_links_lead_somewhere(file):
    folder = (ROOT / file).parent
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / file).read_text()):
        assert (folder / target).exists(), target


def test_deviations_are_numbered_in_order():
    text = (ROOT / "docs/deviations.md").read_text()
    numbers = [int(n) for n in re.findall(r"^(\d+)\. ", text, re.M)]
    assert numbers == list(range(1, len(numbers) + 1))
    cited = re.findall(
        r"[Dd]eviation (\d+)", "".join(f.read_text() for f in (ROOT / "src").rglob("*.py"))
    )
    assert set(map(int, cited)) <= set(numbers)


@pytest.mark.slow
def test_library_example_runs(tmp_path, monkeypatch):
    """With a tenth of the training steps, which suffices here."""
    monkeypatch.setattr(sizes, "UPDATES", 200)
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", README, re.S)[1]
    exec(compile(code, "README.md", "exec"), scope := {})
    assert scope["z"].shape == (5, 10)
    assert scope["y"][:50].mean() < 0.1 and scope["y"][50:].mean() > 0.95  # as the comment says
    assert scope["y"].shape == (500,)


@pytest.mark.slow
def test_examples_of_the_library_run(tmp_path, monkeypatch):
    """With few steps: they must run."""
    monkeypatch.setattr(sizes, "UPDATES", 40)
    monkeypatch.setattr(model, "MIXTURE", replace(model.MIXTURE, steps=10, folds=3))
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs/library.md").read_text()
    first, own = re.findall(r"```python\n(.*?)```", text, re.S)
    exec(compile(first, "library.md", "exec"), scope := {})
    assert scope["z"].shape == (50, 5) and list(scope["y"]) == ["voice", "face"]
    assert scope["quality"] <= 1 and (tmp_path / "model.safetensors").exists()
    exec(compile(own, "library.md", "exec"), scope := {})
    assert scope["drawn"].shape == (10, 1, 8, 8) and 0 < scope["drawn"].min() < 1
    x = {"image": scope["images"], "sound": scope["sounds"]}
    assert (scope["again"].transform(x) == scope["model"].transform(x)).all()
