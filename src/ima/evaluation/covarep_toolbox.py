"""Frame-by-frame agreement of our 55 voice features with those of the MATLAB toolbox COVAREP.

The toolbox's output is a folder of recordings `wav/<name>.wav` and tables `covarep/<name>.csv`,
with one row per 10 ms frame and one column per feature, under COVAREP's names. Other columns are
ignored. HRF and F1 to F5 may be missing, as the toolbox's feature extraction does not compute them.
If there is also a folder `covarep_rdfix/`, its tables give Rd and Rd_conf as computed by a toolbox
with its complex conjugation corrected (docs/covarep.md).
"""

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from ima.evaluation.covarep_files import REPAIRED, TABLES, WAVES
from ima.features.covarep import extract
from ima.features.covarep.dictionary import COLUMNS, NAMES, Column
from ima.utils.errors import InputError

#: Columns that the toolbox's own feature extraction does not compute.
OPTIONAL = ("HRF", "F1", "F2", "F3", "F4", "F5")
#: The shape parameter of the glottal pulse and its confidence, which `covarep_rdfix/` replaces.
RD = ("Rd", "Rd_conf")


def both(reference: str | Path, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return our columns and the toolbox's for a recording, on the same frames.

    Args:
        reference: folder of the toolbox's output (see above).
        name: one of `recordings`.

    Returns:
        Our table, `time_s` (s) and the 55 columns; and the toolbox's, the 55 columns, NaN where a
        value or a whole column is missing. Units are those of `dictionary`; as in COVAREP, 0 is a
        missing value.

    Raises:
        InputError: a file cannot be read, a column is missing or not numeric, or the table's number
            of frames differs from ours.
    """
    reference = Path(reference)
    wave = reference / WAVES / f"{name}.wav"
    try:
        sound = soundfile.read(wave)
    except (soundfile.LibsndfileError, OSError) as error:
        raise InputError(wave, expected="a sound file", found=str(error)) from error
    ours = extract(*sound).to_pandas()
    file = reference / TABLES / f"{name}.csv"
    theirs = _read(file, NAMES, OPTIONAL, len(ours))
    if (reference / REPAIRED).is_dir():
        theirs[list(RD)] = _read(reference / REPAIRED / f"{name}.csv", RD, (), len(ours))
    return ours[["time_s", *NAMES]], theirs


def _read(file, names, optional, frames) -> pd.DataFrame:
    """Read columns of a toolbox table that must have the given number of frames."""
    try:
        table = pd.read_csv(file)
    except (OSError, ValueError) as error:
        raise InputError(file, expected="a CSV table of the toolbox", found=str(error)) from error
    lacking = [name for name in names if name not in table and name not in optional]
    table = table.reindex(columns=list(names))
    wrong = [name for name in names if not pd.api.types.is_numeric_dtype(table[name])]
    if lacking or wrong:
        found = f"no {', '.join(lacking)}" if lacking else f"text in {', '.join(wrong)}"
        raise InputError(
            file,
            expected="COVAREP's columns with numeric values",
            found=found,
            do="See docs/covarep.md for the format of the table.",
        )
    if len(table) != frames:
        raise InputError(
            file,
            expected=f"{frames} frames, as many as the recording has",
            found=len(table),
            do="Use this recording's own table, with one row per 10 ms frame.",
        )
    return table


def pairs_of(
    column: Column, ours: pd.DataFrame, theirs: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Return our values and the toolbox's (n,) of a column, on the frames to be compared.

    These are the frames that the toolbox calls voiced and has a value for; for VUV, all frames.
    """
    voiced = (theirs["VUV"] == 1).to_numpy()
    a, b = ours[column.name].to_numpy(float), theirs[column.name].to_numpy(float)
    use = np.isfinite(b) & (voiced | (column.name == "VUV"))
    return a[use], b[use]


def agreement(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Return a table of how well ours agree with the toolbox's values, one row per column.

    Args:
        ours, theirs: tables of `both`, or those of several recordings concatenated (n frames).

    Returns:
        `feature`; `frames` compared (`pairs_of`); `agreement`, see `likeness`; `median_difference`
        and `largest_difference`, of absolute values in the column's unit. NaN without frames.
    """
    rows = []
    for column in COLUMNS:
        a, b = pairs_of(column, ours, theirs)
        difference = differences(column, a, b)
        rows.append(
            {
                "feature": column.name,
                "frames": a.size,
                "agreement": likeness(column, a, b),
                "median_difference": np.median(difference) if a.size else np.nan,
                "largest_difference": difference.max(initial=0) if a.size else np.nan,
            }
        )
    return pd.DataFrame(rows)


def differences(column: Column, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return absolute differences (n,) in the column's unit; for angles, the shorter way round."""
    difference = np.abs(a - b)
    return np.minimum(difference, 2 * np.pi - difference) if column.angle else difference


def likeness(column: Column, a: np.ndarray, b: np.ndarray) -> float:
    """Return the agreement of values with a reference.

    This is Pearson's correlation; for angles Jammalamadaka's circular correlation, and for VUV the
    share of equal frames.

    Args:
        column: the column that the values belong to.
        a, b: finite values (n,).

    Returns:
        A number in [-1, 1], for VUV in [0, 1]; NaN without frames or if either is constant.
    """
    if column.name == "VUV":
        return float(np.mean(a == b)) if a.size else np.nan
    if column.angle:
        a, b = (np.sin(x - np.angle(np.exp(1j * x).sum())) for x in (a, b))
        return _cosine(a, b)
    return correlation(a, b)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Pearson's correlation of values (n,), in [-1, 1]; NaN if either is constant."""
    a, b = a - a.mean() if a.size else a, b - b.mean() if b.size else b
    return _cosine(a, b)


def _cosine(a, b):
    # Elementwise sums: the result of a dot product would depend on the number of threads.
    scale = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / scale) if scale > 1e-12 else np.nan
