"""The command's JSON Schema is the workflow's, and is checked as the package jsonschema does it."""

import copy
import json
import math

import pytest
import yaml

from ima.command.schema import KEYWORDS, fill, read_schema
from ima.reporting.config_reference import COMMAND, command_schema
from ima.utils.errors import InputError
from ima.workflow.config import strict_validator
from ima.workflow.schema_errors import check, fits, is_type
from tests.checkout import ROOT

SCHEMA = read_schema()
FILE = {"file": "a.csv"}
OWN = {"modalities": {"a": FILE}}
#: Configs that are right, and those that are wrong, with what the error must name.
RIGHT = [
    {"own": OWN},
    {"own": OWN, "seeds": [0, 2**32 - 1], "figures": {"anything": 1}},
    {"own": OWN, "autoencoder": {"by_latent": {"2": {"epochs": 3}}}},
    {
        "own": {
            "modalities": {"a": FILE | {"vector": {"all_but": ["id"]}, "show": {"shape": [2, 3]}}}
        }
    },
    {"own": OWN | {"shares": {"test": 0.5}}, "autoencoder": {"epochs": "auto", "patience": 2}},
]
WRONG = {
    "no own": ({}, "'own'"),
    "own is null": ({"own": None}, "own: expected keys with values"),
    "unknown key": ({"own": OWN, "modell": {}}, "'modell'"),
    "unknown key within": ({"own": {"modalities": {"a": FILE | {"ids": "id"}}}}, "'ids'"),
    "no file": ({"own": {"modalities": {"a": {"id": "id"}}}}, "own.modalities.a: .*'file'"),
    "empty file name": ({"own": {"modalities": {"a": {"file": ""}}}}, "a.file"),
    "vector is a number": ({"own": {"modalities": {"a": FILE | {"vector": 3}}}}, "a.vector"),
    "a column twice": ({"own": {"modalities": {"a": FILE | {"vector": ["b", "b"]}}}}, "vector"),
    "shape of three": (
        {"own": {"modalities": {"a": FILE | {"show": {"shape": [1, 2, 3]}}}}},
        "a list of 2",
    ),
    "unknown pairing": ({"own": OWN | {"pairs": {"by": "name"}}}, "pairs.by: .*'id', 'label'"),
    "share of 1": (
        {"own": OWN | {"shares": {"test": 1}}},
        "shares.test: expected a number above 0 and below 1",
    ),
    "share of 0": ({"own": OWN | {"shares": {"test": 0}}}, "above 0"),
    "seed is true": ({"own": OWN, "seeds": [True]}, r"seeds\[0\]: expected a whole number"),
    "a seed twice": ({"own": OWN, "seeds": [1, 1]}, "distinct"),
    "no seeds": ({"own": OWN, "seeds": []}, "a list of one or more entries"),
    "latent 0": ({"own": OWN, "latents": [0]}, "a whole number from 1"),
    "latent 2.5": ({"own": OWN, "latents": [2.5]}, "a whole number"),
    "seed 1.0": ({"own": OWN, "seeds": [1.0]}, r"seeds\[0\]: expected a whole number"),
    "seed that scikit-learn refuses": ({"own": OWN, "seeds": [2**32]}, "to 4294967295"),
    "a process and a half": ({"own": OWN, "training_processes": 1.5}, "a whole number from 1"),
    "run ends with a line break": ({"own": OWN, "run": "x\n"}, "a name of letters"),
    "run has the name of a folder": ({"own": OWN, "run": "figures"}, "other than tables, figures"),
    "latent size in words": (
        {"own": OWN, "autoencoder": {"by_latent": {"two": {}}}},
        "autoencoder.by_latent: expected keys that are latent sizes, such as 2, found 'two'",
    ),
    "run is a path": ({"own": OWN, "run": "../x"}, "a name of letters"),
    "epochs in words": (
        {"own": OWN, "autoencoder": {"epochs": "many"}},
        "a whole number from 1, or 'auto'",
    ),
    "not an object": ([], "keys with values"),
}


def test_it_is_current():
    assert COMMAND.read_text() == command_schema(), "run: python -m ima.reporting.config_reference"


def keywords(node) -> set[str]:
    """Return the keywords in a part of a schema."""
    if not isinstance(node, dict):
        return set().union(*map(keywords, node)) if isinstance(node, list) else set()
    found = set(node)
    for name, inner in node.items():
        if name in ("properties", "$defs"):
            found = found.union(*map(keywords, inner.values()))
        elif name not in ("default", "enum"):
            found |= keywords(inner)
    return found


def test_every_keyword_is_checked():
    assert keywords(SCHEMA) <= KEYWORDS
    assert keywords({"properties": {"a": {"items": {"contains": {}}}}}) - KEYWORDS == {"contains"}


@pytest.mark.parametrize("config", RIGHT, ids=str)
def test_right_configs_pass(config):
    strict_validator()(SCHEMA).validate(config)
    check(config, SCHEMA, "config")


@pytest.mark.parametrize("name", WRONG)
def test_wrong_configs_are_named(name):
    config, said = WRONG[name]
    assert list(strict_validator()(SCHEMA).iter_errors(config))
    with pytest.raises(InputError, match=said):
        check(config, SCHEMA, "config")


def test_defaults_are_filled_and_nothing_else():
    config = {"own": copy.deepcopy(OWN) | {"seed": 3, "shares": {"test": 0.5}}}
    fill(config, SCHEMA, SCHEMA)
    assert config["own"]["seed"] == 3 and config["own"]["fusion"] == "importance"
    assert config["own"]["shares"] == {"test": 0.5, "validation": 0.2}
    assert config["own"]["modalities"] == {"a": FILE}


def test_schema_equals_the_workflows_part():
    """Of the keys that a user may give, in both directions."""
    workflow = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    assert set(SCHEMA["properties"]) == set(workflow["properties"])
    assert SCHEMA["properties"]["own"]["properties"].keys() == (
        workflow["$defs"]["own"]["properties"].keys()
    )
    example = yaml.safe_load((ROOT / "config/own.yaml").read_text())
    check(json.loads(json.dumps(example)), SCHEMA, "config/own.yaml")


@pytest.mark.parametrize(
    ("value", "kind", "is_one"),
    [
        *((2, "integer", True), (2.0, "integer", False), (True, "integer", False)),
        *((2.5, "number", True), (10**400, "number", True), (True, "number", False)),
        *((math.nan, "number", False), (math.inf, "number", False), ("2", "number", False)),
        *((False, "boolean", True), (0, "boolean", False), ("", "string", True)),
    ],
)
def test_types_are_strict(value, kind, is_one):
    assert is_type(value, kind) is is_one


@pytest.mark.parametrize(
    ("pattern", "text", "does"),
    [("^a$", "a", True), ("^a$", "a\n", False), ("^a", "a\n", True), ("a", "ba", True)],
)
def test_a_pattern_ends_where_the_text_ends(pattern, text, does):
    assert fits(pattern, text) is does
