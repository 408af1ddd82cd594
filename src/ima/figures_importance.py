"""Figures 2 and 4: hidden layers of importance networks, and representations."""

import string
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ima.errors import InputError
from ima.figures import COLUMN, LETTERS

#: The paper's colours: of the digits 0 to 9, of noise among them, and of noise against the rest.
DIGIT_COLOURS = (
    *("red", "green", "blue", "purple", "orange"),
    *("cyan", "yellow", "magenta", "olive", "black"),
)
NOISE_COLOUR = "grey"
KIND_COLOURS = {"noise": "red", "rest": "blue"}
#: Of importances from 0 to 1.
IMPORTANCE_COLOURS = matplotlib.colormaps["viridis"]
#: Names of the joint views of Figure 4.
JOINT = {"z_unweighted": "joint, unweighted", "z": "joint, weighted"}
#: What labels are called, unless data are a user's own.
DIGITS = tuple(map(str, range(10)))
#: Classes that a legend can name.
NAMED = 20


def figure2(
    embeddings: pa.Table,
    classes: Sequence[str] = DIGITS,
    noise: bool = True,
    importances: Mapping[str, np.ndarray] | None = None,
) -> Figure:
    """Draw Figure 2: t-SNE of the importance networks' top hidden layers, test items (6.1).

    A row of panels a modality, in the order of the table: its items coloured by digit class,
    with noise in grey (a, c), and by noise against the rest (b, d).

    Args:
        embeddings: table of `ima.schema.EMBEDDINGS` with a view `hidden_<modality>` each.
        classes: names of the labels, by number; without any there is no panel by class.
        noise: whether it is known what is noise; if not there is no panel of it.
        importances: by modality, of the items of all test pairs (M,), for one more panel.

    Raises:
        InputError: there is no such view.
    """
    views = [v for v in embeddings["view"].unique().to_pylist() if v.startswith("hidden_")]
    if not views:
        raise InputError("embeddings", expected="views hidden_<modality>", found="none")
    called = "digits" if tuple(classes) == DIGITS else "classes"
    titles = [title for title, shown in ((called, classes), ("noise", noise)) if shown]
    figure, panels = _grid(len(views), len(titles) + (importances is not None))
    for row, view in zip(panels, views, strict=True):
        points, name = _view(embeddings, view), view.removeprefix("hidden_")
        colours = {called: by_class(points["label"], points["noise"], len(classes))}
        kinds = np.where(points["noise"], "noise", "rest")
        colours["noise"] = [KIND_COLOURS[kind] for kind in kinds]
        for axes, title in zip(row, titles, strict=False):
            _scatter(axes, points, colours[title], f"{name}, {title}")
        if importances is not None:
            y = importances[name][points["pair"]]
            _scatter(row[-1], points, IMPORTANCE_COLOURS(y), f"{name}, importance")
            scale = ScalarMappable(Normalize(0, 1), IMPORTANCE_COLOURS)
            figure.colorbar(scale, ax=row[-1], aspect=30).ax.tick_params(labelsize=LETTERS)
    if classes:
        _class_legend(figure, classes, "left: digit" if called == "digits" else "class", noise)
    if noise:
        title = "right" if importances is None else "noise"
        _legend(figure, list(KIND_COLOURS.items()), title, "outside lower right", columns=1)
    return figure


def figure4(embeddings: pa.Table, classes: Sequence[str] = DIGITS, noise: bool = True) -> Figure:
    """Draw Figure 4: t-SNE of unimodal and joint representations of test pairs (6.2).

    Panels: each modality in the order of the table, joint with equal weights, joint weighted by
    importances; coloured by digit class. Where an item is noise it is grey; a joint representation
    has the digit of its pair, and a cross where one of its items is noise.

    Args:
        embeddings: table of `ima.schema.EMBEDDINGS` with a view `u_<modality>` each and the views
            of JOINT.
        classes: names of the labels, by number; without any, all but noise has one colour.
        noise: whether it is known what is noise.

    Raises:
        InputError: a view is missing.
    """
    alone = [v for v in embeddings["view"].unique().to_pylist() if v.startswith("u_")]
    names = {**{view: view.removeprefix("u_") for view in alone}, **JOINT}
    figure, panels = _grid(-(-len(names) // 2), 2)
    for axes in panels.flat[len(names) :]:
        axes.remove()
    for axes, (view, name) in zip(panels.flat, names.items(), strict=False):
        points = _view(embeddings, view)
        joint = view in JOINT
        grey = np.zeros_like(points["noise"]) if joint else points["noise"]
        crosses = points["noise"] & joint
        _scatter(axes, points, by_class(points["label"], grey, len(classes)), name, crosses)
    if classes:
        _class_legend(figure, classes, "digit" if tuple(classes) == DIGITS else "class", noise)
    if noise:
        some = "half noise" if len(alone) == 2 else "some noise"
        _legend(figure, [(some, "0.3")], "joint", "outside lower right", 1, marker="x")
    return figure


def by_class(labels: np.ndarray, noise: np.ndarray, classes: int = 10) -> np.ndarray:
    """Return the colour (n,) of items by class (n,), noise (n,) grey; without classes, all one."""
    known = class_colours(classes) if classes else [KIND_COLOURS["rest"]]
    return np.where(noise, NOISE_COLOUR, np.array(known)[labels])


def class_colours(classes: int) -> list[str]:
    """Return the colour of each class: the paper's for ten or fewer, else evenly over hues."""
    if classes <= len(DIGIT_COLOURS):
        return list(DIGIT_COLOURS[:classes])
    hues = matplotlib.colormaps["turbo"](np.linspace(0, 1, classes))
    return [to_hex(colour) for colour in hues]


def _class_legend(figure: Figure, classes: Sequence[str], title: str, noise: bool) -> None:
    """Name the colours of classes: of ten in two rows, as the paper's digits; of too many, none."""
    colours, grey = class_colours(len(classes)), [("noise", NOISE_COLOUR)] if noise else []
    if len(classes) > NAMED:
        _legend(figure, grey, f"{len(classes)} classes by hue", "outside lower left", columns=1)
        return
    title += ", or noise" if noise else ""
    order, columns = range(len(classes)), 6
    if len(classes) == 10:
        order = [i for column in range(5) for i in (column, column + 5)]
    if max(map(len, classes)) > 3:
        columns = 2
    names = [(classes[i], colours[i]) for i in order]
    _legend(figure, [*names, *grey], title, "outside lower left", columns)


def _grid(rows: int, columns: int) -> tuple[Figure, np.ndarray]:
    width = COLUMN * max(1, columns / 2)
    figure = Figure(figsize=(width, 1.68 * rows + 0.5), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _view(embeddings: pa.Table, view: str) -> dict[str, np.ndarray]:
    rows = embeddings.filter(pc.equal(embeddings["view"], view))
    if not len(rows):
        raise InputError("embeddings", expected=f"a view '{view}'", found="none")
    names = ("label", "noise", "pair", "x", "y")
    return {name: rows[name].to_numpy(zero_copy_only=False) for name in names}


def _scatter(
    axes: Axes,
    points: Mapping[str, np.ndarray],
    colours: Sequence[str],
    title: str,
    crosses: np.ndarray | None = None,
) -> None:
    crosses = np.zeros(len(points["x"]), bool) if crosses is None else crosses
    colours = np.asarray(colours)
    for some, style in (
        (~crosses, {"s": 2.2, "linewidths": 0.12, "edgecolors": "0.25"}),
        (crosses, {"s": 5, "linewidths": 0.6, "marker": "x"}),
    ):
        if some.any():
            axes.scatter(points["x"][some], points["y"][some], c=colours[some], **style)
    axes.set(xticks=(), yticks=())
    axes.set_aspect("equal", adjustable="datalim")
    axes.spines[:].set_linewidth(0.4)
    letter = string.ascii_lowercase[axes.figure.axes.index(axes)]
    axes.set_title(f"({letter}) {title}", fontsize=LETTERS, pad=2.5)


def _legend(
    figure: Figure,
    names: Sequence[tuple[str, str]],
    title: str,
    place: str,
    columns: int,
    marker: str = "o",
) -> None:
    handles = [
        Line2D([], [], linestyle="", marker=marker, markersize=3.2, color=colour, label=name)
        for name, colour in names
    ]
    figure.legend(
        handles=handles,
        title=title,
        loc=place,
        ncols=columns,
        fontsize=LETTERS,
        title_fontsize=LETTERS,
        frameon=False,
        handletextpad=0.1,
        columnspacing=0.8,
        borderpad=0.1,
    )
