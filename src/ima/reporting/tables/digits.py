"""Tables 3 and 5: the classifier of representations, and its accuracy."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict

import pyarrow as pa

from ima.evaluation.classifier import Classifier
from ima.evaluation.item_errors import with_interval
from ima.evaluation.seeds import over_seeds
from ima.reporting.tables import merge_paper_values
from ima.utils.arrow import to_table


def table3(datasets: Mapping[str, Classifier], run: str) -> pa.Table:
    """Return Table 3: the settings with which each data set's classifier is built and trained.

    Args:
        datasets: settings of the classifier, by name of the data set.
        run: name of the run, for the first column.

    Returns:
        Rows of `run`, `dataset`, `setting` and `value`.
    """
    table = [
        {"run": run, "dataset": dataset, "setting": name, "value": str(value)}
        for dataset, settings in datasets.items()
        for name, value in _classifier(settings).items()
    ]
    return to_table(table, ("dataset", "setting", "value"))


def _classifier(settings: Classifier) -> dict[str, object]:
    options = asdict(settings)
    schedule, hidden = options.pop("schedule"), options.pop("hidden")
    options.pop("patience")  # has no effect: without validation samples, training never stops early
    return {
        "hidden layers": "2",
        "units of a layer": hidden,
        "activation": "ReLU",
        "output": "softmax over the classes",
        "loss": "cross-entropy",
        "optimiser": "Adam",
        "learning rate schedule": schedule,
        **{name.replace("_", " "): value for name, value in options.items()},
        "inputs": "centred, divided by the root mean variance of the training vectors' dimensions",
        "stops": "after all epochs",
    }


def table5(rows: Iterable[Mapping], paper: Iterable[Mapping], run: str) -> pa.Table:
    """Return Table 5: classification accuracy of joint and unimodal representations.

    Args:
        rows: for each model and seed, `model`, `latent` (None if it has none) and the columns of
            `ima.evaluation.classifier.accuracy_rows`.
        paper: rows of `ima.reporting.tables.read_paper_values`.
        run: name of the run, for the first column.

    Returns:
        A row for each model, representation and latent size: `accuracy`, the mean over seeds of the
        accuracy on all test pairs, `accuracy_sd`, `accuracy_ci_items`, half the width of its 95 %
        interval over test items (`ima.evaluation.item_errors`), and `accuracy_<pair_type>` on the
        pairs with one type of noise. Values given in the paper's text have separate rows, because
        their latent size is not stated.
    """
    keys = ("model", "representation", "latent")
    flat = [
        {key: row[key] for key in keys}
        | with_interval(_column(row["subset"]), row["accuracy"], row)
        for row in rows
    ]
    table = over_seeds(flat, keys, run, paper=None)
    return to_table(
        merge_paper_values(table, _paper_accuracy(paper), keys), ("model", "representation")
    )


def _column(subset: str) -> str:
    return "accuracy" if subset == "all" else f"accuracy_{subset}"


def _paper_accuracy(paper: Iterable[Mapping]) -> Iterable[dict]:
    for row in paper:
        if row["dataset"] == "MNIST-TIDIGITS" and row["quantity"].startswith("accuracy of the"):
            yield {
                "model": "IMA",
                "representation": row["modality"],
                "latent": None,
                "paper": float(row["value"]) / 100,
            }
