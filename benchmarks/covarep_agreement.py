"""Compare `ima.features.covarep` with the MATLAB toolbox and with the LF model's ground truth.

    python benchmarks/covarep_agreement.py --reference DIR [--out results/covarep_agreement]

DIR contains the toolbox's output: wav/, covarep/, covarep_rdfix/, timings.csv, synth_truth.csv.
The script writes agreement.csv (one row per feature and file), summary.csv (one row per feature),
truth.csv and scatter plots (scatter.png), and prints the summary with pass or fail for each goal.
The exit code is 1 if a goal is missed.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from ima.evaluation.covarep_files import recordings
from ima.evaluation.covarep_toolbox import agreement, both
from ima.features.covarep.dictionary import COLUMNS
from ima.utils.errors import InputError

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
    try:
        pairs = {name: both(options.reference, name) for name in recordings(options.reference)}
    except InputError as error:
        raise SystemExit(str(error)) from None
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
