"""Baselines for importances of words and voices: random, rarity, outliers and lexicons (6.1)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from scipy.stats import rankdata

from ima.evaluation.emotion.importance import Scored, aucs, both_f1, importance_row, rarity, scored
from ima.features.lexicon import PACKAGES, load_lexicon

#: Probabilities r of the random classifiers, besides the values of rho.
RANDOM = tuple(i / 10 for i in range(11))
#: Random classifiers drawn for each r.
DRAWS = 50


def baseline_rows(
    items: pa.Table,
    actual: Mapping[tuple[str, str], np.ndarray],
    words: pa.Table,
    voices: np.ndarray,
    grid: Sequence[float],
) -> list[dict]:
    """Score the baselines that importances must beat.

    The baselines are random classifiers (`random_rows`); `frequency`, which calls rare words
    important; `outlier`, which calls items important whose vectors are far from the mean; and
    `lexicon <name>`, the words of an open lexicon. The lexicon that is the reference scores 1.

    Args:
        items, actual: as in `sweep_rows`.
        words: WORD_VECTORS.
        voices: vectors of the voices (n_acoustic, D).
        grid: values of rho in [0, 1] that importance networks are trained with.

    Returns:
        Rows of IMPORTANCE_EMOTION.
    """
    rows = []
    spread = {"verbal": np.stack(words["x"].to_pylist()), "acoustic": voices}
    far = {m: np.linalg.norm(x - x.mean(0), axis=1) for m, x in spread.items()}
    counts = words["count"].to_numpy().astype(float)
    strata, lexicons = rarity(counts), _lexicons(words)
    for of in scored(items, actual):
        rows += random_rows(of, grid)
        ranked = {"outlier": far[of.modality][of.rows]}
        if of.modality == "verbal":
            ranked["frequency"] = -counts[of.rows]
        for by, values in ranked.items():
            found = best_threshold(_coarse(values), of.important)
            rows.append(importance_row(of, by, **found, **aucs(values, of, strata)))
        for name, flags in lexicons.items() if of.modality == "verbal" else ():
            found = flags[of.rows]
            scores = {**both_f1(found, of.important), **aucs(found, of, strata)}
            rows.append(importance_row(of, f"lexicon {name}", **scores, rho=float(found.mean())))
    return rows


def random_rows(of: Scored, grid: Sequence[float], draws: int = DRAWS, seed: int = 0) -> list[dict]:
    """Score random classifiers that call each item important with probability r (6.1).

    Like importances, decisions are drawn for each distinct word or voice, not for each token.

    Args:
        of: what is scored.
        grid: values of rho, from which drawn classifiers have their r: all but 0 and 1.
        draws: number of classifiers drawn for each r.
        seed: seed of the draws.

    Returns:
        Rows of IMPORTANCE_EMOTION: `random`, the expectation (`random_f1`) for each r of RANDOM and
        of the grid; `random drawn`, the result of each draw and r; and `random best`, the r with
        the highest mean F1 in each draw, which is what reporting the best of a single draw per r
        would give.
    """
    share, rng = of.important.mean(), np.random.default_rng(seed)
    half, none = ({"auc": value, "auc_frequency_matched": value} for value in (0.5, np.nan))
    inside = [r for r in grid if 0 < r < 1]
    rates = sorted({*RANDOM, *inside})
    rows = [importance_row(of, "random", rho=r, **random_f1(share, r), **half) for r in rates]
    types, type_of = np.unique(of.rows, return_inverse=True)  # type of each token or type (C,)
    for draw in range(draws if inside else 0):
        drawn = [(r, (rng.random(len(types)) < r)[type_of]) for r in inside]
        scores = [{"rho": r, **both_f1(called, of.important)} for r, called in drawn]
        rows += [importance_row(of, "random drawn", draw=draw, **one, **none) for one in scores]
        best = max(scores, key=lambda one: one["macro_f1"])
        rows.append(importance_row(of, "random best", draw=draw, **best, **none))
    return rows


def random_f1(share: float, r: float) -> dict[str, float]:
    """Return the F1 of calling each item important with probability r, for expected counts.

    With a share p of important items, F1 is 2 p r / (p + r) for the important class, and the same
    in 1 - p and 1 - r for the other. As harmonic means do not exceed arithmetic ones, the mean of
    both is at most 1/2, reached at r = p.
    """
    important = 2 * share * r / max(share + r, 1e-12)
    unimportant = 2 * (1 - share) * (1 - r) / max(2 - share - r, 1e-12)
    return {
        "f1_important": important,
        "f1_unimportant": unimportant,
        "macro_f1": (important + unimportant) / 2,
    }


def best_threshold(values: np.ndarray, actual: np.ndarray) -> dict[str, float]:
    """Return the best mean F1 of calling the items with the highest values important.

    The threshold is chosen on the reference itself, an advantage that importances do not have.

    Returns:
        `rho`, the share of items called important, and the scores of `both_f1`.
    """
    best: dict[str, float] = {"macro_f1": -1.0}
    for threshold in np.unique(values):
        predicted = values >= threshold
        scores = {"rho": float(predicted.mean()), **both_f1(predicted, actual)}
        best = max(best, scores, key=lambda s: s["macro_f1"])
    return best


def _coarse(values: np.ndarray) -> np.ndarray:
    """Return values, replaced by percentile ranks if more than 200 are distinct, as thresholds."""
    if len(np.unique(values)) <= 200:
        return values
    return np.floor(rankdata(values) / len(values) * 100)


def _lexicons(words: pa.Table) -> dict[str, np.ndarray]:
    """Return which words (n_verbal,) are in each open lexicon."""
    names = words["word"].to_pylist()
    tables = {name: load_lexicon(name).table(names) for name in PACKAGES}
    return {
        name: table["emotional"].to_numpy(zero_copy_only=False) for name, table in tables.items()
    }
