"""Reference packs: tables, ids and small checkpoints of a run in a zip file, with checksums.

A pack may come from anyone. It is read in memory, within limits and against the checksums of its
manifest; nothing is unpacked, and its checkpoints are never loaded.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

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
#: Checkpoints in a pack have at most this number of bytes together.
CHECKPOINT_BYTES = 4 << 20
#: Columns that identify items, splits and pairs. Labels and texts belong to the corpora.
IDS = ("id", "split", "pair_type")
#: Where a run keeps them.
ID_FILES = ("features/*.parquet", "**/pairs/*.parquet", "**/utterances.parquet")
#: What is recorded of a run, from the sidecars of its tables.
FACTS = ("config", "code", "corpora", "python", "packages")
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
            runs, or a pack is damaged, too large or has unsafe names.
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
    with (
        whole_file(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
    ):
        for name, content in {MANIFEST: text.encode(), **dict(sorted(files.items()))}.items():
            # The default date is 1980, whenever the pack is written.
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return results


def _of_folder(folder: Path) -> Results:
    tables = {file.stem: _rows(file, file.read_bytes()) for file in _tables(folder)}
    runs = {row.get("run", "") for rows in tables.values() for row in rows}
    if len(runs) != 1:
        expected = "tables of one run in tables/*.csv"
        raise InputError(folder, expected=expected, found=sorted(runs) or "none")
    (run,) = runs
    facts, other = _facts(folder)
    root = _run_folder(folder, run)
    ids = {name: _digest(content) for name, content in _ids(root)}
    checkpoints = {name: _digest((root / name).read_bytes()) for name in _checkpoints(root)}
    return Results(folder, run, facts, tables, ids, checkpoints, other)


def _tables(folder: Path) -> list[Path]:
    """Return the tables of a folder of results, including the claims."""
    claims = folder / "claims.csv"
    return [*sorted((folder / "tables").glob("*.csv")), *([claims] if claims.is_file() else [])]


def _run_folder(folder: Path, run: str) -> Path:
    """Return the folder of a run's items and models; for user data, it also has the tables."""
    return folder / run if (folder / run).is_dir() else folder


def _facts(folder: Path) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return the facts that most sidecars state, and the tables with another config."""
    sidecars = {
        file.name.removesuffix(".provenance.json"): read_json(file, FACTS)
        for file in sorted((folder / "tables").glob("*.provenance.json"))
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


def _ids(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the ids of each file of items or pairs below a folder, as CSV, by the file's name."""
    files = {file for pattern in ID_FILES for file in root.glob(pattern)}
    for file in sorted(files):
        name = file.relative_to(root).with_suffix("").as_posix()
        schema = pq.read_schema(file).names
        columns = [c for c in schema if c in IDS or c.startswith("item_")]
        if "models" in name.split("/") or not columns:
            continue
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")  # pyarrow's quotes vary with its version
        writer.writerow(columns)
        for batch in pq.ParquetFile(file).iter_batches(columns=columns):
            writer.writerows(zip(*(batch[c].to_pylist() for c in columns), strict=True))
        yield name, text.getvalue().encode()


def _checkpoints(root: Path) -> list[str]:
    """Return the smallest checkpoints of the first seed, up to CHECKPOINT_BYTES."""
    files = [file for file in root.glob("**/seed*/*.safetensors") if file.parent.name[4:].isdigit()]
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
            tables = {}
            for name, digest in manifest["files"].items():
                content = _content(archive, name, path)
                if _digest(content) != digest:
                    raise InputError(f"{path}, {name}", expected=digest, found=_digest(content))
                if name.startswith("tables/"):
                    tables[PurePosixPath(name).stem] = _rows(f"{path}, {name}", content)
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
    kinds = {"format": int, "run": str} | {k: dict for k in ("files", "ids", "checkpoints")}
    kinds |= {k: dict for k in ("config", "corpora", "code", "packages")}
    manifest = json.loads(content)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        raise InputError(f"{path}, {MANIFEST}", expected=f"format {FORMAT}", found=found)
    for key, kind in kinds.items():
        required = key not in FACTS
        if (key in manifest or required) and not isinstance(manifest.get(key), kind):
            raise InputError(f"{path}, {MANIFEST}", expected=f"'{key}'", found=manifest.get(key))
    return manifest


def _rows(where: object, content: bytes) -> Rows:
    """Return the rows of a CSV table as text.

    Raises:
        InputError: it is not CSV, has no rows, or its rows differ in length.
    """
    try:
        heads, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        if not rows or len(set(heads)) != len(heads):
            raise ValueError("no rows, or columns of the same name")
        return [dict(zip(heads, row, strict=True)) for row in rows]
    except (ValueError, csv.Error) as error:
        raise InputError(where, expected="a CSV table with rows", found=error) from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
