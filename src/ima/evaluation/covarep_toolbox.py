"""How our 55 columns agree with those that the MATLAB toolbox measured, frame by frame.

The toolbox's output is a folder of `wav/<name>.wav` and `covarep/<name>.csv`: a row a frame of 10
ms, a column a feature by COVAREP's names. Other columns are ignored; HRF and F1 to F5, which its
feature extraction does not give, may lack. If there is a folder `covarep_rdfix/` too, its
`<name>.csv` have the Rd and Rd_conf of a toolbox whose conjugation is repaired (docs/covarep.md).
"""

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from ima.features.covarep import extract
from ima.features.covarep.dictionary import COLUMNS, NAMES, Column
from ima.utils.errors import InputError

#: Columns that the toolbox's own feature extraction does not give.
OPTIONAL = ("HRF", "F1", "F2", "F3", "F4", "F5")
#: The shape of the glottal pulse, of which the toolbox has a repaired run.
RD = ("Rd", "Rd_conf")
#: Folders of the recordings, the toolbox's columns and its repaired Rd.
WAVES, TABLES, REPAIRED = "wav", "covarep", "covarep_rdfix"


def recordings(reference: str | Path) -> list[str]:
    """Return the names of the toolbox's recordings in alphabetical order.

    Args:
        reference: folder of the toolbox's output (see above).

    Raises:
        InputError: no recordings, or a recording without its table.
    """
    reference = Path(reference)
    names = sorted(path.stem for path in (reference / WAVES).glob("*.wav"))
    if not names:
        raise InputError(
            reference / WAVES,
            expected="wav files that the COVAREP toolbox has measured",
            found="none",
            do="emotion.voice.reference is a folder with wav/ and covarep/ (docs/covarep.md).",
        )
    folders = [TABLES, *([REPAIRED] if (reference / REPAIRED).is_dir() else [])]
    for file in (reference / folder / f"{name}.csv" for folder in folders for name in names):
        if not file.is_file():
            raise InputError(
                file,
                expected=f"the toolbox's table of {WAVES}/{file.stem}.wav",
                found="no file",
                do="Measure it with the toolbox, or take the recording out.",
            )
    return names


def both(reference: str | Path, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return our columns and the toolbox's of a recording, on the same frames.

    Args:
        reference: folder of the toolbox's output (see above).
        name: one of `recordings`.

    Returns:
        Ours, `time_s` (s) and the 55 columns; theirs, the 55 columns, NaN where one has no value or
        the table lacks it. Units as in `dictionary`; 0 is a missing value, as in COVAREP.

    Raises:
        InputError: a file cannot be read, a column lacks or is not of numbers, or the table has
            another number of frames than we measure.
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
    """Read columns of a toolbox's table of so many frames."""
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
            expected="COVAREP's columns, each of numbers",
            found=found,
            do="docs/covarep.md says what the table must be.",
        )
    if len(table) != frames:
        raise InputError(
            file,
            expected=f"{frames} frames, as many as the recording has",
            found=len(table),
            do="Take the table of this recording, at 10 ms a frame.",
        )
    return table


def pairs_of(
    column: Column, ours: pd.DataFrame, theirs: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Return a column's values (n,), ours and theirs, of the frames that are compared.

    These are the frames that the toolbox calls voiced and has a value in; of VUV all frames.
    """
    voiced = (theirs["VUV"] == 1).to_numpy()
    a, b = ours[column.name].to_numpy(float), theirs[column.name].to_numpy(float)
    use = np.isfinite(b) & (voiced | (column.name == "VUV"))
    return a[use], b[use]


def agreement(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Return a row a column of how ours agree with the toolbox's.

    Args:
        ours, theirs: of `both`, or of several recordings one after the other (n frames).

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
    """Return absolute differences (n,) in the column's unit; of angles the shorter way round."""
    difference = np.abs(a - b)
    return np.minimum(difference, 2 * np.pi - difference) if column.angle else difference


def likeness(column: Column, a: np.ndarray, b: np.ndarray) -> float:
    """Return the correlation; of angles, Jammalamadaka's; of VUV, the share of equal frames.

    Args:
        column: whose values they are.
        a, b: values (n,), finite.

    Returns:
        In [-1, 1], of VUV in [0, 1]; NaN without frames, or where one of them does not vary.
    """
    if column.name == "VUV":
        return float(np.mean(a == b)) if a.size else np.nan
    if column.angle:
        a, b = (np.sin(x - np.angle(np.exp(1j * x).sum())) for x in (a, b))
        return _cosine(a, b)
    return correlation(a, b)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Pearson's correlation of values (n,), in [-1, 1]; NaN where one does not vary."""
    a, b = a - a.mean() if a.size else a, b - b.mean() if b.size else b
    return _cosine(a, b)


def _cosine(a, b):
    # Sums, not products of vectors: those depend on the number of threads.
    scale = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / scale) if scale > 1e-12 else np.nan
