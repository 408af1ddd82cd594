"""Check a config by its JSON Schema and fill in its defaults, without a package for it.

`config.schema.json` uses the keywords in KEYWORDS only, and is generated from the workflow's schema
by `ima.reporting.config_reference`.
"""

import json
import re
from collections.abc import Mapping
from importlib.resources import files

from ima.utils.errors import InputError

#: Keywords that `check` knows, and those that constrain nothing.
KEYWORDS = frozenset(
    (
        *("$ref", "additionalProperties", "anyOf", "enum", "exclusiveMaximum", "exclusiveMinimum"),
        *("items", "maxItems", "maximum", "minItems", "minLength", "minimum", "pattern"),
        *("properties", "required", "type", "uniqueItems"),
        *("$defs", "$schema", "default", "description", "title"),
    )
)
_TYPES = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": (int, float),
    "object": dict,
    "string": str,
}


def read_schema() -> dict:
    """Return the JSON Schema of the command's config."""
    return json.loads(files("ima.command").joinpath("config.schema.json").read_text("utf-8"))


def check(value: object, node: Mapping, schema: Mapping, where: str) -> None:
    """Check a value by a part of a schema.

    Args:
        value: the value.
        node: the part.
        schema: the whole schema, for its `$defs`.
        where: the value's name in messages.

    Raises:
        InputError: the value violates the schema.
    """
    node = _resolved(node, schema)
    expected = _broken(value, node)
    if expected:
        raise InputError(where, expected=expected, found=repr(value)[:100])
    if "anyOf" in node and not any(_fits(value, one, schema) for one in node["anyOf"]):
        kinds = " or ".join(one["type"] for one in node["anyOf"])
        raise InputError(where, expected=f"a valid {kinds}", found=repr(value)[:100])
    if isinstance(value, list) and "items" in node:
        for number, item in enumerate(value):
            check(item, node["items"], schema, f"{where}[{number}]")
    if isinstance(value, dict):
        _check_keys(value, node, schema, where)


def _check_keys(value: dict, node: Mapping, schema: Mapping, where: str) -> None:
    known, others = node.get("properties", {}), node.get("additionalProperties", True)
    for name in node.get("required", ()):
        if name not in value:
            raise InputError(where, expected=f"the key '{name}'", found=f"keys {list(value)}")
    for name, inner in value.items():
        if name not in known and others is False:
            raise InputError(where, expected=f"only the keys {list(known)}", found=f"'{name}'")
        part = known.get(name, others)
        check(inner, part if isinstance(part, Mapping) else {}, schema, f"{where}.{name}")


def fill(value: object, node: Mapping, schema: Mapping) -> None:
    """Fill in the defaults that a checked value lacks, in place."""
    node = _resolved(node, schema)
    if not isinstance(value, dict):
        return
    known, others = node.get("properties", {}), node.get("additionalProperties")
    for name, inner in known.items():
        if "default" in inner and name not in value:
            value[name] = json.loads(json.dumps(inner["default"]))
    for name, inner in value.items():
        part = known.get(name, others)
        fill(inner, part if isinstance(part, Mapping) else {}, schema)


def _resolved(node: Mapping, schema: Mapping) -> Mapping:
    """Return a part with its `$ref` replaced by what it refers to."""
    name = node.get("$ref", "").rpartition("/")[2]
    return {**schema["$defs"][name], **node} if name else node


def _fits(value: object, node: Mapping, schema: Mapping) -> bool:
    try:
        check(value, node, schema, "")
    except InputError:
        return False
    return True


def _broken(value: object, node: Mapping) -> str:
    """Return what a part expects of a value if the value itself violates it, else ''."""
    types = node.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(_is(value, kind) for kind in types):
        return " or ".join(types)
    if "enum" in node and value not in node["enum"]:
        return f"one of {node['enum']}"
    if isinstance(value, str):
        if not re.search(node.get("pattern", ""), value):
            return f"text of the pattern {node['pattern']}"
        return "text" if len(value) < node.get("minLength", 0) else ""
    if isinstance(value, list):
        low, high = node.get("minItems", 0), node.get("maxItems", len(value))
        if not low <= len(value) <= high:
            return f"{low} entries" + (" or more" if "maxItems" not in node else "")
        distinct = {json.dumps(item) for item in value}
        return "distinct entries" if node.get("uniqueItems") and len(distinct) < len(value) else ""
    return _out_of_range(value, node) if _is(value, "number") else ""


def _is(value: object, kind: str) -> bool:
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _out_of_range(value: float, node: Mapping) -> str:
    for keyword, fits, words in (
        ("minimum", lambda bound: value >= bound, "or more"),
        ("maximum", lambda bound: value <= bound, "or less"),
        ("exclusiveMinimum", lambda bound: value > bound, "exceeded"),
        ("exclusiveMaximum", lambda bound: value < bound, "not reached"),
    ):
        if keyword in node and not fits(node[keyword]):
            return f"{node[keyword]} {words}"
    return ""
