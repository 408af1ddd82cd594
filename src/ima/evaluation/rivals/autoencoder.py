"""Detectors that need nothing but IMA's own stage 1."""

import numpy as np
import torch

from ima.evaluation.rivals.base import Given
from ima.models.ima import fuse
from ima.training.losses import reconstruction


@torch.no_grad()
def reconstruction_error(given: Given) -> dict[str, np.ndarray]:
    """Return how badly each item is reconstructed from its own latent u."""
    scores = {}
    for m, x in given.test().items():
        of = given.modalities[m]
        decoded = given.autoencoder.decoders[m](given.autoencoder.encoders[m](x))
        single = zip(x.split(1), decoded.split(1), strict=True)
        scores[m] = torch.stack(
            [reconstruction(*pair, of.loss, classes=of.classes) for pair in single]
        ).numpy()
    return scores


@torch.no_grad()
def distance(given: Given) -> dict[str, np.ndarray]:
    """Return the distance of each latent u from the unweighted joint representation z.

    With two modalities, both have the same distance.
    """
    u = given.autoencoder.encode(given.test())
    z = fuse(u)
    return {m: (u_m - z).norm(dim=1).numpy() for m, u_m in u.items()}
