"""Figure of IMA and its peers on user data (`ima.reporting.user.compare`)."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from ima.evaluation.item_errors import INTERVAL
from ima.reporting.figures import LETTERS, PAGE
from ima.utils.errors import InputError

#: Columns of the table that are drawn, and their axes' labels; axes of costs begin at 0.
SHOWN = {
    "precision": "joint Precision@{k}",
    "accuracy": "accuracy",
    "cpu_seconds": "CPU seconds of training",
    "mem_mb": "peak memory (MB)",
}
COSTS = ("cpu_seconds", "mem_mb")
#: Colours of IMA's representations and of its peers.
IMA, PEER = "#0072b2", "0.45"


def draw(rows: Sequence[Mapping], ima: str) -> Figure:
    """Draw scores and costs of each method.

    Bars are the standard deviation over seeds or, with one seed, the 95 % interval over items.

    Args:
        rows: rows of `ima.reporting.user.compare.compare_table` of one latent size.
        ima: label of IMA, with which its methods begin.

    Raises:
        InputError: there are no rows.
    """
    if not rows:
        raise InputError("comparison", expected="methods to draw", found="none")
    shown = [name for name in SHOWN if any(row.get(name) is not None for row in rows)]
    figure = Figure(figsize=(PAGE, 0.7 + 0.2 * len(rows)), layout="constrained")
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, name, letter in zip(panels, shown, "abcd", strict=False):
        for place, row in enumerate(rows):
            if row.get(name) is not None:
                colour = IMA if row["method"].startswith(f"{ima}, ") else PEER
                deviation = row.get(f"{name}_sd") or row.get(f"{name}{INTERVAL}")
                axes.errorbar(
                    row[name], place, xerr=deviation, fmt="o", color=colour, ms=3.2, lw=0.8
                )
        if name in COSTS:
            axes.set_xlim(0, 1.05 * axes.dataLim.xmax)
        label = SHOWN[name].format(k=rows[0]["k"])
        axes.set_xlabel(f"({letter}) {label}", fontsize=LETTERS)
        axes.grid(axis="y", lw=0.3)
        axes.tick_params(labelsize=LETTERS)
    panels[0].set_yticks(range(len(rows)), [row["method"] for row in rows])
    panels[0].invert_yaxis()
    return figure
