"""The segmentation methods that the config offers, by name."""

import math

import pyarrow as pa
import pyarrow.compute as pc

from ima.alignment.align import align, equal_split
from ima.alignment.frontend import fault
from ima.alignment.quality import too_short
from ima.datasets.digit_recordings import Waves
from ima.utils.errors import InputError
from ima.utils.schemas import SEGMENTS


def segment(recordings: pa.Table, waves: Waves, method: str, processes: int) -> pa.Table:
    """Find the time span of each digit of each recording.

    Args:
        recordings: RECORDINGS.
        waves: their waveforms.
        method: `hmm` (`align`), `equal` (`equal_split`), or `whole` (the entire recording).
        processes: the number of parallel jobs; the result does not depend on it.

    Returns:
        SEGMENTS, in the order of `recordings` and of the digits.

    Raises:
        InputError: an error of `align`, the method is unknown, or it is `whole` and a recording
            has several digits.
    """
    if method == "whole":
        return pa.Table.from_pylist(
            [_whole(*row, waves) for row in zip(*_columns(recordings), strict=True)], SEGMENTS
        )
    methods = {"hmm": align, "equal": equal_split}
    if method not in methods:
        raise InputError("segmentation", expected="hmm, equal or whole", found=method)
    return methods[method](recordings, _identity, read=waves, processes=processes)


def doubtful(segments: pa.Table) -> pa.Table:
    """Return the SEGMENTS that are doubtful, with the reason."""
    return segments.filter(pc.field("doubtful") != "")


def _identity(recording: str) -> str:
    """Return the id of a recording unchanged, as `Waves` reads recordings by id."""
    return recording


def _columns(recordings: pa.Table) -> tuple[list[str], list[str]]:
    return recordings["id"].to_pylist(), recordings["digits"].to_pylist()


def _whole(recording: str, digits: str, waves: Waves) -> dict:
    if len(digits) != 1:
        raise InputError(
            recording,
            expected="one digit for segmentation 'whole'",
            found=f"'{digits}'",
            do="Set segmentation to hmm.",
        )
    wave, rate = waves(recording)
    return {
        "recording": recording,
        "position": 0,
        "digit": digits,
        "start_s": 0.0,
        "end_s": len(wave) / rate,
        "loglik": math.nan,
        "doubtful": fault(wave, rate) or too_short(len(wave) / rate, digits),
    }
