"""Both stages of training one after the other, and several rounds of them (Section 5)."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ima.errors import InputError
from ima.importance import Stage2, train_importance, untrained_importances
from ima.model import Autoencoder
from ima.train import History, Stage1, fit_autoencoder


def fit_stages(
    autoencoder: Autoencoder,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    held_out: Mapping[str, Tensor],
    rho: Mapping[str, float],
    hidden: int,
    stage1: Stage1,
    stage2: Stage2,
    seed: int,
    alternations: int = 1,
) -> tuple[torch.nn.ModuleDict, dict[str, History]]:
    """Train the autoencoder, then the importance networks, `alternations` times.

    From the second round on, stage 1 goes on from the autoencoder of the round before, with the
    importances of that round constant.

    Args:
        autoencoder: trained in place.
        x: by modality, the matrix (n_m, D_m) of its items.
        items, held_out: pairs that stage 1 is trained on, and those that end it; row numbers by
            modality.
        rho: prior mean importance by modality, in [0, 1].
        hidden: width of the importance networks' hidden layers.
        stage1, stage2: settings.
        seed: of first weights of the importance networks, and the order of pairs.
        alternations: rounds, 1 or more.

    Returns:
        By modality, its importance network; and the histories of `autoencoder` and `importance`,
        whose rows have the number of the `alternation` where there are several.

    Raises:
        InputError: no round, or as `fit_autoencoder` and `train_importance`.
    """
    if alternations < 1:
        raise InputError("alternations", expected="1 or more", found=alternations)
    histories: dict[str, History] = {"autoencoder": [], "importance": []}
    networks = None
    for number in range(1, alternations + 1):
        y = constant_importances(x, networks, stage1, hidden, rho, seed)
        first = fit_autoencoder(autoencoder, x, items, stage1, seed, held_out, y)
        networks, second, _ = train_importance(
            autoencoder, x, items, rho, hidden, stage2, seed, held_out
        )
        about = {"alternation": number} if alternations > 1 else {}
        for name, rows in (("autoencoder", first), ("importance", second)):
            histories[name] += [{**about, **row} for row in rows]
    return networks, histories


def constant_importances(
    x: Mapping[str, Tensor],
    networks: Mapping[str, torch.nn.Module] | None,
    stage1: Stage1,
    hidden: int,
    rho: Mapping[str, float],
    seed: int,
) -> dict[str, Tensor] | None:
    """Return by modality the importances (n_m,) that stage 1 keeps constant; None for all 1.

    Args:
        x: by modality, the matrix (n_m, D_m) of its items.
        networks: importance networks of the round before, by modality; None in the first.
        stage1: whether the first round has `ones`, or what `untrained` networks give.
        hidden, rho, seed: of untrained networks.
    """
    if networks is not None:
        with torch.no_grad():
            return {m: networks[m](x_m)[0] for m, x_m in x.items()}
    if stage1.importances == "untrained":
        return untrained_importances(x, hidden, rho, seed)
    return None
