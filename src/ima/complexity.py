"""What models cost: parameters, sub-networks, terms of the loss, time of training (Table 4).

All is counted from modules and from a training step on a batch, not from formulas.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
import torch
from torch import Tensor, nn

from ima import baselines
from ima.baselines import BASELINES, build
from ima.baselines.denoising import denoising_losses, keep_masks
from ima.baselines.jmvae import jmvae_losses
from ima.baselines.mvae import draw_subsets, fixed_subsets, mvae_losses
from ima.model import IMA, Decoder, Encoder, ImportanceNet, Modality
from ima.objectives import autoencoder_paper, paper
from ima.tables import typed

#: The modalities of the models whose growth is measured; their latent size, batch, and width.
EQUAL = Modality(dimension=128, hidden=32)
LATENT, BATCH, IMPORTANCE_HIDDEN = 16, 64, 32
#: Timed steps of a model, of which the median counts, and those before.
STEPS, WARM_UP = 9, 2

#: Variants whose cost grows with the number of subsets: name, kind, and settings beside the run's.
GROWING = {
    "JMVAE-KL, an encoder a subset": ("jmvae", {"subset_encoders": True}),
    "MVAE, an ELBO a subset": ("mvae", {"sampled": 10**6}),
}

Step = Callable[[], Mapping[str, Tensor]]


class Costed(NamedTuple):
    """A model, what is computed in a step of each of its stages, and how much of it is no decoding.

    Attributes:
        model: untrained.
        stages: functions of nothing that return the terms of a loss on one batch.
        others: terms of a sample's loss that are no reconstruction.
    """

    model: nn.Module
    stages: tuple[Step, ...]
    others: int


def costed_ima(
    modalities: Mapping[str, Modality], latent: int, hidden: int, x: Mapping[str, Tensor]
) -> Costed:
    """Return IMA with its two stages (the paper's objective) on a batch x (B, D_m) by modality."""
    model = IMA(modalities, latent, hidden, {name: [0.5] for name in modalities})
    with torch.no_grad():
        u = model.autoencoder.encode(x)  # stage 2 computes it once for all its steps
    rho = {name: torch.tensor([0.5]) for name in modalities}

    def stage1() -> dict[str, Tensor]:
        """Return the terms of Eq. 2 without what is only watched, and their sum as `loss`."""
        terms = autoencoder_paper(model.autoencoder, x)
        kept = {name: value for name, value in terms.items() if not name.startswith("norm_")}
        return {**kept, "loss": sum(kept.values())}

    def stage2() -> dict[str, Tensor]:
        """Return the terms of the paper's objective, and their sum as `loss`."""
        terms = paper(u, model.importances(x), rho)
        return {**terms, "loss": terms["loss"].sum()}

    others = [
        name
        for terms in (stage1(), stage2())
        for name in terms
        if name.startswith(("align_", "glob", "corr_", "local_"))
    ]
    return Costed(model, (stage1, stage2), len(others))


def costed_baseline(
    kind: str,
    given: Mapping,
    modalities: Mapping[str, Modality],
    latent: int,
    x: Mapping[str, Tensor],
) -> Costed:
    """Return a baseline, of these settings, with its step on a batch x (B, D_m) by modality."""
    settings = BASELINES[kind].settings(**given)
    model = build(kind, modalities, latent, settings)
    generator, names = torch.Generator().manual_seed(0), [*modalities]
    batch = len(x[names[0]])

    def step() -> dict[str, Tensor]:
        """Return the terms of the baseline's loss, with draws of their own at every call."""
        if kind == "denoising":
            keep = keep_masks(x, settings.rate, settings.corruption, generator)
            return denoising_losses(model, x, keep)
        if kind == "jmvae":
            eps = torch.randn(batch, latent, generator=generator)
            return jmvae_losses(model, x, eps, settings.alpha, 1.0)
        drawn = draw_subsets(names, settings.sampled, generator)
        count = len(fixed_subsets(names)) + len(drawn)
        eps = torch.randn(count, batch, latent, generator=generator)
        return mvae_losses(model, x, eps, 1.0, drawn)

    terms = baselines.loss_terms(kind, len(names), settings)
    return Costed(model, (step,), terms["elbo"] + terms["kl"])  # an ELBO has one KL to the prior


def parameters(model: nn.Module) -> dict[str, int]:
    """Return how many weights a model has, by the kind of its sub-networks, and of all."""
    found = {
        f"parameters_{name}": sum(w.numel() for net in networks for w in net.parameters())
        for name, networks in _networks(model).items()
    }
    return {**found, "parameters": sum(weight.numel() for weight in model.parameters())}


def sub_networks(model: nn.Module) -> dict[str, int]:
    """Return how many encoders, decoders and importance networks a model has, and all together."""
    found = {name: len(networks) for name, networks in _networks(model).items()}
    return {**found, "sub_networks": sum(found.values())}


def _networks(model: nn.Module) -> dict[str, list[nn.Module]]:
    kinds = {"encoders": Encoder, "decoders": Decoder, "importance": ImportanceNet}
    modules = [*model.modules()]
    return {name: [m for m in modules if isinstance(m, kind)] for name, kind in kinds.items()}


def loss_terms(costed: Costed, batch: int) -> dict[str, int]:
    """Return how many terms the loss of a sample has, reconstructions counted as they are made.

    Returns:
        `reconstructions`: vectors that decoders make of a sample, each compared with its input;
        `other_terms`: divergences, distances of IMA's latents to z, its L_corr and L_local; and
        `loss_terms`, both.
    """
    decoded = 0

    def count(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
        """Add how many vectors a decoder has made of a sample; a hook of its forward pass."""
        nonlocal decoded
        decoded += output.shape[:-1].numel() // batch

    hooks = [net.register_forward_hook(count) for net in _networks(costed.model)["decoders"]]
    for stage in costed.stages:
        stage()
    for hook in hooks:
        hook.remove()
    every = decoded + costed.others
    return {"reconstructions": decoded, "other_terms": costed.others, "loss_terms": every}


def microseconds(costed: Costed, batch: int) -> float:
    """Return the CPU time of training on one sample: a step of every stage, the median of STEPS.

    Args:
        costed: the model, which is trained.
        batch: samples of its batch.
    """
    optimizer = torch.optim.Adam(costed.model.parameters(), lr=1e-4, fused=True)
    seconds = []
    for _ in range(WARM_UP + STEPS):
        start = time.process_time()
        for stage in costed.stages:
            optimizer.zero_grad(set_to_none=True)  # a stage steps what it has gradients for
            stage()["loss"].backward()
            optimizer.step()
        seconds.append(time.process_time() - start)
    return 1e6 * statistics.median(seconds[WARM_UP:]) / batch


def row(costed: Costed, batch: int) -> dict[str, float]:
    """Return all that is counted and measured of a model on a batch of so many samples."""
    counted = {**parameters(costed.model), **sub_networks(costed.model)}
    return {**counted, **loss_terms(costed, batch), "microseconds": microseconds(costed, batch)}


def table4(
    modalities: Mapping[str, Modality],
    latents: Sequence[int],
    hidden: int,
    models: Mapping[str, tuple[str, Mapping]],
    batch: int,
    counts: Iterable[int],
    run: str,
) -> pa.Table:
    """Return Table 4: the models at the run's settings, then with several equal modalities.

    Args:
        modalities: of the run, by name.
        latents: sizes L of the run's latent space.
        hidden: width of its importance networks.
        models: the baselines by name: kind and its own settings.
        batch: pairs a step.
        counts: numbers of equal modalities.
        run: name of the run, for the first column.

    Returns:
        Rows of `run`, `setting` (the run's modalities, or `equal`), `model`, `modalities` (M),
        `latent`, and those of `row`: `microseconds` is of CPU, a sample, one thread.
    """
    growing = {**models, **GROWING}
    cases = [("+".join(modalities), modalities, L, hidden, batch, models) for L in latents]
    cases += [
        ("equal", {f"m{i}": EQUAL for i in range(count)}, LATENT, IMPORTANCE_HIDDEN, BATCH, growing)
        for count in counts
    ]
    rows = [
        {
            "run": run,
            "setting": setting,
            "model": name,
            "modalities": len(layers),
            "latent": latent,
            **row(costed, size),
        }
        for setting, layers, latent, wide, size, some in cases
        for name, costed in _costed(layers, latent, wide, size, some)
    ]
    whole = [name for name, value in rows[0].items() if isinstance(value, int)]
    return typed(rows, ("setting", "model"), whole)


def _costed(layers, latent: int, hidden: int, batch: int, models) -> Iterator[tuple[str, Costed]]:
    """Yield IMA and each model by name, on the same random batch."""
    torch.manual_seed(0)
    x = {name: torch.rand(batch, modality.dimension) for name, modality in layers.items()}
    yield "IMA", costed_ima(layers, latent, hidden, x)
    for name, (kind, given) in models.items():
        yield name, costed_baseline(kind, given, layers, latent, x)
