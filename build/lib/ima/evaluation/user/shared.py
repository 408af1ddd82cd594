"""How much a modality of user data shares with the others, tested against permuted items.

Canonical coordinates of the others' latents and of the modality's own u are fitted to the training
and validation pairs. Their correlations are then measured on the test pairs, which were not used
for fitting.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch

from ima.evaluation.metrics import fused
from ima.models.cca import RIDGE as SHRINKAGE
from ima.models.cca import canonical
from ima.models.rank_density import LITTLE
from ima.models.ranks import RIDGE
from ima.utils.arrow import matrix, present

#: Permutations of a modality's test items that give the null distribution of its correlations.
PERMUTATIONS = 499


class Model(NamedTuple):
    """Latents and importances of all N pairs under one model, for each modality by name.

    Attributes:
        test: whether each pair (N,) is in the test set.
        u: latents (N, L), 0 if the modality is absent.
        y: importances (N,), 0 if absent.
        present: whether each pair (N,) has the modality.
        item: a number (N,) for each distinct item, -1 if absent.
    """

    test: np.ndarray
    u: Mapping[str, np.ndarray]
    y: Mapping[str, np.ndarray]
    present: Mapping[str, np.ndarray]
    item: Mapping[str, np.ndarray]


def model_of(table: pa.Table) -> Model:
    """Build a Model from a table of `ima.utils.schemas.own_representations_schema`."""
    names = [n.removeprefix("id_") for n in table.column_names if n.startswith("id_")]
    item = {}
    for m in names:
        ids = table[f"id_{m}"].combine_chunks().dictionary_encode().indices
        item[m] = ids.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Model(
        np.array(table["split"].to_pylist()) == "test",
        {m: matrix(table, f"u_{m}", absent=True) for m in names},
        {m: np.nan_to_num(table[f"y_{m}"].to_numpy()).astype(float) for m in names},
        {m: present(table, f"id_{m}") for m in names},
        item,
    )


class Coordinates(NamedTuple):
    """Canonical coordinates of the H test pairs that have a given modality and another one.

    Attributes:
        a, b: coordinates (H, L) of the others' latents and of the modality's own u.
        rows: positions (H,) of these pairs among the test pairs.
        item: the modality's items (H,).
    """

    a: np.ndarray
    b: np.ndarray
    rows: np.ndarray
    item: np.ndarray


def coordinates(model: Model, name: str) -> Coordinates:
    """Return canonical coordinates of a modality's latents and the others' concatenated latents.

    The joint latent is not used, because a modality that shares nothing but has large latents
    would mask what the others share. The latents of each modality are scaled to a mean variance
    of 1.
    """
    counts, fitted_to = _counted(model, name)
    parts = []
    for m, u in model.u.items():
        there = model.present[m][:, None]
        known = u[fitted_to & model.present[m]].astype(float)
        if m != name and len(known):
            scale = np.sqrt(known.var(0).mean()) or 1
            parts.append(there * (u - known.mean(0)) / scale)
    return _coordinates(model, name, np.concatenate(parts, 1), SHRINKAGE, counts, fitted_to)


def joint_coordinates(model: Model, name: str, weighted: bool) -> Coordinates:
    """Return canonical coordinates of a modality's latents and the joint latent of the others.

    Args:
        model: model whose latents are used.
        name: name of the modality.
        weighted: whether the joint latent is weighted by importances.
    """
    others = {m: u for m, u in model.u.items() if m != name}
    y = {m: (model.y[m] if weighted else 0 * model.y[m] + 1) + LITTLE for m in others}
    z = fused(others, y, model.present)
    return _coordinates(model, name, z, RIDGE, *_counted(model, name))


def _counted(model: Model, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return which pairs (N,) have the modality and another one, and which are not test pairs."""
    others = [there for m, there in model.present.items() if m != name]
    counts = model.present[name] & np.any(others, axis=0)
    return counts, counts & ~model.test


def _coordinates(
    model: Model,
    name: str,
    z: np.ndarray,
    ridge: float,
    counts: np.ndarray,
    fitted_to: np.ndarray,
) -> Coordinates:
    """Fit canonical coordinates of z (N, K) and u outside the test set, and apply them to it."""
    z, u = (torch.from_numpy(of.astype(float)) for of in (z, model.u[name]))
    weight = torch.ones(int(fitted_to.sum()), dtype=torch.double)
    fitted = canonical(z[fitted_to], u[fitted_to], weight, ridge)
    held, width = counts & model.test, u.shape[1]
    a = ((z[held] - fitted.mean_z) @ fitted.map_z)[:, :width]
    b = ((u[held] - fitted.mean_u) @ fitted.map_u)[:, : a.shape[1]]
    rows = np.flatnonzero(counts[model.test])
    return Coordinates(a.numpy(), b.numpy(), rows, model.item[name][held])


def correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the correlation (L,) between matching columns of a and b (H, L); 0 if constant."""
    a, b = a - a.mean(0), b - b.mean(0)
    spread = np.sqrt((a**2).sum(0) * (b**2).sum(0))
    return (a * b).sum(0) / np.maximum(spread, 1e-12)


class Shared(NamedTuple):
    """What a modality shares with the others in H test pairs.

    Attributes:
        pairs: number H of pairs.
        correlation: largest of the L canonical correlations, in [-1, 1].
        shuffled: the same (P,) with the modality's items permuted.
        coordinates: number of coordinates whose correlation exceeds the 95th percentile of
            `shuffled`.
    """

    pairs: int
    correlation: float
    shuffled: np.ndarray
    coordinates: int

    @property
    def p(self) -> float:
        """Permutation p-value: share of orders, the observed one included, that share as much."""
        return float((1 + (self.shuffled >= self.correlation).sum()) / (1 + len(self.shuffled)))


def shared(of: Coordinates, seed: int, permutations: int = PERMUTATIONS) -> Shared:
    """Test the correlations of coordinates against permuted items.

    The permutation acts on items, not pairs: an item that occurs in several pairs is replaced in
    all of them.

    Args:
        of: coordinates of test pairs.
        seed: seed of the permutations.
        permutations: number P of permutations.
    """
    c = correlations(of.a, of.b)
    _, first, code = np.unique(of.item, return_index=True, return_inverse=True)
    rng, own = np.random.default_rng(seed), of.b[first]  # (n, L)
    null = np.array(
        [
            correlations(of.a, own[rng.permutation(len(own))][code]).max()
            for _ in range(permutations)
        ]
    )
    above = c > np.quantile(null, 0.95)
    return Shared(len(of.a), float(c.max()), null, int(above.sum()))
