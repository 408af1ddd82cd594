"""Stage 2 of training (Section 3): the importance networks, with many copies in parallel.

The autoencoder is not trained in this stage, so its latents are computed once. Copies differ in
their initial weights (restarts) or in rho. The best copy is chosen without labels.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor

from ima.models.cca import shared_by_pairs
from ima.models.ima import Autoencoder, IMANetwork, ImportanceNet
from ima.models.mixture import fit_mixture
from ima.models.objectives import IMPORTANCE, Z, correlation, ima_plus, paper, target
from ima.models.ranks import Fold, held_out_fold
from ima.pairing.by_label import ABSENT
from ima.training import distributed
from ima.training.adam import Adam
from ima.training.callbacks import report
from ima.training.loop import (
    History,
    RunningMeans,
    batch_count,
    batches,
    check_pairs,
    gather,
    pair_count,
)
from ima.training.sizes import Auto
from ima.utils.errors import InputError
from ima.utils.numbers import real, whole
from ima.utils.progress import progress_bar

#: Tensors by modality.
Tensors = Mapping[str, Tensor]
#: Maps importances (R, B) by modality, the numbers (B,) of the pairs and the modalities that they
#: have (`ima.training.loop.Batch.present`) to the terms of L_imp.
Loss = Callable[[Tensors, Tensor, Tensors | None], dict[str, Tensor]]

OBJECTIVES = (*IMPORTANCE, "mixture")
#: Normalisations of L_corr (`ima.models.objectives.paper`).
CORR_SCALES = ("raw", "initial", "batch")
#: Initial importances of `ima+`, which decide the pairs that count in its first round.
INIT = ("paper", "equal")
#: Value of rho that stands for an estimate from the data.
AUTO: Final = "auto"
#: If fewer than this share of a modality's training pairs have an important item, all pairs count.
MIN_COUNTED = 0.1
#: Name of the numbers of pairs among their row numbers; no modality's name has a slash.
NUMBER = "pair/number"


@dataclass(frozen=True)
class Stage2:
    """Settings of stage 2: the objective (Eqs. 3 and 4) and the training.

    Args:
        objective: `paper` (Eqs. 3 and 4) or one of our objectives, `ima+` and `mixture`
            (`ima.models.objectives`).
        lambda_corr: weight of L_corr relative to L_local.
        z: for `paper`, the z in Eq. 3, one of `ima.models.objectives.Z`.
        corr_scale: for `paper`, the divisor of L_corr: `raw` for none; `initial` for its value at
            equal importances over the training pairs, which makes lambda comparable across
            modalities; `batch` for its value in each mini-batch.
        init: for `ima+`, the initial importances: `paper` trains them with the objective `paper`;
            with `equal`, all pairs count in the first round.
        rounds: for `ima+`, the number of trainings. In each, a pair counts for a modality if the
            previous training finds its other items important (.5 or more). For `mixture`, the
            number of trainings in which pairs are weighted by the previous importances.
        restarts: number of networks trained from different initial weights. The one with the lowest
            L_imp on its training pairs is kept. `mixture` has no restarts.
        folds: for `mixture`, the number of autoencoders, each trained without a part of the pairs,
            so that importances are learnt from all pairs; 1 to use the held-out pairs alone.
        steps, batch_size, learning_rate: settings of Adam. If the last batch of an epoch would have
            less than a sixteenth of `batch_size`, its pairs are part of the batch before: the
            covariance of a few pairs is too noisy.
    """

    objective: str = "ima+"
    lambda_corr: float = 10.0
    z: str = "joint"
    corr_scale: str = "initial"
    init: str = "paper"
    rounds: int = 2
    restarts: int = 6
    folds: int = 5
    steps: int = 100
    batch_size: int = 1024
    learning_rate: float = 2e-3

    def __post_init__(self) -> None:
        for name, known in (
            ("objective", OBJECTIVES),
            ("corr_scale", CORR_SCALES),
            ("init", INIT),
            ("z", Z),
        ):
            if getattr(self, name) not in known:
                raise InputError(name, expected=f"one of {known}", found=getattr(self, name))
        least = {"rounds": 1, "restarts": 1, "folds": 1, "steps": 0, "batch_size": 1}
        for name, low in least.items():
            object.__setattr__(self, name, whole(name, getattr(self, name), low))
        for name in ("lambda_corr", "learning_rate"):
            object.__setattr__(self, name, real(name, getattr(self, name)))
        if self.folds == 2:  # the second would be trained on the held-out pairs alone
            raise InputError("folds", expected="1, or 3 or more", found=2)

    @property
    def min_batch_size(self) -> int:
        """Smallest size of the last batch; fewer pairs are part of the batch before."""
        return self.batch_size // 16


def train_importance(
    autoencoder: Autoencoder,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    rho: Mapping[str, float | Auto],
    hidden: int,
    settings: Stage2,
    seed: int,
    held_out: Mapping[str, Tensor] | None = None,
    folds: Sequence[Fold] | None = None,
) -> tuple[torch.nn.ModuleDict, History, dict[str, Any]]:
    """Train the importance networks with one rho per modality, and keep the best restart.

    Args:
        autoencoder: trained autoencoder, which is not changed.
        x, items, held_out: as in `fit_importance`.
        rho: prior mean importance by modality, in [0, 1]. With `mixture`, it may be `auto`.
        hidden: width of the networks' hidden layers.
        settings: settings of stage 2.
        seed: seed of the initial weights and of the order of pairs.
        folds: for `mixture`, the folds of `ima.models.stages.cross_fit`; None to use the held-out
            pairs alone.

    Returns:
        networks: by modality, the network that is kept.
        history: as in `fit_importance`, for all restarts.
        final: as in `fit_importance`, for all restarts; with `mixture`, the results of each
            modality (`ima.models.mixture.MixtureFit`).

    Raises:
        InputError: rho is `auto` with another objective, or any error of `fit_importance`.
    """
    names = list(autoencoder.modalities)
    check_pairs(autoencoder.modalities, x, items)
    if settings.objective == "mixture":
        if folds is None:
            folds = [held_out_fold(autoencoder, x, items, held_out or items)]
        prior = {m: None if value == AUTO else value for m, value in rho.items()}
        return fit_mixture(folds, x, prior, hidden, settings, seed)
    known = _numbers(rho, "or the objective to mixture")
    copies = {name: [known[name]] * settings.restarts for name in names}
    torch.manual_seed(seed)
    model = IMANetwork.from_autoencoder(autoencoder, hidden, copies).to(x[names[0]].device)
    history, final = fit_importance(model, x, items, copies, settings, seed, held_out)
    return select_members(model, best_restart(final, names, settings)), history, final


def fit_importance(
    model: IMANetwork,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    rho: Mapping[str, list[float]],
    settings: Stage2,
    seed: int,
    held_out: Mapping[str, Tensor] | None = None,
) -> tuple[History, dict[str, Tensor]]:
    """Train the importance networks on L_imp = L_local + lambda L_corr (Eqs. 3 and 4).

    All R copies are trained in parallel on the same batches. Each copy has a network per modality;
    each block of `restarts` consecutive copies shares one rho.

    Args:
        model: model whose importance networks (R copies) are trained in place.
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (N,) of the pairs on which stage 1 was trained, ABSENT
            if a pair lacks the modality. `paper` learns from these pairs.
        rho: by modality, the prior mean of each copy (R values in [0, 1]).
        settings: settings of stage 2.
        seed: seed of the order of pairs.
        held_out: pairs (H,) on which stage 1 was not trained. `ima+` learns from them. If None, it
            learns from `items` and mistakes what stage 1 has memorised for shared information.

    Returns:
        history: one row per epoch and copy, with `epoch`, `copy`, `loss` (summed over modalities),
            and the terms of `ima.models.objectives` of each modality m. With `ima+`, also the
            `round`, which is 0 while the initial importances are trained with `paper`.
        final: the same terms (R,) over all pairs used for training, from which the best restart is
            chosen.

    Raises:
        InputError: pairs and matrices do not match, the loss is not finite, or with `ima+`, there
            is a single modality or the number of copies is not a multiple of the restarts.
    """
    if settings.objective not in IMPORTANCE:
        expected = f"one of {[*IMPORTANCE]}, whose copies are trained in parallel"
        raise InputError("objective", expected=expected, found=settings.objective)
    check_pairs(model.autoencoder.modalities, x, items)
    with torch.no_grad():
        u = model.autoencoder.encode(x)  # constant in this stage: once is enough
    rho = {name: torch.tensor(values, device=u[name].device) for name, values in rho.items()}
    if settings.objective == "paper":
        return _fit_paper(model, x, u, items, rho, settings, seed)
    return _fit_rounds(model, x, u, items, rho, settings, seed, held_out or items)


def _fit_paper(
    model: IMANetwork,
    x: Tensors,
    u: Tensors,
    items: Tensors,
    rho: Tensors,
    settings: Stage2,
    seed: int,
) -> tuple[History, dict[str, Tensor]]:
    """Train with the objective `paper`."""
    scale: Mapping[str, float] | str | None = settings.corr_scale
    if scale == "initial":
        scale = _initial(u, items, settings.z)
    elif scale == "raw":
        scale = None

    def compute_losses(y: Tensors, pairs: Tensor, present: Tensors | None) -> dict[str, Tensor]:
        """Return the terms of Eqs. 3 and 4 for importances y (R, B) of these pairs (B,)."""
        latents = gather(u, {m: rows[pairs] for m, rows in items.items()}).x
        return paper(latents, y, rho, settings.lambda_corr, settings.z, scale, present)

    history = _fit(model, x, items, compute_losses, rho, settings, seed)
    return history, _evaluate(model, x, items, compute_losses, settings)


def _initial(u: Tensors, items: Tensors, z: str) -> dict[str, float]:
    """Return L_corr of all training pairs at equal importances by modality (Eq. 3)."""
    latents, present, *_ = gather(u, items)
    equal = {m: u_m.new_zeros(1, len(u_m)) for m, u_m in latents.items()}
    ones = {m: 1 - zero for m, zero in equal.items()}
    scale = {}
    for m in u:
        joint, counted = target(m, latents, ones, z, present)
        scale[m] = max(float(correlation(equal[m], joint, latents[m], counted)), 1e-30)
    return scale


def _fit_rounds(
    model: IMANetwork,
    x: Tensors,
    u: Tensors,
    items: Tensors,
    rho: Tensors,
    settings: Stage2,
    seed: int,
    held_out: Tensors,
) -> tuple[History, dict[str, Tensor]]:
    """Train with the objective `ima+`, in rounds."""
    copies = len(next(iter(rho.values())))
    _check_rounds(model, x, items, held_out, copies, settings)
    weights = {name: value.clone() for name, value in model.importance.state_dict().items()}
    splits = (items, held_out)
    latents = (gather(u, items).x, gather(u, held_out).x)
    distinct = min(len(rows[rows != ABSENT].unique()) for rows in held_out.values())
    present = (_presence(u, items, "training"), _presence(u, held_out, "held-out"))
    counted = present  # one row, which applies to every rho
    history: History = []
    if settings.init == "paper":
        initial = replace(settings, objective="paper", corr_scale="batch", z="joint")
        rows, final = _fit_paper(model, x, u, items, rho, initial, seed)
        history += [{"round": 0, **row} for row in rows]
        counted = _counted(model, x, splits, final, initial)
    for number in range(1, settings.rounds + 1):
        if number > 1:
            counted = _counted(model, x, splits, final, settings)
        shared, partner = (
            {m: rows.repeat_interleave(copies // len(rows), 0) for m, rows in values.items()}
            for values in shared_by_pairs(*latents, *counted, *present, distinct)
        )
        compute_losses = _round_losses(shared, partner, rho, settings.lambda_corr)
        model.importance.load_state_dict(weights)
        rows = _fit(model, x, held_out, compute_losses, rho, settings, seed)
        history += [{"round": number, **row} for row in rows]
        final = _evaluate(model, x, held_out, compute_losses, settings)
    return history, final


def _round_losses(shared: Tensors, partner: Tensors, rho: Tensors, lambda_corr: float) -> Loss:
    """Return the loss function of a round of `ima+`, given s and v (R, H) of all held-out pairs."""

    def compute_losses(y: Tensors, pairs: Tensor, present: Tensors | None) -> dict[str, Tensor]:
        """Return the terms of `ima+` for importances y (R, B) of these pairs (B,)."""
        s, v = ({m: values[m][:, pairs] for m in y} for values in (shared, partner))
        return ima_plus(s, v, y, rho, lambda_corr, present)

    return compute_losses


def _check_rounds(
    model: IMANetwork, x: Tensors, items: Tensors, held_out: Tensors, copies: int, settings: Stage2
) -> None:
    """Raise InputError if `ima+` cannot be trained on these pairs with this number of copies."""
    check_pairs(model.autoencoder.modalities, x, held_out)
    if len(items) < 2:
        raise InputError("modalities", expected="two or more for 'ima+'", found=[*items])
    if copies % settings.restarts:
        expected = f"a multiple of {settings.restarts} restarts"
        raise InputError("copies", expected=expected, found=copies)


def _presence(u: Tensors, items: Tensors, name: str) -> dict[str, Tensor]:
    """Return, by modality, whether pairs have it, 1 or 0 (1, N).

    Raises:
        InputError: no pair has a modality together with another one.
    """
    present = {m: (rows != ABSENT).to(u[m])[None] for m, rows in items.items()}
    for m, mask in present.items():
        others = sum(rows for n, rows in present.items() if n != m)
        if not (mask * others).any():
            raise InputError(
                f"{name} pairs",
                expected=f"at least one pair with {m} and another modality",
                found="none",
                do="Add such pairs: importances are learnt from pairs of several modalities.",
            )
    return present


def _counted(
    model: IMANetwork, x: Tensors, splits: tuple[Tensors, Tensors], final: Tensors, settings: Stage2
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return which items (G, N) of pairs are important for the best copy of each rho, by modality.

    Args:
        splits: training pairs and held-out pairs.
        final, settings: result and settings of the training that gave the importances.
    """
    chosen = best_of_each(final, [*splits[0]], settings)
    counted = []
    for pairs in splits:
        y = importances(model.importance, x, pairs)
        counted.append({m: (y[m][copies] >= 0.5).to(x[m]) for m, copies in chosen.items()})
    for m in chosen:
        present = [(pairs[m] != ABSENT).to(counted[0][m]) for pairs in splits]
        too_few = counted[0][m].sum(-1) < MIN_COUNTED * present[0].sum()
        for mask, all_present in zip(counted, present, strict=True):
            mask[m][too_few] = all_present
    return counted[0], counted[1]


def _fit(
    model: IMANetwork,
    x: Tensors,
    items: Tensors,
    compute_losses: Loss,
    rho: Tensors,
    settings: Stage2,
    seed: int,
) -> History:
    """Train all copies on pairs for `settings.steps` steps, rounded up to whole epochs.

    Copies with a rho of 0 or 1 are not trained: they are constant, which minimises their loss.
    """
    distributed.prepare("stage 2", model.importance)
    optimizer = Adam(model.importance.parameters(), lr=settings.learning_rate, fused=True)
    count = pair_count(items)
    epochs = -(-settings.steps // batch_count(count, settings.batch_size, settings.min_batch_size))
    numbered = {**items, NUMBER: torch.arange(count, device=items[next(iter(items))].device)}
    learns = {m: ((p > 0) & (p < 1)).unsqueeze(-1) for m, p in rho.items()}  # (R, 1)
    generator = torch.Generator().manual_seed(seed)
    history: History = []
    for epoch in progress_bar(range(1, epochs + 1), "stage 2", "epoch"):
        sums = RunningMeans()
        for batch in batches(numbered, settings.batch_size, generator, settings.min_batch_size):
            pairs = batch.pop(NUMBER)
            gathered = gather(x, batch)
            y = model.importances(gathered.x)  # (R, B)
            y = {m: torch.where(learns[m], y_m, y_m.detach()) for m, y_m in y.items()}
            terms = compute_losses(y, pairs, gathered.present)
            optimizer.zero_grad(set_to_none=True)
            terms["loss"].sum().backward()
            distributed.add_gradients(optimizer)
            optimizer.step()
            sums.add(terms, len(pairs))
        means = sums.means(f"stage 2, epoch {epoch}")
        for copy in range(len(means["loss"])):
            terms = {t: float(v[copy]) for t, v in means.items()}
            history.append({"epoch": epoch, "copy": copy, **terms})
            report("stage 2", history[-1])
    return history


@torch.no_grad()
def _evaluate(
    model: IMANetwork, x: Tensors, items: Tensors, compute_losses: Loss, settings: Stage2
) -> dict[str, Tensor]:
    """Return the terms of L_imp (R,), averaged over the pairs in batches as in training."""
    sums = RunningMeans()
    y = importances(model.importance, x, items)
    rows = next(iter(items.values()))
    numbered = {"pair": torch.arange(len(rows), device=rows.device)}
    generator = torch.Generator().manual_seed(0)
    for batch in batches(numbered, settings.batch_size, generator, settings.min_batch_size):
        pairs = batch["pair"]
        present = gather(x, {m: rows[pairs] for m, rows in items.items()}).present
        terms = compute_losses({m: y[m][:, pairs].to(x[m].device) for m in y}, pairs, present)
        sums.add(terms, len(pairs))
    return sums.means("stage 2")


def best_restart(
    final: Mapping[str, Tensor], names: Iterable[str], settings: Stage2
) -> dict[str, int]:
    """Return the copy with the lowest L_imp on its training pairs by modality, without labels.

    With `ima+`, each modality has its own loss and hence its own best copy. With `paper`, the
    networks of a copy depend on each other through z and are chosen together.

    Args:
        final: terms of L_imp that `fit_importance` returns, of all copies or some.
        names: names of the modalities.
        settings: settings used in training.
    """
    if settings.objective == "paper":
        return dict.fromkeys(names, int(final["loss"].argmin()))
    losses = {m: final[f"local_{m}"] + settings.lambda_corr * final[f"corr_{m}"] for m in names}
    return {m: int(loss.argmin()) for m, loss in losses.items()}


def best_of_each(
    final: Mapping[str, Tensor], names: Sequence[str], settings: Stage2
) -> dict[str, list[int]]:
    """Return the best restart of each rho by modality: G of the G * restarts copies.

    Args:
        final: terms of L_imp that `fit_importance` returns; the restarts of a rho are consecutive.
        names: names of the modalities.
        settings: settings used in training.
    """
    chosen: dict[str, list[int]] = {name: [] for name in names}
    for first in range(0, len(final["loss"]), settings.restarts):
        restarts = {term: v[first : first + settings.restarts] for term, v in final.items()}
        for name, copy in best_restart(restarts, names, settings).items():
            chosen[name].append(first + copy)
    return chosen


def select_members(model: IMANetwork, copies: Mapping[str, int]) -> torch.nn.ModuleDict:
    """Return the importance network of the given copy of each modality."""
    return torch.nn.ModuleDict({m: model.importance[m].copy(copy) for m, copy in copies.items()})


@torch.no_grad()
def importances(
    networks: Mapping[str, torch.nn.Module], x: Mapping[str, Tensor], items: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the importances (R, M) of the items of pairs, from every copy, by modality.

    The importance is 0 if a pair lacks the modality (Section 3).

    Args:
        networks: importance networks with R copies, by modality.
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (M,) of the pairs, ABSENT if a pair lacks it.
    """
    y = {}
    for name, rows in items.items():
        distinct, back = rows.unique(return_inverse=True)
        parts = [networks[name](x[name][some]) for some in distinct.clamp_min(0).split(2048)]
        of_pairs = torch.cat(parts, -1)[:, back]
        y[name] = (of_pairs * (rows != ABSENT).to(of_pairs)).cpu()
    return y


def _numbers(rho: Mapping[str, float | Auto], instead: str) -> dict[str, float]:
    """Return rho; raise InputError if one is AUTO. `instead` names another way to resolve it."""
    if AUTO in rho.values():
        do = f"Set rho to a number, {instead}."
        raise InputError("rho", expected="numbers in [0, 1]", found=dict(rho), do=do)
    return {m: value for m, value in rho.items() if value != AUTO}


def untrained_importances(
    x: Mapping[str, Tensor], hidden: int, rho: Mapping[str, float | Auto], seed: int
) -> dict[str, Tensor]:
    """Return the importances (n_m,) from untrained networks by modality, near rho (Section 5)."""
    known = _numbers(rho, "or the importances of stage 1 to ones")
    torch.manual_seed(seed)
    networks = {m: ImportanceNet(x_m.shape[1], hidden, [known[m]]).to(x_m) for m, x_m in x.items()}
    rows = {m: torch.arange(len(x_m)) for m, x_m in x.items()}
    return {m: importances(networks, x, {m: rows[m]})[m][0].to(x[m]) for m in x}
