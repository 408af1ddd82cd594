"""Figure of retrieval with missing modalities (`ima.evaluation.missing_modalities`)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ima.reporting.figures import LETTERS, PAGE, legend
from ima.reporting.figures.palettes import model_colours
from ima.utils.errors import InputError

#: Line style and label of each way to handle incomplete pairs.
WAYS = {
    "learn": ("-", "learn from incomplete pairs"),
    "drop": ("--", "drop them, as many steps"),
    "impute": (":", "impute the mean"),
}
#: References, which do not have a colour of their own.
RAW, CHANCE = "raw features", "chance"
NEIGHBOURS = {"distinct": "no shared items", "all": "all neighbours"}
#: Representations that are not drawn; for IMA only the weighted one is.
HIDDEN = ("unweighted",)


def draw(rows: Sequence[Mapping]) -> Figure:
    """Draw Precision@10 over the proportion of incomplete pairs.

    Columns are versions of the test pairs, rows choices of neighbours, colours models, and line
    styles ways to handle incomplete pairs. Bars are the standard deviation over seeds. The chance
    level is given as text.

    Args:
        rows: rows of `ima.evaluation.missing_modalities.study_table`.

    Raises:
        InputError: there are no rows.
    """
    rows = [row for row in rows if row["representation"] not in HIDDEN]
    if not rows:
        raise InputError("missing study", expected="rows to draw", found="none")
    tests = list(dict.fromkeys(row["test"] for row in rows))
    models = [m for m in dict.fromkeys(row["model"] for row in rows) if m not in (RAW, CHANCE)]
    colours = model_colours(models) | {RAW: "0.6"}
    figure = Figure(figsize=(PAGE, 5.2), layout="constrained")
    panels = figure.subplots(len(NEIGHBOURS), len(tests), sharex=True, sharey="row", squeeze=False)
    letters = iter("abcdefgh")
    for line, (neighbours, title) in zip(panels, NEIGHBOURS.items(), strict=True):
        for axes, test in zip(line, tests, strict=True):
            in_panel = [
                row for row in rows if (row["neighbours"], row["test"]) == (neighbours, test)
            ]
            _panel(axes, in_panel, colours)
            axes.set_title(f"({next(letters)}) {test} test pairs, {title}", fontsize=LETTERS)
        line[0].set_ylabel("joint Precision@10", fontsize=LETTERS)
    for axes in panels[-1]:
        axes.set_xlabel("pairs that lack an item (%)", fontsize=LETTERS)
    _legends(figure, colours, {row["absent"] for row in rows})
    return figure


def _panel(axes: Axes, rows: Sequence[Mapping], colours: Mapping[str, str]) -> None:
    """Draw the lines of one panel, slightly offset so that their bars do not overlap."""
    lines = list(dict.fromkeys((row["model"], row["absent"]) for row in rows))
    lines = [line for line in lines if line[0] in colours]
    shares = sorted({row["share"] for row in rows})
    step = 0.08 * min(np.diff(shares), default=0.5) * 100 / max(len(lines), 1)
    for i, (model, absent) in enumerate(lines):
        points = sorted(
            (row for row in rows if (row["model"], row["absent"]) == (model, absent)),
            key=lambda row: row["share"],
        )
        axes.errorbar(
            [100 * row["share"] + step * (i - len(lines) / 2) for row in points],
            [row["precision"] for row in points],
            yerr=[row["precision_sd"] or 0 for row in points],
            color=colours[model],
            linestyle=WAYS[absent][0],
            marker="o" if absent != "drop" else "s",
            markersize=2.5,
            linewidth=1,
            elinewidth=0.6,
        )
    chance = [row["precision"] for row in rows if row["model"] == CHANCE]
    if chance:
        low, high = min(chance), max(chance)
        level = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
        axes.axhspan(low, high, color="0.85", linewidth=0.8, zorder=0)
        axes.annotate(
            f"chance {level}", (1, low), xycoords=("axes fraction", "data"), xytext=(0, -2),
            textcoords="offset points", ha="right", va="top", fontsize=LETTERS - 1,
        )  # fmt: skip
        axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    axes.set_xticks([100 * share for share in shares])
    axes.tick_params(labelsize=LETTERS)
    axes.spines[["top", "right"]].set_visible(False)


def _legends(figure: Figure, colours: Mapping[str, str], ways: set[str]) -> None:
    """Add the legends of colours and line styles."""
    models = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    shown = {way: line for way, line in WAYS.items() if way in ways}
    lines = [Line2D([], [], color="0.3", ls=ls, label=name) for ls, name in shown.values()]
    legend(figure, models, 2, "lower left")
    legend(figure, lines, 2, "lower right")
