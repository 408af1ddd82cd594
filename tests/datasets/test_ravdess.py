"""RAVDESS: combining manifest, recordings and alignments."""

import numpy as np
import pytest
import soundfile

from ima.datasets import ravdess
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import SKIPPED_UTTERANCES, TOKENS, UTTERANCES

HEADER = "file,emotion,intensity,statement,transcript,repetition,actor,sex,seconds,rms\n"
LINES = {
    "03-01-01-01-01-01-01": "neutral,normal,01,Kids are talking by the door,01,01,M,1.6,0.1",
    "03-01-02-01-01-01-02": "calm,normal,01,Kids are talking by the door,01,02,F,1.6,0.1",
    "03-01-05-01-01-01-02": "angry,normal,01,Kids are talking by the door,01,02,F,1.6,0.1",
    "03-01-06-01-01-01-01": "fearful,normal,01,Kids are talking by the door,01,01,M,1.6,0.1",
}


@pytest.fixture
def root(tmp_path):
    for name in ("audio", "wdseg"):
        (tmp_path / name).mkdir()
    lines = "".join(f"audio/{stem}.flac,{rest}\n" for stem, rest in LINES.items())
    (tmp_path / "manifest.csv").write_text(HEADER + lines)
    for stem in LINES:
        soundfile.write(tmp_path / f"audio/{stem}.flac", np.zeros(8000), 16_000)
        (tmp_path / f"wdseg/{stem}.wdseg").write_text(
            "\t SFrm  EFrm    SegAScr Word\n\t    0    19          0 KIDS\n"
            "\t   20    48          0 ARE(2)\n\t   48    48          0 </s>\n Total score:   0\n"
        )
    return tmp_path


@pytest.mark.parametrize(("merged", "calm"), [(True, 2), (False, -1)])
def test_index_of_recordings_and_words(root, merged, calm):
    utterances, tokens, skipped = ravdess.index(root, calm_as_neutral=merged)
    assert (utterances.schema, tokens.schema) == (UTTERANCES, TOKENS)
    assert skipped.schema == SKIPPED_UTTERANCES and len(skipped) == 0
    assert utterances["label"].to_pylist() == [2, calm, 0, -1]
    assert utterances.to_pylist()[2] == {
        "id": "ravdess/03-01-05-01-01-01-02",
        "corpus": "ravdess",
        "session": "02",
        "speaker": "02",
        "sex": "F",
        "emotion": "angry",
        "label": 0,
        "text": "Kids are talking by the door",
        "file": "audio/03-01-05-01-01-01-02.flac",
        "rate": 16_000,
        "samples": 8000,
    }
    assert tokens["token"].to_pylist() == ["kids", "are", "</s>"] * 4
    assert tokens["end_s"].to_pylist()[:2] == [0.2, 0.49]


def test_unusable_recordings_are_listed(root):
    stems = list(LINES)
    (root / f"wdseg/{stems[0]}.wdseg").unlink()
    soundfile.write(root / f"audio/{stems[1]}.flac", np.zeros(8000), 48_000)
    (root / f"wdseg/{stems[2]}.wdseg").write_text("")
    soundfile.write(root / "audio/unknown.flac", np.zeros(80), 16_000)
    manifest = root / "manifest.csv"
    manifest.write_text(manifest.read_text() + "audio/none.flac,happy,,,text,,03,F,,\n")
    utterances, _, skipped = ravdess.index(root)
    assert utterances["id"].to_pylist() == [f"ravdess/{stems[3]}"]
    found = {row["id"]: row["reason"] for row in skipped.to_pylist()}
    assert found[f"ravdess/{stems[0]}"] == "alignment: expected one, found none"
    assert "8000 samples at 48000 Hz" in found[f"ravdess/{stems[1]}"]
    assert found[f"ravdess/{stems[2]}"].endswith("found an empty .wdseg")
    assert found["ravdess/none"].startswith("sound: expected a readable audio file")
    assert found["ravdess/unknown"] == "not in manifest.csv"


def test_unknown_emotion_is_listed(root):
    manifest = root / "manifest.csv"
    manifest.write_text(manifest.read_text().replace(",angry,", ",cross,"))
    _, _, skipped = ravdess.index(root)
    assert "label: expected one of angry, happy" in skipped["reason"][0].as_py()


def test_paths_outside_the_corpus_are_rejected(root):
    outside = root.parent / "outside.flac"
    soundfile.write(outside, np.zeros(8000), 16_000)
    manifest = root / "manifest.csv"
    for file in ("../outside.flac", str(outside), "audio/../../outside.flac"):
        line = f"{file},angry,normal,01,text,01,01,M,1.6,0.1\n"
        manifest.write_text(
            HEADER + line + f"audio/{next(iter(LINES))}.flac,neutral,,,text,,01,M,,\n"
        )
        utterances, _, skipped = ravdess.index(root)
        assert len(utterances) == 1
        message = f"file: expected a path within the corpus, found {file}"
        assert any(message in reason for reason in skipped["reason"].to_pylist())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,emotion\n", "expected columns file, emotion, transcript, actor, sex"),
        ("", "found nothing"),
        (HEADER + "audio/a.flac,happy\n", "line 2: expected a value in each column"),
        (HEADER, "usable utterances, found none"),
    ],
)
def test_malformed_manifest_is_rejected(root, text, message):
    (root / "manifest.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        ravdess.index(root)


def test_missing_manifest_is_rejected(root, tmp_path):
    with pytest.raises(InputError, match=r"RAVDESS corpus.*zenodo"):
        ravdess.index(tmp_path / "nowhere")
    (root / "manifest.csv").unlink()
    with pytest.raises(InputError, match="the list of recordings, found no such file"):
        ravdess.index(root)


def test_real_corpus(shared):
    utterances, tokens, skipped = ravdess.index(shared("data/ravdess"))
    assert len(utterances) + len(skipped) == 1440 and len(skipped) == 27
    assert set(skipped["reason"].to_pylist()) == {"alignment: expected one, found none"}
    labels = utterances["label"].to_pylist()
    assert [labels.count(k) for k in range(-1, 4)] == [568, 187, 185, 285, 188]
    assert set(tokens["kind"].to_pylist()) == {"word", "silence", "edge"}
