"""The table of the agreement of our voice features with other software (A.2).

Each number has a negative control: the same statistic with our frames shuffled within each speaker,
which preserves the agreement that is due to the speakers' means alone.
"""

import numpy as np
import pyarrow as pa
from scipy.stats import rankdata

from ima.evaluation.voice_agreement import OPENSMILE, Feature, Reference

#: Seed of the negative control.
SEED = 0
VOICED = ("voiced_ours", "voiced_theirs", "voiced_both")

#: One row per feature. `kind` is SAME or RELATED; `unit` is that of `feature` and the differences.
#: `frames` is the number of frames compared: those that are voiced for both programs and have a
#: value in both; for VUV all. `agreement` is Pearson's correlation, in [-1, 1]; for VUV the
#: proportion of equal frames, in [0, 1]. `spearman` is the rank correlation, `within_speakers` the
#: correlation after subtracting each speaker's mean. `*_shuffled` is the same with our frames
#: shuffled within each speaker. `voiced_*` are the proportions of all frames, in [0, 1], that we,
#: they or both call voiced. Statistics that are undefined are empty: differences between different
#: units, and those of constant values.
AGREEMENT = pa.schema(
    [
        *((name, pa.string()) for name in ("run", "corpus", "reference", "feature")),
        ("frames", pa.int32()),
        *((name, pa.float64()) for name in ("agreement", "agreement_shuffled")),
        *((name, pa.float64()) for name in ("spearman", "spearman_shuffled", "within_speakers")),
        *((name, pa.float64()) for name in ("median_difference", "median_difference_shuffled")),
        *((name, pa.string()) for name in ("unit", "kind", "counterpart")),
        *((name, pa.int32()) for name in ("recordings", "speakers")),
        *((name, pa.float64()) for name in VOICED),
    ]
)


def shuffled(feature: Feature) -> np.ndarray:
    """Return our values (n,), shuffled within each speaker, as the negative control."""
    rng, mixed = np.random.default_rng(SEED), feature.ours.copy()
    for name in sorted(set(feature.speaker)):
        rows = np.flatnonzero(feature.speaker == name)
        mixed[rows] = mixed[rng.permutation(rows)]
    return mixed


def agreement_table(run: str, corpus: str, reference: Reference) -> pa.Table:
    """Return the agreement of our features with those of openSMILE.

    Args:
        run, corpus: name of the run, and description of its corpus.
        reference: result of `ima.evaluation.voice_agreement.against_opensmile`.

    Returns:
        A table of AGREEMENT, one row per feature.
    """
    about = {
        "run": run,
        "corpus": corpus,
        "reference": OPENSMILE,
        "recordings": reference.recordings,
        "speakers": reference.speakers,
        **dict(zip(VOICED, reference.voiced, strict=True)),
    }
    rows = [about | _row(feature) for feature in reference.features]
    return pa.Table.from_pylist(rows, schema=AGREEMENT)


def _row(feature: Feature) -> dict:
    """Return the columns of AGREEMENT that describe one feature."""
    column, theirs = feature.column, feature.theirs
    row = {
        "feature": column.name,
        "kind": feature.kind,
        "counterpart": feature.counterpart,
        "unit": column.unit,
        "frames": theirs.size,
    }
    if column.name != "VUV":
        row["within_speakers"] = correlation(
            *(_centred(values, feature.speaker) for values in (feature.ours, theirs))
        )
    for end, ours in (("", feature.ours), ("_shuffled", shuffled(feature))):
        equal = float(np.mean(ours == theirs)) if theirs.size else None
        row[f"agreement{end}"] = equal if column.name == "VUV" else correlation(ours, theirs)
        row[f"spearman{end}"] = correlation(rankdata(ours), rankdata(theirs))
        if feature.alike and theirs.size:
            row[f"median_difference{end}"] = float(np.median(np.abs(ours - theirs)))
    return row


def correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Return Pearson's correlation of values (n,), in [-1, 1]; None if either is constant."""
    a, b = (x - x.mean() if x.size else x for x in (a, b))
    # Elementwise sums: the result of a dot product would depend on the number of threads.
    scale = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / scale) if scale > 1e-12 else None


def _centred(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return values (n,) minus the mean of their group."""
    place = np.unique(groups, return_inverse=True)[1]
    count = np.bincount(place)
    return values - (np.bincount(place, values) / count)[place]
