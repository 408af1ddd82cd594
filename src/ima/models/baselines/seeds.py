"""Training of a baseline for several seeds in one process, and its storage in one file."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ima.models.baselines import baseline, build, checkpoint_config, rebuild
from ima.models.ima import Modality
from ima.training.loop import History, Training, device

Pairs = Mapping[str, Tensor]


def fit_seeds(
    name: str,
    modalities: Mapping[str, Modality],
    latent: int,
    settings: Training,
    x: Mapping[str, Tensor],
    pairs: Pairs,
    validation: Pairs,
    seeds: Sequence[int],
) -> tuple[dict[int, nn.Module], History]:
    """Train a baseline for each seed; a seed's model does not depend on the other seeds.

    Args:
        name: one of `ima.models.baselines.BASELINES`.
        modalities: modalities by name, in order.
        latent: L, size of z.
        settings: settings of this baseline.
        x: by modality, the matrix (n_m, D_m) of its items.
        pairs: by modality, the row numbers (N,) of the training pairs.
        validation: by modality, the row numbers (V,) of the validation pairs.
        seeds: seeds of the initial weights, the order of the pairs and all random draws.

    Returns:
        The models by seed, and the training history with one row per seed and epoch, including
        `seed`.
    """
    models: dict[int, nn.Module] = {}
    history: History = []
    for seed in seeds:
        torch.manual_seed(seed)
        model = build(name, modalities, latent, settings).to(device())
        rows = baseline(name).fit(model, x, pairs, settings, seed, validation)
        history += [{"seed": seed, **row} for row in rows]
        models[seed] = model
    return models, history


def checkpoint(
    name: str, models: Mapping[int, nn.Module], settings: Training
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors of all seeds, `<seed>.<tensor>`, and the config to rebuild the models."""
    some = next(iter(models.values()))
    tensors = {
        f"{seed}.{key}": value
        for seed, model in models.items()
        for key, value in model.state_dict().items()
    }
    return tensors, checkpoint_config(name, some, settings, [*models])


def rebuild_seeds(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[int, nn.Module]:
    """Return the models of a checkpoint by seed.

    Raises:
        InputError: as in `ima.models.baselines.rebuild`.
    """
    return {
        seed: rebuild(
            config,
            {
                key.removeprefix(f"{seed}."): value
                for key, value in tensors.items()
                if key.startswith(f"{seed}.")
            },
        )
        for seed in config["seeds"]
    }
