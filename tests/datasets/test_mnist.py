"""IDX files of MNIST: hand-made bytes, round trips, and all kinds of faulty files."""

import gzip

import numpy as np
import pyarrow as pa
import pytest

from ima.datasets import mnist
from ima.utils.errors import InputError
from ima.utils.schemas import IMAGES, SKIPPED

FILES = [
    f"{prefix}-{kind}-idx{n}-ubyte"
    for prefix in ("train", "t10k")
    for kind, n in (("images", 3), ("labels", 1))
]


def images(n, first=0):
    """Return n uniform images (n, 28, 28) with grey levels first, first + 1, ..."""
    return np.tile(np.arange(first, first + n, dtype=np.uint8)[:, None, None], (1, 28, 28))


def corpus(root, ending=".gz", names=lambda name: name):
    content = [images(3), np.uint8([7, 0, 9]), images(2, 100), np.uint8([1, 2])]
    for file, array in zip(FILES, content, strict=True):
        mnist.write_idx(array, root / (names(file) + ending))
    return root


# IDX


def test_write_idx_bytes_by_hand(tmp_path):
    path = tmp_path / "x"
    mnist.write_idx(np.array([[1, -2, 258]], dtype=np.int16), path)
    raw = "00 00 0b 02  00 00 00 01  00 00 00 03  00 01 ff fe 01 02"
    assert path.read_bytes() == bytes.fromhex(raw)
    array = mnist.read_idx(path)
    assert array.tolist() == [[1, -2, 258]] and array.dtype == np.int16


@pytest.mark.parametrize("name", ["x", "x.gz"])
@pytest.mark.parametrize("type_", ["uint8", "int8", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 1, 3), (0, 28, 28)])
def test_idx_round_trip(tmp_path, name, type_, shape):
    array = (np.random.default_rng(0).random(shape) * 100).astype(type_)
    mnist.write_idx(array, tmp_path / name)
    back = mnist.read_idx(tmp_path / name)
    assert back.dtype == array.dtype and back.shape == shape
    np.testing.assert_array_equal(back, array)
    assert back.flags.writeable


def test_write_idx_handles_big_endian_and_non_contiguous_arrays(tmp_path):
    array = np.arange(12, dtype=">i4").reshape(3, 4).T
    mnist.write_idx(array, tmp_path / "x")
    np.testing.assert_array_equal(mnist.read_idx(tmp_path / "x"), array)


def test_gzip_is_deterministic_and_detected_by_content(tmp_path):
    mnist.write_idx(images(2), tmp_path / "a.gz")
    mnist.write_idx(images(2), tmp_path / "other name.gz")
    raw = (tmp_path / "a.gz").read_bytes()
    assert raw == (tmp_path / "other name.gz").read_bytes()
    assert raw[:2] == b"\x1f\x8b" and raw[4:8] == bytes(4)  # mtime 0
    (tmp_path / "plain").write_bytes(raw)
    np.testing.assert_array_equal(mnist.read_idx(tmp_path / "plain"), images(2))
    (tmp_path / "b.gz").write_bytes(gzip.decompress(raw))
    np.testing.assert_array_equal(mnist.read_idx(tmp_path / "b.gz"), images(2))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("", "found a file that starts with nothing"),
        ("00 00 08", "found a file that starts with 00 00 08"),
        ("00 00 08 41" + " 00 00 00 00" * 65, "a shape of an array, found maximum supported"),
        ("50 4b 03 04", "found a file that starts with 50 4b 03 04"),
        ("00 00 07 01 00 00 00 00", "found a file that starts with 00 00 07 01"),
        ("00 00 08 00", "found a file that starts with 00 00 08 00"),
        ("00 00 08 01 00 00", r"8 bytes \(uint8 of shape \(0,\) after a header\), found 6"),
        ("00 00 08 01 00 00 00 02 05", r"10 bytes \(uint8 of shape \(2,\).*found 9"),
        ("00 00 08 01 00 00 00 02 05 05 05", r"10 bytes .*found 11"),
        ("00 00 0c 02 ff ff ff ff ff ff ff ff", "at most 536,870,912 values"),
        ("1f 8b 08 00 00 00", "whole gzip data, found damaged data"),
    ],
)
def test_read_idx_rejects_malformed_files(tmp_path, raw, message):
    path = tmp_path / "train-labels-idx1-ubyte"
    path.write_bytes(bytes.fromhex(raw))
    with pytest.raises(InputError, match=message) as caught:
        mnist.read_idx(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("damage", [lambda raw: raw[:-20], lambda raw: raw[:30] + b"\xff" * 40])
def test_read_idx_rejects_damaged_gzip(tmp_path, damage):
    noise = np.random.default_rng(0).integers(256, size=500).astype(np.uint8)
    mnist.write_idx(noise, tmp_path / "x.gz")
    (tmp_path / "x.gz").write_bytes(damage((tmp_path / "x.gz").read_bytes()))
    with pytest.raises(InputError, match="whole gzip data, found damaged data"):
        mnist.read_idx(tmp_path / "x.gz")


def test_read_idx_reports_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="a readable IDX file, found No such file"):
        mnist.read_idx(tmp_path / "x")


@pytest.mark.parametrize(
    "array", [np.array(3), np.array([True]), np.array(["a"]), np.array([1 << 40])]
)
def test_write_idx_rejects_unsupported_arrays(tmp_path, array):
    with pytest.raises(InputError, match="1 to 255 dimensions of uint8, int8"):
        mnist.write_idx(array, tmp_path / "x")
    assert not list(tmp_path.iterdir())


# The corpus


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize(
    "names",
    [
        lambda name: name,
        lambda name: name.replace("-idx", ".idx"),
        lambda name: f"MNIST/raw/{name}",
        str.upper,
    ],
)
def test_index(tmp_path, ending, names):
    items, skipped = mnist.index(corpus(tmp_path, ending, names))
    assert items.schema == IMAGES and skipped.schema == SKIPPED and len(skipped) == 0
    assert items.select(["id", "split", "label", "row"]).to_pylist() == [
        {"id": f"mnist/{split}/{row:05}", "split": split, "label": label, "row": row}
        for split, row, label in [
            ("test", 0, 1),
            ("test", 1, 2),
            ("train", 0, 7),
            ("train", 1, 0),
            ("train", 2, 9),
        ]
    ]
    assert (
        items["file"].to_pylist() == [names(FILES[2]) + ending] * 2 + [names(FILES[0]) + ending] * 3
    )


def test_read_images_follows_the_order_of_the_table(tmp_path):
    items, _ = mnist.index(corpus(tmp_path))
    read = mnist.read_images(tmp_path, items)
    assert read.shape == (5, 28, 28) and read.dtype == np.uint8
    assert read[:, 0, 0].tolist() == [100, 101, 0, 1, 2]
    assert (read == read[:, :1, :1]).all()
    some = items.take(pa.array([4, 0, 2, 4]))
    assert mnist.read_images(tmp_path, some)[:, 5, 5].tolist() == [2, 100, 0, 2]
    assert mnist.read_images(tmp_path, items.slice(0, 0)).shape == (0, 28, 28)


@pytest.mark.parametrize(("row", "message"), [(3, "row 3, found 3 images"), (-1, "row -1")])
def test_read_images_rejects_rows_beyond_the_file(tmp_path, row, message):
    items, _ = mnist.index(corpus(tmp_path))
    wrong = items.slice(4).set_column(4, IMAGES.field("row"), [pa.array([row], pa.int32())])
    with pytest.raises(InputError, match=message):
        mnist.read_images(tmp_path, wrong)


def test_index_lists_duplicate_files(tmp_path):
    corpus(tmp_path)
    mnist.write_idx(images(3), tmp_path / FILES[0])
    items, skipped = mnist.index(tmp_path)
    assert set(items["file"].to_pylist()) == {f"{FILES[0]}.gz", f"{FILES[2]}.gz"}
    assert skipped.to_pylist() == [
        {"corpus": "mnist", "file": FILES[0], "reason": f"a second copy of {FILES[0]}.gz"}
    ]


@pytest.mark.parametrize("missing", range(4))
def test_index_reports_a_missing_file(tmp_path, missing):
    (corpus(tmp_path) / f"{FILES[missing]}.gz").unlink()
    kind = FILES[missing].split("-idx")[0]
    with pytest.raises(InputError, match=f"found no {kind} file among"):
        mnist.index(tmp_path)


def test_index_reports_a_missing_folder(tmp_path):
    with pytest.raises(InputError, match=r"MNIST corpus.*found nothing"):
        mnist.index(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"MNIST corpus.*without files"):
        mnist.index(tmp_path)


def test_index_rejects_swapped_files(tmp_path):
    a, b, c = corpus(tmp_path) / f"{FILES[0]}.gz", tmp_path / f"{FILES[1]}.gz", tmp_path / "c"
    a.rename(c)
    b.rename(a)
    c.rename(b)
    with pytest.raises(
        InputError, match=r"images: uint8 of shape \(n, 28, 28\), found uint8 of sh"
    ):
        mnist.index(tmp_path)


@pytest.mark.parametrize(
    ("file", "array", "message"),
    [
        (1, np.uint8([1, 2]), "each of the 3 images of train-images.*found 2"),
        (1, np.uint8([1, 2, 10]), "labels from 0 to 9, found 10"),
        (1, np.int16([1, 2, 3]), "labels: uint8"),
        (1, images(3), "labels: uint8"),
        (0, np.zeros((3, 27, 28), np.uint8), r"found uint8 of shape \(3, 27, 28\)"),
        (0, np.zeros((3, 28, 28), np.float32), "found float32"),
        (0, np.zeros((0, 28, 28), np.uint8), "each of the 0 images"),
    ],
)
def test_index_rejects_mismatched_files(tmp_path, file, array, message):
    corpus(tmp_path)
    mnist.write_idx(array, tmp_path / f"{FILES[file]}.gz")
    with pytest.raises(InputError, match=message):
        mnist.index(tmp_path)


def test_real_corpus(shared):
    root = shared("data/mnist")
    items, skipped = mnist.index(root)
    assert len(items) == 70_000 and len(skipped) == 0
    assert items["split"].to_pylist().count("test") == 10_000
    assert items["label"].to_pylist()[:5] == [7, 2, 1, 0, 4]  # the test set's well-known start
    first = mnist.read_images(root, items.slice(0, 1))
    assert first[0].sum() == mnist.read_idx(root / "t10k-images-idx3-ubyte.gz")[0].sum() > 0
