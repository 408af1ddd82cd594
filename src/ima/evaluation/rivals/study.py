"""Compare importances with other unsupervised detectors of noise on a problem (6.1)."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import torch
from sklearn.metrics import roc_auc_score

from ima.evaluation.metrics import f1
from ima.evaluation.noise_benchmark import Problem
from ima.evaluation.rivals.autoencoder import distance, reconstruction_error
from ima.evaluation.rivals.base import Detector, Given, decide, per_item
from ima.evaluation.rivals.contrastive import dissimilarity, divided_loss
from ima.evaluation.rivals.linear import uncorrelated, unexplained
from ima.evaluation.rivals.mvae import expert_variance
from ima.evaluation.rivals.neighbours import low_weight
from ima.evaluation.rivals.unusual import isolation
from ima.evaluation.seeds import over_seeds
from ima.models.importance import importances
from ima.models.stages import Variant
from ima.utils.arrow import to_table

#: Detectors by name, in the order of the table and the figure.
DETECTORS: dict[str, Detector] = {
    "co-divide": divided_loss,
    "InfoNCE similarity": dissimilarity,
    "canonical correlation": uncorrelated,
    "distance of u from z": distance,
    "weighted nearest neighbours": low_weight,
    "shared factors": unexplained,
    "variance of MVAE's expert": expert_variance,
    "reconstruction error": reconstruction_error,
    "isolation forest": isolation,
}
SCORES = ("f1_noise", "auc_noise", "precision_noise", "recall_noise", "share_flagged")


def study(
    data: Problem,
    latent: int,
    variants: Mapping[str, Variant],
    reference: str,
    seed: int,
    detectors: Mapping[str, Detector] = DETECTORS,
) -> list[dict]:
    """Train variants of IMA on a problem, and score them and other detectors on its test pairs.

    IMA calls items noise whose importance is below .5. The other detectors give each pair's item a
    score, of which the mean over the item's test pairs counts; items are noise if they belong to
    the higher of two Gaussians that are fitted to these means. No detector sees labels.

    Args:
        data: the problem.
        latent: size L of the latent space.
        variants: variants by name.
        reference: the variant whose autoencoder and training settings the other detectors use.
        seed: seed of all random choices.
        detectors: detectors by name.

    Returns:
        Rows of `ima.utils.schemas.RIVAL_STUDY` without `noise_type` and `R`.
    """
    x = {m: torch.tensor(values) for m, values in data.x.items()}
    pairs = {
        split: {m: torch.from_numpy(rows) for m, rows in of.items()}
        for split, of in data.pairs.items()
    }
    found, autoencoders = {}, {}
    for name, variant in variants.items():
        model = variant.train(x, pairs["train"], pairs["validation"], latent, seed)
        autoencoders[name] = model.autoencoder.eval()
        with torch.no_grad():
            y = importances(model.importance, x, pairs["test"])
        found[name] = {m: (1 - y_m[0].numpy(), y_m[0].numpy() < 0.5) for m, y_m in y.items()}
    given = Given(x, pairs, autoencoders[reference], variants[reference].stage1, seed)
    for name, detect in detectors.items():
        found[name] = {}
        for m, score in detect(given).items():
            score, back = per_item(score, data.pairs["test"][m])
            found[name][m] = score[back], decide(score)[back]
    return [
        {"seed": seed, "modality": m, "detector": detector}
        | scores(*of, data.noise[m][data.pairs["test"][m]])
        for detector, by_modality in found.items()
        for m, of in by_modality.items()
    ]


def scores(score: np.ndarray, flagged: np.ndarray, noise: np.ndarray) -> dict[str, float]:
    """Return SCORES of one detector for one modality.

    Args:
        score: (N,), higher for noise.
        flagged: (N,), whether the detector calls it noise.
        noise: (N,), whether it is.

    Returns:
        Precision, recall and F1 of the noise class, 0 where undefined; the area under the ROC
        curve, NaN if all or no items are noise; and the share that is called noise.
    """
    found = {f"{key}_noise": value for key, value in f1(flagged, noise).items()}
    one_class = noise.all() or not noise.any()
    # An area of 1 may be rounded to more.
    auc = float("nan") if one_class else min(1.0, float(roc_auc_score(noise, score)))
    found["auc_noise"] = auc
    return {**found, "share_flagged": float(flagged.mean())}


def rivals_table(studies: pa.Table, run: str) -> pa.Table:
    """Return each detector's scores on each type of noise, over seeds.

    Args:
        studies: tables of `ima.utils.schemas.RIVAL_STUDY`, from one or more seeds.
        run: name of the run, for the first column.

    Returns:
        A row per type of noise, R, modality and detector: `seeds`, and mean and sd of SCORES.
    """
    keys = ("noise_type", "R", "modality", "detector")
    return to_table(over_seeds(studies.to_pylist(), keys, run, SCORES), (keys[0], *keys[2:]))
