"""The paper's tables, from the scores of every model and seed."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from ima.evaluation.item_errors import with_interval
from ima.evaluation.seeds import over_seeds
from ima.utils.arrow import to_table
from ima.utils.errors import InputError
from ima.utils.io import read_csv

#: Prefix of Table 1's columns, by choice of neighbours.
_COLUMN = {"all": "precision", "distinct": "precision_no_shared"}
_PAPER_COLUMNS = ["where", "dataset", "quantity", "modality", "latent", "k", "value", "unit"]


def read_paper_values(path: str | Path) -> list[dict]:
    """Read the values that the paper reports, one per row.

    Raises:
        InputError: the file does not exist, is not CSV, or has other columns.
    """
    rows = read_csv(path, _PAPER_COLUMNS).to_pylist()
    if list(rows[0]) != _PAPER_COLUMNS:
        raise InputError(path, expected=f"columns {_PAPER_COLUMNS}", found=list(rows[0]))
    return rows


def merge_paper_values(
    table: list[dict], paper: Iterable[Mapping], keys: Sequence[str]
) -> list[dict]:
    """Add the paper's values to our rows with the same keys.

    Args:
        table: rows of `ima.evaluation.seeds.over_seeds` with a column `paper`.
        paper: rows with the keys and `paper`; those without a row of ours are appended with
            `seeds` 0.
        keys: as in `over_seeds`.
    """
    rows = {tuple(row[key] for key in keys): dict(row) for row in table}
    for value in paper:
        key = tuple(value[key] for key in keys)
        empty = {**dict.fromkeys(table[0] if table else ()), **value, "seeds": 0}
        rows.setdefault(key, empty | ({"run": table[0]["run"]} if table else {}))
        rows[key]["paper"] = value["paper"]
    return [*rows.values()]


def table1(
    scores: Iterable[Mapping], anchors: Iterable[Mapping], paper: Iterable[Mapping], run: str
) -> pa.Table:
    """Return Table 1: Precision@K of joint and unimodal representations.

    Args:
        scores: for each model and seed, `model`, `latent`, `seed` and `retrieval` from
            `ima.evaluation.metrics.score_model`.
        anchors: rows of `ima.evaluation.reference.score_anchors`.
        paper: rows of `read_paper_values`.
        run: name of the run, for the first column.

    Returns:
        A row for each model, representation, latent size and K. `precision` is the mean over
        seeds of the mean over all test pairs, `precision_sd` its sample sd over seeds (empty for
        one seed), and `precision_ci_items` half the width of its 95 % interval over test items
        (`ima.evaluation.item_errors`). `precision_<pair_type>` is the same for queries with one
        type of noise, and `precision_no_shared...` the same without neighbours that share the
        query's clip or image.
        `paper` is the value given in the paper's text; if the model is not trained here, the other
        columns are empty.
    """
    keys = ("model", "representation", "latent", "k")
    flat = [
        {**{key: row[key] for key in keys}, **with_interval(_column(row), row["precision"], row)}
        for row in _rows(scores, anchors)
    ]
    rows = over_seeds(flat, keys, run, paper=None)
    return to_table(
        merge_paper_values(rows, _paper_precision(paper), keys), ("model", "representation")
    )


def _column(row: Mapping) -> str:
    column = _COLUMN[row["neighbours"]]
    return column if row["subset"] == "all" else f"{column}_{row['subset']}"


def _rows(scores: Iterable[Mapping], anchors: Iterable[Mapping]) -> Iterable[dict]:
    """Yield the scores' rows, model by model in order of appearance, then the anchors'."""
    scores = list(scores)
    models = list(dict.fromkeys(model["model"] for model in scores))
    for name in models:
        of_model = (model for model in scores if model["model"] == name)
        for model in sorted(of_model, key=lambda model: (model["latent"], model["seed"])):
            for row in model["retrieval"]:
                yield {"model": name, "latent": model["latent"], **row}
    yield from anchors


def _paper_precision(paper: Iterable[Mapping]) -> Iterable[dict]:
    """Yield the values of Table 1 that the paper's text gives: its denoising autoencoder."""
    for row in paper:
        if row["dataset"] == "MNIST-TIDIGITS" and row["quantity"].startswith("precision@k of the"):
            yield {
                "model": row["quantity"].removeprefix("precision@k of the "),
                "representation": row["modality"],
                "latent": row["latent"],
                "k": row["k"],
                "paper": float(row["value"]),
            }
