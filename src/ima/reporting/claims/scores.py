"""Every score of digits and of costs by seed, as rows that claims choose from.

A row has `of` (digits, noise or cost), `score`, its keys, `seed` (None for what is the same for
every seed) and `value`. What a file lacks is no row, and no claim is tested on it. Scores of
utterances are in `ima.reporting.claims.scores_emotion`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
from scipy.stats import spearmanr

Rows = list[dict]
#: Columns of Table 4 that tell its rows apart, and those that are counted.
COST_KEYS = ("setting", "model", "modalities", "latent")
COSTS = ("parameters", "parameters_importance", "encoders", "loss_terms")
#: Terms of the loss of stage 1.
TERMS = ("rec_", "align_", "glob")


def retrieval(models: Iterable[Mapping], anchors: Iterable[Mapping]) -> Iterator[dict]:
    """Yield Precision@K of digits by model, representation, latent, K, neighbours and subset.

    Args:
        models: of each model and seed, `model`, `latent`, `seed`, and `retrieval` as
            `ima.evaluation.metrics.score_model` returns it; of IMA what `weighed` takes as well.
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
        keys = {k: value for k, value in row.items() if k != "precision"}
        about = {"of": "digits", "seed": None, "score": "precision"}
        yield {**about, **keys, "value": row["precision"]}


def weighed(model: Mapping, about: Mapping) -> Iterator[dict]:
    """Yield what importances of test pairs find and weigh, and how far latents are from z.

    `f1_noise`; `f1_guess`, the best that a random classifier expects, by calling all noise:
    2 p / (p + 1) of a share p; `misclassified`, the share of items on the wrong side of .5;
    `importance` and `weight`, means over a subset of pairs; `distance` and `centre`, of
    `ima.evaluation.fusion`.

    Args:
        model: `noise` of `ima.evaluation.metrics.score_model`; all of
            `ima.evaluation.fusion.fusion_scores`.
        about: its keys.
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
    """Yield accuracy of classifiers of digits, of rows as `ima.reporting.tables.digits.table5`
    takes them."""
    for row in rows:
        keys = {key: row[key] for key in ("model", "representation", "latent", "subset", "seed")}
        yield {"of": "digits", **keys, "score": "accuracy", "value": row["accuracy"]}


def swept(sweeps: Iterable[tuple[int, pa.Table]], labels: Mapping[str, str]) -> Iterator[dict]:
    """Yield what importances of each rho find of the noise, by model, modality and rho.

    `raw`: L_corr of the training pairs as it is written; and the scores of `over_rho`.

    Args:
        sweeps: seed and table of `ima.utils.schemas.RHO_SWEEP`.
        labels: of variants of IMA, how their models are called.
    """
    for seed, table in sweeps:
        found: dict[tuple, Rows] = defaultdict(list)
        for row in table.to_pylist():
            found[labels[row["variant"]], row["modality"]].append(row)
        for (model, modality), rows in found.items():
            about = {"of": "noise", "model": model, "modality": modality, "seed": seed}
            shares = [1 - row["share_noise"] for row in rows]
            yield from over_rho(about, rows, "f1_noise", shares)
            for row in rows:
                yield {**about, "rho": row["rho"], "score": "raw", "value": row["raw"]}


def over_rho(
    about: Mapping, rows: Sequence[Mapping], score: str, shares: Sequence[float]
) -> Iterator[dict]:
    """Yield a score over rho, and what follows from it.

    `f1_lost`: how much less it is than that of the best rho of the same seed. `f1_best`: that of
    the best rho. `rho_best`: that rho; of equally good ones their mean. `rho_follows`: Spearman's
    correlation of rho with the share of items that are called important.

    Args:
        about: keys of every row.
        rows: of one seed, with `rho` and the score.
        score: its name.
        shares: of items that are called important at each rho.
    """
    rho = np.array([row["rho"] for row in rows])
    values = np.array([row[score] for row in rows])
    greatest = values.max()
    for one, value in zip(rho.tolist(), values.tolist(), strict=True):
        yield {**about, "rho": one, "score": score, "value": value}
        yield {**about, "rho": one, "score": "f1_lost", "value": float(greatest - value)}
    yield {**about, "score": "f1_best", "value": float(greatest)}
    best = rho[np.isclose(values, greatest, rtol=0, atol=1e-9)]
    yield {**about, "score": "rho_best", "value": float(best.mean())}
    if len(rho) > 2 and np.ptp(rho) > 0:
        follows = spearmanr(rho, shares).statistic if np.ptp(shares) > 0 else 0.0
        yield {**about, "score": "rho_follows", "value": float(follows)}


def studied(study: pa.Table, labels: Mapping[str, str]) -> Iterator[dict]:
    """Yield F1 of noise by kind of noise, R, modality and detector, of
    `ima.utils.schemas.NOISE_STUDY`.

    Args:
        study: the table.
        labels: of the detectors that are variants of IMA, how their models are called.
    """
    for row in study.to_pylist():
        keys = {key: row[key] for key in ("kind", "R", "modality", "seed")}
        model = labels.get(row["detector"], row["detector"])
        yield {"of": "noise", **keys, "model": model, "score": "f1_noise", "value": row["f1_noise"]}


def incomplete(study: pa.Table) -> Iterator[dict]:
    """Yield Precision@K of models that were trained on pairs some of which lack an item.

    Args:
        study: `ima.utils.schemas.MISSING_STUDY`.
    """
    for row in study.to_pylist():
        keys = {key: value for key, value in row.items() if key != "precision"}
        yield {"of": "digits", **keys, "score": "precision_absent", "value": row["precision"]}


def fallen(histories: Iterable[tuple[Mapping, Sequence[Mapping]]]) -> Iterator[dict]:
    """Yield by term of the loss of stage 1 how great it is at the end, relative to the first epoch.

    The end is the epoch whose weights are kept: that of the least validation loss.

    Args:
        histories: keys of a model, and the rows of its training, an epoch each.
    """
    for about, rows in histories:
        kept = min(rows, key=lambda row: row.get("validation", -row["epoch"]))
        for term in rows[0]:
            if term.startswith(TERMS) and rows[0][term]:
                value = kept[term] / rows[0][term]
                yield {**about, "score": "last_to_first", "term": term, "value": value}


def costs(table: Iterable[Mapping]) -> Iterator[dict]:
    """Yield what models cost (Table 4), as far as it is counted and the same on any machine.

    `parameters_autoencoder` are all but those of importance networks.
    """
    for row in table:
        about = {"of": "cost", "seed": None, **{key: row[key] for key in COST_KEYS}}
        for score in COSTS:
            yield {**about, "score": score, "value": row[score]}
        rest = row["parameters"] - row["parameters_importance"]
        yield {**about, "score": "parameters_autoencoder", "value": rest}
