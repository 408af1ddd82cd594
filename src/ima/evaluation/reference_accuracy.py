"""What a representation's accuracy must be seen beside: raw features, PCA, chance, and labels."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from ima.evaluation.classifier import Classifier, accuracy_rows
from ima.evaluation.reference import JOINT, only, pca, there, valid_components, views
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
    """Score the classifier on raw features, on PCA at each latent size, and two bounds.

    Args:
        x: by modality, the matrix (n_m, D_m) of its items.
        train: pairs that PCA and classifiers are fitted to.
        test: pairs that are scored.
        latents: numbers of components.
        widths: by modality, that of the hidden layers of its encoder.
        settings: of the classifier.
        seeds: of the classifier.

    Returns:
        Rows of `model`, `latent` (None for all but pca), `seed` and those of
        `ima.evaluation.classifier.accuracy_rows`. `raw` and `pca`: the classifier on them.
        `supervised`: raw features, the classifier's layers as wide as the encoders that IMA and
        the baselines have for such inputs, so what labels would bring. `chance`: raw features of
        both modalities, the training labels shuffled.
    """
    items = [{m: row_numbers(pairs, m) for m in modalities(pairs)} for pairs in (train, test)]
    fit, raw = views(x, items[0]), views(x, items[1], items[0])
    known = only(fit, items[0])
    has = [there(of) for of in items]
    labels = [pairs["label"].to_numpy() for pairs in (train, test)]
    kinds = np.array(test["kind"].to_pylist())
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
        for model, latent, fitted, asked, of, how in jobs
        for seed in seeds
        for row in accuracy_rows(
            fitted, asked, of or _shuffled(labels, seed), kinds, how, seed, has
        )
    ]


def _shuffled(labels: Sequence[np.ndarray], seed: int) -> list[np.ndarray]:
    """Return labels of training and test pairs, the former in another order.

    By seed, for a classifier gives a cluster the class that is, by accident, commonest there: one
    order can be far from chance, several are not.
    """
    return [np.random.default_rng(seed).permutation(labels[0]), labels[1]]
