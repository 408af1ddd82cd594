"""Classification accuracy of representations, by a network of two ReLU layers (Tables 3, 5, 6)."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ima.evaluation.item_errors import Clusters
from ima.evaluation.metrics import modalities_of, subsets
from ima.models.ima import mlp
from ima.pairing.by_label import modalities, row_numbers
from ima.training.loop import Training, device, fit
from ima.utils.errors import InputError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Classifier(Training):
    """Training settings of the classifier and the width of its layers (Table 3).

    Args:
        hidden: units in each of the two layers.
    """

    hidden: int = 100

    def __post_init__(self):
        super().__post_init__()
        if self.hidden < 1:
            raise InputError("hidden", expected="1 unit or more", found=self.hidden)


def fit_classifier(
    x: np.ndarray, y: np.ndarray, settings: Classifier, seed: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Train the classifier on representations and return the function that applies it to others.

    Vectors are centred and divided by a single number, the square root of the mean variance of the
    training vectors' dimensions, so that the relative scale of the dimensions is preserved.
    Training always runs for all its epochs; no validation samples are needed.

    Args:
        x: training representations (N, D).
        y: their classes (N,).
        settings: settings of the classifier.
        seed: seed of the initial weights and of the order of the samples.

    Returns:
        A function from representations (M, D) to predicted classes (M,).

    Raises:
        InputError: the arrays' shapes do not match, x has NaN or infinity, or a loss is not finite.
            The function raises it for representations of another width, or with such values.
    """
    if len(x) != len(y) or not len(x):
        raise InputError(
            "training samples",
            expected="one or more, with a class each",
            found=f"{len(x)} samples, {len(y)} classes",
        )
    _check(x, x.shape[1:])
    classes, codes = np.unique(y, return_inverse=True)
    mean = x.mean(0, dtype=np.float64)
    scale = np.sqrt(x.var(0, dtype=np.float64).mean()) or 1.0

    def scaled(x: np.ndarray) -> Tensor:
        """Return x (M, D) on the scale of the training vectors."""
        return torch.from_numpy(((x - mean) / scale).astype("float32")).to(device())

    torch.manual_seed(seed)
    network = mlp(x.shape[1], settings.hidden, settings.hidden, len(classes)).to(device())
    samples = {"x": scaled(x), "class": torch.from_numpy(codes).to(device())}
    rows = dict.fromkeys(samples, torch.arange(len(x)))

    def compute_losses(batch):
        """Return the cross-entropy for a batch of representations `x` (B, D) and codes `class`."""
        return {"loss": cross_entropy(network(batch.x["x"]), batch.x["class"])}

    fit(network, compute_losses, samples, rows, settings, seed, "classifier")

    @torch.no_grad()
    def apply(others: np.ndarray) -> np.ndarray:
        """Return the predicted classes (M,) of representations (M, D)."""
        _check(others, x.shape[1:])
        return classes[network(scaled(others)).argmax(-1).cpu().numpy()]

    return apply


def predict(
    train_x: np.ndarray,
    train_y: np.ndarray,
    test_x: np.ndarray,
    settings: Classifier,
    seed: int,
) -> np.ndarray:
    """Return the classes (M,) of test representations (M, D) by a classifier trained on others.

    Arguments and exceptions are those of `fit_classifier` and its result.
    """
    return fit_classifier(train_x, train_y, settings, seed)(test_x)


def classify(
    train_x: np.ndarray,
    train_y: np.ndarray,
    test_x: np.ndarray,
    test_y: np.ndarray,
    settings: Classifier,
    seed: int,
) -> float:
    """Return the test accuracy in [0, 1]; arguments and exceptions are those of `predict`."""
    return float((predict(train_x, train_y, test_x, settings, seed) == test_y).mean())


def accuracy_rows(
    train: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    labels: Sequence[np.ndarray],
    pairs: pa.Table,
    settings: Classifier,
    seed: int,
    has: Sequence[Mapping[str, np.ndarray]] = ({}, {}),
) -> list[dict]:
    """Return the classification accuracy of each representation, by subset of the test pairs.

    Args:
        train: representations (N, D) of the training pairs, by name.
        test: representations (M, D) of the test pairs, by name.
        labels: classes of the training pairs (N,) and of the test pairs (M,); pairs with a negative
            label are unlabelled and left out.
        pairs: the test pairs, a table of `ima.utils.schemas.pairs_schema`.
        settings: settings of the classifier.
        seed: seed of the classifier.
        has: by name, masks of the training pairs (N,) and of the test pairs (M,) that have the
            representation; only needed for representations that some pairs lack.

    Returns:
        Rows of `representation`, `subset` (see `ima.evaluation.metrics.subsets`), `accuracy` and
        its error over items (`ima.evaluation.item_errors.Clusters.error`).
    """
    pair_types = np.array(pairs["pair_type"].to_pylist())
    items = {m: row_numbers(pairs, m) for m in modalities(pairs)}
    rows = []
    for name, z in train.items():
        known, scored = (
            masks.get(name, True) & (y >= 0) for masks, y in zip(has, labels, strict=True)
        )
        if not (known.any() and scored.any()):
            logger.warning("accuracy of %s: no pair with a label to learn from, or to score", name)
            continue
        guess = predict(z[known], labels[0][known], test[name][scored], settings, seed)
        hit = guess == labels[1][scored]
        given = [items[m][scored] for m in modalities_of(name, items)]
        for subset, mask in subsets(pair_types[scored]).items():
            row = {"representation": name, "subset": subset, "accuracy": float(hit[mask].mean())}
            clusters = Clusters([of[mask] for of in given], int(mask.sum()))
            rows.append(row | clusters.error(hit[mask]))
    return rows


def _check(x: np.ndarray, shape: tuple[int, ...]) -> None:
    """Raise InputError unless x (N, *shape) has finite values."""
    if x.shape[1:] != shape:
        raise InputError("test samples", expected=shape, found=x.shape[1:])
    if not np.isfinite(x).all():
        raise InputError("representations", expected="finite numbers", found="NaN or infinity")
