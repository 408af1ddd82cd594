"""MVAE (Wu & Goodman 2018, Multimodal generative models for scalable weakly-supervised learning).

The posterior given any modalities is the product of the prior N(0, I) and one expert for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ima.models.baselines.gaussian import (
    Annealed,
    Gaussian,
    check_names,
    check_present,
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
class MVAESettings(Annealed):
    """Settings of MVAE.

    Args:
        n_subsets: k, the number of subsets of 2 to M - 1 modalities drawn for each batch, in
            addition to the set of all modalities and to single modalities; all of them if there
            are fewer than k. It has no effect for M = 2.
        warmup: see `Annealed`; it applies to every KL.
    """

    n_subsets: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_subsets < 0:
            raise InputError("n_subsets", expected="0 subsets or more", found=self.n_subsets)


class MVAE(nn.Module):
    """One expert (encoder) and one decoder per modality.

    Args:
        modalities: modalities by name, in order.
        latent: L, size of z.
    """

    def __init__(self, modalities: Mapping[str, Modality], latent: int):
        super().__init__()
        check_names(modalities)
        self.modalities, self.latent = dict(modalities), latent
        self.encoders = nn.ModuleDict({n: Encoder(m, 2 * latent) for n, m in modalities.items()})
        self.decoders = nn.ModuleDict({n: Decoder(m, latent) for n, m in modalities.items()})

    def encode(self, x: Mapping[str, Tensor]) -> dict[str, Gaussian]:
        """Return the expert of each modality in x."""
        check_present(x, self.modalities)
        return {name: split(self.encoders[name](x_m)) for name, x_m in x.items()}

    def posterior(self, x: Mapping[str, Tensor]) -> Gaussian:
        """Return q(z | the modalities in x), a product of experts that includes the prior."""
        return product([*self.encode(x).values()], prior=True)

    @torch.no_grad()
    def representations(self, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return posterior means (B, L): `joint` of all modalities in x, and each alone."""
        unimodal = {name: self.posterior({name: x_m}).mean for name, x_m in x.items()}
        return {"joint": self.posterior(x).mean, **unimodal}


def fixed_subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the subsets whose ELBO is in every step: all modalities, and each alone."""
    return list(dict.fromkeys([tuple(names), *subsets(names, 1, 1)]))


def draw_subsets(names: Sequence[str], k: int, generator: torch.Generator) -> list[tuple[str, ...]]:
    """Draw k different subsets of 2 to M - 1 modalities; all of them if there are fewer than k."""
    between = subsets(names, 2, len(names) - 1)
    order = torch.randperm(len(between), generator=generator, device=generator.device)
    return [between[i] for i in order[:k].tolist()]


def mvae_losses(
    model: MVAE,
    x: Mapping[str, Tensor],
    eps: Tensor,
    beta: float,
    drawn: Sequence[tuple[str, ...]] = (),
    present: Mapping[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Return the terms of MVAE on a batch, and its loss.

    loss = sum_S [-sum_{m in S} log p(x_m | z_S) + beta KL(q_S || N(0, I))], z_S drawn from
    q_S = q(z | x_m, m in S), over S = all modalities, each alone, and those drawn.
    `counted_subsets` describes S for samples that lack modalities.

    Args:
        model: MVAE with the modalities of x.
        x: by modality (B, D_m), all of them; values of absent modalities are ignored.
        eps: noise (S, B, L) drawn from N(0, I), in the order all modalities, each alone, drawn.
        beta: weight of the KLs.
        drawn: subsets in addition to the fixed ones.
        present: by modality, 1 or 0 (B,); None if all samples have all.

    Returns:
        `rec_S` and `kl_S` for S = joint, each modality, and `drawn` (if any, their sum), `loss`.
    """
    chosen = [*fixed_subsets([*model.modalities]), *drawn]
    experts = model.encode(x)  # only once, for any number of subsets
    counted = counted_subsets(chosen, present)
    q = [
        product([experts[m] for m in s], True, None if present is None else [present[m] for m in s])
        for s in chosen
    ]
    z = [sample(q_s, e) for q_s, e in zip(q, eps, strict=True)]
    rec = [torch.zeros((), device=eps.device) for _ in chosen]
    for name, modality in model.modalities.items():
        inside = [i for i, subset in enumerate(chosen) if name in subset]
        decoded = model.decoders[name](torch.cat([z[i] for i in inside]))  # (inside * B, D_m)
        for i, part in zip(inside, decoded.chunk(len(inside)), strict=True):
            has = None if present is None else counted[i] * present[name]
            rec[i] = rec[i] + negative_log_likelihood(x[name], part, modality, has)
    divergence = [kl(q_s, counted=has) for q_s, has in zip(q, counted, strict=True)]
    terms: dict[str, Tensor] = {}
    for i, subset in enumerate(chosen):
        label = "joint" if i == 0 else "drawn" if subset in drawn else subset[0]
        terms[f"rec_{label}"] = terms.get(f"rec_{label}", 0) + rec[i]
        terms[f"kl_{label}"] = terms.get(f"kl_{label}", 0) + divergence[i]
    return {**terms, "loss": sum(rec) + beta * sum(divergence)}


def counted_subsets(
    chosen: Sequence[tuple[str, ...]], present: Mapping[str, Tensor] | None
) -> list[Tensor | None]:
    """Return for each subset the samples (B,), 1 or 0, for which its ELBO counts; None for all.

    The first subset, all modalities, stands for all that a sample has; it counts if these are two
    or more. Another subset counts if a sample has all of it, unless it equals the first.

    Args:
        chosen: subsets, with that of all modalities first.
        present: by modality, 1 or 0 (B,); None if all samples have all.
    """
    if present is None:
        return [None] * len(chosen)
    size = sum(present.values())  # (B,)
    counted = [(size > 1).to(size) if len(chosen[0]) > 1 else (size > 0).to(size)]
    for subset in chosen[1:]:
        complete = torch.stack([present[name] for name in subset]).prod(0)
        # A subset of two or more that is all the sample has equals the first one.
        again = (size == len(subset)) & (len(subset) > 1)
        counted.append(complete * ~again)
    return counted


def fit_mvae(
    model: MVAE,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    settings: MVAESettings,
    seed: int,
    validation: Mapping[str, Tensor] | None = None,
) -> History:
    """Train MVAE on pairs, which may lack modalities.

    Arguments, return value and exceptions are those of
    `ima.models.autoencoder.fit_autoencoder`. The seed also determines the draws of z and of the
    subsets.
    """
    check_pairs(model.modalities, x, items)
    names = [*model.modalities]

    def compute_losses(batch: Batch, source: torch.Generator, beta: float) -> dict[str, Tensor]:
        """Return the terms of a batch, with subsets and eps (S, B, L) drawn from the source."""
        drawn = draw_subsets(names, settings.n_subsets, source)
        shape = (len(fixed_subsets(names)) + len(drawn), batch.share.total, model.latent)
        eps = batch.share.of(torch.randn(shape, generator=source, device=source.device), 1)
        return mvae_losses(model, batch.x, eps, beta, drawn, batch.present)

    return fit_drawn(model, compute_losses, x, items, settings, seed, "MVAE", validation)
