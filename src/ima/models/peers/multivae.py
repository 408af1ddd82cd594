"""Multimodal VAEs of the package MultiVae, with IMA's encoders, decoders, batches and stopping.

Settings of the models are the package's defaults, but the weight of the divergence rises over the
same share of the epochs as in our baselines. z is the posterior mean of the shared latent; for
mixtures of experts, the mean of the experts' means.
"""

import contextlib
import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ima.models.baselines.gaussian import Annealed, concatenated
from ima.models.ima import Decoder, Encoder, Modality
from ima.models.own import refuse_modules
from ima.models.peers.views import Fitted, Problem, Views, as_pairs, means, with_all
from ima.training.loop import Batch, fit, mean_loss, pair_count
from ima.utils.errors import InputError

#: Likelihood in MultiVae for each of our losses; `normal` has variance 1, `bernoulli` takes logits.
LIKELIHOODS = {"sse": "normal", "bce": "bernoulli"}
#: Modules that MultiVae imports for its data sets and trainers, which are not used here.
UNUSED = {
    "nltk": ("", ".tokenize"),
    "torchvision": ("", ".datasets", ".datasets.utils", ".models", ".transforms", ".utils"),
}


class Kind(NamedTuple):
    """A model of MultiVae.

    Attributes:
        name: name of its class.
        label: name in tables.
        private: whether the size of private latents is given once or for `each` modality; None if
            it has none.
        mixture: whether its posterior is a mixture of experts.
        joint_encoder: whether it has an encoder of all modalities.
        warmup: whether the weight of its divergence rises in the first epochs.
        summed: whether its loss is the sum over the pairs of a batch, not their mean.
    """

    name: str
    label: str
    private: str | None = None
    mixture: bool = False
    joint_encoder: bool = False
    warmup: bool = False
    summed: bool = False


#: Models by the name of the peer. Private latents are as wide as the shared one.
KINDS = {
    "multivae_mvae": Kind("MVAE", "MVAE (MultiVae)", warmup=True),
    "multivae_jmvae": Kind("JMVAE", "JMVAE (MultiVae)", joint_encoder=True, warmup=True),
    "mmvae": Kind("MMVAE", "MMVAE", mixture=True, summed=True),
    "mopoe": Kind("MoPoE", "MoPoE-VAE"),
    "mvtcae": Kind("MVTCAE", "MVTCAE"),
    "mmvae_plus": Kind("MMVAEPlus", "MMVAE+", "once", mixture=True, summed=True),
    "dmvae": Kind("DMVAE", "DMVAE", "each"),
    "cmvae": Kind("CMVAE", "CMVAE", "once", mixture=True, summed=True),
    "crmvae": Kind("CRMVAE", "CRMVAE", summed=True),
}


class _Unused(ModuleType):
    """A module of which any attribute is `object`."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return object


@contextlib.contextmanager
def _without_unused() -> Iterator[None]:
    """Let MultiVae be imported where packages of UNUSED are not installed."""
    lacking = [name for name in UNUSED if not importlib.util.find_spec(name)]
    names = [f"{name}{part}" for name in lacking for part in UNUSED[name]]
    sys.modules.update({name: _Unused(name) for name in names})
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def _modules(kind: Kind, modalities: Mapping[str, Modality], latent: int) -> dict[str, object]:
    """Return encoders and decoders, and a joint encoder if needed, in the form of MultiVae."""
    # Imported by name, as MultiVae is no declared dependency: it is installed without its own.
    theirs = importlib.import_module("multivae.models.nn.base_architectures")
    shared = importlib.import_module("pythae.models.nn")
    output = importlib.import_module("pythae.models.base.base_utils").ModelOutput
    names = ("embedding", "log_covariance", "style_embedding", "style_log_covariance")
    parts = 4 if kind.private else 2
    encoder = theirs.BaseMultilatentEncoder if kind.private else shared.BaseEncoder

    def wrapped(base: type, module: nn.Module, call: Callable[..., Any]) -> Any:
        """Return a module of a base class of MultiVae that calls ours."""
        found = type(base.__name__, (base,), {"forward": call})()
        found.module, found.latent_dim, found.style_dim = module, latent, latent
        return found

    def encode(self: Any, x: Tensor) -> object:
        """Return means and log-variances (ModelOutput, as below)."""
        return output(**dict(zip(names, self.module(x).chunk(parts, -1), strict=False)))

    def encode_all(self: Any, x: Views) -> object:
        """Return mean and log-variance of all modalities."""
        return encode(self, torch.cat([x[m] for m in modalities], -1))

    def decode(self: Any, z: Tensor) -> object:
        """Return the reconstruction."""
        return output(reconstruction=self.module(z))

    width = latent * parts // 2
    made: dict[str, Any] = {"encoders": {}, "decoders": {}}
    for m, of in modalities.items():
        made["encoders"][m] = wrapped(encoder, Encoder(of, latent * parts), encode)
        made["decoders"][m] = wrapped(shared.BaseDecoder, Decoder(of, width), decode)
    if kind.joint_encoder:
        joint = Encoder(concatenated(modalities, [*modalities]), 2 * latent)
        made["joint_encoder"] = wrapped(theirs.BaseJointEncoder, joint, encode_all)
    return made


def build(
    name: str, modalities: Mapping[str, Modality], latent: int, warmup: int = 10
) -> nn.Module:
    """Return an untrained model of MultiVae.

    Args:
        name: one of KINDS.
        modalities: modalities by name, in order, with losses of LIKELIHOODS.
        latent: L, size of the shared latent, and of each private one.
        warmup: number of epochs in which the weight of the divergence rises, if it does.

    Raises:
        InputError: a modality has another loss, or modules of the user.
    """
    refuse_modules(modalities, KINDS[name].label)
    for m, of in modalities.items():
        if of.loss not in LIKELIHOODS:
            expected = f"a loss of {[*LIKELIHOODS]} for {name}"
            raise InputError(f"model.{m}.loss", expected=expected, found=of.loss)
    kind = KINDS[name]
    with _without_unused():
        models = importlib.import_module("multivae.models")
    # Bernoulli likelihoods of values between 0 and 1.
    torch.distributions.Distribution.set_default_validate_args(False)
    own: dict[str, object] = {"warmup": warmup} if kind.warmup else {}
    if kind.private:
        each = latent if kind.private == "once" else dict.fromkeys(modalities, latent)
        own["modalities_specific_dim"] = each
    config = getattr(models, f"{kind.name}Config")(
        n_modalities=len(modalities),
        latent_dim=latent,
        input_dims={m: (of.dimension,) for m, of in modalities.items()},
        decoders_dist={m: LIKELIHOODS[of.loss] for m, of in modalities.items()},
        **own,
    )
    return getattr(models, kind.name)(config, **_modules(kind, modalities, latent))


def fit_multivae(name: str, problem: Problem) -> Fitted:
    """Train a model of MultiVae.

    Validation has the full weight of the divergence, and the same random draws at every call.
    """
    whole, items, held_out = as_pairs(problem.x, problem.validation)
    epochs, batch_size, _ = problem.settings.lengths(pair_count(items))
    warmup = max(1, round(Annealed().warmup * epochs))
    model = problem.on_device(lambda: build(name, problem.modalities, problem.latent, warmup))
    summed = KINDS[name].summed
    steps, per_epoch = iter(range(10**9)), -(-pair_count(items) // batch_size)

    def compute_losses(batch: Batch, epoch: int | None = None) -> dict[str, Tensor]:
        """Return the mean loss of a batch."""
        step = next(steps) if epoch is None else 0
        epoch = 1 + step // per_epoch if epoch is None else epoch
        data = types.SimpleNamespace(data=batch.x)
        with torch.enable_grad():  # hooks on gradients are set in validation, too
            loss = model(data, epoch=epoch, batch_ratio=step % per_epoch / per_epoch).loss
        return {"loss": loss / pair_count(batch.rows) if summed else loss}

    def validate() -> float:
        """Return the mean loss on the validation pairs."""
        where = next(model.parameters()).device
        with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
            torch.manual_seed(0)
            return mean_loss(lambda batch: compute_losses(batch, 10**9), whole, held_out)

    fit(model, compute_losses, whole, items, problem.settings, problem.seed, name, validate)
    known, mixture = means(problem.x), KINDS[name].mixture

    @torch.no_grad()
    def transform(some: Views) -> Tensor:
        """Return z (B, L) of some or all modalities."""
        data = types.SimpleNamespace(data=with_all(some, known))
        given = [[m] for m in some] if mixture else [[*some]]
        z = [model.encode(data, cond_mod=of, return_mean=True).z for of in given]
        return torch.stack(z).mean(0)

    return Fitted(transform, sum(weight.numel() for weight in model.parameters()))
