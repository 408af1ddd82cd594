"""What importances make of pairs: their weights in z, and how far latents are from it (6.3)."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from ima.columns import matrix
from ima.metrics import subsets
from ima.pairing import is_noise, modalities


def fusion_scores(representations: pa.Table, pairs: pa.Table) -> dict:
    """Return the weights of modalities in Eq. 1, and how near their latents are to z.

    Args:
        representations: table of `ima.schema.representations_schema`, row for row with `pairs`.
        pairs: table of `ima.schema.pairs_schema`.

    Returns:
        `share_noise`: by modality, the share of its items that are noise;
        `weights`: rows of `modality`, `subset`, mean `importance` and mean `weight`;
        `distances`: rows of `modality`, `pairs` and `distance`;
        `centre`: ||mean z||^2 as a share of mean ||z||^2, 0 where z is centred at 0.
    """
    names = modalities(pairs)
    here = {m: representations[f"y_{m}"].is_valid().to_numpy() for m in names}
    # NaN where a pair lacks the modality
    y = {m: representations[f"y_{m}"].to_numpy().astype(float) for m in names}
    u = {m: matrix(representations.filter(pa.array(here[m])), f"u_{m}") for m in names}
    z = matrix(representations, "z").astype(float)
    return {
        "share_noise": {m: float(noisy[here[m]].mean()) for m, noisy in is_noise(pairs).items()},
        "weights": weights(y, np.array(pairs["kind"].to_pylist())),
        "distances": [row for m in names for row in distances(z[here[m]], {m: u[m]})],
        "centre": float((z.mean(0) ** 2).sum() / max((z**2).sum(1).mean(), 1e-12)),
    }


def weights(y: Mapping[str, np.ndarray], kinds: np.ndarray) -> list[dict]:
    """Return mean importance y_m and mean weight w_m = y_m / sum y of the pairs of each subset.

    Args:
        y: by modality, importances (N,), NaN where a pair lacks it: its weight is 0. Where all of a
            pair are 0 its weights are equal.
        kinds: `kind` (N,) of the pairs.
    """
    total = sum(np.nan_to_num(values) for values in y.values())
    safe = np.where(total > 0, total, 1)
    w = {m: np.where(total > 0, np.nan_to_num(of) / safe, 1 / len(y)) for m, of in y.items()}
    return [
        {
            "modality": m,
            "subset": name,
            "importance": float(np.nanmean(y[m][mask])),
            "weight": float(w[m][mask].mean()),
        }
        for name, mask in subsets(kinds).items()
        for m in y
        if not np.isnan(y[m][mask]).all()
    ]


def distances(z: np.ndarray, u: Mapping[str, np.ndarray]) -> list[dict]:
    """Return mean ||z - u_m||^2 relative to mean ||z - mean z||^2, the variance of z.

    It is 0 where both are the same, and 1 where u_m is as far from its pair's z as the mean of all
    z is. `pairs`: `own`, or `shuffled`, each u_m against the z of another pair.

    Args:
        z: joint representations (N, L).
        u: by modality, latents (N, L).
    """
    spread = max(((z - z.mean(0)) ** 2).sum(1).mean(), 1e-12)
    # Rolled by a random number of rows, no pair keeps its own.
    shift = int(np.random.default_rng(0).integers(1, max(len(z), 2)))
    return [
        {"modality": m, "pairs": pairs, "distance": float(((to - v) ** 2).sum(1).mean() / spread)}
        for m, v in u.items()
        for pairs, to in (("own", z), ("shuffled", np.roll(z, shift, axis=0)))
    ]
