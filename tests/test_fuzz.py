"""Any bytes in a file give what its reader returns or an InputError: no other error, no hang.

`IMA_FUZZ_SECONDS` is the time of all readers together: 6 s by default, in which inputs are the
same in each run; with a longer time they are random, and `-s` shows how many were tried.
"""

import contextlib
import gzip
import io
import os
import resource
import signal
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import soundfile

from ima.audio.sphere import read_audio
from ima.datasets import iemocap, meld, mnist, ravdess
from ima.datasets.user import read_items
from ima.datasets.wdseg import read_wdseg
from ima.features.glove import load_glove
from ima.features.lexicon import read_dic
from ima.pairing.user_listed import read_listed
from ima.utils.errors import InputError
from tests.audio import test_sphere
from tests.datasets.test_iemocap import dialogue

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import strategies as st  # noqa: E402

SECONDS = float(os.environ.get("IMA_FUZZ_SECONDS", "6"))
#: Limits of a single input: a hang, in s, and the address space beyond what is in use, in bytes.
HANG_S, MEMORY = 10, 2 << 30
#: Number of inputs between two looks at the clock.
BATCH = 30
WDSEG = "\t SFrm  EFrm    SegAScr Word\n 0 9 -12 <s>\n 10 39 -1 WHAT(2)\n 40 99 -5 </s>\n"
WDSEG += " Total score: -2\n"
DIC = "%\n1\tposemo\n2\tnegemo\n03\tanx\n4\tanger\n5\tsad\n6\n%\n"
DIC = (DIC + "cry*\t2\t05\nlike\t(02 134)125/464\t1\n").encode()
MELD = "Sr No.,Utterance,Speaker,Emotion,Dialogue_ID,Utterance_ID\n1,I\x92m “well”,A,joy,0,0\n"
MANIFEST = "file,emotion,transcript,actor,sex\n" + "a.flac,angry,Kids are,01,M\n" * 2


def written(write, *arguments, **settings) -> bytes:
    """Return what a function writes into a binary file."""
    stream = io.BytesIO()
    write(stream, *arguments, **settings)
    return stream.getvalue()


def sounds(folder: Path) -> list[bytes]:
    wave = np.sin(np.arange(400) / 5) / 2
    kinds = [("WAV", "PCM_16"), ("WAV", "GSM610"), ("WAV", "IMA_ADPCM"), ("FLAC", "PCM_16")]
    kinds += [("AU", "ULAW"), ("AIFF", "PCM_24"), ("CAF", "ALAC_16"), ("W64", "FLOAT")]
    kinds += [("NIST", "PCM_16"), ("NIST", "ULAW"), ("OGG", "VORBIS"), ("AU", "G721_32")]
    found = [written(soundfile.write, wave, 8000, sub, format=form) for form, sub in kinds]
    packed = test_sphere.write(folder / "packed", test_sphere.shorten([0, 1, -1, 127, 5, 9, 2]))
    return [*found, packed.read_bytes()]


def idx(folder: Path) -> list[bytes]:
    mnist.write_idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), folder / "x")
    raw = (folder / "x").read_bytes()
    return [raw, gzip.compress(raw, mtime=0)]


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    return stream.getvalue()


def tables() -> dict[str, list[bytes]]:
    frame = pd.DataFrame({"id": ["a", "b", "c"], "label": ["x", None, ""], "split": ["test"] * 3})
    lists = frame.assign(x=[[0.5, 1.0], [2.0, 3.0], None])
    wide = frame.assign(x=[0.5, 1, 2], q=[1, 2, 3])
    table = pa.Table.from_pandas(lists)
    stream = written(lambda file: pa.ipc.new_stream(file, table.schema).write_table(table))
    csv = wide.to_csv(index=False)
    csvs = [csv.encode(), csv.replace(",", ";").encode(), csv.encode("utf-16")]
    x, names = np.arange(6, dtype=np.float32).reshape(3, 2), np.array(["a", "b", "c"])
    return {
        "parquet": [written(of.to_parquet) for of in (lists, wide)],
        "feather": [written(lists.to_feather), stream],
        "csv": [*csvs, gzip.compress(csvs[0], mtime=0)],
        "npy": [written(np.save, of) for of in (x, np.asfortranarray(x), x > 1)],
        "npz": [written(np.savez, x=x, id=names), written(np.savez_compressed, x)],
    }


def read_user(path: Path):
    vector = {"vector": "all" if path.suffix == ".csv" else "x"}
    about = {} if path.suffix.startswith(".np") else {"label": "label", "split": "split"}
    return read_items(path, about | vector, "sse")


def read_pairs(path: Path):
    items = {m: pa.table({"id": ["a", "b", "c"]}) for m in ("left", "right")}
    return read_listed(path, {"label": "label"}, items)


def in_tree(file: str, index):
    """Return a reader of a corpus of which the bytes are one file."""

    def read(path: Path):
        path.replace(path.parent / file)
        return index(path.parent)

    return read


#: Files of IEMOCAP, by name.
IEMOCAP = {
    "EmoEvaluation": "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt",
    "transcription": "Session1/dialog/transcriptions/Ses01F_impro01.txt",
}


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    """Return by name the file, its reader, and valid files to be changed."""
    folder = tmp_path_factory.mktemp("fuzz")
    soundfile.write(folder / "a.flac", np.full(16_000, 0.1), 16_000)
    (folder / "wdseg").mkdir()
    (folder / "wdseg/a.wdseg").write_text(WDSEG)
    glove = b"the 1 2 3\nsad -1.5 2e-3 0\n"
    found = {
        "audio": (folder / "x.wav", read_audio, sounds(folder)),
        "wdseg": (folder / "x", lambda path: read_wdseg(path, 2.0), [WDSEG.encode()]),
        "dic": (folder / "x.dic", read_dic, [DIC, gzip.compress(DIC, mtime=0)]),
        "GloVe": (
            folder / "x.txt",
            lambda path: load_glove(path, 3),
            [glove, gzip.compress(glove, mtime=0), zipped({"v.3d.txt": glove}), b"2 3\n" + glove],
        ),
        "IDX": (folder / "x.idx", mnist.read_idx, idx(folder)),
        "MELD": (folder / "x.csv", in_tree("train_sent_emo.csv", meld.index), [MELD.encode()]),
        "RAVDESS": (folder / "x.csv", in_tree("manifest.csv", ravdess.index), [MANIFEST.encode()]),
        "pairs": (folder / "p.csv", read_pairs, [b"left,right,label\na,b,x\nb,c,\n,a,y\n"]),
    }
    for name, file in IEMOCAP.items():
        tree = folder / name
        dialogue(tree, "Ses01F_impro01", {"F000": "neu", "M001": "sad"})
        seed = (tree / file).read_bytes()
        found[name] = (tree / "input", in_tree(file, iemocap.index), [seed])
    for suffix, seeds in tables().items():
        found[suffix] = (folder / f"user.{suffix}", read_user, seeds)
    return found


NAMES = ["audio", "wdseg", "dic", "GloVe", "IDX", "MELD", "RAVDESS", "pairs"]
NAMES += ["EmoEvaluation", "transcription", "parquet", "feather", "csv", "npy", "npz"]
#: Bytes that are often at the edge of something.
EDGES = [b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\x80", b"\xff" * 8]
EDGES += [b"\n", b"\r", b",", b'"', b"\t", b" ", b"%", b"-1", b"9" * 30, b"1e999", b"nan", b"\x92"]
EDGES += [b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"\xe2\x80\xa8", "٣".encode(), b"PK\3\4"]


@st.composite
def changed(draw, seeds: list[bytes]) -> bytes:
    """Draw any bytes, or a valid file with a few changes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    raw = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(raw)))
        new = draw(st.one_of(st.sampled_from(EDGES), st.binary(min_size=1, max_size=8)))
        how = draw(st.sampled_from(["replace", "insert", "delete", "cut", "repeat"]))
        if how == "cut":
            del raw[at:]
        elif how == "delete":
            del raw[at : at + draw(st.integers(1, 40))]
        elif how == "repeat":
            raw[at:at] = raw[at : at + draw(st.integers(1, 200))]
        else:
            raw[at : at + (len(new) if how == "replace" else 0)] = new
    return bytes(raw)


@contextlib.contextmanager
def limited():
    """Raise an error in the block if it hangs, or takes much more memory than before."""

    def stop(*_):
        raise TimeoutError(f"a reader takes more than {HANG_S} s")

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = signal.signal(signal.SIGALRM, stop)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, hard))
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is limited on Linux only")
@pytest.mark.parametrize("name", NAMES)
def test_any_bytes_give_a_table_or_an_input_error(readers, name):
    path, read, seeds = readers[name]
    for seed in seeds:  # what is to be changed is valid
        path.write_bytes(seed)
        read(path)
    tried = {"read": 0, "InputError": 0}
    end = time.monotonic() + SECONDS / len(NAMES)

    @hypothesis.settings(
        max_examples=BATCH,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(raw=changed(seeds))
    def try_one(raw):
        path.write_bytes(raw)
        with limited():
            try:
                read(path)
                tried["read"] += 1
            except InputError:
                tried["InputError"] += 1

    seed = 0 if SECONDS <= 6 else time.time_ns()
    while time.monotonic() < end:
        hypothesis.seed(seed)(try_one)()
        seed += 1
    print(f"{name}: {tried}")
    assert all(tried.values())
