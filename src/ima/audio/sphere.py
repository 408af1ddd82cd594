"""Read audio: NIST SPHERE in all forms used on the LDC discs, and other formats with soundfile.

SPHERE data may be compressed with shorten although the header declares plain PCM. libsndfile then
returns noise without an error. Compression is therefore detected from the data (which start with
`ajkg`), not from the header's `sample_coding`, and every read is checked against `sample_count`.
"""

import io
import struct
from pathlib import Path

import numpy as np
import soundfile

from ima.audio import shorten
from ima.utils.errors import InputError
from ima.utils.trees import is_special

MAGIC = b"NIST_1A"

#: (sample_coding, sample_n_bytes) -> libsndfile's subtype.
_SUBTYPES = {
    ("pcm", 1): "PCM_S8",
    ("pcm", 2): "PCM_16",
    ("pcm", 3): "PCM_24",
    ("pcm", 4): "PCM_32",
    ("ulaw", 1): "ULAW",
    ("alaw", 1): "ALAW",
}
_ALIASES = {"mu-law": "ulaw", "mulaw": "ulaw", "a-law": "alaw"}
#: sample_byte_format -> byte order; for wider samples it lists all their bytes.
_ENDIAN = {
    **dict.fromkeys(("01", "012", "0123"), "LITTLE"),
    **dict.fromkeys(("10", "210", "3210"), "BIG"),
}

#: Accepted libsndfile formats. Others, such as MP3, have such weak signatures that arbitrary bytes
#: could pass as audio.
_FORMATS = frozenset({"WAV", "WAVEX", "RF64", "W64", "FLAC", "AIFF", "AU", "CAF", "OGG"})
#: Largest sample of full scale 1: resampled or decoded floating-point audio may exceed it a little.
MAX_PEAK = 1.25
#: libsndfile reports at least this many samples if the header does not state their number.
_UNKNOWN_LENGTH = 1 << 40
#: Maximum number of channels that libsndfile reads.
_MAX_CHANNELS = 1024
#: Number of samples read at a time.
_BLOCK = 1 << 20
#: Maximum number of samples of all channels: 4.7 h at 16 kHz. Silence may be packed in few bytes.
MAX_SAMPLES = 1 << 28


def read_audio(path: str | Path, dtype: str = "float32") -> tuple[np.ndarray, int]:
    """Read a single-channel audio file; its format is detected from its content.

    Several channels with the same samples, as in a few recordings of RAVDESS, count as one.

    Args:
        path: a SPHERE file or a file that libsndfile reads (wav, flac, ...), with any extension.
        dtype: float32 or float64.

    Returns:
        Samples (n,) of full scale 1 (16-bit samples are divided by 32,768), and the sampling
        rate in Hz.

    Raises:
        InputError: the file is not audio, is truncated, has several channels or no samples,
            contains NaN, infinity or values beyond `MAX_PEAK`; or an error of `read`.
    """
    path = Path(path)
    raw = _bytes(path)
    if raw.startswith(MAGIC):
        samples, rate = _read_sphere(path, raw, channel=None)
        if samples.dtype == np.int16:
            samples = samples.astype(np.float32) / np.float32(32768)
        samples = samples.astype(dtype, copy=False)
    else:
        samples, rate = _read_by_soundfile(path, raw, dtype)
    _check_samples(path, samples)
    return samples, rate


def read(path: str | Path, channel: int | None = None) -> tuple[np.ndarray, int]:
    """Read a SPHERE file: PCM, mu-law or A-law, plain or shorten-compressed.

    Args:
        path: the file.
        channel: the 0-based channel to read; required if the file has several.

    Returns:
        Samples (n,), n = `sample_count`, and the sampling rate in Hz. Samples are int16 for 8-bit
        and 16-bit data (8-bit PCM times 256) and float32 in [-1, 1] for 24-bit and 32-bit data.

    Raises:
        InputError: the file is not SPHERE; the header is truncated, lacks a field or contradicts
            the data; the coding is not supported; or the file has several channels and `channel`
            is None.
    """
    path = Path(path)
    return _read_sphere(path, _bytes(path), channel)


def _read_sphere(path: Path, raw: bytes, channel: int | None) -> tuple[np.ndarray, int]:
    fields, size = _parse(raw, path)
    data = raw[size:]
    count, rate, channels = (
        _positive(fields, name, path) for name in ("sample_count", "sample_rate", "channel_count")
    )
    _check_channel(path, channels, channel)
    if count * channels > MAX_SAMPLES:
        raise _too_long(path)
    if data.startswith(shorten.MAGIC):
        samples = shorten.decode(path, data, _coding(fields)[0], count, rate, channels)
    else:
        samples = _read_plain(path, fields, data, count, rate, channels)
    if samples.shape != (count, channels):
        found = f"{samples.shape[0]} of {samples.shape[1]}"
        raise _damaged(path, f"{count} samples of {channels} channel(s)", found)
    return np.ascontiguousarray(samples[:, channel or 0]), rate


def read_header(path: str | Path) -> dict[str, int | float | str]:
    """Return the fields of a SPHERE header by name, as int (-i), float (-r) or str (-sN).

    Raises:
        InputError: the file is not SPHERE, or the header is truncated or malformed.
    """
    path = Path(path)
    return _parse(_bytes(path), path)[0]


def _bytes(path: Path) -> bytes:
    if is_special(path):
        raise InputError(path, expected="a readable audio file", found="a pipe or device")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(path, expected="a readable audio file", found=error.strerror) from error
    if not raw:
        do = "Copy it again from its source."
        raise InputError(path, expected="an audio file", found="an empty file", do=do)
    return raw


def _too_long(path: Path) -> InputError:
    return InputError(path, expected=f"at most {MAX_SAMPLES:,} samples", found="more")


def _damaged(path: Path, declared: str, found: object) -> InputError:
    """Return the error for a file whose content does not match its header."""
    return InputError(
        path,
        expected=f"{declared}, as its header says",
        found=found,
        do="The file is truncated or damaged: copy it again from its source.",
    )


def _parse(raw: bytes, path: Path) -> tuple[dict, int]:
    """Return the header's fields and its length in bytes, which is stated on its second line."""
    if not raw.startswith(MAGIC):
        found = f"a file that starts with {raw[:8]!r}"
        raise InputError(path, expected="a NIST SPHERE file", found=found)
    lines = raw[:64].split(b"\n", 2)
    digits = lines[1].strip() if len(lines) > 2 else b""
    if not digits.isdigit() or int(digits) > len(raw):
        raise InputError(
            path,
            expected="a SPHERE header whose second line is its length in bytes",
            found=f"{digits.decode('latin-1')!r} in a file of {len(raw)} bytes",
        )
    size = int(digits)
    fields = {}
    for line in raw[:size].decode("latin-1").split("\n")[2:]:
        if line.strip() == "end_head":
            return fields, size
        if line.strip() and not line.startswith(";"):
            name, value = _field(line, path)
            fields[name] = value
    raise InputError(path, expected="'end_head' in its header", found=f"none in {size} bytes")


def _field(line: str, path: Path) -> tuple[str, int | float | str]:
    """Parse one header line `name -type value`."""
    name, kind, value = [*line.split(None, 2), "", "", ""][:3]
    try:
        if kind == "-i":
            return name, int(value.split()[0])
        if kind == "-r":
            return name, float(value.split()[0])
        if kind.startswith("-s"):
            return name, value[: int(kind[2:])].strip()
    except (ValueError, IndexError):
        pass  # reported below, like any other malformed line
    raise InputError(
        path, expected="header lines 'name -i|-r|-sN value'", found=f"the line {line.strip()!r}"
    )


def _required(fields: dict, name: str, path: Path) -> int | float | str:
    if name not in fields:
        raise InputError(
            path, expected=f"the field '{name}' in its header", found=f"{sorted(fields)}"
        )
    return fields[name]


def _positive(fields: dict, name: str, path: Path) -> int:
    value = _required(fields, name, path)
    # Some tools write the rate as a real number (-r 12500.0); libsndfile writes widths as text
    # (-s1 1).
    if isinstance(value, str) and value.isdecimal() and len(value) < 100:
        value = int(value)
    if isinstance(value, str) or not 1 <= value < 1 << 31 or not float(value).is_integer():
        raise InputError(path, expected=f"a positive integer '{name}'", found=repr(value))
    return int(value)


def _check_channel(path: Path, channels: int, channel: int | None) -> None:
    if channels > _MAX_CHANNELS:
        raise InputError(path, expected=f"up to {_MAX_CHANNELS} channels", found=channels)
    if channel is None and channels > 1:
        do = "Choose one (channel=0 is the first), or provide a single-channel file."
        raise InputError(path, expected="one channel", found=f"{channels} channels", do=do)
    if channel is not None and not 0 <= channel < channels:
        raise InputError(
            path, expected=f"a channel from 0 to {channels - 1}", found=f"channel {channel}"
        )


def _coding(fields: dict) -> tuple[str, str]:
    """Return the coding of the samples (pcm by default) and the compression."""
    base, _, compression = str(fields.get("sample_coding", "pcm")).lower().partition(",")
    return _ALIASES.get(base.strip(), base.strip()), compression.strip()


def _read_plain(
    path: Path, fields: dict, data: bytes, count: int, rate: int, channels: int
) -> np.ndarray:
    """Decode uncompressed data to (n, channels)."""
    coding, compression = _coding(fields)
    width = _positive(fields, "sample_n_bytes", path)
    subtype = _SUBTYPES.get((coding, width))
    if compression or subtype is None:
        raise InputError(
            path,
            expected="pcm of 1-4 bytes, or ulaw or alaw of 1 byte, plain or shorten-compressed",
            found=f"sample_coding '{fields.get('sample_coding')}', {width} byte(s), "
            f"data that start with {data[:4]!r}",
            do="Convert it to wav with NIST's w_decode or with sph2pipe.",
        )
    endian = "FILE"
    if width > 1:
        order = str(_required(fields, "sample_byte_format", path))
        endian = _ENDIAN.get(order)
        if endian is None or len(order) not in (2, width):
            raise InputError(path, expected="sample_byte_format 01 or 10", found=repr(order))
    _check_length(path, data, count * channels * width)
    data = data[: count * channels * width]
    samples, _ = soundfile.read(
        io.BytesIO(data),
        dtype="float32" if width > 2 else "int16",
        always_2d=True,
        format="RAW",
        subtype=subtype,
        endian=endian,
        samplerate=rate,
        channels=channels,
    )
    return samples


def _check_length(path: Path, data: bytes, expected: int) -> None:
    """Raise InputError if there are fewer bytes than declared, or more that are not all zero.

    Excess data mean that the header does not describe them; decoded as declared, they could be
    noise.
    """
    if len(data) < expected or data[expected:].strip(b"\0"):
        raise _damaged(path, f"{expected} bytes of samples", len(data))


def _read_by_soundfile(path: Path, raw: bytes, dtype: str) -> tuple[np.ndarray, int]:
    """Read one channel (n,), or several with the same samples; libsndfile detects the format."""
    raw = _check_sizes(path, raw)
    expected = f"audio: SPHERE, {', '.join(sorted(_FORMATS))}"
    try:
        with soundfile.SoundFile(io.BytesIO(raw)) as file:
            if file.format not in _FORMATS:
                raise InputError(path, expected=expected, found=file.format_info)
            rate, frames, samples = file.samplerate, len(file), _blocks(path, file, dtype)
            if file.channels != 1 and (samples != samples[:, :1]).any():
                found, do = f"{file.channels} channels", "Save the channel to use as its own file."
                raise InputError(path, expected="one channel", found=found, do=do)
    except InputError:
        raise
    except Exception as error:  # soundfile raises errors of many types for rare codecs
        reason = getattr(error, "error_string", error)  # omits the meaningless buffer name
        raise InputError(path, expected=expected, found=f"something else ({reason})") from error
    if len(samples) != frames and frames < _UNKNOWN_LENGTH:
        raise _damaged(path, f"{frames} samples", len(samples))
    return samples[:, 0], rate


def _blocks(path: Path, file: soundfile.SoundFile, dtype: str) -> np.ndarray:
    """Read (n, channels) to the end; some codecs (GSM) and headers do not know where that is."""
    file.seekable = lambda: False  # soundfile would seek to where it is, which can fail
    blocks, most = [np.zeros((0, file.channels), dtype)], MAX_SAMPLES // file.channels
    frames = _BLOCK // file.channels
    while len(block := file.read(frames=frames, dtype=dtype, always_2d=True)):
        blocks.append(block)
        if sum(map(len, blocks)) > most:
            raise _too_long(path)
    return np.concatenate(blocks)


def _check_sizes(path: Path, raw: bytes) -> bytes:
    """Return a file of chunks (wav, RF64, AIFF) or AU whose data are as long as declared.

    libsndfile accepts shorter data. A recorder that was interrupted leaves a size of 0, which is
    replaced here by the real one.

    Raises:
        InputError: the data are shorter than declared.
    """
    if raw[:4] == b".snd":
        at, order, size = 0, ">", struct.unpack_from(">I", raw.ljust(12, b"\0"), 8)[0]
        available = max(len(raw) - struct.unpack_from(">I", raw.ljust(8, b"\0"), 4)[0], 0)
    else:
        at, order, size = _data_chunk(raw)
        available = len(raw) - at - 8 if at else 0
    # Programs that write to a pipe leave a placeholder size of 2 GiB or more.
    if available < size < 0x7FFF0000:
        raise _damaged(path, f"{size} bytes of samples", available)
    if (
        at
        and size == 0
        and available
        and struct.unpack_from(f"{order}I", raw, 4)[0] != len(raw) - 8
    ):
        return raw[: at + 4] + struct.pack(f"{order}I", available) + raw[at + 8 :]
    return raw


def _data_chunk(raw: bytes) -> tuple[int, str, int]:
    """Return the place of the chunk of samples (0 for none), the byte order and the size."""
    kind = raw[:4], raw[8:12]
    order = {b"RIFF": "<", b"RF64": "<", b"FORM": ">"}.get(kind[0])
    if order is None or kind[1] not in (b"WAVE", b"AIFF", b"AIFC"):
        return 0, "<", 0
    at, long_size = 12, None
    while at + 8 <= len(raw):
        name, size = struct.unpack_from(f"{order}4sI", raw, at)
        if name == b"ds64" and at + 24 <= len(raw):
            long_size = struct.unpack_from("<Q", raw, at + 16)[0]
        if name in (b"data", b"SSND"):
            return at, order, size if long_size is None else long_size
        at += 8 + size + size % 2
    return 0, "<", 0


def _check_samples(path: Path, samples: np.ndarray) -> None:
    if not samples.size:
        raise InputError(path, expected="at least one sample", found="none")
    if not np.isfinite(samples).all():
        bad = int((~np.isfinite(samples)).sum())
        raise InputError(path, expected="finite samples", found=f"{bad} NaN or infinite")
    peak = float(np.abs(samples).max())
    if peak > MAX_PEAK:
        do = "Rescale the samples, or save them as 16-bit integers."
        raise InputError(path, expected="samples in [-1, 1]", found=f"a peak of {peak:g}", do=do)
