"""What weighting by importances changes in the test pairs of own data, with its interval."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ima.evaluation.metrics import precision_at_k
from ima.evaluation.user.shared import Coordinates, Model, correlations, joint_coordinates

#: Resamples of the bootstrap, and the share of them outside the interval on each side.
RESAMPLES, TAIL = 1000, 0.025
#: Values of resampled counts in memory at a time.
_CHUNK = 2**22
#: Other pairs among which a partner is ranked, at the most, and pairs that are ranked at a time.
PARTNERS, ROWS = 2000, 1024
#: Criteria that need no labels.
LEFT_OUT, WEIGHTED_PAIRS = "partner rank (left-out modality)", "partner rank (weighted pairs)"


class Effect(NamedTuple):
    """A score with and without weights.

    Attributes:
        criterion: what the score is.
        pairs, groups: how many are tested; groups of pairs with an item in common are resampled.
        weighted, unweighted: means over seeds.
        differences: weighted minus unweighted, of each seed.
        low, high: 95 % interval of their mean, by the bootstrap.
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
        """Weighted minus unweighted, mean over seeds."""
        return self.weighted - self.unweighted


def groups_of(model: Model) -> np.ndarray:
    """Return a number (H,) for each test pair, the same where pairs share an item.

    The items are those of the modality with the fewest distinct ones in test pairs; a pair that
    lacks the modality is a group of its own.
    """
    items = {m: of[model.test] for m, of in model.item.items()}
    fewest = min(items, key=lambda m: len(np.unique(items[m][items[m] >= 0])))
    own = items[fewest]
    lacking = np.where(own < 0, own.max() + 1 + np.arange(len(own)), own)
    return np.unique(lacking, return_inverse=True)[1]


def effect_of(
    criterion: str,
    weighted: np.ndarray,
    unweighted: np.ndarray,
    weight: np.ndarray,
    groups: np.ndarray,
    seed: int,
) -> Effect | None:
    """Return the difference of two mean scores, and its interval by a bootstrap over groups.

    Args:
        criterion: what the scores are.
        weighted, unweighted: scores (S, H) of pairs, of each seed.
        weight: (S, H) of each pair in the mean of `weighted`; in that of `unweighted` it is 1.
        groups: (H,), what is resampled.
        seed: of the resamples.

    Returns:
        The effect; None if a seed's weights are all 0, or there is no pair.
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
    with_weights, without = (of[0] for of in _means(of_groups.sum(0)[None]))
    means, differences = (with_weights.mean(), without.mean()), (with_weights - without).tolist()
    pairs = weight.shape[1]
    return Effect(criterion, pairs, count, *map(float, means), differences, float(low), float(high))


def _means(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean scores (R, S), weighted and not, from sums (R, 4, S) over pairs."""
    weighted, weight, unweighted, ones = np.moveaxis(sums, 1, 0)
    return weighted / np.maximum(weight, 1e-300), unweighted / ones


def precision_effect(
    z: Sequence[tuple[np.ndarray, np.ndarray]],
    labels: np.ndarray,
    models: Sequence[Model],
    k: int,
    seed: int,
) -> Effect | None:
    """Return the effect on Precision@K; neighbours that share an item with the query don't count.

    Args:
        z: of each seed, joint representations (H, L) of the test pairs, weighted and not.
        labels: classes (H,); pairs without one, '', are left out.
        models: of each seed.
        k: neighbours.
        seed: of the bootstrap.

    Raises:
        InputError: too few pairs for so many neighbours.
    """
    known = labels != ""
    items = [of[models[0].test][known] for of in models[0].item.values()]
    scores = np.array(
        [[precision_at_k(one[known], labels[known], [k], items)[k] for one in of] for of in z]
    )  # (S, 2, H)
    weighted, unweighted = scores[:, 0], scores[:, 1]
    groups = groups_of(models[0])[known]
    ones = np.ones_like(weighted)
    return effect_of(f"Precision@{k}", weighted, unweighted, ones, groups, seed)


def partner_effect(models: Sequence[Model], seed: int) -> Effect | None:
    """Return the effect on how well pairs fit, which needs no labels.

    The score of a pair is `partner_ranks`, mean over its modalities, each left out of the others'
    joint latent. Of three modalities or more, that latent is weighted by importances or not. Of
    two it has no weights: the mean over pairs is weighted instead, by the product of both
    importances, which gains if importances are low in pairs that fit badly.

    Args:
        models: of each seed.
        seed: of the bootstrap, and of the partners that stand for all where there are many.

    Returns:
        The effect; None if importances leave no pair of any weight.
    """
    names, h = list(models[0].u), int(models[0].test.sum())
    scores, weight = np.zeros((len(models), 2, h)), np.ones((len(models), h))
    counted = np.zeros(h)
    for number, model in enumerate(models):
        counted[:] = 0
        for m in names:
            for which, weighted in enumerate((True, False)):
                of = joint_coordinates(model, m, weighted)
                scores[number, which, of.rows] += partner_ranks(of, seed)
            counted[of.rows] += 1
        if len(names) == 2:
            weight[number] = np.prod([model.y[m][model.test] for m in names], axis=0)
    there = counted > 0
    weighted, unweighted = np.moveaxis(scores[:, :, there] / counted[there], 1, 0)
    criterion = WEIGHTED_PAIRS if len(names) == 2 else LEFT_OUT
    groups = groups_of(models[0])[there]
    return effect_of(criterion, weighted, unweighted, weight[:, there], groups, seed)


def partner_ranks(of: Coordinates, seed: int) -> np.ndarray:
    """Return the share (H,) of other pairs whose partners fit an item less well than its own.

    The fit is the likelihood ratio of canonical correlation analysis, as in `ima.models.ranks`: 1
    where the own partner fits best, .5 on average where nothing is shared.

    Args:
        of: coordinates of test pairs.
        seed: of PARTNERS of the pairs, where there are more.
    """
    a, b = ((v - v.mean(0)) / np.maximum(v.std(0), 1e-9) for v in (of.a, of.b))
    c = correlations(a, b).clip(0, 0.99)
    chosen = np.random.default_rng(seed).permutation(len(a))[:PARTNERS]
    rest = 1 - c**2
    offset = (a**2 * (c**2 / (2 * rest))).sum(1)  # (H,)
    found = []
    for first in range(0, len(a), ROWS):
        rows = np.arange(first, min(first + ROWS, len(a)))
        towards = b[rows] * c / rest
        own = (towards * a[rows]).sum(1) - offset[rows]
        fits = towards @ a[chosen].T - offset[chosen]  # (R, P)
        other = rows[:, None] != chosen
        below = other * ((fits < own[:, None]) + 0.5 * (fits == own[:, None]))
        found.append(below.sum(1) / np.maximum(other.sum(1), 1))
    return np.concatenate(found)
