"""Every module is in a room, and a room imports only itself and the rooms above it in the table."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/ima"
#: From the foundations up, as docs/dev/architecture.md has them.
ROOMS = (
    *("utils", "audio", "datasets", "alignment", "features", "pairing"),
    *("training", "models", "evaluation", "reporting", "workflow", "estimator"),
    "command",
)
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(source: str) -> set[str]:
    """Return the modules that a source file imports, wherever it does so."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def upward(room: str, source: str) -> set[str]:
    """Return the imports of a module of a room that go to a room further down."""
    above = ROOMS[ROOMS.index(room) + 1 :]
    return {
        name for name in imports(source) if above and re.match(rf"ima\.({'|'.join(above)})\b", name)
    }


def test_no_module_is_flat():
    flat = {file.name for file in PACKAGE.glob("*.py")}
    assert flat == {"__init__.py"}
    assert {file.name for file in PACKAGE.iterdir() if (file / "__init__.py").exists()} == set(
        ROOMS
    )


@pytest.mark.parametrize(
    "module",
    [file for file in MODULES if file.parent != PACKAGE],
    ids=lambda file: str(file.relative_to(PACKAGE)),
)
def test_imports_go_down(module):
    room = module.relative_to(PACKAGE).parts[0]
    source = module.read_text()
    assert not upward(room, source)
    assert room == "workflow" or not any(n.startswith("snakemake") for n in imports(source))


def test_upward_imports_are_found():
    assert upward("models", "def f():\n    from ima.evaluation import metrics") == {
        "ima.evaluation.metrics"
    }
    assert upward("models", "import ima.reporting.cards") == {"ima.reporting.cards"}
    assert not upward("evaluation", "from ima.models.ima import Autoencoder")


def test_covarep_imports_nothing_else_of_the_package():
    for file in (PACKAGE / "features/covarep").glob("*.py"):
        own = {n for n in imports(file.read_text()) if n.startswith("ima.")}
        assert all(n.startswith("ima.features.covarep") for n in own), (file, own)


def test_the_documentation_has_the_rooms_in_order():
    text = (ROOT / "docs/dev/architecture.md").read_text()
    assert tuple(re.findall(r"^\| `(\w+)` \|", text, re.M)) == ROOMS


@pytest.mark.parametrize("room", ["alignment", "evaluation", "models"])
def test_docstring_of_a_large_room_names_every_module(room):
    docstring = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text()))
    modules = {file.stem for file in (PACKAGE / room).iterdir() if file.stem[:2] != "__"}
    assert modules <= set(re.findall(r"\w+", docstring))
