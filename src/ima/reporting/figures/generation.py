"""Figure of modalities generated from each other (`ima.evaluation.generation`)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ima.reporting.figures import LETTERS, PAGE

#: Height of a row of pictures in inches, and gap between pictures as a fraction of their width.
ROW, GAP = 0.34, 0.08
#: Colour maps of images, and of coefficients over time.
IMAGES, FRAMES = "gray", "viridis"
#: Labels of the rows that are not generated.
GIVEN, REAL = "given", "real, same pair"

#: Label of a row, and its pictures (n, height, width).
Row = tuple[str, np.ndarray]


def pictures(x: np.ndarray, coefficients: int | None) -> np.ndarray:
    """Return vectors (n, D) as pictures (n, height, width) with values in [0, 1].

    Args:
        x: square images, row by row, or speech, frame by frame.
        coefficients: number of coefficients per frame, lowest at the bottom of the picture; None
            for images.
    """
    if coefficients is None:
        side = round(x.shape[1] ** 0.5)
        return x.reshape(-1, side, side)
    return x.reshape(len(x), -1, coefficients).transpose(0, 2, 1)[:, ::-1]


def draw(blocks: Mapping[str, Sequence[Row]], classes: Sequence[object], title: str) -> Figure:
    """Draw rows of given, real and generated items, with a column per class.

    Args:
        blocks: by title, rows of pictures; all blocks have the same labels of rows.
        classes: label of each column.
        title: title of the figure.
    """
    rows = max(len(block) for block in blocks.values())
    figure = Figure(figsize=(PAGE, ROW * rows + 0.5), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.005, wspace=0.01, hspace=0.01)
    figure.suptitle(title, fontsize=LETTERS)
    panels = figure.subplots(rows, len(blocks), squeeze=False)
    for column, (heading, block) in zip(panels.T, blocks.items(), strict=True):
        for axes, (label, sheet) in zip(column, block, strict=True):
            middles = _strip(axes, sheet)
            if axes in panels[:, 0]:
                axes.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=LETTERS)
        column[0].set_title(heading, fontsize=LETTERS)
        column[-1].set_xticks(middles, [str(c) for c in classes], fontsize=LETTERS)
    return figure


def _strip(axes: Axes, sheet: np.ndarray) -> np.ndarray:
    """Draw pictures (n, height, width) side by side and return the middle of each (n,)."""
    count, height, width = sheet.shape
    gap = max(1, round(GAP * width))
    strip = np.full((height, count, width + gap), np.nan)
    strip[..., :width] = sheet.transpose(1, 0, 2)
    colours = IMAGES if height == width else FRAMES
    axes.imshow(
        strip.reshape(height, -1)[:, :-gap],
        cmap=colours,
        vmin=0,
        vmax=1,
        aspect="auto",
        interpolation="nearest",
    )
    axes.set(xticks=(), yticks=())
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return np.arange(count) * (width + gap) + (width - 1) / 2
