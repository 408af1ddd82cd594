"""Detectors by contrastive networks: the similarity of a pair, and networks that co-select."""

import numpy as np
import torch

from ima.evaluation.rivals.base import Given, by_pair
from ima.models.contrastive import (
    Contrastive,
    co_divide,
    fit_contrastive,
    pair_losses,
    similarities,
)


def dissimilarity(given: Given) -> dict[str, np.ndarray]:
    """Return the negative cosine similarity of an item to its partners, by InfoNCE."""
    torch.manual_seed(given.seed)
    model = Contrastive(given.modalities)
    train, held_out = given.pairs["train"], given.pairs["validation"]
    fit_contrastive(model, given.x, train, given.training, given.seed, held_out)
    return {m: -s for m, s in similarities(model, given.x, given.pairs["test"]).items()}


def divided_loss(given: Given) -> dict[str, np.ndarray]:
    """Return the mean loss of each pair by two networks that select pairs for each other."""
    pairs = (given.x, given.pairs["train"], given.training, given.seed)
    networks = co_divide(given.modalities, *pairs)
    losses = [pair_losses(network, given.x, given.pairs["test"]) for network in networks]
    return by_pair(np.mean(losses, 0), given)
