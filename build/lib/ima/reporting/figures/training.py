"""Figures of training: convergence of the models, and cost by number of modalities."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from ima.reporting.figures import legend

#: Colours, safe for colour-blind readers, and markers of the models in order.
COLOURS = ("black", "#0072b2", "#56b4e9", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
MARKS = ("o", "s", "^", "D", "v", "P", "X")
#: Lower limit of the logarithmic axis.
LEAST = 1e-3
#: Panels of the cost figure: column of Table 4, and title.
PANELS = {
    "sub_networks": "sub-networks",
    "loss_terms": "terms of the loss, a sample",
    "microseconds": "training time, CPU µs a sample",
}


def convergence(histories: Mapping[str, Mapping[int, Sequence[Sequence[float]]]]) -> Figure:
    """Draw the decrease of each model's validation loss, with one panel per latent size.

    As losses of different models are not comparable, each is drawn as the share of its total
    decrease that remains: 1 after the first epoch, and 0 (off the logarithmic axis) at the epoch
    with the lowest loss, whose weights are kept. A marker on the lower edge shows that epoch.

    Args:
        histories: by model and latent size, for each seed the validation loss after each epoch.
    """
    latents = list(dict.fromkeys(latent for of in histories.values() for latent in of))
    figure = Figure(figsize=(3.6 * len(latents), 3.2), layout="constrained")
    panels = figure.subplots(1, len(latents), sharey=True, squeeze=False)[0]
    for axes, latent in zip(panels, latents, strict=True):
        for i, (name, of) in enumerate(histories.items()):
            _falls(axes, of.get(latent, ()), name, COLOURS[i % len(COLOURS)], MARKS[i % len(MARKS)])
        axes.set(yscale="log", xlabel="epoch", title=f"latent size {latent}", ylim=(LEAST, 1.2))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("share of the fall of the\nvalidation loss still to come")
    columns = 3 if len(latents) > 1 else 2  # two fit the width of a single panel
    legend(figure, panels[0].get_legend_handles_labels()[0], columns, fontsize=8)
    return figure


def _falls(
    axes: Axes, losses: Sequence[Sequence[float]], name: str, colour: str, mark: str
) -> None:
    """Draw one model's curves, one per seed."""
    for i, of_seed in enumerate(losses):
        share = remaining(of_seed)
        epochs, best = np.arange(1, len(share) + 1), int(np.argmin(share))
        label = {"label": name} if i == 0 else {}
        shown = np.where(share > 0, share, np.nan)
        axes.plot(epochs, shown, color=colour, linewidth=0.9, alpha=0.8, **label)
        axes.plot(best + 1, LEAST, mark, color=colour, markersize=4, clip_on=False, alpha=0.8)


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
    names = list(dict.fromkeys(row["model"] for row in rows))
    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    for axes, (column, title) in zip(figure.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        for i, name in enumerate(names):
            own = [row for row in rows if row["model"] == name]
            axes.plot(
                [row["modalities"] for row in own],
                [row[column] for row in own],
                color=COLOURS[i % len(COLOURS)],
                marker=MARKS[i % len(MARKS)],
                markersize=3 if i else 6,  # IMA, the first, stays visible below other markers
                markerfacecolor=COLOURS[i % len(COLOURS)] if i else "none",
                linewidth=1,
                linestyle="--" if "a subset" in name else "-",
                label=name,
            )
        counts = sorted({row["modalities"] for row in rows})
        axes.set(yscale="log", xlabel="modalities M", title=title, xticks=counts)
        axes.title.set_fontsize(9)
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.spines[["top", "right"]].set_visible(False)
    legend(figure, axes.get_legend_handles_labels()[0], 3, fontsize=8)
    return figure
