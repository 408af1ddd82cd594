"""Noise detection by importances over rho, and the rho chosen without labels (6.1)."""

from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from ima.evaluation.seeds import over_seeds
from ima.utils.arrow import to_table
from ima.utils.errors import InputError

#: Scores tabulated for every rho as mean and sd over seeds; Figure 6 draws the first three.
SCORES = (
    *("precision_noise", "recall_noise", "f1_noise"),
    *("f1_shuffled", "f1_important", "mean_importance"),
)
#: Quantities of the training pairs that need no labels.
LOSSES = ("corr", "raw", "local", "loss", "agreement")


def sweep_table(sweeps: Iterable[pa.Table], run: str) -> pa.Table:
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
        swept: result of `sweep_table`.
    """
    best: dict[tuple[str, str], tuple[float, float]] = {}
    for row in swept.select(["variant", "modality", "rho", "agreement"]).to_pylist():
        key, candidate = (row["variant"], row["modality"]), (row["agreement"], row["rho"])
        best[key] = max(best.get(key, candidate), candidate)
    return {key: rho for key, (_, rho) in best.items()}


def rho_table(swept: pa.Table, paper: Mapping[str, float]) -> pa.Table:
    """Return the rho chosen without labels, with the one that labels would choose for comparison.

    Args:
        swept: result of `sweep_table`.
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


def paper_rho(paper: Iterable[Mapping]) -> dict[str, float]:
    """Return, by modality, the rho chosen by the paper, from
    `ima.reporting.tables.read_paper_values`.
    """
    return {row["modality"]: float(row["value"]) for row in paper if row["quantity"] == "best rho"}
