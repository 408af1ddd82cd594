"""Figure for user data: the least and most important items, and random ones, as pictures."""

import logging
import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ima.evaluation.user.least_important import SHOWN, Items, by_importance
from ima.reporting.figures import LETTERS, PAGE

#: Pictures per row, and the gap between them as a fraction of a picture's width.
ACROSS, GAP = 7, 0.12
#: Percentiles of a modality's values drawn as black and white.
RANGE = (1, 99)
#: Titles of the groups of items.
GROUPS = {"least": "least important", "random": "at random", "most": "most important"}

logger = logging.getLogger(__name__)


def contact_sheet(
    items: Mapping[str, Items], shapes: Mapping[str, Sequence[int]], seed: int
) -> Figure:
    """Draw items of each modality as pictures, with one row per modality and a column per group.

    Args:
        items: from `ima.evaluation.user.least_important.items_of`, for at least the modalities in
            `shapes`.
        shapes: for each modality to draw, the rows and columns of its pictures.
        seed: seed for the random items.
    """
    shapes = {m: fitting(items[m].x.shape[1], shape, m) for m, shape in shapes.items()}
    ratios = [_height(shape) for shape in shapes.values()]
    figure = Figure(figsize=(PAGE, sum(ratios)), layout="constrained")
    figure.get_layout_engine().set(wspace=0.05, hspace=0.02)
    panels = figure.subplots(
        len(shapes), len(GROUPS), squeeze=False, gridspec_kw={"height_ratios": ratios}
    )
    for line, (m, shape) in zip(panels, shapes.items(), strict=True):
        group_items = items[m]
        low, high = np.percentile(group_items.x, RANGE)
        for axes, (group, rows) in zip(line, by_importance(group_items, seed).items(), strict=True):
            _panel(axes, group_items.x[rows], shape, (low, high))
            y = group_items.y.mean(0)[rows]
            axes.set_title(
                f"{m}, {GROUPS[group]}: {y.min():.2f} to {y.max():.2f}", fontsize=LETTERS
            )
    return figure


def _height(shape: Sequence[int]) -> float:
    """Return the height in inches of a row of panels with pictures of this shape and its title."""
    (rows, columns), lines = shape, -(-SHOWN // ACROSS)
    gap = max(1, round(GAP * columns))  # in pixels, as in `_panel`
    sheet = (lines * (rows + gap) - gap) / (ACROSS * (columns + gap) - gap)
    return float(np.clip(PAGE / len(GROUPS) * sheet, 0.5, 5)) + 0.3


def fitting(width: int, shape: Sequence[int], name: str) -> tuple[int, int]:
    """Return the shape of a picture if it fits a vector of this width, otherwise a square shape.

    A shape that does not fit is logged rather than raised, so that finished results are not lost.
    A square may have empty pixels.
    """
    if shape[0] * shape[1] == width:
        return int(shape[0]), int(shape[1])
    logger.warning(
        "own.modalities.%s.show.shape: expected numbers whose product is %d, found %s; "
        "items are drawn as squares",
        name,
        width,
        list(shape),
    )
    columns = math.isqrt(width - 1) + 1
    return -(-width // columns), columns


def _panel(axes: Axes, x: np.ndarray, shape: tuple[int, int], limits: tuple[float, float]) -> None:
    """Draw vectors (n, D) as pictures, ACROSS per row."""
    rows, columns = shape
    gap = max(1, round(GAP * columns))
    lines = -(-len(x) // ACROSS)
    sheet = np.full((lines * (rows + gap) - gap, ACROSS * (columns + gap) - gap), np.nan)
    padded = np.full((len(x), rows * columns), np.nan)
    padded[:, : x.shape[1]] = x
    for i, picture in enumerate(padded.reshape(-1, rows, columns)):
        top, left = (i // ACROSS) * (rows + gap), (i % ACROSS) * (columns + gap)
        sheet[top : top + rows, left : left + columns] = picture
    low, high = limits
    axes.imshow(sheet, cmap="gray", vmin=low, vmax=max(high, low + 1e-9), interpolation="nearest")
    axes.set_axis_off()
