"""All scores of digits and model costs by seed, as rows that claims select from.

A row has `of` (digits, noise or cost), `score`, its keys, `seed` (None for scores that do not
depend on it) and `value`. Scores missing from a file have no row, and claims about them are not
tested. Scores of utterances are in `ima.reporting.claims.scores_emotion`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
from scipy.stats import spearmanr

Rows = list[dict]
#: Columns of Table 4 that identify its rows, and the columns with counts.
COST_KEYS = ("setting", "model", "modalities", "latent")
COSTS = ("parameters", "parameters_importance", "encoders", "loss_terms")
#: Prefixes of the terms of stage 1's loss.
TERMS = ("rec_", "align_", "glob")


def retrieval(models: Iterable[Mapping], anchors: Iterable[Mapping]) -> Iterator[dict]:
    """Yield Precision@K of digits by model, representation, latent, K, neighbours and subset.

    Args:
        models: for each model and seed, `model`, `latent`, `seed`, and `retrieval` from
            `ima.evaluation.metrics.score_model`; for IMA also the arguments of `weighed`.
        anchors: rows of `ima.evaluation.reference.score_anchors`.
    """
    for model in models:
        about = {"of": "digits", **{k: model[k] for k in ("model", "latent", "seed")}}
        for row in model["retrieval"]:
            keys = {k: row[k] for k in ("representation", "k", "neighbours", "subset")}
            yield {**about, **keys, "score": "precision", "value": row["precision"]}
        if "weights" in model:
            yield from weighed(model, about)
    for row in anchors:
        names = ("model", "latent", "representation", "k", "neighbours", "subset")
        keys = {k: row[k] for k in names}
        about = {"of": "digits", "seed": None, "score": "precision"}
        yield {**about, **keys, "value": row["precision"]}


def weighed(model: Mapping, about: Mapping) -> Iterator[dict]:
    """Yield scores of importances of test pairs: noise detection, weights, and distances to z.

    The scores are `f1_noise`; `f1_guess`, the highest expected F1 of a random classifier, reached
    by calling everything noise, 2 p / (p + 1) for a proportion p of noise; `misclassified`, the
    proportion of items on the wrong side of .5; `importance` and `weight`, means over a subset of
    pairs; and `distance` and `centre` of `ima.evaluation.fusion`.

    Args:
        model: `noise` of `ima.evaluation.metrics.score_model`, and the results of
            `ima.evaluation.fusion.fusion_scores`.
        about: keys of the model's rows.
    """
    for modality, noise in model["noise"].items():
        share = model["share_noise"][modality]
        values = {
            "f1_noise": noise["f1_noise"],
            "f1_guess": 2 * share / (share + 1),
            "misclassified": 1 - noise["accuracy"],
        }
        for score, value in values.items():
            yield {**about, "of": "noise", "modality": modality, "score": score, "value": value}
    for row in model["weights"]:
        keys = {k: row[k] for k in ("modality", "subset")}
        for score in ("importance", "weight"):
            yield {**about, **keys, "score": score, "value": row[score]}
    yield {**about, "score": "centre", "value": model["centre"]}
    for row in model["distances"]:
        keys = {k: row[k] for k in ("modality", "pairs")}
        yield {**about, **keys, "score": "distance", "value": row["distance"]}


def accuracies(rows: Iterable[Mapping]) -> Iterator[dict]:
    """Yield the accuracy of digit classifiers from rows of `ima.reporting.tables.digits.table5`."""
    for row in rows:
        keys = {key: row[key] for key in ("model", "representation", "latent", "subset", "seed")}
        yield {"of": "digits", **keys, "score": "accuracy", "value": row["accuracy"]}


def generated(rows: Iterable[Mapping]) -> Iterator[dict]:
    """Yield the cross-modal coherence of models, and that with shuffled labels.

    Args:
        rows: for each model and seed, rows of `ima.evaluation.generation.coherence_rows`.
    """
    names = ("model", "latent", "seed", "given", "generated", "subset")
    for row in rows:
        about = {"of": "digits", **{name: row[name] for name in names}}
        yield {**about, "score": "coherence", "value": row["coherence"]}
        yield {**about, "score": "coherence_chance", "value": row["chance"]}


def swept(sweeps: Iterable[tuple[int, pa.Table]], labels: Mapping[str, str]) -> Iterator[dict]:
    """Yield noise detection scores of importances by model, modality and rho.

    The scores are `raw`, the unscaled L_corr on the training pairs, and those of `over_rho`.

    Args:
        sweeps: seed and table of `ima.utils.schemas.RHO_SWEEP`.
        labels: label of each variant of IMA.
    """
    for seed, table in sweeps:
        curves: dict[tuple, Rows] = defaultdict(list)
        for row in table.to_pylist():
            curves[labels[row["variant"]], row["modality"]].append(row)
        for (model, modality), rows in curves.items():
            about = {"of": "noise", "model": model, "modality": modality, "seed": seed}
            shares = [1 - row["share_noise"] for row in rows]
            yield from over_rho(about, rows, "f1_noise", shares)
            for row in rows:
                yield {**about, "rho": row["rho"], "score": "raw", "value": row["raw"]}


def over_rho(
    about: Mapping,
    rows: Sequence[Mapping],
    score: str,
    shares: Sequence[float],
    constants: bool = False,
) -> Iterator[dict]:
    """Yield a score at each rho, and statistics of the curve.

    `f1_gap` is the difference to the score at the best rho of the same seed, and `f1_best` the
    score there. `rho_best` is the best rho, the mean in case of ties. `rho_follows` is Spearman's
    correlation of rho with the proportion of items called important. If the score is 0 at every
    rho, no rho is best, and there is neither `f1_gap` nor `rho_best`.

    Args:
        about: keys of every row.
        rows: rows of one seed, with `rho` and the score.
        score: name of the score.
        shares: proportion of items called important at each rho.
        constants: whether the statistics include rho = 0 and 1. Importance networks are not trained
            there: all importances are rho, and so is the proportion called important.
    """
    for row in rows:
        yield {**about, "rho": row["rho"], "score": score, "value": row[score]}
    curve = [
        (row["rho"], row[score], share)
        for row, share in zip(rows, shares, strict=True)
        if constants or 0 < row["rho"] < 1
    ]
    if not curve:
        return
    rho, values, shares = np.array(curve).T  # (G,) each
    yield {**about, "score": "f1_best", "value": float(values.max())}
    if values.max() > 0:
        gaps = values.max() - values
        for r, gap in zip(rho.tolist(), gaps.tolist(), strict=True):
            yield {**about, "rho": r, "score": "f1_gap", "value": gap}
        yield {**about, "score": "rho_best", "value": float(rho[gaps <= 1e-9].mean())}
    if len(rho) > 2 and np.ptp(rho) > 0:
        follows = spearmanr(rho, shares).statistic if np.ptp(shares) > 0 else 0.0
        yield {**about, "score": "rho_follows", "value": float(follows)}


def studied(study: pa.Table, labels: Mapping[str, str]) -> Iterator[dict]:
    """Yield F1 of the noise class by type of noise, R, modality and detector.

    Args:
        study: table of `ima.utils.schemas.NOISE_STUDY`.
        labels: labels of the detectors that are variants of IMA.
    """
    for row in study.to_pylist():
        keys = {key: row[key] for key in ("noise_type", "R", "modality", "seed")}
        model = labels.get(row["detector"], row["detector"])
        yield {"of": "noise", **keys, "model": model, "score": "f1_noise", "value": row["f1_noise"]}


def incomplete(study: pa.Table) -> Iterator[dict]:
    """Yield Precision@K of models trained on pairs of which some are incomplete.

    Args:
        study: table of `ima.utils.schemas.MISSING_STUDY`.
    """
    for row in study.to_pylist():
        measured = ("precision", "se_items", "df_items")
        keys = {key: value for key, value in row.items() if key not in measured}
        yield {"of": "digits", **keys, "score": "precision_absent", "value": row["precision"]}


def fallen(histories: Iterable[tuple[Mapping, Sequence[Mapping]]]) -> Iterator[dict]:
    """Yield each term of stage 1's loss at the end of training, relative to the first epoch.

    The end is the epoch whose weights are kept, the one with the lowest validation loss.

    Args:
        histories: the keys of a model and its training history, one row per epoch.
    """
    for about, rows in histories:
        end = min(rows, key=lambda row: row.get("validation", -row["epoch"]))
        for term in rows[0]:
            if term.startswith(TERMS) and rows[0][term]:
                value = end[term] / rows[0][term]
                yield {**about, "score": "last_to_first", "term": term, "value": value}


def costs(table: Iterable[Mapping]) -> Iterator[dict]:
    """Yield the machine-independent costs of the models (Table 4).

    `parameters_autoencoder` excludes the importance networks.
    """
    for row in table:
        about = {"of": "cost", "seed": None, **{key: row[key] for key in COST_KEYS}}
        for score in COSTS:
            yield {**about, "score": score, "value": row[score]}
        autoencoder = row["parameters"] - row["parameters_importance"]
        yield {**about, "score": "parameters_autoencoder", "value": autoencoder}
