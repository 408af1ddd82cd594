"""Training of stage 1 and stage 2 in turn, once or several times (Section 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.checkpoints import modalities_of
from ima.models.ima import Autoencoder, IMANetwork
from ima.models.importance import Stage2, train_importance, untrained_importances
from ima.models.ranks import Fold, held_out_fold, latents_of
from ima.pairing.by_label import ABSENT
from ima.training.loop import History, pair_count
from ima.training.sizes import Auto
from ima.utils.errors import InputError

#: Minimum number of pairs that a fold holds out. Small folds suffice because correlations are
#: computed over the held-out pairs of all folds; the 8 pairs held out by a single fold of 40 could
#: never show a correlation above 0.
MIN_HELD_OUT = 5


def fit_stages(
    autoencoder: Autoencoder,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    held_out: Mapping[str, Tensor],
    rho: Mapping[str, float | Auto],
    hidden: int,
    stage1: Stage1,
    stage2: Stage2,
    seed: int,
    alternations: int = 1,
) -> tuple[torch.nn.ModuleDict, dict[str, History], dict[str, Any]]:
    """Train the autoencoder, then the importance networks, `alternations` times.

    From the second round on, stage 1 continues from the autoencoder of the previous round, with the
    importances of that round held constant.

    Args:
        autoencoder: autoencoder, trained in place.
        x, items, held_out: as `x`, `items` and `validation` in `fit_autoencoder`.
        rho: prior mean importance by modality, in [0, 1]; `auto` with the objective `mixture`.
        hidden: width of the importance networks' hidden layers.
        stage1, stage2: settings of the stages.
        seed: seed of the initial weights of the importance networks and of the order of pairs.
        alternations: number of rounds, 1 or more.

    Returns:
        networks: by modality, its importance network.
        histories: the histories of `autoencoder` and `importance`. With several rounds, each row
            has the number of its `alternation`.
        results: the third value that `train_importance` returns, from the last round.

    Raises:
        InputError: `alternations` is less than 1, or as in the training of the stages.
    """
    if alternations < 1:
        raise InputError("alternations", expected="1 or more", found=alternations)
    histories: dict[str, History] = {"autoencoder": [], "importance": []}
    networks = None
    for number in range(1, alternations + 1):
        y = constant_importances(x, networks, stage1, hidden, rho, seed)
        first = fit_autoencoder(autoencoder, x, items, stage1, seed, held_out, y)
        folds = None
        if stage2.objective == "mixture":
            folds = cross_fit(autoencoder, x, items, held_out, stage1, seed, stage2.folds, y)
        networks, second, results = train_importance(
            autoencoder, x, items, rho, hidden, stage2, seed, held_out, folds
        )
        label = {"alternation": number} if alternations > 1 else {}
        for name, rows in (("autoencoder", first), ("importance", second)):
            histories[name] += [{**label, **row} for row in rows]
    return networks, histories, results


@dataclass(frozen=True)
class Variant:
    """A variant of IMA as studies train it.

    Args:
        stage1, stage2: settings of the stages.
        rho: prior mean importance by modality, in [0, 1].
        hidden: width of the importance networks' hidden layers.
        layers: by modality, the layers of its encoder and decoder, as in the config.
    """

    stage1: Stage1
    stage2: Stage2
    rho: Mapping[str, float]
    hidden: int
    layers: Mapping[str, Mapping[str, Any]]

    def train(
        self,
        x: Mapping[str, Tensor],
        items: Mapping[str, Tensor],
        held_out: Mapping[str, Tensor],
        latent: int,
        seed: int,
    ) -> IMANetwork:
        """Train both stages from new weights; the arguments are those of `fit_stages`."""
        torch.manual_seed(seed)
        autoencoder = Autoencoder(modalities_of(x, self.layers), latent)
        settings = (self.rho, self.hidden, self.stage1, self.stage2, seed)
        networks, _, _ = fit_stages(autoencoder, x, items, held_out, *settings)
        return IMANetwork(autoencoder, networks)


def cross_fit(
    autoencoder: Autoencoder,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    held_out: Mapping[str, Tensor],
    stage1: Stage1,
    seed: int,
    folds: int,
    y: Mapping[str, Tensor] | None = None,
) -> list[Fold]:
    """Train an autoencoder per fold, so that each pair is held out from one of them.

    Args:
        autoencoder: autoencoder of the first fold, trained on `items` without `held_out`.
        x, items, y: as in `ima.models.autoencoder.fit_autoencoder`.
        held_out: its `validation` pairs.
        stage1: settings of the other folds' autoencoders.
        seed: seed of these autoencoders and of the assignment of pairs to folds.
        folds: number of folds, 3 or more; or 1, for `held_out` alone. There are fewer folds if each
            would hold out fewer than MIN_HELD_OUT pairs, and none that would hold out, or be
            trained on, pairs without any item of some modality: pairs of such folds are not judged.
    """
    fitted = [held_out_fold(autoencoder, x, items, held_out)]
    count = pair_count(items)
    parts = min(folds - 1, count // MIN_HELD_OUT)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    for part in order.chunk(parts) if parts > 1 else ():
        mask = torch.ones(count, dtype=torch.bool)
        mask[part] = False
        train = {m: torch.cat((rows[mask], held_out[m])) for m, rows in items.items()}
        held = {m: rows[part] for m, rows in items.items()}
        if any((rows == ABSENT).all() for pairs in (train, held) for rows in pairs.values()):
            continue
        torch.manual_seed(seed)
        other = Autoencoder(autoencoder.modalities, autoencoder.latent).to(x[next(iter(x))].device)
        name = f"stage 1, fold {len(fitted) + 1}"
        fit_autoencoder(other, x, train, stage1, seed, held, y, name)
        fitted.append(Fold(latents_of(other, x), train, held, part))
    return fitted


def constant_importances(
    x: Mapping[str, Tensor],
    networks: Mapping[str, torch.nn.Module] | None,
    stage1: Stage1,
    hidden: int,
    rho: Mapping[str, float | Auto],
    seed: int,
) -> dict[str, Tensor] | None:
    """Return the constant importances (n_m,) of stage 1 by modality; None if all are 1.

    Args:
        x: by modality, the matrix (n_m, D_m) of its items.
        networks: importance networks of the previous round by modality; None in the first round.
        stage1: settings that choose the importances of the first round, `ones` or those of
            `untrained` networks.
        hidden, rho, seed: hidden width, prior means and seed of untrained networks.
    """
    if networks is not None:
        with torch.no_grad():
            return {m: networks[m](x_m)[0] for m, x_m in x.items()}
    if stage1.importances == "untrained":
        return untrained_importances(x, hidden, rho, seed)
    return None
