"""Decode shorten-compressed SPHERE data: 2.00 with desphere, 1.x with PyAV or external programs.

Decoders choose a method by the header's `sample_coding`, but headers on the LDC discs may declare
compressed data as plain PCM. Every decoder therefore receives a corrected header.
"""

import io
import logging
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from desphere import DesphereError, transcode_bytes

from ima.utils.errors import InputError

logger = logging.getLogger(__name__)

#: The first bytes of shorten-compressed data.
MAGIC = b"ajkg"

#: Time limit, in s, for an external decoder to decode one file.
_TIMEOUT_S = 60


def decode(
    path: Path, data: bytes, coding: str, count: int, rate: int, channels: int
) -> np.ndarray:
    """Decode the shorten-compressed data of a SPHERE file.

    Args:
        path: the file, for error messages.
        data: the bytes after the header; they start with `MAGIC`.
        coding: coding of the samples before compression: pcm, ulaw or alaw.
        count: samples per channel, as declared in the header.
        rate: sampling rate in Hz.
        channels: the number of channels.

    Returns:
        Samples, int16 (n, channels). The caller must compare n with `count`, because an external
        decoder may stop early without an error.

    Raises:
        InputError: the data are damaged, or need shorten 1.x and no decoder for it is installed.
    """
    # The original header may declare the wrong sample_coding.
    corrected = _header(coding, count, rate, channels) + data
    version = data[4] if len(data) > 4 else -1
    if version == 2:
        try:
            wav = transcode_bytes(corrected)
        except DesphereError as error:
            reason = f"desphere says: {error}"
        else:
            return soundfile.read(io.BytesIO(wav), dtype="int16", always_2d=True)[0]
    else:
        reason = f"shorten format version {version}, which desphere does not decode"
    for decoder in (_av, _sph2pipe, _ffmpeg):
        samples = decoder(corrected, path)
        if samples is not None:
            return samples
    raise InputError(
        path,
        expected="shorten-compressed data that can be decoded",
        found=reason,
        do="If the file is intact, install the package av, or sph2pipe or ffmpeg on PATH, which "
        "decode shorten 1.x.",
    )


def _header(coding: str, count: int, rate: int, channels: int) -> bytes:
    """Return a 1,024-byte header that declares shorten compression and the underlying format."""
    coding = f"{coding},embedded-shorten-v2.00"
    width = 1 if coding.startswith(("ulaw", "alaw")) else 2
    lines = [
        "NIST_1A",
        "   1024",
        f"channel_count -i {channels}",
        f"sample_count -i {count}",
        f"sample_rate -i {rate}",
        f"sample_n_bytes -i {width}",
        f"sample_byte_format -s{width} {'01' if width == 2 else '1'}",
        f"sample_sig_bits -i {8 * width}",
        f"sample_coding -s{len(coding)} {coding}",
        "end_head\n",
    ]
    return "\n".join(lines).encode().ljust(1024)


def _av(sphere: bytes, path: Path) -> np.ndarray | None:
    """Decode with PyAV; return None if it is not installed or cannot decode the data."""
    try:
        import av
    except ImportError:
        return None
    try:
        with av.open(io.BytesIO(sphere), format="nistsphere") as file:
            blocks = [frame.to_ndarray() for frame in file.decode(audio=0)]  # (channels, n)
    except av.FFmpegError as error:
        logger.info("%s: PyAV does not decode it (%s).", path, error)
        return None
    samples = np.concatenate(blocks, axis=1).T if blocks else np.zeros((0, 1), np.int16)
    return samples if samples.dtype == np.int16 else None


def _sph2pipe(sphere: bytes, path: Path) -> np.ndarray | None:
    return _run(["sph2pipe", "-p", "-f", "wav", "{in}", "{out}"], sphere, path)


def _ffmpeg(sphere: bytes, path: Path) -> np.ndarray | None:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", "{in}", "-f", "wav"]
    return _run([*command, "-c:a", "pcm_s16le", "{out}"], sphere, path)


def _run(command: list[str], sphere: bytes, path: Path) -> np.ndarray | None:
    """Decode with an external program; return None if it is not installed.

    Raises:
        InputError: the program fails, or its output is not 16-bit audio.
    """
    program = shutil.which(command[0])
    if program is None:
        return None
    with tempfile.TemporaryDirectory(prefix="ima-") as folder:
        names = {"{in}": str(Path(folder, "in.sph")), "{out}": str(Path(folder, "out.wav"))}
        Path(names["{in}"]).write_bytes(sphere)
        try:
            subprocess.run(
                [program, *(names.get(word, word) for word in command[1:])],
                check=True,
                capture_output=True,
                timeout=_TIMEOUT_S,
                stdin=subprocess.DEVNULL,
            )
            return soundfile.read(names["{out}"], dtype="int16", always_2d=True)[0]
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip()
            reason = f"exit status {error.returncode} ({said[-300:]})"
        except (OSError, subprocess.TimeoutExpired, soundfile.SoundFileError) as error:
            reason = str(error)
    raise InputError(
        path,
        expected=f"shorten-compressed data that {command[0]} decodes",
        found=reason,
        do="The file may be truncated or damaged: copy it from the disc again.",
    )
