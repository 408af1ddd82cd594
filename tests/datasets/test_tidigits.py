"""The TIDIGITS tree: any disc layout, any letter case, and skipped files."""

import os
import random

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from ima.audio import sphere
from ima.datasets import tidigits
from ima.datasets.counts import COUNTS, CountWarning
from ima.utils.arrow import conform
from ima.utils.errors import InputError
from ima.utils.schemas import RECORDINGS, SKIPPED


def tree(root, *files):
    """Create empty files; `index` only reads names."""
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def reasons(skipped):
    return {row["file"]: row["reason"] for row in skipped.to_pylist()}


def test_index_of_one_recording(tmp_path):
    file = "disc_4.1.1/tidigits/train/man/ae/6z97oa.wav"
    items, skipped = tidigits.index(tree(tmp_path, file))
    assert items.to_pylist() == [
        {
            "id": "tidigits/train/man/ae/6z97oa",
            "corpus": "tidigits",
            "split": "train",
            "speaker": "ae",
            "group": "man",
            "digits": "6z97o",
            "file": file,
        }
    ]
    assert items.schema == RECORDINGS and skipped.schema == SKIPPED and len(skipped) == 0
    assert conform(items, RECORDINGS, "items") == items


@pytest.mark.parametrize(
    "file",
    [
        "train/girl/zz/1b.wav",
        "TRAIN/GIRL/ZZ/1B.WAV",
        "CD4_1_1/TIDIGITS/Train/Girl/Zz/1b.SPH",
        "data/children/train/girl/zz/1b.nist",
        "a train/of test/folders/train/girl/zz/1b.flac",
        "test/train/girl/zz/1b.wav",  # the innermost split counts
    ],
)
def test_case_extension_and_disc_folders_do_not_matter(tmp_path, file):
    (item,) = tidigits.index(tree(tmp_path, file))[0].to_pylist()
    assert item["id"] == "tidigits/train/girl/zz/1b"
    assert item["digits"] == "1" and item["group"] == "girl"
    assert item["file"] == file and (tmp_path / item["file"]).exists()


def test_rows_are_sorted_by_id_whatever_the_folder_order(tmp_path, monkeypatch):
    files = [
        f"d{disc}/{split}/{group}/{speaker}/{name}.wav"
        for disc, split, group, speaker in [
            (2, "train", "man", "aa"),
            (1, "train", "woman", "bb"),
            (1, "test", "boy", "cc"),
        ]
        for name in ("2a", "1a", "oa", "z1b")
    ]
    tree(tmp_path, *files)
    expected = tidigits.index(tmp_path)
    ids = expected[0]["id"].to_pylist()
    assert ids == sorted(ids) and len(ids) == 12
    walk = os.walk

    def shuffled(*arguments, **settings):
        for folder, folders, names in walk(*arguments, **settings):
            random.Random(folder).shuffle(names)
            yield folder, folders, names

    monkeypatch.setattr(os, "walk", shuffled)
    assert tidigits.index(tmp_path) == expected


def test_skipped_files_are_listed_with_reasons(tmp_path):
    files = {
        "train/man/ae/1a.wav": None,
        "train/man/ae/0a.wav": "'0a' is not 1 to 7 digits",
        "train/man/ae/1c.wav": "'1c' is not 1 to 7 digits",
        "train/man/ae/a.wav": "'a' is not 1 to 7 digits",
        "train/man/ae/12345678a.wav": "'12345678a' is not 1 to 7 digits",
        "train/man/ae/1a.mp3": "extension '.mp3'",
        "train/man/ae/1a": "extension ''",
        "train/man/aex/1a.wav": "not in a folder",
        "train/men/ae/1a.wav": "not in a folder",
        "dev/man/ae/1a.wav": "not in a folder",
        "nul/con.wav": "not in a folder",
        "train/man/ae/con.wav": "'con' is not 1 to 7 digits",
    }
    documents = ["doc/readme.txt", "train/man/ae/1a.TXT", ".DS_Store", "doc/tidigits.ps"]
    documents += ["train/man/ae/._1a.wav", "__MACOSX/train/man/ae/1a.wav", ".git/x"]
    items, skipped = tidigits.index(tree(tmp_path, *files, *documents))
    assert items["file"].to_pylist() == ["train/man/ae/1a.wav"]
    found = reasons(skipped)
    wanted = {file: reason for file, reason in files.items() if reason}
    assert found.keys() == wanted.keys()
    for file, reason in wanted.items():
        assert found[file].startswith(reason), file
    assert skipped["file"].to_pylist() == sorted(wanted)
    assert set(skipped["corpus"].to_pylist()) == {"tidigits"}


def test_first_of_two_copies_is_kept(tmp_path):
    copies = ["b/train/man/ae/1a.wav", "a/train/man/ae/1a.wav", "a/train/man/ae/1a.sph"]
    items, skipped = tidigits.index(tree(tmp_path, *copies, "a/train/man/ae/1b.wav"))
    assert items["file"].to_pylist() == ["a/train/man/ae/1a.sph", "a/train/man/ae/1b.wav"]
    assert list(reasons(skipped)) == ["a/train/man/ae/1a.wav", "b/train/man/ae/1a.wav"]
    assert all("a second copy of a/train/man/ae/1a.sph" in r for r in reasons(skipped).values())


@pytest.mark.parametrize("other", ["test/man/ae/2a.wav", "train/boy/ae/1a.wav"])
def test_speaker_in_two_splits_or_groups_is_rejected(tmp_path, other):
    with pytest.raises(InputError, match=r"'ae' in .*ae/[12]a.wav and .*ae/[12]a.wav"):
        tidigits.index(tree(tmp_path, "train/man/ae/1a.wav", other))


def test_missing_or_empty_folder_is_rejected(tmp_path):
    with pytest.raises(InputError, match=r"TIDIGITS corpus.*found nothing.*LDC93S10"):
        tidigits.index(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"TIDIGITS corpus.*found a folder without files"):
        tidigits.index(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"TIDIGITS corpus.*found a file"):
        tidigits.index(tmp_path / "file")


def test_folder_without_recordings_is_rejected(tmp_path):
    with pytest.raises(InputError, match="found documents only"):
        tidigits.index(tree(tmp_path, "readme.txt"))
    # Below train, the paths no longer contain the name of the split.
    with pytest.raises(InputError, match=r"1 other file.*man/ae/1a.wav: not in a folder"):
        tidigits.index(tree(tmp_path, "train/man/ae/1a.wav") / "train")


def test_linked_discs_and_link_loops_are_handled(tmp_path):
    tree(tmp_path / "discs" / "one", "train/man/ae/1a.wav")
    root = tmp_path / "corpus"
    root.mkdir()
    (root / "disc1").symlink_to(tmp_path / "discs" / "one")
    (tmp_path / "discs" / "one" / "again").symlink_to(root)
    assert tidigits.index(root)[0]["file"].to_pylist() == ["disc1/train/man/ae/1a.wav"]


def test_sphere_and_converted_files_are_read(tmp_path):
    tree(tmp_path, "train/man/ae/1a.wav", "train/man/ae/1b.wav")
    signal = np.array([0, 16384, -32768], dtype=np.int16)
    soundfile.write(tmp_path / "train/man/ae/1a.wav", signal, 20000, format="NIST")
    soundfile.write(tmp_path / "train/man/ae/1b.wav", signal, 20000, format="WAV")
    for file in tidigits.index(tmp_path)[0]["file"].to_pylist():
        samples, rate = sphere.read_audio(tmp_path / file)
        assert samples.tolist() == [0.0, 0.5, -1.0] and rate == 20000


def test_real_corpus(shared):
    root = shared("reference/tidigits_strings")
    items, skipped = tidigits.index(root)
    assert len(items) == 492 and len(skipped) == 0
    assert set(items["split"].to_pylist()) == {"test"}


# Counts


def counts(report):
    keys = ("level", "split", "group", "speaker", "unit")
    return {
        tuple(row[key] for key in keys): (row["found"], row["expected"])
        for row in report.to_pylist()
    }


def test_nominal_numbers_of_the_corpus():
    total = {group: 0 for group in ("man", "woman", "boy", "girl")}
    for (_, group), number in tidigits.SPEAKERS.items():
        total[group] += number
    assert total == {"man": 111, "woman": 114, "boy": 50, "girl": 51}
    assert sum(total.values()) * tidigits.STRINGS == 25_102


def test_counts_of_an_incomplete_corpus(tmp_path):
    items, _ = tidigits.index(
        tree(tmp_path, "train/man/ae/1a.wav", "train/man/ae/12a.wav", "test/girl/bb/za.wav")
    )
    with pytest.warns(CountWarning, match="tidigits is not complete: in all: 2 speakers") as told:
        report = tidigits.expected_counts(items)
    assert len(told) == 1
    assert report.schema == COUNTS
    found = counts(report)
    assert found["corpus", "", "", "", "speakers"] == (2, 326)
    assert found["corpus", "", "", "", "recordings"] == (3, 25_102)
    assert found["corpus", "", "", "", "one_digit"] == (2, 326 * 22)
    assert found["split", "train", "", "", "speakers"] == (1, 163)
    assert found["split", "test", "", "", "recordings"] == (1, 163 * 77)
    assert found["group", "", "man", "", "speakers"] == (1, 111)
    assert found["group", "", "boy", "", "recordings"] == (
        0,
        50 * 77,
    )  # also a row
    assert found["split_group", "test", "man", "", "speakers"] == (0, 56)
    assert found["speaker", "train", "man", "ae", "recordings"] == (2, 77)
    assert found["speaker", "train", "man", "ae", "one_digit"] == (1, 22)
    # 3 units of 1 corpus, 2 splits, 4 groups and 8 of both; 2 units of 2 speakers
    assert len(found) == 3 * (1 + 2 + 4 + 8) + 2 * 2


def full_corpus():
    """Return the table of a complete corpus: 22 one-digit and 55 longer strings per speaker."""
    rows = []
    for (split, group), number in tidigits.SPEAKERS.items():
        for i in range(number):
            speaker = f"{split}{group}{i}"
            for j in range(77):
                digits = "1" if j < 22 else "12"
                id_ = f"{speaker}/{j}"
                rows.append((id_, "tidigits", split, speaker, group, digits, id_))
    columns = [list(column) for column in zip(*rows, strict=True)]
    return pa.Table.from_arrays([pa.array(c) for c in columns], schema=RECORDINGS)


def test_complete_corpus_does_not_warn(recwarn):
    report = tidigits.expected_counts(full_corpus())
    assert report["found"].to_pylist() == report["expected"].to_pylist()
    assert not recwarn.list
    one_less = full_corpus().slice(1)
    with pytest.warns(CountWarning, match="25,101 recordings, nominally 25,102"):
        tidigits.expected_counts(one_less)
