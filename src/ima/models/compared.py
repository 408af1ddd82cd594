"""The values by which `ima.models.ranks` compares the items of pairs."""

import numpy as np
import torch
from torch import Tensor

from ima.pairing.by_label import ABSENT

#: Representations by which pairs are compared: latents, principal components, both, or random
#: Fourier features of both, which are nonlinear.
KINDS = ("latents", "components", "both", "fourier")
#: Fourier features of all modalities together, and the scale of their frequencies.
FEATURES, FREQUENCY = 600, 0.5


def values_of(
    kind: str, u: Tensor, scale: Tensor, components: Tensor | None, features: int
) -> Tensor:
    """Return the values (n, D) by which items are compared, with mean 0.

    Args:
        kind: one of KINDS.
        u: latents (n, L).
        scale: their mean and standard deviation (`latent_scale`).
        components: principal components (n, K); may be None if `kind` is `latents`.
        features: number of features of the kind `fourier`.
    """
    u = (u.double() - scale[0]) / scale[1]
    if kind == "latents":
        return u
    if components is None:
        raise ValueError(f"no principal components for {kind}")
    if kind == "components":
        return components.double()
    both = torch.cat((u, components.double()), 1)
    return both if kind == "both" else fourier(both, features)


def fourier(x: Tensor, features: int) -> Tensor:
    """Return random Fourier features (n, `features`) of x (n, D) (Rahimi and Recht, 2007).

    Their products approximate a Gaussian kernel. The mean over normally distributed x is 0.
    """
    draw = np.random.RandomState(0)  # its numbers are the same in every version of NumPy
    size = FREQUENCY / x.shape[1] ** 0.5
    frequencies = torch.from_numpy(size * draw.standard_normal((x.shape[1], features)))
    phases = torch.from_numpy(draw.uniform(0, 2 * np.pi, features))
    mean = (-frequencies.square().sum(0) / 2).exp() * phases.cos()
    return 2**0.5 * ((x @ frequencies + phases).cos() - mean)


def latent_scale(u: Tensor, rows: Tensor) -> Tensor:
    """Return the mean and standard deviation (2, L) of latents u (n, L) over the pairs' rows."""
    u = u[rows[rows != ABSENT]].double()
    return torch.stack((u.mean(0), u.std(0, correction=0).clamp_min(1e-6)))
