"""Effect of importances on pairs: the weights in z and the distances of latents to z (6.3)."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from ima.evaluation.metrics import subsets
from ima.pairing.by_label import is_noise, modalities
from ima.utils.arrow import matrix, present
from ima.utils.errors import InputError


def fusion_scores(representations: pa.Table, pairs: pa.Table) -> dict:
    """Return the modalities' weights in Eq. 1 and the distances of their latents to z.

    A modality that a pair lacks has weight 0 in that pair and enters no other statistic.

    Args:
        representations: table of `ima.utils.schemas.representations_schema`, row for row with
            `pairs`.
        pairs: table of `ima.utils.schemas.pairs_schema`.

    Returns:
        `share_noise`: by modality, the share of its items that are noise;
        `weights`: rows of `modality`, `subset`, mean `importance` and mean `weight`;
        `distances`: rows of `modality`, `pairs` and `distance`;
        `centre`: ||mean z||^2 as a share of mean ||z||^2, 0 if z is centred at 0.
    """
    names = modalities(pairs)
    y = {m: np.nan_to_num(representations[f"y_{m}"].to_numpy().astype(float)) for m in names}
    u = {m: matrix(representations, f"u_{m}", absent=True) for m in names}
    z = matrix(representations, "z").astype(float)
    has = {m: present(pairs, f"item_{m}") for m in names}
    noise = is_noise(pairs)
    return {
        "share_noise": {m: float(noise[m][has[m]].mean()) for m in names},
        "weights": mean_weights(y, np.array(pairs["pair_type"].to_pylist()), has),
        "distances": distances(z, u, has),
        "centre": float((z.mean(0) ** 2).sum() / max((z**2).sum(1).mean(), 1e-12)),
    }


def normalised_weights(y: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the weights w_m = y_m / sum_m y_m of Eq. 1, (N,) by modality.

    Args:
        y: importances (N,) by modality, 0 where the modality is absent.

    Returns:
        Weights that sum to 1, or are all 0 if all importances are 0 (as in `ima.models.ima.fuse`).

    Raises:
        InputError: there are no modalities, or an importance is not in [0, 1].
    """
    if not y:
        raise InputError("importances", expected="one modality or more", found="none")
    values = np.stack([*y.values()]).astype(float)
    if not ((values >= 0) & (values <= 1)).all():
        raise InputError("importances", expected="numbers in [0, 1]", found="other values")
    total = np.maximum(values.sum(0), np.finfo(np.float32).tiny)
    return dict(zip(y, values / total, strict=True))


def mean_weights(
    y: Mapping[str, np.ndarray],
    pair_types: np.ndarray,
    has: Mapping[str, np.ndarray] | None = None,
) -> list[dict]:
    """Return the mean importance y_m and mean weight w_m = y_m / sum y of each subset of pairs.

    Args:
        y: by modality, importances (N,), 0 where it is absent.
        pair_types: `pair_type` (N,) of the pairs.
        has: by modality, whether each pair has it (N,); None if all do. The mean importance is
            over the pairs that have the modality, the mean weight over all pairs.
    """
    has = has or {m: np.ones(len(pair_types), bool) for m in y}
    w = normalised_weights(y)
    return [
        {
            "modality": m,
            "subset": name,
            "importance": float(y[m][mask & has[m]].mean()),
            "weight": float(w[m][mask].mean()),
        }
        for name, mask in subsets(pair_types).items()
        for m in y
        if (mask & has[m]).any()
    ]


def distances(
    z: np.ndarray, u: Mapping[str, np.ndarray], has: Mapping[str, np.ndarray] | None = None
) -> list[dict]:
    """Return mean ||z - u_m||^2 relative to mean ||z - mean z||^2, the variance of z.

    The ratio is 0 if u_m equals z, and 1 if u_m is as far from its pair's z as the mean of all z
    is. `pairs` is `own`, or `shuffled` if each u_m is compared with the z of another pair.

    Args:
        z: joint representations (N, L).
        u: by modality, latents (N, L).
        has: by modality, whether each pair has it (N,); others are ignored. None if all do.
    """
    has = has or {m: np.ones(len(z), bool) for m in u}
    spread = max(((z - z.mean(0)) ** 2).sum(1).mean(), 1e-12)
    # Shifting by a random number of rows, at least one, gives every pair the z of another.
    shift = int(np.random.default_rng(0).integers(1, max(len(z), 2)))
    return [
        {"modality": m, "pairs": pairs, "distance": _mean_square(to - v, has[m]) / spread}
        for m, v in u.items()
        for pairs, to in (("own", z), ("shuffled", np.roll(z, shift, axis=0)))
    ]


def _mean_square(difference: np.ndarray, mask: np.ndarray) -> float:
    """Return the mean squared norm of the rows (N, L) selected by a mask (N,)."""
    return float((difference[mask] ** 2).sum(1).mean())
