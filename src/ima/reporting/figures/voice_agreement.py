"""Figure of the agreement of our voice features with openSMILE, feature by feature."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ima.evaluation.voice_agreement import OPENSMILE, RELATED, Feature, Reference
from ima.reporting.figures import LETTERS, PAGE, dot, legend
from ima.reporting.tables.voice_agreement import SEED, shuffled

#: Colours of matched frames and of the control.
OURS, CONTROL = "#0072b2", "0.75"
#: Maximum number of frames in a panel, and the percentiles that its axes span.
POINTS, SHOWN = 2000, (0.5, 99.5)
#: Panels per row, and their height (inches).
COLUMNS, HEIGHT = 4, 1.75


def agreement(reference: Reference, rows: Sequence[Mapping]) -> Figure:
    """Draw our values over theirs frame by frame, in a panel per feature.

    Grey points are the control, our frames shuffled within each speaker.

    Args:
        reference: result of `ima.evaluation.voice_agreement.against_opensmile`.
        rows: its rows of `ima.reporting.tables.voice_agreement.agreement_table`.
    """
    lines = -(-len(reference.features) // COLUMNS)
    figure = Figure(figsize=(PAGE, 0.75 + HEIGHT * lines), layout="constrained")
    grid = figure.add_gridspec(lines, COLUMNS)
    for i, (feature, row) in enumerate(zip(reference.features, rows, strict=True)):
        axes = figure.add_subplot(grid[divmod(i, COLUMNS)])
        draw = _voicing if feature.column.name == "VUV" else _scatter
        draw(axes, feature)
        axes.set_title(_title(row), fontsize=LETTERS, pad=2.5)
        theirs = feature.counterpart if feature.kind == RELATED else OPENSMILE
        axes.set_xlabel(theirs, fontsize=LETTERS - 1, labelpad=1)
        axes.tick_params(labelsize=LETTERS - 1, width=0.4, length=2, pad=1.5)
        axes.spines[:].set_linewidth(0.4)
    counts = f"{reference.recordings} recordings, {reference.speakers} speakers"
    figure.suptitle(f"{OPENSMILE}: {counts}", fontsize=LETTERS + 2, x=0.01, ha="left")
    figure.supylabel("ima.features.covarep", fontsize=LETTERS)
    control = "ours shuffled within each speaker, a control (in brackets its r)"
    handles = [
        *(dot("frames", OURS), dot(control, CONTROL)),
        Line2D([], [], color="black", linewidth=0.6, label="equal"),
        Line2D([], [], linestyle="", label="* related, not the same"),
    ]
    legend(figure, handles, 4)
    return figure


def _title(row: Mapping) -> str:
    unit = f" [{row['unit']}]" if row["unit"] and row["unit"] != "ratio" else ""
    mark = " *" if row["kind"] == RELATED else ""
    measure = "equal" if row["feature"] == "VUV" else "r"
    value, control = (_short(row[f"agreement{end}"]) for end in ("", "_shuffled"))
    return f"{row['feature']}{unit}{mark}\n{measure} {value} ({control})"


def _short(value: float | None) -> str:
    return "-" if value is None else f"{round(value, 2) + 0.0:.2f}".replace("0.", ".", 1)


def _scatter(axes: Axes, feature: Feature) -> None:
    """Draw frames (a random subset if there are many) on top of the control."""
    rows = np.arange(feature.ours.size)
    if rows.size > POINTS:
        rows = np.random.default_rng(SEED).choice(rows, POINTS, replace=False)
    look = {"s": 1.6, "linewidths": 0, "rasterized": True}
    axes.scatter(feature.theirs[rows], shuffled(feature)[rows], color=CONTROL, **look)
    axes.scatter(feature.theirs[rows], feature.ours[rows], color=OURS, alpha=0.5, **look)
    if not feature.ours.size:
        return
    x, y = (np.percentile(values, SHOWN) for values in (feature.theirs, feature.ours))
    if feature.alike:
        x = y = np.array([min(x[0], y[0]), max(x[1], y[1])])
        axes.axline((x[0], x[0]), slope=1, color="black", linewidth=0.5)
    for limits, (low, high) in ((axes.set_xlim, x), (axes.set_ylim, y)):
        margin = 0.04 * (high - low) or 0.5
        limits(low - margin, high + margin)
    axes.locator_params(nbins=3)


def _voicing(axes: Axes, feature: Feature) -> None:
    """Draw the proportions of frames that each calls voiced, as a two-by-two table."""
    agree = [[(feature.ours == y) & (feature.theirs == x) for x in (0, 1)] for y in (0, 1)]
    cells = np.sum(agree, axis=-1) / max(1, feature.ours.size)  # (2, 2)
    axes.imshow(cells, cmap="Blues", vmin=0, vmax=1, origin="lower", aspect="auto")
    for (y, x), share in np.ndenumerate(cells):
        dark = "white" if share > 0.5 else "black"
        axes.text(x, y, f"{share:.0%}", ha="center", va="center", fontsize=LETTERS, color=dark)
    names = ("unv.", "voiced")
    axes.set_xticks((0, 1), names)
    axes.set_yticks((0, 1), names, rotation=90, va="center")
