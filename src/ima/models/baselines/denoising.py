"""The multimodal denoising autoencoder (Vincent et al. 2008; Ngiam et al. 2011).

One encoder takes all modalities, corrupted; every modality is decoded without corruption from its
output.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ima.models.baselines.absent import check_how, completed
from ima.models.baselines.gaussian import check_names, check_present, concatenated, fit_drawn
from ima.models.ima import Decoder, Encoder, Modality
from ima.training.distributed import Share, whole
from ima.training.loop import Batch, History, Training, check_pairs
from ima.training.losses import reconstruction
from ima.utils.errors import InputError

#: Units that are set to 0 with probability `corruption_prob` (see `DenoisingSettings`).
CORRUPTIONS = ("entries", "modalities")


@dataclass(frozen=True)
class DenoisingSettings(Training):
    """Settings of the denoising autoencoder.

    Args:
        corruption_prob: probability of being set to 0, in [0, 1).
        corruption: the unit of corruption. `entries` corrupts each value of each modality
            independently (the masking noise of Vincent et al. 2008, Extracting and composing robust
            features). `modalities` corrupts whole modalities of a sample (as Ngiam et al. 2011,
            Multimodal deep learning, train for a missing modality); a sample that would lose all of
            them keeps all.
        absent: handling of pairs that lack a modality, `drop` or `impute`
            (`ima.models.baselines.absent`); None to reject them.
    """

    corruption_prob: float = 0.3
    corruption: str = "entries"
    absent: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_how(self.absent)
        if not 0 <= self.corruption_prob < 1:
            raise InputError(
                "corruption_prob", expected="a probability in [0, 1)", found=self.corruption_prob
            )
        if self.corruption not in CORRUPTIONS:
            raise InputError("corruption", expected=f"one of {CORRUPTIONS}", found=self.corruption)


class DenoisingAutoencoder(nn.Module):
    """An encoder of the concatenated modalities, and one decoder per modality.

    The width of the encoder's hidden layers is the sum of the modalities' widths.

    Args:
        modalities: modalities by name, in order.
        latent: L, size of z.
    """

    def __init__(self, modalities: Mapping[str, Modality], latent: int):
        super().__init__()
        check_names(modalities)
        self.modalities, self.latent = dict(modalities), latent
        self.encoder = Encoder(concatenated(modalities, [*modalities]), latent)
        self.decoders = nn.ModuleDict({n: Decoder(m, latent) for n, m in modalities.items()})

    def encode(self, x: Mapping[str, Tensor]) -> Tensor:
        """Return z (B, L) of the modalities in x; missing modalities are set to 0."""
        check_present(x, self.modalities)
        some = next(iter(x.values()))
        inputs = [
            x[name] if name in x else some.new_zeros(len(some), modality.dimension)
            for name, modality in self.modalities.items()
        ]
        return self.encoder(torch.cat(inputs, -1))

    @torch.no_grad()
    def representations(self, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return z (B, L): `joint` of all modalities in x, and each with the others set to 0."""
        return {"joint": self.encode(x), **{name: self.encode({name: x[name]}) for name in x}}


def keep_masks(
    x: Mapping[str, Tensor],
    corruption_prob: float,
    corruption: str,
    generator: torch.Generator,
    share: Share | None = None,
) -> dict[str, Tensor]:
    """Draw masks by modality, 1 to keep: (B, D_m) for `entries`, (B, 1) for `modalities`.

    Masks are drawn for the whole batch of which x is this `share`; None if x is all of it.
    """
    some = next(iter(x.values()))
    widths = [x_m.shape[1] if corruption == "entries" else 1 for x_m in x.values()]
    share = share or whole(len(some))
    masks = some.new_empty(share.total, sum(widths))
    masks.bernoulli_(1 - corruption_prob, generator=generator)  # (B, sum of widths)
    if corruption == "modalities":
        masks[masks.sum(-1) == 0] = 1
    return dict(zip(x, share.of(masks).split(widths, -1), strict=True))


def denoising_losses(
    model: DenoisingAutoencoder, x: Mapping[str, Tensor], keep: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return sum_m l(x_m, g_m(f(keep * x))) on a batch: `rec_m` by modality, and `loss`.

    Args:
        model: denoising autoencoder with the modalities of x.
        x: by modality (B, D_m), all of them.
        keep: masks by modality, from `keep_masks`.
    """
    z = model.encode({name: keep[name] * x_m for name, x_m in x.items()})  # (B, L)
    rec = {
        f"rec_{name}": reconstruction(
            x[name], model.decoders[name](z), modality.loss, classes=modality.classes
        )
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
    """Train the model on pairs.

    Arguments, return value and exceptions are those of
    `ima.models.autoencoder.fit_autoencoder`. The seed also determines the corruption. Pairs that
    lack a modality are handled according to `settings.absent`.
    """
    check_pairs(model.modalities, x, items)
    x, items, validation = completed(x, items, validation, settings.absent)

    def compute_losses(batch: Batch, source: torch.Generator, _beta: float) -> dict[str, Tensor]:
        """Return the terms of a batch with corruption drawn from the source."""
        how = (settings.corruption_prob, settings.corruption)
        keep = keep_masks(batch.x, *how, source, batch.share)
        return denoising_losses(model, batch.x, keep)

    return fit_drawn(
        model, compute_losses, x, items, settings, seed, "denoising autoencoder", validation
    )
