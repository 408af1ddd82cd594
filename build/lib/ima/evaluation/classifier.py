"""Classification accuracy of representations, by a network of two ReLU layers (Tables 3, 5, 6)."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from ima.evaluation.metrics import subsets
from ima.models.ima import mlp
from ima.training.loop import Training, device, fit
from ima.utils.errors import InputError

LOG = logging.getLogger(__name__)


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


def predict(
    train_x: np.ndarray,
    train_y: np.ndarray,
    test_x: np.ndarray,
    settings: Classifier,
    seed: int,
) -> np.ndarray:
    """Train the classifier on representations and return the classes it predicts for others.

    Vectors are centred and divided by a single number, the square root of the mean variance of the
    training vectors' dimensions, so that the relative scale of the dimensions is preserved.
    Training always runs for all its epochs; no validation samples are needed.

    Args:
        train_x: training representations (N, D).
        train_y: their classes (N,).
        test_x: representations to classify (M, D).
        settings: settings of the classifier.
        seed: seed of the initial weights and of the order of the samples.

    Returns:
        Predicted classes (M,).

    Raises:
        InputError: the arrays' shapes do not match, x has NaN or infinity, or a loss is not finite.
    """
    _check(train_x, train_y, test_x)
    classes, codes = np.unique(train_y, return_inverse=True)
    mean = train_x.mean(0, dtype=np.float64)
    scale = np.sqrt(train_x.var(0, dtype=np.float64).mean()) or 1.0
    train, test = (
        torch.from_numpy(((x - mean) / scale).astype("float32")).to(device())
        for x in (train_x, test_x)
    )
    torch.manual_seed(seed)
    network = mlp(train.shape[1], settings.hidden, settings.hidden, len(classes)).to(device())
    samples = {"x": train, "class": torch.from_numpy(codes).to(device())}
    rows = dict.fromkeys(samples, torch.arange(len(train)))

    def compute_losses(batch):
        """Return the cross-entropy for a batch of representations `x` (B, D) and codes `class`."""
        return {"loss": cross_entropy(network(batch.x["x"]), batch.x["class"])}

    fit(network, compute_losses, samples, rows, settings, seed, "classifier")
    with torch.no_grad():
        return classes[network(test).argmax(-1).cpu().numpy()]


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
    kinds: np.ndarray,
    settings: Classifier,
    seed: int,
    there: Sequence[Mapping[str, np.ndarray]] = ({}, {}),
) -> list[dict]:
    """Return the classification accuracy of each representation, by subset of the test pairs.

    Args:
        train: representations (N, D) of the training pairs, by name.
        test: representations (M, D) of the test pairs, by name.
        labels: classes of the training pairs (N,) and of the test pairs (M,); pairs with a negative
            label are unlabelled and left out.
        kinds: `kind` (M,) of the test pairs.
        settings: settings of the classifier.
        seed: seed of the classifier.
        there: by name, masks of the training pairs (N,) and of the test pairs (M,) that have the
            representation; only needed for representations that some pairs lack.

    Returns:
        Rows of `representation`, `subset` (see `ima.evaluation.metrics.subsets`) and `accuracy`.
    """
    rows = []
    for name, z in train.items():
        known, asked = (
            of.get(name, True) & (own >= 0) for of, own in zip(there, labels, strict=True)
        )
        if not (known.any() and asked.any()):
            LOG.warning("accuracy of %s: no pair with a label to learn from, or to score", name)
            continue
        guess = predict(z[known], labels[0][known], test[name][asked], settings, seed)
        hit = guess == labels[1][asked]
        rows += [
            {"representation": name, "subset": subset, "accuracy": float(hit[mask].mean())}
            for subset, mask in subsets(kinds[asked]).items()
        ]
    return rows


def _check(train_x: np.ndarray, train_y: np.ndarray, test_x: np.ndarray) -> None:
    if len(train_x) != len(train_y) or not len(train_x):
        raise InputError(
            "training samples",
            expected="one or more, with a class each",
            found=f"{len(train_x)} samples, {len(train_y)} classes",
        )
    if train_x.shape[1:] != test_x.shape[1:]:
        raise InputError("test samples", expected=train_x.shape[1:], found=test_x.shape[1:])
    for x in (train_x, test_x):
        if not np.isfinite(x).all():
            raise InputError("representations", expected="finite numbers", found="NaN or infinity")
