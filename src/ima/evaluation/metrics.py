"""Metrics: Precision@K of retrieval (Section 5.4) and F1 of importances (Section 5.2)."""

import logging
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from ima.evaluation.item_errors import Clusters
from ima.evaluation.neighbours import CHOICES, neighbours_by_choice
from ima.pairing.by_label import CLEAN, is_noise, modalities, row_numbers
from ima.pairing.shared_items import most_neighbours
from ima.utils.arrow import matrix, present
from ima.utils.errors import InputError

logger = logging.getLogger(__name__)


def lower_k(k: Sequence[int], most: int, where: str) -> list[int]:
    """Return the values of K, lowered to at most `most`, and log if that changes any."""
    if max(k) > most:
        logger.warning(
            "%s: K of %s is lowered to %s, as there are too few pairs",
            where,
            [*k],
            most or "none",
        )
    return list(dict.fromkeys(min(value, most) for value in k)) if most else []


def precision_at_k(
    z: np.ndarray, labels: np.ndarray, k: Sequence[int], shared: Sequence[np.ndarray] = ()
) -> dict[int, np.ndarray]:
    """Return each sample's Precision@K: the share of its K nearest others with its label (5.4).

    Args:
        z: representations (N, L).
        labels: labels (N,).
        k: values of K.
        shared: as in `ima.evaluation.neighbours.neighbours`.

    Returns:
        By K, values (N,) in [0, 1]; their mean is the score.

    Raises:
        InputError: as in `ima.evaluation.neighbours.neighbours`.
    """
    choice = CHOICES[len(shared) > 0]
    return precision_by_choice(z, labels, k, shared, [choice])[choice]


def precision_by_choice(
    z: np.ndarray,
    labels: np.ndarray,
    k: Sequence[int],
    shared: Sequence[np.ndarray],
    choices: Sequence[str] = CHOICES,
) -> dict[str, dict[int, np.ndarray]]:
    """Return `precision_at_k` by choice of neighbours, for which distances are computed once.

    Args:
        z, labels, k, shared: as in `precision_at_k`.
        choices: some of `ima.evaluation.neighbours.CHOICES`; `all` ignores `shared`.
    """
    found = {}
    for choice, nearest in neighbours_by_choice(z, max(k), shared, choices).items():
        hits = labels[nearest] == labels[:, None]  # (N, K)
        found[choice] = {top: hits[:, :top].mean(1) for top in k}
    return found


def f1(predicted: np.ndarray, actual: np.ndarray) -> dict[str, float]:
    """Return precision, recall and F1 of a class from booleans (N,); 0 where undefined (5.2)."""
    hit = int((predicted & actual).sum())
    precision = hit / max(int(predicted.sum()), 1)
    recall = hit / max(int(actual.sum()), 1)
    total = int(predicted.sum()) + int(actual.sum())
    return {"precision": precision, "recall": recall, "f1": 2 * hit / max(total, 1)}


def noise_scores(y: np.ndarray, is_noise: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    """Score importances y (N,) as a noise detector that flags items below the threshold (5.2).

    Returns:
        `precision_noise`, `recall_noise`, `f1_noise`, and `accuracy`.
    """
    predicted = y < threshold
    scores = {f"{name}_noise": value for name, value in f1(predicted, is_noise).items()}
    return {**scores, "accuracy": float((predicted == is_noise).mean())}


def importance_scores(y: np.ndarray, is_noise: np.ndarray) -> dict[str, float]:
    """Score importances y (M,) against noise labels (M,): both classes, and the mean importance.

    An item counts as noise if its importance is below .5, otherwise as important (5.2).
    `f1_shuffled` is a control: the mean of `f1_noise` over all permutations of the importances,
    2 p s / (p + s) for a share p of noise and a share s of items that count as noise.
    """
    noise = noise_scores(y, is_noise)
    selected = {name: noise[name] for name in ("precision_noise", "recall_noise", "f1_noise")}
    shares = float(is_noise.mean()), float((y < 0.5).mean())
    selected["f1_shuffled"] = 2 * shares[0] * shares[1] / (sum(shares) or 1.0)
    important = f1(y >= 0.5, ~is_noise)["f1"]
    return {**selected, "f1_important": important, "mean_importance": float(y.mean())}


def subsets(pair_types: np.ndarray) -> dict[str, np.ndarray]:
    """Return masks (N,) of the queries to score together: all, and those of each kind of noise."""
    parts = {name: set(name.split("+")) for name in np.unique(pair_types).tolist()}
    noisy = {
        part: np.isin(pair_types, [name for name in parts if part in parts[name]])
        for part in sorted(set().union(*parts.values()) - {CLEAN})
    }
    return {"all": np.ones(len(pair_types), bool), **noisy}


def modalities_of(view: str, names: Iterable[str]) -> list[str]:
    """Return the modalities that a representation is computed from, by its name in tables.

    Args:
        view: a modality, `shared_<modality>`, `contrastive_<modality>`, `without <modality>`, or
            the name of a joint representation.
        names: the modalities.
    """
    names = [*names]
    if view.startswith("without "):
        return [m for m in names if m != view.removeprefix("without ")]
    return next(([m] for m in names if view in (m, f"shared_{m}", f"contrastive_{m}")), names)


def retrieval_rows(
    z: np.ndarray,
    labels: np.ndarray,
    pair_types: np.ndarray,
    items: Sequence[np.ndarray],
    k: Sequence[int],
    has: np.ndarray | None = None,
    grouping: Sequence[np.ndarray] | None = None,
) -> list[dict]:
    """Return mean Precision@K of one representation, for every K, subset and choice of neighbours.

    Args:
        z: representations (N, L).
        labels: classes (N,).
        pair_types: `pair_type` (N,) of the pairs.
        items: by modality, the row numbers (N,) of the pairs' items, negative where one is absent.
        k: values of K; larger ones than the pairs allow are lowered, and the log says so.
        has: whether each pair has the representation (N,); others are neither queries nor
            neighbours, nor are pairs without a label (negative). None if all have it.
        grouping: those of `items` that the representation is computed from, by which its errors
            are grouped; None for all.

    Returns:
        Rows of `k`, `neighbours` (`all`, or `distinct`, which excludes pairs that share the query's
        clip or image), `subset` of the queries, `precision`, and its error over items
        (`ima.evaluation.item_errors.Clusters.error`).
    """
    has = labels >= 0 if has is None else has & (labels >= 0)
    grouping = items if grouping is None else grouping
    if not has.all():
        z, labels, pair_types = z[has], labels[has], pair_types[has]
        items, grouping = ([numbers[has] for numbers in of] for of in (items, grouping))
    k = lower_k(k, most_neighbours(items, len(z)), "Precision@K")
    if not k:
        return []
    scored = {
        name: (mask, Clusters([numbers[mask] for numbers in grouping], int(mask.sum())))
        for name, mask in subsets(pair_types).items()
    }
    return [
        {"k": top, "neighbours": choice, "subset": name, "precision": float(value[mask].mean())}
        | clusters.error(value[mask])
        for choice, precision in precision_by_choice(z, labels, k, items).items()
        for top, value in precision.items()
        for name, (mask, clusters) in scored.items()
    ]


def score_views(
    z: Mapping[str, np.ndarray],
    pairs: pa.Table,
    k: Sequence[int],
    has: Mapping[str, np.ndarray] | None = None,
) -> list[dict]:
    """Score representations of the test pairs by retrieval.

    Args:
        z: representations (N, L) by name, row for row with `pairs`.
        pairs: table of `ima.utils.schemas.pairs_schema`.
        k: values of K.
        has: by name, whether each pair has the representation (N,); needed only for
            representations that some pairs lack. By default, a modality's representation exists in
            the pairs that have the modality.

    Returns:
        Rows of `representation`, the name, and the columns of `retrieval_rows`.

    Raises:
        InputError: the numbers of representations and pairs differ.
    """
    _check_rows(z, pairs)
    pair_types = np.array(pairs["pair_type"].to_pylist())
    items = {m: row_numbers(pairs, m) for m in modalities(pairs)}
    has = {m: rows >= 0 for m, rows in items.items()} | dict(has or {})
    query = (pairs["label"].to_numpy(), pair_types, [*items.values()], k)
    return [
        {"representation": name, **row}
        for name, values in z.items()
        for row in retrieval_rows(
            values, *query, has.get(name), [items[m] for m in modalities_of(name, items)]
        )
    ]


def _check_rows(z: Mapping[str, np.ndarray], pairs: pa.Table) -> None:
    for values in z.values():
        if len(values) != len(pairs):
            raise InputError("representations", expected=f"{len(pairs)} rows", found=len(values))


def score_model(
    representations: pa.Table,
    pairs: pa.Table,
    k: Sequence[int],
    others: Mapping[str, Mapping[str, np.ndarray]] | None = None,
) -> dict:
    """Score one model's representations and importances of the test pairs.

    The scored representations are `weighted`, `unweighted` and each modality; with three or more
    modalities, also the weighted one `without` each modality; and if there is noise, `oracle`, with
    weight 0 for noise and 1 for everything else, which is what true importances would give. With
    `others`, also `<name>`, `<name>_unweighted` and `<name>_<modality>`, the same of other latents.

    Args:
        representations: table of `ima.utils.schemas.representations_schema`, row for row with
            `pairs`.
        pairs: table of `ima.utils.schemas.pairs_schema`.
        k: values of K.
        others: by name and modality, other latents (N, L), such as shared parts
            (`ima.models.shared`).

    Returns:
        `retrieval`: rows of `score_views`;
        `noise`: by modality, the scores of `noise_scores`.

    Raises:
        InputError: the tables have different lengths.
    """
    names = modalities(pairs)
    columns = {"weighted": "z", "unweighted": "z_unweighted"}
    views = {name: matrix(representations, column) for name, column in columns.items()}
    u = {m: matrix(representations, f"u_{m}", absent=True) for m in names}
    y = {m: np.nan_to_num(representations[f"y_{m}"].to_numpy()) for m in names}  # null: 0
    views |= u
    _check_rows(views, pairs)
    has = {m: _present(representations, pairs, m) for m in names}
    has_view = {}
    if len(names) > 2:  # with two, what remains is the other modality's own representation
        for m in names:
            rest = {n: u[n] for n in names if n != m}
            views[f"without {m}"] = fused(rest, y, has)
            has_view[f"without {m}"] = np.any([has[n] for n in rest], axis=0)
    noise = is_noise(pairs)
    if any(noisy.any() for noisy in noise.values()):
        views["oracle"] = fused(u, {m: ~noisy for m, noisy in noise.items()}, has)
    for name, latents in (others or {}).items():
        views |= _views_of(name, latents, y, has)
        has_view |= {f"{name}_{m}": has[m] for m in names}
    retrieval = score_views(views, pairs, k, has_view)
    noise = {m: noise_scores(y[m][has[m]], noisy[has[m]]) for m, noisy in noise.items()}
    return {"retrieval": retrieval, "noise": noise}


def _views_of(
    name: str,
    latents: Mapping[str, np.ndarray],
    y: Mapping[str, np.ndarray],
    has: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Return other latents (N, L) fused, weighted by y and not, and of each modality, by name."""
    known = {m: part * has[m][:, None] for m, part in latents.items()}
    both = {name: fused(known, y, has), f"{name}_unweighted": fused(known, has, has)}
    return both | {f"{name}_{m}": part for m, part in known.items()}


def _present(representations: pa.Table, pairs: pa.Table, modality: str) -> np.ndarray:
    """Return which pairs (N,) have a modality; both tables must agree."""
    has = present(pairs, f"item_{modality}")
    for column in (f"u_{modality}", f"y_{modality}"):
        differs = present(representations, column) != has
        if differs.any():
            raise InputError(
                f"representations, column '{column}'",
                expected=f"nothing where the pair lacks {modality}, and nowhere else",
                found=f"{int(differs.sum())} rows that differ, the first {int(differs.argmax())}",
                do="Recompute the representations from these pairs.",
            )
    return has


def fused(
    u: Mapping[str, np.ndarray],
    y: Mapping[str, np.ndarray],
    present: Mapping[str, np.ndarray] | None = None,
) -> np.ndarray:
    """Return z (N, L) of pairs by Eq. 1, over the modalities of u.

    The result is that of `ima.evaluation.represent.joint`.

    Args:
        u: latents (N, L) of some or all modalities, by name; 0 where one is absent.
        y: importances (N,) of at least these modalities.
        present: by modality, whether each pair has it (N,); None if all do.
    """
    if len(u) == 1:
        return next(iter(u.values()))
    if present is not None:
        y = {m: y[m] * present[m] for m in u}
    total = np.maximum(sum(y[m].astype(np.float32) for m in u), np.finfo(np.float32).tiny)
    z = sum(y[m][:, None] * u[m] for m in u) / total[:, None]
    if present is not None:
        at_most_one = sum(present[m].astype(int) for m in u) <= 1
        z = np.where(at_most_one[:, None], sum(u.values()), z)
    return z
