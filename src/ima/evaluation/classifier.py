"""Accuracy of a classifier on representations: a network of two ReLU layers (Tables 3, 5 and 6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from ima.evaluation.metrics import subsets
from ima.models.ima import mlp
from ima.training.loop import Training, device, fit
from ima.utils.errors import InputError


@dataclass(frozen=True)
class Classifier(Training):
    """Settings of the classifier (Table 3): beside those of training, the width of its layers.

    Args:
        hidden: units of each of the two layers.
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
    """Train the classifier on representations, and return the classes it gives to others.

    Vectors are centred and divided by one number, the root mean variance of the training vectors'
    dimensions: how much a representation makes of each dimension stays. All of the training runs
    its epochs; nothing is chosen, so no other samples are needed.

    Args:
        train_x: (N, D).
        train_y: classes (N,).
        test_x: (M, D).
        settings: of the classifier.
        seed: of its first weights and the order of samples.

    Returns:
        Classes (M,).

    Raises:
        InputError: arrays do not fit, NaN or infinity in x, or a loss that is no number.
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
        """Return the cross-entropy of a batch of representations `x` (B, D) and codes `class`."""
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
    """Return the accuracy, in [0, 1], on test samples; arguments and raises as `predict`."""
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
    """Return the accuracy of a classifier of each representation, by subset of the test pairs.

    Args:
        train: representations (N, D) of the training pairs, by name.
        test: those of the test pairs (M, D).
        labels: of the training pairs (N,), and of the test pairs (M,).
        kinds: `kind` (M,) of the test pairs.
        settings: of the classifier.
        seed: of the classifier.
        there: whether the training pairs (N,), and the test pairs (M,), have a representation, by
            name, of those that not all have.

    Returns:
        Rows of `representation`, `subset` (see `ima.evaluation.metrics.subsets`) and `accuracy`.
    """
    rows = []
    for name, z in train.items():
        known, asked = (of.get(name, slice(None)) for of in there)
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
