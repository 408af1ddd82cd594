"""Pool voice features over the time spans of tokens, file by file (A.2)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from ima.features import voice
from ima.utils.errors import InputError
from ima.utils.progress import progress_bar

#: Scope of the z-score: each speaker's own spans, or the spans of all training speakers.
SCALES = ("speaker", "train")


def span_vectors(
    root: str | Path,
    spans: pa.Table,
    features: str,
    remove_offset: bool = False,
    jobs: int = 1,
) -> np.ndarray:
    """Return the mean voice features of time spans.

    Args:
        root: the folder that the files of the spans are relative to.
        spans: SPANS; the rows of a file need not be consecutive.
        features, remove_offset: see `ima.features.voice.extract`.
        jobs: the number of processes.

    Returns:
        Vectors (n, D), NaN where a feature is not measured in a span.

    Raises:
        InputError: a file cannot be read or measured; the message names it.
    """
    files = spans["file"].to_pylist()
    rows: dict[str, list[int]] = {}
    for row, file in enumerate(files):
        rows.setdefault(file, []).append(row)
    starts, ends = spans["start_s"].to_pylist(), spans["end_s"].to_pylist()
    vectors = np.full((len(files), len(voice.columns(features))), np.nan, np.float32)
    paths = [Path(root, file) for file in rows]
    tables = voice.extract_files(paths, features, jobs, remove_offset)
    for (file, file_rows), table in zip(
        progress_bar(rows.items(), "voices", "file"), tables, strict=True
    ):
        try:
            times = [(starts[row], ends[row]) for row in file_rows]
            vectors[file_rows] = voice.word_vectors(table, times, features)
        except InputError as error:
            where = f"{file}, {error.where}"
            raise InputError(
                where, expected=error.expected, found=error.found, do=error.do
            ) from error
    return vectors


def z_score(
    vectors: np.ndarray, speakers: Sequence[str], training: Sequence[str], scale: str
) -> np.ndarray:
    """Standardise vectors to z-scores, replacing missing values by 0.

    Args:
        vectors: (n, D), NaN for missing values.
        speakers: (n,) the speaker of each vector.
        training: the training speakers.
        scale: `speaker` standardises over each speaker's own vectors, including held-out speakers
            (this uses all recordings of a speaker but no labels); `train` over the vectors of all
            training speakers.

    Returns:
        Vectors (n, D), float32.

    Raises:
        InputError: `scale` is invalid, or there are no training vectors.
    """
    if scale not in SCALES:
        raise InputError("scale", expected=f"one of {SCALES}", found=scale)
    if scale == "speaker":
        return voice.scale(vectors, speakers, voice.fit_scaler(vectors, speakers))
    inside = np.isin(speakers, list(training))
    known = np.asarray(speakers)[inside]
    return voice.scale(vectors, speakers, voice.fit_scaler(vectors[inside], known, by="all"))
