"""Figures 2 and 4: hidden layers of importance networks, and representations."""

import string
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ima.pairing.by_label import has_noise
from ima.reporting.figures import COLUMN, LETTERS, bare, dot, legend
from ima.reporting.figures.palettes import MODALITIES, PAPER, Palette, lighter
from ima.utils.errors import InputError

#: Title of the joint view in Figure 4.
JOINT = {"z": "joint"}
#: Default names of the classes.
DIGITS = tuple(map(str, range(10)))
#: Maximum number of classes that a legend names.
MAX_NAMED = 20
#: Colour of unlabelled items where others have a class.
UNLABELLED = "white"
#: Importance below which an item counts as noise (5.2).
THRESHOLD = 0.5
#: Markers of the modalities, in order, when several are superimposed.
MARKS = "o^sDvP*"
#: Spacing of legends.
TIGHT = {"handletextpad": 0.1, "columnspacing": 0.8, "borderpad": 0.1}


def figure2(
    embeddings: pa.Table,
    importances: Mapping[str, np.ndarray],
    classes: Sequence[str] = DIGITS,
    noise: bool = True,
    palette: Palette = PAPER,
    scale: bool = False,
    title: str = "",
) -> Figure:
    """Draw Figure 2: t-SNE of the importance networks' top hidden layers for test items (6.1).

    Each modality has a row of panels, in the order of the table. Items are coloured by class, with
    true noise in grey (a, c), and by the network's output (b, d), where an importance below 1/2
    counts as noise. If noise is known, the title gives the proportion of misclassified items.

    Args:
        embeddings: table of `ima.utils.schemas.EMBEDDINGS` with a view `hidden_<modality>` for
            each modality.
        importances: by modality, importances in [0, 1] of its items in all test pairs (M,).
        classes: names of the labels, in order; may be empty.
        noise: whether noise labels are known; without them and without classes, the first panel is
            omitted.
        palette: the colours.
        scale: whether to add a panel with the importances themselves.
        title: name of the model.

    Raises:
        InputError: there is no such view.
    """
    views = [v for v in embeddings["view"].unique().to_pylist() if v.startswith("hidden_")]
    if not views:
        raise InputError("embeddings", expected="views hidden_<modality>", found="none")
    called = _class_noun(classes)
    known = bool(classes or noise)
    figure, panels = _grid(len(views), 1 + known + scale, title)
    for row, view in zip(panels, views, strict=True):
        points, name = _view(embeddings, view), view.removeprefix("hidden_")
        y, free = importances[name][points["pair"]], [*row]
        if known:
            colours = by_class(points["label"], points["noise"] & noise, palette, len(classes))
            _scatter(free.pop(0), points, colours, f"{name}, {called if classes else 'noise'}")
        flagged = y < THRESHOLD
        colours = np.where(flagged, palette.noise, palette.rest)  # predicted, not true, noise
        error = f", {100 * np.mean(flagged != points['noise']):.1f} % wrong" if noise else ""
        _scatter(free.pop(0), points, colours, f"{name}, output{error}")
        if scale:
            _scatter(free[0], points, palette.importance(y), f"{name}, importance")
            _colour_bar(figure, free[0], palette)
    if known:
        heading = f"left panels: {called}" if classes else "left panels"
        unlabelled = any((_view(embeddings, view)["label"] < 0).any() for view in views)
        _class_legend(figure, classes, heading, noise, palette, unlabelled)
    handles = [dot("noise (y < .5)", palette.noise), dot("rest", palette.rest)]
    legend(figure, handles, 1, "lower right", title="output", **TIGHT)
    return figure


def _colour_bar(figure: Figure, axes: Axes, palette: Palette) -> None:
    """Add the scale of importances to a panel."""
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), palette.importance), ax=axes, aspect=30)
    bar.ax.tick_params(labelsize=LETTERS)


def figure4(
    embeddings: pa.Table,
    classes: Sequence[str] = DIGITS,
    noise: bool = True,
    palette: Palette = PAPER,
    title: str = "",
) -> Figure:
    """Draw Figure 4: t-SNE of unimodal and joint representations of test pairs (6.3).

    All panels share the axes of one t-SNE, so that they can be superimposed. Panel (a) shows the
    items of all modalities, with a marker for each modality and noise in grey, and (b) the joint
    representations of pairs, coloured by class. If noise is known, (c) highlights the first
    modality's noise among that modality's items, and (d) highlights the joint representations of
    pairs with such noise, edged in the colour of their class, among those of all pairs.

    Args:
        embeddings: table of `ima.utils.schemas.EMBEDDINGS` with the view `z` and a view
            `u_<modality>` for each modality.
        classes: names of the labels, in order; if empty, modalities are coloured instead.
        noise: whether noise labels are known.
        palette: the colours.
        title: name of the model.

    Raises:
        InputError: a view is missing.
    """
    unimodal = [v for v in embeddings["view"].unique().to_pylist() if v.startswith("u_")]
    if not unimodal:
        raise InputError("embeddings", expected="views u_<modality>", found="none")
    names = [v.removeprefix("u_") for v in unimodal]
    points = [_view(embeddings, v) for v in unimodal]
    joint, first = _view(embeddings, "z"), names[0]
    figure, panels = _grid(1 + noise, 2, title)
    plain = [MODALITIES[i % len(MODALITIES)] for i in range(len(names))]  # used without classes
    for i, view in enumerate(points):
        colours = by_class(view["label"], view["noise"] & noise, palette, len(classes), plain[i])
        _scatter(panels[0, 0], view, colours, "unimodal", marker=MARKS[i % len(MARKS)])
    digits = by_class(joint["label"], False, palette, len(classes))
    _scatter(panels[0, 1], joint, digits, JOINT["z"])
    if noise:
        noisy = has_noise(joint["pair_type"], first)
        below = by_class(points[0]["label"], False, palette, len(classes), plain[0])
        _highlight(panels[1, 0], points[0], below, points[0]["noise"], f"{first} noise, {first}",
              palette)  # fmt: skip
        _highlight(panels[1, 1], joint, digits, noisy, f"{first} noise, joint", palette, edged=True)
    _same_axes(panels, [*points, joint])
    if classes:
        unlabelled = any((view["label"] < 0).any() for view in points)
        _class_legend(figure, classes, _class_noun(classes), noise, palette, unlabelled)
    handles = [
        dot(name, "0.3" if classes else plain[i], MARKS[i % len(MARKS)])
        for i, name in enumerate(names)
    ]
    handles += [dot(f"{first} noise", palette.noise)] if noise else []
    legend(figure, handles, 1, "lower right", **TIGHT)
    return figure


def by_class(
    labels: np.ndarray,
    noise: np.ndarray | bool,
    palette: Palette = PAPER,
    classes: int = 10,
    alone: str | None = None,
) -> np.ndarray:
    """Return the colours (n,) of items by class (n,), with noise (n,) in grey.

    Without classes, all items except noise have the colour `alone`. Items without a label
    (negative) are UNLABELLED.
    """
    known = palette.of_classes(classes) if classes else [alone or palette.rest]
    colours = np.array(known)[labels if classes else 0 * labels]
    if classes and (labels < 0).any():
        colours = np.where(labels < 0, UNLABELLED, colours)
    return np.where(noise, palette.among_classes, colours)


def _class_noun(classes: Sequence[str]) -> str:
    return "digits" if tuple(classes) == DIGITS else "classes"


def _class_legend(
    figure: Figure,
    classes: Sequence[str],
    title: str,
    noise: bool,
    palette: Palette,
    unlabelled: bool = False,
) -> None:
    """Add the legend of classes: ten in two rows, as in the paper; none for too many classes."""
    colours = palette.of_classes(len(classes)) if classes else []
    grey = [dot("noise", palette.among_classes)] if noise else []
    if unlabelled and classes:
        grey.append(dot("no label", UNLABELLED, markeredgecolor="0.25", markeredgewidth=0.4))
    if len(classes) > MAX_NAMED:
        legend(figure, grey, 1, "lower left", title=f"{len(classes)} classes by hue", **TIGHT)
        return
    title += ", or noise" if noise and classes else ""
    order, columns = range(len(classes)), 6
    if len(classes) == 10:
        order = [i for column in range(5) for i in (column, column + 5)]
    if max(map(len, classes), default=0) > 3:
        columns = 2
    handles = [*(dot(classes[i], colours[i]) for i in order), *grey]
    legend(figure, handles, columns, "lower left", title=title, **TIGHT)


def _grid(rows: int, columns: int, title: str) -> tuple[Figure, np.ndarray]:
    width = COLUMN * max(1, columns / 2)
    figure = Figure(figsize=(width, 1.68 * rows + 0.5), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.035, wspace=0.02, hspace=0.02)
    if title:
        figure.suptitle(title, fontsize=LETTERS + 1)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _view(embeddings: pa.Table, view: str) -> dict[str, np.ndarray]:
    rows = embeddings.filter(pc.equal(embeddings["view"], view))
    if not len(rows):
        raise InputError("embeddings", expected=f"a view '{view}'", found="none")
    names = ("label", "pair_type", "noise", "pair", "x", "y")
    return {name: rows[name].to_numpy(zero_copy_only=False) for name in names}


def _scatter(
    axes: Axes, points: Mapping[str, np.ndarray], colours: Sequence[str], title: str, **style
) -> None:
    style = {"s": 2.2, "linewidths": 0.12, "edgecolors": "0.25", "rasterized": True} | style
    axes.scatter(points["x"], points["y"], c=np.asarray(colours), **style)
    letter = string.ascii_lowercase[axes.figure.axes.index(axes)]
    bare(axes, f"({letter}) {title}")


def _highlight(
    axes: Axes,
    points: Mapping[str, np.ndarray],
    colours: np.ndarray,
    noisy: np.ndarray,
    title: str,
    palette: Palette,
    edged: bool = False,
) -> None:
    """Draw some points in the colour of noise on top of the others, which are pale."""
    on = {name: values[noisy] for name, values in points.items()}
    others = {name: values[~noisy] for name, values in points.items()}
    pale = [lighter(colour) for colour in colours[~noisy]]
    _scatter(axes, others, pale, title, edgecolors="none", s=3)
    edges = {"edgecolors": colours[noisy], "linewidths": 0.5, "s": 5} if edged else {}
    _scatter(axes, on, np.full(len(on["x"]), palette.noise), title, **{"s": 3.5} | edges)


def _same_axes(panels: np.ndarray, shown: Sequence[Mapping[str, np.ndarray]]) -> None:
    """Give all panels the same square limits, which include all points."""
    at = np.concatenate([np.stack([points["x"], points["y"]], axis=1) for points in shown])
    middle, half = (at.max(0) + at.min(0)) / 2, 0.53 * np.ptp(at, axis=0).max() or 1.0
    for axes in panels.flat:
        axes.set_aspect("equal", adjustable="box")
        axes.set(
            xlim=middle[0] + half * np.array([-1, 1]), ylim=middle[1] + half * np.array([-1, 1])
        )
