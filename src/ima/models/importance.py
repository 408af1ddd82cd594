"""Stage 2 of training (Section 3): the importance networks, of many copies at once.

The autoencoder is constant here; its latents are computed once. Copies are restarts, or networks
of other rho; no label chooses among them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ima.models.cca import shared_by_pairs
from ima.models.ima import Autoencoder, IMANetwork, ImportanceNet
from ima.models.mixture import fit_mixture
from ima.models.objectives import IMPORTANCE, correlation, ima_plus, paper, target
from ima.models.ranks import Fold, held_out_fold
from ima.pairing.by_label import ABSENT
from ima.training.loop import History, RunningMeans, batches, check_pairs, gather, pair_count
from ima.utils.errors import InputError
from ima.utils.progress import progress_bar

#: Maps importances (R, B) by modality, which pairs (B,) they are of, and which modalities those
#: have (`ima.training.loop.Batch.present`), to the terms of L_imp.
Loss = Callable[[Mapping[str, Tensor], Tensor, Mapping[str, Tensor] | None], dict[str, Tensor]]

OBJECTIVES = (*IMPORTANCE, "mixture")
#: What L_corr is divided by (`ima.models.objectives.paper`).
CORR_SCALES = ("raw", "initial", "batch")
#: What the first round of `ima+` counts pairs by.
INIT = ("paper", "equal")
#: The settings of that first guess by `paper`.
GUESS = {"objective": "paper", "corr_scale": "batch", "z": "joint"}
#: A rho that is left to the data.
AUTO = "auto"
#: Importances that leave fewer of the pairs than this share are no guess at all: all are counted.
LEAST_COUNTED = 0.1


@dataclass(frozen=True)
class Stage2:
    """Settings of stage 2: the objective (Eqs. 3 and 4) and how long to train.

    Args:
        objective: `paper`, Eqs. 3 and 4, or one of ours, `ima+` and `mixture`
            (`ima.models.objectives`).
        lambda_corr: weight of L_corr against L_local.
        z: of `paper`: what stands for z in Eq. 3, one of `ima.models.objectives.Z`.
        corr_scale: of `paper`: what L_corr is divided by: `raw`, nothing; `initial`, its value at
            equal importances over the training pairs, so that lambda is in units of the modality's
            own; `batch`, that of each mini-batch.
        init: of `ima+`: what its first round counts pairs by, importances of the objective
            `paper`, trained before it, or `equal`, all of them.
        rounds: of `ima+`: trainings, each with those pairs counted whose other items the one
            before takes for important (.5 or more).
        restarts: networks trained from other first weights; the one of least L_imp on the pairs
            it was trained on is kept. `mixture` needs none.
        folds: of `mixture`: autoencoders, each trained without a share of the pairs, so that all
            pairs teach; 1 for the held-out pairs alone.
        steps, batch_size, learning_rate: of Adam.
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

    def __post_init__(self):
        for name, known in (
            ("objective", OBJECTIVES),
            ("corr_scale", CORR_SCALES),
            ("init", INIT),
        ):
            if getattr(self, name) not in known:
                raise InputError(name, expected=f"one of {known}", found=getattr(self, name))


def train_importance(
    autoencoder: Autoencoder,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    rho: Mapping[str, float],
    hidden: int,
    settings: Stage2,
    seed: int,
    held_out: Mapping[str, Tensor] | None = None,
    folds: Sequence[Fold] | None = None,
) -> tuple[torch.nn.ModuleDict, History, dict]:
    """Train importance networks of one rho a modality, and keep the best of the restarts.

    Args:
        autoencoder: trained; it stays as it is.
        x, items, held_out: as in `fit_importance`.
        rho: prior mean importance by modality, in [0, 1]; with `mixture` also `auto`, none.
        hidden: width of the networks' hidden layers.
        settings: of this stage.
        seed: of first weights and of the order of pairs.
        folds: of `mixture`, `ima.models.stages.cross_fit`; None for the held-out pairs alone.

    Returns:
        By modality, the network that was kept; and as `fit_importance`, of all restarts (with
        `mixture`, by modality what was found of each pair: `ima.models.mixture.Found`).

    Raises:
        InputError: as `fit_importance`, or `auto` with another objective.
    """
    names = list(autoencoder.modalities)
    check_pairs(autoencoder.modalities, x, items)
    if settings.objective == "mixture":
        if folds is None:
            folds = [held_out_fold(autoencoder, x, items, held_out or items)]
        own = {m: None if rho[m] == AUTO else rho[m] for m in names}
        return fit_mixture(folds, x, own, hidden, settings, seed)
    _check_given(rho, "or the objective to mixture")
    copies = {name: [rho[name]] * settings.restarts for name in names}
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

    All copies train side by side on the same batches; a copy has a network in each modality.
    Every `restarts` copies, one after another, are restarts of one rho.

    Args:
        model: its importance networks (of R copies) are trained in place.
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (N,) of the pairs that stage 1 was trained on, ABSENT
            where a pair lacks it; those that `paper` learns from.
        rho: by modality, the prior mean of each copy (R values in [0, 1]).
        settings: of this stage.
        seed: of the order of pairs.
        held_out: pairs (H,) that stage 1 was not trained on: `ima+` learns from them (without
            them, from `items`, and takes what stage 1 learnt by heart for shared).

    Returns:
        history: a row an epoch and copy: `epoch`, `copy`, `loss` (summed over modalities), and
            the terms of `ima.models.objectives` of each modality m; with `ima+` the `round` as
            well, 0 where the objective `paper` makes the first guess.
        final: the same (R,) on all pairs it was trained on; by `loss` a restart is chosen.

    Raises:
        InputError: pairs and matrices do not fit, a single modality or copies that are no multiple
            of the restarts with `ima+`, or the loss stops being a number.
    """
    if settings.objective not in IMPORTANCE:
        expected = f"one of {[*IMPORTANCE]}, whose copies train side by side"
        raise InputError("objective", expected=expected, found=settings.objective)
    check_pairs(model.autoencoder.modalities, x, items)
    with torch.no_grad():
        u = model.autoencoder.encode(x)  # constant in this stage: once is enough
    rho = {name: torch.tensor(values, device=u[name].device) for name, values in rho.items()}
    if settings.objective == "paper":
        return _fit_paper(model, x, u, items, rho, settings, seed)
    return _fit_rounds(model, x, u, items, rho, settings, seed, held_out or items)


def _fit_paper(model, x, u, items, rho, settings, seed) -> tuple[History, dict[str, Tensor]]:
    """Train on `paper`."""
    scale = {"raw": None, "batch": "batch"}.get(settings.corr_scale)
    if settings.corr_scale == "initial":
        scale = _initial(u, items, settings.z)

    def loss_of(y, pairs, present) -> dict[str, Tensor]:
        """Return the terms of Eqs. 3 and 4 for importances y (R, B) of these pairs (B,)."""
        of = _latents(u, {m: rows[pairs] for m, rows in items.items()})
        return paper(of, y, rho, settings.lambda_corr, settings.z, scale, present)

    history = _fit(model, x, items, loss_of, rho, settings, seed)
    return history, _evaluate(model, x, items, loss_of, settings)


def _initial(u: Mapping[str, Tensor], items: Mapping[str, Tensor], z: str) -> dict[str, float]:
    """Return by modality L_corr of all training pairs at equal importances (Eq. 3)."""
    of, present = _latents(u, items), gather(u, items).present
    equal = {m: of_m.new_zeros(1, len(of_m)) for m, of_m in of.items()}
    ones = {m: 1 - zero for m, zero in equal.items()}
    found = {}
    for m in u:
        joint, counted = target(m, of, ones, z, present)
        found[m] = max(float(correlation(equal[m], joint, of[m], counted)), 1e-30)
    return found


def _latents(u: Mapping[str, Tensor], items: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return by modality the latents (N, L) of pairs, 0 where a pair lacks the modality."""
    return gather(u, items).x


def _fit_rounds(
    model, x, u, items, rho, settings, seed, held_out
) -> tuple[History, dict[str, Tensor]]:
    """Train on `ima+`, round by round."""
    check_pairs(model.autoencoder.modalities, x, held_out)
    if len(items) < 2:
        raise InputError("modalities", expected="two or more for 'ima+'", found=[*items])
    copies = len(next(iter(rho.values())))
    if copies % settings.restarts:
        expected = f"a multiple of {settings.restarts} restarts"
        raise InputError("copies", expected=expected, found=copies)
    weights = {name: value.clone() for name, value in model.importance.state_dict().items()}
    both = (items, held_out)
    latents = [_latents(u, pairs) for pairs in both]
    distinct = min(len(rows[rows != ABSENT].unique()) for rows in held_out.values())
    history: History = []
    # Where all are counted, one row stands for every rho.
    there = [{m: (rows != ABSENT).to(u[m])[None] for m, rows in pairs.items()} for pairs in both]
    for of, name in zip(there, ("training", "held-out"), strict=True):
        _check_partners(of, name)
    counted = there
    if settings.init == "paper":
        guess = replace(settings, **GUESS)
        rows, final = _fit_paper(model, x, u, items, rho, guess, seed)
        history += [{"round": 0, **row} for row in rows]
        counted = _counted(model, x, both, final, guess)
    for number in range(1, settings.rounds + 1):
        if number > 1:
            counted = _counted(model, x, both, final, settings)
        shared, partner = (
            {m: rows.repeat_interleave(copies // len(rows), 0) for m, rows in of.items()}
            for of in shared_by_pairs(*latents, *counted, *there, distinct)
        )

        def loss_of(y, pairs, present, shared=shared, partner=partner):
            """Return the terms of `ima+` for importances y (R, B), by this round's counts."""
            s, v = ({m: of[m][:, pairs] for m in y} for of in (shared, partner))
            return ima_plus(s, v, y, rho, settings.lambda_corr, present)

        model.importance.load_state_dict(weights)
        rows = _fit(model, x, held_out, loss_of, rho, settings, seed)
        history += [{"round": number, **row} for row in rows]
        final = _evaluate(model, x, held_out, loss_of, settings)
    return history, final


def _check_partners(there: Mapping[str, Tensor], name: str) -> None:
    """Raise InputError unless each modality is in a pair (1, N) with another one."""
    for m, of in there.items():
        others = sum(rows for n, rows in there.items() if n != m)
        if not (of * others).any():
            raise InputError(
                f"{name} pairs",
                expected=f"some that have {m} and another modality",
                found="none",
                do="What modalities share is learnt from pairs that have several: add some.",
            )


def _counted(model, x, both, final, settings) -> list[dict[str, Tensor]]:
    """Return by modality which items (G, N) of pairs are important to the best copy of each rho.

    Args:
        both: pairs of training, and held-out ones.
        final: of the training that the importances are from, and its `settings`.
    """
    chosen = best_of_each(final, [*both[0]], settings)
    found = []
    for pairs in both:
        y = importances(model.importance, x, pairs)
        found.append({m: (y[m][copies] >= 0.5).to(x[m]) for m, copies in chosen.items()})
    for m in chosen:
        present = [(pairs[m] != ABSENT).to(found[0][m]) for pairs in both]
        few = found[0][m].sum(-1) < LEAST_COUNTED * present[0].sum()
        for of, there in zip(found, present, strict=True):
            of[m][few] = there
    return found


def _fit(model, x, items, loss_of: Loss, rho, settings: Stage2, seed: int) -> History:
    """Train all copies on pairs for so many steps, in whole epochs.

    Those of a rho of 0 or 1 stay as they are: constant, which is the least that their loss has.
    """
    optimizer = torch.optim.Adam(
        model.importance.parameters(), lr=settings.learning_rate, fused=True
    )
    count = pair_count(items)
    epochs = -(-settings.steps // -(-count // settings.batch_size))
    numbered = {**items, "pair": torch.arange(count)}
    learns = {m: ((of > 0) & (of < 1)).unsqueeze(-1) for m, of in rho.items()}  # (R, 1)
    generator = torch.Generator().manual_seed(seed)
    history: History = []
    for epoch in progress_bar(range(1, epochs + 1), "stage 2", "epoch"):
        sums = RunningMeans()
        for batch in batches(numbered, settings.batch_size, generator):
            pairs = batch.pop("pair")
            gathered = gather(x, batch)
            y = model.importances(gathered.x)  # (R, B)
            y = {m: torch.where(learns[m], y_m, y_m.detach()) for m, y_m in y.items()}
            terms = loss_of(y, pairs, gathered.present)
            optimizer.zero_grad(set_to_none=True)
            terms["loss"].sum().backward()
            optimizer.step()
            sums.add(terms, len(pairs))
        means = sums.means(f"stage 2, epoch {epoch}")
        history += [
            {"epoch": epoch, "copy": copy, **{t: float(v[copy]) for t, v in means.items()}}
            for copy in range(len(means["loss"]))
        ]
    return history


@torch.no_grad()
def _evaluate(model, x, items, loss_of: Loss, settings: Stage2) -> dict[str, Tensor]:
    """Return the terms of L_imp (R,) as means over the pairs, in batches as trained."""
    sums = RunningMeans()
    y = importances(model.importance, x, items)
    numbered = {"pair": torch.arange(pair_count(items))}
    for batch in batches(numbered, settings.batch_size, torch.Generator().manual_seed(0)):
        pairs = batch["pair"]
        present = gather(x, {m: rows[pairs] for m, rows in items.items()}).present
        terms = loss_of({m: of[:, pairs].to(x[m].device) for m, of in y.items()}, pairs, present)
        sums.add(terms, len(pairs))
    return sums.means("stage 2")


def best_restart(
    final: Mapping[str, Tensor], names: Iterable[str], settings: Stage2
) -> dict[str, int]:
    """Return by modality the copy of least L_imp on what it was trained on. No label is looked at.

    In `ima+` each modality has a loss of its own, and so its own best copy; in `paper` z binds the
    networks of a copy together.

    Args:
        final: what `fit_importance` returns, or a part of its copies.
        names: of the modalities.
        settings: as trained.
    """
    if settings.objective == "paper":
        return dict.fromkeys(names, int(final["loss"].argmin()))
    own = {m: final[f"local_{m}"] + settings.lambda_corr * final[f"corr_{m}"] for m in names}
    return {m: int(loss.argmin()) for m, loss in own.items()}


def best_of_each(
    final: Mapping[str, Tensor], names: Sequence[str], settings: Stage2
) -> dict[str, list[int]]:
    """Return by modality the copy of `best_restart` of each rho: G of the G * restarts copies.

    Args:
        final: what `fit_importance` returns; the restarts of a rho stand side by side.
        names: of the modalities.
        settings: as trained.
    """
    chosen: dict[str, list[int]] = {name: [] for name in names}
    for first in range(0, len(final["loss"]), settings.restarts):
        own = {term: v[first : first + settings.restarts] for term, v in final.items()}
        for name, copy in best_restart(own, names, settings).items():
            chosen[name].append(first + copy)
    return chosen


def select_members(model: IMANetwork, copies: Mapping[str, int]) -> torch.nn.ModuleDict:
    """Return by modality the importance network of one copy."""
    return torch.nn.ModuleDict({m: model.importance[m].copy(copy) for m, copy in copies.items()})


@torch.no_grad()
def importances(
    networks: Mapping[str, torch.nn.Module], x: Mapping[str, Tensor], items: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return by modality the importances (R, M) that every copy gives to the items of pairs.

    Args:
        networks: by modality, of R copies.
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (M,) of the pairs; 0 where a pair lacks it (Section 3).
    """
    y = {}
    for name, rows in items.items():
        distinct, back = rows.unique(return_inverse=True)
        parts = [networks[name](x[name][some]) for some in distinct.clamp_min(0).split(2048)]
        y[name] = (torch.cat(parts, -1)[:, back] * (rows != ABSENT)).cpu()
    return y


def _check_given(rho: Mapping[str, float | str], instead: str) -> None:
    if AUTO in rho.values():
        do = f"Set it to a number, {instead}."
        raise InputError("rho", expected="numbers in [0, 1]", found=dict(rho), do=do)


def untrained_importances(
    x: Mapping[str, Tensor], hidden: int, rho: Mapping[str, float], seed: int
) -> dict[str, Tensor]:
    """Return by modality what networks of first weights give to all items (n_m,), near rho (5)."""
    _check_given(rho, "or importances of stage 1 to ones")
    torch.manual_seed(seed)
    networks = {m: ImportanceNet(of.shape[1], hidden, [rho[m]]).to(of) for m, of in x.items()}
    rows = {m: torch.arange(len(of)) for m, of in x.items()}
    return {m: importances(networks, x, {m: rows[m]})[m][0].to(x[m]) for m in x}
