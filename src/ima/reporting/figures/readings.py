"""Specification curves: a claim's margin under each reading, above the reading's choices."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ima.evaluation.readings.claims import claims_of, readings_of
from ima.evaluation.readings.factors import FACTORS
from ima.reporting.figures import LETTERS, PAGE

#: Colours of readings under which a claim fails or holds, safe for colour-blind readers.
FAILS, HOLDS = "#d55e00", "#0072b2"
#: Labels of factors that are not shown by their own name.
NAMES = {
    "importances": "y in stage 1",
    "correlation": r"$L_{corr}$ - $\lambda$",
    "rho": r"$\rho$ image/speech",
    "z": "z of Eq. 3",
}
#: Level of a factor's adjusted p value below which its cells are bold.
BOLD = 0.05
#: Heights of a row of levels, a curve, the gap below it, and headings, in inches.
ROW, CURVE, GAP, AROUND = 0.108, 0.85, 0.14, 0.45


def draw(means: pa.Table, shares: pa.Table) -> Figure:
    """Draw the claims over all readings: specification curves, and proportions by level.

    Each claim has a column and each latent size a row of curves. A curve shows the readings in
    ascending order of the claim's margin, with a marker below it in the row of each of their
    levels. A heat map at the bottom gives the percentage of each level's readings under which a
    claim holds, in bold if the factor's effect is significant.

    Args:
        means: table of `ima.evaluation.readings.claims.mean_scores`.
        shares: table of `ima.evaluation.readings.claims.shares`.
    """
    margins, readings = claims_of(means), readings_of(means)
    claims = list(dict.fromkeys(claim for claim, _ in margins))
    latents = sorted({latent for _, latent in margins})
    levels = {f: list(dict.fromkeys(reading[f] for reading in readings)) for f in FACTORS}
    levels = {f: sorted(names, key=_by_number) for f, names in levels.items()}
    rows = sum(map(len, levels.values()))
    heights = [CURVE, rows * ROW, GAP] * len(latents) + [AROUND, (rows + 1) * ROW * 1.15]
    figure = Figure(figsize=(PAGE, sum(heights) + AROUND))
    grid = figure.add_gridspec(
        *(len(heights), len(claims)),
        height_ratios=heights,
        **{"left": 0.2, "right": 0.985, "wspace": 0.24, "hspace": 0},
        **{"top": 1 - 0.45 / figure.get_figheight(), "bottom": 0.06 / figure.get_figheight()},
    )
    for i, latent in enumerate(latents):
        for j, claim in enumerate(claims):
            curve = figure.add_subplot(grid[3 * i, j])
            strip = figure.add_subplot(grid[3 * i + 1, j])
            order = np.argsort(margins[claim, latent], kind="stable")
            _curve(curve, margins[claim, latent][order])
            _strip(strip, margins[claim, latent][order] > 0, [readings[k] for k in order], levels)
            if i == 0:
                curve.set_title(_wrapped(claim), fontsize=LETTERS, pad=3)
            if j == 0:
                curve.set_ylabel(f"{latent}-D\nmargin", fontsize=LETTERS)
                _name_levels(strip, levels)
    _heat(figure.add_subplot(grid[-1, :]), shares, claims, latents, levels)
    return figure


def _wrapped(claim: str) -> str:
    """Return a claim, broken into two lines if it is long."""
    return claim.replace(" in both", "\nin both").replace("denoising ", "denoising\n")


def _by_number(level: str) -> tuple[bool, float, str]:
    """Sort numbers by value, then everything else alphabetically."""
    return (False, float(level), "") if level.isdecimal() else (True, 0.0, level)


def _curve(axes: Axes, margin: np.ndarray) -> None:
    """Draw margins (n,) in ascending order, and write the percentage above 0."""
    colours = np.where(margin > 0, HOLDS, FAILS)
    axes.axhline(0, color="0.6", linewidth=0.5, zorder=0)
    axes.scatter(np.arange(len(margin)), margin, c=colours, s=1.6, linewidths=0)
    axes.set_xlim(-0.5, len(margin) - 0.5)
    axes.set_xticks(())
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.margins(y=0.12)
    axes.tick_params(labelsize=5.5, length=1.5, pad=1, width=0.4)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines[:].set_linewidth(0.4)
    axes.annotate(
        f"{100 * (margin > 0).mean():.0f} %",
        xy=(0.04, 0.97),
        xycoords="axes fraction",
        **{"va": "top", "fontsize": 6.5},
    )


def _strip(
    axes: Axes,
    holds: np.ndarray,
    readings: Sequence[Mapping[str, str]],
    levels: Mapping[str, Sequence[str]],
) -> None:
    """Mark the levels of readings: one row per level, one column per reading."""
    marks = [
        np.where([reading[factor] == level for reading in readings], 1 + holds, 0)
        for factor, names in levels.items()
        for level in names
    ]
    colours = ListedColormap(["white", FAILS, HOLDS])
    axes.imshow(marks, cmap=colours, vmin=0, vmax=2, aspect="auto", interpolation="nearest")
    axes.set(xticks=(), yticks=())
    axes.spines[:].set_linewidth(0.4)
    _separate(axes, levels)


def _separate(axes: Axes, levels: Mapping[str, Sequence[str]]) -> None:
    """Draw lines between the levels of different factors."""
    for place in np.cumsum([len(names) for names in levels.values()])[:-1]:
        axes.axhline(place - 0.5, color="0.45", linewidth=0.4)


def _name_levels(axes: Axes, levels: Mapping[str, Sequence[str]], first: int = 0) -> None:
    """Label the rows with their levels, and the first row of each factor with the factor."""
    axes.set_yticks(
        [first + i for i in range(sum(map(len, levels.values())))],
        [level for names in levels.values() for level in names],
        fontsize=5.5,
    )
    axes.tick_params(axis="y", length=0, pad=2)
    place = first
    for factor, names in levels.items():
        axes.annotate(
            NAMES.get(factor, factor),
            xy=(0, place),
            xycoords=("axes fraction", "data"),
            xytext=(-42, 0),
            textcoords="offset points",
            **{"ha": "right", "va": "center", "fontsize": 5.5},
        )
        place += len(names)


def _heat(
    axes: Axes,
    shares: pa.Table,
    claims: Sequence[str],
    latents: Sequence[int],
    levels: Mapping[str, Sequence[str]],
) -> None:
    """Draw percentages: one row per level, one column per claim and latent size."""
    by_cell = {
        (row["claim"], row["latent"], row["factor"], row["level"]): row
        for row in shares.to_pylist()
    }
    lines = [("all", ""), *((factor, level) for factor, names in levels.items() for level in names)]
    columns = [(claim, latent) for claim in claims for latent in latents]
    cells = [[by_cell[(*column, *line)] for column in columns] for line in lines]
    values = np.array([[100 * cell["share"] for cell in row] for row in cells])
    axes.imshow(values, cmap="Blues", vmin=0, vmax=190, aspect="auto")
    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            bold = cell["p_adjusted"] is not None and cell["p_adjusted"] < BOLD
            weight = {"weight": "bold" if bold else "normal", "color": "black" if bold else "0.25"}
            axes.text(j, i, f"{values[i, j]:.0f}", ha="center", va="center", fontsize=5.8, **weight)
    axes.set_xticks(range(len(columns)), [f"{latent}-D" for _, latent in columns], fontsize=6)
    axes.xaxis.tick_top()
    axes.tick_params(axis="x", length=0, pad=1)
    for j, claim in enumerate(claims):
        axes.annotate(
            _wrapped(claim),
            xy=((j + 0.5) / len(claims), 1),
            xycoords="axes fraction",
            xytext=(0, 9),
            textcoords="offset points",
            **{"ha": "center", "va": "bottom", "fontsize": 6.5},
        )
        axes.axvline(j * len(latents) - 0.5, color="0.45", linewidth=0.4)
    _separate(axes, {"all": [""], **levels})
    _name_levels(axes, levels, first=1)
    axes.set_yticks([0, *axes.get_yticks()], ["all readings", *_texts(axes)], fontsize=5.5)
    axes.spines[:].set_linewidth(0.4)


def _texts(axes: Axes) -> list[str]:
    """Return the labels of the rows."""
    return [label.get_text() for label in axes.get_yticklabels()]
