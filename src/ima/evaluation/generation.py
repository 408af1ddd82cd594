"""Generation of modalities from others, and its cross-modal coherence.

A generated item is coherent if a classifier trained on real items assigns it to the class of the
items that it was generated from. Generation is deterministic: it decodes z of IMA, or the mean of a
baseline's posterior.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

from ima.evaluation.classifier import Classifier, fit_classifier
from ima.evaluation.item_errors import Clusters, with_interval
from ima.evaluation.reference import JOINT
from ima.evaluation.represent import decode, joint, represent
from ima.evaluation.seeds import over_seeds
from ima.models import baselines
from ima.models.ima import IMANetwork
from ima.pairing.by_label import CLEAN, is_noise, modalities, row_numbers
from ima.utils.arrow import to_table

#: z of IMA with equal importances.
UNWEIGHTED = "joint, unweighted"
#: Seed of the classifiers, which are the same for all models, and of the shuffled labels.
SEED = 0

#: Function from items (N, D) to their classes (N,).
Classify = Callable[[np.ndarray], np.ndarray]


class Task(NamedTuple):
    """What to generate, from what, and for which test pairs.

    Attributes:
        given: a modality, JOINT or UNWEIGHTED.
        generated: a modality.
        subset: CLEAN or the `pair_type` of the pairs.
        rows: numbers (n,) of the pairs in their table.
    """

    given: str
    generated: str
    subset: str
    rows: np.ndarray


@torch.no_grad()
def latents(
    model: nn.Module, x: Mapping[str, Tensor], items: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the latents (N, L) of pairs given each modality alone, and all (JOINT).

    Args:
        model: an `IMANetwork`, which also has latents UNWEIGHTED, or a baseline.
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (N,) of the pairs.
    """
    if not isinstance(model, IMANetwork):
        return baselines.represent(model, x, items)
    found = represent(model, x, items)
    equal = joint(found["u"], None, found["present"])
    return {**found["u"], JOINT: joint(**found), UNWEIGHTED: equal}


def tasks(pairs: pa.Table) -> list[Task]:
    """Return the generation tasks: each modality from each other one, and from all.

    From a single modality, each item that is not noise is used once. All are given for pairs with
    noise, separated by `pair_type`: of a pair with image noise, the image can come
    from speech only.
    """
    names, pair_types = modalities(pairs), pairs["pair_type"].to_numpy(zero_copy_only=False)
    alone = {name: items_once(pairs, name) for name in names}
    found = []
    for generated in names:
        found += [Task(m, generated, CLEAN, alone[m]) for m in names if m != generated]
        for given in (JOINT, UNWEIGHTED):
            for pair_type in sorted({*pair_types.tolist()} - {CLEAN}):
                found.append(
                    Task(given, generated, pair_type, np.flatnonzero(pair_types == pair_type))
                )
    return found


def items_once(pairs: pa.Table, modality: str) -> np.ndarray:
    """Return pairs (n,) that have each item of a modality once, without noise and missing items."""
    rows = row_numbers(pairs, modality)
    usable = np.flatnonzero((rows >= 0) & ~is_noise(pairs)[modality])
    return usable[np.unique(rows[usable], return_index=True)[1]]


def item_classifiers(
    x: Mapping[str, np.ndarray], train: pa.Table, settings: Classifier
) -> dict[str, Classify]:
    """Return by modality a classifier trained on the real items of the training pairs, once each.

    Args:
        x: by modality, the matrix (n_m, D_m) of its items.
        train: training pairs.
        settings: settings of the classifiers.
    """
    labels, found = train["label"].to_numpy(), {}
    for name in modalities(train):
        rows = items_once(train, name)
        of = x[name][row_numbers(train, name)[rows]]
        found[name] = fit_classifier(of, labels[rows], settings, SEED)
    return found


def ceilings(
    classifiers: Mapping[str, Classify], x: Mapping[str, np.ndarray], test: pa.Table
) -> dict[str, float]:
    """Return by modality the accuracy of its classifier on the real items of the test pairs.

    Args:
        classifiers, x: see `item_classifiers`.
        test: test pairs.
    """
    labels, found = test["label"].to_numpy(), {}
    for name, classify in classifiers.items():
        rows = items_once(test, name)
        real = x[name][row_numbers(test, name)[rows]]
        found[name] = float((classify(real) == labels[rows]).mean())
    return found


def coherence_rows(
    model: nn.Module,
    z: Mapping[str, Tensor],
    test: pa.Table,
    asked: Iterable[Task],
    classifiers: Mapping[str, Classify],
) -> list[dict]:
    """Return the cross-modal coherence of a model.

    Args:
        model: an `ima.models.ima.Autoencoder` or a baseline.
        z: latents (N, L) of the test pairs, from `latents`; tasks that they do not serve are left
            out.
        test: test pairs.
        asked: generation tasks.
        classifiers: classifiers of real items, by modality.

    Returns:
        Rows of `given`, `generated`, `subset`, `items` (their number), `coherence`, the share of
        generated items assigned to the right class, with its error over items
        (`ima.evaluation.item_errors.Clusters.error`), and `chance`, the same with shuffled labels.
    """
    labels = test["label"].to_numpy()
    items = {m: row_numbers(test, m) for m in modalities(test)}
    shuffled = np.random.default_rng(SEED).permutation
    rows = []
    for task in asked:
        if task.given not in z:
            continue
        drawn = decode(model, z[task.given][task.rows], task.generated).cpu().numpy()
        guess, right = classifiers[task.generated](drawn), labels[task.rows]
        given = [task.given] if task.given in items else [*items]
        clusters = Clusters([items[m][task.rows] for m in given], len(right))
        rows.append(
            {
                **{name: getattr(task, name) for name in ("given", "generated", "subset")},
                "items": len(right),
                "coherence": float((guess == right).mean()),
                **clusters.error(guess == right),
                "chance": float((guess == shuffled(right)).mean()),
            }
        )
    return rows


def coherence_table(rows: Iterable[Mapping], run: str) -> pa.Table:
    """Return the cross-modal coherence of each model as mean and deviation over seeds.

    Args:
        rows: for each model and seed, `model`, `latent`, `ceiling` of the generated modality
            (`ceilings`) and the columns of `coherence_rows`.
        run: name of the run, for the first column.
    """
    text = ("model", "given", "generated", "subset")
    keys = ("model", "latent", *text[1:], "items", "ceiling")
    flat = [
        {key: row[key] for key in keys}
        | with_interval("coherence", row["coherence"], row)
        | {"chance": row["chance"]}
        for row in rows
    ]
    return to_table(over_seeds(flat, keys, run), text)


def one_per_class(pairs: pa.Table) -> np.ndarray:
    """Return one pair without noise of each class, drawn at random, in the order of the classes."""
    labels = pairs["label"].to_numpy()
    clean = pairs["pair_type"].to_numpy(zero_copy_only=False) == CLEAN
    rng = np.random.default_rng(SEED)
    return np.array(
        [rng.choice(np.flatnonzero(clean & (labels == c))) for c in np.unique(labels[clean])]
    )
