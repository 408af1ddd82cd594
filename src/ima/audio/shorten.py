"""Decode shorten-compressed SPHERE data: 2.00 with desphere, 1.x with PyAV or external programs.

Decoders choose a method by the header's `sample_coding`, but headers on the LDC discs may declare
compressed data as plain PCM. Every decoder therefore receives a corrected header.

A few bytes may hold any number of zeros. The samples are therefore counted before they are decoded,
and the output of other decoders is limited.
"""

import functools
import io
import logging
import re
import resource
import shutil
import signal
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
#: Maximum number of samples per channel beyond those declared: the last block may be padded.
_PADDING = 1 << 16
#: Maximum number of bytes of a WAV header.
_WAV_HEADER = 4096
#: Commands of shorten 2.00 other than those of samples; 0 to 3 are differences, which follow.
_QUIT, _BLOCKSIZE, _BITSHIFT, _QLPC, _ZERO, _VERBATIM = range(4, 10)
#: Number of Rice codes that are skipped at once, and maximum k of those.
_CODES, _MAX_K = 64, 32


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
        InputError: the data are damaged or have more samples than declared, or need shorten 1.x
            and no decoder for it is installed.
    """
    most = (count + _PADDING) * channels
    # The original header may declare the wrong sample_coding.
    corrected = _header(coding, count, rate, channels) + data
    version = data[4] if len(data) > 4 else -1
    if version == 2:
        if _length(data[5:], most) > most:
            raise _too_long(path, count)
        try:
            wav = transcode_bytes(corrected)
        except DesphereError as error:
            reason = f"desphere says: {error}"
        else:
            return soundfile.read(io.BytesIO(wav), dtype="int16", always_2d=True)[0]
    else:
        reason = f"shorten format version {version}, which desphere does not decode"
    for decoder in (_av, _sph2pipe, _ffmpeg):
        samples = decoder(corrected, path, most)
        if samples is not None:
            return samples
    raise InputError(
        path,
        expected="shorten-compressed data that can be decoded",
        found=reason,
        do="If the file is intact, install the package av, or sph2pipe or ffmpeg on PATH, which "
        "decode shorten 1.x.",
    )


def _too_long(path: Path, count: int) -> InputError:
    return InputError(
        path,
        expected=f"{count} samples, as its header says",
        found="more of them in its shorten-compressed data",
        do="The file is damaged: copy it again from its source.",
    )


class _Bits:
    """The Rice codes of a bit stream: zeros, a one, and k bits."""

    def __init__(self, data: bytes):
        self.bits = (np.unpackbits(np.frombuffer(data, np.uint8)) + ord("0")).tobytes()
        self.at = 0

    def number(self, k: int) -> int:
        """Return the value of the next code: its zeros are the high digits of the k bits.

        Raises:
            EOFError: the stream ends.
        """
        one, start = self.bits.find(b"1", self.at), self.at
        self.at = one + 1 + k
        if one < 0 or self.at > len(self.bits):
            raise EOFError
        return ((one - start) << k) | int(self.bits[one + 1 : self.at] or b"0", 2)

    def long_number(self) -> int:
        """Return the next number, before which its k is written."""
        return self.number(self.number(2))

    def skip(self, count: int, k: int) -> None:
        """Skip codes.

        Raises:
            EOFError: the stream ends.
        """
        bits, at = self.bits, self.at
        if k <= _MAX_K:
            codes = _codes(k)
            while count >= _CODES and (match := codes.match(bits, at)):
                at, count = match.end(), count - _CODES
        for _ in range(count):
            at = bits.find(b"1", at) + 1 + k
            if at <= k or at > len(bits):
                raise EOFError
        self.at = at


@functools.cache
def _codes(k: int) -> re.Pattern[bytes]:
    return re.compile(rb"(?>0*+1.{%d}){%d}" % (k, _CODES))


def _length(data: bytes, most: int) -> int:
    """Return the number of samples of shorten 2.00, without decoding them.

    Args:
        data: the bits after the version.
        most: where counting ends; a larger number is returned if there are more samples.
    """
    bits, total = _Bits(data), 0
    try:
        _, _, block, _, _, skipped = (bits.long_number() for _ in range(6))
        bits.skip(skipped, 1)
        while total <= most and (command := bits.number(2)) != _QUIT:
            if command == _BLOCKSIZE:
                block = bits.long_number()
            elif command == _BITSHIFT:
                bits.number(2)
            elif command == _VERBATIM:
                bits.skip(bits.number(5), 8)
            else:
                total += block
                if total <= most and command != _ZERO:
                    _skip_block(bits, command, block)
    except EOFError:  # which desphere reports
        pass
    return total


def _skip_block(bits: _Bits, command: int, block: int) -> None:
    k = bits.number(3) + 1
    if command == _QLPC:
        bits.skip(bits.number(2), 6)
    bits.skip(block, k)


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


def _av(sphere: bytes, path: Path, most: int) -> np.ndarray | None:
    """Decode with PyAV; return None if it is not installed or cannot decode the data.

    Decoding stops beyond `most` samples of all channels.
    """
    try:
        import av
    except ImportError:
        return None
    blocks, size = [], 0
    try:
        with av.open(io.BytesIO(sphere), format="nistsphere") as file:
            for frame in file.decode(audio=0):
                blocks.append(frame.to_ndarray())  # (channels, n)
                size += blocks[-1].size
                if size > most:
                    break
    except av.FFmpegError as error:
        logger.info("%s: PyAV does not decode it (%s).", path, error)
        return None
    samples = np.concatenate(blocks, axis=1).T if blocks else np.zeros((0, 1), np.int16)
    return samples if samples.dtype == np.int16 else None


def _sph2pipe(sphere: bytes, path: Path, most: int) -> np.ndarray | None:
    return _run(["sph2pipe", "-p", "-f", "wav", "{in}", "{out}"], sphere, path, most)


def _ffmpeg(sphere: bytes, path: Path, most: int) -> np.ndarray | None:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", "{in}", "-f", "wav"]
    return _run([*command, "-c:a", "pcm_s16le", "{out}"], sphere, path, most)


def _run(command: list[str], sphere: bytes, path: Path, most: int) -> np.ndarray | None:
    """Decode with an external program; return None if it is not installed.

    Raises:
        InputError: the program fails, or its output is not 16-bit audio or has more than `most`
            samples of all channels.
    """
    program = shutil.which(command[0])
    if program is None:
        return None
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    size = 2 * most + _WAV_HEADER
    limit = (size if allowed == resource.RLIM_INFINITY else min(size, allowed), allowed)
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
                # The system stops a program that writes a longer file.
                preexec_fn=functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, limit),
            )
            return soundfile.read(names["{out}"], dtype="int16", always_2d=True)[0]
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip()
            reason = f"exit status {error.returncode} ({said[-300:]})"
            if error.returncode == -signal.SIGXFSZ:
                reason = "more samples than its header says"
        except (OSError, subprocess.TimeoutExpired, soundfile.SoundFileError) as error:
            reason = str(error)
    raise InputError(
        path,
        expected=f"shorten-compressed data that {command[0]} decodes",
        found=reason,
        do="The file may be truncated or damaged: copy it from the disc again.",
    )
