"""Bad input of any rule or of the user: one clear error that names file and cause, and no output.

`SPOILT` says how a file of each kind is spoilt; every input of every rule of the demo is spoilt in
the ways of its kind (`ways_of` says which), and the rule's script is run on it. What a spoilt
config, corpus or download gives is in tables of its own below, in test_bad_speech.py and in
corpora/.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from ima.workflow import script
from tests.checkout import ROOT, Plan, defaults, merged, rules_of_workflow, script_of

pytestmark = pytest.mark.slow

# Ways to spoil a file; each takes its path


def empty(file: Path) -> None:
    file.write_bytes(b"")


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def end_cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])


def wrong_magic(file: Path) -> None:
    """Of a zip file, in front and (for Parquet has one there too) at the end."""
    file.write_bytes(b"PK\3\4" + file.read_bytes()[4:-4] + b"PK\5\6")


def random_bytes(file: Path) -> None:
    file.write_bytes(np.random.default_rng(0).bytes(2000))


def missing(file: Path) -> None:
    file.unlink()


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def link_to_itself(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.name)


WHOLE_FILES = (empty, truncated, wrong_magic, random_bytes, missing, a_folder, link_to_itself)


def table(change: Callable[[pa.Table], pa.Table | None]) -> Callable[[Path], None]:
    """Make of a change to a table one to its file."""

    def spoil(file: Path) -> None:
        pq.write_table(change(pq.read_table(file)), file)

    spoil.__name__ = change.__name__
    return spoil


@table
def swapped_for_another_table(found: pa.Table) -> pa.Table:
    return pa.table({"word": ["a"], "count": [1]})


@table
def column_missing(found: pa.Table) -> pa.Table:
    return found.drop_columns(found.column_names[0])


@table
def no_rows(found: pa.Table) -> pa.Table:
    return found.slice(0, 0)


@table
def wrong_type(found: pa.Table) -> pa.Table:
    """Structures in place of the first column's values."""
    values = pa.array([{"a": 1}] * len(found))
    return found.set_column(0, found.column_names[0], values)


@table
def value_missing(found: pa.Table) -> pa.Table:
    values = found.column(0).to_pylist()
    column = pa.array([None, *values[1:]], found.column(0).type)
    return found.set_column(0, found.column_names[0], column)


def with_vector(found: pa.Table, value: float) -> pa.Table:
    """Put a value in the middle of the first column of vectors or, without one, of floats."""
    for number, field in enumerate(found.schema):
        if pa.types.is_fixed_size_list(field.type):
            width = field.type.list_size
            x = np.stack(found[field.name].to_numpy()).astype(np.float32)
            x[len(x) // 2, width // 2] = value
            column = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), width)
            return found.set_column(number, field.name, column)
    number, field = next((n, f) for n, f in enumerate(found.schema) if pa.types.is_floating(f.type))
    x = found[field.name].to_numpy().copy()
    x[len(x) // 2] = value
    return found.set_column(number, field.name, pa.array(x, field.type))


@table
def nan(found: pa.Table) -> pa.Table:
    return with_vector(found, np.nan)


@table
def infinity(found: pa.Table) -> pa.Table:
    return with_vector(found, np.inf)


@table
def vectors_too_short(found: pa.Table) -> pa.Table:
    number, field = next(
        (n, f) for n, f in enumerate(found.schema) if pa.types.is_fixed_size_list(f.type)
    )
    x = np.stack(found[field.name].to_numpy())[:, :-1].astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), x.shape[1])
    return found.set_column(number, field.name, column)


@table
def an_id_twice(found: pa.Table) -> pa.Table:
    place = next(i for i, name in enumerate(found.column_names) if name == "id")
    ids = found["id"].to_pylist()
    ids[-1] = ids[0]
    return found.set_column(place, "id", pa.array(ids))


@table
def rows_beyond_the_end(found: pa.Table) -> pa.Table:
    name = next(n for n in found.column_names if n.startswith("item_"))
    values = found[name].to_numpy() + 10**5
    return found.set_column(found.column_names.index(name), name, pa.array(values, pa.int32()))


@table
def negative_rows(found: pa.Table) -> pa.Table:
    name = next(n for n in found.column_names if n.startswith("item_"))
    values = -1 - found[name].to_numpy()
    return found.set_column(found.column_names.index(name), name, pa.array(values, pa.int32()))


def tensors(change: Callable[[dict], dict]) -> Callable[[Path], None]:
    """Make of a change to tensors one to their file."""

    def spoil(file: Path) -> None:
        with safe_open(file, framework="pt") as opened:
            found = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            metadata = opened.metadata()
        save_file(change(found), file, metadata)

    spoil.__name__ = change.__name__
    return spoil


@tensors
def weight_missing(found: dict) -> dict:
    return dict(list(found.items())[1:])


@tensors
def weight_of_another_shape(found: dict) -> dict:
    name = next(n for n, value in found.items() if value.dim() == 2)
    return {**found, name: torch.zeros(3, 3)}


@tensors
def nan_weight(found: dict) -> dict:
    name = next(n for n, value in found.items() if value.dim() == 2)
    return {**found, name: torch.full_like(found[name], torch.nan)}


def no_config(file: Path) -> None:
    save_file({"weight": torch.ones(1)}, file)


def a_list_of_nothing(file: Path) -> None:
    file.write_text("[]")


def another_json(file: Path) -> None:
    file.write_text('{"word": 1}')


def nan_in_json(file: Path) -> None:
    file.write_text(re.sub(r"\d\.\d+", "NaN", file.read_text(), count=1))


def header_of_another(file: Path) -> None:
    file.write_text("word,count\na,1\n")


def not_utf8(file: Path) -> None:
    file.write_bytes(b"\xff\xfe" + file.read_bytes())


TABLES = (
    *(swapped_for_another_table, column_missing, no_rows, wrong_type, value_missing),
    *(nan, infinity, vectors_too_short, an_id_twice, rows_beyond_the_end, negative_rows),
)
#: By the kind of a file, what can be wrong with it.
SPOILT: dict[str, tuple[Callable[[Path], None], ...]] = {
    ".parquet": (*WHOLE_FILES, end_cut_off, *TABLES),
    ".arrow": (*WHOLE_FILES, end_cut_off),
    ".safetensors": (*WHOLE_FILES, weight_missing, weight_of_another_shape, nan_weight, no_config),
    ".json": (*WHOLE_FILES, a_list_of_nothing, another_json, nan_in_json),
    ".csv": (*WHOLE_FILES, header_of_another, not_utf8),
    ".yaml": (*WHOLE_FILES, a_list_of_nothing, another_json, not_utf8),
}
#: What no reader opens, whatever it looks for.
OF_FILES = (*WHOLE_FILES, end_cut_off)
#: What no table has that is read by a schema, and no JSON or CSV file whose keys are given.
OF_SCHEMAS = (
    *(swapped_for_another_table, column_missing, wrong_type, value_missing),
    *(header_of_another, not_utf8, a_list_of_nothing, another_json),
)


# The scripts of all rules on spoilt inputs


class Files(list):
    """Files by place and by name, as Snakemake gives them to a script."""

    def __init__(self, named: list[tuple[str | None, str, bool]]):
        super().__init__(file for _, file, _ in named)
        for name, file, is_list in named:
            if name:
                setattr(self, name, [f for n, f, _ in named if n == name] if is_list else file)

    def __getitem__(self, key):
        return getattr(self, key) if isinstance(key, str) else super().__getitem__(key)

    def get(self, key, default=None):
        return getattr(self, key, default)


RULES = rules_of_workflow()


class Params(dict):
    __getattr__ = dict.__getitem__


def script_job(planned: dict, config: dict) -> SimpleNamespace:
    """Return what Snakemake would give a job's script."""
    return SimpleNamespace(
        rule=planned["rule"],
        input=Files(planned["input"]),
        output=Files(planned["output"]),
        params=Params(planned["params"]),
        wildcards=Params(planned["wildcards"]),
        log=planned["log"],
        threads=1,
        config=config,
    )


@pytest.fixture(scope="module")
def plan(finished) -> Plan:
    return finished.plan()


def inputs_of(planned: dict) -> list[str]:
    """Return the files that a job's script reads, one of each name and kind."""
    found = {}
    for name, file, _ in planned["input"]:
        if name:  # without one, only for the order of jobs
            found.setdefault((name, file.endswith("_noise.parquet")), file)
    return list(found.values())


def lay(planned: dict, source: Path, folder: Path, spoilt: str) -> None:
    """Give a folder what a job reads: a copy of what is to be spoilt, links to the rest."""
    (folder / spoilt).parent.mkdir(parents=True)
    shutil.copy2(source / spoilt, folder / spoilt)
    for _, file, _ in planned["input"]:
        if not (folder / file).exists():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).symlink_to(source / file)


def run_script(planned: dict, config: dict, capfd) -> str:
    """Run a job's script here and return what it says on the terminal; '' if it succeeds."""
    path = ROOT / script_of(planned["rule"])
    spec = importlib.util.spec_from_file_location(planned["rule"], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    capfd.readouterr()
    try:
        script.run(module.main, script_job(planned, config))
    except SystemExit:
        return capfd.readouterr().err
    return ""


def ways_of(rule: str, file: Path, scratch: Path) -> list[Callable[[Path], None]]:
    """Return the ways to spoil a file that apply to it (no NaN where there are no floats).

    Of those that the same readers meet for every rule there is one for each file, another for
    other files, and so of those that the rule's schema refuses; all with IMA_FULL=1.
    """
    number = zlib.crc32(str(file.name).encode() + rule.encode())
    left = set()
    for alike in () if "IMA_FULL" in os.environ else (OF_FILES, OF_SCHEMAS):
        of_file = [way for way in alike if way in SPOILT[file.suffix]]
        left |= {way for n, way in enumerate(of_file) if n != number % len(of_file)}
    ways = []
    for number, way in enumerate(SPOILT[file.suffix]):
        if way in left:
            continue
        copy = scratch / f"{number}{file.suffix}"
        shutil.copy2(file, copy)
        with contextlib.suppress(StopIteration):
            way(copy)
            if not copy.is_file() or copy.read_bytes() != file.read_bytes():
                ways.append(way)
    return ways


def content(path: Path) -> dict[str, bytes]:
    """Return what is in a file, or in the files of a folder, by their paths in it."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def verdict(said: str, planned: dict, file: str, undisturbed: Path) -> str:
    """Say what is wrong with how a script took a spoilt input; '' if nothing is.

    It may succeed if what it made is what it makes of the sound input: then what was spoilt is not
    what it reads.
    """
    if list(Path().rglob(".*.part")):
        return "left a temporary file"
    if not said:
        made = [name for name_, name, _ in planned["output"] if name_ != "provenance"]
        changed = [name for name in made if content(undisturbed / name) != content(Path(name))]
        return f"made another {changed[0]} without a word" if changed else ""
    lines = said.splitlines()
    if len(lines) != 1 or not said.startswith(f"error in rule {planned['rule']}: "):
        return f"said more than one line: {said}"
    return "" if Path(file).name in said else f"did not name the file: {said}"


#: Rules that no case is made for, and why.
SPARED = {
    "demo_images": "reads nothing",
    "demo_speech": "reads nothing",
    "demo_emotion": "reads nothing",
    "emotion_corpus": "reads a tree: datasets/test_iemocap.py",
    "table4": "measures times, which are never the same, and reads widths only",
    "recordings": "reads trees of corpora: test_bad_speech.py",
    "resources": "reads the rules' benchmarks: test_resources.py",
    "index": "shows any table and picture: reporting/page",
    "features_image": "reads a tree: datasets/test_mnist.py",
}
#: Ways that make of a pair table another sound one: of fewer modalities, or with more noise.
SOUND = {
    "column_missing": lambda rule, file: "/pairs/" in file,
    # A pair that lacks an item.
    "value_missing": lambda rule, file: "/pairs/" in file,
    "rows_beyond_the_end": lambda rule, file: rule.startswith("noise"),
    # Of fewer columns, which no other file contradicts.
    "vectors_too_short": lambda rule, file: "/emotion/" in file or rule == "noise_image",
}


def test_every_rule_reads_something_that_is_spoilt(plan):
    for rule in plan.rules():
        files = inputs_of(plan.of_rules([rule])[0])
        assert files or rule in SPARED, rule
        assert {Path(file).suffix for file in files} <= set(SPOILT), rule


@pytest.mark.parametrize("rule", sorted(RULES))
def test_spoilt_input(rule, plan, finished, tmp_path, monkeypatch, capfd):
    jobs = plan.of_rules([rule])
    if rule in SPARED or not jobs or not inputs_of(jobs[0]):
        pytest.skip(SPARED.get(rule, "not in the demo's default targets"))
    planned, wrong = jobs[0], []
    config = merged(defaults(), finished.config)
    for file in inputs_of(planned):
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        for way in ways_of(rule, finished.folder / file, scratch):
            if SOUND.get(way.__name__, lambda *_: False)(rule, file):
                continue
            folder = tmp_path / f"{Path(file).name}-{way.__name__}"
            lay(planned, finished.folder, folder, file)
            monkeypatch.chdir(folder)
            way(folder / file)
            said = run_script(planned, config, capfd)
            if complaint := verdict(said, planned, file, finished.folder):
                wrong.append(f"{file}, {way.__name__}: {complaint}")
            shutil.rmtree(folder)
        shutil.rmtree(scratch)
    assert wrong == []
