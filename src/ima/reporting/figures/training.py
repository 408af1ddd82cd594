"""Figures of training: convergence of the models, and cost by number of modalities."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullFormatter

from ima.reporting.figures import LETTERS, PAGE, legend
from ima.reporting.figures.palettes import model_colours, model_marks

#: Lower limit of the logarithmic axis.
LOWEST = 1e-3
#: Panels of the cost figure: column of Table 4, and title.
PANELS = {
    "sub_networks": "sub-networks",
    "loss_terms": "loss terms per sample",
    "microseconds": "training time per sample (CPU µs)",
}


def convergence(histories: Mapping[str, Mapping[int, Sequence[Sequence[float]]]]) -> Figure:
    """Draw the decrease of each model's validation loss, with one panel per latent size.

    As losses of different models are not comparable, each is drawn as the proportion of its
    total decrease that remains: 1 after the first epoch, and 0 (off the logarithmic axis) at the
    epoch with the lowest loss, whose weights are kept. A mark below the line shows that epoch.

    Args:
        histories: by model and latent size, for each seed the validation loss after each epoch.
    """
    latents = list(
        dict.fromkeys(latent for by_latent in histories.values() for latent in by_latent)
    )
    figure = Figure(figsize=(PAGE * len(latents) / 2, 2.9), layout="constrained")
    panels = figure.subplots(1, len(latents), sharey=True, squeeze=False)[0]
    colours, marks = model_colours(histories), model_marks(histories)
    looks = [(name, colours[name], marks[name]) for name in colours]
    for axes, latent in zip(panels, latents, strict=True):
        axes.axhline(LOWEST, color="0.6", linewidth=0.5)
        rows = LOWEST / 1.4 ** np.arange(1, len(looks) + 2)
        for (name, colour, mark), row in zip(looks, rows, strict=False):
            _falls(axes, histories[name].get(latent, ()), (colour, mark), row)
        _frame(axes, f"latent size {latent}", "epoch")
        axes.set(ylim=(rows[-1], 1.2), yticks=[LOWEST, 0.01, 0.1, 1])
        axes.minorticks_off()
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].set_ylabel("remaining part of the fall\nof the validation loss", fontsize=LETTERS)
    handles = [
        Line2D([], [], color=colour, marker=mark, markersize=4, linewidth=0.9, label=name)
        for name, colour, mark in looks
    ]
    legend(figure, handles, 3 if len(latents) > 1 else 2)  # two fit the width of a single panel
    return figure


def _frame(axes: Axes, title: str, xlabel: str) -> None:
    """Give a panel its logarithmic axis, its texts and their size."""
    axes.set_yscale("log")
    axes.set_title(title, fontsize=LETTERS + 1)
    axes.set_xlabel(xlabel, fontsize=LETTERS)
    axes.tick_params(labelsize=LETTERS, width=0.5)
    axes.spines[["top", "right"]].set_visible(False)


def _falls(
    axes: Axes, losses: Sequence[Sequence[float]], look: tuple[str, str], row: float
) -> None:
    """Draw one model's curves, one per seed, and marks of their minima in a row of their own."""
    colour, mark = look
    for of_seed in losses:
        share = remaining(of_seed)
        epochs, best = np.arange(1, len(share) + 1), int(np.argmin(share))
        shown = np.maximum(share, LOWEST)  # the minimum is on the line, not a gap
        axes.plot(epochs, shown, color=colour, linewidth=0.9, alpha=0.8)
        axes.plot(best + 1, row, mark, color=colour, markersize=3.5, alpha=0.8)


def remaining(losses: Sequence[float]) -> np.ndarray:
    """Return (loss - lowest) / (first - lowest) for each epoch; 0 if the loss never decreases."""
    losses = np.asarray(losses, float)
    fall = losses[0] - losses.min()
    return (losses - losses.min()) / fall if fall > 0 else np.zeros(len(losses))


def complexity(rows: Sequence[Mapping]) -> Figure:
    """Draw the growth of models with the number of modalities: sub-networks, loss terms, time.

    Args:
        rows: rows of Table 4 whose `setting` is `equal`.
    """
    colours, marks = (of([row["model"] for row in rows]) for of in (model_colours, model_marks))
    figure = Figure(figsize=(PAGE, 2.9), layout="constrained")
    for axes, (column, title) in zip(figure.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        for i, (name, colour) in enumerate(colours.items()):
            points = [row for row in rows if row["model"] == name]
            axes.plot(
                [row["modalities"] for row in points],
                [row[column] for row in points],
                color=colour,
                marker=marks[name],
                markersize=3 if i else 6,  # IMA, the first, stays visible below other markers
                markerfacecolor=colour if i else "none",
                linewidth=1,
                linestyle="--" if "per subset" in name else "-",
                label=name,
            )
        counts = sorted({row["modalities"] for row in rows})
        axes.set_xticks(counts)
        _frame(axes, title, "modalities M")
        axes.yaxis.set_minor_formatter(NullFormatter())
    legend(figure, axes.get_legend_handles_labels()[0], 3)
    return figure
