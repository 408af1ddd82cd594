"""Reference accuracies: raw features, PCA, a supervised network and chance (Table 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from ima.evaluation.classifier import Classifier, accuracy_rows
from ima.evaluation.reference import JOINT, only, pca, presence, valid_components, views
from ima.pairing.by_label import modalities, row_numbers


def classify_anchors(
    x: Mapping[str, np.ndarray],
    train: pa.Table,
    test: pa.Table,
    latents: Sequence[int],
    widths: Mapping[str, int],
    settings: Classifier,
    seeds: Sequence[int],
) -> list[dict]:
    """Score the classifier on raw features, on PCA at each latent size, and on two bounds.

    Args:
        x, test, latents: as in `ima.evaluation.reference.score_anchors`.
        train: pairs that PCA and classifiers are fitted to.
        widths: by modality, the width of its encoder's hidden layers.
        settings: settings of the classifier.
        seeds: seeds of the classifier.

    Returns:
        Rows of `model`, `latent` (None except for pca), `seed` and the columns of
        `ima.evaluation.classifier.accuracy_rows`. `raw` and `pca` are the classifier on these
        vectors. `supervised` is raw features with the classifier's layers as wide as the encoders
        of IMA and the baselines, an estimate of what training on labels would give. `chance` is
        raw features of both modalities with the training labels shuffled.
    """
    items = [{m: row_numbers(pairs, m) for m in modalities(pairs)} for pairs in (train, test)]
    fit, raw = views(x, items[0]), views(x, items[1], items[0])
    known = only(fit, items[0])
    has = [presence(rows) for rows in items]
    labels = [pairs["label"].to_numpy() for pairs in (train, test)]
    widths = {JOINT: sum(widths.values()), **widths}
    jobs = [("raw", None, fit, raw, labels, settings)]
    jobs += [
        ("pca", latent, pca(known, fit, latent), pca(known, raw, latent), labels, settings)
        for latent in valid_components(latents, known)
    ]
    jobs += [
        ("supervised", None, {m: fit[m]}, raw, labels, replace(settings, hidden=widths[m]))
        for m in raw
    ]
    jobs.append(("chance", None, {JOINT: fit[JOINT]}, raw, None, settings))
    return [
        {"model": model, "latent": latent, "seed": seed, **row}
        for model, latent, fitted, scored, classes, options in jobs
        for seed in seeds
        for row in accuracy_rows(
            fitted, scored, classes or _shuffled(labels, seed), test, options, seed, has
        )
    ]


def _shuffled(labels: Sequence[np.ndarray], seed: int) -> list[np.ndarray]:
    """Return the labels of training and test pairs, the former shuffled.

    The order depends on the seed: a classifier assigns a cluster the class that happens to be most
    frequent in it, so the accuracy for a single order can be far from chance.
    """
    return [np.random.default_rng(seed).permutation(labels[0]), labels[1]]
