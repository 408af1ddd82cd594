"""Figures of a fitted `IMA`, and its history as a DataFrame. They need the extra `plots`."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from ima.training.loop import History
from ima.utils.errors import InputError
from ima.utils.extras import require

#: Columns of a history that number trainings.
NUMBERS = ("alternation", "round", "copy")


def history_frame(history: Mapping[str, History]) -> Any:
    """Return the rows of all stages as a pandas DataFrame whose first column is the `stage`."""
    rows = [{"stage": stage, **row} for stage, rows in history.items() for row in rows]
    return require("pandas", "plots").DataFrame(rows)


def plot_history(history: Mapping[str, History]) -> Any:
    """Return a figure of the losses of each stage over epochs, with a line for each training.

    Raises:
        InputError: there is no history, as in a model that was loaded.
    """
    if not any(history.values()):
        raise InputError("history", expected="a model that was fitted here", found="no epochs")
    figure, axes = require("matplotlib.pyplot", "plots").subplots(
        1, len(history), figsize=(4 * len(history), 3), squeeze=False, layout="constrained"
    )
    for axis, (stage, rows) in zip(axes[0], history.items(), strict=True):
        for label, losses in curves(rows).items():
            axis.plot(list(losses), list(losses.values()), label=label)
        axis.set(title=stage, xlabel="epoch", ylabel="loss")
        if rows:  # networks of modalities that share nothing are not trained
            axis.legend(fontsize="small")
    return figure


def curves(rows: History) -> dict[str, dict[float, float]]:
    """Return losses by epoch, by label: `loss` and `validation`, or those of `mixture`.

    Each training, by alternation, round and copy, has its own label, such as `corr_left, round 2`.
    """
    numbers = {name: {row[name] for row in rows if name in row} for name in NUMBERS}
    varying = [name for name, values in numbers.items() if len(values) > 1]
    losses: dict[str, dict[float, float]] = defaultdict(dict)
    for row in rows:
        training = [f"{name} {row[name]}" for name in varying if name in row]
        for term, value in row.items():
            if term in ("loss", "validation") or ("loss" not in row and term.startswith("corr_")):
                losses[", ".join((term, *training))][row["epoch"]] = float(value)
    return dict(losses)


def plot_importance(importance: Mapping[str, np.ndarray]) -> Any:
    """Return a figure with the distribution of importances of each modality.

    Args:
        importance: by modality, importances (n_m,) in [0, 1].
    """
    figure, axis = require("matplotlib.pyplot", "plots").subplots(
        figsize=(4, 3), layout="constrained"
    )
    for name, y in importance.items():
        axis.hist(y, bins=np.linspace(0, 1, 21), histtype="step", label=f"{name} ({y.mean():.2f})")
    axis.set(xlabel="importance", ylabel="items", xlim=(0, 1))
    axis.legend(title="modality (mean)", fontsize="small")
    return figure
