"""The paper's tables, from the scores of every model and seed."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from ima.errors import InputError

#: How a column of Table 1 is called: by neighbours and subset of the queries.
_COLUMN = {"all": "precision", "distinct": "distinct"}
_PAPER_COLUMNS = ["where", "dataset", "quantity", "modality", "latent", "k", "value", "unit"]


def read_paper_values(path: str | Path) -> list[dict]:
    """Read what the paper reports, a row a value.

    Raises:
        InputError: no such file, not CSV, or other columns.
    """
    try:
        rows = csv.read_csv(path)
    except (FileNotFoundError, pa.ArrowInvalid) as error:
        raise InputError(path, expected=f"CSV of {_PAPER_COLUMNS}", found=error) from error
    if rows.column_names != _PAPER_COLUMNS:
        raise InputError(path, expected=f"columns {_PAPER_COLUMNS}", found=rows.column_names)
    return rows.to_pylist()


def mean_sd(values: Sequence[float]) -> tuple[float, float | None]:
    """Return mean and sample standard deviation; None for the latter of a single value."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return math.fsum(values) / len(values), sd


def table1(
    scores: Iterable[Mapping], anchors: Iterable[Mapping], paper: Iterable[Mapping], run: str
) -> pa.Table:
    """Return Table 1: Precision@K of joint and unimodal representations.

    Args:
        scores: of each model, `latent`, `seed` and what `ima.metrics.score_model` returns.
        anchors: rows of `ima.anchors.score_anchors`.
        paper: rows of `read_paper_values`.
        run: name of the run, for the first column.

    Returns:
        A row for each model, representation, latent size and K. `precision` is the mean over
        seeds of the mean over all test pairs, `precision_sd` its sample sd over seeds (empty for
        one seed); `precision_<kind>` the same for queries of one kind of noise; `distinct...` the
        same with neighbours left out that share the query's clip or image. `paper` is the value
        the paper's text gives, with no other column where the model is not trained here.
    """
    values: dict[tuple, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in _rows(scores, anchors):
        key = (row["model"], row["representation"], row["latent"], row["k"])
        column = _COLUMN[row["neighbours"]]
        column += "" if row["subset"] == "all" else f"_{row['subset']}"
        values[key][column].append(row["precision"])
    table = []
    for (model, representation, latent, k), columns in values.items():
        out = {"run": run, "model": model, "representation": representation}
        out |= {"latent": latent, "k": k, "seeds": len(columns["precision"]), "paper": None}
        for column, over_seeds in columns.items():
            out[column], out[f"{column}_sd"] = mean_sd(over_seeds)
        table.append(out)
    names = list(dict.fromkeys(name for row in table for name in row))
    for value in _paper_precision(paper):
        table.append({**dict.fromkeys(names), "run": run, **value})
    types = {"latent": pa.int32(), "k": pa.int32(), "seeds": pa.int32()}
    types |= dict.fromkeys(("run", "model", "representation"), pa.string())
    schema = pa.schema([(name, types.get(name, pa.float64())) for name in names])
    return pa.Table.from_pylist(table, schema=schema)


def _rows(scores: Iterable[Mapping], anchors: Iterable[Mapping]) -> Iterable[dict]:
    for model in sorted(scores, key=lambda model: (model["latent"], model["seed"])):
        for row in model["retrieval"]:
            yield {"model": "IMA", "latent": model["latent"], **row}
    yield from anchors


def _paper_precision(paper: Iterable[Mapping]) -> Iterable[dict]:
    """Yield what the paper's text gives of Table 1: its denoising autoencoder."""
    for row in paper:
        if row["dataset"] == "MNIST-TIDIGITS" and row["quantity"].startswith("precision@k of the"):
            model = row["quantity"].removeprefix("precision@k of the ")
            yield {
                "model": model,
                "representation": row["modality"],
                "latent": row["latent"],
                "k": row["k"],
                "paper": float(row["value"]),
                "seeds": 0,
            }
