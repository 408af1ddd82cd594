"""Figure 6: noise detection by importances over rho (6.1)."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ima.reporting.figures import COLUMN, LETTERS, legend
from ima.reporting.tables.rho import choose_rho

#: Name, colour and dash pattern of the scores in Figure 6, readable without colour vision.
SCORE_STYLES = {
    "precision_noise": ("precision", "#0072b2", (0, (4, 1.2))),
    "recall_noise": ("recall", "#d55e00", (0, (1.2, 1))),
    "f1_noise": ("F1", "black", "-"),
}
#: Likewise for quantities that need no labels, which are drawn for user data.
LABEL_FREE_STYLES = {
    "mean_importance": ("mean importance", "#0072b2", (0, (4, 1.2))),
    "agreement": ("agreement with other ρ", "black", "-"),
}


def draw(
    swept: pa.Table,
    paper: Mapping[str, float],
    styles: Mapping[str, tuple] = SCORE_STYLES,
    ylabel: str = "scores of noise, test pairs",
    labels: Mapping[str, str] | None = None,
) -> Figure:
    """Draw Figure 6: precision, recall and F1 of the noise class over rho (6.1).

    Rows are variants and columns modalities. Lines are means over seeds, bands one standard
    deviation on either side.

    Args:
        swept: result of `ima.reporting.tables.rho.sweep_table`.
        paper: by modality, the rho that the paper chose, drawn as a grey line.
        styles: name, colour and dash pattern of each score to draw.
        ylabel: label of the scores' axis.
        labels: labels of the variants, by name; None to use their names.
    """
    variants, modalities = (swept[n].unique().to_pylist() for n in ("variant", "modality"))
    chosen = choose_rho(swept)
    size = (COLUMN * max(1, len(modalities) / 2), 1.4 * len(variants) + 0.75)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(variants), len(modalities), sharex=True, sharey=True, squeeze=False)
    for panels, variant in zip(grid, variants, strict=True):
        for axes, modality in zip(panels, modalities, strict=True):
            selection = (pc.field("variant") == variant) & (pc.field("modality") == modality)
            if modality in paper:
                axes.axvline(paper[modality], color="0.6", linewidth=0.8)
            axes.axvline(chosen[variant, modality], color="0.3", linewidth=0.8, dashes=(1, 1.5))
            _panel(axes, swept.filter(selection).sort_by("rho"), styles)
            axes.set_title(
                f"{modality}, {(labels or {}).get(variant, variant)}", fontsize=LETTERS + 1
            )
        panels[0].set_ylabel(ylabel, fontsize=LETTERS)
    for axes in grid[-1]:
        axes.set_xlabel("ρ", fontsize=LETTERS)
    lines = [
        Line2D([], [], color=colour, linestyle=dash, linewidth=1.2, label=label)
        for label, colour, dash in styles.values()
    ]
    lines.append(
        Line2D([], [], color="0.3", linewidth=0.8, dashes=(1, 1.5), label="ρ without labels")
    )
    if set(modalities) & set(paper):
        lines.append(Line2D([], [], color="0.6", linewidth=0.8, label="the paper's ρ"))
    longest = max(len(line.get_label()) for line in lines)
    legend(figure, lines, 3 if longest < 20 or len(modalities) > 2 else 2)
    return figure


def _panel(axes: Axes, rows: pa.Table, styles: Mapping[str, tuple]) -> None:
    rho = rows["rho"].to_numpy()
    for score, (_, colour, dash) in styles.items():
        mean = rows[score].to_numpy()
        sd = rows[f"{score}_sd"].fill_null(0).to_numpy()
        low, high = (mean - sd).clip(0), (mean + sd).clip(max=1)
        axes.fill_between(rho, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.plot(rho, mean, color=colour, linestyle=dash, linewidth=1.2)
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.04), xticks=(0, 0.25, 0.5, 0.75, 1))
    axes.set_xticklabels(["0", ".25", ".5", ".75", "1"])
    axes.tick_params(labelsize=LETTERS, width=0.5, length=2)
    axes.spines[["top", "right"]].set_visible(False)
