"""Representations of utterances, computed from those of their tokens (Section 5.3).

An utterance of N tokens has N latents u[m] in each modality. Its unimodal representation is their
mean, weighted by importance. Its joint representation is the weighted mean over the tokens of all
modalities, which is Eq. 1 for N = 1.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from ima.models import baselines
from ima.models.ima import IMANetwork
from ima.models.shared_encoders import SharedEncoders
from ima.models.shared_utterances import Tokens
from ima.utils.errors import InputError

JOINT = "joint"

#: The parameter a of Arora, Liang & Ma 2017 (A simple but tough-to-beat baseline for sentence
#: embeddings), who weight a word of frequency p by a / (a + p).
SIF = 1e-3


def weighted_mean(values: np.ndarray, weights: np.ndarray, of: np.ndarray, n: int) -> np.ndarray:
    """Return the weighted mean (n, L) of each group of rows.

    Args:
        values: rows (T, L).
        weights: weights (T,), 0 or more. A group whose weights are all 0 gets its plain mean.
        of: group of each row (T,), 0 to n - 1.
        n: number of groups; none may be empty.

    Raises:
        InputError: a weight is negative, or a group has no rows.
    """
    if (weights < 0).any() or not np.isfinite(weights).all():
        raise InputError("weights", expected="0 or more", found=float(np.min(weights)))
    count = np.bincount(of, minlength=n)
    if len(count) != n or not count.all():
        raise InputError("utterances", expected="a token in each", found=f"{n - (count > 0).sum()}")
    whole = np.bincount(of, weights, n)
    weights = np.where((whole > 0)[of], weights, 1.0)
    whole = np.where(whole > 0, whole, count)
    sums = np.zeros((n, values.shape[1]))
    np.add.at(sums, of, weights[:, None] * values)
    return sums / whole[:, None]


def utterance_means(
    u: Mapping[str, np.ndarray], weights: Mapping[str, np.ndarray], of: np.ndarray, n: int
) -> dict[str, np.ndarray]:
    """Return the representations (n, L) of utterances, by modality and `joint` (5.3).

    Args:
        u: by modality, latents (T, L) of the tokens.
        weights: by modality, weights (T,) of the tokens.
        of: utterance of each token (T,), 0 to n - 1.
        n: number of utterances.
    """
    alone = {m: weighted_mean(values, weights[m], of, n) for m, values in u.items()}
    everything = (np.concatenate([part[m] for m in u]) for part in (u, weights))
    return {JOINT: weighted_mean(*everything, np.tile(of, len(u)), n), **alone}


def groups(items: pa.Table) -> tuple[list[str], np.ndarray]:
    """Return the utterances of ITEMS_EMOTION in order, and each token's utterance index (T,)."""
    names = items["utterance"].to_pylist()
    place = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return list(place), np.array([place[name] for name in names])


def tokens(x: Mapping[str, Tensor], items: pa.Table) -> tuple[list[str], Tokens]:
    """Return the names of utterances, and their tokens.

    Args:
        x: `verbal` and `acoustic`, the matrices (n_m, D_m) of their items.
        items: ITEMS_EMOTION.
    """
    names, of = groups(items)
    rows = {m: torch.from_numpy(items[f"item_{m}"].to_numpy().astype("int64")) for m in x}
    return names, Tokens(x, rows, torch.from_numpy(of))


@torch.no_grad()
def shared_representations(encoders: SharedEncoders, tokens: Tokens) -> dict[str, np.ndarray]:
    """Return the representations (n, L) of utterances by shared encoders, by view.

    Each modality's is the latent of the mean of its tokens; the joint one is their mean.
    """
    g = encoders.encode(tokens.means())
    views = {JOINT: torch.stack(list(g.values())).mean(0), **g}
    return {view: z.cpu().numpy() for view, z in views.items()}


@torch.no_grad()
def latents(
    model: IMANetwork, x: Mapping[str, Tensor]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the latents (n_m, L) and importances (n_m,) of all items, by modality."""
    u, y = {}, {}
    for name, values in x.items():
        parts = values.split(4096)
        encode, weigh = model.autoencoder.encoders[name], model.importance[name]
        u[name] = torch.cat([encode(part) for part in parts]).cpu().numpy()
        y[name] = torch.cat([weigh(part)[0] for part in parts]).cpu().numpy()
    return u, y


def ima_representations(
    model: IMANetwork, x: Mapping[str, Tensor], items: pa.Table, counts: np.ndarray, seed: int
) -> dict[str, dict[str, np.ndarray]]:
    """Return IMA's representations of utterances under several weightings of their tokens.

    Args:
        model: an IMA network with a single copy of each importance network.
        x: `verbal` and `acoustic`, the matrices (n_m, D_m) of their items.
        items: ITEMS_EMOTION.
        counts: occurrences of each word in the corpus (n_verbal,).
        seed: seed of `shuffled`.

    Returns:
        The results of `utterance_means` by weighting: `weighted`, by importance; `unweighted`;
        `shuffled`, by the importances of other items drawn at random, a control; `sif`, words by
        a / (a + p) and voices equally, a control that knows only word frequency.
    """
    u, y = latents(model, x)
    rows = {m: items[f"item_{m}"].to_numpy() for m in x}
    names, of = groups(items)
    rng = np.random.default_rng(seed)
    equal = {m: np.ones(len(values)) for m, values in y.items()}
    weightings = {
        "weighted": y,
        "unweighted": equal,
        "shuffled": {m: rng.permutation(values) for m, values in y.items()},
        "sif": {**equal, "verbal": SIF / (SIF + counts / counts.sum())},
    }
    tokens = {m: u[m][rows[m]] for m in x}
    return {
        name: utterance_means(tokens, {m: values[m][rows[m]] for m in x}, of, len(names))
        for name, values in weightings.items()
    }


def plain_representations(
    tokens: Mapping[str, np.ndarray], of: np.ndarray, n: int
) -> dict[str, np.ndarray]:
    """Return, by view, the plain means (n, D_view) of the tokens' vectors (T, D_view)."""
    return {view: weighted_mean(z, np.ones(len(z)), of, n) for view, z in tokens.items()}


def baseline_tokens(
    model: torch.nn.Module, x: Mapping[str, Tensor], items: pa.Table
) -> dict[str, np.ndarray]:
    """Return a baseline's representations (T, L) of each token and its voice, by view."""
    rows = {
        m: torch.from_numpy(items[f"item_{m}"].to_numpy().astype("int64")).to(x[m].device)
        for m in x
    }
    return {view: z.cpu().numpy() for view, z in baselines.represent(model, x, rows).items()}


def raw_tokens(x: Mapping[str, np.ndarray], items: pa.Table) -> dict[str, np.ndarray]:
    """Return the raw features of each token by modality, and their concatenation as `joint`."""
    alone = {m: values[items[f"item_{m}"].to_numpy()] for m, values in x.items()}
    return {JOINT: np.concatenate(list(alone.values()), axis=1), **alone}


def with_importances(utterances: pa.Table, tokens: pa.Table, importances: pa.Table) -> list[dict]:
    """Return every utterance with its tokens and their importances, for Figure 3.

    Args:
        utterances: EMOTION_UTTERANCES.
        tokens: EMOTION_TOKENS.
        importances: TOKEN_IMPORTANCES.

    Returns:
        Mappings with `id`, `speaker`, `label`, `split`, `tokens`, and the importances `verbal` and
        `acoustic`, one number per token, None for a token that the model does not use.
    """
    keys = ("utterance", "position", "y_verbal", "y_acoustic")
    rows = zip(*(importances[name].to_pylist() for name in keys), strict=True)
    known = {(name, position): y for name, position, *y in rows}
    found = {
        row["id"]: {**row, "tokens": [], "verbal": [], "acoustic": []}
        for row in utterances.select(["id", "speaker", "label", "split"]).to_pylist()
    }
    for row in tokens.select(["utterance", "position", "token"]).to_pylist():
        item = found[row["utterance"]]
        verbal, acoustic = known.get((row["utterance"], row["position"]), (None, None))
        item["tokens"].append(row["token"])
        item["verbal"].append(verbal)
        item["acoustic"].append(acoustic)
    return list(found.values())
