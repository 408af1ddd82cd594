"""Write a config for files, by the names and types of their columns."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ima.datasets.splits import SPLITS
from ima.datasets.user import boolean
from ima.datasets.user_files import MATRIX, index_names, is_annotated, read_table
from ima.utils.atomic_files import whole_file
from ima.utils.errors import InputError
from ima.workflow.user_config import LATENT, check_name

#: Possible names of the label column, in lower case and in order of preference.
LABELS = ("label", "class", "category", "target")
#: Shares of pairs for test, and of the rest for validation.
SHARES = {"test": 0.2, "validation": 0.2}

#: A line of a config: its section, key, value and comment. A comment alone has no key.
Line = tuple[tuple[str, ...], str, Any, str]


def init(files: Sequence[Path], path: Path, force: bool) -> str:
    """Write a config for files, one per modality, and return what was written.

    Args:
        files: the files, which `ima.datasets.user_files.read_table` can read.
        path: the config, a .toml, .yaml or .yml file, whose name is that of the run.
        force: whether to overwrite it.

    Raises:
        InputError: there are fewer than two files, one cannot be read or has no numbers, the
            config exists, or its name cannot be that of a run.
    """
    kind = path.suffix.lower()
    if kind not in (".toml", ".yaml", ".yml") or not re.fullmatch(r"[A-Za-z0-9_-]+", path.stem):
        expected = "a .toml or .yaml file named by letters, digits, _ and -"
        raise InputError("--config", expected=expected, found=path)
    refuse_existing([path], force)
    if len(files) < 2:
        raise InputError("files", expected="two or more, one per modality", found=len(files))
    lines = list(_lines(_guesses(files), path))
    text = _toml(lines) if kind == ".toml" else _yaml(lines)
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return f"{path}: a config for {len(files)} modalities. Look through it, then: ima check {path}"


def refuse_existing(paths: Sequence[Path], force: bool) -> None:
    """Raise InputError if a file exists that is not to be overwritten."""
    existing = [path for path in paths if path.exists()]
    if existing and not force:
        do = "Use --force to overwrite it, or --out for another folder."
        do = do if len(existing[0].parts) > 1 else "Use --force to overwrite it."
        raise InputError(
            existing[0], expected="a path without a file", found="an existing file", do=do
        )


def _guesses(files: Sequence[Path]) -> dict[str, tuple[dict[str, Any], str]]:
    """Return the options of each modality by name, and a comment on its file."""
    guesses: dict[str, tuple[dict[str, Any], str]] = {}
    for file in files:
        name = base = _name(file)
        number = 2
        while name in guesses:
            name, number = f"{base}_{number}", number + 1
        guesses[name] = _guess(file)
    if not all("noise" in options for options, _ in guesses.values()):
        for options, _ in guesses.values():  # for all modalities or none
            options.pop("noise", None)
    return guesses


def _name(file: Path) -> str:
    """Return a name for a file's modality that `check_name` accepts."""
    stem = file.name.partition(".")[0].lower()
    name = re.sub(r"[^a-z0-9]+", "_", stem).strip("_") or "modality"
    try:
        check_name(name)
    except InputError:
        return f"my_{name.removesuffix('_noise')}"
    return name


def _guess(file: Path) -> tuple[dict[str, Any], str]:
    """Return the options of a modality's file, and a comment on its content."""
    table = read_table(file)
    columns = [name for name in table.column_names if name not in index_names(table)]
    by_lower = {name.lower(): name for name in reversed(columns)}
    options: dict[str, Any] = {"file": str(file)}
    for key, names in (("id", ("id",)), ("label", LABELS), ("split", ("split",))):
        column = next((by_lower[name] for name in names if name in by_lower), None)
        if column and (key != "split" or _is_split(table[column])):
            options[key] = column
    if "noise" in by_lower and _is_noise(table[by_lower["noise"]]):
        options["noise"] = by_lower["noise"]
    used = {column for key, column in options.items() if key != "file"}
    free = [name for name in columns if name not in used]
    vector, unused = _vector(table, free, file)
    if vector is not None:
        options["vector"] = vector
    comment = f"{len(table):,} rows"
    return options, comment + (f"; not used: {', '.join(unused[:5])}" if unused else "")


def _vector(table: pa.Table, free: Sequence[str], file: Path) -> tuple[Any, list[str]]:
    """Return `vector` for a file, None for the default, and the columns that it leaves out."""
    if is_annotated(file):
        return None, []
    kinds = {name: table.schema.field(name).type for name in free}
    lists = [n for n, kind in kinds.items() if pa.types.is_nested(kind)]
    if lists:
        chosen = MATRIX if MATRIX in lists else lists[0]
        unused = [name for name in free if name != chosen]
        return (None if chosen == MATRIX else chosen), unused
    not_numeric = [n for n, kind in kinds.items() if not _is_number(kind)]
    if len(not_numeric) == len(free):
        expected = "numeric columns, or a column of lists of numbers"
        raise InputError(file, expected=expected, found=f"columns {table.column_names[:12]}")
    return ({"all_but": not_numeric} if not_numeric else "all"), not_numeric


def _is_number(kind: pa.DataType) -> bool:
    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(is_kind(kind) for is_kind in numbers)


def _is_split(values: pa.ChunkedArray) -> bool:
    return set(pc.unique(values).to_pylist()) <= set(SPLITS)


def _is_noise(values: pa.ChunkedArray) -> bool:
    try:
        return not values.null_count and len(boolean(values.combine_chunks(), "")) > 0
    except InputError:
        return False


def _lines(guesses: Mapping[str, tuple[dict[str, Any], str]], path: Path) -> Iterator[Line]:
    """Yield the lines of a config."""
    yield (), "", None, f"Config of the run {path.stem}, for: ima check {path}"
    yield (), "", None, "File names are relative to the folder in which you run `ima`."
    yield (), "run", path.stem, "folder of the results"
    yield (), "latents", [LATENT], "size of the representation"
    yield (), "seeds", [0, 1], "one model each; two show whether the importances are stable"
    for name, (options, comment) in guesses.items():
        section = ("own", "modalities", name)
        yield section, "", None, comment
        if "label" not in options:
            comment = "`label`, `split` and `noise` may name columns; without labels, scores that"
            yield section, "", None, f"{comment} need them are left out"
        for key, value in options.items():
            yield section, key, value, ""
    yield ("own", "pairs"), "by", "id", "items with the same id belong together; or label, or file"
    yield ("own", "shares"), "test", SHARES["test"], "share of the pairs for the report"
    yield ("own", "shares"), "validation", SHARES["validation"], "share of the rest"


def _toml(lines: Sequence[Line]) -> str:
    text, section = "", ()
    for new, key, value, comment in lines:
        if new != section:
            text, section = f"{text}\n[{'.'.join(new)}]\n", new
        literal = json.dumps(value)
        if isinstance(value, dict):
            literal = "{ " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in value.items()) + " }"
        text += _line(f"{key} = {literal}" if key else "", comment)
    return text


def _yaml(lines: Sequence[Line]) -> str:
    text, section = "", ()
    for new, key, value, comment in lines:
        shared = next((i for i, (a, b) in enumerate(zip(new, section, strict=False)) if a != b), 0)
        for depth in range(shared if new != section else len(new), len(new)):
            text += f"{'  ' * depth}{new[depth]}:\n"
        section, indent = new, "  " * len(new)
        text += indent + _line(f"{key}: {json.dumps(value)}" if key else "", comment)
    return text


def _line(text: str, comment: str) -> str:
    return f"{text}  # {comment}\n".removeprefix("  ") if comment else f"{text}\n"
