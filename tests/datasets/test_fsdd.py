"""FSDD: two ways to split, one set of ids."""

import pytest

from ima.audio import sphere
from ima.datasets import fsdd
from ima.utils.errors import InputError
from ima.utils.schemas import RECORDINGS, SKIPPED

NAMES = ["0_george_12", "0_george_4", "7_theo_0", "7_theo_5", "9_lucas_49"]


def tree(root, *files):
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


@pytest.fixture
def root(tmp_path):
    return tree(tmp_path, *(f"recordings/{name}.wav" for name in NAMES))


def splits(items):
    return dict(zip(items["id"].to_pylist(), items["split"].to_pylist(), strict=True))


def test_takes_below_five_are_the_test_set(root):
    items, skipped = fsdd.index(root)
    assert items.schema == RECORDINGS and skipped.schema == SKIPPED and len(skipped) == 0
    assert items.to_pylist()[0] == {
        "id": "fsdd/0_george_12",
        "corpus": "fsdd",
        "split": "train",
        "speaker": "george",
        "group": "unknown",
        "digits": "z",
        "file": "recordings/0_george_12.wav",
    }
    assert splits(items) == {
        "fsdd/0_george_12": "train",
        "fsdd/0_george_4": "test",
        "fsdd/7_theo_0": "test",
        "fsdd/7_theo_5": "train",
        "fsdd/9_lucas_49": "train",
    }
    assert items["digits"].to_pylist() == ["z", "z", "7", "7", "9"]


def test_test_speakers_are_held_out_completely(root):
    items, _ = fsdd.index(root, split="speaker", test_speakers=("theo", "lucas"))
    test = {id_ for id_, split in splits(items).items() if split == "test"}
    assert test == {"fsdd/7_theo_0", "fsdd/7_theo_5", "fsdd/9_lucas_49"}
    assert items["id"] == fsdd.index(root)[0]["id"]  # ids don't depend on the split


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "speaker", "test_speakers": ("thea",)}, "george, lucas, theo, found thea"),
        ({"split": "speaker"}, "george, lucas, theo, found none"),
        ({"split": "speaker", "test_speakers": ("george", "lucas", "theo")}, "some, but not all"),
        ({"split": "speakers"}, "'takes' or 'speaker', found 'speakers'"),
        ({"split": "takes", "test_speakers": ("theo",)}, "none with split 'takes'"),
    ],
)
def test_invalid_splits_are_rejected(root, settings, message):
    with pytest.raises(InputError, match=message):
        fsdd.index(root, **settings)


def test_single_name_is_one_test_speaker(root):
    items, _ = fsdd.index(root, split="speaker", test_speakers="theo")
    assert sorted(splits(items).values()) == ["test", "test", "train", "train", "train"]


def test_recordings_folder_is_accepted_as_root(root):
    items, _ = fsdd.index(root / "recordings")
    assert items["file"].to_pylist() == [f"{name}.wav" for name in sorted(NAMES)]
    assert items["id"] == fsdd.index(root)[0]["id"]


def test_upper_case_names_are_accepted(tmp_path):
    (item,) = fsdd.index(tree(tmp_path, "RECORDINGS/3_THEO_07.WAV"))[0].to_pylist()
    assert item["id"] == "fsdd/3_theo_7" and item["speaker"] == "theo"
    assert item["file"] == "RECORDINGS/3_THEO_07.WAV"


def test_skipped_files_are_listed_with_reasons(root):
    tree(
        root,
        "recordings/10_theo_1.wav",
        "recordings/1_theo.wav",
        "recordings/con.wav",
        "recordings/7_theo_00.wav",
        "spectrograms/7_theo_0.wav",
        "recordings/7_theo_0.raw",
        "README.md",
        "metadata.py",
    )
    items, skipped = fsdd.index(root)
    assert len(items) == len(NAMES)
    found = {row["file"]: row["reason"] for row in skipped.to_pylist()}
    assert found.keys() == {
        "recordings/10_theo_1.wav",
        "recordings/1_theo.wav",
        "recordings/con.wav",
        "recordings/7_theo_0.raw",
        "recordings/7_theo_00.wav",
        "spectrograms/7_theo_0.wav",
    }
    assert found["spectrograms/7_theo_0.wav"] == "not in recordings/ or the root"
    assert found["recordings/7_theo_00.wav"].startswith("a second copy of recordings/7_theo_0.wav")


def test_missing_or_empty_folder_is_rejected(tmp_path):
    with pytest.raises(InputError, match=r"FSDD corpus.*found nothing.*github.com"):
        fsdd.index(tmp_path / "nowhere")
    with pytest.raises(InputError, match="without files"):
        fsdd.index(tmp_path)
    with pytest.raises(InputError, match="at least one recording of FSDD"):
        fsdd.index(tree(tmp_path, "recordings/nothing.wav"))


def test_real_corpus(shared):
    root = shared("data/fsdd")
    items, skipped = fsdd.index(root)
    assert len(items) == 3000 and len(skipped) == 0
    assert items["split"].to_pylist().count("test") == 6 * 10 * 5
    samples, rate = sphere.read_audio(root / items["file"][0].as_py())
    assert rate == 8000 and 0.1 < abs(samples).max() <= 1
