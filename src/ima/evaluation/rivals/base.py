"""What unsupervised detectors of noise are given, and how their scores become decisions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ima.models.contrastive import two_groups
from ima.models.ima import Autoencoder, Modality
from ima.training.loop import Training

#: Largest number of principal components of a modality.
COMPONENTS = 50


@dataclass(frozen=True)
class Given:
    """What a detector may use: items, pairs and trained models, but no labels.

    Args:
        x: by modality, the matrix (n_m, D_m) of its items.
        pairs: by split (`train`, `validation`, `test`) and modality, row numbers (N,).
        autoencoder: IMA's encoders and decoders, trained on these pairs (stage 1).
        training: settings with which a detector trains its own networks.
        seed: seed of all random choices.
    """

    x: Mapping[str, Tensor]
    pairs: Mapping[str, Mapping[str, Tensor]]
    autoencoder: Autoencoder
    training: Training
    seed: int

    @property
    def modalities(self) -> dict[str, Modality]:
        """Return the modalities, with their dimensions and hidden layers."""
        return self.autoencoder.modalities

    def test(self) -> dict[str, Tensor]:
        """Return the items (N, D_m) of the test pairs, by modality."""
        return {m: self.x[m][rows] for m, rows in self.pairs["test"].items()}


#: Returns by modality, for each test pair (N,), how likely its item is noise: higher for noise.
Detector = Callable[[Given], dict[str, np.ndarray]]


def by_pair(score: np.ndarray, given: Given) -> dict[str, np.ndarray]:
    """Return the score (N,) of the pairs for each modality: it does not say which item is noise."""
    return dict.fromkeys(given.pairs["test"], score)


def components(
    given: Given, split: str, whiten: bool, most: int = COMPONENTS
) -> dict[str, np.ndarray]:
    """Return principal components (N, K) of the items of pairs, by modality.

    They are those of the distinct items of the training pairs.

    Args:
        given: items and pairs.
        split: split of the pairs.
        whiten: whether components have variance 1.
        most: maximum number of components.
    """
    from sklearn.decomposition import PCA

    found = {}
    for m, x in given.x.items():
        fitted = x[given.pairs["train"][m].unique()].numpy()
        # One less than there are items: the last component of a sample has no variance.
        number = max(1, min(most, len(fitted) - 1, fitted.shape[1]))
        pca = PCA(number, whiten=whiten, random_state=0).fit(fitted)
        found[m] = pca.transform(x[given.pairs[split][m]].numpy()).astype(np.float64)
    return found


def per_item(score: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean score (n,) of each distinct item, and where each pair's item is in it (N,).

    Args:
        score: scores (N,) of pairs.
        rows: row numbers (N,) of their items.
    """
    _, back, count = np.unique(rows, return_inverse=True, return_counts=True)
    return np.bincount(back, score) / count, back


def decide(score: np.ndarray) -> np.ndarray:
    """Return which items (n,) are called noise: those of the higher of two Gaussians."""
    return two_groups(score) < 0.5
