"""Both stages of training one after the other, and several rounds of them (Section 5)."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.ima import Autoencoder
from ima.models.importance import Stage2, train_importance, untrained_importances
from ima.models.ranks import Fold, held_out_fold, latents_of
from ima.training.loop import History, pair_count
from ima.utils.errors import InputError

#: Pairs that a fold holds out at the least. Correlations are those of the pairs of all folds: the 8
#: that one fold of 40 holds out would never be enough to tell one from 0.
LEAST = 5


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
) -> tuple[torch.nn.ModuleDict, dict[str, History], dict]:
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
        By modality, its importance network; the histories of `autoencoder` and `importance`,
        whose rows have the number of the `alternation` where there are several; and what
        `train_importance` returns third, of the last round.

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
        folds = None
        if stage2.objective == "mixture":
            folds = cross_fit(autoencoder, x, items, held_out, stage1, seed, stage2.folds, y)
        networks, second, found = train_importance(
            autoencoder, x, items, rho, hidden, stage2, seed, held_out, folds
        )
        about = {"alternation": number} if alternations > 1 else {}
        for name, rows in (("autoencoder", first), ("importance", second)):
            histories[name] += [{**about, **row} for row in rows]
    return networks, histories, found


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
    """Return folds that together hold out every pair, by latents that haven't seen it.

    Args:
        autoencoder: trained on `items`, with `held_out` held out: the first fold.
        x, items, held_out, y: as `ima.models.autoencoder.fit_autoencoder`.
        stage1: settings of the other folds' autoencoders.
        seed: of these, and of who is in which fold.
        folds: 3 or more; or 1, for `held_out` alone. Fewer are made where they would hold out
            fewer than LEAST pairs.

    Raises:
        InputError: another number of folds: the second of two would learn from `held_out` alone.
    """
    if folds < 1 or folds == 2:
        raise InputError("folds", expected="1, or 3 or more", found=folds)
    made = [held_out_fold(autoencoder, x, items, held_out)]
    count = pair_count(items)
    parts = min(folds - 1, count // LEAST)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    for part in order.chunk(parts) if parts > 1 else ():
        mask = torch.ones(count, dtype=torch.bool)
        mask[part] = False
        train = {m: torch.cat((rows[mask], held_out[m])) for m, rows in items.items()}
        held = {m: rows[part] for m, rows in items.items()}
        torch.manual_seed(seed)
        other = Autoencoder(autoencoder.modalities, autoencoder.latent).to(x[next(iter(x))].device)
        fit_autoencoder(other, x, train, stage1, seed, held, y)
        made.append(Fold(latents_of(other, x), train, held, part))
    return made


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
