"""MELD: reading utterances and words from csv files."""

import pytest

from ima.datasets import meld
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import SKIPPED_UTTERANCES, TEXT_TOKENS, UTTERANCES

HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season\n"
TRAIN = (
    HEADER
    + '1,"I’m so happy, don\'t you see?",A,joy,positive,0,0,1\n'
    + '2,"Two\nlines.",B,surprise,positive,0,1,1\n'
    + "3,Go away!,A,Anger,negative,1,0,1\n"
)


def write(root, **texts):
    for split, text in texts.items():
        (root / f"{split}_sent_emo.csv").write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def root(tmp_path):
    return write(
        tmp_path, train=TRAIN, dev=HEADER, test=HEADER + "1,Well.,B,neutral,neutral,0,0,1\n"
    )


def test_index_of_lines_and_words(root):
    utterances, tokens, skipped = meld.index(root)
    assert (utterances.schema, tokens.schema) == (UTTERANCES, TEXT_TOKENS)
    assert skipped.schema == SKIPPED_UTTERANCES and len(skipped) == 0
    rows = utterances.to_pylist()
    assert [(r["id"], r["session"], r["emotion"], r["label"]) for r in rows] == [
        ("meld/test/0_0", "test", "neutral", 2),
        ("meld/train/0_0", "train", "joy", 1),
        ("meld/train/0_1", "train", "surprise", -1),
        ("meld/train/1_0", "train", "anger", 0),
    ]
    assert rows[1]["text"] == "I’m so happy, don't you see?" and rows[1]["rate"] == 0
    words = [(r["utterance"], r["position"], r["token"]) for r in tokens.to_pylist()]
    assert words[1:7] == [
        ("meld/train/0_0", k, word)
        for k, word in enumerate(["i'm", "so", "happy", "don't", "you", "see"])
    ]
    assert words[7:9] == [("meld/train/0_1", 0, "two"), ("meld/train/0_1", 1, "lines")]


def test_folder_that_the_raw_archive_unpacks_to(tmp_path):
    folder = tmp_path / "MELD.Raw"
    (folder / "train_splits").mkdir(parents=True)
    (folder / "train_splits/dia0_utt0.mp4").touch()
    (folder / "train_splits/._train_sent_emo.csv").write_bytes(b"\x00\x05\x16\x07")
    times = ',21,"00:16:16,059","00:16:21,731"\r\n'
    lines = HEADER.rstrip("\n") + ",Episode,StartTime,EndTime\r\n"
    lines += "1,You must\x92ve had your hands full.,A,neutral,neutral,4,12,8" + times
    write(folder, train=lines, dev=lines, test=lines)
    utterances, tokens, skipped = meld.index(tmp_path)
    assert utterances["id"].to_pylist() == [
        f"meld/{split}/4_12" for split in ("dev", "test", "train")
    ]
    assert set(utterances["text"].to_pylist()) == {"You must’ve had your hands full."}
    assert tokens["token"].to_pylist()[:2] == ["you", "must've"] and len(skipped) == 0


def test_unusable_lines_are_listed(root):
    bad = "4,Hm.,A,boredom,x,2,0,1\n5,-- !,A,joy,x,2,1,1\n6,Again.,A,joy,x,0,0,1\n7,Short\n"
    write(root, train=TRAIN + bad)
    (root / "dev_sent_emo.csv").unlink()
    utterances, _, skipped = meld.index(root)
    assert len(utterances) == 4
    assert [(r["id"], r["reason"].split(",")[0]) for r in skipped.to_pylist()] == [
        ("", "no such file"),
        ("meld/train/0_0", "line 8: id: expected a unique number"),
        ("meld/train/2_0", "line 6: label: expected one of anger"),
        ("meld/train/2_1", "line 7: text: expected words"),
        ("meld/train/_", "line 9: label: expected one of anger"),
    ]


def test_malformed_files_are_rejected(tmp_path):
    with pytest.raises(InputError, match=r"MELD corpus.*github.com"):
        meld.index(tmp_path)
    write(tmp_path, train=HEADER)
    with pytest.raises(
        InputError,
        match=r"usable utterances, found none, the first being dev_sent_emo.csv: no such file",
    ):
        meld.index(tmp_path)
    write(tmp_path, train="Utterance,Speaker\n")
    with pytest.raises(InputError, match="found Utterance, Speaker"):
        meld.index(tmp_path)
    (tmp_path / "train_sent_emo.csv").write_bytes(HEADER.encode() + b"1,caf\xe9,A,joy,x,0,0,1\n")
    with pytest.raises(InputError, match="csv in UTF-8"):
        meld.index(tmp_path)


def test_real_corpus(shared):
    utterances, tokens, skipped = meld.index(shared("data/meld"))
    assert (len(utterances), len(skipped)) == (13_707, 1)
    assert skipped["reason"].to_pylist() == ["line 3515: text: expected words, found none"]
    labels = utterances["label"].to_pylist()
    assert labels.count(0) == 1109 + 153 + 345 and labels.count(3) == 683 + 111 + 208
    assert len(tokens) > 100_000
