"""Compare JMVAE-KL and MVAE with the package multivae: losses, gradients and training speed.

multivae's dependencies would replace torch, so it needs a separate environment:

    python3.11 -m venv peer
    peer/bin/pip install torch==2.13.0
    peer/bin/pip install --no-deps multivae==1.0.3 pythae==0.1.2
    peer/bin/pip install cloudpickle numpy pyarrow pydantic safetensors scipy tqdm
    PYTHONPATH=src peer/bin/python benchmarks/baselines_vs_multivae.py

Both sides get the same weights, batch and random draws, those of `multivae_cases.py`. With --golden
the script instead prints multivae's losses and gradients on its `CASES`, the contents of
tests/golden/baselines_multivae.json.
"""

import argparse
import contextlib
import copy
import importlib
import importlib.abc
import importlib.machinery
import io
import itertools
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from unittest import mock

import torch
from multivae_cases import CASES, DIGITS, FULL, Case, batch_of, model_of, ours, summary
from torch import Tensor, nn

from ima.models.baselines import jmvae, mvae
from ima.models.baselines.gaussian import subsets

#: Packages that multivae imports for data sets and figures, and that are not needed here.
STUBBED = ("torchvision", "nltk", "pandas", "matplotlib", "PIL", "sklearn")
TOLERANCE = 1e-5
GOALS = {"jmvae": 1.1, "mvae": 1.3}


class Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Import hook that provides empty modules for all names below STUBBED."""

    def find_spec(self, name, path=None, target=None):
        """Return a spec for a stubbed name."""
        if name.split(".")[0] in STUBBED:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        """Return the empty module."""
        return mock.MagicMock(name=spec.name, __path__=[], __spec__=spec, __name__=spec.name)

    def exec_module(self, module):
        """Do nothing."""


def prepare() -> None:
    """Make multivae importable without its packages for data sets and figures, and quiet."""
    sys.meta_path.insert(0, Stubs())
    importlib.import_module("multivae.trainers")
    for name in [*logging.root.manager.loggerDict]:
        if name.startswith(("multivae", "pythae")):
            logging.getLogger(name).setLevel(logging.ERROR)
    # Otherwise Bernoulli rejects values between 0 and 1; validation would also be slow.
    torch.distributions.Distribution.set_default_validate_args(False)


def peer_of(model: nn.Module, case: Case) -> nn.Module:
    """Return multivae's model with a copy of the networks of our model."""
    from multivae.models import JMVAE, MVAE, JMVAEConfig, MVAEConfig
    from multivae.models.nn.base_architectures import BaseJointEncoder
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn.base_architectures import BaseDecoder, BaseEncoder

    def posterior(output):
        mean, log_variance = output.chunk(2, -1)
        return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Alone(BaseEncoder):
        def __init__(self, network):
            super().__init__()
            self.network, self.latent_dim = network, case.latent

        def forward(self, x):
            return posterior(self.network(x))

    class Joint(Alone, BaseJointEncoder):
        def forward(self, x):
            return posterior(self.network(torch.cat([*x.values()], -1)))

    class Back(BaseDecoder):
        def __init__(self, network):
            super().__init__()
            self.network, self.latent_dim = network, case.latent

        def forward(self, z):
            return ModelOutput(reconstruction=self.network(z))

    copied = copy.deepcopy(model)
    distributions = {"bce": "bernoulli", "sse": "normal"}
    common = {
        "n_modalities": len(case.modalities),
        "latent_dim": case.latent,
        "input_dims": {n: (m.dimension,) for n, m in case.modalities.items()},
        "decoders_dist": {n: distributions[m.loss] for n, m in case.modalities.items()},
        "beta": case.beta,  # weight of the KL to the prior, once the package's annealing is over
        "warmup": 0,
    }
    encoders = {name: Alone(copied.encoders[name]) for name in case.modalities}
    decoders = {name: Back(copied.decoders[name]) for name in case.modalities}
    if case.name == "jmvae":
        joint = Joint(copied.encoders["+".join(case.modalities)])
        config = JMVAEConfig(**common, alpha=case.alpha)
        return JMVAE(config, encoders, decoders, joint).to(case.dtype)
    drawn = len(subsets([*case.modalities], 2, len(case.modalities) - 1))
    return MVAE(MVAEConfig(**common, k=drawn), encoders, decoders).to(case.dtype)


@contextlib.contextmanager
def draws(eps: Tensor) -> Iterator[None]:
    """Make torch's normal distribution draw these values in turn, and numpy's choice keep order."""
    values = iter(eps)
    with (
        mock.patch("torch.distributions.normal._standard_normal", lambda *_, **__: next(values)),
        mock.patch(
            "multivae.models.mvae.mvae_model.choice", lambda options, size, replace: options[:size]
        ),
    ):
        yield


def theirs(case: Case) -> tuple[float, dict[str, Tensor]]:
    """Return multivae's loss and gradients for a case, by the names of our parameters."""
    from multivae.data.datasets.base import MultimodalBaseDataset

    model, (x, eps, _) = model_of(case), batch_of(case)
    peer = peer_of(model, case).train()
    with draws(eps):
        loss = peer(MultimodalBaseDataset(x), epoch=2).loss
    loss.backward()
    gradients = {}
    for name, weight in peer.named_parameters():
        name = name.replace(".network.", ".")
        name = name.replace("joint_encoder.", f"encoders.{'+'.join(case.modalities)}.")
        gradients[name] = weight.grad
    # Our Gaussian omits the constant D log(2 pi) / 2 of every decoding.
    times = 1 if case.name == "jmvae" else 2 ** (len(case.modalities) - 1)
    width = sum(m.dimension for m in case.modalities.values() if m.loss == "sse")
    constant = times * width * torch.log(torch.tensor(2 * torch.pi, dtype=torch.float64)) / 2
    return float(loss.detach() - constant), gradients


def golden() -> dict:
    """Return multivae's loss for every case, and the `summary` of every gradient."""
    out = {}
    for label, case in CASES.items():
        loss, gradients = theirs(case)
        names = [name for name, _ in model_of(case).named_parameters()]
        grads = {name: summary(gradients[name], i) for i, name in enumerate(names)}
        out[label] = {"loss": loss, "gradients": grads}
    return out


def agreement() -> bool:
    """Print the differences of losses and gradients; return whether all are within TOLERANCE."""
    good = True
    print(f"{'':<32} relative difference of")
    print(f"{'':<32} loss      gradients (largest, of the largest gradient)")
    for label, case in {**CASES, **FULL}.items():
        (loss, mine), (loss_peer, peer) = ours(case), theirs(case)
        if mine.keys() != peer.keys():
            raise RuntimeError(f"{label}: parameters {set(mine) ^ set(peer)} have no counterpart")
        of_loss = abs(loss - loss_peer) / abs(loss_peer)
        of_gradients = max(
            float((mine[n] - peer[n]).abs().max() / peer[n].abs().max()) for n in mine
        )
        good &= max(of_loss, of_gradients) <= TOLERANCE
        print(f"{label:<32} {of_loss:.1e}   {of_gradients:.1e}")
    return good


def speed(pairs: int, repeats: int) -> bool:
    """Print samples per CPU second of a first epoch, alternating; return whether goals are met."""
    good = True
    for name, goal in GOALS.items():
        case = Case(name, DIGITS, 50, 64, dtype=torch.float32)
        torch.manual_seed(0)
        x = {n: torch.rand(pairs, m.dimension) for n, m in DIGITS.items()}
        runs = {
            "ima": lambda case=case, x=x: one_epoch(case, x),
            "multivae": lambda case=case, x=x: peer_epoch(case, x, {}),
            "multivae, fused Adam": lambda case=case, x=x: peer_epoch(case, x, {"fused": True}),
        }
        rates = {label: [] for label in runs}
        for _, (label, fresh) in itertools.product(range(repeats), runs.items()):
            run = fresh()
            start = time.process_time()
            run()
            rates[label].append(pairs / (time.process_time() - start))
        medians = {label: statistics.median(values) for label, values in rates.items()}
        for label, median in medians.items():
            low, high = min(rates[label]), max(rates[label])
            print(f"{name:<6} {label:<21} {median:7.0f} samples/s ({low:.0f}-{high:.0f})")
        ratio = medians["ima"] / medians["multivae"]
        good &= ratio >= goal
        print(f"{name:<6} ratio of medians {ratio:.2f} (goal {goal})")
    return good


def one_epoch(case: Case, x: Mapping[str, Tensor]):
    """Return a function that trains a new model of this project for one epoch."""
    module = {"jmvae": jmvae, "mvae": mvae}[case.name]
    kind = {"jmvae": jmvae.JMVAESettings, "mvae": mvae.MVAESettings}[case.name]
    settings = kind(epochs=1, batch_size=case.batch, warmup=0)
    model, rows = model_of(case), torch.arange(len(next(iter(x.values()))))
    fit = getattr(module, f"fit_{case.name}")
    return lambda: fit(model, x, dict.fromkeys(x, rows), settings, 0)


def peer_epoch(case: Case, x: Mapping[str, Tensor], optimizer: dict):
    """Return a function that runs multivae's training loop for one epoch, without checkpoints."""
    from multivae.data.datasets.base import MultimodalBaseDataset
    from multivae.trainers import BaseTrainer, BaseTrainerConfig

    folder = tempfile.TemporaryDirectory()
    config = BaseTrainerConfig(
        output_dir=folder.name,
        num_epochs=1,
        per_device_train_batch_size=case.batch,
        learning_rate=1e-3,
        optimizer_params=optimizer,
    )
    trainer = BaseTrainer(
        peer_of(model_of(case), case), MultimodalBaseDataset(dict(x)), training_config=config
    )

    def run(folder=folder):  # keeps the folder alive as long as the function
        with contextlib.redirect_stderr(io.StringIO()):
            trainer.train_step(epoch=2)

    return run


def main() -> int:
    """Print the comparison; return 1 if a value differs or a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--golden", action="store_true", help="print multivae's values as JSON")
    parser.add_argument("--pairs", type=int, default=3840, help="pairs in a timed epoch")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    prepare()
    if options.golden:
        print(json.dumps(golden(), indent=1))
        return 0
    same = agreement()
    fast = speed(options.pairs, options.repeats)
    return int(not (same and fast))


if __name__ == "__main__":
    raise SystemExit(main())
