"""The multimodal denoising autoencoder (Vincent et al. 2008; Ngiam et al. 2011).

One encoder sees all modalities, corrupted; every modality is decoded, clean, from its output.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ima.models.baselines.absent import check_how, completed
from ima.models.baselines.gaussian import check_names, check_present, concatenated, validator
from ima.models.ima import Decoder, Encoder, Modality
from ima.training.loop import Batch, History, Training, check_pairs, fit
from ima.training.losses import reconstruction
from ima.utils.errors import InputError

#: What is set to 0 with probability `corruption_prob` (see `DenoisingSettings`).
CORRUPTIONS = ("entries", "modalities")


@dataclass(frozen=True)
class DenoisingSettings(Training):
    """Settings of the denoising autoencoder.

    Args:
        corruption_prob: probability of being set to 0, in [0, 1).
        corruption: what is: `entries`, each value of each modality by itself (the masking noise of
            Vincent et al. 2008, Extracting and composing robust features); `modalities`, a
            modality of a sample as a whole (as Ngiam et al. 2011, Multimodal deep learning, train
            for a missing modality); a sample that would lose them all keeps them all.
        absent: what is done about pairs that lack a modality, `drop` or `impute`
            (`ima.models.baselines.absent`); None for an error.
    """

    corruption_prob: float = 0.3
    corruption: str = "entries"
    absent: str | None = None

    def __post_init__(self):
        super().__post_init__()
        check_how(self.absent)
        if not 0 <= self.corruption_prob < 1:
            raise InputError(
                "corruption_prob", expected="a probability in [0, 1)", found=self.corruption_prob
            )
        if self.corruption not in CORRUPTIONS:
            raise InputError("corruption", expected=f"one of {CORRUPTIONS}", found=self.corruption)


class DenoisingAutoencoder(nn.Module):
    """An encoder of the concatenated modalities, and a decoder a modality.

    The encoder's hidden layers are as wide as the modalities' own together.

    Args:
        modalities: by name, in order.
        latent: L, size of z.
    """

    def __init__(self, modalities: Mapping[str, Modality], latent: int):
        super().__init__()
        check_names(modalities)
        self.modalities, self.latent = dict(modalities), latent
        self.encoder = Encoder(concatenated(modalities, [*modalities]), latent)
        self.decoders = nn.ModuleDict({n: Decoder(m, latent) for n, m in modalities.items()})

    def encode(self, x: Mapping[str, Tensor]) -> Tensor:
        """Return z (B, L) of the modalities that are there; the others are 0."""
        check_present(x, self.modalities)
        some = next(iter(x.values()))
        whole = [
            x[name] if name in x else some.new_zeros(len(some), modality.dimension)
            for name, modality in self.modalities.items()
        ]
        return self.encoder(torch.cat(whole, -1))

    @torch.no_grad()
    def representations(self, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return z (B, L): `joint` of all modalities in x, and of each with the others at 0."""
        return {"joint": self.encode(x), **{name: self.encode({name: x[name]}) for name in x}}


def keep_masks(
    x: Mapping[str, Tensor], corruption_prob: float, corruption: str, generator: torch.Generator
) -> dict[str, Tensor]:
    """Draw by modality what is kept, 1 or 0: (B, D_m) of `entries`, (B, 1) of `modalities`."""
    widths = [x_m.shape[1] if corruption == "entries" else 1 for x_m in x.values()]
    kept = next(iter(x.values())).new_empty(len(next(iter(x.values()))), sum(widths))
    kept.bernoulli_(1 - corruption_prob, generator=generator)  # (B, sum of widths)
    if corruption == "modalities":
        kept[kept.sum(-1) == 0] = 1
    return dict(zip(x, kept.split(widths, -1), strict=True))


def denoising_losses(
    model: DenoisingAutoencoder, x: Mapping[str, Tensor], keep: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return sum_m l(x_m, g_m(f(keep * x))) on a batch: `rec_m` by modality, and `loss`.

    Args:
        model: with the modalities of x.
        x: by modality (B, D_m), all of them.
        keep: by modality, 1 or 0, as `keep_masks` draws it.
    """
    z = model.encode({name: keep[name] * x_m for name, x_m in x.items()})  # (B, L)
    rec = {
        f"rec_{name}": reconstruction(x[name], model.decoders[name](z), modality.loss)
        for name, modality in model.modalities.items()
    }
    return {**rec, "loss": sum(rec.values())}


def fit_denoising(
    model: DenoisingAutoencoder,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    settings: DenoisingSettings,
    seed: int,
    validation: Mapping[str, Tensor] | None = None,
) -> History:
    """Train it on pairs; arguments, returns and raises as `ima.models.autoencoder.fit_autoencoder`.

    The seed is that of the order of pairs and of the corruption. Pairs that lack a modality are
    dropped or completed, as `settings.absent` says.
    """
    check_pairs(model.modalities, x, items)
    x, items, validation = completed(x, items, validation, settings.absent)
    generator = torch.Generator(next(iter(x.values())).device).manual_seed(seed)

    def losses_of(batch: Batch, source: torch.Generator):
        """Return the terms of a batch that is corrupted anew, as the source draws it."""
        keep = keep_masks(batch.x, settings.corruption_prob, settings.corruption, source)
        return denoising_losses(model, batch.x, keep)

    validate = validator(model, losses_of, x, validation)
    compute_losses = partial(losses_of, source=generator)
    return fit(model, compute_losses, x, items, settings, seed, "denoising autoencoder", validate)
