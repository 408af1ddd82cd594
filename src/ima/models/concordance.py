"""Concordance of new pairs: whether their items share something, by what the fitted pairs showed.

That of a fitted pair is found out of fold (`ima.models.mixture`). A new pair is compared in the
canonical coordinates of the first fold, whose autoencoder is the one that is kept, and its rank is
taken among the pairs that this autoencoder wasn't trained on.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from ima.models.cca import Canonical
from ima.models.ima import Autoencoder, IMANetwork, ImportanceNet, Summary
from ima.models.rank_density import Density
from ima.models.ranks import (
    KINDS,
    Among,
    Fold,
    Ranks,
    coordinates,
    informed,
    joined,
    rank_among,
    scale_of,
    values_of,
)
from ima.training.loop import gather

#: What z may be weighted by: importances of items, concordance of pairs, or their product.
FUSIONS = ("importance", "concordance", "both")
#: Pairs that are judged at a time.
PAIRS = 4096
#: The least weight: where no item of a pair fits the others they count alike.
LEAST_WEIGHT = 1e-3


class Judge(NamedTuple):
    """What a new pair's concordance with a modality's item is found by.

    Attributes:
        kind: one of `ima.models.ranks.KINDS`.
        mean, directions: of the principal components of its items, (D,) and (D, K).
        scale: mean and deviation (2, L) of its latents.
        canonical: coordinates of the others and of the item.
        among: pairs among which partners are ranked.
        density: of ranks of informative items.
        prior: factor in [0, 1] of the probability that the pair's items are informative.
    """

    kind: str
    mean: Tensor
    directions: Tensor
    scale: Tensor
    canonical: Canonical
    among: Among
    density: Density
    prior: float

    @classmethod
    def of(
        cls,
        name: str,
        fold: Fold,
        ranks: Ranks,
        density: Density,
        prior: float,
        summary: Summary,
        seed: int,
    ) -> "Judge":
        """Return the judge of modality `name`, from the first fold and the ranks of all folds."""
        fitted = ranks.fitted[0]
        return cls(
            fitted.kind,
            summary.mean.cpu(),
            summary.directions.cpu(),
            scale_of(fold.u[name], fold.train[name]),
            fitted.canonical,
            Among.of(fitted, ranks.correlations, seed),
            density,
            prior,
        )

    def values(self, kind: str, x: Tensor, u: Tensor) -> Tensor:
        """Return what items x (N, D) of latents u (N, L) are compared by."""
        components = (x.cpu() - self.mean) @ self.directions
        return values_of(kind, u.cpu(), self.scale, components)

    def width(self, kind: str) -> int:
        """Return the width D of `values`."""
        widths = {"latents": self.scale.shape[1], "components": self.directions.shape[1]}
        return sum(widths.values()) if kind == "both" else widths[kind]

    def tensors(self) -> dict[str, Tensor]:
        """Return all that `from_tensors` needs, by name."""
        parts = {"canonical": self.canonical, "among": self.among}
        found = {
            f"{part}.{name}": t for part, of in parts.items() for name, t in of._asdict().items()
        }
        numbers = [KINDS.index(self.kind), self.density.share, self.prior]
        found |= {"mean": self.mean, "directions": self.directions, "scale": self.scale}
        found |= {
            "density": self.density.values,
            "numbers": torch.tensor(numbers, dtype=torch.double),
        }
        return {name: t.contiguous() for name, t in found.items()}

    @classmethod
    def from_tensors(cls, given: Mapping[str, Tensor]) -> "Judge":
        """Return the judge whose `tensors` these are."""
        kind, share, prior = given["numbers"].tolist()
        return cls(
            KINDS[int(kind)],
            given["mean"],
            given["directions"],
            given["scale"],
            Canonical(*(given[f"canonical.{name}"] for name in Canonical._fields)),
            Among(*(given[f"among.{name}"] for name in Among._fields)),
            Density(given["density"], share),
            prior,
        )


def read_judges(given: Mapping[str, Tensor]) -> dict[str, Judge]:
    """Return by modality the judge of tensors that are named `<modality>.<name>`."""
    parts: dict[str, dict[str, Tensor]] = {}
    for name, value in given.items():
        modality, _, rest = name.partition(".")
        parts.setdefault(modality, {})[rest] = value.cpu()
    return {modality: Judge.from_tensors(of) for modality, of in parts.items()}


def judge_tensors(judges: Mapping[str, Judge]) -> dict[str, Tensor]:
    """Return the tensors of judges, named `<modality>.<name>`."""
    return {
        f"{m}.{name}": of for m, judge in judges.items() for name, of in judge.tensors().items()
    }


class Checkpoint(NamedTuple):
    """What importance networks' checkpoint says of concordance; nothing but by `mixture`.

    Attributes:
        judges: by modality.
        pair: (F,), which pairs, of training pairs followed by validation pairs, were judged by
            models that weren't trained on them.
        fitted: by modality, the concordance (F,) of these.
    """

    judges: Mapping[str, Judge]
    pair: Tensor
    fitted: Mapping[str, Tensor]

    def tensors(self) -> dict[str, Tensor]:
        """Return all by name; names have a slash, which those of networks don't have."""
        found = {f"judges/{name}": of for name, of in judge_tensors(self.judges).items()}
        found |= {f"fitted/{m}": of for m, of in self.fitted.items()}
        return {**found, "pair/number": self.pair}

    @classmethod
    def from_tensors(cls, state: Mapping[str, Tensor]) -> "Checkpoint":
        """Return what a checkpoint of these tensors has."""
        parts: dict[str, dict[str, Tensor]] = {"judges": {}, "fitted": {}, "pair": {}}
        for name, value in state.items():
            part, slash, rest = name.partition("/")
            if slash:
                parts[part][rest] = value
        pair = parts["pair"].get("number", torch.zeros(0, dtype=torch.long))
        return cls(read_judges(parts["judges"]), pair, parts["fitted"])

    def of_pairs(
        self, model: IMANetwork, x: Mapping[str, Tensor], rows: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Return by modality the concordance (N,) of pairs; none of a model without judges.

        Args:
            model: with one copy of each importance network.
            x: by modality, the matrix (n_m, D_m) of its items.
            rows: by modality, row numbers (N,) of the training pairs, then the validation pairs,
                then any others; ABSENT where a pair lacks it.
        """
        if not self.judges:
            return {}
        parts = []
        for some in torch.arange(len(next(iter(rows.values())))).split(PAIRS):
            batch = gather(x, {m: of[some] for m, of in rows.items()})
            of = (model.autoencoder, model.importance, batch.x, batch.present)
            parts.append(pair_concordance(self.judges, *of))
        found = {m: torch.cat([part[m] for part in parts]) for m in rows}
        for m, of in self.fitted.items():
            found[m][self.pair] = of.to(found[m])
        return found


def posterior(prior: Tensor, density: Tensor) -> Tensor:
    """Return the probability (N,) that items share something, by its prior and f of the rank."""
    return prior * density / (prior * density + 1 - prior).clamp_min(1e-12)


@torch.no_grad()
def pair_concordance(
    judges: Mapping[str, Judge],
    autoencoder: Autoencoder,
    networks: Mapping[str, ImportanceNet],
    x: Mapping[str, Tensor],
    present: Mapping[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Return by modality the concordance (N,), in [0, 1], of pairs that nothing was fitted to.

    Args:
        judges: by modality, of the fitted model.
        autoencoder, networks: the fitted model.
        x: by modality (one or more), inputs (N, D_m) of the pairs.
        present: by modality (N,), whether a pair has it; None where all have all.

    Returns:
        That of a modality is 0 where the pair lacks it, or all others.
    """
    u = autoencoder.encode(x)
    there = {m: torch.ones(len(of)) if present is None else present[m] for m, of in x.items()}
    there = {m: of.cpu().double() for m, of in there.items()}
    y = {m: networks[m](x[m])[0].cpu().double() * there[m] for m in x}
    pairs = len(next(iter(y.values())))
    y_all = {m: y.get(m, torch.zeros(pairs, dtype=torch.double)) for m in judges}
    found = {}
    for m in x:
        judge = judges[m]
        values = {
            n: of.values(judge.kind, x[n], u[n]) * there[n][:, None]
            if n in x
            else torch.zeros(pairs, of.width(judge.kind), dtype=torch.double)
            for n, of in judges.items()
        }
        a, b = coordinates(judge.canonical, joined(values, y_all, m), values[m])
        f = judge.density.at(rank_among(a, b, judge.among))
        others = torch.stack([there[n] for n in x if n != m] or [0 * there[m]]).amax(0)
        found[m] = posterior(judge.prior * informed(y_all, m) * y[m] * others, f)
    return found


def weights(
    fusion: str, y: Mapping[str, Tensor], concordance: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return by modality what weights its latent (N,) in z (Eq. 1), by one of FUSIONS."""
    if fusion == "importance":
        return dict(y)
    of = {m: c.to(y[m]).clamp_min(LEAST_WEIGHT) for m, c in concordance.items()}
    return of if fusion == "concordance" else {m: y[m] * c for m, c in of.items()}
