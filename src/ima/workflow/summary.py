"""One-line summaries of finished stages, for their log and the terminal (`ima.workflow.script`)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import pyarrow as pa

#: Columns of tables that are the same in every row.
_ALIKE = ("run", "corpus", "protocol", "held_out", "folds", "classes")


def precisions(rows: Iterable[Mapping]) -> str:
    """Return Precision@K of representations: smallest K, distinct neighbours and all queries.

    Args:
        rows: rows of `ima.evaluation.metrics.score_views`; for several models and seeds, with the
            columns `model` and `latent`.
    """
    rows = [r for r in rows if r["neighbours"] == "distinct" and r["subset"] == "all"]
    if not rows:
        return "too few labelled pairs to score"
    k = min(row["k"] for row in rows if row["representation"] == rows[0]["representation"])
    return f"P@{k}: " + _means([row for row in rows if row["k"] == k], "precision")


def accuracies(rows: Iterable[Mapping]) -> str:
    """Return the accuracy of classifiers of representations on all pairs.

    Args:
        rows: rows of `ima.evaluation.classifier.accuracy_rows`; for several models and seeds, with
            the columns `model` and `latent`.
    """
    return "accuracy: " + _means([row for row in rows if row["subset"] == "all"], "accuracy")


def _means(rows: Iterable[Mapping], value: str) -> str:
    """Return the mean of a value over seeds for each model, latent size and representation."""
    values = defaultdict(list)
    for row in rows:
        names = (row.get(name) for name in ("model", "latent", "representation"))
        values[" ".join(str(name) for name in names if name not in (None, ""))].append(row[value])
    return ", ".join(f"{name} {sum(v) / len(v):.3f}" for name, v in values.items())


def first(table: pa.Table, value: str) -> str:
    """Return the first value in a column of a table, with its row's keys, and the number of rows.

    Args:
        table: table whose columns before the value, except floats, identify its rows.
        value: name of a numeric column.
    """
    rows = (row for row in table.to_pylist() if row[value] is not None)
    row = next(rows, None)
    if row is None:
        return f"{len(table)} rows, none with {value}"
    names = table.column_names[: table.column_names.index(value)]
    keys = [
        row[name] if isinstance(row[name], str) else f"{name} {row[name]}"
        for name in names
        if name not in _ALIKE and row[name] not in (None, "") and not isinstance(row[name], float)
    ]
    return f"{', '.join(keys)}: {value} {row[value]:.3f}; {len(table)} rows"


def points(embeddings: pa.Table) -> str:
    """Return the numbers of points and views in a table with a column `view`."""
    return f"{len(embeddings)} points of {len(embeddings['view'].unique())} views"
