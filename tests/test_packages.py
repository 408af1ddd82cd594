"""The locked packages: their hashes, licences and bill of materials."""

import csv
import re
import runpy

import pytest

from tests.checkout import ROOT

#: Licences that allow this use. Of the last line, the user must know (docs/dev/packages.md).
ALLOWED = {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC"}
ALLOWED |= {"MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PDDL-1.0", "PSF-2.0", "Zlib", "LLVM-exception"}
ALLOWED |= {"LGPL-2.1-only", "LGPL-2.1-or-later"}
NAMED = {"GPL-3.0-or-later", "LicenseRef-openSMILE", "LicenseRef-NRC-Emotion-Lexicon"}
NAMED |= {"LicenseRef-unstated"}


@pytest.fixture
def packages(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "envs"))
    return runpy.run_path(str(ROOT / "envs/packages.py"))


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_pin_of_the_lock_has_hashes(packages):
    text = (ROOT / "envs/hashed.lock").read_text()
    entries = re.findall(
        r"^([\w.-]+)==(\S+) ((?:\\\n +--hash=sha256:[0-9a-f]{64} ?)+)$", text, re.M
    )
    pins = {plain(name): version for name, version in packages["pins"]().items()}
    del pins["torch"]  # each build of a version has other files (docs/dev/packages.md)
    assert {name: version for name, version, _ in entries} == pins
    assert text.count("--hash=") == sum(of.count("--hash=") for _, _, of in entries)


def test_licences_are_those_of_the_installed_packages(packages):
    assert packages["table"]() == (ROOT / "envs/licences.csv").read_text(), (
        "run: python3.11 envs/run.py python envs/packages.py"
    )


def test_licences_are_allowed_or_named():
    rows = list(csv.DictReader((ROOT / "envs/licences.csv").open()))
    found = {row["package"]: set(re.split(r" (?:AND|OR|WITH) ", row["licence"])) for row in rows}
    other = {name: of - ALLOWED for name, of in found.items() if of - ALLOWED}
    assert set().union(*other.values()) == NAMED
    page = (ROOT / "docs/dev/packages.md").read_text()
    assert all(f"`{name}`" in page for name in other)


def test_the_bill_of_materials_lists_every_package(packages):
    bill = packages["sbom"]()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    found = {part["name"]: part["version"] for part in bill["components"]}
    assert found == packages["pins"]()
    purls = {part["purl"] for part in bill["components"]}
    assert "pkg:pypi/ast-serialize@" + found["ast_serialize"] in purls
    assert set(bill["dependencies"][0]["dependsOn"]) == purls and len(purls) == len(found)
    assert bill == packages["sbom"]()
