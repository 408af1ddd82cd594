"""The IEMOCAP tree: combining labels, texts, alignments and wavs of turns."""

import os
import warnings

import numpy as np
import pytest
import soundfile

from ima.datasets import iemocap
from ima.datasets.counts import CountWarning
from ima.utils.emotions import SIX
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import EMOTION_COUNTS, SKIPPED_UTTERANCES, TOKENS, UTTERANCES
from ima.utils.trees import tree_fingerprint
from ima.workflow.corpora import READ

CODES = {"F000": "neu", "M000": "ang", "F001": "hap", "M001": "exc", "F002": "sad", "M002": "fru"}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def block(turn, code):
    return (
        f"[6.2901 - 8.2357]\t{turn}\t{code}\t[2.5000, 2.5000, 2.5000]\n"
        "C-E2:\tNeutral;\t()\nC-F1:\tNeutral;\t(curious)\nA-E3:\tval 3; act 2; dom  ;\t()\n"
    )


def dialogue(root, name, codes, rate=16_000):
    """Write a dialogue whose turns last one second and contain WHAT(2), a pause and WELL."""
    session = root / f"Session{name[4]}"
    turns = {f"{name}_{turn}": code for turn, code in codes.items()}
    head = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n"
    labels = "\n".join([head, *(block(turn, code) for turn, code in turns.items())])
    write(session / "dialog/EmoEvaluation" / f"{name}.txt", labels)
    texts = "".join(f"{turn} [006.2901-008.2357]: What? Well.\n" for turn in turns)
    write(session / "dialog/transcriptions" / f"{name}.txt", texts)
    for turn in turns:
        write(
            session / f"sentences/ForcedAlignment/{name}/{turn}.wdseg",
            "\t SFrm  EFrm    SegAScr Word\n\t    0     9        -12 <s>\n"
            "\t   10    39     -17530 WHAT(2)\n\t   40    59         -5 <sil>\n"
            "\t   60    89    -258661 WELL\n\t   90    99         -5 </s>\n Total score:  -2\n",
        )
        wav = session / f"sentences/wav/{name}/{turn}.wav"
        wav.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(wav, np.zeros(rate), rate)


@pytest.fixture
def root(tmp_path):
    dialogue(tmp_path, "Ses01F_impro01", CODES)
    dialogue(tmp_path, "Ses05M_script01_1b", {"F000": "xxx", "M000": "sad"})
    return tmp_path


def turn_file(root, kind, turn="Ses01F_impro01_M000"):
    folder, suffix = {"wav": ("wav", "wav"), "wdseg": ("ForcedAlignment", "wdseg")}[kind]
    return root / f"Session1/sentences/{folder}/Ses01F_impro01/{turn}.{suffix}"


def label_file(root):
    return root / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"


def reasons(skipped):
    return {row["id"] or row["file"]: row["reason"] for row in skipped.to_pylist()}


def test_index_of_one_turn(root):
    utterances, tokens, skipped = iemocap.index(root)
    assert utterances.schema == UTTERANCES and tokens.schema == TOKENS
    assert skipped.schema == SKIPPED_UTTERANCES and len(skipped) == 0
    assert utterances.to_pylist()[4] == {
        "id": "iemocap/Ses01F_impro01_M001",
        "corpus": "iemocap",
        "session": "1",
        "speaker": "Ses01M",
        "sex": "M",
        "emotion": "exc",
        "label": 1,
        "text": "What? Well.",
        "file": "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M001.wav",
        "rate": 16_000,
        "samples": 16_000,
    }
    assert len(tokens) == 8 * 5
    assert tokens.to_pylist()[1] == {
        "utterance": "iemocap/Ses01F_impro01_F000",
        "position": 1,
        "token": "what",
        "kind": "word",
        "start_s": 0.1,
        "end_s": 0.4,
    }


@pytest.mark.parametrize(("merged", "exc"), [(True, 1), (False, -1)])
def test_classes_of_emotion_codes(root, merged, exc):
    rows = iemocap.index(root, excited_as_happy=merged)[0].to_pylist()
    found = {row["emotion"]: row["label"] for row in rows}
    assert found == {"ang": 0, "hap": 1, "exc": exc, "neu": 2, "sad": 3, "fru": -1, "xxx": -1}


def test_six_classes_of_emotion_codes(root):
    rows = iemocap.index(root, classes=SIX)[0].to_pylist()
    found = {row["emotion"]: row["label"] for row in rows}
    assert found == {"ang": 0, "hap": 1, "neu": 2, "sad": 3, "exc": 4, "fru": 5, "xxx": -1}


def test_nominal_numbers_of_the_corpus():
    assert sum(iemocap.EXPECTED.values()) == 10_039
    assert sum(iemocap.EXPECTED[code] for code in ("neu", "ang", "sad", "hap", "exc")) == 5531


@pytest.mark.parametrize(("merged", "nominal", "found"), [(True, 5531, 6), (False, 4490, 5)])
def test_counts_are_compared_with_the_nominal_ones(root, merged, nominal, found):
    turn_file(root, "wdseg").unlink()
    utterances, _, skipped = iemocap.index(root, excited_as_happy=merged)
    with pytest.warns(CountWarning, match="all 8 of 10,039; 1 without a usable alignment"):
        counts = iemocap.expected_counts(utterances, skipped)
    assert counts.schema == EMOTION_COUNTS
    by = {row["emotion"]: row for row in counts.to_pylist()}
    four = {"expected": nominal, "labelled": found, "usable": found - 1}
    assert by["four"] == {"corpus": "iemocap", "emotion": "four", **four}
    assert (by["ang"]["labelled"], by["ang"]["usable"]) == (1, 0)
    assert (by["all"]["expected"], by["all"]["labelled"], by["all"]["usable"]) == (10_039, 8, 7)


def test_complete_corpus_does_not_warn(root, monkeypatch):
    found = {"neu": 1, "ang": 1, "sad": 2, "hap": 1, "exc": 1, "fru": 1, "xxx": 1}
    monkeypatch.setattr(iemocap, "EXPECTED", found)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        iemocap.expected_counts(*iemocap.index(root)[::2])


def test_root_may_be_one_or_two_levels_above(root, tmp_path):
    below = iemocap.index(root)[0]
    for above in ("a", "b/c"):
        new = tmp_path / "up" / above
        new.mkdir(parents=True)
        (new / "IEMOCAP").symlink_to(root, target_is_directory=True)
    assert iemocap.index(tmp_path / "up/a")[0]["id"] == below["id"]
    assert iemocap.index(tmp_path / "up/b")[0]["id"] == below["id"]


def test_hidden_files_and_other_folders_are_ignored(root):
    write(label_file(root).with_name("._Ses01F_impro01.txt"), "\0\1")
    write(label_file(root).parent / "Categorical/Ses01F_impro01_e2_cat.txt", "anything")
    write(turn_file(root, "wdseg").with_suffix(".phseg"), "anything")
    utterances, _, skipped = iemocap.index(root)
    assert len(utterances) == 8 and len(skipped) == 0


def damage_label(root):
    path = label_file(root)
    path.write_text(path.read_text().replace("\tang\t", "\tangry\t"))


def long_alignment(root):
    path = turn_file(root, "wdseg")
    path.write_text(path.read_text().replace("90    99", "90   120"))


def no_text(root):
    path = root / "Session1/dialog/transcriptions/Ses01F_impro01.txt"
    path.write_text("".join(s for s in path.open() if "_M000" not in s))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (damage_label, "label: expected one of neu, ang, sad, hap, exc, fru, sur, fea"),
        (
            long_alignment,
            "alignment: expected tokens within the 1.00 s of the recording, found '</s>'",
        ),
        (no_text, "transcription: expected one, found none"),
        (lambda root: turn_file(root, "wav").unlink(), "wav: expected one, found none"),
        (lambda root: turn_file(root, "wdseg").unlink(), "alignment: expected one, found none"),
        (lambda root: turn_file(root, "wdseg").write_text(""), "alignment: expected aligned words"),
        (lambda root: turn_file(root, "wav").write_text("RIFF"), "sound: expected audio"),
        (
            lambda root: soundfile.write(turn_file(root, "wav"), np.zeros(8000), 8000),
            "sound: expected samples of 1 channel at 16000 Hz, found 8000 samples",
        ),
    ],
)
def test_unusable_utterances_are_listed(root, damage, reason):
    damage(root)
    utterances, tokens, skipped = iemocap.index(root)
    assert len(utterances) == 7 and len(tokens) == 35
    (row,) = [row for row in skipped.to_pylist() if row["id"]]
    assert row["id"] == "iemocap/Ses01F_impro01_M000" and row["reason"].startswith(reason)
    assert row["emotion"] == ("angry" if damage is damage_label else "ang")


def test_ratings_that_are_no_numbers_do_not_matter(root):
    file = label_file(root)
    file.write_text(file.read_text().replace("[2.5000,", "[NaN,"))
    assert "NaN" in file.read_text() and len(iemocap.index(root)[0]) == 8


def test_files_that_are_read_are_those_that_fingerprints_cover(root):
    """Of each kind that `_Session` reads; films and motion capture are not."""
    used = [label_file(root), turn_file(root, "wav"), turn_file(root, "wdseg")]
    used.append(root / "Session1/dialog/transcriptions/Ses01F_impro01.txt")
    film = root / "Session1/dialog/avi/DivX/Ses01F_impro01.avi"
    film.parent.mkdir(parents=True)
    found = [tree_fingerprint(root, READ["iemocap"])]
    for file in [film, *used]:
        file.touch()
        os.utime(file, (1, 1))
        found.append(tree_fingerprint(root, READ["iemocap"]))
    assert found[0] == found[1] and len(set(found)) == 1 + len(used)


def test_files_without_a_turn_are_listed(root):
    with label_file(root).open("a") as file:
        file.write("\n[1.0 - 2.0]\tSes01F_impro01_FXX0\tneu\t[2.5, 2.5, 2.5]\n")
        file.write(block("Ses01F_impro01_F000", "sad"))
    texts = root / "Session1/dialog/transcriptions/Ses01F_impro01.txt"
    with texts.open("a") as file:
        file.write("M: Okay.\nSes01F_impro01_F077 [1.0-2.0]: Who?\n")
    soundfile.write(turn_file(root, "wav", "Ses01F_impro01_F099"), np.zeros(16), 16_000)
    utterances, _, skipped = iemocap.index(root)
    assert len(utterances) == 8
    found = [(row["id"], row["reason"]) for row in skipped.to_pylist()]
    assert found == [
        ("", "line 33 is not [start - end] turn emotion"),
        ("", "line 7 has no labelled turn"),
        ("", "line 8 has no labelled turn"),
        ("iemocap/Ses01F_impro01_F000", "line 34: a second label, sad"),
        ("iemocap/Ses01F_impro01_F099", "no label in EmoEvaluation"),
    ]


def test_missing_folder_is_rejected(tmp_path):
    with pytest.raises(InputError, match=r"IEMOCAP corpus.*found nothing.*sail.usc.edu"):
        iemocap.index(tmp_path / "nowhere")
    write(tmp_path / "Session1.zip", "")
    with pytest.raises(InputError, match=r"found no such folders\. Set the path to the folder"):
        iemocap.index(tmp_path)
    dialogue(tmp_path, "Ses01F_impro01", {"F000": "neu"}, rate=8000)
    with pytest.raises(InputError, match="usable utterances, found none, the first being Session1"):
        iemocap.index(tmp_path)


def test_copies_of_a_session_are_told_by_their_content(tmp_path):
    for copy in "ab":
        dialogue(tmp_path / copy, "Ses01F_impro01", {"F000": "neu"})
    utterances, tokens, skipped = iemocap.index(tmp_path)
    assert len(utterances) == 1 and len(tokens) == 5 and len(skipped) == 4
    assert all(r.startswith("a second copy of a/Session1/") for r in skipped["reason"].to_pylist())
    wav = "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"
    (tmp_path / "a" / wav).write_text("damaged")
    utterances, _, skipped = iemocap.index(tmp_path)
    assert utterances["file"].to_pylist() == [f"b/{wav}"] and len(skipped) == 4
    soundfile.write(tmp_path / "a" / wav, np.full(16_000, 0.5), 16_000)
    with pytest.raises(InputError, match=f"other content in a/{wav} than in b/{wav}"):
        iemocap.index(tmp_path)


def test_split_by_session(root):
    utterances = iemocap.index(root)[0]
    assert iemocap.split_by(utterances, ["5"]) == ["train"] * 6 + ["validation"] * 2
    assert iemocap.split_by(utterances, [1])[0] == "validation"
    speakers = utterances["speaker"].to_pylist()
    split = iemocap.split_by(utterances, ["Ses01M"], "speaker")
    assert [part == "validation" for part in split] == [name == "Ses01M" for name in speakers]
    with pytest.raises(InputError, match=r"validation speakers: .* Ses01M, Ses05F"):
        iemocap.split_by(utterances, ["Ses02F"], "speaker")
    for bad in ([], ["3"], ["1", "5"]):
        with pytest.raises(InputError, match="some, but not all, of 1, 5"):
            iemocap.split_by(utterances, bad)
