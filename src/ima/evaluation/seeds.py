"""Means over folds, and means and standard deviations over seeds."""

import logging
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ima.evaluation.item_errors import INTERVAL, over_parts

logger = logging.getLogger(__name__)


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
        columns, and each score with its `<score>_sd`. A score whose name ends in INTERVAL is half
        the width of an interval over items, of which only the mean is given; None if any is.
    """
    by_key: dict[tuple, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        values = by_key[tuple(row[key] for key in keys)]
        for name in scores or [name for name in row if name not in keys]:
            values[name].append(row[name])
    table = []
    for key, values in by_key.items():
        seeds = len(next(iter(values.values())))
        out = {"run": run, **dict(zip(keys, key, strict=True)), "seeds": seeds, **constant}
        for name, of_seeds in values.items():
            if name.endswith(INTERVAL):
                out[name] = None if None in of_seeds else mean_sd(of_seeds)[0]
            else:
                out[name], out[f"{name}_sd"] = mean_sd(of_seeds)
        table.append(out)
    return table


def over_folds(scores: Iterable[Mapping]) -> list[dict]:
    """Return the scores of each seed and model, averaged over folds.

    Args:
        scores: for each fold and seed, `seed` and `scores`, rows of
            `ima.evaluation.emotion.scores`.

    Returns:
        For each seed and model, such a mapping whose rows are the means of those that differ only
        in their value and its error over items, with equal weights. A single fold's are unchanged.
        The value is NaN, and the log says so, if some of the model's folds lack the score, for
        example because a fold has too few utterances for K neighbours.
    """
    measured = ("value", "se_items", "df_items")
    found: dict[tuple, dict[tuple, list[Mapping]]] = defaultdict(lambda: defaultdict(list))
    counts: Counter[tuple] = Counter()  # folds, by seed and model
    for of in scores:
        counts.update({(of["seed"], row["model"]) for row in of["scores"]})
        for row in of["scores"]:
            key = tuple((name, value) for name, value in row.items() if name not in measured)
            found[of["seed"], row["model"]][key].append(row)
    means, lacking = [], set()
    for (seed, model), by_key in found.items():
        rows = []
        for key, folds in by_key.items():
            about, count = dict(key), counts[seed, model]
            rows.append(about | _mean_of_folds(folds, count))
            if len(folds) < count:
                k = f", K of {about['k']}" if about.get("k") is not None else ""
                lacking.add(f"{about['score']}{k} (in {len(folds)} of {count})")
        means.append({"seed": seed, "scores": rows})
    if lacking:
        logger.warning("Scores without a mean over folds: %s", "; ".join(sorted(lacking)))
    return means


def _mean_of_folds(rows: Sequence[Mapping], count: int) -> dict[str, float | None]:
    """Return a score's mean over folds and its error; NaN and None unless `count` folds have it."""
    if len(rows) < count:
        return {"value": math.nan, "se_items": None, "df_items": 0}
    return {"value": math.fsum(row["value"] for row in rows) / count} | over_parts(rows)
