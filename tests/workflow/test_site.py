"""The documentation site: complete, without a warning, and loads nothing from elsewhere."""

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.chromium import Chromium, find

CONFIG = ROOT / "docs/site/mkdocs.yml"
PAGES = set(re.findall(r"^ +- .+: ([\w/]+\.md)$", CONFIG.read_text(), re.M))
DOCS = ROOT / "docs"
#: What a page loads, as opposed to where its links lead.
LOADED = re.compile(r'<(?:script|img|iframe|source)\b[^>]*\bsrc="([^"]+)|<link\b[^>]*href="([^"]+)')


def test_the_navigation_has_every_page():
    texts = {file.relative_to(DOCS).as_posix() for file in DOCS.rglob("*.md")}
    tutorials = {f"tutorials/{file.stem}.md" for file in (DOCS / "tutorials").glob("*.py")}
    rooms = {f"api/{file.parent.name}.md" for file in (ROOT / "src/ima").glob("*/__init__.py")}
    assert len(tutorials) == 5 and texts | tutorials | rooms | {"index.md", "api/ima.md"} <= PAGES


@pytest.mark.parametrize("file", sorted(DOCS.rglob("*.md")), ids=lambda file: file.name)
def test_lists_follow_an_empty_line(file):
    """Else the site shows them as part of the paragraph."""
    text = re.sub(r"^```.*?^```", "", file.read_text(), flags=re.S | re.M)
    assert re.findall(r"^(?![#\s*|-]|\d+\. ).+\n(?:[*-] |1\. ).*", text, re.M) == []


def test_the_lock_adds_to_that_of_the_workflow():
    def names(lines):
        return {re.split("[=>]", line)[0].lower() for line in lines if line[:1] not in ("", "#")}

    main, site = (
        names((ROOT / f"envs/{name}.lock").read_text().splitlines())
        for name in ("requirements", "docs")
    )
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert names(extras["optional-dependencies"]["docs"]) <= site and not main & site


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built without running the tutorials."""
    if importlib.util.find_spec("mkdocs") is None:
        pytest.skip("no mkdocs: pip install --no-deps -r envs/docs.lock")
    folder = tmp_path_factory.mktemp("site")
    command = [*(sys.executable, "-m", "mkdocs", "build", "--strict", "-q"), "-f", CONFIG]
    environment = {**os.environ, "IMA_SITE_EXECUTE": "false"}
    done = subprocess.run(
        [*command, "-d", folder], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_loads_nothing_from_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert {page.relative_to(site).with_suffix(".md").as_posix() for page in pages} >= PAGES
    loaded = {a or b for page in pages for a, b in LOADED.findall(page.read_text())}
    assert loaded and not [address for address in loaded if re.match(r"\w+:|//", address)]


def test_search_works_in_files_without_a_server(site, tmp_path):
    program = find()
    if program is None:
        pytest.skip("no Chromium")
    with Chromium(program, tmp_path) as browser:
        browser.open(site / "index.html", 1200)
        browser.run("document.querySelector('[data-md-component=search-query]').focus()")
        browser.send("Input.insertText", text="concordance")
        browser.press("Shift", 16)  # the page looks at its field when a key is released
        browser.until("document.querySelectorAll('.md-search-result__item').length > 2", 60)
        assert not [url for url in browser.requests if not url.startswith(("file:", "data:"))]
        assert browser.problems == []
