"""Read user data in common research formats as Arrow tables.

A table has the file's columns. Ids that the file stores separately, such as the index of a data
frame, become the column INDEX. A matrix without column names becomes one list column, `x`.
"""

import logging
import math
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ima.datasets.user_vectors import chosen
from ima.utils.arrow import vector_column
from ima.utils.errors import InputError, reason_of
from ima.utils.matrices import as_table
from ima.utils.text_files import is_gzipped, open_plain
from ima.utils.trees import parts_of

#: Column that holds an unnamed index; pandas uses the same name.
INDEX = "__index_level_0__"
#: Column that holds the matrix of a file without column names.
MATRIX = "x"
#: File format by suffix; any other suffix is read as Parquet.
_KINDS = {
    **{".parquet": "Parquet", ".feather": "Feather", ".arrow": "Arrow", ".csv": "CSV"},
    **{".tsv": "TSV", ".npy": "NumPy", ".npz": "NumPy", ".h5ad": "AnnData", ".h5mu": "MuData"},
}
#: Bytes of a CSV file from which column types are inferred.
BLOCK = 1 << 26
#: Number of rows of a Parquet file read at a time.
ROWS = 1024
#: Maximum number of columns of a CSV file.
MAX_COLUMNS = 1 << 20
#: Maximum number of bytes of a table: this, or EXPANSION bytes per byte of its file (gzip, 1,032).
MAX_BYTES, EXPANSION = 1 << 30, 1100
#: Byte order marks of UTF-16.
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

logger = logging.getLogger(__name__)


def read_table(
    path: str | Path,
    text: Collection[str] = (),
    modality: str | None = None,
    vector: object = None,
) -> pa.Table:
    """Read a file according to its suffix, or a folder of Parquet files.

    Args:
        path: .parquet, .feather, .arrow, .csv, .tsv (the last two also with .gz), .npy, .npz,
            .h5ad, .h5mu, or a folder; any other suffix is read as Parquet.
        text: columns of a CSV file to read as text, such as ids with leading zeros.
        modality: name of the modality in an .h5mu file.
        vector: what to read from an .h5ad or .h5mu file in addition to `obs`: `X` (also None or
            `all`), the name of a layer or an `obsm` entry, or a list, pattern or `all_but` of
            variables.

    Raises:
        InputError: the file cannot be read, or the package that reads it is not installed.
    """
    path = Path(path)
    name = path.name.lower().removesuffix(".gz")
    try:
        if not path.exists():
            raise FileNotFoundError(path)
        if name.endswith((".csv", ".tsv")):
            table = _csv(path, "," if name.endswith(".csv") else "\t", text)
        elif is_annotated(path):
            table = _annotated(path, modality, vector)
        else:
            reader = _folder if path.is_dir() else _READERS.get(Path(name).suffix, _parquet)
            table = reader(path)
        _check_table(table)
    except InputError:
        raise
    except Exception as error:  # libraries raise errors of many types for damaged files
        raise _unreadable(path, name, error) from error
    return table


class SameNameError(ValueError):
    """Columns of a table have the same name."""


def _check_table(table: pa.Table) -> None:
    """Raise an error if a table is damaged or has several columns of the same name."""
    table.validate(full=True)  # a damaged file may have lists or text beyond its end
    _index_columns(table)
    twice = [name for name, n in Counter(table.column_names).items() if n > 1]
    if twice:
        raise SameNameError(f"several columns named {twice[0]!r}")


def _unreadable(path: Path, name: str, error: Exception) -> InputError:
    """Return the error for a file that cannot be read, with advice."""
    suffix = Path(name).suffix
    expected = "a folder of Parquet files" if path.is_dir() else _format_name(suffix)
    found, do = "no file", "Correct the path in the config, under `own`."
    if isinstance(error, MemoryError):  # a damaged file may claim to hold terabytes
        found, do = str(error), "Write the file again, or give the rule more memory (mem_mb)."
    elif path.is_file() and suffix not in _KINDS and not _starts_as_parquet(path):
        expected, do = "a file of a known format", "Save it as CSV, Parquet or NumPy."
        found = f"the unknown suffix {suffix}" if suffix else "no suffix"
    elif path.is_file() and re.search("Python objects|Object arrays", str(error)):  # of NumPy
        expected, found, do = "numbers", "objects (text or None)", "Save numbers, or use CSV."
    elif isinstance(error, SameNameError):
        expected, found, do = "distinct names of columns", str(error), "Rename one of them."
    elif path.exists():
        found = reason_of(error).rstrip(".")
        do = f"Use one of the formats {', '.join(_KINDS)}, or a folder of Parquet files. If it is "
        do += "one of them, correct the file, or write it again."
    return InputError(path, expected=expected, found=found, do=do)


def _starts_as_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError:  # which `reason_of` names
        return True


def _format_name(suffix: str) -> str:
    """Return a phrase for the format that a suffix stands for."""
    return f"a {_KINDS.get(suffix, _KINDS['.parquet'])} file"


def is_annotated(path: str | Path) -> bool:
    """Return whether a file is AnnData or MuData, from which a single matrix is read."""
    return str(path).lower().endswith((".h5ad", ".h5mu"))


def _parquet(path: Path) -> pa.Table:
    with pq.ParquetFile(path) as file:
        return as_table(_bounded([path], file.iter_batches(ROWS)), file.schema_arrow)


def _bounded(
    paths: Iterable[str | Path], batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield the batches of files; a file of few bytes may declare any number of equal values.

    Raises:
        ValueError: together they are larger than their files can explain.
    """
    size = 0
    for batch in batches:
        size += batch.nbytes
        _check_size(paths, size)
        yield batch


def _check_size(paths: Iterable[str | Path], size: int) -> None:
    """Raise ValueError if files contain more bytes, decompressed, than they plausibly can."""
    limit = max(MAX_BYTES, EXPANSION * sum(Path(path).stat().st_size for path in paths))
    if size > limit:
        raise ValueError(f"more than {limit:,} bytes in a file that is much smaller")


def _folder(path: Path) -> pa.Table:
    """Return the rows of all files in a folder, in the order of the file names."""
    from pyarrow import dataset

    files = parts_of(path)
    if files == [str(path)]:
        raise ValueError("a folder without Parquet files")
    whole = dataset.dataset(
        files, format="parquet", partitioning="hive", partition_base_dir=str(path)
    )
    batches = whole.to_batches(batch_size=ROWS, batch_readahead=4, fragment_readahead=1)
    return as_table(_bounded(files, batches), whole.schema)


def _arrow(path: Path) -> pa.Table:
    """Read an Arrow file or stream; Feather from version 2 on is an Arrow file."""
    from pyarrow import feather, ipc

    try:
        return feather.read_table(path)
    except pa.ArrowInvalid:
        with pa.memory_map(str(path)) as source:
            return ipc.open_stream(source).read_all()


def _csv(path: Path, delimiter: str, text: Collection[str]) -> pa.Table:
    """Read a delimited text file; an unnamed first column becomes the index.

    It may be gzipped, and in UTF-8 or UTF-16. If the first line has one column only, but several
    that are separated by another usual delimiter, that delimiter is used.
    """
    from pyarrow import csv

    with open_plain(path, "a readable table") as file:
        first = file.readline(BLOCK)
    if max(map(first.count, (b",", b";", b"\t"))) >= MAX_COLUMNS:
        raise ValueError(f"more than {MAX_COLUMNS:,} columns")
    coding = "utf-16" if first.startswith(_UTF16) else "utf-8"
    if delimiter.encode() not in first:
        other = next((mark for mark in (";", "\t", ",") if mark.encode() in first), None)
        if other:
            logger.warning("%s: columns are separated by %r", path, other)
            delimiter = other
    table = csv.read_csv(
        pa.input_stream(str(path), compression="gzip" if is_gzipped(path) else None),
        read_options=csv.ReadOptions(block_size=BLOCK, encoding=coding),
        parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(("", *text), pa.string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    names = table.column_names
    return table.rename_columns([INDEX, *names[1:]]) if names[0] == "" else table


def _npy(path: Path) -> pa.Table:
    # A map fails if the header declares more than the file holds; reading would allocate it.
    return pa.table({MATRIX: _column(np.load(path, mmap_mode="r", allow_pickle=False))})


def _npz(path: Path) -> pa.Table:
    """Read an archive's arrays as columns; if only one is a matrix, it is also the column `x`."""
    _check_sizes(path)
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    lengths = {name: array.shape[0] if array.ndim else "none" for name, array in arrays.items()}
    if len(set(lengths.values())) != 1 or "none" in lengths.values():
        raise ValueError(f"arrays of different lengths, {lengths}")
    matrices = [name for name, array in arrays.items() if array.ndim > 1]
    table = pa.table({name: _column(array) for name, array in arrays.items()})
    if len(matrices) == 1 and MATRIX not in arrays:
        table = table.append_column(MATRIX, table[matrices[0]])
    return table


def _check_sizes(path: Path) -> None:
    """Raise ValueError if an array of an archive declares more bytes than the archive holds."""
    with zipfile.ZipFile(path) as archive:
        _check_size([path], sum(member.file_size for member in archive.infolist()))
        for member in archive.infolist():
            with archive.open(member) as file:
                version = np.lib.format.read_magic(file)
                if version not in ((1, 0), (2, 0)):
                    raise ValueError(f"version {version} of NumPy's format in {member.filename}")
                reader = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
                shape, _, kind = reader(file)
            if math.prod(shape) * kind.itemsize > member.file_size:
                raise ValueError(f"{member.filename} holds less than its shape {shape}")


def _column(values: np.ndarray) -> pa.Array:
    """Return an array (n, ...) as a column: scalars if it has one axis, otherwise lists."""
    if values.ndim < 2:
        return pa.array(values.tolist() if values.dtype.kind in "US" else values)
    if values.dtype.kind not in "biuf":
        raise ValueError(f"a matrix of type {values.dtype} instead of numbers")
    return vector_column(values.reshape(len(values), -1))


def _annotated(path: Path, modality: str | None, vector: object) -> pa.Table:
    """Read `obs` and one matrix from AnnData, or from one modality of MuData."""
    is_mudata = path.suffix == ".h5mu"
    package = _installed("mudata" if is_mudata else "anndata", path)
    _check_hdf5(path)
    if not is_mudata:
        data, outer = package.read_h5ad(path), None
    else:
        outer = package.read_h5mu(path)
        if modality not in outer.mod:
            raise InputError(
                path,
                expected=f"the name of one of its modalities, {list(outer.mod)}",
                found=modality,
                do="Name it in own.modalities.<modality>.modality.",
            )
        data = outer.mod[modality]
    about = {name: data.obs[name] for name in data.obs}
    if outer is not None:
        for name in outer.obs.columns.difference(data.obs.columns):
            about[name] = outer.obs[name].reindex(data.obs_names)
    columns = {INDEX: pa.array(data.obs_names.astype(str).tolist())}
    columns |= {name: pa.array(values, from_pandas=True) for name, values in about.items()}
    return pa.table({**columns, **_matrix_of(data, vector, path)})


def _check_hdf5(path: Path) -> None:
    """Raise ValueError if a file takes data from others, or declares more than it can hold."""
    import h5py

    sizes = []

    def elsewhere(name: str, link: object) -> str | None:
        """Return the name of a link whose data are in another file; note the size of others."""
        if isinstance(link, h5py.ExternalLink):
            return name
        node = file.get(name)
        if not isinstance(node, h5py.Dataset):
            return None
        sizes.append((node.size or 0) * node.dtype.itemsize)
        return name if node.external or node.is_virtual else None

    with h5py.File(path) as file:
        if name := file.visititems_links(elsewhere):
            raise ValueError(f"{name}, data from another file")
    size = sum(sizes)
    _check_size([path], size)


def _matrix_of(data: object, vector: object, path: Path) -> dict[str, pa.Array]:
    """Return the matrix of AnnData that `vector` selects, as a column."""
    if vector is None or vector == "all":
        vector = "X"
    if isinstance(vector, str) and vector in data.obsm:
        values = data.obsm[vector]
    elif isinstance(vector, str) and (vector == "X" or vector in data.layers):
        values = data.X if vector == "X" else data.layers[vector]
    else:
        known = [*data.layers, *data.obsm]
        names = chosen(list(map(str, data.var_names)), vector, (), f"{path}, not among X, {known}")
        values = data[:, names].X
    values = np.asarray(values.toarray() if hasattr(values, "toarray") else values)
    return {MATRIX: _column(values.reshape(len(values), -1))}


def _installed(name: str, path: Path) -> object:
    """Import and return the package that reads a file.

    Raises:
        InputError: the package is not installed.
    """
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            path,
            expected=f"the package {name}, which reads this format",
            found=str(error),
            do=f"Install it: pip install {name}",
        ) from error


#: Reader by suffix; any other suffix is read as Parquet.
_READERS: Mapping[str, Callable[[Path], pa.Table]] = {
    ".feather": _arrow,
    ".arrow": _arrow,
    ".npy": _npy,
    ".npz": _npz,
}


def index_column(table: pa.Table) -> pa.ChunkedArray | None:
    """Return the index stored in a file; None if there is none or it only counts rows.

    Raises:
        InputError: the index has several levels.
    """
    index = _index_columns(table)
    if len(index) > 1:
        raise InputError(
            "index",
            expected="one level",
            found=f"{len(index)}, {index}",
            do="Store the ids in a single column of the file.",
        )
    if index and isinstance(index[0], dict):
        rows = range(*_bounds(index[0]))
        # In a folder, the range is that of the first file.
        if (rows.start == 0 and rows.step == 1) or len(rows) != len(table):
            return None
        return pa.chunked_array([pa.array(rows)])
    name = index[0] if index else INDEX
    return table[name] if name in table.column_names else None


def _index_columns(table: pa.Table) -> list[str | dict]:
    """Return what pandas wrote about the index: names of columns, or the bounds of a range.

    Raises:
        ValueError: it is damaged.
    """
    index = (table.schema.pandas_metadata or {}).get("index_columns", [])
    for entry in index:
        if not isinstance(entry, str | dict):
            raise ValueError(f"an index named {entry!r}")
        if isinstance(entry, dict):
            bounds = _bounds(entry)
            range(*bounds)
            if any(abs(bound) > 1 << 62 for bound in bounds):
                raise ValueError(f"an index of the range {bounds}")
    return index


def _bounds(index: dict) -> tuple[int, int, int]:
    """Return the bounds of a range that pandas wrote; absent ones are those of row numbers."""
    values = (index.get(name) for name in ("start", "stop", "step"))
    return tuple(
        known if value is None else value for value, known in zip(values, (0, 0, 1), strict=True)
    )


def index_names(table: pa.Table) -> set[str]:
    """Return the names of the columns that can hold a file's index."""
    index = _index_columns(table)
    return {INDEX, *(name for name in index if isinstance(name, str))}
