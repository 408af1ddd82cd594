"""Figures of a fitted `IMA`, and its history as a DataFrame. They need the extra `plots`."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from ima.training.loop import History
from ima.utils.errors import InputError
from ima.utils.extras import require

#: Columns of a history that number its rows.
NUMBERS = ("alternation", "round", "epoch", "copy")


def history_frame(history: Mapping[str, History]) -> Any:
    """Return the rows of all stages as a pandas DataFrame whose first column is the `stage`."""
    rows = [{"stage": stage, **row} for stage, rows in history.items() for row in rows]
    return require("pandas", "plots").DataFrame(rows)


def plot_history(history: Mapping[str, History]) -> Any:
    """Return a figure of the losses of each stage: terms over epochs, the mean over restarts.

    Raises:
        InputError: there is no history, as in a model that was loaded.
    """
    if not any(history.values()):
        raise InputError("history", expected="a model that was fitted here", found="no epochs")
    figure, axes = require("matplotlib.pyplot", "plots").subplots(
        1, len(history), figsize=(4 * len(history), 3), squeeze=False, layout="constrained"
    )
    for axis, (stage, rows) in zip(axes[0], history.items(), strict=True):
        for term, values in curves(rows).items():
            axis.plot(range(1, len(values) + 1), values, label=term)
        axis.set(title=stage, xlabel="epoch")
        axis.legend(fontsize="small")
    axes[0][0].set_ylabel("loss")
    return figure


def curves(rows: History) -> dict[str, list[float]]:
    """Return by term its value in each epoch: `loss` and `validation`, or those of `mixture`.

    Rows of the same epoch, which are restarts, are averaged.
    """
    values: dict[str, dict[tuple[Any, ...], list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        epoch = tuple(row.get(name) for name in NUMBERS[:-1])
        for term, value in row.items():
            if term in ("loss", "validation") or ("loss" not in row and term.startswith("corr_")):
                values[term][epoch].append(float(value))
    return {term: [float(np.mean(v)) for v in of.values()] for term, of in values.items()}


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
