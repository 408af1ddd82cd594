"""Figures 3 and 5: utterances with words shaded by importance, and t-SNE of words and voices."""

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ima.reporting.figures import COLUMN, LETTERS, PAGE, bare, dot
from ima.reporting.figures.palettes import PAPER, SHADES, Palette
from ima.utils.emotions import CLASSES, EMOTIONS
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import NOT_EMOTIONAL

#: Minimum and maximum number of tokens of an utterance in Figure 3.
LENGTHS = (7, 14)
#: Categories that are not emotional.
NOT_MARKED = ("neutral", "other", NOT_EMOTIONAL)
#: Importance above which a word is written in white.
DARK = 0.65


def choose(
    utterances: Sequence[Mapping], classes: Sequence[str] = CLASSES
) -> list[tuple[Mapping, str]]:
    """Return the utterances of Figure 3, chosen by rule, each with the reason for the choice.

    Candidates are the validation utterances with LENGTHS tokens and known importances. For each
    class, the one with the median range of verbal importances is chosen (the lower median; ties go
    to the first id); from all others, the one with the largest range. For the paper's four classes
    these are five.

    Args:
        utterances: mappings with `id`, `label`, `split` and `verbal`, the importances of its words,
            None for a word without one.
        classes: the run's classes.

    Raises:
        InputError: a class has no candidate, or no candidate is left for the last choice.
    """
    fitting = []
    for item in utterances:
        known = [y for y in item["verbal"] if y is not None]
        fits = LENGTHS[0] <= len(item["verbal"]) <= LENGTHS[1]
        if item["split"] == "validation" and known and fits:
            fitting.append((max(known) - min(known), item["id"], item))
    fitting.sort(key=lambda row: row[:2])
    chosen = []
    for name in classes:
        in_class = [item for _, _, item in fitting if item["label"] == EMOTIONS.index(name)]
        if not in_class:
            raise InputError("Figure 3", expected=f"a validation utterance of {name}", found="none")
        chosen.append((in_class[(len(in_class) - 1) // 2], f"{name}: median range of importances"))
    chosen_ids = {item["id"] for item, _ in chosen}
    remaining = [item for _, _, item in fitting if item["id"] not in chosen_ids]
    if not remaining:
        expected = f"{len(chosen_ids) + 1} validation utterances"
        raise InputError("Figure 3", expected=expected, found=len(chosen_ids))
    widest, title = remaining[-1], "greatest range of importances"
    if widest["label"] >= 0:
        title = f"{EMOTIONS[widest['label']]}: {title}"
    return [*chosen, (widest, title)]


def figure3(chosen: Sequence[tuple[Mapping, str]], corpus: str) -> Figure:
    """Draw Figure 3: words shaded light to dark with importance, voices in a strip (6.1).

    A token without a vector has a dashed frame.

    Args:
        chosen: utterances from `choose`; mappings with `label`, `speaker`, and `tokens`, `verbal`
            and `acoustic` with one entry per token, None for a token without a vector.
        corpus: description of the data, written on the figure.
    """
    figure = Figure(figsize=(PAGE, 0.62 * len(chosen) + 0.55), layout="constrained")
    rows = figure.subplots(len(chosen), 1, squeeze=False)[:, 0]
    colours = ScalarMappable(Normalize(0, 1), SHADES)
    widest = max(sum(map(_width, item["tokens"])) for item, _ in chosen)
    for axes, (item, why) in zip(rows, chosen, strict=True):
        _utterance(axes, item, colours)
        axes.set(xlim=(0, widest), ylim=(-0.05, 1.05))
        axes.set_title(why, loc="left", fontsize=LETTERS, pad=2)
    bar = figure.colorbar(colours, ax=list(rows), fraction=0.02, pad=0.01, aspect=30)
    bar.set_label("importance\nword: box, voice: strip", fontsize=LETTERS)
    figure.supxlabel(corpus, fontsize=LETTERS)
    bar.ax.tick_params(labelsize=LETTERS, width=0.5, length=2)
    return figure


def _utterance(axes: Axes, item: Mapping, colours: ScalarMappable) -> None:
    """Draw one utterance's words from left to right, in boxes proportional to their length."""
    left = 0.0
    for token, y, voice in zip(item["tokens"], item["verbal"], item["acoustic"], strict=True):
        width = _width(token)
        for value, bottom, height in ((y, 0.38, 0.62), (voice, 0.0, 0.26)):
            face = "white" if value is None else colours.to_rgba(value)
            box = matplotlib.patches.Rectangle(
                (left, bottom), width - 0.25, height, facecolor=face, edgecolor="0.5",
                linewidth=0.3, linestyle=(0, (3, 3)) if value is None else "-",
            )  # fmt: skip
            axes.add_patch(box)
        dark = y is not None and y > DARK
        axes.text(
            left + (width - 0.25) / 2, 0.69, token, ha="center", va="center",
            fontsize=LETTERS + 1, color="white" if dark else "black",
        )  # fmt: skip
        left += width
    axes.axis("off")


def _width(token: str) -> float:
    return len(token) + 1.6


def figure5(embeddings: pa.Table, corpus: str, palette: Palette = PAPER) -> Figure:
    """Draw Figure 5: t-SNE of words and voices, by emotion and by importance (6.3).

    Panels: words by emotion category (a) and importance (b), voices by emotion (c) and importance
    (d). Emotional points are drawn on top of the others.

    Args:
        embeddings: table of EMBEDDINGS_EMOTION with the views `verbal` and `acoustic`.
        corpus: description of the data, written on the figure.
        palette: the colours.

    Raises:
        InputError: a view is missing.
    """
    figure = Figure(figsize=(COLUMN, 4.1), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.035, wspace=0.02, hspace=0.02)
    panels = figure.subplots(2, 2)
    names = {"verbal": "words", "acoustic": "voices"}
    for row, letters, (view, name) in zip(panels, ("ab", "cd"), names.items(), strict=True):
        points = embeddings.filter(pc.equal(embeddings["view"], view))
        if not len(points):
            raise InputError("embeddings", expected=f"a view '{view}'", found="none")
        _by_category(row[0], points, f"({letters[0]}) {name}, emotion", palette)
        drawn = _by_importance(row[1], points, f"({letters[1]}) {name}, importance", palette)
    bar = figure.colorbar(drawn, ax=list(panels[:, 1]), location="bottom", fraction=0.03, pad=0.02)
    bar.set_ticks([0, 0.5, 1], labels=["0", ".5", "1"])
    bar.ax.tick_params(labelsize=LETTERS, width=0.5, length=2)
    bar.set_label("importance", fontsize=LETTERS)
    figure.suptitle(textwrap.fill(corpus, 60, break_on_hyphens=False), fontsize=LETTERS)
    return figure


def _xy(points: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    return points["x"].to_numpy(), points["y"].to_numpy()


def _by_category(axes: Axes, points: pa.Table, title: str, palette: Palette) -> None:
    x, y = _xy(points)
    categories = np.array(points["category"].to_pylist())
    # Points without emotion are smaller and drawn first; the others are in random order.
    plain = np.isin(categories, NOT_MARKED)
    marked = np.random.default_rng(0).permutation(np.flatnonzero(~plain))
    for rows, style in (
        (np.flatnonzero(plain), {"s": 2, "edgecolors": "none"}),
        (marked, {"s": 4, "edgecolors": "0.25"}),
    ):
        colours = [palette.emotions[name] for name in categories[rows]]
        axes.scatter(x[rows], y[rows], c=colours, linewidths=0.1, rasterized=True, **style)
    order = [name for name in palette.emotions if name in set(categories.tolist())]
    edge = {"markersize": 3, "markeredgecolor": "0.25", "markeredgewidth": 0.2}
    handles = [dot(name, palette.emotions[name], **edge) for name in order]
    axes.legend(
        handles=handles, fontsize=LETTERS - 1.5, frameon=False, loc="upper center", ncols=3,
        bbox_to_anchor=(0.5, 0.0), handletextpad=0.1, columnspacing=0.6, borderpad=0.1,
    )  # fmt: skip
    bare(axes, title)


def _by_importance(axes: Axes, points: pa.Table, title: str, palette: Palette):
    importance = points["importance"].to_numpy()
    order = np.argsort(importance)
    x, y = _xy(points)
    drawn = axes.scatter(
        x[order], y[order], s=3, c=importance[order], cmap=palette.importance, vmin=0, vmax=1,
        linewidths=0.1, edgecolors="0.25", rasterized=True,
    )  # fmt: skip
    bare(axes, title)
    return drawn
