"""Reference packs: tables, ids and small checkpoints of a run in a zip file, with checksums.

A pack may come from anyone. It is read in memory, within limits and against the checksums of its
manifest; nothing is unpacked, and its checkpoints are never loaded. A folder of results may come
from anyone, too: only regular files in it are read, and the run's name cannot lead out of it.
"""

import csv
import hashlib
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import pyarrow as pa
import pyarrow.parquet as pq

from ima.reporting import croissant
from ima.utils.atomic_files import whole_file
from ima.utils.errors import InputError
from ima.utils.io import read_json
from ima.utils.values import portable

#: Version of the format, and the file that lists all others with their checksums.
FORMAT, MANIFEST = 1, "manifest.json"
#: Limits of a pack that is read: bytes unpacked and number of files.
MAX_BYTES, MAX_FILES = 64 << 20, 2000
#: Limits of its manifest in bytes, and of its tables in commas and line breaks. A row or a cell
#: takes much more memory than its text. The published pack has 17 kB and 49,107.
MAX_MANIFEST, MAX_CELLS = 4 << 20, 1_000_000
#: Checkpoints in a pack have at most this number of bytes together.
CHECKPOINT_BYTES = 4 << 20
#: Columns that identify items, splits and pairs. Labels and texts belong to the corpora.
IDS = ("id", "split", "pair_type")
#: Where a run keeps them.
ID_FILES = ("features/*.parquet", "**/pairs/*.parquet", "**/utterances.parquet")
#: What is recorded of a run, from the sidecars of its tables.
FACTS = ("config", "code", "corpora", "python", "packages")
#: Those that are objects.
OBJECTS = ("config", "code", "corpora", "packages")
#: Names of runs, as in the config; empty for tables without the column.
RUN = re.compile(r"[A-Za-z0-9_-]*")
#: Keys of the config that name places on one machine.
PLACES = ("raw", "roots")

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Results:
    """The results of a run, or of a pack.

    Attributes:
        source: folder or file that they come from.
        run: name of the run.
        facts: the FACTS, without the PLACES and folders of the config.
        tables: rows of text by table.
        ids: SHA-256 of the ids of each file of items or pairs.
        checkpoints: SHA-256 of checkpoints by path in the run.
        other_config: tables whose config is not that of most tables.
    """

    source: Path
    run: str
    facts: Mapping[str, object]
    tables: Mapping[str, Rows]
    ids: Mapping[str, str]
    checkpoints: Mapping[str, str]
    other_config: tuple[str, ...] = ()


def read_results(path: str | Path) -> Results:
    """Read a run's results from a folder with `tables/`, or a pack from a zip file.

    Raises:
        InputError: the folder or file does not exist or is neither, its tables belong to several
            runs or are too large, the run's name is unsafe, a sidecar or file of ids is invalid,
            or a pack is damaged, too large or has unsafe names.
    """
    return _of_folder(Path(path)) if Path(path).is_dir() else _of_pack(Path(path))


def write_pack(folder: str | Path, path: str | Path, tables_only: bool = False) -> Results:
    """Write the pack of a run; the same run gives the same bytes.

    Args:
        folder: folder of the results, with `tables/` and the folder of the run.
        path: zip file to write.
        tables_only: leave out ids and checkpoints, of which only checksums are written.

    Returns:
        The results in the pack.

    Raises:
        InputError: as `read_results`.
    """
    results = _of_folder(Path(folder))
    files = {f"tables/{file.stem}.csv": file.read_bytes() for file in _tables(Path(folder))}
    if not tables_only:
        root = _run_folder(Path(folder), results.run)
        files |= {f"ids/{name}.csv": content for name, content in _ids(root)}
        files |= {f"checkpoints/{n}": (root / n).read_bytes() for n in results.checkpoints}
    about = f"Tables of the run {results.run} of the IMA workflow, and the ids of its data."
    metadata = croissant.package(f"ima-{results.run}", about, dict(sorted(files.items())))
    files["croissant.json"] = (json.dumps(metadata, indent=1) + "\n").encode()
    size = sum(map(len, files.values()))
    if size > MAX_BYTES // 2:  # the manifest needs room, too
        expected = f"at most {MAX_BYTES // 2:,} bytes for a pack"
        raise InputError(folder, expected=expected, found=f"{size:,}", do="Use --tables-only.")
    manifest = {
        "format": FORMAT,
        "run": results.run,
        **results.facts,
        "ids": results.ids,
        "checkpoints": results.checkpoints,
        "files": {name: _digest(content) for name, content in files.items()},
    }
    text = json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False) + "\n"
    _manifest(text.encode(), Path(folder))  # as it is checked when the pack is read
    with (
        whole_file(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
    ):
        for name, content in {MANIFEST: text.encode(), **dict(sorted(files.items()))}.items():
            # The default date is 1980, whenever the pack is written.
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return results


def _of_folder(folder: Path) -> Results:
    contents = {file: _table(file) for file in _tables(folder)}
    _check_cells(contents.values(), folder)
    tables = {file.stem: _rows(file, content) for file, content in contents.items()}
    runs = {row.get("run", "") for rows in tables.values() for row in rows}
    if len(runs) != 1:
        expected = "tables of one run in tables/*.csv"
        raise InputError(folder, expected=expected, found=sorted(runs) or "none")
    (run,) = runs
    _check_run(run, folder)
    facts, other = _facts(folder)
    root = _run_folder(folder, run)
    ids = {name: _digest(content) for name, content in _ids(root)}
    checkpoints = {name: _digest((root / name).read_bytes()) for name in _checkpoints(root)}
    return Results(folder, run, facts, tables, ids, checkpoints, other)


def _tables(folder: Path) -> list[Path]:
    """Return the tables of a folder of results, including the claims."""
    return [*_files(folder, "tables/*.csv"), *_files(folder, "claims.csv")]


def _files(folder: Path, *patterns: str) -> list[Path]:
    """Return the files that match any pattern, but no pipes or devices, which may never end."""
    files = {file for pattern in patterns for file in folder.glob(pattern)}
    return sorted(file for file in files if file.is_file())


def _table(file: Path) -> bytes:
    """Return the content of a table that is no larger than a pack."""
    size = file.stat().st_size
    if size > MAX_BYTES:
        raise InputError(file, expected=f"at most {MAX_BYTES:,} bytes", found=f"{size:,}")
    return file.read_bytes()


def _check_run(run: str, where: object) -> None:
    """Check that a run's name, which names its folder, cannot lead to another folder."""
    if not RUN.fullmatch(run):
        expected = "a run whose name has only letters, digits, _ and -"
        raise InputError(where, expected=expected, found=repr(run))


def _run_folder(folder: Path, run: str) -> Path:
    """Return the folder of a run's items and models; for user data, it also has the tables."""
    return folder / run if (folder / run).is_dir() else folder


def _facts(folder: Path) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return the facts that most sidecars state, and the tables with another config."""
    sidecars = {
        file.name.removesuffix(".provenance.json"): _sidecar(file)
        for file in _files(folder, "tables/*.provenance.json")
    }
    if not sidecars:
        return {}, ()
    configs = {
        name: json.dumps(portable(of["config"]), sort_keys=True) for name, of in sidecars.items()
    }
    ((most, _),) = Counter(configs.values()).most_common(1)
    of_most = [sidecars[name] for name, config in configs.items() if config == most]
    corpora = {name: digest for of in of_most for name, digest in of["corpora"].items()}
    config = {k: portable(v) for k, v in of_most[0]["config"].items() if k not in PLACES}
    other = tuple(name for name, text in configs.items() if text != most)
    return {**{k: of_most[0][k] for k in FACTS}, "config": config, "corpora": corpora}, other


def _sidecar(file: Path) -> dict:
    facts = read_json(file, FACTS)
    if not isinstance(facts, dict):
        raise InputError(file, expected="an object", found=type(facts).__name__)
    _check_objects(facts, OBJECTS, file)
    try:
        json.dumps(portable(facts), indent=1)  # as in the manifest of a pack
    except RecursionError as error:
        raise InputError(file, expected="JSON with few levels", found="too many") from error
    return facts


def _ids(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the ids of each file of items or pairs below a folder, as CSV, by the file's name."""
    for file in _files(root, *ID_FILES):
        name = file.relative_to(root).with_suffix("").as_posix()
        if "models" in name.split("/"):
            continue
        try:
            content = _ids_of(file)
        except (pa.ArrowException, OSError, UnicodeError) as error:
            raise InputError(file, expected="a Parquet file", found=error) from error
        if content:
            yield name, content


def _ids_of(file: Path) -> bytes:
    """Return the ids in a file as CSV; nothing if it has none."""
    columns = [c for c in pq.read_schema(file).names if c in IDS or c.startswith("item_")]
    if not columns:
        return b""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")  # pyarrow's quotes vary with its version
    writer.writerow(columns)
    for batch in pq.ParquetFile(file).iter_batches(columns=columns):
        writer.writerows(zip(*(batch[c].to_pylist() for c in columns), strict=True))
    return text.getvalue().encode()


def _checkpoints(root: Path) -> list[str]:
    """Return the smallest checkpoints of the first seed, up to CHECKPOINT_BYTES."""
    files = _files(root, "**/seed*/*.safetensors")
    files = [file for file in files if file.parent.name[4:].isdigit()]
    first = min((int(file.parent.name[4:]) for file in files), default=None)
    of_first = [file for file in files if file.parent.name == f"seed{first}"]
    chosen, total = [], 0
    for file in sorted(of_first, key=lambda f: (f.stat().st_size, str(f))):
        total += file.stat().st_size
        if total > CHECKPOINT_BYTES:
            break
        chosen.append(file.relative_to(root).as_posix())
    return sorted(chosen)


def _of_pack(path: Path) -> Results:
    if not path.is_file():
        raise InputError(path, expected="a folder of results or a pack", found="no such file")
    if path.stat().st_size > MAX_BYTES:
        found = f"{path.stat().st_size:,}"
        raise InputError(path, expected=f"at most {MAX_BYTES:,} bytes", found=found)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_names(archive.infolist(), path)
            manifest = _manifest(_content(archive, MANIFEST, path), path)
            contents = {}
            for name, digest in manifest["files"].items():
                content = _content(archive, name, path)
                if _digest(content) != digest:
                    raise InputError(f"{path}, {name}", expected=digest, found=_digest(content))
                if name.startswith("tables/"):
                    contents[name] = content
        _check_cells(contents.values(), path)
        tables = {PurePosixPath(n).stem: _rows(f"{path}, {n}", c) for n, c in contents.items()}
    except InputError:
        raise
    except Exception as error:  # of a damaged file, zipfile and zlib raise many kinds of errors
        found = f"{type(error).__name__}: {error}"
        raise InputError(path, expected="a pack that can be read", found=found) from error
    facts = {key: manifest[key] for key in FACTS if key in manifest}
    known = (manifest["ids"], manifest["checkpoints"])
    return Results(path, manifest["run"], facts, tables, *known)


def _check_names(members: list[zipfile.ZipInfo], path: Path) -> None:
    """Check that a pack has few, small, plain files with different names below its root."""
    names = [member.filename for member in members]
    size = sum(member.file_size for member in members)
    if len(names) > MAX_FILES or size > MAX_BYTES:
        expected = f"at most {MAX_FILES} files and {MAX_BYTES:,} bytes"
        raise InputError(path, expected=expected, found=f"{len(names)} files, {size:,} bytes")
    if len(set(names)) != len(names):
        raise InputError(path, expected="every file once", found="names that occur twice")
    for member in members:
        name, kind = member.filename, (member.external_attr >> 16) & 0o170000
        unsafe = PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or "\\" in name
        if unsafe or {"..", ""} & set(name.split("/")) or kind not in (0, 0o100000):
            raise InputError(path, expected="plain files below its root", found=repr(name))


def _content(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    """Return a file of a pack, of which no more is unpacked than its directory states."""
    if name not in archive.namelist():
        raise InputError(path, expected=f"the file {name}", found="none")
    size = archive.getinfo(name).file_size
    with archive.open(name) as file:
        content = file.read(size + 1)
    if len(content) != size:
        raise InputError(f"{path}, {name}", expected=f"{size} bytes", found="another number")
    return content


def _manifest(content: bytes, path: Path) -> dict:
    """Return the manifest of a pack, whose values have the types that others rely on."""
    where = f"{path}, {MANIFEST}"
    if len(content) > MAX_MANIFEST:
        expected = f"at most {MAX_MANIFEST:,} bytes"
        raise InputError(where, expected=expected, found=f"{len(content):,}")
    manifest = json.loads(content)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        raise InputError(where, expected=f"format {FORMAT}", found=found)
    if not isinstance(manifest.get("run"), str):
        raise InputError(where, expected="'run', a name", found=str(manifest.get("run"))[:100])
    _check_run(manifest["run"], where)
    known = [key for key in OBJECTS if key in manifest]
    _check_objects(manifest, ("files", "ids", "checkpoints", *known), where)
    return manifest


def _check_objects(facts: Mapping[str, object], keys: Iterable[str], where: object) -> None:
    """Check that the values of keys are objects of JSON."""
    for key in keys:
        if not isinstance(facts.get(key), dict):
            found = str(facts.get(key))[:100]
            raise InputError(where, expected=f"'{key}', an object", found=found)


def _check_cells(contents: Iterable[bytes], where: object) -> None:
    """Check that CSV tables are small when they are read: they have no more cells than these."""
    cells = sum(content.count(mark) for content in contents for mark in (b",", b"\n", b"\r"))
    if cells > MAX_CELLS:
        expected = f"at most {MAX_CELLS:,} commas and line breaks in its tables"
        raise InputError(where, expected=expected, found=f"{cells:,}")


def _rows(where: object, content: bytes) -> Rows:
    """Return the rows of a CSV table as text.

    Raises:
        InputError: it is not CSV, has no rows, or its rows differ in length.
    """
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        heads = next(lines, [])
        rows = [dict(zip(heads, row, strict=True)) for row in lines]
        if not (heads and rows) or len(set(heads)) != len(heads):
            raise ValueError("no rows, or columns of the same name")
        return rows
    except (ValueError, csv.Error) as error:
        raise InputError(where, expected="a CSV table with rows", found=error) from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
