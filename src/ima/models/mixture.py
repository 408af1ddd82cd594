"""Stage 2 with the objective `mixture`: a two-group model of the ranks of partners.

An item is either informative about its partners or shares nothing with them. Its importance is the
probability that it is informative, as a function of x alone. The networks learn from ranks of
partners (`ima.models.ranks`) in pairs on which the autoencoder of their fold was not trained. Early
stopping uses items on which the networks themselves are not trained.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from ima.models.concordance import ConcordanceModel, posterior
from ima.models.ima import ImportanceNet, Summary, in_blocks
from ima.models.objectives import mixture
from ima.models.rank_density import informative_density
from ima.models.ranks import Fold, Ranks, informed, rank_partners
from ima.pairing.by_label import ABSENT
from ima.training import distributed
from ima.training.adam import AdamW
from ima.training.callbacks import report
from ima.training.loop import History, batch_count, batches_of_rows, check_finite
from ima.utils.errors import InputError
from ima.utils.matrices import BYTES, blocks
from ima.utils.progress import progress_bar

if TYPE_CHECKING:
    from ima.models.importance import Stage2

_LOG = logging.getLogger(__name__)

#: Share of an informative item's pairs that may look as if they shared nothing. An item is doubted
#: because of many pairs of similar items, never because of a single pair.
DOUBT = 0.25
#: Number of networks that are each trained without a part of the items, in addition to the network
#: that is kept.
PARTS = 5
#: Range of the initial mean importance.
START = (0.05, 0.95)
#: Importances must improve the likelihood of held-out items over importances of 1 by this many
#: standard errors; less is chance (at most 1.5 on clean data, 2.5 and more with noise).
GAIN = 2.0
#: Weight decay of AdamW.
DECAY = 0.01


class MixtureFit(NamedTuple):
    """Results for one modality, on the held-out pairs of all folds.

    Attributes:
        pair: numbers (N,) of these pairs among all pairs.
        ranks: ranks of the partners.
        importance: importances (N,) of the items, from networks that were not trained on them; 0
            if the item is missing.
        concordance: (N,) in [0, 1], the probability that the pair's items share information, given
            the item's importance and the rank of the pair; 0 if the pair does not count.
        share: share of informative items, estimated from the ranks alone.
        model: computes the concordance of new pairs.
    """

    pair: Tensor
    ranks: Ranks
    importance: Tensor
    concordance: Tensor
    share: float
    model: ConcordanceModel


def fit_mixture(
    folds: Sequence[Fold],
    x: Mapping[str, Tensor],
    rho: Mapping[str, float | None],
    hidden: int,
    settings: "Stage2",
    seed: int,
) -> tuple[torch.nn.ModuleDict, History, dict[str, MixtureFit]]:
    """Train the importance network of each modality.

    A modality that shares nothing with the others gets importances of 0. If no modality shares
    anything, all importances are 1 and carry no information. Both cases are logged.

    Args:
        folds: folds of `ima.models.stages.cross_fit`.
        x: by modality, the matrix (n_m, D_m) of its items.
        rho: by modality, the prior mean importance in [0, 1]; None to estimate it from the data.
        hidden: width of the networks' hidden layers.
        settings: settings of stage 2: `rounds`, `lambda_corr`, `steps`, `batch_size`,
            `learning_rate`.
        seed: seed of the initial weights, of the parts of the items and of the order of the pairs.

    Returns:
        networks: by modality, its network, with a single copy.
        history: one row per epoch and round, with the loss of each modality m on the items left
            out, `corr_m`, and on all items, `raw_m`.
        results: by modality, the results on the held-out pairs of all folds.
    """
    names, device = list(x), next(iter(x.values())).device
    x = {m: values.cpu() for m, values in x.items()}  # the folds' latents are on the CPU
    pairs = {m: torch.cat([fold.held[m] for fold in folds]) for m in names}
    number_of = torch.cat([fold.pair for fold in folds])
    y = {m: torch.ones(len(x[m]), dtype=torch.double) for m in names}  # of all items, (n_m,)
    held_out = {m: (rows != ABSENT).double() for m, rows in pairs.items()}  # out of sample, (N,)
    seen = {m: Summary.of(_some(x[m], rows)) for m, rows in pairs.items()}
    with torch.no_grad():
        components = {m: in_blocks(seen[m].scores, values).double() for m, values in x.items()}
    history: History = []
    networks, results = torch.nn.ModuleDict(), {}
    for number in range(1, settings.rounds + 1):
        ranks = {m: rank_partners(folds, m, y, seed, components) for m in names}
        partner = {m: informed(held_out, m) * ranks[m].counts for m in names}
        epochs: dict[float, dict[str, float]] = {}
        for m in names:
            given = rho[m]
            f = informative_density(ranks[m], partner[m])
            density = torch.where(ranks[m].counts, f.at(ranks[m].rank), 1)
            start = _new(seen[m], hidden, f.share if given is None else given, seed)
            evidence = ((1 - DOUBT) * density + DOUBT).float()
            data = _Pairs(pairs[m], evidence, partner[m].float(), ranks[m].counts)
            train = _fit if ranks[m].correlations.any() and given not in (0, 1) else _fixed
            networks[m], held_out[m], rows = train(start, x[m], data, given, settings, seed, m)
            for row in rows:
                epochs.setdefault(row.pop("epoch"), {}).update(row)
            with torch.no_grad():
                y[m] = networks[m](x[m])[0].double()
            prior = _prior(held_out[m], f.share)
            concordance = posterior(prior * partner[m] * held_out[m], density)
            model = ConcordanceModel.of(m, folds[0], ranks[m], f, prior, seen[m], seed)
            results[m] = MixtureFit(number_of, ranks[m], held_out[m], concordance, f.share, model)
        history += [{"round": number, "epoch": e, "copy": 0, **row} for e, row in epochs.items()]
    return _checked(networks, rho).to(device), history, results


def _some(x: Tensor, rows: Tensor) -> Tensor:
    """Return the distinct items (n, D) of pairs; if they exceed BYTES as doubles, evenly spaced."""
    distinct = rows[rows != ABSENT].unique()
    return x[distinct[:: -(-8 * x.shape[1] * len(distinct) // BYTES)]]


def _prior(y: Tensor, share: float) -> float:
    """Return the factor that lowers importances y (N,) to a mean of at most `share`.

    The factor is needed because importances tolerate some pairs that do not fit (DOUBT).

    Args:
        y: importances, 0 if the item is missing.
        share: share of informative items, estimated from all ranks.
    """
    return min(1.0, share / max(float(y.sum() / (y > 0).sum().clamp_min(1)), 1e-12))


def _checked(networks: torch.nn.ModuleDict, rho: Mapping[str, float | None]) -> torch.nn.ModuleDict:
    """Return the networks, and log which modalities share nothing.

    If no modality shares anything, all importances are set to 1.
    """
    constant = [
        m for m, net in networks.items() if rho[m] is None and not net.w3.any() and net.b3 < 0
    ]
    if len(constant) == len(networks):
        _LOG.warning(
            "held-out pairs show nothing that the modalities share: "
            "all importances are 1 and carry no information"
        )
        for net in networks.values():
            _constant(net, 1.0)
    elif constant:
        _LOG.warning("modalities that share nothing with the others get importance 0: %s", constant)
    return networks


def _new(summary: Summary, hidden: int, start: float, seed: int) -> ImportanceNet:
    """Return PARTS + 1 networks with the same initial weights; the last one will be kept."""
    dimension, components = summary.directions.shape
    torch.manual_seed(seed)
    start = min(max(start, START[0]), START[1])
    net = ImportanceNet(dimension, hidden, [start] * (PARTS + 1), components)
    net.summary = summary
    with torch.no_grad():
        net.w3 *= 0.1  # importances are nearly equal at first
        for weight in net.parameters():
            weight[:] = weight[:1].clone()
    return net


def _constant(net: ImportanceNet, y: float) -> ImportanceNet:
    """Set a network to the constant importance y in [0, 1]; 0 and 1 are exact."""
    with torch.no_grad():
        net.w3.zero_()
        net.b3.fill_(float(torch.tensor(y).logit().clamp(-200, 200)))
    return net


def _fixed(
    net: ImportanceNet, x: Tensor, pairs: "_Pairs", rho: float | None, *_: object
) -> tuple[ImportanceNet, Tensor, History]:
    """Return what `_fit` does, for the constant importance rho, or 0 without a rho."""
    net = _constant(net, 0.0 if rho is None else rho).copy(0)
    return net, (pairs.rows != ABSENT) * net.b3.detach().double().sigmoid().item(), []


class _Pairs(NamedTuple):
    """The pairs (N,) from which a modality's network learns.

    Attributes:
        rows: row numbers of their items.
        evidence, partner: as in `ima.models.objectives.mixture`.
        counts: whether each pair has this modality and another one.
    """

    rows: Tensor
    evidence: Tensor
    partner: Tensor
    counts: Tensor


def _fit(
    net: ImportanceNet,
    x: Tensor,
    pairs: _Pairs,
    rho: float | None,
    settings: "Stage2",
    seed: int,
    name: str,
) -> tuple[ImportanceNet, Tensor, History]:
    """Train PARTS networks, each without a part of the items, and one network on all items.

    Without a rho, all importances are set to 1 if the learnt importances do not improve the
    likelihood of held-out items by GAIN standard errors.

    Returns:
        net: the network trained on all items, at the epoch where the others have the lowest loss
            on the items held out from them.
        y: the importances (N,) of the held-out items from these other networks.
        history: one row per epoch.
    """
    items, back = pairs.rows.clamp_min(0).unique(return_inverse=True)
    generator = torch.Generator().manual_seed(seed)
    part = (torch.randperm(len(items), generator=generator) % PARTS)[back]  # (N,)
    learns = torch.ones(PARTS + 1, len(part))
    learns[part, torch.arange(len(part))] = 0
    learns = learns * pairs.counts
    distributed.prepare("stage 2", net)
    optimizer = AdamW(net.parameters(), settings.learning_rate, weight_decay=DECAY)
    size, least = settings.batch_size, settings.min_batch_size
    epochs = -(-settings.steps // batch_count(len(part), size, least))
    best, history = None, []
    for epoch in progress_bar(range(1, epochs + 1), f"stage 2, {name}", "epoch"):
        for batch in batches_of_rows(len(part), size, generator, least):
            some = _Pairs(*(column[batch] for column in pairs))
            y = distributed.forward(net, x[some.rows.clamp_min(0)])  # (PARTS + 1, B)
            optimizer.zero_grad(set_to_none=True)
            _losses(y, some, rho, settings, learns[:, batch]).sum().backward()
            distributed.add_gradients(optimizer)
            optimizer.step()
        y = _of_items(net, x, items)[:, back]  # (PARTS + 1, N)
        out = y[part, torch.arange(len(part))]
        losses = _losses(torch.stack((out, y[-1])), pairs, rho, settings)
        held, trained = losses.tolist()
        history.append({"epoch": epoch, f"corr_{name}": held, f"raw_{name}": trained})
        report(f"stage 2, {name}", history[-1])
        check_finite(losses, f"stage 2, {name}, epoch {epoch}", history[-1])
        if best is None or held < best[0]:
            best = (held, net.copy(PARTS), out * (pairs.rows != ABSENT))
    if best is None:
        raise InputError("steps", expected="1 or more", found=settings.steps)
    _, net, y = best
    if rho is None and _gain(y, pairs, len(items)) < GAIN:
        net, y = _constant(net, 1.0), (pairs.rows != ABSENT).double()
    return net, y.double(), history


def _of_items(net: ImportanceNet, x: Tensor, items: Tensor) -> Tensor:
    """Return the importances (PARTS + 1, n) of some items (n,) by all copies of a network."""
    with torch.no_grad():
        blocked = blocks(len(items), x.shape[1])
        return torch.cat([distributed.forward(net, x[items[block]]) for block in blocked], 1)


def _losses(
    y: Tensor,
    pairs: _Pairs,
    rho: float | None,
    settings: "Stage2",
    counted: Tensor | None = None,
) -> Tensor:
    """Return the loss (C,) of each copy's importances y (C, B) of pairs.

    Args:
        counted: mask (C, B), 1 or 0; None for the pairs that count.
    """
    counted = pairs.counts.float()[None] if counted is None else counted
    return mixture(y, pairs.evidence, pairs.partner, rho, settings.lambda_corr, counted)["loss"]


def _gain(y: Tensor, pairs: _Pairs, items: int) -> float:
    """Return the gain of importances y (N,) over importances of 1, in standard errors.

    Args:
        items: number of distinct items, which determines the standard error.
    """
    losses = [
        mixture(values, pairs.evidence[:, None], pairs.partner[:, None], None)["loss"]
        for values in (torch.ones_like(y)[:, None], y[:, None])
    ]  # of each pair, (N,)
    gained = (losses[0] - losses[1])[pairs.counts]
    return float(gained.mean() / (gained.std() / items**0.5).clamp_min(1e-12))
