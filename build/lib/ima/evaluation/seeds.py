"""Means and standard deviations over seeds."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np


def mean_sd(values: Sequence[float]) -> tuple[float, float | None]:
    """Return mean and sample standard deviation; the latter is None for a single value."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return math.fsum(values) / len(values), sd


def over_seeds(
    rows: Iterable[Mapping],
    keys: Sequence[str],
    run: str,
    scores: Sequence[str] = (),
    **constant: object,
) -> list[dict]:
    """Return the mean and sample standard deviation of scores over seeds, by keys.

    Args:
        rows: mappings with the keys and some or all scores of one seed.
        keys: columns that identify a row of the result.
        run: name of the run, for the first column.
        scores: names of the scores; by default all columns that are not keys.
        constant: further columns and their value.

    Returns:
        Rows of `run`, the keys, `seeds` (the number of values of the first score), the constant
        columns, and each score with its `<score>_sd`.
    """
    found: dict[tuple, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        values = found[tuple(row[key] for key in keys)]
        for name in scores or [name for name in row if name not in keys]:
            values[name].append(row[name])
    table = []
    for key, values in found.items():
        seeds = len(next(iter(values.values())))
        out = {"run": run, **dict(zip(keys, key, strict=True)), "seeds": seeds, **constant}
        for name, of_seeds in values.items():
            out[name], out[f"{name}_sd"] = mean_sd(of_seeds)
        table.append(out)
    return table
