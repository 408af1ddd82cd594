"""What figures share: widths, font size, legends, frames and file formats."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ima.utils.atomic_files import whole_file

#: Width of a column (8.6 cm) and of a page (17.8 cm) in inches, and the font size (points).
COLUMN, PAGE, LETTERS = 8.6 / 2.54, 17.8 / 2.54, 7


def save(figure: Figure, *paths: str | Path) -> None:
    """Write a figure in the format given by each file's suffix, with reproducible bytes."""
    for path in paths:
        form = Path(path).suffix.removeprefix(".")
        undated = {"CreationDate": None} if form == "pdf" else None
        with whole_file(path) as temporary, matplotlib.rc_context({"pdf.fonttype": 42}):
            figure.savefig(temporary, format=form, dpi=300, metadata=undated)


def dot(label: str, colour: str, marker: str = "o", **style) -> Line2D:
    """Return the legend entry of a marker."""
    style = {"markersize": 3.2} | style
    return Line2D([], [], linestyle="", marker=marker, color=colour, label=label, **style)


def legend(
    figure: Figure, handles: Sequence[Line2D], columns: int, place: str = "lower center", **style
) -> None:
    """Add a legend below the panels of a figure with constrained layout."""
    style = {"fontsize": LETTERS, "title_fontsize": LETTERS, "frameon": False} | style
    figure.legend(handles=handles, loc=f"outside {place}", ncols=columns, **style)


def bare(axes: Axes, title: str) -> None:
    """Show a map without ticks: equal scales, thin spines and a title."""
    axes.set(xticks=(), yticks=())
    axes.set_aspect("equal", adjustable="datalim")
    axes.spines[:].set_linewidth(0.4)
    axes.set_title(title, fontsize=LETTERS, pad=2.5)
