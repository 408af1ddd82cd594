"""A run that lacks a corpus says so before anything is made: which, where it is got, what runs."""

import pytest
import yaml

from ima.utils.errors import InputError
from ima.workflow.corpora import SOURCES, check_corpora
from tests.checkout import ROOT, Checkout, merged, plans


def test_existing_corpora_pass(tmp_path):
    check_corpora({"mnist": tmp_path, "lexicon": __file__})


def test_exactly_the_missing_corpora_are_named(tmp_path):
    with pytest.raises(InputError) as error:
        check_corpora({"mnist": tmp_path, "ti46": tmp_path / "a", "tidigits": "b"})
    said = str(error.value)
    assert f"TI46 (LDC93S9) at {tmp_path / 'a'}" in said and "TIDIGITS (LDC93S10) at b" in said
    assert "MNIST" not in said
    assert "config/open.yaml" in said and "without --configfile" in said
    assert "`digits`" not in said  # it is digits that lack


@pytest.mark.parametrize(
    "corpus", [name for name in SOURCES if "downloaded" not in SOURCES[name][1]]
)
def test_docs_name_each_source(corpus):
    words = SOURCES[corpus][0].split(" ")[0].split("'")[0]
    assert words in (ROOT / "docs/data.md").read_text()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return Checkout(tmp_path_factory.mktemp("checkout"))


def plan(checkout, file, targets, **more):
    config = yaml.safe_load((ROOT / "config" / file).read_text())
    return plans([(checkout.folder, merged(config, more))], targets)[0]


@pytest.mark.parametrize(
    ("file", "target", "said"),
    [
        ("paper.yaml", "digits", ["TIDIGITS", "TI46", "Data Consortium", "config/open.yaml"]),
        ("paper.yaml", "emotion", ["IEMOCAP", "GloVe", "LIWC", "config/open.yaml", "`digits`"]),
    ],
)
def test_a_plan_without_its_corpora(checkout, file, target, said):
    with pytest.raises(RuntimeError) as error:
        plan(checkout, file, [target])
    assert [word for word in said if word not in str(error.value)] == []


@pytest.mark.parametrize(
    ("target", "made", "corpora"),
    [("digits", "table1", ["mnist", "fsdd"]), ("emotion", "table2", ["ravdess", "meld"])],
)
def test_open_corpora_are_planned_without_a_folder(checkout, target, made, corpora):
    """They are downloaded."""
    planned = plan(checkout, "open.yaml", [target])
    assert made in planned.rules()
    found = {job["wildcards"]["corpus"] for job in planned.of_rules(["download"])}
    assert found == set(corpora)


def test_a_named_folder_that_is_missing_is_not_downloaded(checkout):
    with pytest.raises(RuntimeError, match="RAVDESS, speech at elsewhere"):
        plan(checkout, "open.yaml", ["emotion"], roots={"ravdess": "elsewhere"})


def test_missing_corpora_stop_only_their_targets(checkout, tmp_path):
    for corpus in ("tidigits", "ti46"):
        (tmp_path / corpus).mkdir()
    assert "table1" in plan(checkout, "paper.yaml", ["digits"], raw=str(tmp_path)).rules()
