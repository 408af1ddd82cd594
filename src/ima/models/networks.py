"""Encoders and decoders that a config can name: a CNN for images and a GRU for sequences.

Each is called with the shape of an item and the latent size L, as any network that
`ima.models.own.network` builds. Decoders return what the loss expects, in the shape of the item.
"""

import math

import torch
from torch import Tensor, nn

#: Channels of the two convolutions.
CHANNELS = (8, 16)
#: Width of the GRU, and number of successive frames that one of its steps reads or writes.
WIDTH, STEP = 32, 2


def image_encoder(shape: tuple[int, int, int], latent: int) -> nn.Module:
    """Return a CNN from images (B, C, H, W) to latents (B, L).

    Args:
        shape: C, H and W; H and W are multiples of 4.
        latent: L.
    """
    channels, height, width = shape
    few, many = CHANNELS
    return nn.Sequential(
        *(nn.Conv2d(channels, few, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Conv2d(few, many, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(math.prod(_small(height, width)), latent)),
    )


def image_decoder(shape: tuple[int, int, int], latent: int) -> nn.Module:
    """Return transposed convolutions from latents (B, L) to images (B, C, H, W)."""
    channels, height, width = shape
    few, many = CHANNELS
    small = _small(height, width)
    return nn.Sequential(
        *(nn.Linear(latent, math.prod(small)), nn.ReLU(), nn.Unflatten(1, small)),
        *(nn.ConvTranspose2d(many, few, 4, stride=2, padding=1), nn.ReLU()),
        nn.ConvTranspose2d(few, channels, 4, stride=2, padding=1),
    )


def _small(height: int, width: int) -> tuple[int, int, int]:
    """Return the shape of an image after two convolutions, each of which halves its sides."""
    if height % 4 or width % 4:
        raise ValueError(f"an image of {height} x {width}, whose sides are not multiples of 4")
    return CHANNELS[1], height // 4, width // 4


class SequenceEncoder(nn.Module):
    """A GRU from sequences (B, T, C) to latents (B, L), by its last state.

    Args:
        shape: T, a multiple of STEP, and C.
        latent: L.
    """

    def __init__(self, shape: tuple[int, int], latent: int):
        super().__init__()
        self.steps = _steps(shape)
        self.gru = nn.GRU(self.steps[1], WIDTH, batch_first=True)
        self.latent = nn.Linear(WIDTH, latent)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, T, C) to u (B, L)."""
        return self.latent(self.gru(x.reshape(-1, *self.steps))[1][0])


class SequenceDecoder(nn.Module):
    """A GRU from latents (B, L), which set its first state and are its input, to (B, T, C)."""

    def __init__(self, shape: tuple[int, int], latent: int):
        super().__init__()
        self.shape, self.steps = shape, _steps(shape)
        self.first = nn.Linear(latent, WIDTH)
        self.gru = nn.GRU(latent, WIDTH, batch_first=True)
        self.frames = nn.Linear(WIDTH, self.steps[1])

    def forward(self, z: Tensor) -> Tensor:
        """Map z (B, L) to logits or values (B, T, C)."""
        repeated = z.unsqueeze(1).expand(-1, self.steps[0], -1)
        states, _ = self.gru(repeated, torch.tanh(self.first(z)).unsqueeze(0))
        return self.frames(states).reshape(-1, *self.shape)


def _steps(shape: tuple[int, int]) -> tuple[int, int]:
    """Return the number of steps of a GRU and the values of each."""
    length, channels = shape
    if length % STEP:
        raise ValueError(f"a sequence of {length} frames, which is no multiple of {STEP}")
    return length // STEP, channels * STEP
