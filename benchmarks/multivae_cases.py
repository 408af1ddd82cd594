"""Models, weights and batches for `baselines_vs_multivae.py`, and this project's results on them.

The module does not need multivae, so that tests can use it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ima.models.baselines import build, jmvae, mvae
from ima.models.baselines.gaussian import subsets
from ima.models.ima import Modality

DIGITS = {"image": Modality(784, 500), "speech": Modality(696, 100)}
SMALL = {"a": Modality(5, 6), "b": Modality(4, 3), "c": Modality(3, 4, "sse")}


@dataclass(frozen=True)
class Case:
    """One comparison. `alpha` applies only to JMVAE-KL; MVAE draws every possible subset."""

    name: str
    modalities: Mapping[str, Modality]
    latent: int
    batch: int
    alpha: float = 1.0
    beta: float = 1.0
    dtype: torch.dtype = torch.float64


_TWO = {name: SMALL[name] for name in "ab"}
CASES = {
    "jmvae": Case("jmvae", _TWO, 2, 8),
    "jmvae, annealed, alpha 0.1": Case("jmvae", _TWO, 2, 8, alpha=0.1, beta=0.3),
    "jmvae, three modalities": Case("jmvae", SMALL, 2, 8, beta=0.7),
    "mvae": Case("mvae", _TWO, 2, 8),
    "mvae, annealed": Case("mvae", _TWO, 2, 8, beta=0.3),
    "mvae, three modalities": Case("mvae", SMALL, 2, 8, beta=0.7),
}
#: Like CASES, but with the paper's sizes. Double precision, as above: in single precision, one of
#: 10^5 hidden units may be within rounding of 0, where the gradient of ReLU jumps.
FULL = {
    "jmvae, 784-500 and 696-100": Case("jmvae", DIGITS, 50, 64),
    "mvae, 784-500 and 696-100": Case("mvae", DIGITS, 50, 64),
}


def wave(*shape: int, phase: float = 0.0) -> Tensor:
    """Return pseudo-random numbers in (-1, 1) that are the same on all platforms (no generator)."""
    count = torch.arange(1, 1 + torch.Size(shape).numel(), dtype=torch.float64)
    return torch.sin(12.9898 * count + 78.233 * torch.sin(0.7 * count + phase)).view(shape)


def model_of(case: Case) -> nn.Module:
    """Return the baseline of a case with weights from `wave`."""
    kind = {"jmvae": jmvae.JMVAESettings, "mvae": mvae.MVAESettings}[case.name]
    model = build(case.name, case.modalities, case.latent, kind()).to(case.dtype)
    with torch.no_grad():
        for phase, weight in enumerate(model.parameters()):
            wide = weight.shape[-1] ** 0.5
            weight.copy_(wave(*weight.shape, phase=phase) / wide)
    return model


def batch_of(case: Case) -> tuple[dict[str, Tensor], Tensor, list[tuple[str, ...]]]:
    """Return x by modality (B, D_m) in [0, 1], eps (S, B, L), and the subsets that MVAE draws."""
    x = {
        name: (wave(case.batch, modality.dimension, phase=phase + 0.5) + 1) / 2
        for phase, (name, modality) in enumerate(case.modalities.items())
    }
    drawn = subsets([*case.modalities], 2, len(case.modalities) - 1)
    posteriors = 1 if case.name == "jmvae" else 1 + len(case.modalities) + len(drawn)
    eps = 1.5 * wave(posteriors, case.batch, case.latent, phase=9)
    return {name: x_m.to(case.dtype) for name, x_m in x.items()}, eps.to(case.dtype), drawn


def ours(case: Case) -> tuple[float, dict[str, Tensor]]:
    """Return this project's loss and gradients, by parameter, for a case."""
    model, (x, eps, drawn) = model_of(case), batch_of(case)
    if case.name == "jmvae":
        terms = jmvae.jmvae_losses(model, x, eps[0], case.alpha, case.beta)
    else:
        terms = mvae.mvae_losses(model, x, eps, case.beta, drawn)
    terms["loss"].backward()
    return float(terms["loss"].detach()), {n: p.grad for n, p in model.named_parameters()}


def summary(gradient: Tensor, phase: int) -> list[float]:
    """Return two numbers: the norm of a gradient and its product with a fixed direction."""
    direction = wave(*gradient.shape, phase=phase).to(gradient)
    return [float(gradient.norm()), float((gradient * direction).sum())]
