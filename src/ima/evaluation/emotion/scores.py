"""Scores of utterance representations: Precision@10 (Table 2) and accuracy (Table 6)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ima.evaluation.classifier import Classifier, predict
from ima.evaluation.metrics import precision_by_choice
from ima.evaluation.neighbours import CHOICES
from ima.utils.emotions import OTHER


@dataclass(frozen=True)
class Utterances:
    """Class (n,), split (n,) and speaker (n,) of utterances."""

    labels: np.ndarray
    split: np.ndarray
    speakers: np.ndarray

    @classmethod
    def of(cls, table: pa.Table, names: Sequence[str]) -> "Utterances":
        """Return the class, split and speaker of utterances, given their names, in that order."""
        columns = ("label", "split", "speaker")
        about = {row["id"]: row for row in table.select(["id", *columns]).to_pylist()}
        return cls(*(np.array([about[name][column] for name in names]) for column in columns))

    def part(self, split: str) -> np.ndarray:
        """Return which utterances (n,) of a split belong to one of the classes."""
        return (self.split == split) & (self.labels != OTHER)


def score(
    z: np.ndarray, about: Utterances, k: Sequence[int], settings: Classifier, seed: int
) -> list[dict]:
    """Score one representation by retrieval among validation utterances and by classification.

    Args:
        z: representations (n, L) of utterances, row for row with `about`.
        about: classes, splits and speakers.
        k: values of K for Precision@K.
        settings, seed: of the classifier, which is trained on the labelled training utterances.

    Returns:
        Rows of `score`, `k` and `value`. The scores are `precision` (mean P@K),
        `precision_cross_speaker` (P@K without neighbours by the query's own speaker; no row if all
        are by one speaker), `accuracy`, and `uar`, the unweighted average recall.
    """
    train, test = about.part("train"), about.part("validation")
    labels = about.labels[test]
    speakers = about.speakers[test]
    choices = CHOICES if len(np.unique(speakers)) > 1 else CHOICES[:1]
    names = {"all": "precision", "distinct": "precision_cross_speaker"}
    rows = [
        {"score": names[choice], "k": top, "value": float(value.mean())}
        for choice, found in precision_by_choice(z[test], labels, k, [speakers], choices).items()
        for top, value in found.items()
    ]
    predicted = predict(z[train], about.labels[train], z[test], settings, seed)
    accuracy = float((predicted == labels).mean())
    rows.append({"score": "accuracy", "k": None, "value": accuracy})
    rows.append({"score": "uar", "k": None, "value": uar(predicted, labels)})
    return rows


def score_all(
    representations: Iterable[tuple[str, str, Mapping[str, np.ndarray]]],
    about: Utterances,
    k: Sequence[int],
    settings: Classifier,
    seed: int,
) -> list[dict]:
    """Score the views of many models.

    Args:
        representations: model, weighting and, by view (joint, verbal, acoustic), vectors (n, L).
        about, k, settings, seed: as in `score`.

    Returns:
        Rows of `model`, `weighting`, `representation` and the columns of `score`.
    """
    return [
        {"model": model, "weighting": weighting, "representation": view, **row}
        for model, weighting, views in representations
        for view, z in views.items()
        for row in score(z, about, k, settings, seed)
    ]


def anchors(
    z: np.ndarray, about: Utterances, k: Sequence[int], settings: Classifier, seed: int
) -> list[dict]:
    """Return rows of two chance-level references, `majority` and `chance`.

    `majority` predicts the training part's commonest class for every utterance. `chance` is `score`
    with the classes shuffled among the utterances of each split.
    """
    train, test = about.part("train"), about.part("validation")
    commonest = np.bincount(about.labels[train]).argmax()
    same = np.full(test.sum(), commonest)
    values = {"accuracy": (same == about.labels[test]).mean()}
    values["uar"] = uar(same, about.labels[test])
    named = {"weighting": "", "representation": "joint"}
    rows = [
        {"model": "majority", **named, "score": name, "k": None, "value": float(value)}
        for name, value in values.items()
    ]
    labels, rng = about.labels.copy(), np.random.default_rng(seed)
    for part in (train, test):
        labels[part] = rng.permutation(labels[part])
    shuffled = Utterances(labels, about.split, about.speakers)
    found = score(z, shuffled, k, settings, seed)
    return rows + [{"model": "chance", **named, **row} for row in found]


def uar(predicted: np.ndarray, actual: np.ndarray) -> float:
    """Return the unweighted average recall over classes, 1 / (number of classes) by chance.

    Args:
        predicted, actual: labels (M,). The classes are those in `actual`.
    """
    return float(np.mean([(predicted[actual == c] == c).mean() for c in np.unique(actual)]))
