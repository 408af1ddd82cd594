"""Stage 2 of training (Section 3): the importance networks, of many copies at once.

The autoencoder is constant here; its latents are computed once. Copies are restarts, or networks
of other rho; no label chooses among them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ima.errors import InputError
from ima.model import IMA
from ima.objectives import OBJECTIVES, ima_plus, paper
from ima.progress import shown
from ima.shared import shared_by_pairs
from ima.train import History, Sums, batches, check_pairs, pair_count

#: Maps importances (R, B) by modality, and which pairs (B,) they are of, to the terms of L_imp.
Loss = Callable[[Mapping[str, Tensor], Tensor], dict[str, Tensor]]

#: What the first round of `ima+` counts pairs by.
FIRST = ("paper", "equal")
#: Importances that leave fewer of the pairs than this share are no guess at all: all are counted.
LEAST_COUNTED = 0.1


@dataclass(frozen=True)
class Stage2:
    """Settings of stage 2: the objective (Eqs. 3 and 4) and how long to train.

    Args:
        objective: one of `ima.objectives.OBJECTIVES`.
        lambda_corr: weight of L_corr against L_local.
        z, scale_free: of the objective `paper`; the other has no such choice.
        first: of `ima+`: what its first round counts pairs by, importances of the objective
            `paper`, trained before it, or `equal`, all of them.
        rounds: of `ima+`: trainings, each with those pairs counted whose other items the one
            before takes for important (.5 or more).
        restarts: networks trained from other first weights; the one of least L_imp on the pairs
            it was trained on is kept.
        steps, batch_size, learning_rate: of Adam.
    """

    objective: str = "ima+"
    lambda_corr: float = 10.0
    z: str = "joint"
    scale_free: bool = True
    first: str = "paper"
    rounds: int = 2
    restarts: int = 6
    steps: int = 100
    batch_size: int = 1024
    learning_rate: float = 2e-3

    def __post_init__(self):
        if self.objective not in OBJECTIVES:
            raise InputError("objective", expected=f"one of {[*OBJECTIVES]}", found=self.objective)
        if self.first not in FIRST:
            raise InputError("first", expected=f"one of {FIRST}", found=self.first)


def fit_importance(
    model: IMA,
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
        items: by modality, the row numbers (N,) of the pairs that stage 1 was trained on; those
            that `paper` learns from.
        rho: by modality, the prior mean of each copy (R values in (0, 1)).
        settings: of this stage.
        seed: of the order of pairs.
        held_out: pairs (H,) that stage 1 was not trained on: `ima+` learns from them (without
            them, from `items`, and takes what stage 1 learnt by heart for shared).

    Returns:
        history: a row an epoch and copy: `epoch`, `copy`, `loss` (summed over modalities), and
            the terms of `ima.objectives` of each modality m; with `ima+` the `round` as well, 0
            where the objective `paper` makes the first guess.
        final: the same (R,) on all pairs it was trained on; by `loss` a restart is chosen.

    Raises:
        InputError: pairs and matrices do not fit, a single modality or copies that are no multiple
            of the restarts with `ima+`, or the loss stops being a number.
    """
    check_pairs(model.autoencoder, x, items)
    with torch.no_grad():
        u = model.autoencoder.encode(x)  # constant in this stage: once is enough
    rho = {name: torch.tensor(values, device=u[name].device) for name, values in rho.items()}
    if settings.objective == "paper":
        return _fit_paper(model, x, u, items, rho, settings, seed)
    return _fit_rounds(model, x, u, items, rho, settings, seed, held_out or items)


def _fit_paper(model, x, u, items, rho, settings, seed) -> tuple[History, dict[str, Tensor]]:
    """Train on `paper`."""

    def loss_of(y: Mapping[str, Tensor], pairs: Tensor) -> dict[str, Tensor]:
        """Return the terms of Eqs. 3 and 4 for importances y (R, B) of these pairs (B,)."""
        of = {m: u[m][rows[pairs]] for m, rows in items.items()}
        return paper(of, y, rho, settings.lambda_corr, settings.z, settings.scale_free)

    history = _fit(model, x, items, loss_of, settings, seed)
    return history, _evaluate(model, x, items, loss_of, settings)


def _fit_rounds(
    model, x, u, items, rho, settings, seed, held_out
) -> tuple[History, dict[str, Tensor]]:
    """Train on `ima+`, round by round."""
    check_pairs(model.autoencoder, x, held_out)
    if len(items) < 2:
        raise InputError("modalities", expected="two or more for 'ima+'", found=[*items])
    copies = len(next(iter(rho.values())))
    if copies % settings.restarts:
        expected = f"a multiple of {settings.restarts} restarts"
        raise InputError("copies", expected=expected, found=copies)
    weights = {name: value.clone() for name, value in model.importance.state_dict().items()}
    both = (items, held_out)
    latents = [{m: u[m][rows] for m, rows in pairs.items()} for pairs in both]
    distinct = min(len(rows.unique()) for rows in held_out.values())
    history: History = []
    # Where all are counted, one row stands for every rho.
    counted = [{m: u[m].new_ones(1, len(rows)) for m, rows in pairs.items()} for pairs in both]
    if settings.first == "paper":
        guess = replace(settings, objective="paper")
        rows, final = _fit_paper(model, x, u, items, rho, guess, seed)
        history += [{"round": 0, **row} for row in rows]
        counted = _counted(model, x, both, final, guess)
    for number in range(1, settings.rounds + 1):
        if number > 1:
            counted = _counted(model, x, both, final, settings)
        shared, partner = (
            {m: rows.repeat_interleave(copies // len(rows), 0) for m, rows in of.items()}
            for of in shared_by_pairs(*latents, *counted, distinct)
        )

        def loss_of(y, pairs, shared=shared, partner=partner):
            """Return the terms of `ima+` for importances y (R, B), by this round's counts."""
            s, v = ({m: of[m][:, pairs] for m in y} for of in (shared, partner))
            return ima_plus(s, v, y, rho, settings.lambda_corr)

        model.importance.load_state_dict(weights)
        rows = _fit(model, x, held_out, loss_of, settings, seed)
        history += [{"round": number, **row} for row in rows]
        final = _evaluate(model, x, held_out, loss_of, settings)
    return history, final


def _counted(model, x, both, final, settings) -> list[dict[str, Tensor]]:
    """Return by modality which items (G, N) of pairs are important to the best copy of each rho.

    Args:
        both: pairs of training, and held-out ones.
        final: of the training that the importances are from, and its `settings`.
    """
    chosen = least_of_each(final, [*both[0]], settings)
    found = []
    for pairs in both:
        y = importances(model.importance, x, pairs)
        found.append({m: (y[m][copies] >= 0.5).to(x[m]) for m, copies in chosen.items()})
    for m in chosen:
        few = found[0][m].mean(-1) < LEAST_COUNTED
        for of in found:
            of[m][few] = 1
    return found


def _fit(model, x, items, loss_of: Loss, settings: Stage2, seed: int) -> History:
    """Train all copies on pairs for so many steps, in whole epochs."""
    optimizer = torch.optim.Adam(
        model.importance.parameters(), lr=settings.learning_rate, fused=True
    )
    count = pair_count(items)
    epochs = -(-settings.steps // -(-count // settings.batch_size))
    numbered = {**items, "pair": torch.arange(count)}
    generator = torch.Generator().manual_seed(seed)
    history: History = []
    for epoch in shown(range(1, epochs + 1), "stage 2", "epoch"):
        sums = Sums()
        for batch in batches(numbered, settings.batch_size, generator):
            pairs = batch.pop("pair")
            y = model.importances({m: x[m][rows] for m, rows in batch.items()})
            terms = loss_of(y, pairs)
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
    sums = Sums()
    y = importances(model.importance, x, items)
    numbered = {"pair": torch.arange(pair_count(items))}
    for batch in batches(numbered, settings.batch_size, torch.Generator().manual_seed(0)):
        pairs = batch["pair"]
        terms = loss_of({m: of[:, pairs].to(x[m].device) for m, of in y.items()}, pairs)
        sums.add(terms, len(pairs))
    return sums.means("stage 2")


def least(final: Mapping[str, Tensor], names: Iterable[str], settings: Stage2) -> dict[str, int]:
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


def least_of_each(
    final: Mapping[str, Tensor], names: Sequence[str], settings: Stage2
) -> dict[str, list[int]]:
    """Return by modality the copy of `least` of each rho: G of the G * restarts copies.

    Args:
        final: what `fit_importance` returns; the restarts of a rho stand side by side.
        names: of the modalities.
        settings: as trained.
    """
    chosen: dict[str, list[int]] = {name: [] for name in names}
    for first in range(0, len(final["loss"]), settings.restarts):
        own = {term: v[first : first + settings.restarts] for term, v in final.items()}
        for name, copy in least(own, names, settings).items():
            chosen[name].append(first + copy)
    return chosen


def keep_copies(model: IMA, copies: Mapping[str, int]) -> torch.nn.ModuleDict:
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
        items: by modality, the row numbers (M,) of the pairs.
    """
    y = {}
    for name, rows in items.items():
        distinct, back = rows.unique(return_inverse=True)
        parts = [networks[name](x[name][some]) for some in distinct.split(2048)]
        y[name] = torch.cat(parts, -1)[:, back].cpu()
    return y
