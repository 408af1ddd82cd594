"""Compare `ima.features.covarep` with the MATLAB toolbox and with the LF model's ground truth.

    python benchmarks/covarep_agreement.py --reference DIR [--out results/covarep_agreement]

DIR contains the toolbox's output: wav/<name>.wav, covarep/<name>.csv with one row per 10 ms frame
and one column per feature, covarep_rdfix/<name>.csv with Rd and Rd_conf of a toolbox with its
complex conjugation corrected, timings.csv and synth_truth.csv (docs/covarep.md).
The script writes agreement.csv (one row per feature and file), summary.csv (one row per feature),
truth.csv and scatter plots (scatter.png), and prints the summary with pass or fail for each goal.
The exit code is 1 if a goal is missed.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from ima.features.covarep import extract
from ima.features.covarep.dictionary import COLUMNS, NAMES, Column

#: Minimum agreement: correlation over voiced frames; for VUV the share of equal frames.
GOALS = {"F0": 0.99, "peakSlope": 0.99, "VUV": 0.97}
GOALS |= dict.fromkeys(["NAQ", "QOQ", "H1H2", "PSP", "HRF", "MDQ", "Rd", "Rd_conf"], 0.95)
GOALS |= {f"HMPDM_{i}": 0.98 for i in range(8, 24)} | {f"HMPDD_{i}": 0.98 for i in range(13)}

#: Columns for which the LF model gives the truth, and the name of the truth.
TRUTH = {"NAQ": "source_NAQ", "QOQ": "source_QOQ50", "H1H2": "source_H1H2_dB", "Rd": "Rd"}


def main() -> int:
    """Run the comparison; return 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("results/covarep_agreement"))
    options = parser.parse_args()
    pairs = {name: both(options.reference, name) for name in recordings(options.reference)}
    if not pairs:
        raise SystemExit(f"{options.reference}/wav: expected wav files, found none")
    per_file = pd.concat([agreement(*pair).assign(file=name) for name, pair in pairs.items()])
    ours, theirs = (pd.concat([pair[i] for pair in pairs.values()]) for i in (0, 1))
    summary = agreement(ours, theirs)
    summary["goal"] = summary["feature"].map(GOALS)
    summary["verdict"] = np.where(summary["agreement"] >= summary["goal"], "pass", "FAIL")
    summary.loc[summary["goal"].isna(), "verdict"] = "-"
    worst = per_file.groupby("feature")["agreement"].min()
    summary["worst_file"] = summary["feature"].map(worst)
    truth = against_truth(options.reference, pairs)
    options.out.mkdir(parents=True, exist_ok=True)
    per_file.to_csv(options.out / "agreement.csv", index=False, float_format="%.6g")
    summary.to_csv(options.out / "summary.csv", index=False, float_format="%.6g")
    truth.to_csv(options.out / "truth.csv", index=False, float_format="%.6g")
    scatter(ours, theirs, options.out / "scatter.png")
    print(summary.to_string(index=False, float_format="%.5f"))
    print(truth.to_string(index=False, float_format="%.4f"))
    missed = [*summary["verdict"], *truth["verdict"]].count("FAIL")
    print(f"{missed} goals missed; written to {options.out}")
    return int(missed > 0)


def recordings(reference: Path) -> list[str]:
    """Return the names of the toolbox's recordings in alphabetical order."""
    return sorted(path.stem for path in (reference / "wav").glob("*.wav"))


def both(reference: Path, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return our 55 columns and the toolbox's for a recording, on the same frames.

    Columns that the toolbox lacks are NaN.
    """
    ours = extract(*soundfile.read(reference / "wav" / f"{name}.wav")).to_pandas()
    theirs = pd.read_csv(reference / "covarep" / f"{name}.csv").reindex(columns=list(NAMES))
    corrected = pd.read_csv(reference / "covarep_rdfix" / f"{name}.csv")
    if not len(ours) == len(theirs) == len(corrected):
        raise SystemExit(f"{name}: expected tables of {len(ours)} frames, found {len(theirs)}")
    theirs[["Rd", "Rd_conf"]] = corrected[["Rd", "Rd_conf"]]
    return ours[["time_s", *NAMES]], theirs


def agreement(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Return how well ours agree with the toolbox's values (n frames), one row per column.

    Compared are the frames that the toolbox calls voiced and has a value for; for VUV, all frames.
    `agreement` is described in `likeness`; differences are absolute, for angles the shorter way
    round.
    """
    rows = []
    for column in COLUMNS:
        a, b = (table[column.name].to_numpy(float) for table in (ours, theirs))
        voiced = (theirs["VUV"] == 1).to_numpy() | (column.name == "VUV")
        a, b = a[np.isfinite(b) & voiced], b[np.isfinite(b) & voiced]
        difference = np.abs(a - b)
        if column.angle:
            difference = np.minimum(difference, 2 * np.pi - difference)
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


def likeness(column: Column, a: np.ndarray, b: np.ndarray) -> float:
    """Return the agreement of finite values (n,), NaN without frames or if either is constant.

    This is Pearson's correlation; for angles Jammalamadaka's circular correlation, and for VUV the
    share of equal frames.
    """
    if not a.size:
        return np.nan
    if column.name == "VUV":
        return float(np.mean(a == b))
    if column.angle:
        a, b = (np.sin(x - np.angle(np.exp(1j * x).sum())) for x in (a, b))
    else:
        a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / scale) if scale > 1e-12 else np.nan


def against_truth(reference: Path, pairs: dict) -> pd.DataFrame:
    """Compare medians over the voiced frames of each LF vowel with the model, ours and theirs.

    The measure is the correlation over vowels for NAQ, QOQ and H1H2, and the absolute error for Rd.
    """
    truth = pd.read_csv(reference / "synth_truth.csv").set_index("file")
    medians = {}
    for who in (0, 1):
        rows = {}
        for name in truth.index:
            voiced = pairs[name][1]["VUV"] == 1
            rows[name] = pairs[name][who].loc[voiced, list(TRUTH)].median()
        medians[who] = pd.DataFrame(rows).T
    out = []
    for column in ("NAQ", "QOQ", "H1H2"):
        r = [np.corrcoef(medians[who][column], truth[TRUTH[column]])[0, 1] for who in (0, 1)]
        good = r[0] >= r[1] - 1e-3
        out.append((f"{column}: correlation", *r, "pass" if good else "FAIL"))
    errors = [(medians[who]["Rd"] - truth["Rd"]).abs() for who in (0, 1)]
    for measure in ("median", "mean", "max"):
        e = [getattr(error, measure)() for error in errors]
        good = e[0] <= e[1] + 1e-3
        out.append((f"Rd: {measure} error", *e, "pass" if good else "FAIL"))
    return pd.DataFrame(out, columns=["truth", "ours", "toolbox", "verdict"])


def scatter(ours: pd.DataFrame, theirs: pd.DataFrame, path: Path) -> None:
    """Draw our values over the toolbox's on voiced frames, one panel per column."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    voiced = (theirs["VUV"] == 1).to_numpy()
    figure, axes = plt.subplots(8, 7, figsize=(14, 16))
    for axis, column in zip(axes.flat, COLUMNS, strict=False):
        a, b = theirs[column.name][voiced], ours[column.name][voiced]
        axis.plot(a, b, ".", markersize=1.5, alpha=0.4)
        span = np.nanmin(a), np.nanmax(a)
        axis.plot(span, span, linewidth=0.5, color="black")
        axis.set_title(f"{column.name} [{column.unit}]" if column.unit else column.name, fontsize=8)
        axis.tick_params(labelsize=6)
    for axis in axes.flat[len(COLUMNS) :]:
        axis.axis("off")
    figure.supxlabel("toolbox")
    figure.supylabel("ima.features.covarep")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
