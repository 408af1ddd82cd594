"""Inputs that users of these corpora have on their disks, from public reports of trouble."""

import gzip
import io
import shutil
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from ima.alignment.methods import segment
from ima.audio.sphere import read_audio
from ima.datasets import digit_recordings, fsdd, iemocap, meld, mnist, ravdess, ti46, tidigits
from ima.datasets.base import COPY
from ima.datasets.user import read_items
from ima.features import voice
from ima.features.glove import load_glove
from ima.features.lexicon import read_dic
from ima.pairing.user_listed import read_listed
from ima.utils.errors import InputError
from tests.datasets.test_iemocap import dialogue
from tests.datasets.test_mnist import corpus as mnist_files
from tests.datasets.test_ravdess import root as ravdess_root  # noqa: F401  a fixture

WAVE = np.sin(np.arange(4000) / 5) / 2
INTEGERS = (WAVE * 32768).astype(np.int16)


def wav(path, wave=WAVE, rate=8000, **settings):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, rate, **settings)
    return path


def reasons(skipped):
    return dict(zip(skipped["file"].to_pylist(), skipped["reason"].to_pylist(), strict=True))


# Layouts and names


@pytest.mark.parametrize(
    "folder",
    ["", "recordings", "free-spoken-digit-dataset-1.0.10/recordings", "fsdd/fsdd/Recordings"],
)
def test_fsdd_is_read_as_it_unpacks(tmp_path, folder):
    wav(tmp_path / folder / "3_ann_7.wav")
    items, skipped = fsdd.index(tmp_path)
    assert items["id"].to_pylist() == ["fsdd/3_ann_7"] and len(skipped) == 0


def test_macos_files_are_skipped(tmp_path):
    for name in ("3_ann_0.wav", "._3_ann_0.wav"):
        wav(tmp_path / "recordings" / name)
    wav(tmp_path / "__MACOSX/recordings/3_ann_0.wav", -WAVE)
    items, skipped = fsdd.index(tmp_path)
    assert len(items) == 1 and len(skipped) == 0


def test_names_of_iso_discs_are_read(tmp_path):
    wav(tmp_path / "DISC/TRAIN/MAN/AE/1A.WAV;1", format="WAV")
    (item,) = tidigits.index(tmp_path)[0].to_pylist()
    assert item["id"] == "tidigits/train/man/ae/1a" and item["file"].endswith("1A.WAV;1")
    wav(tmp_path / "TI20/TRAIN/F1/00F1SET0.WAV;1", format="WAV")
    assert ti46.index(tmp_path / "TI20")[0]["id"].to_pylist() == ["ti46/train/f1/00f1set0"]


def test_names_of_another_encoding_are_skipped_with_a_reason(tmp_path):
    wav(tmp_path / "recordings/3_ann_0.wav")
    shutil.copy(tmp_path / "recordings/3_ann_0.wav", b"%b/3_ren\xe9_0.wav" % bytes(tmp_path))
    items, skipped = fsdd.index(tmp_path)
    assert len(items) == 1
    assert reasons(skipped) == {"3_ren\\udce9_0.wav": "a name that is not UTF-8: rename it"}


def test_advice_names_the_folder_that_would_do(tmp_path):
    wav(tmp_path / "tidigits/train/man/ae/1a.wav")
    with pytest.raises(InputError, match=rf"Set the path to {tmp_path}/tidigits, a folder above"):
        tidigits.index(tmp_path / "tidigits/train/man")
    (tmp_path / "zips").mkdir()
    (tmp_path / "zips/fsdd.zip").touch()
    with pytest.raises(InputError, match=r"Unpack fsdd\.zip\."):
        fsdd.index(tmp_path / "zips")
    with pytest.raises(InputError, match=r"found a file\. Unpack it, and give the new folder"):
        fsdd.index(tmp_path / "zips/fsdd.zip")
    with pytest.raises(InputError, match="Check that this is the folder of FSDD"):
        fsdd.index(tmp_path / "tidigits")


# Copies


def test_copies_of_recordings_are_identified_by_content(tmp_path):
    names = [f"{disc}/train/man/ae/1a.wav" for disc in "abc"]
    for name in names:
        wav(tmp_path / name, INTEGERS)
    wav(tmp_path / names[1], INTEGERS, format="FLAC")  # other bytes, the same samples
    items, skipped = tidigits.index(tmp_path)
    assert items["file"].to_pylist() == names[:1]
    assert reasons(skipped) == {name: f"{COPY} {names[0]}" for name in names[1:]}
    (tmp_path / names[0]).write_bytes(b"damaged")
    items, skipped = tidigits.index(tmp_path)
    assert items["file"].to_pylist() == names[1:2]
    assert reasons(skipped)[names[0]].startswith(f"{COPY} {names[1]}, and damaged: expected audio")
    digit_recordings.check_skipped(items, skipped, 0)  # a good copy serves
    wav(tmp_path / names[2], -INTEGERS)
    with pytest.raises(InputError, match=f"other content in {names[1]} than in {names[2]}"):
        tidigits.index(tmp_path)


def test_two_sets_of_the_names_of_mnist_stop_the_run(tmp_path):
    mnist_files(tmp_path / "MNIST/raw")
    with pytest.warns(mnist.OtherContentWarning, match="do not have the content of MNIST"):
        items, _ = mnist.index(tmp_path)
    shutil.copytree(tmp_path / "MNIST", tmp_path / "copy")
    (tmp_path / "MNIST/raw/train-images-idx3-ubyte.gz").write_bytes(b"damaged")
    assert mnist.index(tmp_path, nominal=False)[0]["file"][-1].as_py().startswith("copy/")
    other = mnist.read_images(tmp_path, items.slice(0, 2)) + np.uint8(1)
    mnist.write_idx(other, tmp_path / "FashionMNIST/raw/t10k-images-idx3-ubyte.gz")
    with pytest.raises(InputError, match=r"other content in FashionMNIST/.* than in MNIST/"):
        mnist.index(tmp_path)


def test_the_real_mnist_does_not_warn(shared, recwarn):
    mnist.index(shared("data/mnist"))
    assert not [w for w in recwarn if w.category is mnist.OtherContentWarning]


def test_a_recording_that_is_listed_twice_is_used_once(ravdess_root):  # noqa: F811
    manifest = ravdess_root / "manifest.csv"
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join([*lines, lines[1], lines[1].replace("neutral", "sad")]))
    utterances, tokens, skipped = ravdess.index(ravdess_root)
    assert len(utterances) == 4 and len(tokens) == 12
    assert [r["reason"] for r in skipped.to_pylist()] == [
        "listed a second time in manifest.csv",
        "listed a second time in manifest.csv, as sad",
    ]
    assert set(skipped["emotion"].to_pylist()) == {""}  # not counted as unusable


def test_a_folder_above_ravdess_and_gzipped_files_are_read(ravdess_root, tmp_path_factory):  # noqa: F811
    above = tmp_path_factory.mktemp("above")
    shutil.copytree(ravdess_root, above / "ravdess")
    for file in [above / "ravdess/manifest.csv", *(above / "ravdess/wdseg").iterdir()]:
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    (above / "ravdess/audio/._x.flac").touch()
    utterances, tokens, skipped = ravdess.index(above)
    assert len(utterances) == 4 and len(tokens) == 12 and len(skipped) == 0
    assert all((above / file).is_file() for file in utterances["file"].to_pylist())


# Text


def test_apostrophes_of_windows_in_meld(tmp_path):
    for split in meld.SPLITS:
        text = "Utterance,Speaker,Emotion,Dialogue_ID,Utterance_ID\n"
        text += "I\x92m sure \x93well\x94,A,joy,0,0\n"
        (tmp_path / f"{split}_sent_emo.csv").write_text(text)
    assert meld.index(tmp_path)[1]["token"].to_pylist() == ["i'm", "sure", "well"] * 3


@pytest.mark.parametrize("read", [ravdess, meld])
def test_a_table_in_another_encoding_is_named(ravdess_root, read):  # noqa: F811
    manifest = ravdess_root / "manifest.csv"
    manifest.write_bytes(manifest.read_bytes().replace(b"Kids", b"Kid\x92s"))
    shutil.copy(manifest, ravdess_root / "train_sent_emo.csv")
    name = "manifest.csv" if read is ravdess else "train_sent_emo.csv"
    with pytest.raises(InputError, match=rf"{name}: expected csv in UTF-8"):
        read.index(ravdess_root)


def test_marks_encodings_and_case_of_iemocap(tmp_path):
    dialogue(tmp_path, "Ses01F_impro01", {"F000": "neu", "F001": "sad"})
    text = tmp_path / "Session1/dialog/transcriptions/Ses01F_impro01.txt"
    for raw in (text.read_bytes().decode().encode("utf-8-sig"), text.read_text().encode("utf-16")):
        text.write_bytes(raw)
        assert len(iemocap.index(tmp_path)[0]) == 2
    text.write_bytes(text.read_text("utf-16").replace("Well", "I\u2019ll").encode("cp1252"))
    label = tmp_path / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    label.write_bytes(b"\xef\xbb\xbf" + label.read_bytes())
    for file in sorted(tmp_path.rglob("*.w*")):  # as an ISO disc has them
        file.rename(file.with_name(f"{file.name.upper()};1"))
    utterances, tokens, skipped = iemocap.index(tmp_path)
    assert utterances["text"].to_pylist() == ["What? I\u2019ll."] * 2
    assert len(tokens) == 10 and len(skipped) == 0


def test_zero_padded_and_unnamed_categories_of_liwc(tmp_path):
    text = "%\n1\tPronoun\n7\tNegate\n8\n13\tPosemo\n16\tNegemo\n17\tAnx\n18\tAnger\n019\tSad\n%\n"
    text += "zap\t07\t013\nfroh\t8\t13\nsad\t19\n"
    (tmp_path / "liwc.dic").write_bytes(text.encode("utf-8-sig"))
    lexicon = read_dic(tmp_path / "liwc.dic")
    assert lexicon.categories("zap") == lexicon.categories("froh") == {"positive"}
    assert lexicon.categories("sad") == {"sad"}
    assert lexicon.broken == ((12, "froh\t8\t13", "category 8 is not named in the header"),)


GLOVE = "the 1 2 3\ni\u2019m 4 5 6\n"


def test_glove_is_read_from_zips_folders_and_gzip(tmp_path):
    with zipfile.ZipFile(tmp_path / "glove.zip", "w") as archive:
        archive.writestr("vec.3d.txt", GLOVE)
        archive.writestr("__MACOSX/._vec.3d.txt", "\0\1\2\3")
        archive.writestr("vec.13d.txt", "")  # not one of 3 dimensions
    folder = tmp_path / "glove"
    folder.mkdir()
    for name, raw in {
        "plain.txt": GLOVE.encode(),
        "mark.txt": GLOVE.encode("utf-8-sig"),
        "c1.txt": GLOVE.replace("\u2019", "\x92").encode(),
        "packed.txt.gz": gzip.compress(GLOVE.encode()),
        "glove/vec.3d.txt": GLOVE.encode(),
        "glove/._vec.3d.txt": b"",
    }.items():
        (tmp_path / name).write_bytes(raw)
    for source in ("glove.zip", "plain.txt", "mark.txt", "c1.txt", "packed.txt.gz", "glove"):
        assert load_glove(tmp_path / source, 3).index_to_key == ["the", "i\u2019m"], source


# Tables of users


def test_items_without_a_label_are_unlabelled_and_counted(tmp_path, caplog):
    labels = ["x", "", None, " ", "nan", "NaN", "<NA>", "None", "I\x92m"]
    frame = pd.DataFrame({"id": [str(i) for i in range(9)], "label": labels, "x": np.arange(9.0)})
    frame.to_parquet(tmp_path / "a.parquet")
    items = read_items(tmp_path / "a.parquet", {"label": "label"}, "sse")
    assert items["label"].to_pylist() == ["x", *[""] * 6, "None", "I\u2019m"]
    assert "6 of 9 items have no label" in caplog.text
    pairs = pd.DataFrame({"l": ["0", "1", "", None], "r": ["0", None, "2", "3"]})
    pairs.assign(label=["x", "", "nan", None]).to_parquet(tmp_path / "p.parquet")
    options = {"columns": {"left": "l", "right": "r"}, "label": "label"}
    listed = read_listed(tmp_path / "p.parquet", options, {"left": items, "right": items})
    assert listed["label"].tolist() == ["x", "", "", ""]
    assert listed["left"].tolist() == [0, 1, -1, -1] and listed["right"].tolist() == [0, -1, 2, 3]


@pytest.mark.parametrize(
    ("name", "coding", "mark"),
    [
        *(("a.csv", "utf-8-sig", ","), ("a.csv", "utf-16", ","), ("a.csv", "utf-8", ";")),
        *(("a.csv", "utf-8", "\t"), ("a.tsv", "utf-8", ",")),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_csv_is_read_as_spreadsheets_write_it(tmp_path, name, coding, mark, packed):
    raw = f"id{mark}p{mark}q\n007{mark}1{mark}2\né{mark}3{mark}4\n".encode(coding)
    (tmp_path / name).write_bytes(gzip.compress(raw) if packed else raw)
    items = read_items(tmp_path / name, {"vector": ["p", "q"]}, "sse")
    assert items["id"].to_pylist() == ["007", "é"]
    assert items["x"].to_pylist() == [[1, 2], [3, 4]]


def test_text_of_another_encoding_in_a_csv_is_named(tmp_path):
    (tmp_path / "a.csv").write_bytes("id,p\né,1\n".encode("cp1252"))
    with pytest.raises(InputError, match=r"a\.csv"):
        read_items(tmp_path / "a.csv", {"vector": "p"}, "sse")


def test_two_columns_of_the_same_name_are_named(tmp_path):
    (tmp_path / "a.csv").write_text("id,p,p\na,1,2\n")
    with pytest.raises(InputError, match=r"a\.csv: .* found several columns named 'p'"):
        read_items(tmp_path / "a.csv", {"vector": "p"}, "sse")


def test_parts_of_a_folder_pass_over_hidden_files(tmp_path):
    table = pa.table({"id": ["a"], "x": [[1.0]]})
    for name in ("0.parquet", "._0.parquet", "__MACOSX/1.parquet", "_tmp/2.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        pq.write_table(table, tmp_path / name)
    (tmp_path / "._0.parquet").write_bytes(b"\0\5")
    assert len(read_items(tmp_path, {}, "sse")) == 1


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_arrays_that_claim_to_be_huge_take_no_memory(tmp_path, suffix):
    file = tmp_path / f"a{suffix}"
    header = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (10**7, 10**6)}
    np.lib.format.write_array_header_1_0(header, shape)
    if suffix == ".npy":
        file.write_bytes(header.getvalue() + bytes(80))
    else:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("x.npy", header.getvalue() + bytes(80))
    with pytest.raises(InputError, match=r"a\.np.: expected a NumPy file"):
        read_items(file, {}, "sse")


# Sound


@pytest.mark.parametrize(
    ("form", "coding"),
    [("WAV", "GSM610"), ("WAV", "G721_32"), ("WAV", "NMS_ADPCM_32"), ("AU", "G723_24")],
)
def test_rare_codecs_are_read(tmp_path, form, coding):
    file = wav(tmp_path / "a.wav", format=form, subtype=coding)
    samples, rate = read_audio(file)
    assert rate == 8000 and len(WAVE) <= len(samples) < len(WAVE) + 1000
    assert np.corrcoef(samples[100:3900], WAVE[100:3900])[0, 1] > 0.9


def test_headers_that_do_not_know_the_length_are_read(tmp_path):
    file = wav(tmp_path / "a.wav")
    raw = file.read_bytes()
    at = raw.index(b"data")
    for size in (b"\xff\xff\xff\xff", b"\0\0\0\0"):
        file.write_bytes(raw[:4] + size + raw[8 : at + 4] + size + raw[at + 8 :])
        assert len(read_audio(file)[0]) == len(WAVE)
    raw = bytearray(wav(tmp_path / "a.flac").read_bytes())
    raw[21] &= 0xF0
    raw[22:26] = bytes(4)  # STREAMINFO without a number of samples
    file.write_bytes(raw)
    assert len(read_audio(file)[0]) == len(WAVE)
    wav(file, np.zeros(0))  # control: a wav that has no samples
    with pytest.raises(InputError, match="at least one sample, found none"):
        read_audio(file)


@pytest.mark.parametrize("form", ["WAV", "RF64", "AIFF", "AU"])
def test_files_that_are_cut_off_are_rejected(tmp_path, form):
    file = wav(tmp_path / "a", format=form)
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(InputError, match="bytes of samples, as its header says"):
        read_audio(file)


def test_any_error_of_a_decoder_is_the_reason_of_its_file(tmp_path, monkeypatch):
    def broken(path):
        raise KeyError(3)

    monkeypatch.setattr(digit_recordings, "read_audio", broken)
    assert digit_recordings._decode([tmp_path / "a.wav"], 8000) == ["KeyError 3"]


@pytest.mark.parametrize("method", ["whole", "equal"])
def test_silent_and_short_recordings_are_doubtful(tmp_path, method):
    quiet = np.random.default_rng(0).integers(-32768, 32768, 8000).astype(np.int32)
    wav(tmp_path / "3_ann_0.wav", quiet, subtype="PCM_32")  # values of 16 bits in 32
    wav(tmp_path / "3_ann_1.wav", WAVE[:3])
    wav(tmp_path / "3_ann_2.wav", WAVE[:400])  # 0.05 s
    good = np.concatenate([np.zeros(800), WAVE, np.zeros(800)])
    for take in range(3, 9):
        wav(
            tmp_path / f"3_ann_{take}.wav", good + np.random.default_rng(take).normal(0, 1e-3, 5600)
        )
    recordings, _ = fsdd.index(tmp_path)
    roots = {"fsdd": str(tmp_path)}
    recordings, skipped = digit_recordings.write_waves(recordings, roots, 8000, tmp_path / "w", 1)
    assert len(skipped) == 0
    waves = digit_recordings.Waves(tmp_path / "w", 8000)
    found = segment(recordings, waves, method, 1).to_pylist()
    doubtful = {row["recording"]: row["doubtful"] for row in found}
    assert doubtful["fsdd/3_ann_0"] == "digital silence"
    assert doubtful["fsdd/3_ann_1"] == "only 3 samples"
    assert doubtful["fsdd/3_ann_2"].startswith("lasts 0.05")
    assert doubtful["fsdd/3_ann_5"] == ""  # control


@pytest.mark.parametrize("features", ["covarep55", "egemaps"])
def test_a_token_in_the_last_partial_frame_has_a_vector(features):
    wave = np.random.default_rng(0).normal(0, 0.05, 6559)  # 1 sample less than whole 10 ms
    table, end = voice.extract(wave, 16_000, features), len(wave) / 16_000
    last = voice.word_vectors(table, [(end - 0.001, end)], features)
    known = [not column.voiced for column in voice.columns(features)]
    whole = np.flatnonzero(voice.measured(table)[:, known].all(axis=1))[-1]
    values = [table[column.name][int(whole)].as_py() for column in voice.columns(features)]
    assert last[0, known] == pytest.approx(np.array(values)[known], rel=1e-6)
    with pytest.raises(InputError, match="Check that the alignment belongs"):
        voice.word_vectors(table, [(end + 0.05, end + 0.06)], features)
