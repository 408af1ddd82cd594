"""Peers of IMA: other methods that represent pairs without labels, for comparison on own data.

All have one signature, `Peer.fit`, and are given the same training pairs. Those with networks use
IMA's encoders, decoders, batches, epochs and early stopping.
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, NamedTuple

import torch

from ima.models.baselines import baseline, build
from ima.models.ima import Modality
from ima.models.peers.deep import fit_dgcca, fit_infonce
from ima.models.peers.linear import fit_cca, fit_pca, fit_raw
from ima.models.peers.multivae import KINDS, fit_multivae
from ima.models.peers.views import Fitted, Views, as_pairs, filled, means
from ima.training.loop import Training
from ima.utils.errors import InputError


class Peer(NamedTuple):
    """A method: its name in tables, its function `fit`, and the package that it needs, if any.

    Args of `fit`:
        x: training pairs, by modality a matrix (N, D_m), with rows of NaN where a pair lacks it.
        validation: validation pairs in the same form.
        modalities: modalities by name, in order.
        latent: L, size of z.
        settings: settings of training.
        seed: seed of initial weights, order of pairs and all draws.

    It returns a `Fitted`, whose `transform` maps complete matrices (B, D_m) of some or all
    modalities to z (B, L).
    """

    label: str
    fit: Callable[..., Fitted]
    package: str | None = None


def _completed(fit: Callable[..., Fitted]) -> Callable[..., Fitted]:
    """Return a fit for which absent items are the mean of the modality's training items."""

    def fit_completed(x: Views, validation: Views, *others: Any) -> Fitted:
        known = means(x)
        return fit(filled(x, known), filled(validation, known), *others)

    return fit_completed


def _of_paper(name: str) -> Callable[..., Fitted]:
    """Return the fit of a baseline of the paper, with its default settings."""

    def fit(
        x: Views,
        validation: Views,
        modalities: Mapping[str, Modality],
        latent: int,
        settings: Training,
        seed: int,
    ) -> Fitted:
        kind = baseline(name)
        own = kind.settings(**asdict(settings))
        torch.manual_seed(seed)
        model = build(name, modalities, latent, own).to(next(iter(x.values())).device)
        whole, items, held_out = as_pairs(x, validation)
        kind.fit(model, whole, items, own, seed, held_out)
        count = sum(weight.numel() for weight in model.parameters())
        return Fitted(lambda some: model.representations(some)["joint"], count)

    return fit


#: How to install the packages that some peers need.
INSTALL = {
    "cca_zoo": "pip install 'ima[peers]'",
    "multivae": "pip install --no-deps -r envs/peers.lock",
}
#: Peers by name.
PEERS = {
    "raw": Peer("raw features", _completed(fit_raw)),
    "pca": Peer("PCA", _completed(fit_pca)),
    "mcca": Peer("MCCA", _completed(partial(fit_cca, "MCCA")), "cca_zoo"),
    "gcca": Peer("GCCA", _completed(partial(fit_cca, "GCCA")), "cca_zoo"),
    "infonce": Peer("InfoNCE", _completed(fit_infonce)),
    "dgcca": Peer("DGCCA", _completed(fit_dgcca)),
    "jmvae": Peer("JMVAE-KL", _completed(_of_paper("jmvae"))),
    "mvae": Peer("MVAE", _of_paper("mvae")),
    "denoising": Peer("denoising autoencoder", _completed(_of_paper("denoising"))),
    **{
        name: Peer(kind.label, _completed(partial(fit_multivae, name)), "multivae")
        for name, kind in KINDS.items()
    },
}


def peer(name: str) -> Peer:
    """Return the peer with a name in PEERS.

    Raises:
        InputError: the peer does not exist.
    """
    if name not in PEERS:
        raise InputError("peer", expected=f"one of {list(PEERS)}", found=name)
    return PEERS[name]


def lacking(name: str) -> str:
    """Return a sentence on the package that a peer needs and that is not installed, '' if none."""
    package = peer(name).package
    if package is None or importlib.util.find_spec(package):
        return ""
    return f"{name} is skipped, as {package} is not installed: {INSTALL[package]}"
