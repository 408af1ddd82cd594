"""What figures share: the width of a column, the size of letters, and how they are written."""

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from ima.utils.atomic_files import whole_file

#: Width of a column (8.6 cm) and of a page (17.8 cm) in inches, and the size of letters (points).
COLUMN, PAGE, LETTERS = 8.6 / 2.54, 17.8 / 2.54, 7


def save(figure: Figure, *paths: str | Path) -> None:
    """Write a figure in the format of each file's ending, the same bytes for the same figure."""
    for path in paths:
        form = Path(path).suffix.removeprefix(".")
        undated = {"CreationDate": None} if form == "pdf" else None
        with whole_file(path) as temporary, matplotlib.rc_context({"pdf.fonttype": 42}):
            figure.savefig(temporary, format=form, dpi=300, metadata=undated)
