"""Peers of IMA: other methods that represent pairs without labels, for comparison on own data.

All are fitted to a `Problem`, with the same training pairs. Those with networks use IMA's encoders,
decoders, batches, epochs and early stopping.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import NamedTuple

from ima.models.baselines import baseline, build
from ima.models.peers.deep import fit_dgcca, fit_infonce
from ima.models.peers.linear import fit_cca, fit_factors, fit_kernel, fit_pca, fit_raw
from ima.models.peers.multivae import KINDS, fit_multivae
from ima.models.peers.views import Fitted, Problem, as_pairs
from ima.utils.errors import InputError


class Peer(NamedTuple):
    """A method: its name in tables, its function `fit`, and the package that it needs, if any.

    `fit` returns a `Fitted`, whose `transform` maps complete matrices (B, D_m) of some or all
    modalities to z (B, L). Unless `takes_absent`, it needs a `Problem.completed`, which `fitted`
    gives it.
    """

    label: str
    fit: Callable[[Problem], Fitted]
    package: str | None = None
    takes_absent: bool = False

    def fitted(self, problem: Problem) -> Fitted:
        """Return the method, fitted to a problem."""
        return self.fit(problem if self.takes_absent else problem.completed())


def fit_baseline(name: str, problem: Problem) -> Fitted:
    """Train a baseline of the paper with its default settings (`ima.models.baselines`)."""
    kind = baseline(name)
    own = kind.settings(**asdict(problem.settings))
    model = problem.on_device(lambda: build(name, problem.modalities, problem.latent, own))
    whole, items, held_out = as_pairs(problem.x, problem.validation)
    kind.fit(model, whole, items, own, problem.seed, held_out)
    count = sum(weight.numel() for weight in model.parameters())
    return Fitted(lambda some: model.representations(some)["joint"], count)


#: How to install the packages that some peers need.
INSTALL = "pip install --no-deps -r envs/peers.lock"
#: Peers by name.
PEERS = {
    "raw": Peer("raw features", fit_raw),
    "pca": Peer("PCA", fit_pca),
    "mcca": Peer("MCCA", partial(fit_cca, "MCCA"), "cca_zoo"),
    "gcca": Peer("GCCA", partial(fit_cca, "GCCA"), "cca_zoo"),
    "kcca": Peer("kernel CCA", fit_kernel, "cca_zoo"),
    "factors": Peer("factor analysis", fit_factors),
    "infonce": Peer("InfoNCE", fit_infonce),
    "dgcca": Peer("DGCCA", fit_dgcca),
    "jmvae": Peer("JMVAE-KL", partial(fit_baseline, "jmvae")),
    "mvae": Peer("MVAE", partial(fit_baseline, "mvae"), takes_absent=True),
    "denoising": Peer("denoising autoencoder", partial(fit_baseline, "denoising")),
    **{
        name: Peer(kind.label, partial(fit_multivae, name), "multivae")
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
    return f"{name} is skipped, as {package} is not installed: {INSTALL}"
