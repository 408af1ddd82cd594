"""MVAE's experts: an item that says little about z has a broad expert (Wu & Goodman 2018)."""

from dataclasses import fields

import numpy as np
import torch

from ima.evaluation.rivals.base import Given
from ima.models.baselines.mvae import MVAE, MVAESettings, fit_mvae
from ima.training.loop import Training


def expert_variance(given: Given) -> dict[str, np.ndarray]:
    """Return the mean log-variance over z of each item's expert, by an MVAE with IMA's layers."""
    torch.manual_seed(given.seed)
    model = MVAE(given.modalities, given.autoencoder.latent)
    budget = {field.name: getattr(given.training, field.name) for field in fields(Training)}
    train, held_out = given.pairs["train"], given.pairs["validation"]
    fit_mvae(model, given.x, train, MVAESettings(**budget), given.seed, held_out)
    with torch.no_grad():
        experts = model.encode(given.test())
    return {m: expert.log_variance.mean(1).numpy() for m, expert in experts.items()}
