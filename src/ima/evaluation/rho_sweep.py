"""Noise detection by importance networks over a grid of rho, all trained at once (6.1).

No label is used for selection: of the restarts for each rho, the one with the lowest L_imp on the
training pairs is kept. Noise labels are only used to score it on the test pairs.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from ima.evaluation.metrics import importance_scores
from ima.models.ima import Autoencoder, IMANetwork
from ima.models.importance import Stage2, best_of_each, fit_importance, importances
from ima.pairing.by_label import ABSENT
from ima.utils.schemas import RHO_SWEEP


def sweep(
    variant: str,
    autoencoder: Autoencoder,
    x: Mapping[str, Tensor],
    train: Mapping[str, Tensor],
    test: Mapping[str, Tensor],
    is_noise: Mapping[str, np.ndarray],
    held_out: Mapping[str, Tensor],
    grid: Sequence[float],
    hidden: int,
    settings: Stage2,
    seed: int,
) -> pa.Table:
    """Train the importance networks of every rho and restart at once, and score the best (6.1).

    Within one copy of the networks, all modalities have the same rho.

    Args:
        variant: name of the variant of IMA, for the table.
        autoencoder, x, hidden, settings, seed: as in `ima.models.importance.train_importance`.
        train, held_out: its `items` and `held_out`.
        test: by modality, row numbers (M,) of the test pairs.
        is_noise: by modality, whether its item in each test pair (M,) is noise.
        grid: values of rho in [0, 1], each with `restarts` copies.

    Returns:
        A table of `ima.utils.schemas.RHO_SWEEP`, one row per modality and rho.

    Raises:
        InputError: as in `ima.models.importance.fit_importance`.
    """
    names = list(autoencoder.modalities)
    copies = [value for value in grid for _ in range(settings.restarts)]  # (R,)
    rho = dict.fromkeys(names, copies)
    torch.manual_seed(seed)
    model = IMANetwork.from_autoencoder(autoencoder, hidden, rho).to(x[names[0]].device)
    _, final = fit_importance(model, x, train, rho, settings, seed, held_out)
    y_train, y_test = (importances(model.importance, x, pairs) for pairs in (train, test))
    rows = []
    for name, copies in best_of_each(final, names, settings).items():  # G copies
        known, tested = ((pairs[name] != ABSENT).cpu() for pairs in (train, test))
        agreement = agreements(y_train[name][copies][:, known].numpy() < 0.5)
        for value, copy, agrees in zip(grid, copies, agreement.tolist(), strict=True):
            about = {"variant": variant, "rho": value, "modality": name}
            y = y_test[name][copy][tested].numpy()
            scores = importance_scores(y, is_noise[name][tested.numpy()])
            scores["share_noise"] = float((y < 0.5).mean())
            terms = _terms(final, name, copy, settings.lambda_corr)
            rows.append({**about, **scores, **terms, "agreement": agrees})
    return pa.Table.from_pylist(rows, schema=RHO_SWEEP)


def _terms(
    final: Mapping[str, Tensor], name: str, copy: int, lambda_corr: float
) -> dict[str, float]:
    """Return the terms of a modality's loss in one copy, and their weighted sum as `loss`."""
    terms = {term: float(final[f"{term}_{name}"][copy]) for term in ("corr", "raw", "local")}
    return {**terms, "loss": terms["local"] + lambda_corr * terms["corr"]}


def agreements(chosen: np.ndarray) -> np.ndarray:
    """Return the mean Jaccard index (G,) of each set with the other sets.

    Args:
        chosen: whether each of N pairs is in each of G sets (G, N). For an empty set the index is
            0.
    """
    sizes = chosen.sum(1)
    intersection = chosen.astype(np.float32) @ chosen.T.astype(np.float32)  # (G, G)
    jaccard = intersection / np.maximum(sizes[:, None] + sizes - intersection, 1)
    return (jaccard.sum(1) - jaccard.diagonal()) / max(len(chosen) - 1, 1)
