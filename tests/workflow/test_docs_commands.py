"""Every command that README and docs give can be given: options known, targets there, files there.

Snakemake's are parsed by its own parser, and the targets of each config are planned together;
scripts are asked for their help, which must know every option that the docs use.
"""

import contextlib
import importlib.util
import io
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest
import yaml

from ima.workflow.corpora import SOURCES
from tests.checkout import ROOT, merged, plans

FILES = [ROOT / "README.md", ROOT / "config/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
STARTS = ("snakemake", "python", "python3.11", "pytest")
#: What stands in the docs for something of the user's own.
STANDS_FOR = {"<table>": "table1", "<run>": "demo", "FILE": "config/open.yaml"}
#: Written by the line before the command that reads it.
WRITTEN = {"mine.yaml": {"importance": {"rho": {"speech": 0.5}}}}


def commands_of(text: str) -> list[list[str]]:
    """Return the commands of a Markdown text, in blocks of no other language and inline."""
    blocks = re.findall(r"^```(?:sh|bash)?\n(.*?)^```", text, re.S | re.M)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    found = []
    for line in [*lines, *inline]:
        with contextlib.suppress(ValueError):  # an apostrophe, not a quote
            words = shlex.split(line, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
                words = words[1:]
            # A name alone, as of a program or a package, is no command.
            if len(words) > 1 and words[0] in STARTS:
                found.append(words)
    return found


def plain(words: list[str]) -> list[str]:
    """Return a command without what runs it in an environment, and with names filled in."""
    if words[1:2] == ["envs/run.py"]:
        words = words[2:]
    if "snakemake" in words[1:] and words[0] == "python" and "run" in words:
        words = words[words.index("snakemake") :]  # tests/slurm/cluster.py run FOLDER COMMAND
    for name, value in STANDS_FOR.items():
        words = [word.replace(name, value) for word in words]
    return words[: words.index(">")] if ">" in words else words


COMMANDS = {
    f"{file.relative_to(ROOT)}: {' '.join(words)}": plain(words)
    for file in FILES
    for words in commands_of(file.read_text())
}
SNAKEMAKE = {name: words for name, words in COMMANDS.items() if words[0] == "snakemake"}
SCRIPTS = {name: words for name, words in COMMANDS.items() if words[0].startswith("python")}


def parsed(words: list[str]):
    """Return what Snakemake's own parser makes of a command."""
    from snakemake.cli import parse_args

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.chdir(ROOT):
            return parse_args(words[1:])[1]
    except SystemExit as error:
        raise ValueError(f"{' '.join(words)}: {said.getvalue()}") from error


def help_of(words: list[str]) -> str:
    """Return what a script says of itself; run in this process, for imports take seconds."""
    said, kept = io.StringIO(), sys.argv
    module = words[2] if words[1] == "-m" else ""
    file = ROOT / words[1]
    if module:
        spec = importlib.util.find_spec(module)
        packed = spec.submodule_search_locations
        file = importlib.util.find_spec(f"{module}.__main__").origin if packed else spec.origin
    if "argparse" not in Path(file).read_text():  # it takes no option, and would do its work
        return ""
    sys.argv = [words[2] if module else words[1], "--help"]
    try:
        with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
            if module:
                runpy.run_module(module, run_name="__main__")
            else:
                sys.path.insert(0, str(file.parent))  # as Python does
                runpy.run_path(str(file), run_name="__main__")
    finally:
        sys.argv = kept
        if not module:
            sys.path.remove(str(file.parent))
    return said.getvalue()


def unknown_options(words: list[str]) -> list[str]:
    """Return the options of a script's command that its help doesn't know."""
    said = help_of(words)
    return [word for word in words[2:] if word.startswith("--") and word not in said]


def configs(args) -> tuple[str, ...]:
    return tuple(str(file) for file in args.configfile or ())


def config_of(files: tuple[str, ...]) -> dict:
    return merged(
        *(WRITTEN.get(file) or yaml.safe_load((ROOT / file).read_text()) for file in files)
    )


def with_corpora(config: dict, folder: Path) -> dict:
    """Return a config whose corpora and word files are there, though empty: enough for a plan."""
    if not config.get("raw"):
        return config
    for corpus in SOURCES:
        (folder / corpus).mkdir(exist_ok=True)
    words = config.get("emotion", {}).get("words", {})
    files = {name: str(folder / name) for name in ("glove", "lexicon") if name in words}
    return merged(config, {"raw": str(folder), "emotion": {"words": files}})


def test_commands_are_found():
    assert len(SNAKEMAKE) > 12 and len(SCRIPTS) > 6
    text = "a `snakemake -n` and\n```\npython x.py \\\n  --a 1   # why\nX=1 pytest tests\n```\n"
    text += "```python\npython = 3\n```\n`snakemake`'s"
    assert commands_of(text) == [
        ["python", "x.py", "--a", "1"],
        ["pytest", "tests"],
        ["snakemake", "-n"],
    ]


@pytest.mark.parametrize("name", SNAKEMAKE)
def test_snakemake_takes_the_options(name):
    parsed(SNAKEMAKE[name])


def test_unknown_options_are_noticed():
    with pytest.raises(ValueError, match="no-such-option"):
        parsed(["snakemake", "--no-such-option", "1"])
    assert unknown_options(["python", "benchmarks/scale.py", "--no-such"]) == ["--no-such"]


@pytest.mark.slow
def test_snakemake_can_make_the_targets(tmp_path):
    wanted: dict[tuple, set] = {}
    for words in SNAKEMAKE.values():
        args = parsed(words)
        wanted.setdefault(configs(args), set()).update(args.targets or ())
    assert any(targets for targets in wanted.values())
    for files, targets in wanted.items():
        config = with_corpora(config_of(files), tmp_path)
        (plan,) = plans([(ROOT, config)], sorted(targets), anew=True)
        assert plan.rules(), files
    with pytest.raises(RuntimeError, match="nothing_of_the_kind"):
        plans([(ROOT, {})], ["nothing_of_the_kind"])


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_script_knows_the_options(name):
    words = SCRIPTS[name]
    assert words[1] == "-m" or (ROOT / words[1]).is_file()
    assert unknown_options(words) == []
