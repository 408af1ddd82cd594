"""Do importances find emotional words and voices? F1 over rho, and what it must beat (5.2, 6.1).

A word is important where a lexicon has it, a voice where its utterance is happy, angry or sad.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from scipy.stats import rankdata
from torch import Tensor

from ima.errors import InputError
from ima.features.lexicon import PACKAGES, load_lexicon
from ima.importance import Stage2, fit_importance, least_of_each
from ima.metrics import f1
from ima.model import IMA, Autoencoder
from ima.schema_emotion import CLASSES, IMPORTANCE_EMOTION

#: The r that the random classifier is tried with.
RANDOM = tuple(i / 10 for i in range(1, 10))
NEUTRAL = CLASSES.index("neutral")


def both_f1(predicted: np.ndarray, actual: np.ndarray) -> dict[str, float]:
    """Return F1 of the important and of the unimportant (booleans (T,)), and their mean (5.2)."""
    important, unimportant = f1(predicted, actual)["f1"], f1(~predicted, ~actual)["f1"]
    return {
        "f1_important": important,
        "f1_unimportant": unimportant,
        "f1_mean": (important + unimportant) / 2,
    }


def auc(values: np.ndarray, actual: np.ndarray) -> float:
    """Return the probability that an important item has the higher value; ties count a half.

    Whatever the threshold: .5 by chance. NaN where all items are of one kind.
    """
    positive = int(actual.sum())
    negative = len(actual) - positive
    if not positive or not negative:
        return float("nan")
    ranks = rankdata(values)[actual].sum() - positive * (positive + 1) / 2
    return float(ranks / (positive * negative))


def auc_within(values: np.ndarray, actual: np.ndarray, strata: np.ndarray) -> float:
    """Return `auc` of pairs of an important and an unimportant item of the same stratum (T,)."""
    total, pairs = 0.0, 0
    for stratum in np.unique(strata):
        own = strata == stratum
        count = int(actual[own].sum()) * int((~actual[own]).sum())
        if count:
            total, pairs = total + count * auc(values[own], actual[own]), pairs + count
    return total / pairs if pairs else float("nan")


def random_f1(share: float, r: float) -> dict[str, float]:
    """Return the F1 of calling each item important with probability r, in expectation of counts.

    With a share p that is important: 2 p r / (p + r), and the same of 1 - p and 1 - r. Harmonic
    means are below arithmetic ones, so that their mean is never above 1/2, whatever p and r.
    """
    important = 2 * share * r / max(share + r, 1e-12)
    unimportant = 2 * (1 - share) * (1 - r) / max(2 - share - r, 1e-12)
    return {
        "f1_important": important,
        "f1_unimportant": unimportant,
        "f1_mean": (important + unimportant) / 2,
    }


def best_threshold(values: np.ndarray, actual: np.ndarray) -> dict[str, float]:
    """Return the greatest mean F1 of calling items of the highest values important.

    The threshold is chosen on the reference itself, which is more than importances may do.

    Returns:
        `rho`, the share that is called important, and those of `both_f1`.
    """
    best: dict[str, float] = {"f1_mean": -1.0}
    for threshold in np.unique(values):
        predicted = values >= threshold
        scores = {"rho": float(predicted.mean()), **both_f1(predicted, actual)}
        best = max(best, scores, key=lambda s: s["f1_mean"])
    return best


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
    """Train networks of every rho and restart at once; return the best one's importances (6.1).

    Args:
        autoencoder: trained; it stays as it is.
        x: by modality, the matrix (n_m, D_m) of its items.
        pairs: by modality, the row numbers (P,) of the training pairs.
        grid: the rho (G values in [0, 1]).
        hidden: width of the importance networks' hidden layers.
        settings: of stage 2; of each rho's `restarts` that of least training loss counts.
        seed: of first weights and the order of pairs.
        held_out: pairs that stage 1 was not trained on; see `ima.importance.fit_importance`.

    Returns:
        By modality, importances (G, n_m) of all its items.

    Raises:
        InputError: a rho outside [0, 1], or as `ima.importance.fit_importance`.
    """
    if not grid or not all(0 <= rho <= 1 for rho in grid):
        raise InputError("rho", expected="numbers in [0, 1]", found=list(grid))
    names = list(autoencoder.modalities)
    copies = [float(value) for value in grid for _ in range(settings.restarts)]  # (G * restarts,)
    rho = dict.fromkeys(names, copies)
    torch.manual_seed(seed)
    model = IMA.around(autoencoder, hidden, rho).to(x[names[0]].device)
    _, final = fit_importance(model, x, pairs, rho, settings, seed, held_out)
    chosen = least_of_each(final, names, settings)
    with torch.no_grad():
        return {
            name: torch.cat(
                [model.importance[name](part)[chosen[name]] for part in x[name].split(2048)], -1
            ).cpu().numpy()
            for name in names
        }  # fmt: skip


def references(
    items: pa.Table, emotional: np.ndarray, truth: pa.Table | None
) -> dict[tuple[str, str], np.ndarray]:
    """Return what counts as important of validation tokens, by modality and reference.

    Args:
        items: ITEMS_EMOTION of the validation part.
        emotional: whether each word is in the lexicon (n_verbal,).
        truth: EMOTION_TRUTH of the demo: a word that tells an emotion, a voice that acts one.
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


def rarity(items: pa.Table, counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return strata (T,) of words of like frequency: seen 2^k to 2^(k+1) - 1 times."""
    return {"verbal": np.floor(np.log2(counts[items["item_verbal"].to_numpy()]))}


def sweep_rows(
    y: Mapping[str, np.ndarray],
    grid: Sequence[float],
    items: pa.Table,
    actual: Mapping[tuple[str, str], np.ndarray],
    strata: Mapping[str, np.ndarray],
) -> list[dict]:
    """Score importances of every rho against every reference; rows of IMPORTANCE_EMOTION.

    Args:
        y: by modality, importances (G, n_m); of .5 or more is called important.
        grid: the rho (G,).
        items: ITEMS_EMOTION of the tokens that are scored.
        actual: of `references`.
        strata: of `rarity`.
    """
    rows = []
    for (modality, reference), important in actual.items():
        own = y[modality][:, items[f"item_{modality}"].to_numpy()]  # (G, T)
        for rho, values in zip(grid, own, strict=True):
            scores = both_f1(values >= 0.5, important)
            scores |= _aucs(values, important, strata.get(modality))
            scores["mean_importance"] = float(values.mean())
            rows.append(_row(modality, reference, "ima", important, rho=rho, **scores))
    return rows


def baseline_rows(
    items: pa.Table,
    actual: Mapping[tuple[str, str], np.ndarray],
    words: pa.Table,
    voices: np.ndarray,
) -> list[dict]:
    """Score what importances must beat; rows of IMPORTANCE_EMOTION.

    `random`: each r of RANDOM. `frequency`: rare words are important. `outlier`: what lies far out
    is important, by the distance of a word's or a voice's vector from the mean. `lexicon <name>`:
    words of an open lexicon; the one that is the reference itself scores 1.

    Args:
        items, actual: as `sweep_rows`.
        words: WORD_VECTORS.
        voices: (n_acoustic, D).
    """
    rows = []
    verbal = items["item_verbal"].to_numpy()
    spread = {"verbal": np.stack(words["x"].to_pylist()), "acoustic": voices}
    far = {m: np.linalg.norm(x - x.mean(0), axis=1) for m, x in spread.items()}
    rare = -words["count"].to_numpy().astype(float)
    strata = rarity(items, -rare)
    for (modality, reference), important in actual.items():
        about = (modality, reference)
        for r in RANDOM:
            chance = {"rho": r, **random_f1(important.mean(), r), "auc": 0.5, "auc_rarity": 0.5}
            rows.append(_row(*about, "random", important, **chance))
        ranked = {"outlier": far[modality][items[f"item_{modality}"].to_numpy()]}
        if modality == "verbal":
            ranked["frequency"] = rare[verbal]
        for by, values in ranked.items():
            found = best_threshold(_coarse(values), important)
            found |= _aucs(values, important, strata.get(modality))
            rows.append(_row(*about, by, important, **found))
        if modality == "verbal":
            rows += [
                _row(*about, f"lexicon {name}", important, **scores)
                for name, scores in _lexicons(words, verbal, important, strata["verbal"])
            ]
    return rows


def _coarse(values: np.ndarray) -> np.ndarray:
    """Return values cut to their hundredths of ranks where there are many, for thresholds."""
    if len(np.unique(values)) <= 200:
        return values
    return np.floor(rankdata(values) / len(values) * 100)


def _aucs(values: np.ndarray, important: np.ndarray, strata: np.ndarray | None) -> dict:
    within = float("nan") if strata is None else auc_within(values, important, strata)
    return {"auc": auc(values, important), "auc_rarity": within}


def _lexicons(words: pa.Table, verbal: np.ndarray, important: np.ndarray, strata: np.ndarray):
    for name in PACKAGES:
        flags = load_lexicon(name).table(words["word"].to_pylist())["emotional"]
        found = flags.to_numpy(zero_copy_only=False)[verbal]
        scores = {**both_f1(found, important), **_aucs(found, important, strata)}
        yield name, {**scores, "rho": float(found.mean())}


def _row(modality: str, reference: str, by: str, important: np.ndarray, **values: float) -> dict:
    about = {"modality": modality, "reference": reference, "by": by}
    about |= {"share_important": float(important.mean()), "tokens": len(important)}
    return {**about, "mean_importance": values.get("rho", np.nan), **values}


def importance_table(rows: Sequence[Mapping]) -> pa.Table:
    """Return the table of IMPORTANCE_EMOTION of rows."""
    return pa.Table.from_pylist(list(rows), schema=IMPORTANCE_EMOTION)
