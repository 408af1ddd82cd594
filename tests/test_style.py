"""Format and lint, as everyone who changes the project is expected to have run them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SNAKEFILES = ["Snakefile", "workflow/Snakefile", *map(str, sorted((ROOT / "rules").glob("*.smk")))]


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("snakefmt", "--check", *SNAKEFILES),
        ("snakemake", "--lint"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_clean(command):
    tool = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_text_is_utf_8_in_any_locale():
    files = [*ROOT.glob("src/**/*.py"), *ROOT.glob("rules/*.smk"), *ROOT.glob("workflow/scripts/*")]
    assert not [f for f in files if f.is_file() and ".read_text()" in f.read_text("utf-8")]
