"""Evidence on whether the importances of user data can be trusted.

The tables show what each modality shares with the others, how stable its importances are, and the
effect of weighting. All scores use test pairs, except the comparison over folds, which uses
networks that were not trained on the items they score.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.evaluation.seeds import mean_sd
from ima.evaluation.user import stability
from ima.evaluation.user.shared import Model, coordinates, model_of, shared
from ima.evaluation.user.weighting import Effect, partner_effect, precision_effect
from ima.reporting.user import advice
from ima.utils.arrow import matrix, to_table
from ima.utils.errors import InputError

logger = logging.getLogger(__name__)


def trust_tables(
    read: Callable[[int], pa.Table],
    models: Sequence[Mapping],
    folds: Sequence[Mapping],
    labels: bool,
    k: int,
    run: str,
) -> tuple[pa.Table, pa.Table]:
    """Return the trust table and the weighting table of a run.

    Args:
        read: function that maps a model's number to its table of
            `ima.utils.schemas.own_representations_schema`.
        models: `latent` and `seed` of each model.
        folds: result of `ima.evaluation.user.stability.over_folds` for each model; empty for
            objectives without folds.
        labels: whether pairs have labels.
        k: number K of neighbours for Precision@K.
        run: name of the run.

    Returns:
        The trust table has one row per latent size and modality: `pairs`, the number of test
        pairs; `correlation`, the largest canonical correlation with the other modalities, averaged
        over seeds; `shuffled`, `shuffled_95` and `shuffled_99`, its mean and percentiles for
        permuted items; `p`, the largest p-value over seeds; `coordinates`, the number of canonical
        coordinates that share more than with permuted items; `mean_importance`, `unimportant` and
        `informative` (None without folds); the scores of `ima.evaluation.user.stability.compare`
        over `seeds` and `folds`, None if unknown; and `advice`. The weighting table has one row
        per latent size and criterion, with the fields of `ima.evaluation.user.weighting.Effect`.
    """
    trust, weighting = [], []
    for latent in dict.fromkeys(model["latent"] for model in models):
        numbers = [i for i, model in enumerate(models) if model["latent"] == latent]
        tables = [read(i) for i in numbers]
        fitted = [model_of(table) for table in tables]
        for m in fitted[0].u:
            row = {"run": run, "latent": latent, "modality": m, "seeds": len(numbers)}
            row |= _shares(fitted, m) | _importances(fitted, m)
            row |= _stability(fitted, [folds[i].get(m) for i in numbers], m)
            trust.append(row | {"advice": advice.MODALITY[advice.judge(row)]})
        for effect in _effects(tables, fitted, labels, k) or [None]:
            row = {"run": run, "latent": latent, "seeds": len(numbers)} | _effect_row(effect)
            weighting.append(row | {"advice": advice.WEIGHTING[advice.judge_weighting(row)]})
    integers = ("latent", "seeds", "pairs", "groups")
    return (
        to_table(trust, text=("modality", "advice"), whole=integers),
        to_table(weighting, text=("criterion", "advice"), whole=integers),
    )


def _shares(models: Sequence[Model], name: str) -> dict:
    """Return what a modality shares in test pairs and with permuted items, over seeds."""
    results = [shared(coordinates(model, name), seed) for seed, model in enumerate(models)]
    return {
        "pairs": results[0].pairs,
        "correlation": float(np.mean([result.correlation for result in results])),
        "shuffled": float(np.mean([result.shuffled for result in results])),
        "shuffled_95": float(np.quantile([result.shuffled for result in results], 0.95)),
        "shuffled_99": float(np.quantile([result.shuffled for result in results], 0.99)),
        "p": max(result.p for result in results),
        "coordinates": float(np.mean([result.coordinates for result in results])),
    }


def _test_items(models: Sequence[Model], name: str) -> list[np.ndarray]:
    """Return the importances (n,) of a modality's distinct test items for each seed."""
    items = models[0].item[name][models[0].test]
    distinct, first = np.unique(items, return_index=True)
    return [model.y[name][model.test][first[distinct >= 0]] for model in models]


def _importances(models: Sequence[Model], name: str) -> dict:
    y = _test_items(models, name)
    return {
        "mean_importance": float(np.mean(y)),
        "unimportant": float(np.mean(np.array(y) < 0.5)),
    }


def _stability(models: Sequence[Model], folds: Sequence[Mapping | None], name: str) -> dict:
    """Return the stability of importances over seeds and folds, and the informative proportion."""
    known = [fold for fold in folds if fold is not None]
    informative = float(np.mean([fold["informative"] for fold in known])) if known else None
    scores = {
        "seeds": stability.over_seeds(_test_items(models, name)),
        "folds": stability.mean_of(known),
    }
    return {"informative": informative} | {
        f"{score}_{over}": values[score]
        for over, values in scores.items()
        for score in stability.SCORES
    }


def _effects(
    tables: Sequence[pa.Table], models: Sequence[Model], labels: bool, k: int
) -> list[Effect]:
    """Return the measurable effects of weighting, the decisive one first."""
    effects: list[Effect | None] = []
    if labels:
        tests = [table.filter(pc.equal(table["split"], "test")) for table in tables]
        z = [tuple(matrix(test, name) for name in ("z", "z_unweighted")) for test in tests]
        classes = np.array(tests[0]["label"].to_pylist(), str)
        try:
            effects.append(precision_effect(z, classes, models, k))
        except InputError as error:
            logger.warning("Precision@%d of test pairs cannot be measured: %s", k, error)
    effects.append(partner_effect(models, seed=0))
    return [effect for effect in effects if effect is not None]


def _effect_row(effect: Effect | None) -> dict:
    names = ("criterion", "pairs", "groups", "weighted", "unweighted", "difference")
    row = {name: getattr(effect, name, None) for name in names}
    row["difference_sd"] = None if effect is None else mean_sd(effect.differences)[1]
    return row | {name: getattr(effect, name, None) for name in ("low", "high")}
