"""F1 over rho of importances as detectors of emotional words and voices (Sections 5.2, 6.1).

A word is important if it is in a lexicon, a voice if its utterance has another class than neutral.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from scipy.stats import rankdata
from torch import Tensor

from ima.evaluation.metrics import f1
from ima.models.ima import Autoencoder, IMANetwork
from ima.models.importance import Stage2, best_of_each, fit_importance
from ima.utils.emotions import EMOTIONS
from ima.utils.errors import InputError

NEUTRAL = EMOTIONS.index("neutral")


def both_f1(predicted: np.ndarray, actual: np.ndarray) -> dict[str, float]:
    """Return F1 of the important and the unimportant class from booleans (T,), and their mean."""
    important, unimportant = f1(predicted, actual)["f1"], f1(~predicted, ~actual)["f1"]
    return {
        "f1_important": important,
        "f1_unimportant": unimportant,
        "macro_f1": (important + unimportant) / 2,
    }


def auc(values: np.ndarray, actual: np.ndarray) -> float:
    """Return the area under the ROC curve of values (T,) as scores of importance.

    This is the probability that an important item has a higher value than an unimportant one, ties
    counting one half. It needs no threshold and is .5 by chance; NaN if only one class is present.
    """
    positive = int(actual.sum())
    negative = len(actual) - positive
    if not positive or not negative:
        return float("nan")
    ranks = rankdata(values)[actual].sum() - positive * (positive + 1) / 2
    return float(ranks / (positive * negative))


def auc_within(values: np.ndarray, actual: np.ndarray, strata: np.ndarray) -> float:
    """Return `auc` over only those pairs of items that belong to the same stratum (T,)."""
    total, pairs = 0.0, 0
    for stratum in np.unique(strata):
        own = strata == stratum
        count = int(actual[own].sum()) * int((~actual[own]).sum())
        if count:
            total, pairs = total + count * auc(values[own], actual[own]), pairs + count
    return total / pairs if pairs else float("nan")


def train_over_rho(
    autoencoder: Autoencoder,
    x: Mapping[str, Tensor],
    pairs: Mapping[str, Tensor],
    grid: Sequence[float],
    hidden: int,
    settings: Stage2,
    seed: int,
    held_out: Mapping[str, Tensor] | None = None,
) -> dict[str, np.ndarray]:
    """Train networks for every rho and restart at once; return the best ones' importances (6.1).

    Args:
        autoencoder, x, hidden, settings, seed: as in `ima.models.importance.train_importance`.
        pairs, held_out: its `items` and `held_out`.
        grid: values of rho (G,) in [0, 1], each with `restarts` copies, of which the one with the
            lowest training loss is kept.

    Returns:
        By modality, the importances (G, n_m) of all its items.

    Raises:
        InputError: a rho is outside [0, 1], or as in `ima.models.importance.fit_importance`.
    """
    if not grid or not all(0 <= rho <= 1 for rho in grid):
        raise InputError("rho", expected="numbers in [0, 1]", found=list(grid))
    names = list(autoencoder.modalities)
    learnt = [float(value) for value in grid if 0 < value < 1]
    copies = [value for value in learnt for _ in range(settings.restarts)]
    rho = dict.fromkeys(names, copies)
    # For rho = 0 or 1, importances are constant: L_local is infinite for any other.
    y = {m: np.repeat(np.float32(grid)[:, None], len(x_m), 1) for m, x_m in x.items()}
    if not learnt:
        return y
    torch.manual_seed(seed)
    model = IMANetwork.from_autoencoder(autoencoder, hidden, rho).to(x[names[0]].device)
    _, final = fit_importance(model, x, pairs, rho, settings, seed, held_out)
    chosen = best_of_each(final, names, settings)
    inside = np.array([0 < value < 1 for value in grid])
    with torch.no_grad():
        for m in names:
            parts = (model.importance[m](part)[chosen[m]] for part in x[m].split(2048))
            y[m][inside] = torch.cat(list(parts), -1).cpu().numpy()
    return y


def references(
    items: pa.Table, emotional: np.ndarray, truth: pa.Table | None
) -> dict[tuple[str, str], np.ndarray]:
    """Return which validation tokens are important, by modality and reference.

    Args:
        items: ITEMS_EMOTION of the validation part.
        emotional: whether each word is in the lexicon (n_verbal,).
        truth: EMOTION_TRUTH of the demo, where a word is important if it expresses an emotion, and
            a voice if it acts one. None for other corpora.
    """
    labels = items["label"].to_numpy()
    found = {
        ("verbal", "lexicon"): emotional[items["item_verbal"].to_numpy()],
        ("acoustic", "emotion"): labels != NEUTRAL,
    }
    if truth is None:
        return found
    columns = [truth[name].to_pylist() for name in ("utterance", "position", "word_emotion")]
    telling = {(name, place) for name, place, word in zip(*columns, strict=True) if word}
    acted = set(truth.filter(pc.greater(truth["level"], 0))["utterance"].to_pylist())
    names, places = items["utterance"].to_pylist(), items["position"].to_pylist()
    own = [key in telling for key in zip(names, places, strict=True)]
    found["verbal", "truth"] = np.array(own)
    found["acoustic", "truth"] = np.array([name in acted for name in names])
    return found


def rarity(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return strata (n_verbal,) of words by frequency: k for 2^k to 2^(k+1) - 1 occurrences."""
    return {"verbal": np.floor(np.log2(counts))}


@dataclass(frozen=True)
class Scored:
    """What one row scores: the tokens or types of a modality against a reference.

    Args:
        modality, reference: as in IMPORTANCE_EMOTION.
        unit: one of `ima.utils.schemas_emotion.UNITS`.
        rows: row (C,) of each token or type in the modality's features.
        important: whether each token or type is important according to the reference (C,).
    """

    modality: str
    reference: str
    unit: str
    rows: np.ndarray
    important: np.ndarray


def scored(items: pa.Table, actual: Mapping[tuple[str, str], np.ndarray]) -> Iterator[Scored]:
    """Yield what is scored against each reference: all tokens, then each distinct item once.

    A type is important if at least half of its tokens are.

    Args:
        items: ITEMS_EMOTION of the validation part.
        actual: result of `references`.
    """
    for (modality, reference), important in actual.items():
        rows = items[f"item_{modality}"].to_numpy()
        yield Scored(modality, reference, "tokens", rows, important)
        types, of = np.unique(rows, return_inverse=True)
        share = np.bincount(of, important) / np.bincount(of)
        yield Scored(modality, reference, "types", types, share >= 0.5)


def sweep_rows(
    y: Mapping[str, np.ndarray],
    grid: Sequence[float],
    items: pa.Table,
    actual: Mapping[tuple[str, str], np.ndarray],
    strata: Mapping[str, np.ndarray],
) -> list[dict]:
    """Score importances for every rho against every reference.

    Args:
        y: by modality, importances (G, n_m); an item counts as important at .5 or more.
        grid: values of rho (G,).
        items: ITEMS_EMOTION of the tokens to score.
        actual: result of `references`.
        strata: result of `rarity`.

    Returns:
        Rows of IMPORTANCE_EMOTION.
    """
    rows = []
    for of in scored(items, actual):
        for rho, values in zip(grid, y[of.modality][:, of.rows], strict=True):  # (C,)
            scores = {**both_f1(values >= 0.5, of.important), **aucs(values, of, strata)}
            scores["mean_importance"] = float(values.mean())
            scores["share_called"] = float((values >= 0.5).mean())
            rows.append(importance_row(of, "ima", rho=rho, **scores))
    return rows


def aucs(values: np.ndarray, of: Scored, strata: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return `auc` and `auc_frequency_matched` of values (C,); the latter is NaN without strata."""
    known = strata.get(of.modality)
    within = float("nan") if known is None else auc_within(values, of.important, known[of.rows])
    return {"auc": auc(values, of.important), "auc_frequency_matched": within}


def importance_row(of: Scored, by: str, draw: int = 0, **values: float) -> dict:
    """Return a row of IMPORTANCE_EMOTION.

    Args:
        of: what is scored.
        by, draw: the columns of the same names.
        values: `rho`, the scores, and the shares if they differ from rho.
    """
    about = {"modality": of.modality, "reference": of.reference, "unit": of.unit, "by": by}
    about |= {"draw": draw, "share_important": float(of.important.mean())}
    called = values["rho"]
    counted = {"count": len(of.rows), "mean_importance": called, "share_called": called}
    return {**about, **counted, **values}
