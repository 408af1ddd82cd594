"""One line about a value that violates the config's JSON Schema, for the workflow and the command.

The workflow finds violations with the package jsonschema, the command without it (`check`).
"""

import difflib
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ima.utils.errors import InputError

#: Where all keys are described.
_DOCS = "docs/config.md lists all keys."
#: Maximum number of known keys or characters of a value in a message.
_KEYS, _VALUE = 12, 100
#: What the patterns of the schema stand for.
PATTERNS = {
    "^auto$": "'auto'",
    "^(?!(tables|figures|cards|example)$)[A-Za-z0-9_-]+$": (
        "a name of letters, digits, _ and -, other than tables, figures, cards and example"
    ),
    "^(?!(scores|classify)(_|$))[A-Za-z0-9_]+$": (
        "names of letters, digits and _ that do not begin with scores_ or classify_, which logs of"
        " other rules have"
    ),
    "^(?!(anchors|table)(_|$))[a-z0-9][a-z0-9_+-]*$": (
        "names of lower-case letters, digits, _, + and - that do not begin with anchors_ or"
        " table_, which logs of other rules have"
    ),
    "^[1-9][0-9]*$": "keys that are latent sizes, such as 2",
    r"^[^:]+:[A-Za-z_]\w*$": "FILE.py:NAME or MODULE:NAME",
}
_TYPES = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": (int, float),
    "object": dict,
    "string": str,
}
#: Phrases for the bounds of numbers. The first two are for a minimum and a maximum.
_BOUNDS = {
    "minimum": "from {}",
    "maximum": "up to {}",
    "exclusiveMinimum": "above {}",
    "exclusiveMaximum": "below {}",
}


class Violation(NamedTuple):
    """A value that violates a keyword of a part of the schema.

    Attributes:
        path: keys and indices that lead to the value.
        keyword: the keyword, such as `type`.
        value: the value.
        node: the part of the schema, without `$ref`.
    """

    path: tuple
    keyword: str
    value: Any
    node: Mapping


def error_of(violation: Violation, where: str, schema: Mapping) -> InputError:
    """Return the error for a violation.

    Args:
        violation: the violation.
        where: the config's name in the message.
        schema: the whole schema, for its `$defs`.
    """
    path, keyword, value, node = violation
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    where = f"{where}, {key.removeprefix('.')}" if path else where
    if keyword in ("additionalProperties", "required") and (unknown := _unknown(value, node)):
        known = list(node.get("properties", {}))
        found = ", ".join(map(repr, unknown[:5]))
        return InputError(where, expected="a known key", found=found, do=_advice(unknown, known))
    if keyword == "required":
        missing = next(name for name in node["required"] if name not in value)
        return InputError(where, expected=f"the key '{missing}'", found="no such key", do=_DOCS)
    unique = keyword == "uniqueItems"
    expected = "distinct entries" if unique else _expectation(node, schema, value)
    return InputError(where, expected=expected, found=_shown(value), do=_meant(value, node))


def _unknown(value: Mapping, node: Mapping) -> list[str]:
    """Return the keys of a value that a part of a schema does not allow."""
    if node.get("additionalProperties") is not False:
        return []
    return [name for name in value if name not in node.get("properties", {})]


def _advice(unknown: list[str], known: list[str]) -> str:
    """Return which keys may be meant, or which there are."""
    if meant := _close(unknown, known):
        return meant
    return f"The keys are {', '.join(known)}." if 0 < len(known) <= _KEYS else _DOCS


def _meant(value: object, node: Mapping) -> str:
    """Return which value of an enumeration may be meant, '' without any."""
    known = [name for name in node.get("enum", ()) if isinstance(name, str)]
    return _close([value], known) if isinstance(value, str) else ""


def _close(names: list[str], known: list[str]) -> str:
    """Return which known names may be meant by others, '' without any."""
    matches = [difflib.get_close_matches(str(name), known, 1) for name in names]
    meant = ", ".join(repr(match[0]) for match in matches if match)
    return f"Did you mean {meant}?" if meant else ""


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _VALUE else f"{text[:_VALUE]} ..."


def _expectation(node: Mapping, schema: Mapping, value: object) -> str:
    """Return a phrase for the values that a part of a schema allows, for one that it does not."""
    node = resolved(node, schema)
    if "anyOf" in node:
        return ", or ".join(_expectation(part, schema, value) for part in node["anyOf"])
    if node.get("not") == {}:
        return "no such key"
    if "enum" in node:
        one_of = "one of " if len(node["enum"]) > 1 else ""
        return one_of + ", ".join(map(repr, node["enum"]))
    if "const" in node:
        return repr(node["const"])
    types = node.get("type", ["string"] if "pattern" in node else [])
    phrases = [_of_type(kind, node, schema, value) for kind in _listed(types)]
    but = node["not"].get("const") if "not" in node else None
    return (", or ".join(phrases) or "another value") + (f", other than {but}" if but else "")


def _listed(types: object) -> list[str]:
    return [types] if isinstance(types, str) else list(types)


def _of_type(kind: str, node: Mapping, schema: Mapping, value: object) -> str:
    """Return a phrase for the values of a type that a part of a schema allows."""
    if kind in ("integer", "number"):
        noun = "a whole number" if kind == "integer" else "a number"
        if node.get("multipleOf", 1) != 1:
            noun += f" divisible by {node['multipleOf']}"
        bounds = [text.format(node[key]) for key, text in _BOUNDS.items() if key in node]
        return " ".join([noun, " and ".join(bounds).replace(" and up to ", " to ")]).rstrip()
    if kind == "string":
        if "pattern" in node:
            return PATTERNS.get(node["pattern"], f"text of the pattern {node['pattern']}")
        return "text that is not empty" if node.get("minLength") else "text"
    if kind == "array":
        return _list_phrase(node, schema, value)
    names = {"boolean": "true or false", "null": "null", "object": "keys with values"}
    return names[kind]


def _list_phrase(node: Mapping, schema: Mapping, value: object) -> str:
    """Return a phrase for the lists that a part of a schema allows."""
    low, high = node.get("minItems", 0), node.get("maxItems")
    size = f" of {low}" if low == high and low else f" of {low} or more" if low > 1 else ""
    if low == 1 and value == []:
        size = " of one or more entries"
    if "contains" in node and isinstance(value, list):
        size += f" with {_expectation(node['contains'], schema, value)}"
    is_item = not isinstance(value, list) and next(
        violations(value, node.get("items", {}), schema), None
    )
    example = "" if isinstance(value, list) or is_item else f", such as {[value]}"
    return f"a list{size}{example}"


def check(value: object, schema: Mapping, where: str) -> None:
    """Check a config by a JSON Schema of the keywords in `ima.command.schema.KEYWORDS`.

    Args:
        value: the config.
        schema: the schema.
        where: the config's name in messages.

    Raises:
        InputError: the config violates the schema.
    """
    violation = next(violations(value, schema, schema), None)
    if violation is not None:
        raise error_of(violation, where, schema)


def violations(
    value: object, node: Mapping, schema: Mapping, path: tuple = ()
) -> Iterator[Violation]:
    """Yield what in a value violates a part of a schema.

    Args:
        value: the value.
        node: the part.
        schema: the whole schema, for its `$defs`.
        path: keys and indices that lead to the value.
    """
    node = resolved(node, schema)
    if keyword := _broken(value, node):
        yield Violation(path, keyword, value, node)
    elif "anyOf" in node:
        yield from _of_any(value, node, schema, path)
    if isinstance(value, list) and "items" in node:
        for number, item in enumerate(value):
            yield from violations(item, node["items"], schema, (*path, number))
    if isinstance(value, dict):
        known, others = node.get("properties", {}), node.get("additionalProperties")
        for name, inner in value.items():
            yield from violations(name, node.get("propertyNames", {}), schema, path)
            part = known.get(name, others)
            yield from violations(
                inner, part if isinstance(part, Mapping) else {}, schema, (*path, name)
            )


def _of_any(value: object, node: Mapping, schema: Mapping, path: tuple) -> Iterator[Violation]:
    """Yield what violates `anyOf`: within its part of the value's type, if there is one."""
    found = [list(violations(value, part, schema, path)) for part in node["anyOf"]]
    if all(found):
        typed = [some for some in found if some[0].keyword not in ("type", "enum")]
        yield from typed[0] if typed else [Violation(path, "anyOf", value, node)]


def resolved(node: Mapping, schema: Mapping) -> Mapping:
    """Return a part of a schema with its `$ref` replaced by what it refers to."""
    name = node.get("$ref", "").rpartition("/")[2]
    return {**schema["$defs"][name], **node} if name else node


def _broken(value: object, node: Mapping) -> str:
    """Return the keyword of a part of a schema that the value itself violates, else ''."""
    if "type" in node and not any(is_type(value, kind) for kind in _listed(node["type"])):
        return "type"
    if "enum" in node and value not in node["enum"]:
        return "enum"
    if isinstance(value, str):
        if not fits(node.get("pattern", ""), value):
            return "pattern"
        return "minLength" if len(value) < node.get("minLength", 0) else ""
    if isinstance(value, list):
        distinct = {json.dumps(item, default=str) for item in value}
        if node.get("uniqueItems") and len(distinct) < len(value):
            return "uniqueItems"
        low, high = node.get("minItems", 0), node.get("maxItems", len(value))
        return "" if low <= len(value) <= high else "minItems"
    if isinstance(value, dict):
        missing = set(node.get("required", ())) - set(value)
        return "additionalProperties" if _unknown(value, node) else "required" if missing else ""
    return "minimum" if is_type(value, "number") and not _in_range(value, node) else ""


def is_type(value: object, kind: str) -> bool:
    """Return whether a value has a type of JSON Schema.

    Unlike there, 2.0 is no integer, because file names would contain `2.0`, and infinity and NaN
    are no numbers.
    """
    if isinstance(value, bool):
        return kind == "boolean"
    unbounded = isinstance(value, float) and not math.isfinite(value)
    return isinstance(value, _TYPES[kind]) and not unbounded


def fits(pattern: str, text: str) -> bool:
    """Return whether a text fits a pattern of JSON Schema, in which `$` is the end of the text.

    Python's `$` also matches before a final line break.
    """
    return re.search(re.sub(r"\$$", r"\\Z", pattern), text) is not None


def _in_range(value: float, node: Mapping) -> bool:
    return (
        ("minimum" not in node or value >= node["minimum"])
        and ("maximum" not in node or value <= node["maximum"])
        and ("exclusiveMinimum" not in node or value > node["exclusiveMinimum"])
        and ("exclusiveMaximum" not in node or value < node["exclusiveMaximum"])
    )
