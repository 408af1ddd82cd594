"""The baselines of the paper: JMVAE-KL, MVAE and a denoising autoencoder (Section 6.2).

All use IMA's encoders and decoders, training loop and batches. A model has `modalities`, `latent`,
`decoders` and `representations(x)`; its losses are a function of the batch and of noise drawn for
it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ima.models.baselines.denoising import DenoisingAutoencoder, DenoisingSettings, fit_denoising
from ima.models.baselines.jmvae import JMVAE, JMVAESettings, fit_jmvae
from ima.models.baselines.mvae import MVAE, MVAESettings, fit_mvae
from ima.models.checkpoints import load_weights, model_config
from ima.models.ima import Modality
from ima.models.own import refuse_modules
from ima.pairing.by_label import ABSENT
from ima.training.loop import History, Training
from ima.utils.errors import InputError


class Baseline(NamedTuple):
    """A baseline: its name in tables, model class, settings class and training function."""

    label: str
    model: type[nn.Module]
    settings: type[Training]
    fit: Callable[..., History]


BASELINES = {
    "jmvae": Baseline("JMVAE-KL", JMVAE, JMVAESettings, fit_jmvae),
    "mvae": Baseline("MVAE", MVAE, MVAESettings, fit_mvae),
    "denoising": Baseline(
        "denoising autoencoder", DenoisingAutoencoder, DenoisingSettings, fit_denoising
    ),
}


def baseline(name: str) -> Baseline:
    """Return the baseline with a name in BASELINES.

    Raises:
        InputError: the baseline does not exist.
    """
    if name not in BASELINES:
        raise InputError("baseline", expected=f"one of {list(BASELINES)}", found=name)
    return BASELINES[name]


def build(
    name: str, modalities: Mapping[str, Modality], latent: int, settings: Training
) -> nn.Module:
    """Return an untrained baseline.

    Args:
        name: one of BASELINES.
        modalities: modalities by name, in order.
        latent: L, size of z.
        settings: settings of this baseline, of which those that shape the model are used.

    Raises:
        InputError: the baseline does not exist, the settings belong to another one, the latent
            size is below 1, or a modality has modules of the user.
    """
    kind = baseline(name)
    if not isinstance(settings, kind.settings):
        raise InputError(f"settings of {name}", expected=kind.settings.__name__, found=settings)
    if latent < 1:
        raise InputError("latent", expected="1 or more", found=latent)
    refuse_modules(modalities, kind.label)
    if isinstance(settings, JMVAESettings):
        return JMVAE(modalities, latent, settings.subset_encoders)
    return kind.model(modalities, latent)


def checkpoint_config(
    name: str, model: nn.Module, settings: Training, seeds: Sequence[int]
) -> dict[str, Any]:
    """Return the part of a checkpoint from which `rebuild` builds the baseline again."""
    known = {key: value for key, value in asdict(settings).items() if value is not None}
    config = {**model_config(model), "baseline": name, "settings": known}
    return {**config, "seeds": list(seeds)}


def rebuild(config: Mapping[str, Any], state: Mapping[str, Tensor]) -> nn.Module:
    """Return the baseline of a checkpoint's config and tensors.

    Raises:
        InputError: the baseline does not exist, or the tensors do not fit it.
    """
    name = config["baseline"]
    modalities = {m: Modality(**values) for m, values in config["modalities"]}
    settings = baseline(name).settings(**config["settings"])
    model = build(name, modalities, config["latent"], settings)
    load_weights(model, state)
    return model


@torch.no_grad()
def represent(
    model: nn.Module, x: Mapping[str, Tensor], items: Mapping[str, Tensor], size: int = 4096
) -> dict[str, Tensor]:
    """Return deterministic representations of pairs (Section 5.3).

    Args:
        model: a baseline.
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, for all or some of them, the row numbers (N,) of the pairs, ABSENT where
            a pair lacks it.
        size: pairs per batch; it affects only memory use.

    Returns:
        Posterior means (N, L): `joint`, given all items of each pair, and each modality alone, 0
        where it is absent.

    Raises:
        InputError: a pair has none of the modalities.
    """
    absent = torch.stack([rows == ABSENT for rows in items.values()])  # (M, N)
    if absent.any():
        return _by_pattern(model, x, items, ~absent, size)
    batches = zip(*(rows.split(size) for rows in items.values()), strict=True)
    parts = [
        model.representations({m: x[m][rows] for m, rows in zip(items, batch, strict=True)})
        for batch in batches
    ]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _by_pattern(
    model: nn.Module,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    present: Tensor,
    size: int,
) -> dict[str, Tensor]:
    """Return the result of `represent` for pairs of which some lack modalities (present (M, N))."""
    if not present.any(0).all():
        raise InputError("pairs", expected="at least one modality in each", found="one without")
    patterns, code = present.unique(dim=1, return_inverse=True)  # (M, P), (N,)
    merged: dict[str, Tensor] = {}
    for number, pattern in enumerate(patterns.T.tolist()):
        pairs = (code == number).nonzero().squeeze(-1)
        subset = {
            m: rows[pairs] for (m, rows), has in zip(items.items(), pattern, strict=True) if has
        }
        for name, z in represent(model, x, subset, size).items():
            if name not in merged:
                merged[name] = z.new_zeros(len(code), z.shape[1])
            merged[name][pairs.to(z.device)] = z
    return {name: merged[name] for name in ("joint", *items)}
