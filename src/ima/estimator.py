"""`IMA`: an estimator with `fit`, `transform`, `save` and `load` on NumPy arrays."""

from collections.abc import Mapping
from dataclasses import asdict
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
    ConcordanceModel,
    concordance_tensors,
    pair_concordance,
    read_concordance,
    weights,
)
from ima.models.ima import Autoencoder, IMANetwork
from ima.models.importance import AUTO, Stage2
from ima.models.mixture import MixtureFit
from ima.models.stages import fit_stages
from ima.pairing.by_label import ABSENT
from ima.training import loop
from ima.utils.errors import InputError
from ima.utils.io import read_tensors, write_tensors

#: Default settings of stage 2. They need no rho and suit small data sets.
MIXTURE = Stage2(objective="mixture", steps=400, batch_size=256, learning_rate=1e-3)


class IMA:
    """Importance-based Multimodal Autoencoder.

    IMA learns a joint representation z of several modalities and, for each item, an importance in
    [0, 1]: the probability that the item is informative about the items it is paired with. Training
    needs pairs but no labels. Stage 1 trains an autoencoder; stage 2 trains one importance network
    per modality. z is the importance-weighted mean of the latents (Eq. 1).

    A sample may lack modalities (Section 3). In `pairs`, a missing item has row number -1; in `x`,
    its row is all NaN. A row that is only partly NaN is an error.

    Args:
        layers: settings of each modality, in order: `hidden`, the width of the hidden layers;
            `loss`, `bce` (the default, for values in [0, 1]) or `sse` (for any values); and
            `activation`.
        latent: L, the size of the representation.
        rho: prior mean importance in [0, 1], one value or one per modality. `auto` estimates it
            from the data and requires the objective `mixture`. None means `auto` with `mixture`
            and .8 with other objectives.
        importance_hidden: width of the hidden layers of the importance networks.
        stage1: training settings of the autoencoder. `Stage1(objective="paper")` is Eq. 2.
        stage2: training settings of the importance networks. The default is the objective
            `mixture`, for which stage 1 is trained `folds` times; `Stage2(objective="paper")` is
            Eqs. 3 and 4.
        held_out: share of the pairs, in (0, 1), on which the autoencoder is not trained. They
            serve for early stopping and for learning importances. An item that occurs in several
            pairs may be in both parts.
        alternations: number of times that the two stages are trained in turn (Section 5).
        standardize: whether to standardize each dimension of the modalities with loss `sse` to
            mean 0 and standard deviation 1, computed on the items of the pairs given to `fit`.
            Constant dimensions become 0. All other methods apply the same scaling.
        seed: seed of the initial weights, of the choice of held-out pairs, and of their order.

    Attributes:
        network: the fitted `ima.models.ima.IMANetwork`, a torch module with the parts
            `autoencoder` and `importance`; None before `fit`.
        history: losses of the stages `autoencoder` and `importance`, one row per epoch. Empty
            after `load`.
        scales: by modality, the mean and standard deviation (2, D_m) used to standardize it.
        concordance: by modality, the concordance (N,) of each pair given to `fit`, in [0, 1]: the
            probability that the pair's item shares information with the rest of the pair. It is
            computed by models that were not trained on the pair; it is NaN if every model was.
            Unlike importance, it detects good items in the wrong pair. Requires the objective
            `mixture`; empty after `load`. For new pairs, use `pair_concordance`.
        judges: by modality, what `pair_concordance` needs; empty without `mixture`.

    Example:
        >>> import numpy as np
        >>> from ima import IMA
        >>> rng = np.random.default_rng(0)
        >>> shared = rng.normal(size=(500, 3))
        >>> x = {m: shared @ rng.normal(size=(3, 20)) for m in ("voice", "face")}
        >>> layers = {m: {"hidden": 100, "loss": "sse"} for m in x}
        >>> model = IMA(layers, latent=5).fit(x)  # row i of each matrix is sample i
        >>> model.transform(x).shape
        (500, 5)
        >>> model.transform({"voice": x["voice"][:10]}).shape  # any subset of the modalities
        (10, 5)
        >>> model.importance("voice", x["voice"]).shape
        (500,)
        >>> model.save("model.safetensors")
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
        self.judges: dict[str, ConcordanceModel] = {}

    def fit(
        self, x: Mapping[str, np.ndarray], pairs: Mapping[str, np.ndarray] | None = None
    ) -> "IMA":
        """Train the autoencoder and the importance networks.

        Args:
            x: by modality, a matrix of items (n_m, D_m), with values in [0, 1] if the loss is
                `bce`. An item whose row is all NaN counts as missing from its pairs.
            pairs: by modality, row numbers (N,): pair i consists of row `pairs[m][i]` of each
                `x[m]`; -1 if it lacks modality m. If None, row i of each matrix forms pair i.

        Returns:
            The fitted estimator itself.

        Raises:
            InputError: a modality is missing or absent from all pairs, a pair has no modality, or
                any error of `ima.models.autoencoder.fit_autoencoder`.
        """
        self.scales, self.network = {}, None
        x, present = self._tensors(x, required=list(self.layers))
        self._check_range(x)
        pairs = _mark_missing(pairs or {m: np.arange(len(x[m])) for m in self.layers}, present)
        if self.standardize:
            sse = [name for name, layers in self.layers.items() if layers.get("loss") == "sse"]
            self.scales = {name: scale_of(x[name], pairs[name]) for name in sse if name in pairs}
        x = self._scaled(x)
        rows, held, order = self._split(pairs)
        torch.manual_seed(self.seed)
        modalities = checkpoints.modalities_of(x, self.layers)
        autoencoder = Autoencoder(modalities, self.latent).to(loop.device())
        networks, self.history, results = fit_stages(
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
            self.concordance = {m: _in_order(result, order) for m, result in results.items()}
            self.judges = {m: result.model for m, result in results.items()}
        return self

    @torch.no_grad()
    def transform(
        self, x: Mapping[str, np.ndarray], *, weighted: bool = True, fusion: str = "importance"
    ) -> np.ndarray:
        """Return the joint representation z (N, L) of samples (Eq. 1).

        Args:
            x: matrices (N, D_m) of one or more modalities; row i of each belongs to sample i and
                is all NaN if the sample lacks the modality. If a sample has a single modality, its
                z is the latent of that modality.
            weighted: whether to weight the modalities. If false, all have weight 1.
            fusion: the weights: `importance` of each item, `concordance` of each pair, or `both`,
                their product.

        Returns:
            z, of shape (N, L).

        Raises:
            InputError: the model is not fitted, a modality is unknown, the matrices differ in
                length, a sample has no modality, or any error of `pair_concordance`.
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
        mask = {name: rows.to(y[name]) for name, rows in present.items()}
        u = {name: latents * mask[name].unsqueeze(-1) for name, latents in u.items()}
        return joint(u, y if weighted else None, mask).cpu().numpy()

    def pair_concordance(self, x: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the concordance (N,) of new pairs, in [0, 1], by modality.

        For the pairs given to `fit`, use the attribute `concordance`, which is computed out of
        fold; this method would be too optimistic for them.

        Args:
            x: as in `transform`, with at least two modalities.

        Returns:
            By modality, the concordance (N,). It is 0 if a sample lacks the modality or all
            others.

        Raises:
            InputError: the model was not fitted with the objective `mixture`, or any error of
                `transform`.
        """
        x, present = self._pairs(x)
        return {name: values.numpy() for name, values in self._concordance(x, present).items()}

    def _concordance(
        self, x: Mapping[str, Tensor], present: Mapping[str, Tensor] | None
    ) -> dict[str, Tensor]:
        """Return the concordance (N,) of pairs by modality, from x that is already scaled."""
        network = self._fitted()
        if not self.judges:
            raise InputError(
                "concordance",
                expected="a model fitted with the objective mixture",
                found="a model without concordance",
                do="Set stage2 to ima.estimator.MIXTURE and fit again.",
            )
        return pair_concordance(self.judges, network.autoencoder, network.importance, x, present)

    def _pairs(
        self, x: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor] | None]:
        """Return the scaled x of samples, and a mask (N,) by modality; None if none is missing."""
        self._fitted()
        x, present = self._tensors(x)
        x = self._scaled(x)
        if len({len(values) for values in x.values()}) != 1:
            lengths = {name: len(values) for name, values in x.items()}
            raise InputError("x", expected="matrices of equal length", found=lengths)
        if all(rows.all() for rows in present.values()):
            return x, None
        empty = ~torch.stack([*present.values()]).any(0)
        if empty.any():
            raise InputError(
                "x",
                expected="at least one modality in each row",
                found=f"{int(empty.sum())} rows of NaN, first {int(empty.int().argmax())}",
                do="Remove these rows.",
            )
        return x, present

    @torch.no_grad()
    def reconstruct(self, x: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return reconstructions (N, D_m) of all modalities, including those a sample lacks.

        They are decoded from z (Section 3) and have the units of the data given to `fit`.

        Args:
            x: as in `transform`.

        Returns:
            By modality, a matrix (N, D_m).

        Raises:
            InputError: as `transform`.
        """
        z = torch.from_numpy(self.transform(x)).to(loop.device())
        decoded = {}
        for name, decoder in self._fitted().autoencoder.decoders.items():
            sse = self.layers[name].get("loss") == "sse"
            decoded[name] = decoder(z) if sse else decoder(z).sigmoid()
            if name in self.scales:
                decoded[name] = unstandardized(decoded[name], self.scales[name])
        return {name: values.cpu().numpy() for name, values in decoded.items()}

    @torch.no_grad()
    def importance(self, modality: str, x: np.ndarray) -> np.ndarray:
        """Return the importance (N,) of items of one modality, in [0, 1].

        Args:
            modality: its name.
            x: items (N, D). A row of NaN is a missing item, whose importance is 0 (Section 3).

        Raises:
            InputError: the model is not fitted, or the modality is unknown.
        """
        network, (x, present) = self._fitted(), self._tensors({modality: x})
        y = network.importance[modality](self._scaled(x)[modality])[0]
        return (y * present[modality]).cpu().numpy()

    def save(self, path: str | Path) -> None:
        """Write the fitted model to a safetensors file, which `load` reads.

        `history` and `concordance` are not saved.

        Raises:
            InputError: the model is not fitted.
        """
        network = self._fitted()
        config = checkpoints.model_config(network.autoencoder)
        config |= {"hidden": self.importance_hidden, "rho": self.rho, "seed": self.seed}
        config["training"] = {
            "stage1": asdict(self.stage1),
            "stage2": asdict(self.stage2),
            "held_out": self.held_out,
            "alternations": self.alternations,
            "standardize": self.standardize,
        }
        scales = {f"scale.{name}": scale for name, scale in self.scales.items()}
        judges = {f"concordance.{name}": t for name, t in concordance_tensors(self.judges).items()}
        write_tensors({**network.state_dict(), **scales, **judges}, path, config)

    @classmethod
    def load(cls, path: str | Path) -> "IMA":
        """Return the fitted model from a file written by `save`.

        Raises:
            InputError: the file is not such a model.
        """
        state, config = read_tensors(path)
        names = ("autoencoder", "importance", "scale", "concordance")
        parts: dict[str, dict[str, Tensor]] = {name: {} for name in names}
        for name, value in state.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = value
        autoencoder = checkpoints.build_autoencoder(config, parts["autoencoder"])
        layers = {n: {k: m[k] for k in m if k != "dimension"} for n, m in config["modalities"]}
        training = dict(config.get("training", {}))  # the workflow's models are trained by rules
        stages = {"stage1": Stage1, "stage2": Stage2}
        training |= {name: stages[name](**training[name]) for name in stages if name in training}
        model = cls(
            layers,
            config["latent"],
            rho=config["rho"],
            importance_hidden=config["hidden"],
            seed=config["seed"],
            **training,
        )
        model.network = checkpoints.build_ima(autoencoder, config, parts["importance"]).to(
            loop.device()
        )
        model.scales = {name: scale.to(loop.device()) for name, scale in parts["scale"].items()}
        model.judges = read_concordance(parts["concordance"])
        return model

    def _scaled(self, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return x with the modalities standardized that were standardized in training."""
        scaled = dict(x)
        for name in scaled.keys() & self.scales.keys():
            scaled[name] = standardized(scaled[name], self.scales[name])
        return scaled

    def _split(
        self, pairs: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor]:
        """Return training pairs, held-out pairs, and the numbers (N,) of both in `pairs`.

        Pairs are row numbers by modality.
        """
        rows = {m: torch.as_tensor(np.asarray(numbers, np.int64)) for m, numbers in pairs.items()}
        count = min(len(numbers) for numbers in rows.values())
        if not 0 < self.held_out < 1 or count < 2:
            raise InputError(
                "held_out",
                expected="a share in (0, 1) of at least two pairs",
                found=f"{self.held_out} of {count} pairs",
            )
        if len({len(numbers) for numbers in rows.values()}) > 1:
            return rows, rows, torch.arange(count)  # `fit_autoencoder` reports the error
        order = torch.from_numpy(np.random.default_rng(self.seed).permutation(count))
        held = min(max(1, round(self.held_out * count)), count - 1)
        return (
            {name: numbers[order[held:]] for name, numbers in rows.items()},
            {name: numbers[order[:held]] for name, numbers in rows.items()},
            torch.cat((order[held:], order[:held])),
        )

    def _fitted(self) -> IMANetwork:
        if self.network is None:
            raise InputError("model", expected="a fitted model", found="none", do="Call fit first.")
        return self.network

    def _tensors(
        self, x: Mapping[str, np.ndarray], required: list[str] = ()
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the matrices, with 0 for rows of NaN, and masks (n_m,) of the rows present."""
        missing, unknown = set(required) - set(x), set(x) - set(self.layers)
        if missing or unknown or not x:
            raise InputError("modalities", expected=list(self.layers), found=list(x))
        tensors, present = {}, {}
        for name in (name for name in self.layers if name in x):
            values = np.asarray(x[name], np.float32)
            mask = ~np.isnan(values).all(-1) if values.ndim == 2 and values.size else True
            if values.ndim != 2 or not np.isfinite(values[mask]).all():
                finite = np.isfinite(values[mask])
                raise InputError(
                    f"x['{name}']",
                    expected="a matrix (N, D) of finite numbers, where a missing item is all NaN",
                    found=f"shape {values.shape}, {int((~finite).sum())} not finite",
                )
            if self.network and values.shape[1] != self._dimension(name):
                raise InputError(
                    f"x['{name}']",
                    expected=f"{self._dimension(name)} columns, as in fit",
                    found=values.shape[1],
                )
            if not np.all(mask):
                values = np.where(mask[:, None], values, np.float32(0))
            tensors[name] = torch.from_numpy(values).to(loop.device())
            present[name] = torch.from_numpy(np.broadcast_to(mask, len(values)).copy())
            present[name] = present[name].to(loop.device())
        return tensors, present

    def _dimension(self, name: str) -> int:
        return self._fitted().autoencoder.modalities[name].dimension

    def _check_range(self, x: Mapping[str, Tensor]) -> None:
        """Raise InputError unless modalities with loss `bce` have values in [0, 1]."""
        for name, values in ((m, of) for m, of in x.items() if of.numel()):
            low, high = float(values.min()), float(values.max())
            if self.layers[name].get("loss", "bce") == "bce" and not 0 <= low <= high <= 1:
                raise InputError(
                    f"x['{name}']",
                    expected="values in [0, 1], for the loss bce",
                    found=f"{low:g} to {high:g}",
                    do=f"Scale them to [0, 1], or set layers['{name}']['loss'] to 'sse'.",
                )


def _in_order(result: MixtureFit, order: Tensor) -> np.ndarray:
    """Return the concordance (N,) of pairs in the order given to `fit`; NaN if there is none."""
    concordance = torch.full((len(order),), torch.nan, dtype=torch.double)
    concordance[order[result.pair]] = result.concordance
    return concordance.numpy()


def _mark_missing(
    pairs: Mapping[str, np.ndarray], present: Mapping[str, Tensor]
) -> Mapping[str, np.ndarray]:
    """Return pairs with ABSENT instead of row numbers of missing items."""
    marked = dict(pairs)
    for name, mask in present.items():
        if name not in pairs or mask.all():
            continue
        rows = np.array(pairs[name], np.int64)
        valid = (rows >= 0) & (rows < len(mask))
        missing = ~mask.cpu().numpy()[np.where(valid, rows, 0)]
        marked[name] = np.where(valid & missing, ABSENT, rows)
    return marked
