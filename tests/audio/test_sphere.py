"""Reading audio: all forms of SPHERE, other formats, and all kinds of faulty files."""

import contextlib
import os
import shutil
import struct
import sys
import types

import numpy as np
import pytest
import soundfile

from ima.audio import sphere
from ima.utils.errors import InputError

SAMPLES = np.array([0, 1, -1, 258, -32768, 32767, 1000], dtype=np.int16)
FIELDS = {
    "channel_count": "-i 1",
    "sample_count": f"-i {len(SAMPLES)}",
    "sample_rate": "-i 20000",
    "sample_n_bytes": "-i 2",
    "sample_byte_format": "-s2 01",
    "sample_coding": "-s3 pcm",
}
#: One sample each, from ITU-T G.711: zero, a small step, and the largest of each sign.
ULAW = {0xFF: 0, 0xFE: 8, 0x7E: -8, 0x80: 32124, 0x00: -32124}
ALAW = {0xD5: 8, 0x55: -8, 0xAA: 32256, 0x2A: -32256}


def write(path, data=None, size=1024, end="end_head\n", **changes):
    """Write a SPHERE file; a change to None omits the field."""
    fields = {k: v for k, v in {**FIELDS, **changes}.items() if v is not None}
    lines = ["NIST_1A", f"{size:7d}", *(f"{name} {value}" for name, value in fields.items()), end]
    data = SAMPLES.astype("<i2").tobytes() if data is None else data
    path.write_bytes("\n".join(lines).encode().ljust(size) + data)
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "1a.wav"


@pytest.mark.parametrize(("order", "type_"), [("01", "<i2"), ("10", ">i2")])
@pytest.mark.parametrize("size", [1024, 2048])
def test_reads_pcm_of_both_byte_orders_and_any_header_length(file, order, type_, size):
    data = SAMPLES.astype(type_).tobytes()
    write(file, data, size=size, sample_byte_format=f"-s2 {order}")
    samples, rate = sphere.read(file)
    assert samples.dtype == np.int16 and samples.tolist() == SAMPLES.tolist()
    assert rate == 20000


def test_wrong_byte_order_changes_the_samples(file):
    write(file, SAMPLES.astype(">i2").tobytes())  # says 01
    assert sphere.read(file)[0].tolist() != SAMPLES.tolist()
    assert sphere.read(file)[0][1] == 256  # 00 01 read as little-endian


@pytest.mark.parametrize(
    ("coding", "table"), [("ulaw", ULAW), ("mu-law", ULAW), ("alaw", ALAW), ("a-law", ALAW)]
)
def test_reads_companded_data(file, coding, table):
    write(
        file,
        bytes(table),
        sample_coding=f"-s{len(coding)} {coding}",
        sample_n_bytes="-i 1",
        sample_byte_format="-s1 1",
        sample_count=f"-i {len(table)}",
    )
    assert sphere.read(file)[0].tolist() == list(table.values())


@pytest.mark.parametrize("endian", ["LITTLE", "BIG"])
@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24", "PCM_32", "ULAW", "ALAW"])
def test_reads_nist_files_as_libsndfile_does(file, subtype, endian):
    signal = np.sin(np.arange(500) / 9) * 0.9
    soundfile.write(file, signal, 12500, format="NIST", subtype=subtype, endian=endian)
    expected, _ = soundfile.read(file, dtype="float32")
    samples, rate = sphere.read_audio(file)
    assert rate == 12500 and samples.dtype == np.float32
    np.testing.assert_array_equal(samples, expected)
    assert np.abs(samples - signal).max() < 0.04  # and it is the signal, not noise


def test_stereo_needs_a_channel(file):
    write(
        file, np.array([1, -1, 2, -2], "<i2").tobytes(), channel_count="-i 2", sample_count="-i 2"
    )
    with pytest.raises(InputError, match="found 2 channels"):
        sphere.read(file)
    with pytest.raises(InputError, match="found 2 channels"):
        sphere.read_audio(file)
    assert sphere.read(file, channel=0)[0].tolist() == [1, 2]
    assert sphere.read(file, channel=1)[0].tolist() == [-1, -2]
    with pytest.raises(InputError, match="from 0 to 1, found channel 2"):
        sphere.read(file, channel=2)


def test_header_fields_have_their_declared_types(file):
    write(
        file,
        database_id="-s8 TIDIGITS",
        speaker="-s9 two words and more",
        gain="-r -1.5",
        remark="-s0",
        sample_rate="-r 12500.0",
    )
    header = sphere.read_header(file)
    assert header["database_id"] == "TIDIGITS"
    assert header["speaker"] == "two words"
    assert header["gain"] == -1.5
    assert header["remark"] == ""
    assert header["sample_count"] == 7 and isinstance(header["sample_count"], int)
    assert sphere.read(file)[1] == 12500


def test_header_comments_are_skipped(file):
    write(file, **{"; a comment": "about nothing"})
    assert set(sphere.read_header(file)) == set(FIELDS)


def test_missing_coding_means_pcm(file):
    assert sphere.read(write(file, sample_coding=None))[0].tolist() == SAMPLES.tolist()


@pytest.mark.parametrize(
    "name", ["channel_count", "sample_count", "sample_rate", "sample_n_bytes", "sample_byte_format"]
)
def test_missing_header_field_is_named(file, name):
    with pytest.raises(InputError, match=f"1a.wav: expected the field '{name}'"):
        sphere.read(write(file, **{name: None}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sample_count": "-i 0"}, "positive integer 'sample_count', found 0"),
        ({"sample_count": "-i seven"}, "line 'sample_count -i seven'"),
        ({"sample_count": "-s1 x"}, "positive integer 'sample_count', found 'x'"),
        ({"sample_rate": "-r nan"}, "positive integer 'sample_rate', found nan"),
        ({"sample_rate": "-r inf"}, "positive integer 'sample_rate', found inf"),
        ({"sample_rate": "-r 0.5"}, "positive integer 'sample_rate', found 0.5"),
        ({"channel_count": "-i -1"}, "positive integer 'channel_count', found -1"),
        ({"sample_byte_format": "-s2 11"}, "sample_byte_format 01 or 10, found '11'"),
        ({"sample_byte_format": "-s4 0123"}, "sample_byte_format 01 or 10, found '0123'"),
        ({"sample_coding": "-s3 mp3"}, "sample_coding 'mp3', 2 byte"),
        ({"sample_n_bytes": "-i 8"}, "sample_coding 'pcm', 8 byte"),
        ({"sample_coding": "-s4 ulaw"}, "sample_coding 'ulaw', 2 byte"),
        ({"sample_coding": "-s26 pcm,embedded-wavpack-v1.00"}, "embedded-wavpack"),
        ({"sample_coding": "-s26 pcm,embedded-shorten-v2.00"}, "embedded-shorten"),
        ({"nonsense": "17"}, "line 'nonsense 17'"),
        ({"size": 512, "end": ""}, "'end_head' in its header, found none in 512"),
    ],
)
def test_malformed_headers_are_explained(file, change, message):
    with pytest.raises(InputError, match=message) as caught:
        sphere.read(write(file, **change))
    assert str(file) in str(caught.value)


def test_truncated_file_is_rejected(file):
    write(file, SAMPLES.astype("<i2").tobytes()[:-2])
    # The check is needed because libsndfile raises no error.
    assert len(soundfile.read(file, dtype="int16")[0]) == len(SAMPLES) - 1
    with pytest.raises(InputError, match="14 bytes of samples, as its header says, found 12"):
        sphere.read(file)


def test_excess_data_are_rejected(file):
    whole = SAMPLES.astype("<i2").tobytes()
    assert sphere.read(write(file, whole + bytes(6)))[0].tolist() == SAMPLES.tolist()  # padding
    with pytest.raises(InputError, match="14 bytes of samples, as its header says, found 28"):
        sphere.read(write(file, whole + whole))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "found an empty file"),
        (b"NIST_1A\n", "second line is its length"),
        (b"NIST_1A\n   abcd\nend_head\n", "second line is its length"),
        (b"NIST_1A\n   1024\nend_head\n", "found '1024' in a file of 25 bytes"),
        (b"RIFF1234", "a NIST SPHERE file, found a file that starts with b'RIFF1234'"),
    ],
)
def test_read_rejects_other_files(file, raw, message):
    file.write_bytes(raw)
    with pytest.raises(InputError, match=message):
        sphere.read(file)
    with pytest.raises(InputError, match=message):
        sphere.read_header(file)


def test_missing_file_is_reported(file):
    for read in (sphere.read, sphere.read_header, sphere.read_audio):
        with pytest.raises(InputError, match=r"1a\.wav: .*found No such file"):
            read(file)


# Shorten-compressed data


def shorten(samples, version=2):
    """Compress 16-bit samples: one block of differences to zero, as shorten 2.00 lays it out."""

    def unsigned(value, k):  # Rice code: value >> k zeros, a one, the k low bits
        return "0" * (value >> k) + "1" + (f"{value % 2**k:0{k}b}" if k else "")

    def number(value):  # how many bits, then the value in as many
        return unsigned(value.bit_length(), 2) + unsigned(value, value.bit_length())

    bits = "".join(number(n) for n in (5, 1, len(samples), 0, 0, 0))  # little-endian, one channel
    bits += unsigned(0, 2) + unsigned(7, 3)  # DIFF0, 8-bit residuals
    bits += "".join(unsigned(2 * n if n >= 0 else -2 * n - 1, 8) for n in samples)
    bits += unsigned(4, 2)  # QUIT
    bits += "0" * (-len(bits) % 8)
    packed = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    return b"ajkg" + bytes([version]) + packed


CODINGS = [None, "-s3 pcm", "-s26 pcm,embedded-shorten-v2.00", "-s26 pcm,embedded-shorten-v1.09"]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("order", ["01", "10"])
def test_shorten_decodes_a_hand_made_file(file, no_decoders, coding, order):
    """The coding and byte order in the header do not apply to compressed data."""
    values = [0, 1, -1, 127, -128, 1000, -30000]
    write(file, shorten(values), sample_coding=coding, sample_byte_format=f"-s2 {order}")
    assert sphere.read(file)[0].tolist() == values
    assert sphere.read_audio(file)[0].tolist() == [value / 32768 for value in values]
    # The same bytes labelled as version 1 are rejected, not guessed at.
    write(file, shorten(values, version=1), sample_coding=coding)
    with pytest.raises(InputError, match="shorten format version 1"):
        sphere.read(file)


def test_libsndfile_reads_mislabelled_shorten_as_noise(file):
    """Only the data themselves reveal the compression."""
    write(file, shorten([0] * 7) + bytes(range(100)))
    assert soundfile.read(file, dtype="int16")[0].any()


V2 = [
    *(f"v2_{o}_{c}" for o in ("01", "10") for c in ("pcm", "pcm-embedded-shorten-v2.00")),
    *(f"v2_{o}_pcm-embedded-shorten-v1.09" for o in ("01", "10")),
    "nocoding",
]
V1 = [name.replace("v2_", "v1_", 1) for name in V2[:-1]]


@pytest.fixture
def truth(shared):
    return soundfile.read(shared("reference/sphere/truth_3_george_0.wav"), dtype="int16")[0]


@pytest.fixture
def no_decoders(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "av", None)  # as if it were not installed
    empty = tmp_path / "bin"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    return empty


@pytest.mark.parametrize("name", V2)
def test_shorten_is_decoded_despite_a_wrong_header(shared, truth, no_decoders, name):
    path = shared(f"reference/sphere/{name}.wav")
    samples, rate = sphere.read(path)
    assert samples.dtype == np.int16 and rate == 20000
    np.testing.assert_array_equal(samples, truth)
    samples, rate = sphere.read_audio(path)
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(samples * 32768, truth)


@pytest.mark.parametrize("name", V1)
def test_shorten_1_without_a_decoder_is_explained(shared, no_decoders, name):
    path = shared(f"reference/sphere/{name}.wav")
    with pytest.raises(InputError, match=r"shorten format version 1.*install the package av"):
        sphere.read(path)


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not on PATH")
@pytest.mark.parametrize("name", V1)
def test_ffmpeg_decodes_shorten_1(shared, truth, name):
    np.testing.assert_array_equal(sphere.read(shared(f"reference/sphere/{name}.wav"))[0], truth)


@pytest.mark.parametrize("name", V1)
def test_av_decodes_shorten_1(shared, truth, name):
    pytest.importorskip("av")
    np.testing.assert_array_equal(sphere.read(shared(f"reference/sphere/{name}.wav"))[0], truth)


class Av(types.ModuleType):
    """Replaces PyAV: decodes anything to two blocks, or to an error."""

    class FFmpegError(ValueError):
        pass

    def __init__(self, *blocks):
        super().__init__("av")
        self.blocks = blocks

    @contextlib.contextmanager
    def open(self, file, format):
        assert format == "nistsphere" and file.read().startswith(b"NIST_1A")
        yield self

    def decode(self, audio):
        if not self.blocks:
            raise self.FFmpegError("invalid data")
        return [types.SimpleNamespace(to_ndarray=lambda block=b: block) for b in self.blocks]


def test_av_is_used_if_it_is_installed(file, no_decoders, monkeypatch):
    write(file, shorten(list(range(7)), version=1))
    blocks = np.array([[0, 1, 2, 3]], np.int16), np.array([[4, 5, 6]], np.int16)
    monkeypatch.setitem(sys.modules, "av", Av(*blocks))
    assert sphere.read(file)[0].tolist() == list(range(7))
    monkeypatch.setitem(sys.modules, "av", Av(blocks[0]))  # it stops early
    with pytest.raises(InputError, match="7 samples of 1 channel"):
        sphere.read(file)
    for cannot in (Av(), Av(*(block.astype(np.float32) for block in blocks))):
        monkeypatch.setitem(sys.modules, "av", cannot)
        with pytest.raises(InputError, match="shorten format version 1"):
            sphere.read(file)


def script(folder, name, body):
    program = folder / name
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo broken >&2; exit 3", r"exit status 3 \(broken\)"),
        ("exit 0", "sph2pipe decodes, found"),  # success, but nothing written
    ],
)
def test_failing_external_decoder_is_an_error(shared, no_decoders, body, message):
    script(no_decoders, "sph2pipe", body)
    with pytest.raises(InputError, match=message):
        sphere.read(shared(f"reference/sphere/{V1[0]}.wav"))


def test_samples_of_an_external_decoder_are_counted(shared, no_decoders, truth, tmp_path):
    fixture = shared(f"reference/sphere/{V1[0]}.wav")
    # Replaces an installed program: it receives a corrected header and returns a prepared file.
    copy = f'{shutil.which("cp", path=os.defpath)} "{tmp_path}/ready.wav" "$5"'
    script(no_decoders, "sph2pipe", copy)
    soundfile.write(tmp_path / "ready.wav", truth, 20000)
    np.testing.assert_array_equal(sphere.read(fixture)[0], truth)
    soundfile.write(tmp_path / "ready.wav", truth[:-1], 20000)
    with pytest.raises(InputError, match=r"expected 3979 samples of 1 .* found 3978 of 1"):
        sphere.read(fixture)


def test_external_decoder_gets_a_corrected_header(shared, no_decoders, truth, tmp_path):
    cp = shutil.which("cp", path=os.defpath)
    soundfile.write(tmp_path / "ready.wav", truth, 20000)
    keep = f'{cp} "$4" "{tmp_path}/seen.sph"; {cp} "{tmp_path}/ready.wav" "$5"'
    script(no_decoders, "sph2pipe", keep)
    sphere.read(shared("reference/sphere/v1_10_pcm.wav"))
    seen = sphere.read_header(tmp_path / "seen.sph")
    assert seen["sample_coding"] == "pcm,embedded-shorten-v2.00"
    assert seen["sample_count"] == 3979
    raw, fixture = (tmp_path / "seen.sph"), shared("reference/sphere/v1_10_pcm.wav")
    assert raw.read_bytes()[1024:] == fixture.read_bytes()[1024:]


def test_truncated_shorten_data_are_rejected(shared, no_decoders, file):
    whole = shared("reference/sphere/v2_01_pcm.wav").read_bytes()
    file.write_bytes(whole[:4000])
    with pytest.raises(InputError, match="desphere says: truncated"):
        sphere.read(file)


def test_shorten_data_with_too_few_samples_are_rejected(shared, no_decoders, file):
    whole = shared("reference/sphere/v2_01_pcm.wav").read_bytes()
    file.write_bytes(whole.replace(b"sample_count -i 3979", b"sample_count -i 4979"))
    with pytest.raises(InputError, match="header declares 4979"):
        sphere.read(file)


def test_magic_bytes_alone_are_not_read_as_pcm(file, no_decoders):
    """PCM that happens to start with these bytes is rejected, not guessed at."""
    data = b"ajkg" + bytes(10)
    with pytest.raises(InputError, match="shorten format version 0"):
        sphere.read(write(file, data))
    with pytest.raises(InputError, match="shorten format version -1"):
        sphere.read(write(file, b"ajkg", sample_count="-i 2"))


def test_reads_other_sphere_fixtures(shared):
    samples, rate = sphere.read_audio(shared("reference/sphere/example3.sph"))
    assert samples.shape == (46242,) and rate == 16000
    assert samples[0] == -256 / 32768  # 8-bit ff is -1, times 256
    left, _ = sphere.read(shared("reference/sphere/stereo.sph"), channel=0)
    right, _ = sphere.read(shared("reference/sphere/stereo.sph"), channel=1)
    assert left[:2].tolist() == [8000, 8001] and right[:2].tolist() == [16000, 16001]


# Other formats


@pytest.mark.parametrize("format_", ["WAV", "FLAC", "AIFF", "AU"])
def test_other_formats_are_detected_by_content(file, format_):
    soundfile.write(file, SAMPLES, 8000, format=format_, subtype="PCM_16")
    samples, rate = sphere.read_audio(file)
    assert rate == 8000 and samples.dtype == np.float32
    assert samples.tolist() == (SAMPLES / 32768).tolist()  # exact: 1/32768 is a power of two


def test_sphere_is_detected_by_content(tmp_path):
    path = write(tmp_path / "1a.flac")
    assert sphere.read_audio(path)[0].tolist() == (SAMPLES / 32768).tolist()


def test_channels_with_the_same_samples_are_one(file):
    signal = np.array([0.0, 0.25, -0.5])
    soundfile.write(file, np.stack([signal, signal], 1), 48_000)
    samples, rate = sphere.read_audio(file)
    assert samples.tolist() == signal.tolist() and rate == 48_000
    soundfile.write(file, np.stack([signal, signal + 2**-15], 1), 48_000)
    with pytest.raises(InputError, match="one channel, found 2 channels"):
        sphere.read_audio(file)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.arange(10).reshape(5, 2) / 10, "one channel, found 2 channels"),
        (np.zeros(0), "at least one sample, found none"),
        (np.array([0.0, np.nan, np.nan]), "2 NaN or infinite"),
        (np.array([0.0, np.inf]), "1 NaN or infinite"),
        (np.array([0.0, -1.5]), "a peak of 1.5"),
    ],
)
def test_invalid_samples_are_rejected(file, samples, message):
    soundfile.write(file, samples, 8000, subtype="FLOAT")
    with pytest.raises(InputError, match=rf"1a\.wav: .*{message}"):
        sphere.read_audio(file)


def test_full_scale_samples_are_accepted(file):
    soundfile.write(file, np.array([1.0, -1.0]), 8000, subtype="FLOAT")
    assert sphere.read_audio(file)[0].tolist() == [1.0, -1.0]


def test_truncated_wav_is_rejected(file):
    soundfile.write(file, SAMPLES, 8000)
    file.write_bytes(file.read_bytes()[:-4])
    assert len(soundfile.read(file)[0]) == len(SAMPLES) - 2  # libsndfile raises no error
    with pytest.raises(InputError, match="14 bytes of samples, as its header says, found 10"):
        sphere.read_audio(file)


def test_wav_with_placeholder_length_is_read(file):
    """A program that writes to a pipe cannot go back to fill in the length."""
    soundfile.write(file, SAMPLES, 8000)
    raw = bytearray(file.read_bytes())
    at = raw.index(b"data")
    raw[at + 4 : at + 8] = struct.pack("<I", 0xFFFFFFFF)
    file.write_bytes(raw)
    assert len(sphere.read_audio(file)[0]) == len(SAMPLES)


@pytest.mark.parametrize("raw", [b"not audio at all" * 99, b"RIFF\0\0\0\0WAVE"])
def test_other_files_are_rejected(file, raw):
    file.write_bytes(raw)
    with pytest.raises(InputError, match=r"expected audio: SPHERE, .*something else"):
        sphere.read_audio(file)


def test_mp3_is_rejected(file):
    try:
        soundfile.write(file, np.zeros(2000), 16000, format="MP3", subtype="MPEG_LAYER_III")
    except (soundfile.SoundFileError, ValueError):
        pytest.skip("this libsndfile does not write MP3")
    with pytest.raises(InputError, match=r"expected audio: SPHERE, .*found MPEG"):
        sphere.read_audio(file)


def test_empty_file_is_rejected(file):
    file.touch()
    with pytest.raises(InputError, match="found an empty file"):
        sphere.read_audio(file)


def test_folder_is_rejected(tmp_path):
    with pytest.raises(InputError, match="Is a directory"):
        sphere.read_audio(tmp_path)
