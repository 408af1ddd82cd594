"""Read user data in common research formats as Arrow tables.

A table has the file's columns. Ids that the file stores separately, such as the index of a data
frame, become the column INDEX. A matrix without column names becomes one list column, `x`.
"""

import io
import logging
import math
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
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
#: A batch of rows takes at most one in BATCHES of these bytes.
BATCHES = 2
#: Maximum number of rows of a table: this, or 8 per byte of its file. Rows that take less than one
#: bit each, compressed, hold no data, but each takes at least 100 bytes as an item with an id.
MAX_ROWS, ROWS_PER_BYTE = 1 << 20, 8
#: Bytes of a decoded number by its type in Parquet; of small integers, by their annotation.
_WIDTHS = {"BOOLEAN": 1 / 8, "INT32": 4, "FLOAT": 4, "INT64": 8, "INT96": 8, "DOUBLE": 8}
_SMALL = {"INT_8": 1, "UINT_8": 1, "INT_16": 2, "UINT_16": 2}
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
        _check_table(path, table)
    except InputError:
        raise
    except Exception as error:  # libraries raise errors of many types for damaged files
        raise _unreadable(path, name, error) from error
    return table


class SameNameError(ValueError):
    """Columns of a table have the same name."""


def _check_table(path: Path, table: pa.Table) -> None:
    """Raise an error if a table is damaged, too large, or has several columns of the same name."""
    paths = parts_of(path) if path.is_dir() else [path]
    _check_rows(paths, len(table))
    if len(table) and all(_holds_nothing(kind) for kind in table.schema.types):
        raise ValueError("no column with stored values")
    table.validate(full=True)  # a damaged file may have lists or text beyond its end
    _check_size(paths, sum(map(_decoded_size, table.columns)))
    _index_columns(table)
    twice = [name for name, n in Counter(table.column_names).items() if n > 1]
    if twice:
        raise SameNameError(f"several columns named {twice[0]!r}")


def _check_rows(paths: Iterable[str | Path], rows: int) -> None:
    """Raise ValueError if files contain more rows than they plausibly can."""
    limit = max(MAX_ROWS, ROWS_PER_BYTE * sum(Path(path).stat().st_size for path in paths))
    if rows > limit:
        raise ValueError(f"more than {limit:,} rows in a file that is much smaller")


def _holds_nothing(kind: pa.DataType) -> bool:
    """Return whether a column of this type may have any number of rows but no data of each."""
    types = pa.types
    if types.is_null(kind) or types.is_run_end_encoded(kind):
        return True
    if types.is_fixed_size_list(kind):
        return kind.list_size == 0 or _holds_nothing(kind.value_type)
    if types.is_struct(kind):
        return all(_holds_nothing(field.type) for field in kind)
    return types.is_fixed_size_binary(kind) and kind.byte_width == 0


def _decoded_size(column: pa.ChunkedArray) -> int:
    """Return the bytes of a column, those of a dictionary's texts as often as they occur."""
    kind, types = column.type, pa.types
    known = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    if not types.is_dictionary(kind) or not any(of(kind.value_type) for of in known):
        return column.nbytes
    size = 0
    for chunk in column.chunks:
        sizes = pc.binary_length(chunk.dictionary).cast(pa.int64())
        size += chunk.indices.nbytes + (pc.sum(sizes.take(chunk.indices)).as_py() or 0)
    return size


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
        rows = _rows_at_a_time([path], [file.metadata])
        return as_table(_bounded([path], file.iter_batches(rows)), file.schema_arrow)


def _rows_at_a_time(paths: Sequence[str | Path], parts: Iterable[pq.FileMetaData]) -> int:
    """Return the number of rows of Parquet files to read at a time: ROWS, or fewer of long texts.

    Args:
        paths: the files.
        parts: what each file declares.

    Raises:
        ValueError: they declare more rows or numbers than they plausibly can.
    """
    rows, numbers, text = 0, 0.0, 0.0
    for about in parts:
        rows += about.num_rows
        widths = [_width(about.schema.column(number)) for number in range(about.num_columns)]
        for group in map(about.row_group, range(about.num_row_groups)):
            in_row = 0.0
            for number, width in enumerate(widths):
                chunk = group.column(number)
                if width is None:
                    # A dictionary holds a text once, but each value may be the same.
                    each = max(1, chunk.num_values / max(1, group.num_rows))
                    in_row += each * chunk.total_uncompressed_size
                else:
                    numbers += width * chunk.num_values
            text = max(text, in_row)
    _check_rows(paths, rows)
    _check_size(paths, int(numbers))
    return max(1, min(ROWS, int(_limit(paths) / BATCHES / max(text, 1))))


def _width(column: pq.ColumnSchema) -> float | None:
    """Return the bytes of a decoded value of a column of Parquet; None if it is text."""
    if column.physical_type == "FIXED_LEN_BYTE_ARRAY":
        return column.length
    return _SMALL.get(column.converted_type, _WIDTHS.get(column.physical_type))


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
    limit = _limit(paths)
    if size > limit:
        raise ValueError(f"more than {limit:,} bytes in a file that is much smaller")


def _limit(paths: Iterable[str | Path]) -> int:
    """Return the maximum number of bytes that files may contain, decompressed."""
    return max(MAX_BYTES, EXPANSION * sum(Path(path).stat().st_size for path in paths))


def _folder(path: Path) -> pa.Table:
    """Return the rows of all files in a folder, in the order of the file names."""
    from pyarrow import dataset

    files = parts_of(path)
    if files == [str(path)]:
        raise ValueError("a folder without Parquet files")
    whole = dataset.dataset(
        files, format="parquet", partitioning="hive", partition_base_dir=str(path)
    )
    rows = _rows_at_a_time(files, (part.metadata for part in whole.get_fragments()))
    if rows < ROWS:  # a dataset decodes all rows of a group at once
        for _ in _bounded(files, _texts(files, rows)):
            pass
    batches = whole.to_batches(batch_size=ROWS, batch_readahead=4, fragment_readahead=1)
    return as_table(_bounded(files, batches), whole.schema)


def _texts(paths: Iterable[str | Path], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the texts of Parquet files, some rows at a time."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            schema = file.metadata.schema
            columns = [schema.column(number) for number in range(file.metadata.num_columns)]
            names = [column.path for column in columns if _width(column) is None]
            yield from file.iter_batches(rows, columns=names)


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
    zipped = is_gzipped(path)
    source = pa.input_stream(str(path), compression="gzip" if zipped else None)
    table = csv.read_csv(
        pa.PythonFile(_Limited(source, path, delimiter), "r") if zipped else source,
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


class _Limited(io.RawIOBase):
    """The text of a gzipped table, of which each cell will take 8 bytes."""

    def __init__(self, source: pa.NativeFile, path: Path, delimiter: str):
        self.source, self.path, self.delimiter = source, path, delimiter.encode()
        self.size = self.cells = self.lines = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes.

        Raises:
            ValueError: there are more bytes, cells or lines than the file plausibly contains.
        """
        block = self.source.read(size)
        self.size += len(block)
        if self.size > ROWS_PER_BYTE * self.path.stat().st_size:  # few tables; counting takes time
            self.lines += max(block.count(b"\n"), block.count(b"\r"))
            self.cells += block.count(self.delimiter)
            _check_rows([self.path], self.lines)
            _check_size([self.path], max(self.size, 8 * (self.cells + self.lines)))
        return block


def _npy(path: Path) -> pa.Table:
    # A map fails if the header declares more than the file holds; reading would allocate it.
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    _check_kind(values.dtype)
    return pa.table({MATRIX: _column(values)})


def _check_kind(kind: np.dtype) -> None:
    """Raise ValueError for values of 0 bytes, of which a file may declare any number."""
    if not kind.itemsize:
        raise ValueError(f"values of type {kind}, which take no bytes")


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
            _check_kind(kind)
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
    if hasattr(values, "toarray"):  # sparse
        _check_size([path], math.prod(values.shape) * values.dtype.itemsize)
        values = values.toarray()
    values = np.asarray(values)
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
