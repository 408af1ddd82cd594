"""Settings and output common to all figures: widths, font size and file formats."""

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

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
