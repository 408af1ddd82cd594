"""Croissant metadata, which its own library accepts and reads the tables by."""

import csv
import json

import pytest

from ima.reporting import cards, croissant
from tests.checkout import ROOT

FACTS = cards.read_facts(ROOT / "config/corpora.yaml")
MANIFEST = {"files": 3, "bytes": 9, "sha256": "ab12"}
TABLE = b'run,model,a b,x,n,k\ntoy,"A, ""1""",u,0.5,2,10\ntoy,B,v,,3,\n'


def errors(metadata, folder) -> list[str]:
    """Write metadata and return the errors that mlcroissant finds."""
    mlcroissant = pytest.importorskip("mlcroissant")
    (folder / "croissant.json").write_text(json.dumps(metadata))
    try:
        mlcroissant.Dataset(folder / "croissant.json")
    except mlcroissant.ValidationError as error:
        return [line for line in str(error).splitlines() if line.startswith("  -  ")]
    return []


def test_types_are_the_narrowest():
    for values, kind in (
        (["1", "-2"], "Integer"),
        (["1", ""], "Float"),
        (["1", "2.5"], "Float"),
        (["1", "x"], "Text"),
    ):
        assert croissant._type(values) == f"sc:{kind}"


def test_a_package_names_every_column_and_checksum():
    metadata = croissant.package("toy", "Two\n files.", {"t.csv": TABLE, "m.safetensors": b"ab"})
    (table, model), (rows,) = metadata["distribution"], metadata["recordSet"]
    assert metadata["description"] == "Two files."
    # SHA-256 of b"ab"
    assert model["sha256"] == "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603"
    assert (table["contentSize"], model["contentSize"]) == (f"{len(TABLE)} B", "2 B")
    kinds = ["Text", "Text", "Text", "Float", "Integer", "Float"]
    assert [field["dataType"] for field in rows["field"]] == [f"sc:{kind}" for kind in kinds]
    heads = ["run", "model", "a b", "x", "n", "k"]
    assert [field["source"]["extract"]["column"] for field in rows["field"]] == heads
    identifiers = [field["@id"] for field in rows["field"]]
    assert len(set(identifiers)) == 6 and not any(" " in name for name in identifiers)


def test_its_library_reads_the_rows_of_a_package(tmp_path):
    (tmp_path / "t.csv").write_bytes(TABLE)
    metadata = croissant.package("toy", "A file.", {"t.csv": TABLE})
    assert errors(metadata, tmp_path) == []
    mlcroissant = pytest.importorskip("mlcroissant")
    rows = list(mlcroissant.Dataset(tmp_path / "croissant.json").records("t.csv/rows"))
    expected = list(csv.DictReader(TABLE.decode().splitlines()))
    found = [{name.partition("-")[2]: value for name, value in row.items()} for row in rows]
    assert [row["model"].decode() for row in found] == [row["model"] for row in expected]
    assert [row["n"] for row in found] == [2, 3] and found[0]["x"] == 0.5


@pytest.mark.parametrize("name", FACTS)
def test_metadata_of_each_corpus_is_valid(name, tmp_path):
    metadata = croissant.corpus(name, FACTS[name], MANIFEST, "open")
    assert metadata["url"].startswith("http") and metadata["license"] == FACTS[name]["licence"]
    assert {"name": "open: sha256", "value": "ab12"}.items() <= metadata["additionalProperty"][
        2
    ].items()
    published = {"meld": 3, "ravdess": 1}.get(name, 0)
    assert len(metadata["distribution"]) == published
    assert errors(metadata, tmp_path) == []


def test_metadata_without_checksum_is_refused(tmp_path):
    metadata = croissant.package("toy", "A file.", {"t.csv": TABLE})
    del metadata["distribution"][0]["sha256"]
    assert any("sha256" in line for line in errors(metadata, tmp_path))
