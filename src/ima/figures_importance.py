"""Figures 2, 4 and 6: hidden layers, representations, and the noise that is found over rho."""

import string
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ima.errors import InputError
from ima.io import whole_file
from ima.tables import mean_sd

#: The paper's colours: of the digits 0 to 9, of noise among them, and of noise against the rest.
DIGIT_COLOURS = (
    *("red", "green", "blue", "purple", "orange"),
    *("cyan", "yellow", "magenta", "olive", "black"),
)
NOISE_COLOUR = "grey"
KIND_COLOURS = {"noise": "red", "rest": "blue"}
#: Name, colour and dash of the scores of Figure 6: apart for the colour-blind and in grey.
SCORE_STYLES = {
    "precision_noise": ("precision", "#0072b2", (0, (4, 1.2))),
    "recall_noise": ("recall", "#d55e00", (0, (1.2, 1))),
    "f1_noise": ("F1", "black", "-"),
}
#: What Figure 6 gives for every rho as mean and sd over seeds; it draws the first three.
SCORES = ("precision_noise", "recall_noise", "f1_noise", "f1_important")
#: Width of a column (8.6 cm) in inches, and the size of letters (points) at that width.
COLUMN, LETTERS = 8.6 / 2.54, 7
#: Names of the views of Figure 4.
REPRESENTATIONS = {
    "u_image": "image",
    "u_speech": "speech",
    "z_unweighted": "joint, unweighted",
    "z": "joint, weighted",
}


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure in the format of its file's ending, the same bytes for the same figure."""
    form = Path(path).suffix.removeprefix(".")
    undated = {"CreationDate": None} if form == "pdf" else None
    with whole_file(path) as temporary, matplotlib.rc_context({"pdf.fonttype": 42}):
        figure.savefig(temporary, format=form, dpi=300, metadata=undated)


def figure2(embeddings: pa.Table) -> Figure:
    """Draw Figure 2: t-SNE of the importance networks' top hidden layers, test items (6.1).

    A row of panels a modality, in the order of the table: its items coloured by digit class,
    with noise in grey (a, c), and by noise against the rest (b, d).

    Args:
        embeddings: table of `ima.schema.EMBEDDINGS` with a view `hidden_<modality>` each.

    Raises:
        InputError: there is no such view.
    """
    views = [v for v in embeddings["view"].unique().to_pylist() if v.startswith("hidden_")]
    if not views:
        raise InputError("embeddings", expected="views hidden_<modality>", found="none")
    figure, panels = _grid(len(views), 2)
    for row, view in zip(panels, views, strict=True):
        points, name = _view(embeddings, view), view.removeprefix("hidden_")
        kinds = np.where(points["noise"], "noise", "rest")
        _scatter(row[0], points, by_digit(points["label"], points["noise"]), f"{name}, digits")
        _scatter(row[1], points, [KIND_COLOURS[kind] for kind in kinds], f"{name}, noise")
    _legend(figure, digit_legend(), "left: digit, or noise", "outside lower left", columns=6)
    _legend(figure, list(KIND_COLOURS.items()), "right", "outside lower right", columns=1)
    return figure


def figure4(embeddings: pa.Table) -> Figure:
    """Draw Figure 4: t-SNE of unimodal and joint representations of test pairs (6.2).

    Panels: image, speech, joint with equal weights, joint weighted by importances; coloured by
    digit class. Where an item is noise it is grey; a joint representation has the digit of its
    pair, and a cross where one of the two items is noise.

    Args:
        embeddings: table of `ima.schema.EMBEDDINGS` with the views of REPRESENTATIONS.

    Raises:
        InputError: a view is missing.
    """
    figure, panels = _grid(2, 2)
    for axes, (view, name) in zip(panels.flat, REPRESENTATIONS.items(), strict=True):
        points = _view(embeddings, view)
        joint = not view.startswith("u_")
        grey = np.zeros_like(points["noise"]) if joint else points["noise"]
        crosses = points["noise"] & joint
        _scatter(axes, points, by_digit(points["label"], grey), name, crosses)
    _legend(figure, digit_legend(), "digit, or noise", "outside lower left", columns=6)
    _legend(figure, [("half noise", "0.3")], "joint", "outside lower right", 1, marker="x")
    return figure


def by_digit(labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return the colour (n,) of items by digit class (n,), noise (n,) grey."""
    return np.where(noise, NOISE_COLOUR, np.array(DIGIT_COLOURS)[labels])


def digit_legend() -> list[tuple[str, str]]:
    """Return name and colour of what a panel by digit class may show, for two rows of a legend."""
    digits = [(str(i), DIGIT_COLOURS[i]) for column in range(5) for i in (column, column + 5)]
    return [*digits, ("noise", NOISE_COLOUR)]


def figure6_table(sweeps: Iterable[pa.Table], run: str) -> pa.Table:
    """Return what Figure 6 draws: for each modality and rho, scores as mean and sd over seeds.

    Args:
        sweeps: a table of `ima.schema.RHO_SWEEP` a seed.
        run: name of the run, for the first column.

    Returns:
        Columns `run`, `modality`, `rho`, `seeds`, and of each of SCORES the mean and, as
        `<score>_sd`, the sample standard deviation (empty for one seed).

    Raises:
        InputError: the seeds do not have the same rho.
    """
    values: dict[tuple, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for table in sweeps:
        for row in table.to_pylist():
            for name in SCORES:
                values[row["modality"], row["rho"]][name].append(row[name])
    seeds = {len(scores[SCORES[0]]) for scores in values.values()}
    if len(seeds) != 1:
        raise InputError(
            "sweeps of rho", expected="the same rho for every seed", found=f"{seeds} seeds a rho"
        )
    rows = []
    for (modality, rho), scores in values.items():
        row = {"run": run, "modality": modality, "rho": rho, "seeds": len(scores[SCORES[0]])}
        for name in SCORES:
            row[name], row[f"{name}_sd"] = mean_sd(scores[name])
        rows.append(row)
    types = {"run": pa.string(), "modality": pa.string(), "seeds": pa.int32()}
    return pa.Table.from_pylist(
        rows, schema=pa.schema([(name, types.get(name, pa.float64())) for name in rows[0]])
    )


def figure6(table: pa.Table, paper_rho: Mapping[str, float]) -> Figure:
    """Draw Figure 6: precision, recall and F1 of the noise class over rho (6.1).

    A panel a modality: lines are means over seeds, bands one standard deviation on either side.

    Args:
        table: of `figure6_table`.
        paper_rho: by modality, the rho that the paper chose, drawn as a vertical line.
    """
    names = table["modality"].unique().to_pylist()
    figure = Figure(figsize=(COLUMN, 2.2), layout="constrained")
    panels = figure.subplots(1, len(names), sharex=True, sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        rows = table.filter(pc.equal(table["modality"], name)).sort_by("rho")
        rho = rows["rho"].to_numpy()
        if name in paper_rho:
            axes.axvline(paper_rho[name], color="0.6", linewidth=0.8)
        for score, (_, colour, dash) in SCORE_STYLES.items():
            mean = rows[score].to_numpy()
            sd = rows[f"{score}_sd"].fill_null(0).to_numpy()
            low, high = (mean - sd).clip(0), (mean + sd).clip(max=1)
            axes.fill_between(rho, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(rho, mean, color=colour, linestyle=dash, linewidth=1.2)
        axes.set(xlim=(0, 1), ylim=(-0.02, 1.02), xticks=(0, 0.25, 0.5, 0.75, 1))
        axes.set_xticklabels(["0", ".25", ".5", ".75", "1"])
        axes.tick_params(labelsize=LETTERS, width=0.5, length=2)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(name, fontsize=LETTERS + 1)
        axes.set_xlabel("ρ", fontsize=LETTERS)
    panels[0].set_ylabel("noise class, test pairs", fontsize=LETTERS)
    lines = [
        Line2D([], [], color=colour, linestyle=dash, linewidth=1.2, label=label)
        for label, colour, dash in SCORE_STYLES.values()
    ]
    if set(names) & set(paper_rho):
        lines.append(Line2D([], [], color="0.6", linewidth=0.8, label="the paper's ρ"))
    figure.legend(
        handles=lines, loc="outside lower center", ncols=4, fontsize=LETTERS, frameon=False
    )
    return figure


def paper_rho(paper: Iterable[Mapping]) -> dict[str, float]:
    """Return by modality the rho that the paper chose, from `ima.tables.read_paper_values`."""
    return {row["modality"]: float(row["value"]) for row in paper if row["quantity"] == "best rho"}


def _grid(rows: int, columns: int) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(COLUMN, 1.68 * rows + 0.5), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _view(embeddings: pa.Table, view: str) -> dict[str, np.ndarray]:
    rows = embeddings.filter(pc.equal(embeddings["view"], view))
    if not len(rows):
        raise InputError("embeddings", expected=f"a view '{view}'", found="none")
    names = ("label", "noise", "x", "y")
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
