"""Voice features of spans of recordings, file by file: what a token sounds like (6.2)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from ima.features import voice
from ima.utils.errors import InputError
from ima.utils.progress import progress_bar

#: How the z-score is taken: over each speaker's own spans, or over those of training speakers.
SCALES = ("speaker", "train")


def span_vectors(
    root: str | Path,
    spans: pa.Table,
    features: str,
    remove_offset: bool = False,
    jobs: int = 1,
) -> np.ndarray:
    """Return the mean voice features (n, D) of spans, NaN where a span has none of a feature.

    Args:
        root: folder that the spans' files are relative to.
        spans: SPANS; a file's rows need not be together.
        features, remove_offset: see `ima.features.voice.extract`.
        jobs: processes.

    Raises:
        InputError: a file can't be read or measured; it names the file.
    """
    files = spans["file"].to_pylist()
    rows: dict[str, list[int]] = {}
    for row, file in enumerate(files):
        rows.setdefault(file, []).append(row)
    starts, ends = spans["start_s"].to_pylist(), spans["end_s"].to_pylist()
    vectors = np.full((len(files), len(voice.columns(features))), np.nan, np.float32)
    paths = [Path(root, file) for file in rows]
    tables = voice.extract_files(paths, features, jobs, remove_offset)
    for (file, its), table in zip(
        progress_bar(rows.items(), "voices", "file"), tables, strict=True
    ):
        try:
            times = [(starts[row], ends[row]) for row in its]
            vectors[its] = voice.word_vectors(table, times, features)
        except InputError as error:
            where = f"{file}, {error.where}"
            raise InputError(
                where, expected=error.expected, found=error.found, do=error.do
            ) from error
    return vectors


def z_score(
    vectors: np.ndarray, speakers: Sequence[str], training: Sequence[str], scale: str
) -> np.ndarray:
    """Return vectors (n, D) as z-scores, missing values 0.

    Args:
        vectors: (n, D), NaN for missing.
        speakers: whose each is (n,).
        training: speakers of the training part.
        scale: `speaker`, over each speaker's own vectors, held-out speakers' too (no label is
            used, but all of a speaker's recordings are); `train`, over all training speakers'.

    Raises:
        InputError: another `scale`, or no training vector.
    """
    if scale not in SCALES:
        raise InputError("scale", expected=f"one of {SCALES}", found=scale)
    if scale == "speaker":
        return voice.scale(vectors, speakers, voice.fit_scaler(vectors, speakers))
    inside = np.isin(speakers, list(training))
    of = np.asarray(speakers)[inside]
    return voice.scale(vectors, speakers, voice.fit_scaler(vectors[inside], of, by="all"))
