"""Every score of a run by seed, as rows that claims choose from.

A row has `of` (digits, emotion, noise, cost or corpus), `score`, its keys, `seed` (None for what is
the same for every seed) and `value`. What a file lacks is no row, and no claim is tested on it.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa
from scipy.stats import mannwhitneyu, spearmanr

from ima.schema_emotion import NOT_EMOTIONAL

Rows = list[dict]
#: Columns of Table 4 that tell its rows apart, and those that are counted.
COST_KEYS = ("setting", "model", "modalities", "latent")
COSTS = ("parameters", "encoders", "decoders", "sub_networks", "loss_terms")


def retrieval(models: Iterable[Mapping], anchors: Iterable[Mapping]) -> Iterator[dict]:
    """Yield Precision@K of digits by model, representation, latent, K, neighbours and subset.

    Args:
        models: of each model and seed, `latent`, `seed`, `model` (IMA where there is none), and
            `retrieval` as `ima.metrics.score_model` returns it; of IMA `noise` as well, which gives
            `misclassified`, the share of items whose importance is on the wrong side of .5.
        anchors: rows of `ima.anchors.score_anchors`.
    """
    for model in models:
        name = model["model"]
        about = {"of": "digits", "model": name, "latent": model["latent"], "seed": model["seed"]}
        for row in model["retrieval"]:
            keys = {k: row[k] for k in ("representation", "k", "neighbours", "subset")}
            yield {**about, **keys, "score": "precision", "value": row["precision"]}
        for modality, noise in model.get("noise", {}).items():
            yield {
                **{k: about[k] for k in ("of", "latent", "seed")},
                **{"score": "misclassified", "modality": modality},
                "value": 1 - noise["accuracy"],
            }
    for row in anchors:
        keys = {k: value for k, value in row.items() if k != "precision"}
        yield {
            "of": "digits",
            "seed": None,
            **keys,
            "score": "precision",
            "value": row["precision"],
        }


def accuracies(rows: Iterable[Mapping]) -> Iterator[dict]:
    """Yield accuracy of classifiers of digits, of rows as `ima.tables_digits.table5` takes them."""
    for row in rows:
        keys = {key: row[key] for key in ("model", "representation", "latent", "subset", "seed")}
        yield {"of": "digits", **keys, "score": "accuracy", "value": row["accuracy"]}


def swept(sweeps: Iterable[tuple[int, pa.Table]]) -> Iterator[dict]:
    """Yield what importances of each rho find of the noise, by variant, modality and rho.

    `f1_noise`, and `f1_lost`: how much less it is than that of the best rho of the same seed.

    Args:
        sweeps: seed and table of `ima.schema.RHO_SWEEP`.
    """
    for seed, table in sweeps:
        found: dict[tuple, Rows] = defaultdict(list)
        for row in table.to_pylist():
            found[row["variant"], row["modality"]].append(row)
        for (variant, modality), rows in found.items():
            about = {"of": "noise", "variant": variant, "modality": modality, "seed": seed}
            yield from _over_rho(about, rows, "f1_noise")


def _over_rho(about: Mapping, rows: Iterable[Mapping], score: str) -> Iterator[dict]:
    """Yield a score over rho and what each rho loses to the best one."""
    values = {row["rho"]: row[score] for row in rows}
    greatest = max(values.values())
    for rho, value in values.items():
        yield {**about, "rho": rho, "score": score, "value": value}
        yield {**about, "rho": rho, "score": "f1_lost", "value": greatest - value}


def studied(study: pa.Table) -> Iterator[dict]:
    """Yield F1 of noise by kind of noise, R, modality and detector, of `ima.schema.NOISE_STUDY`."""
    for row in study.to_pylist():
        keys = {key: row[key] for key in ("kind", "R", "modality", "detector", "seed")}
        yield {"of": "noise", **keys, "score": "f1_noise", "value": row["f1_noise"]}


def utterances(scores: Iterable[Mapping]) -> Iterator[dict]:
    """Yield retrieval and accuracy of emotional utterances, of `ima.scores_emotion` by seed."""
    for seed in scores:
        for row in seed["scores"]:
            yield {"of": "emotion", "seed": seed["seed"], **row}


def swept_emotion(sweeps: Iterable[tuple[int, pa.Table]]) -> Iterator[dict]:
    """Yield how importances of words and voices agree with references, by rho and what they are by.

    Args:
        sweeps: seed and table of `ima.schema_emotion.IMPORTANCE_EMOTION`.
    """
    for seed, table in sweeps:
        found: dict[tuple, Rows] = defaultdict(list)
        for row in table.to_pylist():
            found[row["modality"], row["reference"], row["by"]].append(row)
        for (modality, reference, by), rows in found.items():
            about = {"of": "emotion", "modality": modality, "reference": reference, "by": by}
            yield from _over_rho({**about, "seed": seed}, rows, "f1_mean")
            for row in rows:
                for score in ("auc", "auc_rarity"):
                    if not math.isnan(row[score]):
                        value = {"score": score, "value": row[score]}
                        yield {**about, "seed": seed, "rho": row["rho"], **value}


def mapped(maps: Iterable[tuple[int, pa.Table]]) -> Iterator[dict]:
    """Yield how far out emotional and important words lie in the t-SNE map of words (Figure 5).

    `periphery`: the probability that a word of a category of the lexicon lies further than another
    from the map's centre, the mean of all words; .5 by chance. `periphery_importance`: Spearman's
    correlation of that distance with importance.

    Args:
        maps: seed and table of `ima.schema_emotion.EMBEDDINGS_EMOTION`.
    """
    for seed, table in maps:
        words = [row for row in table.to_pylist() if row["view"] == "verbal"]
        at = np.array([(row["x"], row["y"]) for row in words])
        far = np.linalg.norm(at - at.mean(0), axis=1)
        emotional = np.array([row["category"] != NOT_EMOTIONAL for row in words])
        y = np.array([row["importance"] for row in words])
        values = {}
        if 0 < emotional.sum() < len(words):
            pairs = emotional.sum() * (~emotional).sum()
            u = mannwhitneyu(far[emotional], far[~emotional]).statistic
            values["periphery"] = float(u / pairs)
        if np.ptp(y) > 0:
            values["periphery_importance"] = float(spearmanr(far, y).statistic)
        for score, value in values.items():
            yield {"of": "emotion", "seed": seed, "score": score, "value": value}


def costs(table: Iterable[Mapping]) -> Iterator[dict]:
    """Yield what models cost (Table 4), as far as it is counted and the same on any machine."""
    for row in table:
        keys = {key: row[key] for key in COST_KEYS}
        for score in COSTS:
            yield {"of": "cost", "seed": None, **keys, "score": score, "value": row[score]}


def corpus_counts(utterances: pa.Table, words: pa.Table) -> Iterator[dict]:
    """Yield how many utterances of the four classes the emotion corpus has, and how many words.

    Args:
        utterances: EMOTION_UTTERANCES.
        words: WORD_VECTORS, the vocabulary.
    """
    of_a_class = sum(label >= 0 for label in utterances["label"].to_pylist())
    for score, value in (("utterances", of_a_class), ("vocabulary", len(words))):
        yield {"of": "corpus", "seed": None, "score": score, "value": value}
