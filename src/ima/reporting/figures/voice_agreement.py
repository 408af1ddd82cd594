"""Figure of the agreement of our voice features with other software, feature by feature."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from ima.evaluation.voice_agreement import RELATED, TOOLBOX, Feature, Reference
from ima.reporting.figures import LETTERS, PAGE
from ima.reporting.tables.voice_agreement import SEED, shuffled

#: Colours of matched frames and of the control.
OURS, CONTROL = "#0072b2", "0.75"
#: Maximum number of frames in a panel, and the percentiles that its axes span.
POINTS, SHOWN = 2000, (0.5, 99.5)
#: Panels per row, and their height (inches), by reference.
COLUMNS = {TOOLBOX: 6}
HEIGHTS = {TOOLBOX: 1.25}
#: Prefixes of groups of similar columns, which share one panel with one point per column.
MANY = ("HMPDM", "HMPDD")


def agreement(references: Sequence[Reference], rows: Sequence[Mapping]) -> Figure:
    """Draw our values over theirs frame by frame: a block per reference, a panel per feature.

    Grey points are the control, our frames shuffled within each speaker. HMPDM and HMPDD share a
    panel, which shows their agreement (filled) and its control (hollow) by coefficient.

    Args:
        references: references from `ima.evaluation.voice_agreement`.
        rows: their rows of `ima.reporting.tables.voice_agreement.agreement_table`, in its order.
    """
    parts = [_single(reference) for reference in references]
    heights = [
        0.45 + _height(one) * _rows(one, part) + 1.5 * (len(part) < len(one.features))
        for one, part in zip(references, parts, strict=True)
    ]
    figure = Figure(figsize=(PAGE, sum(heights) + 0.3), layout="constrained")
    blocks = figure.subfigures(len(references), 1, height_ratios=heights, squeeze=False)[:, 0]
    for block, one, part in zip(blocks, references, parts, strict=True):
        own = {row["feature"]: row for row in rows if row["reference"] == one.name}
        _block(block, one, part, own)
    control = "ours shuffled within each speaker, a control (in brackets its r)"
    looks = ((OURS, "frames"), (CONTROL, control))
    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=3, color=colour, label=label)
        for colour, label in looks
    ]
    handles.append(Line2D([], [], color="black", linewidth=0.6, label="equal"))
    handles.append(Line2D([], [], linestyle="", label="* related, not the same"))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=LETTERS
    )
    return figure


def _single(reference: Reference) -> list[Feature]:
    """Return the features that have their own panel."""
    return [f for f in reference.features if not f.column.name.startswith(MANY)]


def _columns(reference: Reference) -> int:
    return COLUMNS.get(reference.name, 4)


def _height(reference: Reference) -> float:
    return HEIGHTS.get(reference.name, 1.75)


def _rows(reference: Reference, part: Sequence[Feature]) -> int:
    return -(-len(part) // _columns(reference))


def _block(
    block: SubFigure, one: Reference, part: Sequence[Feature], rows: Mapping[str, Mapping]
) -> None:
    """Draw the panels of one reference."""
    speakers = f", {one.speakers} speakers" if one.speakers else ""
    block.suptitle(
        f"{one.name}: {one.recordings} recordings{speakers}",
        fontsize=LETTERS + 2,
        x=0.01,
        ha="left",
    )
    many = [f.column.name for f in one.features if f.column.name.startswith(MANY)]
    count, width = _rows(one, part), _columns(one)
    grid = block.add_gridspec(
        count + bool(many), width, height_ratios=[_height(one)] * count + [1.5] * bool(many)
    )
    for i, feature in enumerate(part):
        axes = block.add_subplot(grid[divmod(i, width)])
        draw = _voicing if feature.column.name == "VUV" else _scatter
        draw(axes, feature)
        axes.set_title(_title(rows[feature.column.name]), fontsize=LETTERS, pad=2.5)
        if feature.kind == RELATED:
            axes.set_xlabel(feature.counterpart, fontsize=LETTERS - 1, labelpad=1)
        _plain(axes)
    if many:
        _by_coefficient(block.add_subplot(grid[count, :]), rows, many)
    block.supxlabel(one.name, fontsize=LETTERS)
    block.supylabel("ima.features.covarep", fontsize=LETTERS)


def _title(row: Mapping) -> str:
    unit = f" [{row['unit']}]" if row["unit"] and row["unit"] != "ratio" else ""
    other = " *" if row["kind"] == RELATED else ""
    measure = "equal" if row["feature"] == "VUV" else "r"
    value, control = (_short(row[f"agreement{end}"]) for end in ("", "_shuffled"))
    return f"{row['feature']}{unit}{other}\n{measure} {value} ({control})"


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
    """Draw the shares of frames that each calls voiced, as a two-by-two table."""
    both = [[(feature.ours == y) & (feature.theirs == x) for x in (0, 1)] for y in (0, 1)]
    cells = np.sum(both, axis=-1) / max(1, feature.ours.size)  # (2, 2)
    axes.imshow(cells, cmap="Blues", vmin=0, vmax=1, origin="lower", aspect="auto")
    for (y, x), share in np.ndenumerate(cells):
        dark = "white" if share > 0.5 else "black"
        axes.text(x, y, f"{share:.0%}", ha="center", va="center", fontsize=LETTERS, color=dark)
    names = ("unv.", "voiced")
    axes.set_xticks((0, 1), names)
    axes.set_yticks((0, 1), names, rotation=90, va="center")


def _by_coefficient(axes: Axes, rows: Mapping[str, Mapping], names: Sequence[str]) -> None:
    """Draw the agreement of a group of similar columns, and its control, by coefficient."""
    for place, name in enumerate(names):
        for end, face in (("_shuffled", "none"), ("", OURS)):
            value = rows[name][f"agreement{end}"]
            if value is not None:
                axes.plot(place, value, "o", markersize=3, color=OURS, markerfacecolor=face)
    # There is room for the number of every third coefficient.
    parts = [name.split("_") for name in names]
    axes.set_xticks(range(len(names)), ["" if int(n) % 3 else n for _, n in parts])
    for kind in MANY:
        places = [i for i, (name, _) in enumerate(parts) if name == kind]
        if places:
            axes.text(np.mean(places), 0.5, kind, fontsize=LETTERS, ha="center")
    axes.set(ylim=(-0.25, 1.1), xlim=(-1, len(names)))
    axes.grid(axis="y", color="0.9")
    axes.set_title(
        "HMPDM (of angles) and HMPDD by coefficient: r, hollow: control", fontsize=LETTERS, pad=2.5
    )
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.tick_params(labelsize=LETTERS - 1, width=0.4, length=2, pad=1.5)
    axes.spines[:].set_linewidth(0.4)
