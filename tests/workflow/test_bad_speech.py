"""Bad input of a digit corpus, end to end: a clear error or a line in a list, and nothing lost."""

import re
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from ima.alignment.methods import segment
from ima.audio import sphere
from ima.audio.resample import resample
from ima.datasets.digit_recordings import Waves, index, write_waves
from ima.datasets.synthetic import digits as demo
from ima.utils.errors import InputError
from ima.utils.trees import files_below

RATE = 12_500
#: The file that most cases spoil.
FILE = "train/man/aa/3a.wav"


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    """A TIDIGITS tree of four synthetic speakers, nothing wrong with it."""
    folder = tmp_path_factory.mktemp("tidigits")
    demo.write_tidigits(folder, {"man": 2, "woman": 2}, strings=10, seed=0)
    return folder


@pytest.fixture
def tree(good, tmp_path) -> Path:
    return shutil.copytree(good, tmp_path / "tidigits")


@pytest.fixture(autouse=True)
def no_decoders(monkeypatch, tmp_path):
    """Without sph2pipe and ffmpeg, shorten 1 cannot be decoded."""
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))


def run(root: Path, method: str = "equal") -> tuple[pa.Table, pa.Table, pa.Table, Waves]:
    """Return recordings, skipped and segments, as the workflow makes them, and the waves."""
    roots, path = {"tidigits": str(root)}, root.parent / "waves.arrow"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a few speakers are not the whole corpus
        found, unnamed, _ = index(roots, {})
    recordings, undecoded = write_waves(found, roots, RATE, path, processes=1)
    waves = Waves(path, RATE)
    segments = segment(recordings, waves, method, processes=1)
    return recordings, pa.concat_tables([unnamed, undecoded]), segments, waves


def assert_nothing_lost(root: Path, recordings: pa.Table, skipped: pa.Table, segments: pa.Table):
    """Every file is a recording or skipped, once; every digit of a recording has a segment."""
    listed = recordings["file"].to_pylist() + skipped["file"].to_pylist()
    assert sorted(listed) == sorted(files_below(root))
    digits: dict[str, str] = {}
    for row in segments.to_pylist():
        digits[row["recording"]] = digits.get(row["recording"], "") + row["digit"]
    said = zip(recordings["id"].to_pylist(), recordings["digits"].to_pylist(), strict=True)
    assert digits == dict(said)


# Ways to spoil a tree: each takes its root and the path of FILE


def truncate(root, file):
    file.write_bytes(file.read_bytes()[:-1000])


def cut_header(root, file):
    file.write_bytes(file.read_bytes()[:500])


def empty(root, file):
    file.write_bytes(b"")


def text(root, file):
    file.write_text("not audio")


def shorten_as_pcm(version):
    """The header says PCM, the data are shorten's."""

    def spoil(root, file):
        header = file.read_bytes()[:1024]
        file.write_bytes(header + b"ajkg" + bytes([version]) + bytes(range(200)))

    return spoil


def at_rate(hz):
    def spoil(root, file):
        samples, _ = sphere.read(file)
        soundfile.write(file, samples, hz, "PCM_16", format="NIST")

    return spoil


def stereo(root, file):
    samples, hz = sphere.read(file)
    soundfile.write(file, np.stack([samples, samples], axis=1), hz, "PCM_16", format="NIST")


def nan(root, file):
    samples, hz = sphere.read_audio(file)
    samples[100] = np.nan
    soundfile.write(file, samples, hz, "FLOAT", format="WAV")


def not_digits(name):
    def spoil(root, file):
        file.rename(file.with_name(name))

    return spoil


def second_copy(root, file):
    copy = root / "disc2" / FILE
    copy.parent.mkdir(parents=True)
    shutil.copy(file, copy)
    # Of two, the first path in order is kept.
    assert str(copy) < str(file)


SKIPPED: dict[str, tuple[Callable, str, str]] = {
    "truncated": (truncate, FILE, r"expected \d+ bytes of samples, as its header says, found \d+"),
    "header cut": (cut_header, FILE, r"expected a SPHERE header .* found '1024' in a file of 500"),
    "empty": (empty, FILE, "expected an audio file, found an empty file"),
    "text": (text, FILE, "expected audio: SPHERE, .* found something else"),
    "shorten 1 as pcm": (shorten_as_pcm(1), FILE, "found shorten format version 1"),
    "damaged shorten 2 as pcm": (shorten_as_pcm(2), FILE, "expected shorten-compressed data that"),
    "rate 4 kHz": (at_rate(4_000), FILE, "a sampling rate of 8000-48000 Hz, found 4000 Hz"),
    "rate 96 kHz": (at_rate(96_000), FILE, "expected a sampling rate .*, found 96000 Hz"),
    "stereo": (stereo, FILE, "expected one channel, found 2 channels"),
    "NaN": (nan, FILE, "expected finite samples, found 1 NaN or infinite"),
    "a word": (not_digits("one.wav"), "train/man/aa/one.wav", "'one' is not 1 to 7 digits"),
    "0 for z": (not_digits("03a.wav"), "train/man/aa/03a.wav", "'03a' is not 1 to 7 digits"),
    "8 digits": (
        not_digits("12345678a.wav"),
        "train/man/aa/12345678a.wav",
        "'12345678a' is not 1 to 7 digits",
    ),
    "kind of file": (not_digits("3a.mp3"), "train/man/aa/3a.mp3", "extension '.mp3' is not one of"),
    "second copy": (second_copy, FILE, "a second copy of disc2/train/man/aa/3a.wav"),
}


@pytest.mark.parametrize("case", SKIPPED)
def test_a_bad_file_is_listed_with_its_reason(tree, case):
    spoil, file, reason = SKIPPED[case]
    before = len(list(files_below(tree)))
    spoil(tree, tree / FILE)
    recordings, skipped, segments, waves = run(tree)
    assert_nothing_lost(tree, recordings, skipped, segments)
    (row,) = skipped.to_pylist()
    assert (row["corpus"], row["file"]) == ("tidigits", file)
    assert re.search(reason, row["reason"]), row["reason"]
    assert len(recordings) == before - (case != "second copy")
    assert all(len(waves(name)[0]) for name in recordings["id"].to_pylist())


def mixed_speaker(root, file):
    other = root / "test/man/aa/3a.wav"
    other.parent.mkdir(parents=True)
    shutil.copy(file, other)


def no_files(root, file):
    shutil.rmtree(root)
    (root / "train/man/aa").mkdir(parents=True)


def a_file(root, file):
    shutil.rmtree(root)
    root.touch()


def nothing(root, file):
    shutil.rmtree(root)


def documents(root, file):
    shutil.rmtree(root)
    root.mkdir()
    (root / "readme.txt").touch()


def other_tree(root, file):
    (root / "train").rename(root / "training")
    shutil.rmtree(root / "test")


def all_empty(root, file):
    for path in root.rglob("*.wav"):
        path.write_bytes(b"")


REFUSED: dict[str, tuple[Callable, str]] = {
    "speaker in train and test": (
        mixed_speaker,
        r"each speaker in one split .* found 'aa' in .*test/man/aa/3a.wav .*must not occur in",
    ),
    "empty tree": (no_files, "the TIDIGITS corpus, a folder .*, found a folder without files"),
    "a file": (a_file, "the TIDIGITS corpus, a folder .*, found a file"),
    "no such folder": (nothing, "the TIDIGITS corpus, a folder .*, found nothing.*LDC93S10"),
    "documents only": (documents, "at least one recording of TIDIGITS.*found documents only"),
    "another layout": (other_tree, "at least one recording of TIDIGITS.*not in a folder"),
    "no file that can be read": (all_empty, "expected at least one row, found none"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_tree_is_refused_in_words(tree, case):
    spoil, message = REFUSED[case]
    spoil(tree, tree / FILE)
    with pytest.raises(InputError, match=message) as error:
        run(tree)
    assert "tidigits" in str(error.value) or "recordings" in str(error.value)


# What can be used, but not trusted


def test_a_digit_that_is_not_in_the_audio_is_doubtful(tree):
    """A string is said to have a digit more than is heard; the digits it has stay listed."""
    file = max((tree / "train/man/aa").glob("?????a.wav"))
    digits = file.stem[:-1]
    other = next(digit for digit in "36914" if digit not in digits)
    longer = file.with_name(f"{digits[:2]}{other}{digits[2:]}a.wav")
    file.rename(longer)
    recordings, skipped, segments, _ = run(tree, "hmm")
    assert_nothing_lost(tree, recordings, skipped, segments)
    assert len(skipped) == 0
    name = f"tidigits/train/man/aa/{longer.stem}"
    cuts = [row for row in segments.to_pylist() if row["recording"] == name]
    assert [row["digit"] for row in cuts] == list(longer.stem[:-1])
    assert any(f"sounds more like '{digits}'" in row["doubtful"] for row in cuts)
    # Control: of the strings that are right, few are doubtful.
    others = [row for row in segments.to_pylist() if row["recording"] != name]
    assert np.mean([row["doubtful"] != "" for row in others]) < 0.1


@pytest.mark.parametrize("hz", [8_000, 16_000])
def test_a_copy_at_another_rate_is_used(tree, hz):
    """Control of the rates that are refused: public copies are often resampled."""
    samples, own = sphere.read_audio(tree / FILE)
    copy = resample(samples, own, hz)
    soundfile.write(tree / FILE, copy, hz, "PCM_16", format="NIST")
    recordings, skipped, segments, waves = run(tree)
    assert_nothing_lost(tree, recordings, skipped, segments)
    assert len(skipped) == 0
    wave, rate = waves("tidigits/train/man/aa/3a")
    assert len(wave) / rate == pytest.approx(len(samples) / own, abs=1e-3)


def test_whole_shorten_data_declared_as_pcm_are_decoded(tree, shared):
    shutil.copy(shared("reference/sphere/v2_10_pcm.wav"), tree / FILE)
    truth, _ = soundfile.read(shared("reference/sphere/truth_3_george_0.wav"), dtype="float32")
    recordings, skipped, segments, waves = run(tree)
    assert_nothing_lost(tree, recordings, skipped, segments)
    assert len(skipped) == 0
    wave, _ = waves("tidigits/train/man/aa/3a")
    np.testing.assert_allclose(wave, resample(truth, 20_000, RATE), atol=1e-4)


def test_digital_silence_is_doubtful(tree):
    samples, hz = sphere.read(tree / FILE)
    soundfile.write(tree / FILE, 0 * samples, hz, "PCM_16", format="NIST")
    recordings, skipped, segments, _ = run(tree, "hmm")
    assert_nothing_lost(tree, recordings, skipped, segments)
    (row,) = [r for r in segments.to_pylist() if r["recording"] == "tidigits/train/man/aa/3a"]
    assert row["doubtful"] == "digital silence" and len(skipped) == 0


def test_a_good_tree(tree):
    """Control: nothing is skipped and hardly anything is doubtful where nothing is wrong."""
    recordings, skipped, segments, _ = run(tree, "hmm")
    assert_nothing_lost(tree, recordings, skipped, segments)
    assert len(skipped) == 0 and len(recordings) == len(list(files_below(tree)))
    assert np.mean([reason != "" for reason in segments["doubtful"].to_pylist()]) < 0.1
