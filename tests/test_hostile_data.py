"""Recordings, tables and names that are small but claim much (docs/dev/security.md)."""

import gzip
import random
import re
import struct
import sys
import time
import types
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse

from ima.audio import shorten, sphere
from ima.command.main import main
from ima.datasets import download, user_files
from ima.datasets.open_corpora import FSDD
from ima.datasets.user import read_items
from ima.datasets.user_files import read_table
from ima.features import lexicon
from ima.pairing.user_ids import hint_of_ids
from ima.reporting.page import tables
from ima.utils.errors import InputError
from tests.audio import test_sphere
from tests.test_fuzz import limited


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small(monkeypatch):
    """Let small files stand for large ones."""
    monkeypatch.setattr(user_files, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(user_files, "EXPANSION", 1)


def peak(name: str) -> int:
    """Return the memory of this process, now (VmRSS) or at most (VmHWM), in MB."""
    return int(re.search(rf"{name}:\s*(\d+)", Path("/proc/self/status").read_text())[1]) >> 10


def grown(read, *arguments) -> int:
    """Return the MB of memory that this process takes at most while a file is refused."""
    pa.default_memory_pool().release_unused()
    Path("/proc/self/clear_refs").write_text("5")  # the highest is the present one
    before = peak("VmRSS")
    with pytest.raises(InputError, match="in a file that is much smaller"):
        read(*arguments)
    return peak("VmHWM") - before


# Audio


class Packed:
    """Writes shorten 2.00."""

    def __init__(self, channels=1, block=256):
        self.bits = ""
        for value in (5, channels, block, 4, 0, 0):
            self.long_number(value)

    def number(self, value, k):
        self.bits += "0" * (value >> k) + "1" + (f"{value % 2**k:0{k}b}" if k else "")

    def long_number(self, value):
        self.number(value.bit_length(), 2)
        self.number(value, value.bit_length())

    def block(self, command, values=(), k=3, coefficients=()):
        self.number(command, 2)
        if command != 8:  # ZERO
            self.number(k - 1, 3)
        if command == 7:  # QLPC
            self.number(len(coefficients), 2)
            for value in coefficients:
                self.number(value, 6)
        for value in values:
            self.number(value, k)

    def data(self) -> bytes:
        self.number(4, 2)
        bits = self.bits + "0" * (-len(self.bits) % 8)
        return b"ajkg\2" + int(bits, 2).to_bytes(len(bits) // 8, "big")


@pytest.mark.parametrize("block", [1 << 18, 1 << 24])
@pytest.mark.parametrize("late", [False, True])
def test_shorten_data_have_no_more_samples_than_declared(block, late):
    packed = Packed(block=4 if late else block)
    if late:
        packed.number(5, 2)
        packed.long_number(block)
    for _ in range(50):
        packed.block(8)
    test_sphere.write(Path("a.sph"), packed.data(), sample_count="-i 4")
    assert Path("a.sph").stat().st_size < 1100
    with limited(), pytest.raises(InputError, match="expected 4 samples, as its header says, foun"):
        sphere.read("a.sph")


def test_a_padded_block_is_read():
    packed = Packed(block=256)
    packed.block(8)
    test_sphere.write(Path("a.sph"), packed.data(), sample_count="-i 4")
    assert sphere.read("a.sph")[0].tolist() == [0] * 4


def test_samples_of_shorten_are_counted_as_desphere_decodes_them():
    rng = random.Random(0)
    for channels in (1, 2):
        packed, count = Packed(channels, 70), 0
        for _ in range(20):
            block = rng.choice([1, 63, 64, 70, 200])
            packed.number(5, 2)
            packed.long_number(block)
            for _ in range(channels):
                command, k = rng.choice([0, 1, 2, 3, 7, 8]), rng.randint(1, 9)
                values = [] if command == 8 else [rng.randrange(2**10) for _ in range(block)]
                coefficients = [rng.randrange(60) for _ in range(rng.randint(0, 3))]
                packed.block(command, values, k, coefficients)
            packed.number(9, 2)  # VERBATIM
            packed.number(3, 5)
            for _ in range(3):
                packed.number(rng.randrange(256), 8)
            packed.number(6, 2)  # BITSHIFT
            packed.number(rng.randrange(3), 2)
            count += block
        data = packed.data()
        assert shorten._length(data[5:], 1 << 20) == count * channels
        about = {"sample_count": f"-i {count}", "channel_count": f"-i {channels}"}
        test_sphere.write(Path("a.sph"), data, **about)
        assert len(sphere.read("a.sph", channel=0)[0]) == count


@pytest.fixture
def no_decoders(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "av", None)  # as if it were not installed
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


@pytest.mark.parametrize("name", ["sph2pipe", "ffmpeg"])
def test_output_of_external_decoders_is_limited(no_decoders, monkeypatch, name):
    monkeypatch.setattr(shorten, "_PADDING", 8)
    program = no_decoders / name
    program.write_text(
        f"#!{sys.executable} -S\nimport sys, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        "open(sys.argv[-1], 'wb').write(bytes(1 << 20))\n"
    )
    program.chmod(0o755)
    test_sphere.write(Path("a.sph"), b"ajkg\1" + bytes(9), sample_count="-i 4")
    monkeypatch.setattr(shorten.shutil, "which", lambda of: str(program) if of == name else None)
    with pytest.raises(InputError, match=f"{name} decodes, found more samples than its header"):
        sphere.read("a.sph")


def test_decoding_with_av_stops(monkeypatch):
    monkeypatch.setattr(shorten, "_PADDING", 8)
    taken = []

    class Endless(test_sphere.Av):
        def decode(self, audio):
            while len(taken) < 1000:
                taken.append(0)
                yield types.SimpleNamespace(to_ndarray=lambda: np.zeros((1, 8), np.int16))

    monkeypatch.setitem(sys.modules, "av", Endless())
    test_sphere.write(Path("a.sph"), b"ajkg\1" + bytes(9), sample_count="-i 4")
    with pytest.raises(InputError, match="expected 4 samples of 1 channel"):
        sphere.read("a.sph")
    assert len(taken) == 2


def test_a_number_of_5000_digits_in_a_sphere_header():
    test_sphere.write(Path("a.sph"), size=8192, sample_count=f"-s5000 {'1' * 5000}")
    with pytest.raises(InputError, match="a positive integer 'sample_count'"):
        sphere.read("a.sph")


# Tables


@pytest.mark.parametrize("name", ["t/a.parquet", "t"])
@pytest.mark.parametrize("kind", ["text", "texts", "numbers"])
def test_parquet_is_not_decoded_beyond_its_limit(small, kind, name):
    one = pa.array(["a" * (1 << 18)])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), one)
    if kind == "texts":
        column = pa.ListArray.from_arrays(pa.array(range(0, 1001, 2), pa.int32()), column)
    if kind == "numbers":
        column = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(10**7, np.float32)), 50_000)
    Path("t").mkdir()
    settings = {"compression": "zstd", "store_schema": False, "dictionary_pagesize_limit": 1 << 30}
    pq.write_table(pa.table({"x": column}), "t/a.parquet", **settings)
    del column
    assert Path("t/a.parquet").stat().st_size < 3000
    assert grown(read_table, name) < 30


def test_a_dictionary_of_arrow_is_not_decoded_beyond_its_limit(small):
    one = pa.array(["a" * 10_000])
    ids = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), one)
    table = pa.table({"id": ids, "x": pa.array(np.zeros(1000))})
    with pa.ipc.new_file("a.arrow", table.schema) as file:
        file.write(table)
    assert grown(read_items, "a.arrow", {"vector": "x"}, "sse") < 8


def run_ends(n):
    return pa.RunEndEncodedArray.from_arrays(pa.array([n], pa.int32()), pa.array([1.0]))


def nulls(n):
    return pa.Array.from_buffers(pa.null(), n, [None])


def no_bytes(n):
    return pa.Array.from_buffers(pa.binary(0), n, [None, pa.py_buffer(b"")])


@pytest.mark.parametrize("made", [nulls, run_ends, no_bytes])
def test_rows_without_data(made):
    for rows, message in (((1 << 31) - 1, "more than 1,048,576 rows"), (5, "no column with store")):
        column = made(rows)
        batch = pa.RecordBatch.from_arrays([column], ["x"])
        with pa.ipc.new_file("a.arrow", batch.schema) as file:
            file.write(batch)
        with limited(), pytest.raises(InputError, match=message):
            read_items("a.arrow", {"vector": "x"}, "sse")


@pytest.mark.parametrize("name", ["t/a.parquet", "t"])
def test_parquet_has_no_more_rows_than_bits(name):
    rows = 10**7
    bits = pa.Array.from_buffers(pa.bool_(), rows, [None, pa.py_buffer(bytes(rows // 8))])
    Path("t").mkdir()
    pq.write_table(pa.table({"x": bits}), "t/a.parquet", compression="zstd", row_group_size=rows)
    with limited(), pytest.raises(InputError, match=r"more than 1,048,576 rows in a file"):
        read_items(name, {"vector": ["x"]}, "sse")


@pytest.mark.parametrize(
    "text",
    [
        b"a,x\n" + b",1\n" * 3_000_000,
        b"a\r" + b"1\r" * 3_000_000,
        b"a,b\r\n" + b"1,\r\n" * 2_000_000,
    ],
)
def test_a_gzipped_table_has_no_more_rows_than_bits(text):
    Path("a.csv.gz").write_bytes(gzip.compress(text))
    assert grown(read_items, "a.csv.gz", {"vector": "all"}, "sse") < 60


def test_cells_of_a_gzipped_table_are_counted(small):
    Path("a.csv.gz").write_bytes(gzip.compress((b"1" + b"," * 999 + b"\n") * 1000))
    assert grown(read_table, "a.csv.gz") < 20
    text = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(20_000))
    Path("a.csv.gz").write_bytes(gzip.compress(text))
    assert read_table("a.csv.gz")["b"][-1].as_py() == 19_999**2


@pytest.mark.parametrize("kind", ["<U0", "|S0", "|V0"])
def test_values_without_bytes(kind):
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': (100000000,), }}".encode()
    array = np.lib.format.magic(1, 0) + struct.pack("<H", 118) + head.ljust(117) + b"\n"
    Path("a.npy").write_bytes(array)
    with zipfile.ZipFile("a.npz", "w") as archive:
        archive.writestr("x.npy", array)
    for name in ("a.npy", "a.npz"):
        with limited(), pytest.raises(InputError, match="which take no bytes"):
            read_table(name)


def test_a_sparse_matrix_is_not_filled_beyond_its_limit():
    Path("a.h5ad").write_bytes(b"")
    data = types.SimpleNamespace(obsm={}, layers={}, X=scipy.sparse.csr_matrix((10**5, 10**5)))
    with limited(), pytest.raises(ValueError, match="in a file that is much smaller"):
        user_files._matrix_of(data, None, Path("a.h5ad"))
    data.X = scipy.sparse.csr_matrix(np.eye(3))
    made = user_files._matrix_of(data, None, Path("a.h5ad"))
    assert made["x"].to_pylist() == np.eye(3).tolist()


# Names and texts


@pytest.mark.parametrize("name", ["x/recordings/C:evil.wav", "x/recordings/a.wav:b.wav", "C:x"])
def test_no_member_of_an_archive_names_a_drive(name):
    wrong = download._wrong_members([zipfile.ZipInfo(name)], FSDD)
    assert wrong == f"a member outside the archive, '{name}'"


def soon(function, *arguments):
    """Return what a function returns, in less than 1 s."""
    start = time.process_time()
    value = function(*arguments)
    assert time.process_time() - start < 1
    return value


OLD_CONDITION = re.compile(r"\([^)]*\)\S*|\S+/\S+")
OLD_RESULT = re.compile(r"results/[\w./-]+\.(?:csv|png|pdf|html)")


def test_texts_of_any_length_are_searched_once():
    assert soon(hint_of_ids, ["0" * 10**5 + "x"], ["a"]) == ""
    for text in ("1" * 10**5, "(" * 10**5, ")" + "(" * 10**5, "/" * 10**5, "1/" * 10**5):
        soon(lexicon._entry, f"word\t{text}", {"1": "posemo"})
    for text in ("results/" * 10**5, "results/a.csv" * 10**5, "results/" + "." * 10**5):
        soon(tables._linked, text, {})


@pytest.mark.parametrize(
    ("text", "hint"),
    [("007", "leading zeros"), ("000", "leading zeros"), ("7.00", "decimals"), ("7.", "decimals")],
)
def test_numbers_are_compared_as_before(text, hint):
    assert hint in hint_of_ids([text], ["0", "7"])


def test_searches_find_what_they_found():
    rng = random.Random(0)
    for _ in range(20_000):
        text = "".join(rng.choices("(()) /1\ta", k=rng.randint(0, 14)))
        assert lexicon._without_conditions(text) == OLD_CONDITION.sub(" ", text), repr(text)
        parts = ["results/", "results/", ".csv", ".html", "a", "/", ".", " ", "b.png"]
        text = "".join(rng.choices(parts, k=rng.randint(0, 8)))
        anchors = {path: "to" for path in OLD_RESULT.findall(text) if rng.random() < 0.7}

        def link(match, anchors=anchors):
            made = f'<a href="#to">{match[0].removeprefix("results/")}</a>'
            return made if match[0] in anchors else match[0]

        assert tables._linked(text, anchors) == OLD_RESULT.sub(link, text), repr(text)


@pytest.mark.parametrize("suffix", ["toml", "yaml", "json"])
@pytest.mark.parametrize("char", ["\U0001f600", "\x7f", "\x85", "\u2028", "é", "\U000e0001", '"\\'])
def test_configs_have_names_of_any_characters(suffix, char, capsys):
    column = f"t{char}".replace('"', '""')
    for name, number in (("left", 1), ("right", 2)):
        rows = "".join(f"i{i},{i * number}.5,w{i % 3},v{i % 4}\n" for i in range(20))
        Path(f"{name}.csv").write_text(f'id,a,"{column}",label\n{rows}', "utf-8")
    assert main(["init", "left.csv", "right.csv", "--config", f"c.{suffix}"]) == 0
    text = Path(f"c.{suffix}").read_text("utf-8")
    assert main(["check", f"c.{suffix}"]) == 0, text + capsys.readouterr().err
