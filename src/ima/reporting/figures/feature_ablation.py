"""Figure of the digit accuracy of speech feature variants (`ima.evaluation.feature_ablation`)."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from ima.reporting.figures import LETTERS, PAGE, dot, legend
from ima.reporting.figures.palettes import MODALITIES

#: Markers of the splits in order.
MARKS = ("o", "s", "^", "D", "v", "P", "X")


def feature_accuracy(rows: Sequence[Mapping]) -> Figure:
    """Draw the accuracy of each feature variant, one marker per split, next to its control.

    Args:
        rows: rows of `ima.evaluation.feature_ablation.CHECKS`: `variant`, `split`, `accuracy`, and
            `accuracy_shuffled`, whose markers are hollow.
    """
    variants = list(dict.fromkeys(row["variant"] for row in rows))
    splits = list(dict.fromkeys(row["split"] for row in rows))
    figure = Figure(figsize=(PAGE, 1.4 + 0.3 * len(variants)), layout="constrained")
    axes = figure.subplots()
    for i, split in enumerate(splits):
        in_split = [row for row in rows if row["split"] == split]
        # Offset the splits, so that equal accuracies do not overlap.
        places = [
            variants.index(row["variant"]) + 0.12 * (i - (len(splits) - 1) / 2) for row in in_split
        ]
        look = {
            "color": MODALITIES[i % len(MODALITIES)],
            "marker": MARKS[i % len(MARKS)],
            "linestyle": "",
        }
        axes.plot([row["accuracy"] for row in in_split], places, markersize=4.5, **look)
        shuffled = [row["accuracy_shuffled"] for row in in_split]
        axes.plot(shuffled, places, markersize=4.5, fillstyle="none", **look)
    axes.set_yticks(range(len(variants)), variants)
    axes.tick_params(labelsize=LETTERS)
    axes.set_xlim(0, 1.02)
    axes.set_xlabel("accuracy of logistic regression on test digits", fontsize=LETTERS)
    axes.invert_yaxis()
    axes.grid(axis="x", color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
    handles = [
        dot(split, MODALITIES[i % len(MODALITIES)], MARKS[i % len(MARKS)], markersize=6)
        for i, split in enumerate(splits)
    ]
    handles.append(dot("labels shuffled", "black", markersize=6, fillstyle="none"))
    legend(figure, handles, 3)
    return figure
