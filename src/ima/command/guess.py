"""Write a config for files, by the names and types of their columns."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ima.command.columns import (
    FEW,
    Vector,
    few_valued,
    has_fractions,
    is_unique_text,
    listed,
    may_be_ids,
    mostly_numbers,
    same_classes,
    vector_of,
)
from ima.command.counts import counted
from ima.command.schema import read_schema
from ima.datasets.splits import SPLITS
from ima.datasets.user import boolean
from ima.datasets.user_files import (
    INDEX,
    index_column,
    index_names,
    is_annotated,
    read_table,
)
from ima.utils.atomic_files import whole_file
from ima.utils.errors import InputError, first_few, printable, within
from ima.workflow.schema_errors import PATTERNS, fits
from ima.workflow.user_config import LATENT, check_name

#: Possible names of the label column, in lower case and in order of preference.
LABELS = ("label", "labels", "class", "classes", "category", "target", "targets")
#: What a column called `split` is that has other values.
NO_SPLIT = "not a split"
#: Share of ids that files of the same items have in common, at least.
SAME = 0.5
#: Names of columns that have another meaning than ids.
RESERVED = (*LABELS, "split", "noise")
#: Number of unused columns that are named.
SHOWN = 5
#: Shares of pairs for test, and of the rest for validation.
SHARES = {"test": 0.2, "validation": 0.2}

#: A line of a config: its section, key, value and comment. A comment alone has no key.
Line = tuple[tuple[str, ...], str, Any, str]


class Guess(NamedTuple):
    """What is guessed of a modality's file.

    Attributes:
        options: the options of the modality in the config.
        about: the file's content and what it is used for, in a line.
        notes: what is not used, or may be meant otherwise.
        source: where ids come from: `column`, `index`, `text` (a column of distinct texts that is
            not called `id`) or `rows`.
    """

    options: dict[str, Any]
    about: str
    notes: list[str]
    source: str


def init(files: Sequence[Path], path: Path, force: bool) -> list[str]:
    """Write a config for files, one per modality, and return the lines to print.

    Args:
        files: the files, which `ima.datasets.user_files.read_table` can read.
        path: the config, a .toml, .json, .yaml or .yml file, whose name is that of the run.
        force: whether to overwrite it.

    Returns:
        For each file, a line on what it is used for and indented notes on what is not used; and a
        line on the config.

    Raises:
        InputError: there are fewer than two files, one cannot be read or has no numbers, the
            config exists, or its name cannot be that of a run.
    """
    writer, name_of_run = _WRITERS.get(path.suffix.lower()), read_schema()["properties"]["run"]
    if writer is None or not fits(name_of_run["pattern"], path.stem):
        expected = f"a .toml, .json or .yaml file with {PATTERNS[name_of_run['pattern']]}"
        raise InputError("--config", expected=expected, found=path)
    refuse_existing([path], force)
    if len(files) < 2:
        raise InputError("files", expected="two or more, one per modality", found=len(files))
    guesses = _guesses(files)
    with whole_file(path) as temporary:
        temporary.write_text(writer(list(_lines(guesses, path))), encoding="utf-8")
    lines = []
    for name, guess in guesses.items():
        lines += [f"{name} ({guess.options['file']}): {guess.about}"]
        lines += [f"  {note}" for note in guess.notes]
    end = f"a config for {len(files)} modalities. Look through it, then: ima check {path}"
    return [printable(line) for line in (*lines, f"{path}: {end}")]


def refuse_existing(paths: Sequence[Path], force: bool) -> None:
    """Raise InputError if a file exists that is not to be overwritten."""
    existing = [path for path in paths if path.exists()]
    if existing and not force:
        do = "Use --force to overwrite it, or --out for another folder."
        do = do if len(existing[0].parts) > 1 else "Use --force to overwrite it."
        raise InputError(
            existing[0], expected="a path without a file", found="an existing file", do=do
        )


def _guesses(files: Sequence[Path]) -> dict[str, Guess]:
    """Return what is guessed of each modality's file, by name."""
    for file in files:
        if not file.exists():
            raise InputError(file, expected="a file", found="no file", do="Correct the path.")
    tables = [read_table(file) for file in files]
    ids = _common_ids(tables)
    found = [_guess(file, table, ids) for file, table in zip(files, tables, strict=True)]
    if {"rows", "text"} <= {guess.source for guess in found}:  # texts are no row numbers
        found = [
            _guess(file, table, texts_are_ids=False)
            for file, table in zip(files, tables, strict=True)
        ]
    if not all("noise" in guess.options for guess in found):
        for guess in found:
            _drop_noise(guess)
    guesses: dict[str, Guess] = {}
    for file, guess in zip(files, found, strict=True):
        name = base = _name(file)
        number = 2
        while name in guesses:
            name, number = f"{base}_{number}", number + 1
        guesses[name] = guess
    return guesses


def _drop_noise(guess: Guess) -> None:
    """Leave out a column of flags, which must be there for all modalities or none."""
    column = guess.options.pop("noise", None)
    vector = guess.options.get("vector")
    if column and (vector == "all" or isinstance(vector, dict)):  # or it would be a dimension
        others = [] if vector == "all" else vector["all_but"]
        guess.options["vector"] = {"all_but": [*others, column]}
    if column:
        guess.notes.append(f"'{column}' is not used: other files have no flags of noise")


def _name(file: Path) -> str:
    """Return a name for a file's modality that `check_name` accepts."""
    stem = file.name.partition(".")[0].lower()
    name = re.sub(r"[^a-z0-9]+", "_", stem).strip("_") or "modality"
    try:
        check_name(name)
    except InputError:
        return f"my_{name.removesuffix('_noise')}"
    return name


def _common_ids(tables: Sequence[pa.Table]) -> str:
    """Return the column of all files whose values look like ids of the same items; '' if none does.

    Its values are texts or whole numbers, nearly all distinct (`ima check` names those that are
    not), and most of those of each file are also in the first.
    """
    named = ("id" in map(str.lower, table.column_names) for table in tables)
    if any(named) or any(index_names(table) & set(table.column_names) for table in tables):
        return ""
    for name in tables[0].column_names:
        if name.lower() in RESERVED or not all(name in table.column_names for table in tables):
            continue
        values = [table[name] for table in tables]
        if not all(may_be_ids(of) for of in values):
            continue
        first, *others = (of.cast(pa.string()).unique() for of in values)
        known = (pc.mean(pc.is_in(of, value_set=first)).as_py() for of in others)
        if all(share >= SAME for share in known):
            return name
    return ""


def _guess(file: Path, table: pa.Table, ids: str = "", texts_are_ids: bool = True) -> Guess:
    """Return what is guessed of a modality's file.

    Args:
        file: the file.
        table: its content.
        ids: the column of ids, if it is not called `id`; '' if it is to be guessed.
        texts_are_ids: whether a column of distinct texts may be the ids if there are no others.

    Raises:
        InputError: the file has no numbers, or an index that cannot be one.
    """
    columns = [name for name in table.column_names if name not in index_names(table)]
    named, notes, no_features = _named(table, columns)
    named = {"id": ids, **named} if ids in columns else named
    options = {"file": str(file), **named}
    free = [name for name in columns if name not in named.values()]
    source, ids = ("column", "id") if "id" in options else _ids(table, free, file)
    if source == "text" and texts_are_ids:
        options["id"] = ids
    elif source == "text":
        notes.append(f"'{ids}' has distinct values: if they are ids, set id = \"{ids}\"")
        source, ids = "rows", "row numbers"
    free = [name for name in free if name != options.get("id")]
    if "label" in options:
        copies = same_classes(table, options["label"], free)
        others = vector_of(table, free, file, no_features).names
        if set(others) - set(copies):  # or they are all that describes the items
            no_features |= dict.fromkeys(copies, f"the same as '{options['label']}'")
    vector = vector_of(table, free, file, no_features)
    if vector.selection is not None:
        options["vector"] = vector.selection
    column = f" ({vector.selection})" if vector.selection and not vector.names else ""
    about = f"{counted(len(table), 'row')}, {counted(vector.size, 'dimension')}{column}"
    about += f"; id: {options.get('id', ids)}, label: {options.get('label', 'none')}"
    about += f", split: {options.get('split', 'drawn')}"
    if source == "rows" and len(table) > FEW:
        numbers = (n for n in vector.names if pa.types.is_integer(table.schema.field(n).type))
        if name := next((n for n in numbers if may_be_ids(table[n])), ""):
            notes.append(f"'{name}' is used as a feature: if it has ids, set id = \"{name}\"")
    return Guess(options, about, [*_left_out(table, vector, "label" in options), *notes], source)


def _named(
    table: pa.Table, columns: Sequence[str]
) -> tuple[dict[str, str], list[str], dict[str, str]]:
    """Return the options that follow from names of columns, and notes on those that cannot be used.

    Also return what columns are that have such a name, but are not used: they are no features.
    """
    by_lower = {name.lower(): name for name in reversed(columns)}
    options: dict[str, str] = {}
    notes, no_features = [], {}
    for key, names in (("id", ("id",)), ("label", LABELS), ("split", ("split",))):
        column = next((by_lower[name] for name in names if name in by_lower), None)
        others = _no_splits(table[column]) if column and key == "split" else []
        if column and key == "label" and has_fractions(table[column]):
            notes.append(f"'{column}' is not used: it has fractions, and labels are classes")
            no_features[column] = "fractions"
        elif column and not others:
            options[key] = column
        elif column:
            found = "rows without a split" if others == [None] else listed(others)
            notes.append(f"'{column}' is not used: it has {found}; splits are {listed(SPLITS)}")
            no_features[column] = NO_SPLIT
    more = [by_lower[name] for name in LABELS if name in by_lower]
    if "label" in options:
        no_features |= {name: "another label" for name in more if name != options["label"]}
    if "noise" in by_lower and _is_noise(table[by_lower["noise"]]):
        options["noise"] = by_lower["noise"]
    return options, notes, no_features


def _ids(table: pa.Table, free: Sequence[str], file: Path) -> tuple[str, str]:
    """Return where ids come from, a `source` of `Guess`, and the column or a phrase."""
    if "id" in table.column_names:  # it is the index
        return "column", "id"
    with within(file):
        index = index_column(table)
    if index is not None:
        unnamed = INDEX in table.column_names and not is_annotated(file)
        return "index", "the unnamed first column" if unnamed else "the index"
    texts = (name for name in free if is_unique_text(table[name]))
    return ("text", text) if (text := next(texts, "")) else ("rows", "row numbers")


def _left_out(table: pa.Table, vector: Vector, labelled: bool) -> list[str]:
    """Return notes on columns that are not used, and on features that may be labels."""
    notes = []
    if vector.unused:
        names = (f"{name} ({why})" for name, why in vector.unused.items())
        notes.append(f"not used: {first_few(names, SHOWN)}")
    for name in list(vector.unused)[:SHOWN]:
        if words := mostly_numbers(table[name]):
            notes.append(f"'{name}' has numbers, but also words: {listed(words)}")
    few = {} if labelled else few_valued(table, vector)
    few = {name: number for name, number in few.items() if vector.unused.get(name) != NO_SPLIT}
    if len(few) == 1:
        (name, number), *_ = few.items()
        used = " and is used as a feature" if name in vector.names else ""
        notes.append(
            f"'{name}' has {number} values{used}: if it is a label, set label = \"{name}\""
        )
    elif few:
        used = [name for name in few if name in vector.names]
        notes.append(
            f"{listed(few)} have few values"
            + (f" ({listed(used)}: used as features)" if used else "")
            + ": if one is a label, set label to its name"
        )
    return notes


def _no_splits(values: pa.ChunkedArray) -> list[object]:
    """Return the values of a column that are not among SPLITS."""
    return [value for value in values.unique().to_pylist() if value not in SPLITS]


def _is_noise(values: pa.ChunkedArray) -> bool:
    try:
        return not values.null_count and len(boolean(values.combine_chunks(), "")) > 0
    except InputError:
        return False


def _lines(guesses: Mapping[str, Guess], path: Path) -> Iterator[Line]:
    """Yield the lines of a config."""
    yield (), "", None, f"Config of the run {path.stem}, for: ima check {path}"
    yield (), "", None, "File names are relative to the folder in which you run `ima`."
    yield (), "run", path.stem, "folder of the results"
    yield (), "latents", [LATENT], "size of the representation"
    yield (), "seeds", [0, 1], "one model each; two show whether the importances are stable"
    for name, (options, about, notes, _) in guesses.items():
        section = ("own", "modalities", name)
        for comment in (about.partition(";")[0], *notes):
            yield section, "", None, " ".join(printable(comment).split())
        if "label" not in options:
            comment = "`label`, `split` and `noise` may name columns; without labels, scores that"
            yield section, "", None, f"{comment} need them are left out"
        for key, value in options.items():
            yield section, key, value, ""
    yield ("own", "pairs"), "by", "id", "items with the same id belong together; or label, or file"
    yield ("own", "shares"), "test", SHARES["test"], "share of the pairs for the report"
    yield ("own", "shares"), "validation", SHARES["validation"], "share of the rest"


def _literal(value: object) -> str:
    """Return a value as JSON that is also TOML and YAML, which know no pairs of surrogates."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escaped(ord(char)) for char in text)


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


def _toml(lines: Sequence[Line]) -> str:
    text, section = "", ()
    for new, key, value, comment in lines:
        if new != section:
            text, section = f"{text}\n[{'.'.join(new)}]\n", new
        literal = _literal(value)
        if isinstance(value, dict):
            literal = "{ " + ", ".join(f"{k} = {_literal(v)}" for k, v in value.items()) + " }"
        text += _line(f"{key} = {literal}" if key else "", comment)
    return text


def _yaml(lines: Sequence[Line]) -> str:
    text, section = "", ()
    for new, key, value, comment in lines:
        shared = next((i for i, (a, b) in enumerate(zip(new, section, strict=False)) if a != b), 0)
        for depth in range(shared if new != section else len(new), len(new)):
            text += f"{'  ' * depth}{new[depth]}:\n"
        section, indent = new, "  " * len(new)
        text += indent + _line(f"{key}: {_literal(value)}" if key else "", comment)
    return text


def _json(lines: Sequence[Line]) -> str:
    config: dict[str, Any] = {}
    for section, key, value, _ in lines:  # JSON has no comments
        part = config
        for name in section:
            part = part.setdefault(name, {})
        if key:
            part[key] = value
    return json.dumps(config, indent=2) + "\n"


def _line(text: str, comment: str) -> str:
    return f"{text}  # {comment}\n".removeprefix("  ") if comment else f"{text}\n"


#: Writer of a config by its suffix.
_WRITERS = {".toml": _toml, ".json": _json, ".yaml": _yaml, ".yml": _yaml}
