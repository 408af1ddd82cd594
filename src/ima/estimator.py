"""IMA as an estimator: fit on arrays, transform any subset of the modalities, save and load."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ima.evaluation.represent import joint
from ima.features.scaling import scale_of, standardized, unstandardized
from ima.models import checkpoints
from ima.models.autoencoder import Stage1
from ima.models.concordance import (
    FUSIONS,
    Judge,
    judge_tensors,
    pair_concordance,
    read_judges,
    weights,
)
from ima.models.ima import Autoencoder, IMANetwork
from ima.models.importance import AUTO, Stage2
from ima.models.mixture import Found
from ima.models.stages import fit_stages
from ima.pairing.by_label import ABSENT
from ima.training import loop
from ima.utils.errors import InputError
from ima.utils.io import read_tensors, write_tensors

#: Settings of stage 2 that need no rho, and hold on small data.
MIXTURE = Stage2(objective="mixture", steps=400, batch_size=256, learning_rate=1e-3)


class IMA:
    """Joint representation of several modalities, with a learnt importance of each sample.

        model = IMA({"image": {"hidden": 500}, "speech": {"hidden": 100}}, latent=50)
        model.fit({"image": images, "speech": mfcc}, {"image": rows_0, "speech": rows_1})

    A sample may lack modalities (Section 3): its row number is -1 in `fit`, or its row is all NaN,
    in `fit` and `transform`. A row that is NaN in part is an error.

    Args:
        layers: by modality, in order, `hidden` width and `loss` (`bce`, the default, or `sse`).
        latent: L, size of the representation.
        rho: prior mean importance, in [0, 1], one for all or by modality; `auto` leaves it to the
            data (objective `mixture`). None for `auto` with `mixture`, and .8 without.
        importance_hidden: width of the importance networks.
        stage1: settings of the autoencoder's training; `Stage1(objective="paper")` is Eq. 2.
        stage2: settings of the importance networks' training, by default of the objective
            `mixture`, for which stage 1 is trained `folds` times; `Stage2(objective="paper")` is
            Eqs. 3 and 4.
        alternations: how often the two stages are trained in turn (Section 5).
        held_out: share of the pairs, in (0, 1), that the autoencoder is not trained on: they end
            its training early, and importances are learnt from them. Items that are in several
            pairs may be in both parts.
        standardize: whether each dimension of a modality of loss `sse` is brought to a mean of 0
            and a deviation of 1, of the items of the pairs that `fit` is given; constant ones
            become 0. `transform` does the same.
        seed: of weights, what is held out, and the order of pairs.

    Attributes:
        history: of `autoencoder` and `importance`, a row an epoch.
        concordance: after `fit` with `mixture`, by modality (N,) in [0, 1]: the probability that
            the pair's item shares something with the pair's others, by models that weren't trained
            on the pair. Unlike an item's importance it finds items in the wrong pair. That of new
            pairs is `pair_concordance`.
    """

    def __init__(
        self,
        layers: Mapping[str, Mapping],
        latent: int = 50,
        *,
        rho: float | str | Mapping[str, float | str] | None = None,
        importance_hidden: int = 100,
        stage1: Stage1 = Stage1(),  # noqa: B008 (frozen)
        stage2: Stage2 = MIXTURE,
        held_out: float = 0.2,
        alternations: int = 1,
        standardize: bool = True,
        seed: int = 0,
    ):
        self.layers, self.latent, self.seed = dict(layers), latent, seed
        if rho is None:
            rho = AUTO if stage2.objective == "mixture" else 0.8
        self.rho = dict(rho) if isinstance(rho, Mapping) else dict.fromkeys(self.layers, rho)
        self.importance_hidden, self.stage1, self.stage2 = importance_hidden, stage1, stage2
        self.held_out, self.alternations = held_out, alternations
        self.standardize = standardize
        self.scales: dict[str, Tensor] = {}
        self.network: IMANetwork | None = None
        self.history: dict[str, loop.History] = {}
        self.concordance: dict[str, np.ndarray] = {}
        self.judges: dict[str, Judge] = {}

    def fit(
        self, x: Mapping[str, np.ndarray], pairs: Mapping[str, np.ndarray] | None = None
    ) -> "IMA":
        """Train both stages.

        Args:
            x: by modality, a matrix (n_m, D_m); in [0, 1] where the loss is `bce`. A row of NaN
                is an item that is absent from all its pairs.
            pairs: by modality, row numbers (N,): the i-th pair is row `pairs[m][i]` of each, -1
                where it lacks the modality. None where the rows of the matrices belong together.

        Raises:
            InputError: a modality is missing or absent from all pairs, a pair has none, or as
                `ima.models.autoencoder.fit_autoencoder`.
        """
        self.scales = {}
        x, present = self._tensors(x, required=list(self.layers))
        pairs = _without(pairs or {m: np.arange(len(x[m])) for m in self.layers}, present)
        if self.standardize:
            sse = [name for name, layers in self.layers.items() if layers.get("loss") == "sse"]
            self.scales = {name: scale_of(x[name], pairs[name]) for name in sse if name in pairs}
        x = self._scaled(x)
        rows, held, order = self._split(pairs)
        torch.manual_seed(self.seed)
        modalities = checkpoints.modalities_of(x, self.layers)
        autoencoder = Autoencoder(modalities, self.latent).to(loop.device())
        networks, self.history, found = fit_stages(
            autoencoder,
            x,
            rows,
            held,
            self.rho,
            self.importance_hidden,
            self.stage1,
            self.stage2,
            self.seed,
            self.alternations,
        )
        self.network = checkpoints.assemble(autoencoder, networks, self.importance_hidden)
        self.concordance, self.judges = {}, {}
        if self.stage2.objective == "mixture":
            self.concordance = {m: _in_order(of, order) for m, of in found.items()}
            self.judges = {m: of.judge for m, of in found.items()}
        return self

    @torch.no_grad()
    def transform(
        self, x: Mapping[str, np.ndarray], *, weighted: bool = True, fusion: str = "importance"
    ) -> np.ndarray:
        """Return z (N, L) of samples that have any subset of the modalities (Eq. 1).

        Args:
            x: by modality, matrices (N, D_m) whose rows belong together; a row of NaN where a
                sample lacks the modality. The z of a sample that has one is that one's latent.
            weighted: whether modalities are weighted, or all count alike.
            fusion: what they are weighted by: `importance`, `concordance` of the pair, or `both`,
                the product.

        Raises:
            InputError: not fitted, an unknown modality, matrices of different length, a sample
                without any modality, or as `pair_concordance`.
        """
        if fusion not in FUSIONS:
            raise InputError("fusion", expected=f"one of {FUSIONS}", found=fusion)
        network, x, present = self._fitted(), *self._pairs(x)
        y = {name: values[0] for name, values in network.importances(x).items()}
        if weighted and fusion != "importance":
            y = weights(fusion, y, self._concordance(x, present))
        u = network.autoencoder.encode(x)
        if present is None:
            return joint(u, y if weighted else None).cpu().numpy()
        there = {name: of.to(y[name]) for name, of in present.items()}
        u = {name: of * there[name].unsqueeze(-1) for name, of in u.items()}
        return joint(u, y if weighted else None, there).cpu().numpy()

    def pair_concordance(self, x: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return by modality the concordance (N,), in [0, 1], of new pairs.

        That of the pairs of `fit` is the attribute `concordance`, out of fold: judged by this
        method they would look better than they are.

        Args:
            x: as in `transform`; two modalities at least. Concordance is 0 where a sample lacks
                the modality, or all others.

        Raises:
            InputError: not fitted with `mixture`, or as `transform`.
        """
        x, present = self._pairs(x)
        return {name: of.numpy() for name, of in self._concordance(x, present).items()}

    def _concordance(
        self, x: Mapping[str, Tensor], present: Mapping[str, Tensor] | None
    ) -> dict[str, Tensor]:
        """Return by modality the concordance (N,) of pairs of scaled x."""
        network = self._fitted()
        if not self.judges:
            raise InputError(
                "concordance",
                expected="a model fitted by the objective mixture",
                found="none",
                do="Set stage2 to ima.estimator.MIXTURE and fit again.",
            )
        return pair_concordance(self.judges, network.autoencoder, network.importance, x, present)

    def _pairs(
        self, x: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor] | None]:
        """Return x, scaled, of samples; and by modality which have it, None where all do."""
        self._fitted()
        x, present = self._tensors(x)
        x = self._scaled(x)
        if len({len(values) for values in x.values()}) != 1:
            lengths = {name: len(values) for name, values in x.items()}
            raise InputError("x", expected="at least one modality, of equal length", found=lengths)
        if all(of.all() for of in present.values()):
            return x, None
        empty = ~torch.stack([*present.values()]).any(0)
        if empty.any():
            raise InputError(
                "x",
                expected="one modality at least in each row",
                found=f"{int(empty.sum())} rows of NaN, first {int(empty.int().argmax())}",
                do="Leave these rows out.",
            )
        return x, present

    @torch.no_grad()
    def reconstruct(self, x: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return by modality the reconstructions (N, D_m) of samples, also of what they lack.

        They are decoded from z (Section 3), in the units of the vectors that `fit` was given.

        Args:
            x: as `transform` takes it.
        """
        z = torch.from_numpy(self.transform(x)).to(loop.device())
        found = {}
        for name, decoder in self._fitted().autoencoder.decoders.items():
            sse = self.layers[name].get("loss") == "sse"
            found[name] = decoder(z) if sse else decoder(z).sigmoid()
            if name in self.scales:
                found[name] = unstandardized(found[name], self.scales[name])
        return {name: of.cpu().numpy() for name, of in found.items()}

    @torch.no_grad()
    def importance(self, modality: str, x: np.ndarray) -> np.ndarray:
        """Return the importance (N,), in [0, 1], of samples x (N, D) of one modality.

        It is 0 where a sample lacks the modality, a row of NaN (Section 3).

        Raises:
            InputError: not fitted, or an unknown modality.
        """
        network, (x, present) = self._fitted(), self._tensors({modality: x})
        y = network.importance[modality](self._scaled(x)[modality])[0]
        return (y * present[modality]).cpu().numpy()

    def save(self, path: str | Path) -> None:
        """Write the fitted model as safetensors, with what is needed to load it."""
        network = self._fitted()
        config = checkpoints.model_config(network.autoencoder)
        config |= {"hidden": self.importance_hidden, "rho": self.rho, "seed": self.seed}
        scales = {f"scale.{name}": scale for name, scale in self.scales.items()}
        judges = {f"concordance.{name}": of for name, of in judge_tensors(self.judges).items()}
        write_tensors({**network.state_dict(), **scales, **judges}, path, config)

    @classmethod
    def load(cls, path: str | Path) -> "IMA":
        """Return the model that `save` wrote, ready to transform.

        Raises:
            InputError: not such a file.
        """
        state, config = read_tensors(path)
        names = ("autoencoder", "importance", "scale", "concordance")
        parts: dict[str, dict[str, Tensor]] = {name: {} for name in names}
        for name, value in state.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = value
        autoencoder = checkpoints.build_autoencoder(config, parts["autoencoder"])
        layers = {n: {k: m[k] for k in m if k != "dimension"} for n, m in config["modalities"]}
        model = cls(
            layers,
            config["latent"],
            rho=config["rho"],
            importance_hidden=config["hidden"],
            seed=config["seed"],
        )
        model.network = checkpoints.build_ima(autoencoder, config, parts["importance"]).to(
            loop.device()
        )
        model.scales = {name: scale.to(loop.device()) for name, scale in parts["scale"].items()}
        model.judges = read_judges(parts["concordance"])
        return model

    def _scaled(self, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return x, standardized where the model is trained on that."""
        found = dict(x)
        for name in found.keys() & self.scales.keys():
            if found[name].shape[1] == self.scales[name].shape[1]:
                found[name] = standardized(found[name], self.scales[name])
            # Otherwise the network says what is wrong.
        return found

    def _split(
        self, pairs: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor]:
        """Return by modality the rows of pairs to train on, and of those that are held out.

        And (N,) which pair each of both is.
        """
        rows = {name: torch.as_tensor(np.asarray(of, np.int64)) for name, of in pairs.items()}
        count = min(len(of) for of in rows.values())
        if not 0 < self.held_out < 1 or count < 2:
            raise InputError(
                "held_out",
                expected="a share in (0, 1) of two pairs or more",
                found=f"{self.held_out} of {count} pairs",
            )
        if len({len(of) for of in rows.values()}) > 1:
            return rows, rows, torch.arange(count)  # `fit_autoencoder` says what is wrong
        order = torch.from_numpy(np.random.default_rng(self.seed).permutation(count))
        held = min(max(1, round(self.held_out * count)), count - 1)
        return (
            {name: of[order[held:]] for name, of in rows.items()},
            {name: of[order[:held]] for name, of in rows.items()},
            torch.cat((order[held:], order[:held])),
        )

    def _fitted(self) -> IMANetwork:
        if self.network is None:
            raise InputError("model", expected="a fitted one", found="none", do="Call fit first.")
        return self.network

    def _tensors(
        self, x: Mapping[str, np.ndarray], required: list[str] = ()
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return by modality the matrix, 0 in rows of NaN, and which rows are there (n_m,)."""
        missing, unknown = set(required) - set(x), set(x) - set(self.layers)
        if missing or unknown or not x:
            raise InputError("modalities", expected=list(self.layers), found=list(x))
        tensors, present = {}, {}
        for name in (name for name in self.layers if name in x):
            values = np.asarray(x[name], np.float32)
            there = ~np.isnan(values).all(-1) if values.ndim == 2 and values.size else True
            if values.ndim != 2 or not np.isfinite(values[there]).all():
                finite = np.isfinite(values[there])
                raise InputError(
                    f"x['{name}']",
                    expected="a matrix (N, D) of finite numbers, or of NaN in all of a row",
                    found=f"shape {values.shape}, {int((~finite).sum())} not finite",
                )
            if not np.all(there):
                values = np.where(there[:, None], values, np.float32(0))
            tensors[name] = torch.from_numpy(values).to(loop.device())
            present[name] = torch.from_numpy(np.broadcast_to(there, len(values)).copy())
            present[name] = present[name].to(loop.device())
        return tensors, present


def _in_order(found: Found, order: Tensor) -> np.ndarray:
    """Return the concordance (N,) of pairs in the order of `fit`; NaN where none is known."""
    known = torch.full((len(order),), torch.nan, dtype=torch.double)
    known[order[found.pair]] = found.concordance
    return known.numpy()


def _without(
    pairs: Mapping[str, np.ndarray], present: Mapping[str, Tensor]
) -> Mapping[str, np.ndarray]:
    """Return pairs with ABSENT where they name a row that is not there."""
    found = dict(pairs)
    for name, there in present.items():
        if name not in pairs or there.all():
            continue
        rows = np.array(pairs[name], np.int64)
        known = (rows >= 0) & (rows < len(there))
        gone = ~there.cpu().numpy()[np.where(known, rows, 0)]
        found[name] = np.where(known & gone, ABSENT, rows)
    return found
