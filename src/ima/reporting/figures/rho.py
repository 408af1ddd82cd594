"""Figure 6: noise detection by importances over rho, and the rho chosen without labels (6.1)."""

from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ima.evaluation.seeds import over_seeds
from ima.reporting.figures import COLUMN, LETTERS, legend
from ima.utils.arrow import to_table
from ima.utils.errors import InputError

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
#: Scores tabulated for every rho as mean and sd over seeds; the figure draws the first three.
SCORES = (
    *("precision_noise", "recall_noise", "f1_noise"),
    *("f1_shuffled", "f1_important", "mean_importance"),
)
#: Quantities of the training pairs that need no labels.
LOSSES = ("corr", "raw", "local", "loss", "agreement")


def table(sweeps: Iterable[pa.Table], run: str) -> pa.Table:
    """Return the data of Figure 6: means and sd over seeds for each variant, modality and rho.

    Args:
        sweeps: one table of `ima.utils.schemas.RHO_SWEEP` per seed and variant.
        run: name of the run, for the first column.

    Returns:
        Columns `run`, `variant`, `modality`, `rho`, `seeds`, and for each of SCORES and LOSSES
        the mean and, as `<score>_sd`, the sample standard deviation (empty for one seed).

    Raises:
        InputError: the seeds do not have the same values of rho.
    """
    rows = [row for sweep in sweeps for row in sweep.to_pylist()]
    means = over_seeds(rows, ("variant", "modality", "rho"), run, (*SCORES, *LOSSES))
    seeds = {row["seeds"] for row in means}
    if len(seeds) != 1:
        raise InputError(
            "sweeps of rho", expected="the same rho for every seed", found=f"{seeds} seeds per rho"
        )
    return to_table(means, ("variant", "modality"))


def choose_rho(swept: pa.Table) -> dict[tuple[str, str], float]:
    """Return, by variant and modality, the rho whose unimportant items agree most with other rho.

    The choice uses no labels: it maximises the mean Jaccard index with the sets of all other rho,
    on training pairs and over seeds (`ima.evaluation.rho_sweep.agreements`). If co-occurrence
    determines which items are unimportant, rho hardly matters and the sets are similar; if rho
    determines it, every rho has a different set.

    Args:
        swept: result of `table`.
    """
    best: dict[tuple[str, str], tuple[float, float]] = {}
    for row in swept.select(["variant", "modality", "rho", "agreement"]).to_pylist():
        key, candidate = (row["variant"], row["modality"]), (row["agreement"], row["rho"])
        best[key] = max(best.get(key, candidate), candidate)
    return {key: rho for key, (_, rho) in best.items()}


def rho_table(swept: pa.Table, paper: Mapping[str, float]) -> pa.Table:
    """Return the rho chosen without labels, with the one that labels would choose for comparison.

    Args:
        swept: result of `table`.
        paper: by modality, the rho that the paper chose (by F1 on labels).

    Returns:
        A row per variant and modality: `rho` (`choose_rho`) and its `f1_noise` with the sd over
        seeds, `f1_shuffled` with its importances shuffled, `rho_by_labels` (with the highest mean
        F1) and its F1, `f1_gap` (the difference of these F1), the paper's rho, and the F1 of the
        nearest rho in the sweep.
    """
    rows = []
    for (variant, modality), rho in choose_rho(swept).items():
        selection = (pc.field("variant") == variant) & (pc.field("modality") == modality)
        mine = swept.filter(selection).to_pylist()
        chosen = next(row for row in mine if row["rho"] == rho)
        best = max(mine, key=lambda row: row["f1_noise"])
        of_paper = paper.get(modality)
        near = of_paper and min(mine, key=lambda row: abs(row["rho"] - of_paper))
        columns = ("run", "variant", "modality", "seeds", "rho")
        columns += ("f1_noise", "f1_noise_sd", "f1_shuffled")
        rows.append(
            {
                **{name: chosen[name] for name in columns},
                "rho_by_labels": best["rho"],
                "f1_by_labels": best["f1_noise"],
                "f1_gap": best["f1_noise"] - chosen["f1_noise"],
                "rho_paper": of_paper,
                "f1_at_rho_paper": near and near["f1_noise"],
            }
        )
    return to_table(rows, ("variant", "modality"))


def draw(
    swept: pa.Table,
    paper: Mapping[str, float],
    styles: Mapping[str, tuple] = SCORE_STYLES,
    ylabel: str = "noise, test pairs",
    labels: Mapping[str, str] | None = None,
) -> Figure:
    """Draw Figure 6: precision, recall and F1 of the noise class over rho (6.1).

    Rows are variants and columns modalities. Lines are means over seeds, bands one standard
    deviation on either side.

    Args:
        swept: result of `table`.
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
    legend(figure, lines, 3)
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


def paper_rho(paper: Iterable[Mapping]) -> dict[str, float]:
    """Return, by modality, the rho chosen by the paper, from
    `ima.reporting.tables.read_paper_values`.
    """
    return {row["modality"]: float(row["value"]) for row in paper if row["quantity"] == "best rho"}
