"""The two stages of training (Section 3): the autoencoder, then the importance networks.

All data lie in memory; a batch is gathered by row numbers. Stage 1 never touches an importance
network, stage 2 never an encoder or decoder.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from ima import losses
from ima.errors import InputError
from ima.model import IMA, Autoencoder, fuse


@dataclass(frozen=True)
class Training:
    """How long and fast Adam trains; `cosine` lowers its rate to 0 along a half cosine."""

    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 1e-3
    cosine: bool = True


@dataclass(frozen=True)
class Stage1(Training):
    """Settings of stage 1: beside those of training, the weights of Eq. 2."""

    lambda_rec: float = 1.0
    lambda_align: float = 1.0
    lambda_glob: float = 1.0


@dataclass(frozen=True)
class Stage2:
    """Settings of stage 2: Eqs. 3 and 4 and how long to train.

    Args:
        lambda_corr: weight of L_corr against L_local.
        scale_free: divide L_corr by its value at equal weights.
        target: what stands for z in Eq. 3, one of `ima.losses.TARGETS`.
        restarts: networks trained from other first weights; the one of least L_imp on the
            training pairs is kept.
        epochs, batch_size, learning_rate: of Adam.
    """

    lambda_corr: float = 10.0
    scale_free: bool = True
    target: str = "joint"
    restarts: int = 6
    epochs: int = 12
    batch_size: int = 1024
    learning_rate: float = 2e-3


History = list[dict[str, float | int | str]]

#: A progress bar on a terminal, even when a rule sends stderr to its log; none elsewhere.
PROGRESS = {"file": sys.__stderr__, "disable": None, "leave": False}


def device() -> torch.device:
    """Return the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def check_pairs(model: Autoencoder, x: Mapping[str, Tensor], items: Mapping[str, Tensor]) -> None:
    """Raise InputError unless pairs have the model's modalities, and rows of their matrices."""
    if set(items) != set(model.modalities):
        raise InputError("pairs", expected=f"modalities {list(model.modalities)}", found=[*items])
    for name, rows in items.items():
        if name not in x:
            raise InputError("features", expected=f"those of {name}", found=f"of {list(x)} only")
        if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < len(x[name]):
            raise InputError(
                f"pairs of {name}",
                expected=f"row numbers from 0 to {len(x[name]) - 1}",
                found=f"{int(rows.min())} to {int(rows.max())}",
                do="Make the pairs again from these features.",
            )
    counts = {name: len(rows) for name, rows in items.items()}
    if len(set(counts.values())) > 1:
        raise InputError("pairs", expected="an item of each modality in each", found=counts)
    if not any(counts.values()):
        raise InputError("pairs", expected="at least one", found="none")


def autoencoder_losses(model: Autoencoder, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the terms of Eq. 2 on a batch of pairs, importances constant at 1.

    `rec`: each modality decoded from its own latent; `align`: `ima.losses.alignment`; `glob`:
    each modality decoded from the joint representation. See deviation 1 for this reading.
    """
    u = model.encode(x)
    z = fuse(u)
    terms: dict[str, Tensor] = {"align": losses.alignment(u, z)}
    for name, modality in model.modalities.items():
        alone, joint = model.decoders[name](torch.cat((u[name], z))).chunk(2)
        terms[f"rec_{name}"] = losses.reconstruction(x[name], alone, modality.loss)
        terms[f"glob_{name}"] = losses.reconstruction(x[name], joint, modality.loss)
        terms[f"norm_{name}"] = u[name].detach().abs().mean()  # watched: a latent may collapse
    return terms


def fit_autoencoder(
    model: Autoencoder,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    settings: Stage1,
    seed: int,
) -> History:
    """Train the encoders and decoders on Eq. 2: L_rec + L_align + L_glob, each by its lambda.

    Args:
        model: trained in place.
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (N,) of the pairs.
        settings: of this stage.
        seed: of the order of pairs.

    Returns:
        A row an epoch: `epoch`, the mean of every loss term, and of |u| by modality.

    Raises:
        InputError: pairs and matrices do not fit, or the loss stops being a number.
    """
    check_pairs(model, x, items)
    weights = {
        "rec": settings.lambda_rec,
        "align": settings.lambda_align,
        "glob": settings.lambda_glob,
    }

    def terms_of(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        terms = autoencoder_losses(model, batch)
        weighted = {t: weights.get(t.split("_")[0], 0) * value for t, value in terms.items()}
        return {**terms, "loss": sum(weighted.values())}

    return fit(model, terms_of, x, items, settings, seed, "stage 1")


def fit(
    model: torch.nn.Module,
    terms_of: Callable[[Mapping[str, Tensor]], dict[str, Tensor]],
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    settings: Training,
    seed: int,
    name: str,
) -> History:
    """Train a model on pairs with Adam.

    Args:
        model: trained in place.
        terms_of: maps a batch of inputs, by modality (B, D_m), to the terms to record; `loss` is
            the one that is minimised.
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (N,) of the pairs.
        settings: how long and fast.
        seed: of the order of pairs.
        name: of the model or stage, for the progress bar and messages.

    Returns:
        A row an epoch: `epoch` and the mean of every term.

    Raises:
        InputError: the loss stops being a number.
    """
    # Weights that fade towards 0 become denormal numbers, on which some processors are slow.
    torch.set_flush_denormal(True)
    # fused: Adam's own arithmetic takes half of the time otherwise.
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, fused=True)
    steps = settings.epochs * -(-_pairs(items) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    history: History = []
    generator = torch.Generator().manual_seed(seed)
    for epoch in tqdm(range(1, settings.epochs + 1), desc=name, unit="epoch", **PROGRESS):
        sums: dict[str, float] = defaultdict(float)
        for batch in _batches(items, settings.batch_size, generator):
            terms = terms_of({m: x[m][rows] for m, rows in batch.items()})
            optimizer.zero_grad(set_to_none=True)
            terms["loss"].backward()
            optimizer.step()
            if settings.cosine:
                schedule.step()
            _add(sums, terms, _pairs(batch))
        means = _means(sums, _pairs(items), name, epoch)
        history.append({"epoch": epoch, **{t: float(v) for t, v in means.items()}})
    return history


def fit_importance(
    model: IMA,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    rho: Mapping[str, list[float]],
    settings: Stage2,
    seed: int,
) -> tuple[History, dict[str, Tensor]]:
    """Train the importance networks on L_imp = L_local + lambda L_corr (Eqs. 3 and 4).

    All copies train side by side on the same batches; a copy has a network in each modality.

    Args:
        model: its importance networks (of R copies) are trained in place.
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (N,) of the pairs.
        rho: by modality, the prior mean of each copy (R values in (0, 1)).
        settings: of this stage.
        seed: of the order of pairs.

    Returns:
        history: a row an epoch and copy: `epoch`, `copy`, `loss` (summed over modalities), and
            `corr_m`, `local_m` and mean importance `y_m` of each modality m.
        final: `loss` (R,) on all pairs after training, by which a restart is chosen.

    Raises:
        InputError: pairs and matrices do not fit, or the loss stops being a number.
    """
    check_pairs(model.autoencoder, x, items)
    with torch.no_grad():
        u = model.autoencoder.encode(x)  # constant in this stage: once is enough
    rho = {name: torch.tensor(values, device=u[name].device) for name, values in rho.items()}
    optimizer = torch.optim.Adam(
        model.importance.parameters(), lr=settings.learning_rate, fused=True
    )
    generator = torch.Generator().manual_seed(seed)
    history: History = []
    for epoch in tqdm(range(1, settings.epochs + 1), desc="stage 2", unit="epoch", **PROGRESS):
        sums: dict[str, Tensor] = defaultdict(lambda: torch.zeros(()))
        for batch in _batches(items, settings.batch_size, generator):
            y = model.importances({m: x[m][rows] for m, rows in batch.items()})
            terms = importance_losses(
                {m: u[m][rows] for m, rows in batch.items()}, y, rho, settings
            )
            optimizer.zero_grad(set_to_none=True)
            terms["loss"].sum().backward()
            optimizer.step()
            _add(sums, terms, _pairs(batch))
        means = _means(sums, _pairs(items), "stage 2", epoch)
        history += [
            {"epoch": epoch, "copy": copy, **{t: float(v[copy]) for t, v in means.items()}}
            for copy in range(len(means["loss"]))
        ]
    return history, evaluate_importance(model, x, u, items, rho, settings)


def importance_losses(
    u: Mapping[str, Tensor],
    y: Mapping[str, Tensor],
    rho: Mapping[str, Tensor],
    settings: Stage2,
) -> dict[str, Tensor]:
    """Return L_imp (R,) of a batch as `loss`, with `corr_m`, `local_m` and mean `y_m` of each m."""
    terms: dict[str, Tensor] = {}
    for name, y_m in y.items():
        z = losses.target(name, u, y, settings.target)
        terms[f"corr_{name}"] = losses.correlation(y_m, z, u[name], settings.scale_free)
        terms[f"local_{name}"] = losses.local(y_m, rho[name])
        terms[f"y_{name}"] = y_m.mean(-1)
    terms["loss"] = sum(terms[f"local_{m}"] + settings.lambda_corr * terms[f"corr_{m}"] for m in y)
    return terms


@torch.no_grad()
def evaluate_importance(
    model: IMA,
    x: Mapping[str, Tensor],
    u: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    rho: Mapping[str, Tensor],
    settings: Stage2,
) -> dict[str, Tensor]:
    """Return `importance_losses` (R,) as means over the training pairs, in batches as trained."""
    sums: dict[str, Tensor] = defaultdict(lambda: torch.zeros(()))
    y = {m: torch.cat([model.importance[m](c) for c in x[m].split(8192)], -1) for m in items}
    for batch in _batches(items, settings.batch_size, torch.Generator().manual_seed(0)):
        terms = importance_losses(
            {m: u[m][rows] for m, rows in batch.items()},
            {m: y[m][:, rows] for m, rows in batch.items()},
            rho,
            settings,
        )
        _add(sums, terms, _pairs(batch))
    return _means(sums, _pairs(items), "stage 2", settings.epochs)


def keep_copy(model: IMA, copy: int) -> torch.nn.ModuleDict:
    """Return the importance networks of one copy alone."""
    return torch.nn.ModuleDict({name: net.copy(copy) for name, net in model.importance.items()})


def _pairs(items: Mapping[str, Tensor]) -> int:
    return len(next(iter(items.values())))


def _batches(items: Mapping[str, Tensor], size: int, generator: torch.Generator):
    """Yield the pairs in random order, `size` at a time; the last batch may be smaller."""
    order = torch.randperm(_pairs(items), generator=generator)
    for chosen in order.split(size):
        yield {name: rows[chosen] for name, rows in items.items()}


def _add(sums: dict, terms: Mapping[str, Tensor], count: int) -> None:
    for term, value in terms.items():
        sums[term] = sums[term] + value.detach() * count


def _means(sums: dict, count: int, stage: str, epoch: int) -> dict:
    means = {term: value / count for term, value in sums.items()}
    if not torch.isfinite(means["loss"]).all():
        raise InputError(
            f"{stage}, epoch {epoch}",
            expected="a finite loss",
            found={term: value.tolist() for term, value in means.items()},
            do="Lower the learning rate, or look for odd values in the features.",
        )
    return means
