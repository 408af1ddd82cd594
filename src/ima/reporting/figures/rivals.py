"""Figure of importances and other detectors of noise (`ima.evaluation.rivals`)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ima.reporting.figures import LETTERS, PAGE, dot, legend
from ima.reporting.figures.palettes import MODALITIES
from ima.utils.errors import InputError


def draw(rows: Sequence[Mapping]) -> Figure:
    """Draw F1 (filled) and the area under the ROC curve (hollow) of each detector.

    Detectors are rows, types of noise columns with the control `shuffled` last, and modalities
    colours.

    Args:
        rows: rows of `ima.evaluation.rivals.study.rivals_table`.

    Raises:
        InputError: there are no rows.
    """
    if not rows:
        raise InputError("rivals", expected="rows to draw", found="none")
    problems = list(dict.fromkeys((row["noise_type"], row["R"]) for row in rows))
    problems.sort(key=lambda problem: problem[0] == "shuffled")
    detectors = list(dict.fromkeys(row["detector"] for row in rows))
    colours = dict(zip(dict.fromkeys(row["modality"] for row in rows), MODALITIES, strict=False))
    size = (PAGE, 0.9 + 0.22 * len(detectors))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(problems), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (noise_type, R) in zip(panels, problems, strict=True):
        chosen = [row for row in rows if (row["noise_type"], row["R"]) == (noise_type, R)]
        _panel(axes, chosen, detectors, colours)
        axes.set_title(f"{noise_type}\nR = {R:g}", fontsize=LETTERS)
    panels[0].set_yticks(range(len(detectors)), detectors, fontsize=LETTERS)
    panels[0].set(ylim=(len(detectors) - 0.5, -0.5), xlim=(-0.06, 1.06), xticks=(0, 0.5, 1))
    marks = [dot("F1", "0.3"), dot("area under the ROC curve", "0.3", mfc="none")]
    legend(figure, [dot(m, colour) for m, colour in colours.items()] + marks, len(colours) + 2)
    return figure


def _panel(
    axes: Axes, rows: Sequence[Mapping], detectors: Sequence[str], colours: Mapping[str, str]
) -> None:
    """Draw one type of noise; marks of different modalities do not overlap."""
    axes.axvline(0.5, color="0.7", linewidth=0.6, linestyle="--")
    for i, (modality, colour) in enumerate(colours.items()):
        chosen = [row for row in rows if row["modality"] == modality]
        y = [
            detectors.index(row["detector"]) + 0.36 * ((i + 0.5) / len(colours) - 0.5)
            for row in chosen
        ]
        for score, face in (("f1_noise", colour), ("auc_noise", "none")):
            x = np.array([row[score] for row in chosen], float)
            sd = np.array([row[f"{score}_sd"] or 0 for row in chosen])
            bars = np.minimum(sd, (x, 1 - x)).clip(0)  # scores are in [0, 1], and so are the bars
            style = {"color": colour, "mfc": face, "markersize": 3.2, "elinewidth": 0.6}
            axes.errorbar(x, y, xerr=bars, fmt="o", markeredgewidth=0.6, clip_on=False, **style)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="0.93", linewidth=0.6)
    axes.tick_params(labelsize=LETTERS, length=2)
    axes.spines[["top", "right"]].set_visible(False)
