"""Effect of weighting by importances on the test pairs of user data, with its interval."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ima.evaluation.item_errors import Clusters, half_width
from ima.evaluation.metrics import precision_at_k
from ima.evaluation.user.shared import Coordinates, Model, correlations, joint_coordinates
from ima.utils.errors import InputError

#: Largest number of other pairs among which a partner is ranked, and pairs ranked at a time.
PARTNERS, ROWS = 2000, 1024
#: Names of the criteria that need no labels.
LEFT_OUT, WEIGHTED_PAIRS = "partner rank (left-out modality)", "partner rank (weighted pairs)"


class Effect(NamedTuple):
    """A score with and without weighting.

    Attributes:
        criterion: name of the score.
        pairs, groups: numbers of test pairs, and of groups of pairs that share an item of the
            modality with the fewest (`Clusters.count`).
        weighted, unweighted: mean scores over seeds.
        differences: weighted minus unweighted, for each seed.
        low, high: 95 % interval of the mean difference over items
            (`ima.evaluation.item_errors`); None if there are too few groups.
    """

    criterion: str
    pairs: int
    groups: int
    weighted: float
    unweighted: float
    differences: list[float]
    low: float | None
    high: float | None

    @property
    def difference(self) -> float:
        """Weighted minus unweighted, averaged over seeds."""
        return self.weighted - self.unweighted


def effect_of(
    criterion: str,
    weighted: np.ndarray,
    unweighted: np.ndarray,
    weight: np.ndarray,
    clusters: Clusters,
) -> Effect | None:
    """Return the difference of two mean scores with its interval over items.

    The interval is that of the mean of what each pair adds to the difference to first order.

    Args:
        criterion: name of the score.
        weighted, unweighted: scores (S, H) of the pairs for each seed.
        weight: weight (S, H) of each pair in the mean of `weighted`; for `unweighted` it is 1.
        clusters: the pairs by the items that they share.

    Returns:
        The effect, or None if there are no pairs or all weights of a seed are 0.
    """
    if not weight.size or (weight.sum(1) <= 0).any():
        return None
    weight = weight / weight.mean(1, keepdims=True)
    means = (weight * weighted).mean(1), unweighted.mean(1)  # (S,) each
    with_weights, without = (mean[:, None] for mean in means)
    added = weight * (weighted - with_weights) - (unweighted - without)
    half = half_width(clusters.error(added.mean(0)))
    difference = float((means[0] - means[1]).mean())
    return Effect(
        criterion,
        weight.shape[1],
        clusters.count,
        *(float(mean.mean()) for mean in means),
        (means[0] - means[1]).tolist(),
        None if half is None else difference - half,
        None if half is None else difference + half,
    )


def precision_effect(
    z: Sequence[tuple[np.ndarray, np.ndarray]],
    labels: np.ndarray,
    models: Sequence[Model],
    k: int,
) -> Effect | None:
    """Return the effect on Precision@K, excluding neighbours that share an item with the query.

    Args:
        z: for each seed, joint representations (H, L) of the test pairs, weighted and unweighted.
        labels: classes (H,); pairs without a label ('') are excluded.
        models: one model per seed.
        k: number K of neighbours.

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
    clusters = Clusters(items, int(known.sum()))
    return effect_of(f"Precision@{k}", weighted, unweighted, np.ones_like(weighted), clusters)


def partner_effect(models: Sequence[Model], seed: int) -> Effect | None:
    """Return the effect on how well pairs fit together, which needs no labels.

    The score of a pair is `partner_ranks` averaged over its modalities, comparing each modality
    with the joint latent of the others. With three or more modalities, this joint latent is either
    weighted by importances or unweighted. With two modalities it has no weights; instead, the mean
    over pairs is weighted by the product of both importances, which increases the score if pairs
    that fit badly have low importances.

    Args:
        models: one model per seed.
        seed: seed of the sample of partners if there are many.

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
    items = [numbers[models[0].test][has] for numbers in models[0].item.values()]
    clusters = Clusters(items, int(has.sum()))
    return effect_of(criterion, weighted, unweighted, weight[:, has], clusters)


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
