"""The TI46 tree: digits among other words, the same speakers in train and test."""

import itertools

import pytest

from ima.datasets import ti46
from ima.datasets.counts import CountWarning
from ima.utils.errors import InputError
from ima.utils.schemas import RECORDINGS, SKIPPED


def tree(root, *files):
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def reasons(skipped):
    return {row["file"]: row["reason"] for row in skipped.to_pylist()}


def test_index_of_two_recordings(tmp_path):
    files = "ti46/ti20/train/f1/00f1set0.wav", "ti46/ti20/test/m8/07m8s8t1.wav"
    items, skipped = ti46.index(tree(tmp_path, *files))
    assert items.schema == RECORDINGS and skipped.schema == SKIPPED and len(skipped) == 0
    assert items.to_pylist() == [
        {
            "id": "ti46/test/m8/07m8s8t1",
            "corpus": "ti46",
            "split": "test",
            "speaker": "ti46_m8",
            "group": "man",
            "digits": "7",
            "file": files[1],
        },
        {
            "id": "ti46/train/f1/00f1set0",
            "corpus": "ti46",
            "split": "train",
            "speaker": "ti46_f1",
            "group": "woman",
            "digits": "z",
            "file": files[0],
        },
    ]


@pytest.mark.parametrize(
    "file",
    [
        "TI46/TI20/TEST/F1/09F1S3T1.WAV",
        "test/f1/09f1s3t1.sph",
        "cd 7-1.1/Ti20/Test/F1/09f1S3t1.WAV",
    ],
)
def test_case_extension_and_folders_above_do_not_matter(tmp_path, file):
    (item,) = ti46.index(tree(tmp_path, file))[0].to_pylist()
    assert item["id"] == "ti46/test/f1/09f1s3t1"
    assert item["digits"] == "9" and item["file"] == file


def test_each_digit_has_its_code(tmp_path):
    items, _ = ti46.index(tree(tmp_path, *(f"train/f2/0{d}f2set5.wav" for d in range(10))))
    assert items["digits"].to_pylist() == list("z123456789")


def test_other_words_share_one_row(tmp_path):
    words = ["0a", "0s", "0z", "en", "er", "go", "hp", "no", "rb", "rp", "sp", "st", "ys"]
    files = [f"train/m1/{word}m1set0.wav" for word in words]
    items, skipped = ti46.index(tree(tmp_path, *files, "train/m1/00m1set0.wav"))
    assert items["digits"].to_pylist() == ["z"]
    assert reasons(skipped) == {
        "train/m1/0am1set0.wav": "words that are not digits: 13 recording(s), this being the first"
    }


def test_skipped_files_are_listed_with_reasons(tmp_path):
    files = {
        "train/f1/01f1set0.wav": None,
        "train/f1/01f2set0.wav": "the name says speaker f2, the folder f1",
        "train/f1/01f1s1t0.wav": "session 's1' does not belong in train",
        "test/f1/01f1set0.wav": "session 'se' does not belong in test",
        "test/f1/01f1s9t0.wav": "'01f1s9t0' is not <word>",
        "test/f1/01f1s1t2.wav": "'01f1s1t2' is not <word>",
        "train/f1/11f1set0.wav": "'11f1set0' is not <word>",
        "train/f9/01f9set0.wav": "not in a folder",
        "train/f1/01f1set0.mp3": "extension '.mp3'",
    }
    items, skipped = ti46.index(tree(tmp_path, *files, "readme.txt"))
    assert items["file"].to_pylist() == ["train/f1/01f1set0.wav"]
    found = reasons(skipped)
    assert found.keys() == files.keys() - {"train/f1/01f1set0.wav"}
    for file, reason in found.items():
        assert reason.startswith(files[file]), file


def test_first_of_two_copies_is_kept(tmp_path):
    copies = "x/train/f1/00f1set0.wav", "train/f1/00f1set0.wav"
    items, skipped = ti46.index(tree(tmp_path, *copies))
    assert items["file"].to_pylist() == ["train/f1/00f1set0.wav"]
    assert "a second copy" in reasons(skipped)["x/train/f1/00f1set0.wav"]


def test_missing_or_empty_folder_is_rejected(tmp_path):
    with pytest.raises(InputError, match=r"TI46 corpus.*found nothing.*LDC93S9"):
        ti46.index(tmp_path / "nowhere")
    with pytest.raises(InputError, match="without files"):
        ti46.index(tmp_path)
    with pytest.raises(InputError, match=r"at least one recording of TI46.*not digits"):
        ti46.index(tree(tmp_path, "train/m1/enm1set0.wav"))


def full_names():
    speakers = [f"{sex}{number}" for sex in "fm" for number in range(1, 9)]
    for speaker, digit in itertools.product(speakers, range(10)):
        for token in range(10):
            yield f"ti46/ti20/train/{speaker}/0{digit}{speaker}set{token}.wav"
        for session, token in itertools.product(range(1, 9), range(2)):
            yield f"ti46/ti20/test/{speaker}/0{digit}{speaker}s{session}t{token}.wav"


def test_complete_corpus_has_its_nominal_size(tmp_path, recwarn):
    names = list(full_names())
    assert len(names) == 4160
    items, skipped = ti46.index(tree(tmp_path, *names))
    assert len(items) == 4160 and len(skipped) == 0
    report = ti46.expected_counts(items)
    assert not recwarn.list
    assert report["found"].to_pylist() == report["expected"].to_pylist()
    found = {
        (row["level"], row["split"], row["group"], row["speaker"], row["unit"]): row["found"]
        for row in report.to_pylist()
    }
    assert found["corpus", "", "", "", "speakers"] == 16  # not 32: the same in both splits
    assert found["split", "train", "", "", "recordings"] == 1600
    assert found["split", "test", "", "", "recordings"] == 2560
    assert found["group", "", "woman", "", "speakers"] == 8
    assert found["speaker", "test", "man", "ti46_m3", "recordings"] == 160
    with pytest.warns(CountWarning, match="ti46 is not complete: in all: 4,159 recordings"):
        ti46.expected_counts(items.slice(1))
