"""Standard errors of mean scores over test items, which several samples may share.

A recording is in many test pairs and a speaker in many utterances. Their scores are not
independent, so the error of a mean is estimated from sums over all samples that share an item
(Cameron, Gelbach & Miller 2011, Robust inference with multiway clustering). The neighbours among
which a sample retrieves and the trained model are taken as given.
"""

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import combinations

import numpy as np
from scipy.stats import t

#: Level of the intervals over items in tables, and the ending of their columns.
LEVEL, INTERVAL = 0.95, "_ci_items"
#: Fewest degrees of freedom for an interval: with fewer, its width is mostly chance.
LEAST_DF = 4
#: Most columns of shared items; of k, 2^k - 1 groupings are formed.
MOST_COLUMNS = 8


class Clusters:
    """Samples grouped by the items that they share.

    Columns in which no two samples share an item carry no information and are left out.

    Args:
        columns: identifiers (N,) of the samples' items, such as the row numbers of their images and
            those of their recordings. Negative integers mark absent items, which are not shared.
        n: number N of samples.
    """

    def __init__(self, columns: Sequence[np.ndarray], n: int):
        codes = [_codes(np.asarray(column)) for column in columns]
        codes = [code for code in codes if n and code.max() + 1 < n]
        self.n = n
        #: Smallest number of independent groups; 0 if there are too many columns.
        self.count = min((int(code.max()) + 1 for code in codes), default=n)
        if len(codes) > MOST_COLUMNS:
            self.count, codes = 0, []
        self._groups = [
            (size, reduce(lambda a, b: _codes(a * n + b), chosen))
            for size in range(1, len(codes) + 1)
            for chosen in combinations(codes, size)
        ]

    def se(self, values: np.ndarray) -> float | None:
        """Return the standard error of the mean of values (N,); None without two groups.

        It is never below that with groups by one column alone, as the estimate for several columns
        may be negative.
        """
        if self.count < 2:
            return None
        errors = values - values.mean()
        if not self._groups:
            return math.sqrt(_variance(errors))
        terms = [
            (columns, _variance(np.bincount(codes, errors), self.n))
            for columns, codes in self._groups
        ]
        whole = sum((-1) ** (columns + 1) * variance for columns, variance in terms)
        return math.sqrt(max(whole, *(variance for columns, variance in terms if columns == 1)))

    def error(self, values: np.ndarray) -> dict[str, float | None]:
        """Return `se_items`, the result of `se`, and `df_items`, its degrees of freedom."""
        return {"se_items": self.se(values), "df_items": max(self.count - 1, 0)}


def _codes(column: np.ndarray) -> np.ndarray:
    """Return integers (N,) from 0, equal for equal identifiers (N,), and one for each absent."""
    if np.issubdtype(column.dtype, np.signedinteger):
        column = np.where(column < 0, column.max(initial=0) + 1 + np.arange(len(column)), column)
    return np.unique(column, return_inverse=True)[1]


def _variance(sums: np.ndarray, n: int | None = None) -> float:
    """Return the variance of a mean of n errors from their sums (G,) by group; by default n is G.

    The factor G / (G - 1) corrects for the errors being taken from the mean.
    """
    groups = len(sums)
    return float(groups / (groups - 1) * (sums**2).sum() / (n or groups) ** 2)


def half_width(row: Mapping) -> float | None:
    """Return half the width of a score's interval over items, by Student's t distribution.

    Args:
        row: `se_items` and `df_items` (`Clusters.error`). The result is None if the former is, or
            the latter is less than LEAST_DF.
    """
    if row["se_items"] is None or row["df_items"] < LEAST_DF:
        return None
    return float(t.ppf((1 + LEVEL) / 2, row["df_items"]) * row["se_items"])


def with_interval(name: str, value: float, row: Mapping) -> dict[str, float | None]:
    """Return a score by its name, and half the width of its interval over items if it has one.

    Args:
        name: name of its column.
        value: the score.
        row: its error (`Clusters.error`), if known.
    """
    interval = {f"{name}{INTERVAL}": half_width(row)} if "se_items" in row else {}
    return {name: value, **interval}


def over_parts(rows: Sequence[Mapping]) -> dict[str, float | None]:
    """Return `se_items` and `df_items` of the mean of scores of separate parts of the data.

    The degrees of freedom of the parts add up, as those of strata in surveys: the number of groups
    less that of parts. (Satterthwaite's formula would take the variances of parts with two groups
    for known.) If every part is a single group (a speaker), the error is that of the mean of their
    scores.

    Args:
        rows: `value`, `se_items` and `df_items` of each part. The result has no error if a part has
            none.
    """
    if any("se_items" not in row for row in rows):
        return {}
    if len(rows) > 1 and all(row["se_items"] is None for row in rows):
        clusters = Clusters([], len(rows))
        return clusters.error(np.array([row["value"] for row in rows]))
    if any(row["se_items"] is None for row in rows):
        return {"se_items": None, "df_items": 0}
    squares = sum(row["se_items"] ** 2 for row in rows)
    df = sum(row["df_items"] for row in rows)
    return {"se_items": math.sqrt(squares) / len(rows), "df_items": df}


def recall_values(predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Return values (N,) whose mean is the unweighted average recall, with its error.

    They are the recall's linearisation: how much each sample adds to it.

    Args:
        predicted, actual: labels (N,). The classes are those in `actual`.
    """
    classes, of = np.unique(actual, return_inverse=True)
    counts, hit = np.bincount(of), (predicted == actual).astype(float)
    recall = np.bincount(of, hit) / counts
    return recall.mean() + len(actual) / (len(classes) * counts[of]) * (hit - recall[of])


def f1_values(predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Return values (N,) whose mean is F1 of a class, with its error, from booleans (N,).

    They are the linearisation of 2 mean(hit) / mean(predicted + actual); 0 where F1 is undefined.
    """
    both = predicted.astype(float) + actual
    if not both.any():
        return np.zeros(len(both))
    hit = 2.0 * (predicted & actual)
    f1 = hit.sum() / both.sum()
    return f1 + (hit - f1 * both) / both.mean()
