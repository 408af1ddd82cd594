"""The model (Section 3): an encoder, a decoder and an importance network for each modality.

Symbols: `x[m] (B, D_m)` inputs, `u[m] (B, L)` a modality's latent, `y[m] (B,)` its importance in
[0, 1], `z (B, L)` the joint representation. There may be any number of modalities; they have names
and an order.
"""

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ima.models.own import PARTS, Own, network
from ima.training.distributed import forward
from ima.training.losses import RECONSTRUCTION
from ima.utils.errors import InputError
from ima.utils.matrices import blocks

LOSSES = tuple(RECONSTRUCTION)
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}


@dataclass(frozen=True)
class Modality:
    """One modality of a model.

    Args:
        dimension: D_m, width of its vectors.
        hidden: width of the two hidden layers of its encoder and decoder.
        loss: reconstruction loss, one of LOSSES (`ima.training.losses.reconstruction`).
        activation: activation between its layers, one of ACTIVATIONS.
        shape: shape of its items, whose product is the dimension; None for vectors.
        encoder, decoder: modules of the user (`ima.models.own`), of which copies are trained, or
            names of classes or functions that make them (`ima.models.own.network`); None for layers
            as above.

    Raises:
        InputError: a value is not as described.
    """

    dimension: int
    hidden: int
    loss: str = "bce"
    activation: str = "relu"
    shape: tuple[int, ...] | None = None
    encoder: nn.Module | str | None = None
    decoder: nn.Module | str | None = None

    def __post_init__(self) -> None:
        for part in PARTS:
            if not isinstance(getattr(self, part), nn.Module | str | None):
                found = repr(getattr(self, part))
                raise InputError(part, expected="a torch.nn.Module, its name or None", found=found)
        if math.prod(self.item) != self.dimension:
            expected = f"sizes whose product is the {self.dimension} values of an item"
            raise InputError("shape", expected=expected, found=self.shape)
        valid = {
            "dimension": self.dimension >= 1,
            "hidden": self.hidden >= 1,
            "loss": self.loss in LOSSES,
            "activation": self.activation in ACTIVATIONS,
        }
        if not all(valid.values()):
            raise InputError(
                "modality",
                expected=f"dimension and hidden of 1 or more, loss one of {LOSSES}, activation "
                f"one of {[*ACTIVATIONS]}",
                found=", ".join(
                    f"{n} {getattr(self, n)!r}" for n, fits in valid.items() if not fits
                ),
            )

    @property
    def item(self) -> tuple[int, ...]:
        """Return the shape of an item."""
        return tuple(self.shape or (self.dimension,))

    @property
    def classes(self) -> int:
        """Return the number of classes with the loss `categorical`, the length of the last axis."""
        return self.item[-1]


def mlp(*widths: int, activation: str = "relu") -> nn.Sequential:
    """Return linear layers of the given widths, with activations in between."""
    layers: list[nn.Module] = []
    for wide, narrow in itertools.pairwise(widths):
        layers += [nn.Linear(wide, narrow), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])


class Encoder(nn.Module):
    """u = f(x): two hidden layers, then a linear layer to the latent."""

    def __init__(self, modality: Modality, latent: int):
        super().__init__()
        widths = (modality.dimension, modality.hidden, modality.hidden, latent)
        self.layers = mlp(*widths, activation=modality.activation)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, D) to u (B, L)."""
        return self.layers(x)


class Decoder(nn.Module):
    """g(z): two hidden layers, then a linear layer, whose outputs the loss interprets."""

    def __init__(self, modality: Modality, latent: int):
        super().__init__()
        widths = (latent, modality.hidden, modality.hidden, modality.dimension)
        self.layers = mlp(*widths, activation=modality.activation)

    def forward(self, z: Tensor) -> Tensor:
        """Map z (B, L) to logits, values or log rates (B, D)."""
        return self.layers(z)


def encoder_of(name: str, modality: Modality, latent: int) -> nn.Module:
    """Return a new encoder of a modality, or a copy of the user's."""
    if modality.encoder is None:
        return Encoder(modality, latent)
    where = f"layers['{name}']['encoder']"
    module = network(modality.encoder, modality.item, latent, where)
    return Own(module, modality.item, (latent,), where)


def decoder_of(name: str, modality: Modality, latent: int) -> nn.Module:
    """Return a new decoder of a modality, or a copy of the user's."""
    if modality.decoder is None:
        return Decoder(modality, latent)
    where = f"layers['{name}']['decoder']"
    module = network(modality.decoder, modality.item, latent, where)
    return Own(module, (latent,), modality.item, where)


class Summary(nn.Module):
    """Principal components of x and the norm of the residual, as the input of a network.

    From hundreds of dimensions, a network would memorise which items are noise. In this summary
    white noise, for example, is characterised by a single number, the residual.

    Args:
        dimension: D, width of the inputs.
        components: K, from 1 to D.
    """

    def __init__(self, dimension: int, components: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(dimension))
        self.register_buffer("directions", torch.zeros(dimension, components))
        self.register_buffer("residual", torch.tensor([0.0, 1.0]))  # mean and deviation of its log

    @property
    def width(self) -> int:
        """Return the width of the output of `forward`: K, plus 1 if K is less than D."""
        dimension, components = self.directions.shape
        return components + (components < dimension)

    @classmethod
    def of(cls, x: Tensor, variance: float = 0.9, most: int = 20) -> "Summary":
        """Return the summary of items x (n, D), with components up to a share of the variance.

        Args:
            x: items.
            variance: share of the variance to explain, in (0, 1).
            most: maximum number of components, even if they explain less.
        """
        mean = x.double().mean(0)
        _, sizes, directions = torch.linalg.svd(x.double() - mean, full_matrices=False)
        share = sizes.square().cumsum(0) / sizes.square().sum().clamp_min(1e-12)
        components = max(1, min(int((share < variance).sum()) + 1, most, len(sizes)))
        summary = cls(x.shape[1], components)
        deviations = (sizes[:components] / len(x) ** 0.5).clamp_min(1e-9)
        summary.mean.copy_(mean)
        summary.directions.copy_(directions[:components].T / deviations)
        if components < x.shape[1]:
            residual = summary._residual(x).double()
            summary.residual.copy_(
                torch.stack(
                    (residual.mean(), residual.std(correction=min(1, len(x) - 1)).clamp_min(1e-6))
                )
            )
        return summary.to(x.device)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, D) to (B, width): scores of deviation 1, then the log of the residual."""
        scores = self.scores(x)
        if self.width == scores.shape[1]:
            return scores
        residual = (self._residual(x) - self.residual[0]) / self.residual[1]
        return torch.cat((scores, residual.unsqueeze(1)), 1)

    def scores(self, x: Tensor) -> Tensor:
        """Return principal components (B, K) of x (B, D), of deviation 1."""
        return (x - self.mean) @ self.directions

    def _residual(self, x: Tensor) -> Tensor:
        """Return the log of the squared distance (B,) of x to its reconstruction."""
        lengths = self.directions.norm(dim=0)
        scores = (x - self.mean) @ (self.directions / lengths)
        reconstruction = scores @ (self.directions / lengths).T
        return ((x - self.mean - reconstruction).square().sum(1) + 1e-6).log()


class ImportanceNet(nn.Module):
    """y = sigmoid(h(x)), for R independent copies of the network at once.

    The copies differ in their initial weights (restarts) and may be trained for different rho.
    There are two hidden ReLU layers, and the output's bias starts at logit(rho), so that
    importances start near rho. For rho = 0 or 1, importances are 0 or 1 for all inputs, the limit
    of the objectives (`ima.training.losses.local`).

    Args:
        dimension: D, width of the inputs.
        hidden: width of the hidden layers.
        rho: prior mean of each copy, in [0, 1]; its length is R.
        components: number of components of the `Summary` of x that the network sees; None for x
            itself.

    Raises:
        InputError: rho is empty or outside [0, 1].
    """

    def __init__(
        self, dimension: int, hidden: int, rho: list[float], components: int | None = None
    ):
        super().__init__()
        self.summary = None if components is None else Summary(dimension, components)
        if not rho or not all(0 <= r <= 1 for r in rho):
            raise InputError("rho", expected="numbers in [0, 1]", found=rho)
        copies = len(rho)
        width = self.summary.width if self.summary else dimension
        self.w1, self.b1 = _linear(copies, width, hidden)
        self.w2, self.b2 = _linear(copies, hidden, hidden)
        self.w3, self.b3 = _linear(copies, hidden, 1)
        with torch.no_grad():
            # Within limits that are 0 and 1 after the sigmoid, as a file must have finite weights.
            self.b3 += torch.tensor(rho).logit().clamp(-200, 200).view(-1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, D) to importances (R, B)."""
        return in_blocks(self._importances, x, dim=1)

    def _importances(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.b3, self.hidden(x), self.w3).squeeze(-1).sigmoid()

    def hidden(self, x: Tensor) -> Tensor:
        """Map x (B, D) to the top hidden layer (R, B, H), after its ReLU."""
        x = x if self.summary is None else self.summary(x)
        # All copies see the same x; `expand` repeats it without copying.
        h = torch.baddbmm(self.b1, x.expand(len(self.w1), *x.shape), self.w1).relu_()
        return torch.baddbmm(self.b2, h, self.w2).relu_()

    def copy(self, index: int) -> "ImportanceNet":
        """Return the network of a single copy (R = 1)."""
        _, dimension, hidden = self.w1.shape
        components = None
        if self.summary:
            dimension, components = self.summary.directions.shape
        single = ImportanceNet(dimension, hidden, [0.5], components)
        state = {
            name: value.clone() if name.startswith("summary") else value[index : index + 1].clone()
            for name, value in self.state_dict().items()
        }
        single.load_state_dict(state)
        return single


def _linear(copies: int, wide: int, narrow: int) -> tuple[nn.Parameter, nn.Parameter]:
    """Return weights (R, wide, narrow) and biases (R, 1, narrow), initialised as in nn.Linear."""
    bound = 1 / math.sqrt(wide)
    weight = torch.empty(copies, wide, narrow).uniform_(-bound, bound)
    bias = torch.empty(copies, 1, narrow).uniform_(-bound, bound)
    return nn.Parameter(weight), nn.Parameter(bias)


def in_blocks(function: Callable[[Tensor], Tensor], x: Tensor, dim: int = 0) -> Tensor:
    """Return `function` of items x (n, D), of a block at a time where no gradient is needed.

    Args:
        function: maps each item by itself.
        x: items, in memory or mapped.
        dim: the dimension of its result along which the items are.
    """
    if torch.is_grad_enabled():
        return function(x)
    parts = [function(x[block]) for block in blocks(len(x), x.shape[-1])]
    return torch.cat(parts, dim) if parts else function(x)


def fuse(u: Mapping[str, Tensor], y: Mapping[str, Tensor] | None = None) -> Tensor:
    """Return z = sum_m y[m] u[m] / sum_m y[m] over the modalities in u (Eq. 1).

    Args:
        u: latents (..., L) of one or more modalities.
        y: their importances (...) in [0, 1]; None for equal importances of 1, the plain mean.

    Returns:
        z (..., L). Where all importances are 0, z is 0.

    Raises:
        InputError: u is empty, or a modality has no importance.
    """
    if not u:
        raise InputError("modalities", expected="at least one", found="none")
    if y is None:
        return torch.stack(tuple(u.values())).mean(0)
    if set(u) - set(y):
        raise InputError("importances", expected=f"one for each of {list(u)}", found=list(y))
    total = sum(y[name] for name in u).clamp_min(torch.finfo(torch.float32).tiny)
    return sum(y[name].unsqueeze(-1) * u[name] for name in u) / total.unsqueeze(-1)


class Autoencoder(nn.Module):
    """The encoders and decoders of all modalities, which are trained in stage 1."""

    def __init__(self, modalities: Mapping[str, Modality], latent: int):
        super().__init__()
        if latent < 1 or not modalities:
            raise InputError(
                "model",
                expected="a latent size of 1 or more and at least one modality",
                found=f"latent {latent}, modalities {list(modalities)}",
            )
        self.modalities, self.latent = dict(modalities), latent
        self.encoders = nn.ModuleDict({n: encoder_of(n, m, latent) for n, m in modalities.items()})
        self.decoders = nn.ModuleDict({n: decoder_of(n, m, latent) for n, m in modalities.items()})

    def encode(self, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return u[m] (B, L) of each modality in x."""
        return {name: in_blocks(self.encoders[name], value) for name, value in x.items()}


class IMANetwork(nn.Module):
    """The whole model: an autoencoder and importance networks, trained one after the other.

    Args:
        autoencoder: encoders and decoders.
        importance: by modality, its importance networks.
    """

    def __init__(self, autoencoder: Autoencoder, importance: nn.ModuleDict):
        super().__init__()
        self.autoencoder, self.importance = autoencoder, importance

    @classmethod
    def of(
        cls,
        modalities: Mapping[str, Modality],
        latent: int,
        importance_hidden: int,
        rho: Mapping[str, list[float]],
    ) -> "IMANetwork":
        """Return a model with new weights.

        Args:
            modalities: modalities by name, in order.
            latent: L, size of u and z.
            importance_hidden: width of the importance networks' hidden layers.
            rho: by modality, the prior mean of each of its R copies (for a single one, [rho]).
        """
        autoencoder = Autoencoder(modalities, latent)
        networks = {
            name: ImportanceNet(modality.dimension, importance_hidden, list(rho[name]))
            for name, modality in modalities.items()
        }
        return cls(autoencoder, nn.ModuleDict(networks))

    @classmethod
    def from_autoencoder(
        cls, autoencoder: Autoencoder, importance_hidden: int, rho: Mapping[str, list[float]]
    ) -> "IMANetwork":
        """Return a model with a given (trained) autoencoder and new importance networks."""
        model = cls.of(autoencoder.modalities, autoencoder.latent, importance_hidden, rho)
        return cls(autoencoder, model.importance)

    def importances(self, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return y[m] (R, B) of each modality in x."""
        return {name: forward(self.importance[name], value) for name, value in x.items()}
