"""Pages of the site that are no Markdown file of docs/, and links between all pages.

* Files outside docs/, such as README.md, which stay where a forge shows them.
* Tutorials: scripts in percent format, run here, so that the page shows their outputs.
* The API: one page for each room of the package, with the docstrings of its modules.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

import jupytext
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[2]
#: Pages by file outside docs/.
OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "CITATION.cff": "citation.md",
    "LICENSE": "licence.md",
    "SECURITY.md": "security.md",
    "config/README.md": "configuration.md",
}
SOURCES = {page: file for file, page in OUTSIDE.items()}
LINK = re.compile(r"(?<=\]\()([^)#\s:]+)(?=[)#])")
#: Front matter that lets the search list the guides first.
LAST = "---\nsearch: {boost: 0.3}\n---\n"
#: Cells that only check what the text says.
HIDDEN = "hide"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no Markdown file of docs/."""
    for file, page in OUTSIDE.items():
        text = (ROOT / file).read_text()
        if not file.endswith(".md"):
            text = f"# {file}\n```\n{text}```\n"
        files.append(File.generated(config, page, content=text))
    for page, text in api(ROOT / "src/ima"):
        files.append(File.generated(config, page, content=text))
    for script in sorted((ROOT / "docs/tutorials").glob("*.py")):
        source = files.get_file_from_path(f"tutorials/{script.name}")
        if source is not None:
            files.remove(source)
        for page, content in tutorial(script, config.extra["execute"]):
            files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links to files of the repository to the pages made from them."""
    here = page.file.src_uri
    folder = posixpath.dirname(SOURCES.get(here, f"docs/{here}"))

    def target(link: re.Match[str]) -> str:
        file = posixpath.normpath(posixpath.join(folder, link[0]))
        uri = OUTSIDE.get(file, file.removeprefix("docs/"))
        uri = re.sub(r"^(tutorials/.*)\.py$", r"\1.md", uri)
        known = files.get_file_from_path(uri)
        return posixpath.relpath(uri, posixpath.dirname(here) or ".") if known else link[0]

    return LINK.sub(target, markdown)


def api(package: Path) -> Iterator[tuple[str, str]]:
    """Yield the page of `ima.IMA` and those of all rooms: name and Markdown."""
    inherited = "    options: {inherited_members: [predict, reconstruct, score]}\n"
    yield "api/ima.md", f"# ima.IMA\n\n::: ima.estimator.model.IMA\n{inherited}"
    for room in sorted(path.parent for path in package.glob("*/__init__.py")):
        modules = sorted(
            ".".join(file.relative_to(package.parent).with_suffix("").parts)
            for file in room.rglob("*.py")
            if not file.name.startswith("__")
        )
        blocks = [f"::: {module}\n" for module in modules]
        if room.name == "estimator":  # its class has a page of its own
            options = "    options: {members: [MIXTURE, NotFitted, RHO, SIZED]}\n"
            blocks = [b + options if b == "::: ima.estimator.model\n" else b for b in blocks]
        yield f"api/{room.name}.md", "\n".join([f"{LAST}# ima.{room.name}\n", *blocks])


def tutorial(script: Path, execute: bool) -> Iterator[tuple[str, str | bytes]]:
    """Yield the page of a script and the pictures on it: name and content.

    Args:
        script: a script in the percent format of jupytext.
        execute: whether to run it.

    Raises:
        CellExecutionError: the script does.
    """
    notebook = jupytext.read(script)
    if execute:
        place = {"metadata": {"path": str(ROOT)}}
        NotebookClient(notebook, timeout=600, kernel_name="python3", resources=place).execute()
    remove = {"enabled": True, "remove_cell_tags": {HIDDEN}}
    exporter = MarkdownExporter(config=Config(TagRemovePreprocessor=remove))
    for name in ("TagRemovePreprocessor", "CoalesceStreamsPreprocessor"):
        exporter.register_preprocessor(f"nbconvert.preprocessors.{name}", enabled=True)
    names = {"unique_key": script.stem, "output_files_dir": script.stem}
    text, resources = exporter.from_notebook_node(notebook, resources=names)
    text = text.replace('<table border="1" class="dataframe">', "<table>")  # as the theme's
    download = f"\n[This page as a script]({script.name})\n"
    yield f"tutorials/{script.stem}.md", text + download
    yield f"tutorials/{script.name}", script.read_bytes()
    for name, content in resources["outputs"].items():
        yield f"tutorials/{name}", content
