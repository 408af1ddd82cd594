"""Figure and table of each modality's weight in the joint representation, by type of pair (6.3)."""

import string
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ima.evaluation.fusion import normalised_weights
from ima.evaluation.metrics import subsets
from ima.evaluation.seeds import over_seeds
from ima.pairing.by_label import CLEAN, noise_type
from ima.reporting.figures import LETTERS, PAGE, legend
from ima.reporting.figures.palettes import PAPER, Palette
from ima.utils.arrow import to_table
from ima.utils.errors import InputError

#: Number of bins in the distributions of weights.
BINS = 40


def shuffled(y: Mapping[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """Return each modality's importances (N,), independently shuffled, as a control."""
    rng = np.random.default_rng(seed)
    return {name: rng.permutation(values) for name, values in y.items()}


def weight_rows(y: Mapping[str, np.ndarray], pair_types: np.ndarray, seed: int) -> list[dict]:
    """Return the mean weights of a model's test pairs, by pair type.

    Args:
        y: importances (N,) by modality.
        pair_types: `pair_type` (N,) of the pairs (`ima.utils.schemas.pairs_schema`).
        seed: seed of the control.

    Returns:
        Rows of `importances` (`learnt`, or `shuffled` among the pairs), `pair_type` (`all`,
        `clean`, `<modality>_noise`), `modality`, `pairs` (their number) and `weight` (its mean).
    """
    pair_types = np.asarray(pair_types, str)
    masks = subsets(pair_types)
    masks = {"all": masks.pop("all"), CLEAN: pair_types == CLEAN, **masks}
    control = normalised_weights(shuffled(y, seed))
    return [
        {"importances": source, "pair_type": pair_type, "modality": name, "pairs": int(mask.sum()),
         "weight": float(w[name][mask].mean())}
        for source, w in (("learnt", normalised_weights(y)), ("shuffled", control))
        for pair_type, mask in masks.items()
        if mask.any()
        for name in w
    ]  # fmt: skip


def weight_table(rows: Iterable[Mapping], run: str) -> pa.Table:
    """Return the mean weights of models by kind of pair, over seeds.

    Args:
        rows: rows of `weight_rows`, each with its `model`, `latent` and seed.
        run: name of the run, for the first column.

    Returns:
        A row for each model, latent size, `importances` and pair type: `pairs`, and for each
        modality `weight_<modality>`, the mean over seeds, with its sample standard deviation
        `..._sd`.
    """
    keys = ("model", "latent", "importances", "pair_type", "pairs")
    flat = [
        {**{key: row[key] for key in keys}, f"weight_{row['modality']}": row["weight"]}
        for row in rows
    ]
    table = over_seeds(flat, keys, run)
    return to_table(table, ("model", "importances", "pair_type"), ("latent", "pairs", "seeds"))


def draw(
    y: Mapping[str, np.ndarray],
    pair_types: np.ndarray,
    title: str,
    palette: Palette = PAPER,
    seed: int = 0,
) -> Figure:
    """Draw importances and weights of test pairs by pair type.

    Panel (a) plots the importance of the second modality against that of the first, with one point
    per pair; for two modalities, lines through the origin are labelled with the second modality's
    weight. The other panels show the distribution of each modality's weight by kind of pair (for
    two modalities only the second's, as the weights sum to 1). Dotted lines are the control, with
    importances shuffled among the pairs.

    Args:
        y: importances (N,) by modality, two or more.
        pair_types: `pair_type` (N,) of the pairs.
        title: title of the figure.
        palette: the colours.
        seed: seed of the control.

    Raises:
        InputError: there are fewer than two modalities, or an importance is not in [0, 1].
    """
    names, pair_types = [*y], np.asarray(pair_types, str)
    if len(names) < 2:
        raise InputError("weights", expected="two modalities or more", found=names)
    masks = {CLEAN: pair_types == CLEAN, **subsets(pair_types)}
    del masks["all"]
    colours = pair_type_colours(names, palette)
    shown = {pair_type: mask for pair_type, mask in masks.items() if mask.any()}
    drawn = names[1:] if len(names) == 2 else names
    figure = Figure(figsize=(PAGE * (1 + len(drawn)) / 2.67, 2.5), layout="constrained")
    panels = figure.subplots(1, 1 + len(drawn))
    _importances(panels[0], y, shown, colours)
    w, control = normalised_weights(y), normalised_weights(shuffled(y, seed))
    for axes, name, letter in zip(panels[1:], drawn, string.ascii_lowercase[1:], strict=False):
        _weights(axes, w[name], control[name], shown, colours)
        axes.set_title(f"({letter}) weight of {name}", fontsize=LETTERS + 1)
        rest = f" = 1 - w {names[0]}" if len(names) == 2 else ""
        axes.set_xlabel(f"w {name}{rest}", fontsize=LETTERS)
    panels[1].set_ylabel("proportion of the pairs of a type", fontsize=LETTERS)
    look = {"linestyle": "-", "marker": "o", "markersize": 3}
    handles = [
        Line2D(
            [], [], color=colours.get(pair_type, "0.3"), label=pair_type.replace("_", " "), **look
        )
        for pair_type in shown
    ]
    handles.append(Line2D([], [], linestyle=":", color="0.3", label="importances shuffled"))
    legend(figure, handles, len(handles))
    figure.suptitle(title, fontsize=LETTERS + 1)
    return figure


def pair_type_colours(names: Sequence[str], palette: Palette) -> dict[str, str]:
    """Return the colour of each kind of pair; the first modality's noise has the noise colour."""
    noise = [palette.noise, "#000000", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"]
    noisy = {noise_type(name): noise[i % len(noise)] for i, name in enumerate(names)}
    return {CLEAN: palette.rest, **noisy}


def _importances(
    axes: Axes,
    y: Mapping[str, np.ndarray],
    masks: Mapping[str, np.ndarray],
    colours: Mapping[str, str],
) -> None:
    first, second = [*y][:2]
    for pair_type, mask in masks.items():
        axes.scatter(
            y[first][mask], y[second][mask], s=4, color=colours.get(pair_type, "0.3"), linewidths=0,
            alpha=0.6, rasterized=True, clip_on=False, zorder=3,
        )  # fmt: skip
    for weight in (0.1, 0.5, 0.9) if len(y) == 2 else ():
        end = np.array([1 - weight, weight]) / max(weight, 1 - weight)
        axes.plot([0, end[0]], [0, end[1]], color="0.75", linewidth=0.7, zorder=1)
        axes.annotate(
            f"{weight:.1f}".lstrip("0"), end, xytext=(3, 2), textcoords="offset points",
            fontsize=LETTERS - 1, color="0.45",
        )  # fmt: skip
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_aspect("equal")
    axes.set_title("(a) importances", fontsize=LETTERS + 1)
    axes.set_xlabel(f"y {first}", fontsize=LETTERS)
    axes.set_ylabel(f"y {second}", fontsize=LETTERS)
    _ticks(axes)


def _weights(
    axes: Axes,
    w: np.ndarray,
    control: np.ndarray,
    masks: Mapping[str, np.ndarray],
    colours: Mapping[str, str],
) -> None:
    edges = np.linspace(0, 1, BINS + 1)
    for values, dash in ((control, ":"), (w, "-")):
        for pair_type, mask in masks.items():
            share = np.histogram(values[mask], edges)[0] / mask.sum()
            axes.stairs(
                share, edges, color=colours.get(pair_type, "0.3"), linestyle=dash, linewidth=1,
                baseline=None,
            )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, None))
    _ticks(axes)


def _ticks(axes: Axes) -> None:
    axes.set_xticks((0, 0.5, 1), labels=("0", ".5", "1"))
    axes.tick_params(labelsize=LETTERS, width=0.5, length=2)
    axes.spines[["top", "right"]].set_visible(False)
