"""Callbacks that write losses to TensorBoard or MLflow (extras `tensorboard` and `mlflow`)."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ima.training.callbacks import Row, callbacks
from ima.utils.errors import InputError
from ima.utils.extras import require

#: Entries of a row that number it and are no measurements.
NUMBERS = ("epoch", "copy", "round", "alternation")
#: Environment variable by which a run of the workflow is tracked.
VARIABLE = "IMA_TRACKER"


def _scalars(steps: Counter[str], stage: str, row: Row) -> tuple[dict[str, float], int]:
    """Return the losses of an epoch by name, and the number of the stage's epochs so far.

    `steps` counts them, since epochs start again in each round.
    """
    copy = row.get("copy")
    # Networks that are trained side by side, as restarts are, have a curve each.
    name = stage.replace(", ", "/") + (f"/copy {copy}" if copy else "")
    steps[name] += 1
    losses = {f"{name}/{term}": float(of) for term, of in row.items() if term not in NUMBERS}
    return losses, steps[name]


class TensorBoard:
    """Write losses as scalars, such as `stage 1/loss`, to a folder that TensorBoard reads.

    Args:
        folder: the folder, of one run; it is created.

    Raises:
        ImportError: tensorboard is not installed.
    """

    def __init__(self, folder: str | Path):
        self._steps: Counter[str] = Counter()
        self._writer = require("torch.utils.tensorboard", "tensorboard").SummaryWriter(str(folder))

    def __call__(self, stage: str, row: Row) -> None:
        """Write the losses of an epoch."""
        losses, step = _scalars(self._steps, stage, row)
        for name, value in losses.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is still in memory, and close the file."""
        self._writer.close()


class MLflow:
    """Log losses as metrics, such as `stage 1/loss`, to the active run of MLflow.

    Without an active run, MLflow starts one. Where runs are kept is up to MLflow
    (`mlflow.set_tracking_uri`).

    Raises:
        ImportError: mlflow is not installed.
    """

    def __init__(self) -> None:
        self._steps: Counter[str] = Counter()
        self._mlflow = require("mlflow", "mlflow")

    def __call__(self, stage: str, row: Row) -> None:
        """Log the losses of an epoch."""
        losses, step = _scalars(self._steps, stage, row)
        # MLflow allows few characters in names.
        plain = {re.sub(r"[^\w./: -]", "_", name): value for name, value in losses.items()}
        self._mlflow.log_metrics(plain, step=step)


@contextmanager
def tracked(target: str, name: str) -> Iterator[None]:
    """Track the training in this context.

    Args:
        target: `tensorboard:FOLDER`, in which a folder is made, or `mlflow`.
        name: name of the run.

    Raises:
        InputError: the target is neither.
        ImportError: the package is not installed.
    """
    kind, _, folder = target.partition(":")
    if kind == "tensorboard" and folder:
        writer = TensorBoard(Path(folder, name.replace(os.sep, "_")))
        try:
            with callbacks([writer]):
                yield
        finally:
            writer.close()
    elif target == "mlflow":
        tracker = MLflow()
        with require("mlflow", "mlflow").start_run(run_name=name), callbacks([tracker]):
            yield
    else:
        raise InputError(VARIABLE, expected="tensorboard:FOLDER or mlflow", found=target)
