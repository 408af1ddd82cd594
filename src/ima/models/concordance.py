"""Concordance: the probability that the items of a pair share information.

For the pairs used in fitting, concordance is computed out of fold (`ima.models.mixture`). A new
pair is mapped to the canonical coordinates of the first fold, whose autoencoder is the one that is
kept, and is ranked among the pairs on which this autoencoder was not trained.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from ima.models.cca import Canonical
from ima.models.compared import FEATURES, KINDS, latent_scale, values_of
from ima.models.ima import Autoencoder, IMANetwork, Summary
from ima.models.rank_density import Density
from ima.models.ranks import (
    Fold,
    RankReference,
    Ranks,
    coordinates,
    informed,
    joined,
    rank_among,
)
from ima.training.loop import gather, pair_count
from ima.utils.errors import InputError

#: Weights of the latents in z: importances of items, concordance of pairs, or their product.
FUSIONS = ("importance", "concordance", "both")
#: Number of pairs whose concordance is computed at once.
PAIRS = 4096
#: Minimum weight. If no item of a pair fits the others, all have this weight and count equally.
LEAST_WEIGHT = 1e-3


class ConcordanceModel(NamedTuple):
    """Computes the concordance of new pairs for one modality.

    Attributes:
        kind: one of `ima.models.compared.KINDS`.
        mean, directions: mean (D,) and directions (D, K) of the principal components of the items.
        scale: mean and standard deviation (2, L) of the latents.
        canonical: canonical coordinates of the partners and of the item.
        reference: pairs among which partners are ranked.
        density: density of ranks among informative items.
        prior: factor in [0, 1] applied to the probability that the pair's items are informative.
    """

    kind: str
    mean: Tensor
    directions: Tensor
    scale: Tensor
    canonical: Canonical
    reference: RankReference
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
    ) -> "ConcordanceModel":
        """Return the model of modality `name`, from the first fold and the ranks of all folds."""
        fitted = ranks.fitted[0]
        return cls(
            fitted.kind,
            summary.mean.cpu(),
            summary.directions.cpu(),
            latent_scale(fold.u[name], fold.train[name]),
            fitted.canonical,
            RankReference.of(fitted, ranks.correlations, seed),
            density,
            prior,
        )

    def values(self, kind: str, x: Tensor, u: Tensor, modalities: int) -> Tensor:
        """Return the values by which items x (N, D) with latents u (N, L) are compared.

        Args:
            kind: one of `ima.models.compared.KINDS`.
            x, u: items and their latents.
            modalities: number of modalities of the model.
        """
        components = (x.cpu() - self.mean) @ self.directions
        return values_of(kind, u.cpu(), self.scale, components, FEATURES // modalities)

    def width(self, kind: str, modalities: int) -> int:
        """Return the number of columns of `values`."""
        widths = {"latents": self.scale.shape[1], "components": self.directions.shape[1]}
        widths |= {"both": sum(widths.values()), "fourier": FEATURES // modalities}
        return widths[kind]

    def tensors(self) -> dict[str, Tensor]:
        """Return the state by name, from which `from_tensors` restores it."""
        parts: dict[str, Canonical | RankReference] = {
            "canonical": self.canonical,
            "among": self.reference,
        }
        state = {f"{part}.{name}": t for part in parts for name, t in parts[part]._asdict().items()}
        numbers = [KINDS.index(self.kind), self.density.share, self.prior, self.density.pairs]
        state |= {"mean": self.mean, "directions": self.directions, "scale": self.scale}
        state |= {
            "density": self.density.values,
            "numbers": torch.tensor(numbers, dtype=torch.double),
        }
        return {name: t.contiguous() for name, t in state.items()}

    @classmethod
    def from_tensors(cls, state: Mapping[str, Tensor]) -> "ConcordanceModel":
        """Return the model from the state that `tensors` returned.

        Raises:
            ValueError: there is no such kind.
        """
        kind, share, prior, *more = state["numbers"].tolist()
        pairs = more[0] if more else float(len(state["among.a"]))  # a file of an earlier version
        if kind not in range(len(KINDS)):
            raise ValueError(f"kind {kind}")
        return cls(
            KINDS[int(kind)],
            state["mean"],
            state["directions"],
            state["scale"],
            Canonical(*(state[f"canonical.{name}"] for name in Canonical._fields)),
            RankReference(*(state[f"among.{name}"] for name in RankReference._fields)),
            Density(state["density"], share, pairs),
            prior,
        )


def read_concordance(state: Mapping[str, Tensor]) -> dict[str, ConcordanceModel]:
    """Return the concordance model of each modality, from tensors named `<modality>.<name>`."""
    parts: dict[str, dict[str, Tensor]] = {}
    for name, value in state.items():
        modality, _, rest = name.partition(".")
        parts.setdefault(modality, {})[rest] = value.cpu()
    return {modality: ConcordanceModel.from_tensors(part) for modality, part in parts.items()}


def concordance_tensors(models: Mapping[str, ConcordanceModel]) -> dict[str, Tensor]:
    """Return the tensors of concordance models, named `<modality>.<name>`."""
    return {f"{m}.{name}": t for m, model in models.items() for name, t in model.tensors().items()}


class Checkpoint(NamedTuple):
    """The part of a checkpoint of importance networks that holds concordance.

    It is empty unless the objective is `mixture`.

    Attributes:
        models: concordance models by modality.
        pair: numbers (F,) of the pairs whose concordance was computed by models that were not
            trained on them, in the training pairs followed by the validation pairs.
        fitted: by modality, the concordance (F,) of these pairs.
    """

    models: Mapping[str, ConcordanceModel]
    pair: Tensor
    fitted: Mapping[str, Tensor]

    def tensors(self) -> dict[str, Tensor]:
        """Return the state by name. Names contain a slash, unlike those of the networks."""
        state = {f"judges/{name}": t for name, t in concordance_tensors(self.models).items()}
        state |= {f"fitted/{m}": values for m, values in self.fitted.items()}
        return {**state, "pair/number": self.pair}

    @classmethod
    def from_tensors(cls, state: Mapping[str, Tensor]) -> "Checkpoint":
        """Return the concordance part of the tensors of a checkpoint."""
        parts: dict[str, dict[str, Tensor]] = {"judges": {}, "fitted": {}, "pair": {}}
        for name, value in state.items():
            part, slash, rest = name.partition("/")
            if slash:
                parts[part][rest] = value
        pair = parts["pair"].get("number", torch.zeros(0, dtype=torch.long))
        return cls(read_concordance(parts["judges"]), pair, parts["fitted"])

    def of_pairs(
        self, model: IMANetwork, x: Mapping[str, Tensor], rows: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Return the concordance (N,) of pairs by modality; empty if there are no models.

        Args:
            model: model with one copy of each importance network.
            x: by modality, the matrix (n_m, D_m) of its items.
            rows: by modality, the row numbers (N,) of the training pairs, then of the validation
                pairs, then of any others; ABSENT if a pair lacks the modality.
        """
        if not self.models:
            return {}
        parts = []
        for some in torch.arange(pair_count(rows)).split(PAIRS):
            batch = gather(x, {m: numbers[some] for m, numbers in rows.items()})
            networks = (model.autoencoder, model.importance)
            parts.append(pair_concordance(self.models, *networks, batch.x, batch.present))
        concordance = {m: torch.cat([part[m] for part in parts]) for m in rows}
        for m, values in self.fitted.items():
            concordance[m][self.pair] = values.to(concordance[m])
        return concordance


def posterior(prior: Tensor, density: Tensor) -> Tensor:
    """Return the posterior probability (N,) that items share information.

    Args:
        prior: prior probability (N,).
        density: density f (N,) of the rank if they do; it is 1 if they do not.
    """
    return prior * density / (prior * density + 1 - prior).clamp_min(1e-12)


@torch.no_grad()
def pair_concordance(
    models: Mapping[str, ConcordanceModel],
    autoencoder: Autoencoder,
    networks: torch.nn.ModuleDict,
    x: Mapping[str, Tensor],
    present: Mapping[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Return the concordance (N,), in [0, 1], of new pairs by modality.

    Args:
        models: concordance models by modality.
        autoencoder, networks: those of the model.
        x: inputs (N, D_m) of the pairs, of one or more modalities.
        present: by modality, whether each pair has it (N,); None if all pairs have all of x.

    Returns:
        By modality, the concordance (N,). It is 0 if the pair lacks the modality or all others.
    """
    if present is None:
        present = {m: torch.ones(len(x_m)) for m, x_m in x.items()}
    # Partners' values are joined in the order in which the maps were fitted.
    models = {m: models[m] for m in autoencoder.modalities}
    parts = []
    for start in range(0, max(pair_count(x), 1), PAIRS):
        rows = slice(start, start + PAIRS)
        of = ({m: values[rows] for m, values in given.items()} for given in (x, present))
        parts.append(_of_block(models, autoencoder, networks, *of))
    return {m: torch.cat([part[m] for part in parts]) for m in x}


def _of_block(
    models: Mapping[str, ConcordanceModel],
    autoencoder: Autoencoder,
    networks: torch.nn.ModuleDict,
    x: Mapping[str, Tensor],
    present: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """Return what `pair_concordance` does, for some of the pairs."""
    u = autoencoder.encode(x)
    present = {m: present[m].cpu().double() for m in x}
    y = {m: networks[m](x[m])[0].cpu().double() * present[m] for m in x}
    pairs = pair_count(y)
    y_all = {m: y.get(m, torch.zeros(pairs, dtype=torch.double)) for m in models}
    concordance = {}
    for m in x:
        fitted = models[m]
        values = {
            n: other.values(fitted.kind, x[n], u[n], len(models)) * present[n][:, None]
            if n in x
            else torch.zeros(pairs, other.width(fitted.kind, len(models)), dtype=torch.double)
            for n, other in models.items()
        }
        a, b = coordinates(fitted.canonical, joined(values, y_all, m), values[m])
        f = fitted.density.of_new(rank_among(a, b, fitted.reference))
        others = torch.stack([present[n] for n in x if n != m] or [0 * present[m]]).amax(0)
        prior = fitted.prior * informed(y_all, m) * y[m] * others
        concordance[m] = posterior(prior.clamp_max(fitted.density.highest_prior()), f)
    return concordance


def fusion_weights(
    fusion: str, y: Mapping[str, Tensor], concordance: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the weight (N,) of each modality's latent in z (Eq. 1), for `fusion` of FUSIONS.

    Raises:
        InputError: there is no such fusion.
    """
    if fusion not in FUSIONS:
        raise InputError("fusion", expected=f"one of {FUSIONS}", found=repr(fusion))
    if fusion == "importance":
        return dict(y)
    concordance = {m: c.to(y[m]).clamp_min(LEAST_WEIGHT) for m, c in concordance.items()}
    if fusion == "concordance":
        return concordance
    return {m: y[m] * c for m, c in concordance.items()}
