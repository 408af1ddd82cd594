"""Stage 2 by the objective `mixture`: what all pairs say of an item, each out of fold.

An item is informative about its partners, or shares nothing with them; its importance is the
probability of the first, a function of x alone. What the networks learn from are ranks of partners
(`ima.models.ranks`), in pairs that the autoencoder of their fold wasn't trained on. How long they
are trained is decided by items that they themselves aren't trained on.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from ima.models.concordance import Judge, posterior
from ima.models.ima import ImportanceNet, Summary
from ima.models.objectives import mixture
from ima.models.rank_density import informative_density
from ima.models.ranks import Fold, Ranks, informed, rank_partners
from ima.pairing.by_label import ABSENT
from ima.training.loop import History
from ima.utils.progress import progress_bar

if TYPE_CHECKING:
    from ima.models.importance import Stage2

_LOG = logging.getLogger(__name__)

#: Share of an informative item's pairs that may look as if they shared nothing: an item is doubted
#: for what many pairs of its like show, not for one.
DOUBT = 0.25
#: Networks that are each trained without a share of the items, beside the one that is kept.
PARTS = 5
#: Importances that a network starts from lie between these.
START = (0.05, 0.95)
#: Standard errors by which held-out items must be likelier with a network's importances than with
#: importances of 1: less is chance (at most 1.5 where nothing is wrong, 3.9 and more with noise).
GAIN = 3.0
#: Of AdamW, which keeps weights small.
DECAY = 0.01


class Found(NamedTuple):
    """What held-out pairs of all folds say of a modality.

    Attributes:
        pair: (N,), which of all pairs they are.
        ranks: of partners.
        importance: (N,) of the items, by networks that weren't trained on them; 0 where absent.
        concordance: (N,) in [0, 1], the probability that the pair's items share something, by the
            item's importance and by the pair itself; 0 where the pair doesn't count.
        share: of the items that are informative, by ranks alone.
        judge: gives the concordance of new pairs.
    """

    pair: Tensor
    ranks: Ranks
    importance: Tensor
    concordance: Tensor
    share: float
    judge: Judge


def fit_mixture(
    folds: Sequence[Fold],
    x: Mapping[str, Tensor],
    rho: Mapping[str, float | None],
    hidden: int,
    settings: "Stage2",
    seed: int,
) -> tuple[torch.nn.ModuleDict, History, dict[str, Found]]:
    """Train the importance network of each modality.

    A modality that shares nothing with the others gets importances of 0, and the log says so;
    where none shares anything importances are 1 and say nothing.

    Args:
        folds: pairs that autoencoders were and were not trained on, with their latents.
        x: by modality, the matrix (n_m, D_m) of its items.
        rho: by modality, prior mean importance in [0, 1]; None leaves it to the data.
        hidden: width of the networks' hidden layers.
        settings: `rounds`, each with pairs counted by the importances of
            the one before; `lambda_corr`, `steps`, `batch_size`, `learning_rate`.
        seed: of first weights, parts and order.

    Returns:
        By modality, its network (one copy); a row an epoch and round, with by modality the loss
        on the items that are left out, `corr_m`, and on all, `raw_m`; and by modality what was
        found.
    """
    names, device = list(x), next(iter(x.values())).device
    x = {m: of.cpu() for m, of in x.items()}  # as the folds' latents and pairs are
    pairs = {m: torch.cat([fold.held[m] for fold in folds]) for m in names}
    number_of = torch.cat([fold.pair for fold in folds])
    y = {m: torch.ones(len(of), dtype=torch.double) for m, of in x.items()}  # of items
    held_out = {m: (rows != ABSENT).double() for m, rows in pairs.items()}  # by other networks
    seen = {m: Summary.of(x[m][rows[rows != ABSENT].unique()]) for m, rows in pairs.items()}
    components = {m: seen[m].scores(of).double() for m, of in x.items()}
    history: History = []
    networks, found = torch.nn.ModuleDict(), {}
    for number in range(1, settings.rounds + 1):
        ranks = {m: rank_partners(folds, m, y, seed, components) for m in names}
        partner = {m: informed(held_out, m) * of.counts for m, of in ranks.items()}
        epochs: dict[int, dict] = {}
        for m in names:
            of_ranks = informative_density(ranks[m], partner[m])
            density, share = of_ranks.at(ranks[m].rank), of_ranks.share
            density = torch.where(ranks[m].counts, density, 1)
            network = _new(seen[m], hidden, share if rho[m] is None else rho[m], seed)
            evidence = ((1 - DOUBT) * density + DOUBT).float()
            learnt = _Pairs(pairs[m], evidence, partner[m].float(), ranks[m].counts)
            if ranks[m].correlations.any() and rho[m] not in (0, 1):
                network, held_out[m], rows = _fit(network, x[m], learnt, rho[m], settings, seed, m)
                for row in rows:
                    epochs.setdefault(row.pop("epoch"), {}).update(row)
            else:
                network = _constant(network, 0.0 if rho[m] is None else rho[m]).copy(0)
                held_out[m] = (pairs[m] != ABSENT) * network.b3.detach().double().sigmoid().item()
            networks[m] = network
            with torch.no_grad():
                y[m] = network(x[m])[0].double()
            prior = _prior(held_out[m], share)
            both = posterior(prior * partner[m] * held_out[m], density)
            judge = Judge.of(m, folds[0], ranks[m], of_ranks, prior, seen[m], seed)
            found[m] = Found(number_of, ranks[m], held_out[m], both, share, judge)
        history += [{"round": number, "epoch": e, "copy": 0, **row} for e, row in epochs.items()]
    return _checked(networks, rho).to(device), history, found


def _prior(y: Tensor, share: float) -> float:
    """Return what importances y (N,), 0 where absent, are lowered by: they forgive some pairs.

    It is 1 unless their mean is above `share`, that of informative items by all ranks.
    """
    return min(1.0, share / max(float(y.sum() / (y > 0).sum().clamp_min(1)), 1e-12))


def _checked(networks: torch.nn.ModuleDict, rho: Mapping[str, float | None]) -> torch.nn.ModuleDict:
    """Return the networks; say in the log which modalities share nothing.

    If none does, all importances are 1.
    """
    constant = [
        m for m, net in networks.items() if rho[m] is None and not net.w3.any() and net.b3 < 0
    ]
    if len(constant) == len(networks):
        _LOG.warning(
            "no modality shares anything with the others that held-out pairs show: "
            "importances are 1 and say nothing"
        )
        for net in networks.values():
            _constant(net, 1.0)
    elif constant:
        _LOG.warning("shares nothing with the other modalities, importance 0: %s", constant)
    return networks


def _new(summary: Summary, hidden: int, start: float, seed: int) -> ImportanceNet:
    """Return PARTS networks and the one to keep, all of the same first weights."""
    dimension, components = summary.directions.shape
    torch.manual_seed(seed)
    start = min(max(start, START[0]), START[1])
    net = ImportanceNet(dimension, hidden, [start] * (PARTS + 1), components)
    net.summary.load_state_dict(summary.state_dict())
    with torch.no_grad():
        net.w3 *= 0.1  # importances start alike
        for weight in net.parameters():
            weight[:] = weight[:1].clone()
    return net


def _constant(net: ImportanceNet, y: float) -> ImportanceNet:
    """Make a network give all items the importance y in [0, 1], 0 and 1 exactly."""
    with torch.no_grad():
        net.w3.zero_()
        net.b3.fill_(float(torch.tensor(y).logit().clamp(-200, 200)))
    return net


class _Pairs(NamedTuple):
    """Pairs (N,) that a modality's network learns from.

    Attributes:
        rows: of their items.
        evidence, partner: of `ima.models.objectives.mixture`.
        counts: whether they have the modality and another one.
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
    """Train PARTS networks without a part of the items each, and one with all.

    Returns:
        The last, after the epoch at which the others do best on the items that they aren't
        trained on; the importances (N,) that these give to those; and a row an epoch. Without a
        rho, importances are 1 where those aren't likelier than that by GAIN standard errors.
    """
    items, back = pairs.rows.clamp_min(0).unique(return_inverse=True)
    generator = torch.Generator().manual_seed(seed)
    part = (torch.randperm(len(items), generator=generator) % PARTS)[back]  # (N,)
    learns = torch.ones(PARTS + 1, len(part))
    learns[part, torch.arange(len(part))] = 0
    learns = learns * pairs.counts
    optimizer = torch.optim.AdamW(net.parameters(), settings.learning_rate, weight_decay=DECAY)
    epochs = -(-settings.steps // -(-len(part) // settings.batch_size))
    best, history = None, []
    for epoch in progress_bar(range(1, epochs + 1), f"stage 2, {name}", "epoch"):
        for batch in torch.randperm(len(part), generator=generator).split(settings.batch_size):
            y = net(x[pairs.rows[batch].clamp_min(0)])  # (PARTS + 1, B)
            of = (pairs.evidence[batch], pairs.partner[batch])
            losses = mixture(y, *of, rho, settings.lambda_corr, learns[:, batch])["loss"]
            optimizer.zero_grad(set_to_none=True)
            losses.sum().backward()
            optimizer.step()
        with torch.no_grad():
            y = net(x[items])[:, back]  # (PARTS + 1, N)
            out = y[part, torch.arange(len(part))]
            both, counts = torch.stack((out, y[-1])), pairs.counts.float()[None]
            of = (pairs.evidence, pairs.partner, rho, settings.lambda_corr, counts)
            held, trained = mixture(both, *of)["loss"].tolist()
        history.append({"epoch": epoch, f"corr_{name}": held, f"raw_{name}": trained})
        if best is None or held < best[0]:
            best = (held, net.copy(PARTS), out * (pairs.rows != ABSENT))
    _, net, y = best
    if rho is None and _gain(y, pairs, len(items)) < GAIN:
        net, y = _constant(net, 1.0), (pairs.rows != ABSENT).double()
    return net, y.double(), history


def _gain(y: Tensor, pairs: _Pairs, items: int) -> float:
    """Return in standard errors, of so many items, what importances y (N,) gain against 1."""
    terms = [
        mixture(given, pairs.evidence[:, None], pairs.partner[:, None], None)["loss"]
        for given in (torch.ones_like(y)[:, None], y[:, None])
    ]  # of each pair, (N,)
    gained = (terms[0] - terms[1])[pairs.counts]
    return float(gained.mean() / (gained.std() / items**0.5).clamp_min(1e-12))
