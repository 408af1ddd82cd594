"""Shared encoders of utterances, trained on means of a few of their tokens.

A single word says little about a voice, so a pair is the mean of TOKENS words of an utterance and,
drawn independently, the mean of TOKENS of its voices. As all means have the same number of tokens,
encoders cannot recognise partners by the length of the utterance, which the variance of means over
all tokens would show. docs/importance.md, section 12, has the results.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from ima.models.ima import Modality
from ima.models.shared_encoders import SharedEncoders, fit_weighted
from ima.training.loop import History, Training

#: Number of tokens in a mean, and of pairs of means that are drawn from each utterance.
TOKENS, DRAWS = 4, 12


class Tokens(NamedTuple):
    """The tokens of utterances; those of an utterance are consecutive.

    Attributes:
        x: by modality, the matrix (n_m, D_m) of its items.
        rows: by modality, the row number (T,) of each token's item.
        utterance: index (T,) of each token's utterance: 0, ..., U - 1, each at least once.
    """

    x: Mapping[str, Tensor]
    rows: Mapping[str, Tensor]
    utterance: Tensor

    def part(self, utterances: Tensor) -> "Tokens":
        """Return the tokens of some utterances, which are numbered from 0 in ascending order."""
        kept = torch.isin(self.utterance, utterances)
        number = torch.unique(self.utterance[kept], return_inverse=True)[1]
        return Tokens(self.x, {m: rows[kept] for m, rows in self.rows.items()}, number)

    def drawn(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return means (DRAWS * U, D_m) of tokens drawn from each utterance, by modality.

        All utterances come once, then once again, and so on. Each modality has its own draws, with
        replacement.
        """
        size = torch.bincount(self.utterance)
        first = (torch.cumsum(size, 0) - size).repeat(DRAWS).unsqueeze(1)
        size = size.repeat(DRAWS).unsqueeze(1)
        found = {}
        for m, rows in self.rows.items():
            share = torch.rand(len(size), TOKENS, generator=generator)
            token = first + (share * size).long().clamp_max(size - 1)
            found[m] = self.x[m][rows[token]].mean(1)
        return found

    def means(self) -> dict[str, Tensor]:
        """Return means (U, D_m) of all tokens of each utterance, by modality."""
        count = torch.bincount(self.utterance).unsqueeze(1)
        return {
            m: self.x[m]
            .new_zeros(len(count), self.x[m].shape[1])
            .index_add_(0, self.utterance.to(self.x[m].device), self.x[m][rows])
            / count.to(self.x[m])
            for m, rows in self.rows.items()
        }


def fit_utterances(
    modalities: Mapping[str, Modality],
    latent: int,
    train: Tokens,
    held: Tokens,
    settings: Training,
    seed: int,
) -> tuple[SharedEncoders, History]:
    """Train shared encoders on utterances, and return them and the history.

    Args:
        modalities: two modalities or more by name, in order.
        latent: L, size of the latents.
        train, held: tokens of the training utterances, and of those for early stopping.
        settings: settings of training.
        seed: seed of the draws, of initial weights and of the order of pairs.
    """
    generator = torch.Generator().manual_seed(seed)
    parts = [tokens.drawn(generator) for tokens in (train, held)]
    x = {m: torch.cat([part[m] for part in parts]) for m in modalities}
    rows = torch.arange(len(next(iter(x.values())))).tensor_split(
        [len(next(iter(parts[0].values())))]
    )
    pairs, stopping = ({m: of for m in modalities} for of in rows)
    equal = {m: torch.ones(len(of), device=of.device) for m, of in x.items()}
    return fit_weighted(modalities, latent, equal, x, pairs, stopping, settings, seed)
