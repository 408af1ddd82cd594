"""Importance networks over a grid of rho, trained all at once, and how well each finds noise (6.1).

No label chooses anything here: of the restarts of a rho, the one of least L_imp on the training
pairs is kept. Labels of noise are used only to score what was kept, on the test pairs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from ima.metrics import f1, noise_scores
from ima.model import IMA, Autoencoder
from ima.schema import RHO_SWEEP
from ima.train import Stage2, evaluate_importance, fit_importance


def sweep(
    autoencoder: Autoencoder,
    x: Mapping[str, Tensor],
    train: Mapping[str, Tensor],
    test: Mapping[str, Tensor],
    is_noise: Mapping[str, np.ndarray],
    grid: Sequence[float],
    hidden: int,
    settings: Stage2,
    seed: int,
) -> pa.Table:
    """Train the importance networks of every rho and restart at once, and score the best (6.1).

    In a copy of the networks all modalities have the same rho.

    Args:
        autoencoder: trained; it stays as it is.
        x: by modality, the matrix (n_m, D_m) of its items.
        train: by modality, the row numbers (N,) of the training pairs.
        test: the same (M,) of the test pairs.
        is_noise: by modality, whether its item of each test pair (M,) is noise; for scores only.
        grid: the rho, each in (0, 1).
        hidden: width of the importance networks' hidden layers.
        settings: of stage 2; `restarts` of each rho.
        seed: of first weights and of the order of pairs.

    Returns:
        A table of `ima.schema.RHO_SWEEP`, a row a modality and rho.

    Raises:
        InputError: no rho or one outside (0, 1), or as `ima.train.fit_importance`.
    """
    names = list(autoencoder.modalities)
    rho = [value for value in grid for _ in range(settings.restarts)]  # (R,)
    torch.manual_seed(seed)
    model = IMA.around(autoencoder, hidden, dict.fromkeys(names, rho)).to(x[names[0]].device)
    _, final = fit_importance(model, x, train, dict.fromkeys(names, rho), settings, seed)
    loss = final["loss"]
    if not settings.scale_free:
        final = _scale_free(model, x, train, rho, settings)
    best = loss.view(len(grid), -1).argmin(1).tolist()
    y = _importances(model, x, test)
    rows = []
    for name in names:
        for i, value in enumerate(grid):
            copy = i * settings.restarts + best[i]
            rows.append(
                {
                    "rho": value,
                    "modality": name,
                    **score(y[name][copy].numpy(), is_noise[name]),
                    "corr": float(final[f"corr_{name}"][copy]),
                    "local": float(final[f"local_{name}"][copy]),
                    "loss": float(loss[copy]),
                }
            )
    return pa.Table.from_pylist(rows, schema=RHO_SWEEP)


def score(y: np.ndarray, is_noise: np.ndarray) -> dict[str, float]:
    """Return the scores of importances y (M,) against what is noise (M,), and their mean.

    An item of an importance below .5 is taken for noise, any other for important (5.2).
    """
    noise = noise_scores(y, is_noise)
    wanted = {name: noise[name] for name in ("precision_noise", "recall_noise", "f1_noise")}
    important = f1(y >= 0.5, ~is_noise)["f1"]
    return {**wanted, "f1_important": important, "mean_importance": float(y.mean())}


@torch.no_grad()
def _importances(
    model: IMA, x: Mapping[str, Tensor], items: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return by modality the importances (R, M) that every copy gives to the items of pairs."""
    y = {}
    for name, rows in items.items():
        distinct, back = rows.unique(return_inverse=True)
        parts = [model.importance[name](x[name][some]) for some in distinct.split(2048)]
        y[name] = torch.cat(parts, -1)[:, back].cpu()
    return y


def _scale_free(model, x, items, rho, settings) -> dict[str, Tensor]:
    """Return the terms of L_imp with L_corr divided by its value at equal weights."""
    with torch.no_grad():
        u = model.autoencoder.encode(x)
    wanted = {name: torch.tensor(rho, device=u[name].device) for name in u}
    return evaluate_importance(model, x, u, items, wanted, replace(settings, scale_free=True))
