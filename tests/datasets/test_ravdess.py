"""RAVDESS: manifest, recordings and alignments; the owners' archive, whose names tell the rest."""

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
    other = tmp_path / "other"
    other.mkdir()
    soundfile.write(other / "1_ann_0.wav", np.zeros(80), 16_000)
    with pytest.raises(InputError, match=r"Actor_01/03-.*the list of recordings, found neither"):
        ravdess.index(other)


def test_names_tell_what_a_manifest_would(root):
    listed = ravdess.index(root)
    (root / "manifest.csv").unlink()
    assert all(a.equals(b) for a, b in zip(ravdess.index(root), listed, strict=True))


# The owners' archive


@pytest.fixture
def archive(tmp_path):
    rng = np.random.default_rng(0)
    for actor, stem, channels in [
        (1, "03-01-05-02-02-01-01", 1),
        (2, "03-01-02-01-01-02-02", 2),
        (2, "03-01-08-01-01-01-02", 1),
    ]:
        folder = tmp_path / f"Actor_{actor:02d}"
        folder.mkdir(exist_ok=True)
        wave = np.repeat(rng.normal(0, 0.1, (4800, 1)), channels, 1)
        soundfile.write(folder / f"{stem}.wav", wave, 48_000)
    return tmp_path


def placed(root, rows):
    """Align all but the last recording."""
    word = {"position": 0, "token": "dogs", "kind": "word", "start_s": 0.01, "end_s": 0.09}
    found = {row["id"]: [word] for row in rows}
    return found | {rows[-1]["id"]: "digital silence"}


def test_archive_is_read_by_its_names(archive):
    utterances, tokens, skipped = ravdess.index(archive, align=placed)
    assert utterances.to_pylist()[1] == {
        "id": "ravdess/03-01-05-02-02-01-01",
        "corpus": "ravdess",
        "session": "01",
        "speaker": "01",
        "sex": "M",
        "emotion": "angry",
        "label": 0,
        "text": "Dogs are sitting by the door",
        "file": "Actor_01/03-01-05-02-02-01-01.wav",
        "rate": 48_000,
        "samples": 4800,
    }
    assert [(r["emotion"], r["sex"]) for r in utterances.to_pylist()] == [
        ("calm", "F"),  # two channels with the same samples
        ("angry", "M"),
    ]
    assert tokens["start_s"].to_pylist() == [0.01] * 2
    assert skipped.select(["emotion", "reason"]).to_pylist() == [
        {"emotion": "surprised", "reason": "alignment: digital silence"}
    ]
    with pytest.raises(InputError, match="alignment: expected one, found none"):
        ravdess.index(archive)  # without an aligner


def test_other_files_of_the_archive_are_listed(archive):
    song, film = "03-02-05-01-01-01-01.wav", "01-01-05-01-01-01-01.mp4"
    slow = archive / "Actor_02/03-01-04-01-01-01-02.wav"
    for name, rate in ((archive / song, 48_000), (slow, 8000)):
        soundfile.write(name, np.zeros(800), rate)
    (archive / film).touch()
    (archive / "copy").mkdir()
    first = "03-01-05-02-02-01-01.wav"
    (archive / "copy" / first).write_bytes((archive / "Actor_01" / first).read_bytes())
    _, _, skipped = ravdess.index(archive, align=placed)
    assert {row["file"]: row["reason"].split(" ")[0] for row in skipped.to_pylist()} == {
        song: "a",  # name other than ...
        film: "extension",
        str(slow.relative_to(archive)): "sound:",
        f"copy/{first}": "a",  # second copy of ...
        "Actor_02/03-01-08-01-01-01-02.wav": "alignment:",
    }


def test_alignments_of_the_user_are_used(archive):
    (archive / "aligned").mkdir()
    (archive / "aligned/03-01-05-02-02-01-01.wdseg").write_text(
        " SFrm EFrm SegAScr Word\n 1 4 0 DOGS\n 5 6 0 ARE\n Total score: 0\n"
    )

    def none(root, rows):
        assert [row["emotion"] for row in rows] == ["calm", "surprised"]
        return {}

    utterances, tokens, _ = ravdess.index(archive, align=none)
    assert utterances["emotion"].to_pylist() == ["angry"]
    assert tokens["start_s"].to_pylist() == [0.01, 0.05]


@pytest.mark.slow
def test_real_corpus(shared):
    utterances, tokens, skipped = ravdess.index(shared("data/ravdess"))
    assert len(utterances) + len(skipped) == 1440 and len(skipped) == 27
    assert set(skipped["reason"].to_pylist()) == {"alignment: expected one, found none"}
    labels = utterances["label"].to_pylist()
    assert [labels.count(k) for k in range(-1, 4)] == [568, 187, 185, 285, 188]
    assert set(tokens["kind"].to_pylist()) == {"word", "silence", "edge"}
