"""Effect of weighting by importances on the test pairs of user data, with its interval."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ima.evaluation.metrics import precision_at_k
from ima.evaluation.user.shared import Coordinates, Model, correlations, joint_coordinates
from ima.utils.errors import InputError

#: Number of bootstrap resamples, and the share of them outside the interval on each side.
RESAMPLES, TAIL = 1000, 0.025
#: Resampled counts held in memory at a time.
_CHUNK = 2**22
#: Largest number of other pairs among which a partner is ranked, and pairs ranked at a time.
PARTNERS, ROWS = 2000, 1024
#: Names of the criteria that need no labels.
LEFT_OUT, WEIGHTED_PAIRS = "partner rank (left-out modality)", "partner rank (weighted pairs)"


class Effect(NamedTuple):
    """A score with and without weighting.

    Attributes:
        criterion: name of the score.
        pairs, groups: numbers of test pairs and of groups of pairs that share an item; the
            bootstrap resamples groups.
        weighted, unweighted: mean scores over seeds.
        differences: weighted minus unweighted, for each seed.
        low, high: 95 % bootstrap interval of the mean difference.
    """

    criterion: str
    pairs: int
    groups: int
    weighted: float
    unweighted: float
    differences: list[float]
    low: float
    high: float

    @property
    def difference(self) -> float:
        """Weighted minus unweighted, averaged over seeds."""
        return self.weighted - self.unweighted


def groups_of(model: Model) -> np.ndarray:
    """Return the group number (H,) of each test pair; pairs that share an item share a group.

    Only items of the modality with the fewest distinct items in the test pairs are considered; a
    pair without this modality forms its own group.
    """
    items = {m: numbers[model.test] for m, numbers in model.item.items()}
    fewest = min(items, key=lambda m: len(np.unique(items[m][items[m] >= 0])))
    rows = items[fewest]
    lacking = np.where(rows < 0, rows.max() + 1 + np.arange(len(rows)), rows)
    return np.unique(lacking, return_inverse=True)[1]


def effect_of(
    criterion: str,
    weighted: np.ndarray,
    unweighted: np.ndarray,
    weight: np.ndarray,
    groups: np.ndarray,
    seed: int,
) -> Effect | None:
    """Return the difference of two mean scores with its interval from a bootstrap over groups.

    Args:
        criterion: name of the score.
        weighted, unweighted: scores (S, H) of the pairs for each seed.
        weight: weight (S, H) of each pair in the mean of `weighted`; for `unweighted` it is 1.
        groups: group number (H,) of each pair; groups are resampled.
        seed: seed of the bootstrap.

    Returns:
        The effect, or None if there are no pairs or all weights of a seed are 0.
    """
    if not weight.size or (weight.sum(1) <= 0).any():
        return None
    groups = np.unique(groups, return_inverse=True)[1]
    count = int(groups.max()) + 1
    sums = np.stack((weight * weighted, weight, unweighted, np.ones_like(weight)))  # (4, S, H)
    of_groups = np.zeros((count, *sums.shape[:2]))
    np.add.at(of_groups, groups, np.moveaxis(sums, 2, 0))
    rng, drawn = np.random.default_rng(seed), []
    step = max(1, min(RESAMPLES, _CHUNK // count))
    for first in range(0, RESAMPLES, step):
        size = min(step, RESAMPLES - first)
        times = rng.multinomial(count, np.full(count, 1 / count), size)  # (R, groups)
        with_weights, without = _means(np.tensordot(times, of_groups, 1))
        drawn.append((with_weights - without).mean(1))
    low, high = np.quantile(np.concatenate(drawn), [TAIL, 1 - TAIL])
    with_weights, without = (row[0] for row in _means(of_groups.sum(0)[None]))
    means, differences = (with_weights.mean(), without.mean()), (with_weights - without).tolist()
    pairs = weight.shape[1]
    return Effect(criterion, pairs, count, *map(float, means), differences, float(low), float(high))


def _means(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted and unweighted mean scores (R, S) from sums (R, 4, S) over pairs."""
    weighted, weight, unweighted, ones = np.moveaxis(sums, 1, 0)
    return weighted / np.maximum(weight, 1e-300), unweighted / ones


def precision_effect(
    z: Sequence[tuple[np.ndarray, np.ndarray]],
    labels: np.ndarray,
    models: Sequence[Model],
    k: int,
    seed: int,
) -> Effect | None:
    """Return the effect on Precision@K, excluding neighbours that share an item with the query.

    Args:
        z: for each seed, joint representations (H, L) of the test pairs, weighted and unweighted.
        labels: classes (H,); pairs without a label ('') are excluded.
        models: one model per seed.
        k: number K of neighbours.
        seed: seed of the bootstrap.

    Raises:
        InputError: there are too few pairs for K neighbours, or none share a label.
    """
    known = labels != ""
    if (classes := len(np.unique(labels[known]))) == known.sum():
        raise InputError("labels", expected="two test pairs of a class", found=f"{classes} classes")
    items = [numbers[models[0].test][known] for numbers in models[0].item.values()]
    scores = np.array(
        [
            [precision_at_k(view[known], labels[known], [k], items)[k] for view in views]
            for views in z
        ]
    )  # (S, 2, H)
    weighted, unweighted = scores[:, 0], scores[:, 1]
    groups = groups_of(models[0])[known]
    ones = np.ones_like(weighted)
    return effect_of(f"Precision@{k}", weighted, unweighted, ones, groups, seed)


def partner_effect(models: Sequence[Model], seed: int) -> Effect | None:
    """Return the effect on how well pairs fit together, which needs no labels.

    The score of a pair is `partner_ranks` averaged over its modalities, comparing each modality
    with the joint latent of the others. With three or more modalities, this joint latent is either
    weighted by importances or unweighted. With two modalities it has no weights; instead, the mean
    over pairs is weighted by the product of both importances, which increases the score if pairs
    that fit badly have low importances.

    Args:
        models: one model per seed.
        seed: seed of the bootstrap, and of the sample of partners if there are many.

    Returns:
        The effect, or None if importances give every pair zero weight.
    """
    names, h = list(models[0].u), int(models[0].test.sum())
    scores, weight = np.zeros((len(models), 2, h)), np.ones((len(models), h))
    counted = np.zeros(h)
    for number, model in enumerate(models):
        counted[:] = 0
        for m in names:
            for column, weighted in enumerate((True, False)):
                fitted = joint_coordinates(model, m, weighted)
                scores[number, column, fitted.rows] += partner_ranks(fitted, seed)
            counted[fitted.rows] += 1
        if len(names) == 2:
            weight[number] = np.prod([model.y[m][model.test] for m in names], axis=0)
    has = counted > 0
    weighted, unweighted = np.moveaxis(scores[:, :, has] / counted[has], 1, 0)
    criterion = WEIGHTED_PAIRS if len(names) == 2 else LEFT_OUT
    groups = groups_of(models[0])[has]
    return effect_of(criterion, weighted, unweighted, weight[:, has], groups, seed)


def partner_ranks(fitted: Coordinates, seed: int) -> np.ndarray:
    """Return the share (H,) of other pairs whose partners fit an item less well than its own.

    The fit is the likelihood ratio of canonical correlation analysis, as in `ima.models.ranks`.
    The share is 1 if an item's own partner fits best, and .5 on average if nothing is shared.

    Args:
        fitted: coordinates of test pairs.
        seed: seed of the sample of PARTNERS pairs, drawn if there are more.
    """
    a, b = ((v - v.mean(0)) / np.maximum(v.std(0), 1e-9) for v in (fitted.a, fitted.b))
    c = correlations(a, b).clip(0, 0.99)
    chosen = np.random.default_rng(seed).permutation(len(a))[:PARTNERS]
    residual = 1 - c**2
    offset = (a**2 * (c**2 / (2 * residual))).sum(1)  # (H,)
    shares = []
    for first in range(0, len(a), ROWS):
        rows = np.arange(first, min(first + ROWS, len(a)))
        towards = b[rows] * c / residual
        own_fit = (towards * a[rows]).sum(1) - offset[rows]
        fits = towards @ a[chosen].T - offset[chosen]  # (R, P)
        is_other = rows[:, None] != chosen
        below = is_other * ((fits < own_fit[:, None]) + 0.5 * (fits == own_fit[:, None]))
        shares.append(below.sum(1) / np.maximum(is_other.sum(1), 1))
    return np.concatenate(shares)
