"""The list of threats (docs/dev/security.md) names tests that exist, and what no file shows."""

import re

from tests.checkout import ROOT

PAGE = ROOT / "docs/dev/security.md"


def test_the_list_of_threats_names_tests_that_exist():
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text()))
    known = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^ *def (test_\w+)", file.read_text(), re.M)
    }
    assert len(named) > 20 and named <= known
    hostile = (ROOT / "tests/test_hostile.py").read_text()
    assert set(re.findall(r"^def (test_\w+)", hostile, re.M)) - named == set(), "not in the list"


def test_each_row_of_the_list_names_a_test():
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    assert all("`test_" in row for row in rows if not row.startswith("| read |"))


def test_no_shell_reads_names_of_files():
    rules = [*ROOT.glob("rules/*.smk"), *ROOT.glob("workflow/Snakefile"), ROOT / "Snakefile"]
    assert not [file for file in rules if re.search(r"^\s*shell:", file.read_text(), re.M)]
    code = [*ROOT.glob("src/**/*.py"), *ROOT.glob("workflow/scripts/*.py")]
    calls = r"shell=True|os\.(system|popen)|\beval\(|\bexec\(|(pickle|torch|yaml)\.load\("
    found = {
        match[0]
        for file in [*code, *rules]
        for match in re.finditer(rf"[\w.]*(?:{calls})", file.read_text())
    }
    assert {name for name in found if not name.endswith(".eval(")} == set()
