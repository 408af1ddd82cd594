"""The JSON Schema of the command's config, and its defaults.

`config.schema.json` uses the keywords in KEYWORDS only, and is generated from the workflow's schema
by `ima.reporting.config_reference`.
"""

import json
from collections.abc import Mapping
from importlib.resources import files

from ima.workflow.schema_errors import resolved

#: Keywords that `ima.workflow.schema_errors.check` knows, and those that constrain nothing.
KEYWORDS = frozenset(
    (
        *("$ref", "additionalProperties", "anyOf", "enum", "exclusiveMaximum", "exclusiveMinimum"),
        *("items", "maxItems", "maximum", "minItems", "minLength", "minimum", "pattern"),
        *("properties", "propertyNames", "required", "type", "uniqueItems"),
        *("$defs", "$schema", "default", "description", "title"),
    )
)


def read_schema() -> dict:
    """Return the JSON Schema of the command's config."""
    return json.loads(files("ima.command").joinpath("config.schema.json").read_text("utf-8"))


def fill(value: object, node: Mapping, schema: Mapping) -> None:
    """Fill in the defaults that a checked value lacks, in place."""
    node = resolved(node, schema)
    if not isinstance(value, dict):
        return
    known, others = node.get("properties", {}), node.get("additionalProperties")
    for name, inner in known.items():
        if "default" in inner and name not in value:
            value[name] = json.loads(json.dumps(inner["default"]))
    for name, inner in value.items():
        part = known.get(name, others)
        fill(inner, part if isinstance(part, Mapping) else {}, schema)
