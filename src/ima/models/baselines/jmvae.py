"""JMVAE-KL (Suzuki et al. 2016, Joint multimodal learning with deep generative models).

One encoder takes all modalities; a unimodal encoder per modality learns to approximate its
posterior.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ima.models.baselines.absent import check_how, completed
from ima.models.baselines.gaussian import (
    Annealed,
    Gaussian,
    check_names,
    check_present,
    concatenated,
    fit_drawn,
    kl,
    negative_log_likelihood,
    product,
    sample,
    split,
    subsets,
)
from ima.models.ima import Decoder, Encoder, Modality
from ima.training.loop import Batch, History, check_pairs
from ima.utils.errors import InputError


@dataclass(frozen=True)
class JMVAESettings(Annealed):
    """Settings of JMVAE-KL.

    Args:
        alpha: weight of the KL to each unimodal posterior. 1 in the authors' code; 0.1 elsewhere.
        subset_encoders: whether to have an encoder for every subset of modalities, 2^M - 1 in all,
            instead of one for all modalities and one for each.
        warmup: see `Annealed`; it applies only to the KL to the prior.
        absent: handling of pairs that lack a modality, `drop` or `impute`
            (`ima.models.baselines.absent`); None to reject them.
    """

    alpha: float = 1.0
    subset_encoders: bool = False
    absent: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_how(self.absent)
        if self.alpha < 0:
            raise InputError("alpha", expected="0 or more", found=self.alpha)


class JMVAE(nn.Module):
    """Encoders of the joint and of the unimodal posteriors, and one decoder per modality.

    An encoder of several modalities takes their concatenation, and the width of its hidden layers
    is the sum of their widths.

    Args:
        modalities: modalities by name, in order.
        latent: L, size of z.
        subset_encoders: see `JMVAESettings`.
    """

    def __init__(
        self, modalities: Mapping[str, Modality], latent: int, subset_encoders: bool = False
    ):
        super().__init__()
        check_names(modalities)
        self.modalities, self.latent = dict(modalities), latent
        names = tuple(modalities)
        default = [names, *subsets(names, 1, 1)]
        every = [names, *subsets(names, 1, len(names) - 1)]
        self.encoders = nn.ModuleDict(
            {
                "+".join(subset): Encoder(concatenated(modalities, subset), 2 * latent)
                for subset in (every if subset_encoders else default)
            }
        )
        self.decoders = nn.ModuleDict({n: Decoder(m, latent) for n, m in modalities.items()})

    def encode(self, x: Mapping[str, Tensor]) -> dict[str, Gaussian]:
        """Return the posterior of every encoder whose modalities are in x, the joint one first."""
        check_present(x, self.modalities)
        return {
            key: split(encoder(torch.cat([x[name] for name in key.split("+")], -1)))
            for key, encoder in self.encoders.items()
            if set(key.split("+")) <= set(x)
        }

    def posterior(self, x: Mapping[str, Tensor]) -> Gaussian:
        """Return q(z | the modalities in x).

        For several but not all modalities, it is the product of their unimodal posteriors, unless
        they have their own encoder (`subset_encoders`).
        """
        q = self.encode(x)
        key = "+".join(name for name in self.modalities if name in x)
        return q[key] if key in q else product([q[name] for name in x], prior=False)

    @torch.no_grad()
    def representations(self, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return posterior means (B, L): `joint` of all modalities in x, and each alone."""
        unimodal = {name: self.posterior({name: x_m}).mean for name, x_m in x.items()}
        return {"joint": self.posterior(x).mean, **unimodal}


def jmvae_losses(
    model: JMVAE, x: Mapping[str, Tensor], eps: Tensor, alpha: float, beta: float
) -> dict[str, Tensor]:
    """Return the terms of JMVAE-KL on a batch, and its loss.

    loss = -sum_m log p(x_m | z) + beta KL(q || N(0, I)) + alpha sum_m KL(q || q_m),
    where q = q(z | all x), q_m = q(z | x_m) (or of a subset), and z is drawn from q.

    Args:
        model: JMVAE with the modalities of x.
        x: by modality (B, D_m), all of them.
        eps: noise (B, L) drawn from N(0, I).
        alpha: weight of the KL to the other encoders.
        beta: weight of the KL to the prior.

    Returns:
        `rec_m` by modality, `kl_prior`, `gap_m` by encoder other than the joint one, `loss`.
    """
    (_, q), *others = model.encode(x).items()
    z = sample(q, eps)  # (B, L)
    rec = {
        f"rec_{name}": negative_log_likelihood(x[name], model.decoders[name](z), modality)
        for name, modality in model.modalities.items()
    }
    prior = kl(q)
    gap = {f"gap_{name}": kl(q, q_m) for name, q_m in others}
    loss = sum(rec.values()) + beta * prior + alpha * sum(gap.values())
    return {**rec, "kl_prior": prior, **gap, "loss": loss}


def fit_jmvae(
    model: JMVAE,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    settings: JMVAESettings,
    seed: int,
    validation: Mapping[str, Tensor] | None = None,
) -> History:
    """Train JMVAE-KL on pairs.

    Arguments, return value and exceptions are those of
    `ima.models.autoencoder.fit_autoencoder`. The seed also determines the draws of z. Pairs that
    lack a modality are handled according to `settings.absent`.
    """
    check_pairs(model.modalities, x, items)
    x, items, validation = completed(x, items, validation, settings.absent)

    def compute_losses(batch: Batch, source: torch.Generator, beta: float) -> dict[str, Tensor]:
        """Return the terms of a batch, with eps (B, L) drawn from the source."""
        shape = (batch.share.total, model.latent)
        eps = batch.share.of(torch.randn(shape, generator=source, device=source.device))
        return jmvae_losses(model, batch.x, eps, settings.alpha, beta)

    return fit_drawn(model, compute_losses, x, items, settings, seed, "JMVAE-KL", validation)
