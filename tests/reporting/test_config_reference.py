"""docs/config.md is what the schema says, whole and current."""

import pytest
import yaml

from ima.reporting.config_reference import (
    REFERENCE,
    ROOT,
    described,
    leaves,
    reference,
    resolved,
    takes,
)

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
LEAVES = dict(leaves(SCHEMA, SCHEMA))


def test_it_is_current():
    assert REFERENCE.read_text() == reference(), "run: python -m ima.reporting.config_reference"


@pytest.mark.parametrize("path", LEAVES, ids=".".join)
def test_every_key_is_listed_and_described(path):
    assert f"| `{'.'.join(path)}` |" in REFERENCE.read_text()
    assert described(path, LEAVES)


def test_descriptions_are_phrases():
    for path, node in LEAVES.items():
        words = node.get("description", "")
        assert words.strip() == words and not words.endswith("."), path


def test_values_of_a_key_by_hand():
    schema = {"$defs": {"share": {"type": "number", "minimum": 0, "maximum": 1}}}
    for node, said in (
        ({"$ref": "#/$defs/share"}, "number in [0, 1]"),
        ({"type": "number", "exclusiveMinimum": 0}, "number above 0"),
        ({"type": ["integer", "null"], "minimum": 10}, "whole number from 10 or `null`"),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, "number in (0, 1)"),
        ({"enum": ["keep", "drop"]}, "`keep`, `drop`"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, "list of `a`, `b`"),
        ({"type": "array", "items": {"$ref": "#/$defs/share"}}, "list: number in [0, 1]"),
        ({"type": "boolean"}, "`true`, `false`"),
    ):
        assert takes(node, schema) == said


def test_own_words_go_before_those_referred_to():
    schema = {"$defs": {"n": {"type": "integer", "description": "a number"}}}
    assert resolved({"$ref": "#/$defs/n"}, schema)["description"] == "a number"
    own = {"$ref": "#/$defs/n", "description": "of seeds"}
    assert resolved(own, schema) == {"type": "integer", "description": "of seeds"}
