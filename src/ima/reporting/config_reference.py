"""docs/config.md, the reference of the config: made from its schema and the configs that there are.

python -m ima.reporting.config_reference          # writes docs/config.md
python -m ima.reporting.config_reference --check  # only says whether it is what it should be
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from ima.reporting import markdown

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "docs/config.md"
#: What differs from the demo's config, by the name of its column.
RUNS = {"open": "config/open.yaml", "paper": "config/paper.yaml"}
#: Letters of keys with their values; of longer ones only the keys are shown.
MOST = 100
#: Of a key that a config does not have.
MISSING = object()
HEAD = """# Every key of the config
Made by `python -m ima.reporting.config_reference` from the schema and the words beside it
(`workflow/schemas/`), `config/config.yaml` (the demo), `config/open.yaml` and `config/paper.yaml`;
an empty cell of the last two is the demo's value. What reruns after a change is in
[config/README.md](../config/README.md).
"""


def leaves(node: Mapping, schema: Mapping, path: tuple = ()) -> Iterator[tuple[tuple, dict]]:
    """Yield every key of the config that holds a value, with its part of the schema.

    Args:
        node: a part of the schema.
        schema: the whole of it, for its `$defs`.
        path: the names that lead to the part.
    """
    node = resolved(node, schema)
    if "properties" not in node:
        yield path, node
        return
    for name, inner in node["properties"].items():
        yield from leaves(inner, schema, (*path, name))


def resolved(node: Mapping, schema: Mapping) -> dict:
    """Return a part of the schema with what it refers to; its own words go before those."""
    found = dict(node)
    for other in (found.pop("allOf", None) or [{}])[0], found:
        name = other.get("$ref", "").rpartition("/")[2]
        if name:
            found = {**resolved(schema["$defs"][name], schema), **found}
    found.pop("$ref", None)
    return found


def takes(node: Mapping, schema: Mapping) -> str:
    """Return in words which values a key takes."""
    node = resolved(node, schema)
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    if "array" in kinds:
        items = resolved(node["items"], schema)
        said = f"list of {takes(items, schema)}" if "enum" in items else f"list: {takes(items, {})}"
    else:
        words = {"integer": "whole number", "object": "keys", "boolean": "`true`, `false`"}
        said = next(words.get(kind, kind) for kind in kinds if kind != "null")
        said += _range(node)
    return said + (" or `null`" if "null" in kinds else "")


def _range(node: Mapping) -> str:
    """Return the range of a number, as ` in [0, 1)`; '' for none."""
    low = node.get("minimum", node.get("exclusiveMinimum"))
    high = node.get("maximum", node.get("exclusiveMaximum"))
    if low is None:
        return ""
    if high is None:
        return f" from {low}" if "minimum" in node else f" above {low}"
    left, right = "[" if "minimum" in node else "(", "]" if "maximum" in node else ")"
    return f" in {left}{low}, {high}{right}"


def described(path: tuple, node: Mapping, words: Mapping[str, str]) -> str:
    """Return what a key is; '' where nothing tells.

    Args:
        path: the names that lead to it.
        node: its part of the schema, whose `description` goes first.
        words: of other keys; `layers.<name>` is of every modality's, and one of the emotion
            experiment that is not told is what its namesake is.
    """
    keys = [".".join(path), ".".join(path[1:]), f"layers.{path[-1]}"]
    known = [node.get("description"), words.get(keys[0])]
    known += [words.get(keys[1])] if path[0] == "emotion" else []
    known += [words.get(keys[2])] if "model" in path[:2] else []
    return next(filter(None, known), "").replace("<", "&lt;")


def read_words() -> dict[str, str]:
    """Return by key what it is, as far as the schema does not say it."""
    return yaml.safe_load((ROOT / "workflow/schemas/config.words.yaml").read_text())


def value_at(config: object, path: tuple) -> object:
    """Return the value of a key, MISSING where a config has none."""
    for name in path:
        config = config.get(name, MISSING) if isinstance(config, Mapping) else MISSING
    return config


def reference() -> str:
    """Return docs/config.md."""
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    configs = {"demo": "config/config.yaml", **RUNS}
    configs = {name: yaml.safe_load((ROOT / file).read_text()) for name, file in configs.items()}
    parts, section, words = [HEAD], None, read_words()
    for path, node in leaves(schema, schema):
        of = path[0] if len(path) > 1 else "The run"
        if of != section:
            section = of
            about = schema["properties"].get(section, {}).get("description", "")
            title = f"\n## {section}\n" + (f"{about[:1].upper()}{about[1:]}.\n" if about else "")
            columns = ("key", "takes", *configs, "what it is")
            parts += [title, *markdown.table(columns)]
        values = [_shown(value_at(config, path)) for config in configs.values()]
        values[0] = values[0] or _shown(node.get("default", MISSING))
        cells = [f"`{'.'.join(path)}`", takes(node, schema), *values]
        parts.append(f"| {' | '.join(cells)} | {described(path, node, words)} |")
    return "\n".join(parts) + "\n"


def _shown(value: object) -> str:
    """Return a value as it is written in YAML, in code's letters; '' for none."""
    if value is MISSING:
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    if isinstance(value, Mapping) and len(text) > MOST:
        return ", ".join(f"`{key}`" for key in value)
    return f"`{text}`"


def main(arguments: list[str] | None = None) -> int:
    """Write the reference, or say whether it is what it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; 1 if it is not current"
    )
    check = parser.parse_args(arguments).check
    text = reference()
    if not check:
        REFERENCE.write_text(text)
        return 0
    current = REFERENCE.is_file() and REFERENCE.read_text() == text
    print(
        "docs/config.md is current" if current else "run: python -m ima.reporting.config_reference"
    )
    return 0 if current else 1


if __name__ == "__main__":
    sys.exit(main())
