"""Read MNIST: 28x28 images of handwritten digits in four IDX files, gzipped or plain.

    train-images-idx3-ubyte.gz, row 7 -> id mnist/train/00007

The spelling `train-images.idx3-ubyte`, upper or lower case, and intermediate folders (`MNIST/raw/`)
are also accepted. An IDX file consists of two zero bytes, a byte for the type, a byte for the
number of dimensions, the dimensions as big-endian 32-bit integers, and the values, big-endian.
"""

import gzip
import hashlib
import math
import re
import struct
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa

from ima.datasets.base import choose_copy, root_folder, skipped_table
from ima.datasets.download import MNIST
from ima.utils.errors import InputError
from ima.utils.io import whole_file
from ima.utils.schemas import IMAGES
from ima.utils.text_files import open_plain
from ima.utils.trees import disc_name, files_below

CORPUS = "mnist"
SOURCE = "https://yann.lecun.com/exdb/mnist or one of its mirrors"
LAYOUT = "{train,t10k}-images-idx3-ubyte[.gz] and {train,t10k}-labels-idx1-ubyte[.gz]"

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
#: Maximum number of values of a file.
MAX_VALUES = 1 << 29
#: Maximum number of bytes of a value.
_MAX_VALUE_BYTES = 8
_CODES = {np.dtype(name).newbyteorder("="): code for code, name in _TYPES.items()}
_NAME = re.compile(r"(train|t10k)[-_](images|labels)[-._]idx[13][-_]ubyte(\.gz)?")
_SPLITS = {"train": "train", "t10k": "test"}


class OtherContentWarning(UserWarning):
    """Files with the names of MNIST do not have its content."""


def index(root: str | Path, nominal: bool = True) -> tuple[pa.Table, pa.Table]:
    """List the images of MNIST, or of another set of digits in the same format.

    Args:
        root: a folder that contains the four files, directly or in subfolders.
        nominal: whether to compare the files with the checksums of MNIST and warn.

    Returns:
        items (IMAGES): `row` is the index of the image in `file`;
        skipped (SKIPPED): duplicate files, such as a plain copy of a gzipped one.

    Raises:
        InputError: a file is missing, is not IDX, is swapped with another, or has images of
            another size or labels outside 0-9; or files of the same name have different content.

    Warns:
        OtherContentWarning: with `nominal`, files differ from those of MNIST.
    """
    root = root_folder(root, "MNIST", SOURCE, LAYOUT)
    files, skipped = _find(root)
    ids, splits, labels, names, numbers = [], [], [], [], []
    for prefix, split in _SPLITS.items():
        images = files[prefix, "images"]
        values = _labels(root / images, root / files[prefix, "labels"])
        width = max(5, len(str(len(values) - 1)))
        ids += [f"{CORPUS}/{split}/{row:0{width}}" for row in range(len(values))]
        splits += [split] * len(values)
        names += [images] * len(values)
        labels.append(values.astype(np.int8))
        numbers.append(np.arange(len(values), dtype=np.int32))
    columns = [ids, splits, np.concatenate(labels), names, np.concatenate(numbers)]
    arrays = [pa.array(c, type=field.type) for c, field in zip(columns, IMAGES, strict=True)]
    items = pa.Table.from_arrays(arrays, schema=IMAGES)
    if nominal:
        _warn_if_altered(root, files)
    return items.sort_by("id"), skipped_table(CORPUS, skipped)


def read_images(root: str | Path, items: pa.Table) -> np.ndarray:
    """Read the images listed in a table of `index`.

    Args:
        root: the corpus folder, as given to `index`.
        items: n rows of IMAGES, in any order.

    Returns:
        Images, uint8 (n, 28, 28), in the order of `items`.

    Raises:
        InputError: a file is missing or damaged, or has fewer images than `items` refers to.
    """
    files = np.array(items["file"].to_pylist(), dtype=object)
    rows = items["row"].to_numpy()
    images = np.empty((len(items), 28, 28), dtype=np.uint8)
    for file in sorted(set(files)):
        in_file = files == file
        values = _images(Path(root, file))
        indices = rows[in_file]
        if indices.min() < 0 or indices.max() >= len(values):
            bad = indices.max() if indices.min() >= 0 else indices.min()
            raise InputError(
                Path(root, file),
                expected=f"the image of row {bad}",
                found=f"{len(values)} images",
                do="The table belongs to another file: create it again.",
            )
        images[in_file] = values[indices]
    return images


def read_idx(path: str | Path) -> np.ndarray:
    """Read an IDX file, plain or gzipped (detected by its content).

    Returns:
        The array, with the shape and type declared in the file, in native byte order.

    Raises:
        InputError: the file does not exist, is not IDX, has damaged gzip data, or has more or
            fewer bytes than its header declares.
    """
    path = Path(path)
    raw = _bytes(path)
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _TYPES or raw[3] == 0:
        raise InputError(
            path,
            expected="an IDX file (00 00, a type of 08 09 0b 0c 0d 0e, 1 or more dimensions)",
            found=f"a file that starts with {raw[:4].hex(' ') or 'nothing (it is empty)'}",
        )
    type_, dimensions = np.dtype(_TYPES[raw[2]]), raw[3]
    start, shape = 4 + 4 * dimensions, _shape(raw)
    size = type_.itemsize
    for length in shape:  # Python integers do not overflow, even if the header is damaged
        size *= length
    if len(raw) != start + size:
        cut_off = len(raw) > start + _MAX_VALUE_BYTES * math.prod(shape)  # see `_bytes`
        raise InputError(
            path,
            expected=f"{start + size} bytes ({type_.name} of shape {shape} after a header)",
            found=f"{len(raw)}{' or more' if cut_off else ''}",
            do="The file is truncated or damaged: download it again.",
        )
    try:
        values = np.frombuffer(raw, type_, offset=start).reshape(shape)
    except ValueError as error:  # a damaged header of no values can have a hundred dimensions
        raise InputError(path, expected="a shape of an array", found=error) from error
    return values.astype(type_.newbyteorder("="))


def write_idx(array: np.ndarray, path: str | Path) -> None:
    """Write an array as an IDX file; equal arrays give identical bytes.

    Args:
        array: uint8, int8, int16, int32, float32 or float64, with 1 to 255 dimensions.
        path: the output file, written atomically; gzipped if the name ends in `.gz`.

    Raises:
        InputError: IDX does not support the type or the number of dimensions.
    """
    array = np.asarray(array)
    code = _CODES.get(array.dtype.newbyteorder("="))
    if code is None or not 1 <= array.ndim <= 255:
        raise InputError(
            path,
            expected=f"1 to 255 dimensions of {', '.join(str(type_) for type_ in _CODES)}",
            found=f"{array.ndim} of {array.dtype}",
        )
    raw = bytes((0, 0, code, array.ndim)) + np.array(array.shape, ">u4").tobytes()
    raw += array.astype(_TYPES[code]).tobytes()
    # Without a modification time and a file name, gzip data depend only on the content.
    data = gzip.compress(raw, mtime=0) if Path(path).suffix.lower() == ".gz" else raw
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def _bytes(path: Path) -> bytes:
    """Return the bytes of a file, decompressed, but not more than its header declares plus one."""
    with open_plain(path, "a readable IDX file") as file:
        raw = file.read(4)
        raw += file.read(4 * raw[3]) if len(raw) == 4 else b""
        count = math.prod(_shape(raw))
        if count > MAX_VALUES and raw[:2] == b"\0\0":
            raise InputError(path, expected=f"at most {MAX_VALUES:,} values", found=f"{count:,}")
        remaining = min(count, MAX_VALUES) * _MAX_VALUE_BYTES + 1
        parts = [raw]
        while remaining > 0 and (block := file.read(min(remaining, 1 << 24))):
            parts.append(block)
            remaining -= len(block)
    return b"".join(parts)


def _shape(raw: bytes) -> tuple[int, ...]:
    """Return the shape that the first bytes of an IDX file declare; missing bytes count as 0."""
    dimensions = raw[3] if len(raw) > 3 else 0
    return struct.unpack(
        f">{dimensions}I", raw[4 : 4 + 4 * dimensions].ljust(4 * dimensions, b"\0")
    )


def _find(root: Path) -> tuple[dict[tuple[str, str], str], list[tuple[str, str]]]:
    """Return the relative paths of the four files, and (path, reason) of duplicates."""
    candidates: dict[tuple[str, str], list[str]] = {}
    # Prefer gzipped files: torchvision unpacks a copy next to its downloads.
    for path in sorted(
        files_below(root), key=lambda path: (not path.lower().endswith(".gz"), path)
    ):
        if name := _NAME.fullmatch(disc_name(path).lower().rpartition("/")[2]):
            candidates.setdefault((name[1], name[2]), []).append(path)
    files, skipped = {}, []
    for key, paths in candidates.items():
        files[key], copies = choose_copy(root, paths, read_idx)
        skipped += copies
    for prefix in _SPLITS:
        for kind in ("images", "labels"):
            if (prefix, kind) not in files:
                raise InputError(
                    root,
                    expected=f"MNIST's four files, {LAYOUT}",
                    found=f"no {prefix}-{kind} file among {sorted(files.values())}",
                    do=f"Get it from {SOURCE}.",
                )
    return files, skipped


def _warn_if_altered(root: Path, files: dict[tuple[str, str], str]) -> None:
    known = {_NAME.fullmatch(idx.name).group(1, 2): idx.sha256 for idx in MNIST}
    altered = [path for key, path in files.items() if _content_digest(root / path) != known[key]]
    if altered:
        message = f"{root}: {', '.join(sorted(altered))} do not have the content of MNIST"
        warnings.warn(
            f"{message}: they are altered, incomplete, or of another set", OtherContentWarning,
            stacklevel=3,
        )  # fmt: skip


def _content_digest(path: Path) -> str:
    with open_plain(path, "a readable IDX file") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _images(path: Path) -> np.ndarray:
    """Read images, uint8 (n, 28, 28)."""
    images = read_idx(path)
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise InputError(
            path,
            expected="images: uint8 of shape (n, 28, 28)",
            found=f"{images.dtype} of shape {images.shape}",
            do="Check whether the image and label files are swapped.",
        )
    return images


def _labels(images: Path, labels: Path) -> np.ndarray:
    """Read the labels (n,) of an image file, after checking that both files match."""
    count, values = len(_images(images)), read_idx(labels)
    if values.dtype != np.uint8 or values.ndim != 1:
        raise InputError(
            labels,
            expected="labels: uint8 of shape (n,)",
            found=f"{values.dtype} of shape {values.shape}",
            do="Check whether the image and label files are swapped.",
        )
    if len(values) != count or not count:
        raise InputError(
            labels,
            expected=f"one label for each of the {count} images of {images.name}, at least one",
            found=f"{len(values)}",
            do="The files do not belong together: download them again.",
        )
    if values.max() > 9:
        raise InputError(labels, expected="labels from 0 to 9", found=f"{values.max()}")
    return values
