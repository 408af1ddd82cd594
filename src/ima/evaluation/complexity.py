"""The cost of each model: parameters, sub-networks, loss terms and training time (Table 4).

Every number is counted from the modules or measured in a training step, not computed from formulas.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
import torch
from torch import Tensor, nn

from ima.models.baselines import BASELINES, build
from ima.models.baselines.denoising import denoising_losses, keep_masks
from ima.models.baselines.jmvae import jmvae_losses
from ima.models.baselines.mvae import draw_subsets, fixed_subsets, mvae_losses
from ima.models.ima import Decoder, Encoder, IMANetwork, ImportanceNet, Modality
from ima.models.objectives import AUTOENCODER, IMPORTANCE
from ima.training.adam import Adam
from ima.utils.arrow import to_table

#: Each of the equal modalities with which growth is measured; latent size, batch size and width.
EQUAL = Modality(dimension=128, hidden=32)
LATENT, BATCH, IMPORTANCE_HIDDEN = 16, 64, 32
#: Timed steps per model, of which the median is reported, and warm-up steps before them.
STEPS, WARM_UP = 9, 2

#: Terms of IMA's loss that are not reconstructions.
OTHERS = ("align", "glob", "corr", "local")

#: Variants whose cost grows with the number of subsets: name, kind and settings.
GROWING = {
    "JMVAE-KL, one encoder per subset": ("jmvae", {"subset_encoders": True}),
    "MVAE, one ELBO per subset": ("mvae", {"n_subsets": 10**6}),
}

Step = Callable[[], Mapping[str, Tensor]]


class Costed(NamedTuple):
    """A model, one training step per stage, and its number of loss terms besides reconstructions.

    Attributes:
        model: the untrained model.
        stages: functions without arguments, each returning a stage's loss terms on one batch.
        others: number of terms in a sample's loss that are not reconstructions.
    """

    model: nn.Module
    stages: tuple[Step, ...]
    others: int


def costed_ima(
    modalities: Mapping[str, Modality],
    latent: int,
    hidden: int,
    x: Mapping[str, Tensor],
    objectives: tuple[str, str] = ("paper", "paper"),
) -> Costed:
    """Return IMA with one step for each of its two stages on a batch x (B, D_m) by modality.

    Args:
        modalities: the modalities, by name.
        latent: size L of the latent space.
        hidden: width of the importance networks.
        x: the batch.
        objectives: names of the objectives of stages 1 and 2 (`ima.models.objectives`).
    """
    model = IMANetwork.of(modalities, latent, hidden, {name: [0.5] for name in modalities})
    with torch.no_grad():
        u = model.autoencoder.encode(x)  # stage 2 computes this once, before its first step
    rho = {name: torch.tensor([0.5]) for name in modalities}
    autoencoder, importance = AUTOENCODER[objectives[0]], IMPORTANCE[objectives[1]]
    # Stage 2's input for each pair: its latents, or what `ima+` precomputes from them.
    ones = {name: torch.ones(len(values)) for name, values in x.items()}
    known = (u,) if objectives[1] == "paper" else (ones, ones)

    def stage1() -> dict[str, Tensor]:
        """Return the terms of stage 1 without those only monitored, and their sum as `loss`."""
        terms = autoencoder(model.autoencoder, x)
        minimised = {name: value for name, value in terms.items() if not name.startswith("norm_")}
        return {**minimised, "loss": sum(minimised.values())}

    def stage2() -> dict[str, Tensor]:
        """Return the terms of stage 2, and their sum as `loss`."""
        terms = importance(*known, model.importances(x), rho)
        return {**terms, "loss": terms["loss"].sum()}

    term_names = [name for stage in (stage1, stage2) for name in stage()]
    return Costed(model, (stage1, stage2), sum(name.split("_")[0] in OTHERS for name in term_names))


def costed_baseline(
    kind: str,
    options: Mapping,
    modalities: Mapping[str, Modality],
    latent: int,
    x: Mapping[str, Tensor],
) -> Costed:
    """Return a baseline with the given settings and its step on a batch x (B, D_m) by modality."""
    settings = BASELINES[kind].settings(**options)
    model = build(kind, modalities, latent, settings)
    generator, names = torch.Generator().manual_seed(0), [*modalities]
    batch = len(x[names[0]])

    def step() -> dict[str, Tensor]:
        """Return the terms of the baseline's loss, with fresh random draws at every call."""
        if kind == "denoising":
            keep = keep_masks(x, settings.corruption_prob, settings.corruption, generator)
            return denoising_losses(model, x, keep)
        if kind == "jmvae":
            eps = torch.randn(batch, latent, generator=generator)
            return jmvae_losses(model, x, eps, settings.alpha, 1.0)
        drawn = draw_subsets(names, settings.n_subsets, generator)
        count = len(fixed_subsets(names)) + len(drawn)
        eps = torch.randn(count, batch, latent, generator=generator)
        return mvae_losses(model, x, eps, 1.0, drawn)

    kls = 0
    if kind == "jmvae":  # to the prior and to the posterior of every other encoder
        kls = len(model.encoders)
    elif kind == "mvae":  # to the prior in each ELBO
        kls = len(fixed_subsets(names)) + len(draw_subsets(names, settings.n_subsets, generator))
    return Costed(model, (step,), kls)


def parameters(model: nn.Module) -> dict[str, int]:
    """Return numbers of weights: by kind of sub-network, of the autoencoder, and in total.

    The autoencoder is the whole model except the importance networks.
    """
    counts = {
        f"parameters_{name}": sum(w.numel() for net in networks for w in net.parameters())
        for name, networks in _networks(model).items()
    }
    every = sum(weight.numel() for weight in model.parameters())
    autoencoder = every - counts["parameters_importance"]
    return {**counts, "parameters_autoencoder": autoencoder, "parameters": every}


def sub_networks(model: nn.Module) -> dict[str, int]:
    """Return the numbers of encoders, decoders and importance networks of a model, and the sum."""
    counts = {name: len(networks) for name, networks in _networks(model).items()}
    return {**counts, "sub_networks": sum(counts.values())}


def _networks(model: nn.Module) -> dict[str, list[nn.Module]]:
    kinds = {"encoders": Encoder, "decoders": Decoder, "importance": ImportanceNet}
    modules = [*model.modules()]
    return {name: [m for m in modules if isinstance(m, kind)] for name, kind in kinds.items()}


def loss_terms(costed: Costed, batch: int) -> dict[str, int]:
    """Return the number of terms in the loss of one sample, counting each reconstruction.

    Returns:
        `reconstructions`: vectors that decoders compute for a sample, each compared with its input;
        `other_terms`: divergences, distances of IMA's latents to z, its L_corr and L_local; and
        `loss_terms`, the sum of both.
    """
    decoded = 0

    def count(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
        """Forward hook of a decoder: count the vectors it has computed per sample."""
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
    """Return the CPU time (microseconds) of training on one sample, one step of every stage.

    The result is the median of STEPS measurements.

    Args:
        costed: the model; it is trained in the process.
        batch: samples in its batch.
    """
    optimizer = Adam(costed.model.parameters(), lr=1e-4, fused=True)
    seconds = []
    for _ in range(WARM_UP + STEPS):
        start = time.process_time()
        for stage in costed.stages:
            optimizer.zero_grad(set_to_none=True)  # a stage updates only weights with gradients
            stage()["loss"].backward()
            optimizer.step()
        seconds.append(time.process_time() - start)
    return 1e6 * statistics.median(seconds[WARM_UP:]) / batch


def row(costed: Costed, batch: int) -> dict[str, float]:
    """Return all counts and measurements of a model on a batch of the given size."""
    counted = {**parameters(costed.model), **sub_networks(costed.model)}
    return {**counted, **loss_terms(costed, batch), "microseconds": microseconds(costed, batch)}


class Setting(NamedTuple):
    """The models of one data set, as a run trains them.

    Attributes:
        modalities: the modalities, by name.
        latents: sizes L of the latent space.
        hidden: width of IMA's importance networks.
        ima: variants of IMA by label: the objectives of both stages.
        models: baselines by label: kind and the settings specific to it.
        batch: pairs per step.
    """

    modalities: Mapping[str, Modality]
    latents: Sequence[int]
    hidden: int
    ima: Mapping[str, tuple[str, str]]
    models: Mapping[str, tuple[str, Mapping]]
    batch: int


def table4(datasets: Mapping[str, Setting], counts: Iterable[int], run: str) -> pa.Table:
    """Return Table 4: each data set's models, then the first data set's with equal modalities.

    Args:
        datasets: the data sets, by name.
        counts: numbers of equal modalities to measure.
        run: name of the run, for the first column.

    Returns:
        Rows of `run`, `dataset` (empty for equal modalities), `setting` (the modalities, or
        `equal`), `model`, `modalities` (M), `latent`, and the columns of `row`. `microseconds` is
        CPU time per sample on one thread.
    """
    first = next(iter(datasets.values()))
    cases = [
        (name, "+".join(dataset.modalities), dataset._replace(latents=[latent]))
        for name, dataset in datasets.items()
        for latent in dataset.latents
    ]
    for count in counts:
        equal = {f"m{i}": EQUAL for i in range(count)}
        grown = Setting(
            equal, [LATENT], IMPORTANCE_HIDDEN, first.ima, {**first.models, **GROWING}, BATCH
        )
        cases.append((None, "equal", grown))
    rows = [
        {
            "run": run,
            "dataset": name,
            "setting": setting,
            "model": model,
            "modalities": len(dataset.modalities),
            "latent": dataset.latents[0],
            **row(costed, dataset.batch),
        }
        for name, setting, dataset in cases
        for model, costed in _costed(dataset)
    ]
    integers = [name for name, value in rows[0].items() if isinstance(value, int)]
    return to_table(rows, ("dataset", "setting", "model"), integers)


def _costed(dataset: Setting) -> Iterator[tuple[str, Costed]]:
    """Yield the variants of IMA and the baselines by label, all on the same random batch."""
    torch.manual_seed(0)
    latent, layers = dataset.latents[0], dataset.modalities
    x = {name: torch.rand(dataset.batch, modality.dimension) for name, modality in layers.items()}
    for label, objectives in dataset.ima.items():
        yield label, costed_ima(layers, latent, dataset.hidden, x, objectives)
    for label, (kind, options) in dataset.models.items():
        yield label, costed_baseline(kind, options, layers, latent, x)
