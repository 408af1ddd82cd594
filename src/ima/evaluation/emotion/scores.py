"""Scores of utterance representations: Precision@10 (Table 2) and accuracy (Table 6)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ima.evaluation.classifier import Classifier, predict
from ima.evaluation.item_errors import Clusters, recall_values
from ima.evaluation.metrics import lower_k, precision_by_choice
from ima.evaluation.neighbours import CHOICES
from ima.pairing.shared_items import most_neighbours
from ima.utils.emotions import OTHER

#: Scores of single utterances, whose mean is the score, by name and K.
Values = dict[tuple[str, int | None], np.ndarray]
#: Weighting of the rows that give the gain from importances.
GAIN = "weighted - unweighted"


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

    @property
    def scored(self) -> Clusters:
        """Return the validation utterances, grouped by their speakers."""
        speakers = self.speakers[self.part("validation")]
        return Clusters([np.unique(speakers, return_inverse=True)[1]], len(speakers))


def score(
    z: np.ndarray, about: Utterances, k: Sequence[int], settings: Classifier, seed: int
) -> Values:
    """Score one representation by retrieval among validation utterances and by classification.

    Args:
        z: representations (n, L) of utterances, row for row with `about`.
        about: classes, splits and speakers.
        k: values of K for Precision@K; larger ones than the utterances allow are lowered, and the
            log says so.
        settings, seed: of the classifier, which is trained on the labelled training utterances.

    Returns:
        Values (n,) of the validation utterances, whose mean is the score: `precision` (P@K),
        `precision_cross_speaker` (P@K without neighbours by the query's own speaker; absent if all
        are by one speaker), `accuracy`, and `uar`, the unweighted average recall.
    """
    train, test = about.part("train"), about.part("validation")
    labels = about.labels[test]
    speakers = about.speakers[test]
    several = len(np.unique(speakers)) > 1
    choices, apart = (CHOICES, [speakers]) if several else (CHOICES[:1], [])
    k = lower_k(k, most_neighbours(apart, len(labels)), "Precision@K of utterances")
    names = {"all": "precision", "distinct": "precision_cross_speaker"}
    values: Values = {
        (names[choice], top): value
        for choice, found in precision_by_choice(z[test], labels, k, [speakers], choices).items()
        for top, value in found.items()
    }
    predicted = predict(z[train], about.labels[train], z[test], settings, seed)
    return values | _classified(predicted, labels)


def _classified(predicted: np.ndarray, labels: np.ndarray) -> Values:
    accuracy = (predicted == labels).astype(float)
    return {("accuracy", None): accuracy, ("uar", None): recall_values(predicted, labels)}


def as_rows(values: Values, clusters: Clusters) -> list[dict]:
    """Return rows of `score`, `k`, `value`, the mean, and its error over speakers."""
    return [
        {"score": name, "k": k, "value": float(of.mean()), **clusters.error(of)}
        for (name, k), of in values.items()
    ]


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
        Rows of `model`, `weighting`, `representation` and the columns of `as_rows`. For views with
        the weightings `weighted` and `unweighted`, also the differences of their scores, GAIN.
    """
    found = {
        (model, weighting, view): score(z, about, k, settings, seed)
        for model, weighting, views in representations
        for view, z in views.items()
    }
    for model, view in [(m, v) for m, weighting, v in found if weighting == "weighted"]:
        equal = found[model, "unweighted", view]
        weighted = found[model, "weighted", view]
        found[model, GAIN, view] = {name: of - equal[name] for name, of in weighted.items()}
    clusters = about.scored
    return [
        {"model": model, "weighting": weighting, "representation": view, **row}
        for (model, weighting, view), values in found.items()
        for row in as_rows(values, clusters)
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
    values = _classified(same, about.labels[test])
    named = {"weighting": "", "representation": "joint"}
    rows = [{"model": "majority", **named, **row} for row in as_rows(values, about.scored)]
    labels, rng = about.labels.copy(), np.random.default_rng(seed)
    for part in (train, test):
        labels[part] = rng.permutation(labels[part])
    shuffled = Utterances(labels, about.split, about.speakers)
    found = as_rows(score(z, shuffled, k, settings, seed), about.scored)
    return rows + [{"model": "chance", **named, **row} for row in found]
