"""IMA as an estimator: fit on arrays, transform any subset of the modalities, save and load."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ima import data, train
from ima.errors import InputError
from ima.importance import Stage2
from ima.io import read_tensors, write_tensors
from ima.model import IMA as Network
from ima.model import Autoencoder, fuse
from ima.stages import fit_stages
from ima.train import Stage1


class IMA:
    """Joint representation of several modalities, with a learnt importance of each sample.

        model = IMA({"image": {"hidden": 500}, "speech": {"hidden": 100}}, latent=50)
        model.fit({"image": images, "speech": mfcc}, {"image": rows_0, "speech": rows_1})

    Args:
        layers: by modality, in order, `hidden` width and `loss` (`bce`, the default, or `sse`).
        latent: L, size of the representation.
        rho: prior mean importance, in [0, 1], one for all or by modality.
        importance_hidden: width of the importance networks.
        stage1: settings of the autoencoder's training; `Stage1(objective="paper")` is Eq. 2.
        stage2: settings of the importance networks' training; `Stage2(objective="paper")` is
            Eqs. 3 and 4.
        alternations: how often the two stages are trained in turn (Section 5).
        held_out: share of the pairs, in (0, 1), that the autoencoder is not trained on: they end
            its training early, and importances are learnt from them. Items that are in several
            pairs may be in both parts.
        seed: of weights, what is held out, and the order of pairs.
    """

    def __init__(
        self,
        layers: Mapping[str, Mapping],
        latent: int = 50,
        *,
        rho: float | Mapping[str, float] = 0.8,
        importance_hidden: int = 100,
        stage1: Stage1 = Stage1(),  # noqa: B008 (frozen)
        stage2: Stage2 = Stage2(),  # noqa: B008
        held_out: float = 0.2,
        alternations: int = 1,
        seed: int = 0,
    ):
        self.layers, self.latent, self.seed = dict(layers), latent, seed
        self.rho = dict(rho) if isinstance(rho, Mapping) else dict.fromkeys(self.layers, rho)
        self.importance_hidden, self.stage1, self.stage2 = importance_hidden, stage1, stage2
        self.held_out, self.alternations = held_out, alternations
        self.network: Network | None = None
        self.history: dict[str, train.History] = {}

    def fit(
        self, x: Mapping[str, np.ndarray], pairs: Mapping[str, np.ndarray] | None = None
    ) -> "IMA":
        """Train both stages.

        Args:
            x: by modality, a matrix (n_m, D_m); in [0, 1] where the loss is `bce`.
            pairs: by modality, row numbers (N,): the i-th pair is row `pairs[m][i]` of each. None
                where the rows of the matrices belong together.

        Raises:
            InputError: a modality is missing, or as `ima.train.fit_autoencoder`.
        """
        x = self._tensors(x, required=list(self.layers))
        pairs = pairs or {name: np.arange(len(x[name])) for name in self.layers}
        rows, held = self._split(pairs)
        torch.manual_seed(self.seed)
        modalities = data.modalities_of(x, self.layers)
        autoencoder = Autoencoder(modalities, self.latent).to(train.device())
        networks, self.history = fit_stages(
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
        self.network = data.assemble(autoencoder, networks, self.importance_hidden, self.rho)
        return self

    @torch.no_grad()
    def transform(self, x: Mapping[str, np.ndarray], *, weighted: bool = True) -> np.ndarray:
        """Return z (N, L) of samples that have any subset of the modalities (Eq. 1).

        Args:
            x: by modality, matrices (N, D_m) whose rows belong together.
            weighted: whether modalities count by their importances, or all alike.

        Raises:
            InputError: not fitted, an unknown modality, or matrices of different length.
        """
        network, x = self._fitted(), self._tensors(x)
        if len({len(values) for values in x.values()}) != 1:
            lengths = {name: len(values) for name, values in x.items()}
            raise InputError("x", expected="at least one modality, of equal length", found=lengths)
        y = {name: values[0] for name, values in network.importances(x).items()}
        return fuse(network.autoencoder.encode(x), y if weighted else None).cpu().numpy()

    @torch.no_grad()
    def importance(self, modality: str, x: np.ndarray) -> np.ndarray:
        """Return the importance (N,), in [0, 1], of samples x (N, D) of one modality.

        Raises:
            InputError: not fitted, or an unknown modality.
        """
        network, x = self._fitted(), self._tensors({modality: x})
        return network.importance[modality](x[modality])[0].cpu().numpy()

    def save(self, path: str | Path) -> None:
        """Write the fitted model as safetensors, with what is needed to load it."""
        network = self._fitted()
        config = data.model_config(network.autoencoder)
        config |= {"hidden": self.importance_hidden, "rho": self.rho, "seed": self.seed}
        write_tensors(network.state_dict(), path, config)

    @classmethod
    def load(cls, path: str | Path) -> "IMA":
        """Return the model that `save` wrote, ready to transform.

        Raises:
            InputError: not such a file.
        """
        state, config = read_tensors(path)
        parts: dict[str, dict[str, Tensor]] = {"autoencoder": {}, "importance": {}}
        for name, value in state.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = value
        autoencoder = data.build_autoencoder(config, parts["autoencoder"])
        layers = {n: {k: m[k] for k in m if k != "dimension"} for n, m in config["modalities"]}
        model = cls(
            layers,
            config["latent"],
            rho=config["rho"],
            importance_hidden=config["hidden"],
            seed=config["seed"],
        )
        model.network = data.build_ima(autoencoder, config, parts["importance"]).to(train.device())
        return model

    def _split(
        self, pairs: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return by modality the rows of pairs to train on, and of those that are held out."""
        rows = {name: torch.as_tensor(np.asarray(of, np.int64)) for name, of in pairs.items()}
        count = min(len(of) for of in rows.values())
        if not 0 < self.held_out < 1 or count < 2:
            raise InputError(
                "held_out",
                expected="a share in (0, 1) of two pairs or more",
                found=f"{self.held_out} of {count} pairs",
            )
        if len({len(of) for of in rows.values()}) > 1:
            return rows, rows  # `fit_autoencoder` says what is wrong
        order = torch.from_numpy(np.random.default_rng(self.seed).permutation(count))
        held = min(max(1, round(self.held_out * count)), count - 1)
        return (
            {name: of[order[held:]] for name, of in rows.items()},
            {name: of[order[:held]] for name, of in rows.items()},
        )

    def _fitted(self) -> Network:
        if self.network is None:
            raise InputError("model", expected="a fitted one", found="none", do="Call fit first.")
        return self.network

    def _tensors(self, x: Mapping[str, np.ndarray], required: list[str] = ()) -> dict[str, Tensor]:
        missing, unknown = set(required) - set(x), set(x) - set(self.layers)
        if missing or unknown or not x:
            raise InputError("modalities", expected=list(self.layers), found=list(x))
        tensors = {}
        for name in (name for name in self.layers if name in x):
            values = np.asarray(x[name], np.float32)
            if values.ndim != 2 or not np.isfinite(values).all():
                raise InputError(
                    f"x['{name}']",
                    expected="a matrix (N, D) of finite numbers",
                    found=f"shape {values.shape}, {int((~np.isfinite(values)).sum())} not finite",
                )
            tensors[name] = torch.from_numpy(values).to(train.device())
        return tensors
