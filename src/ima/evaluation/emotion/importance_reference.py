"""What importances of words and voices must beat: random classifiers, rarity, lexicons (6.1)."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from scipy.stats import rankdata

from ima.evaluation.emotion.importance import Scored, aucs, both_f1, importance_row, rarity, scored
from ima.features.lexicon import PACKAGES, load_lexicon

#: The r that the random classifier is tried with.
RANDOM = tuple(i / 10 for i in range(11))
#: Random classifiers that are drawn for each of these r.
DRAWS = 50


def baseline_rows(
    items: pa.Table,
    actual: Mapping[tuple[str, str], np.ndarray],
    words: pa.Table,
    voices: np.ndarray,
) -> list[dict]:
    """Score what importances must beat; rows of IMPORTANCE_EMOTION.

    Random classifiers: `random_rows`. `frequency`: rare words are important. `outlier`: what lies
    far out is important, by the distance of a word's or a voice's vector from the mean.
    `lexicon <name>`: words of an open lexicon; the one that is the reference itself scores 1.

    Args:
        items, actual: as `sweep_rows`.
        words: WORD_VECTORS.
        voices: (n_acoustic, D).
    """
    rows = []
    spread = {"verbal": np.stack(words["x"].to_pylist()), "acoustic": voices}
    far = {m: np.linalg.norm(x - x.mean(0), axis=1) for m, x in spread.items()}
    counts = words["count"].to_numpy().astype(float)
    strata, lexicons = rarity(counts), _lexicons(words)
    for of in scored(items, actual):
        rows += random_rows(of)
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


def random_rows(of: Scored, draws: int = DRAWS, seed: int = 0) -> list[dict]:
    """Score random classifiers that call each item important with probability r (6.1).

    Returns:
        Rows of IMPORTANCE_EMOTION: `random`, in expectation (`random_f1`), of each r of RANDOM;
        `random drawn`, what a classifier draws, of each draw and r; and `random best`, of each
        draw the r of the greatest mean F1: what is reported when the best of one draw an r counts.
    """
    share, rng = of.important.mean(), np.random.default_rng(seed)
    half, none = ({"auc": value, "auc_rarity": value} for value in (0.5, np.nan))
    rows = [importance_row(of, "random", rho=r, **random_f1(share, r), **half) for r in RANDOM]
    for draw in range(draws):
        drawn = [(r, rng.random(len(of.important)) < r) for r in RANDOM]
        scores = [{"rho": r, **both_f1(called, of.important)} for r, called in drawn]
        rows += [importance_row(of, "random drawn", draw=draw, **one, **none) for one in scores]
        best = max(scores, key=lambda one: one["f1_mean"])
        rows.append(importance_row(of, "random best", draw=draw, **best, **none))
    return rows


def random_f1(share: float, r: float) -> dict[str, float]:
    """Return the F1 of calling each item important with probability r, in expectation of counts.

    With a share p that is important: 2 p r / (p + r), and the same of 1 - p and 1 - r. Harmonic
    means are below arithmetic ones, so that their mean is never above 1/2, which it is at r = p.
    """
    important = 2 * share * r / max(share + r, 1e-12)
    unimportant = 2 * (1 - share) * (1 - r) / max(2 - share - r, 1e-12)
    return {
        "f1_important": important,
        "f1_unimportant": unimportant,
        "f1_mean": (important + unimportant) / 2,
    }


def best_threshold(values: np.ndarray, actual: np.ndarray) -> dict[str, float]:
    """Return the greatest mean F1 of calling items of the highest values important.

    The threshold is chosen on the reference itself, which is more than importances may do.

    Returns:
        `rho`, the share that is called important, and those of `both_f1`.
    """
    best: dict[str, float] = {"f1_mean": -1.0}
    for threshold in np.unique(values):
        predicted = values >= threshold
        scores = {"rho": float(predicted.mean()), **both_f1(predicted, actual)}
        best = max(best, scores, key=lambda s: s["f1_mean"])
    return best


def _coarse(values: np.ndarray) -> np.ndarray:
    """Return values cut to their hundredths of ranks where there are many, for thresholds."""
    if len(np.unique(values)) <= 200:
        return values
    return np.floor(rankdata(values) / len(values) * 100)


def _lexicons(words: pa.Table) -> dict[str, np.ndarray]:
    """Return which words (n_verbal,) each open lexicon has."""
    names = words["word"].to_pylist()
    tables = {name: load_lexicon(name).table(names) for name in PACKAGES}
    return {
        name: table["emotional"].to_numpy(zero_copy_only=False) for name, table in tables.items()
    }
