"""Agreement between the importances that two networks give the same items (docs/own_data.md)."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ima.models.mixture import MixtureFit
from ima.pairing.by_label import ABSENT

#: Scores that `compare` returns.
SCORES = ("agreement", "permuted", "kappa", "correlation")


def compare(one: np.ndarray, other: np.ndarray) -> dict[str, float | None]:
    """Compare two networks' importances (n,) of the same items.

    Returns:
        `agreement`, the share of items on the same side of .5 for both networks; `permuted`, the
        expected agreement if the items of one network are permuted; `kappa`, Cohen's
        (agreement - permuted) / (1 - permuted), 0 at chance and at most 1, or None if both
        networks put all items on the same side of .5; `correlation`, Pearson's, or None if a
        network gives all items the same importance.
    """
    below = [np.asarray(y) < 0.5 for y in (one, other)]
    p, q = (float(of.mean()) for of in below)
    agreement = float((below[0] == below[1]).mean())
    permuted = p * q + (1 - p) * (1 - q)
    varies = min(np.ptp(one), np.ptp(other)) > 0
    return {
        "agreement": agreement,
        "permuted": permuted,
        "kappa": (agreement - permuted) / (1 - permuted) if permuted < 1 else None,
        "correlation": float(np.corrcoef(one, other)[0, 1]) if varies else None,
    }


def mean_of(scores: Sequence[Mapping]) -> dict[str, float | None]:
    """Return the mean of each score of `compare`, over the comparisons in which it is defined."""
    values = {name: [s[name] for s in scores if s[name] is not None] for name in SCORES}
    return {name: float(np.mean(of)) if of else None for name, of in values.items()}


def over_seeds(y: Sequence[np.ndarray]) -> dict[str, float | None]:
    """Return the mean of `compare` over all pairs of seeds; all None for a single seed.

    Args:
        y: importances (n,) of the same items, one array per seed.
    """
    return mean_of([compare(*two) for two in itertools.combinations(y, 2)])


@torch.no_grad()
def over_folds(
    found: Mapping[str, MixtureFit],
    networks: Mapping[str, torch.nn.Module],
    x: Mapping[str, Tensor],
    pairs: Mapping[str, Tensor],
) -> dict[str, dict[str, float | None]]:
    """Compare the items' out-of-fold importances with those of the final network.

    Args:
        found: from `ima.models.mixture.fit_mixture`; importances by networks that were not trained
            on the item.
        networks: final networks of one ensemble member, trained on all items.
        x: for each modality, the matrix (n_m, D_m) of its items.
        pairs: row numbers (N,) of all pairs, training pairs before held-out pairs.

    Returns:
        For each modality, `compare` of its distinct items, and `informative`, the share of items
        that are informative by the ranks of their partners. If it is 0, there is nothing to
        compare, and the scores of `compare` are None.
    """
    scores = {}
    for m, of in found.items():
        rows = pairs[m].cpu()[of.pair]
        items, first = np.unique(rows.numpy(), return_index=True)
        first = first[items != ABSENT]
        final = networks[m](x[m])[0].cpu().numpy()[rows.numpy()[first]]
        known = compare(of.importance.cpu().numpy()[first], final)
        known = known if of.share else dict.fromkeys(known)
        scores[m] = {**known, "informative": of.share}
    return scores
