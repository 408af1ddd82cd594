"""`IMA`: the model as an estimator by the rules of scikit-learn."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import NotFittedError
from torch import Tensor

from ima.estimator import files, inputs, plots
from ima.estimator.generation import Generation
from ima.estimator.hub import Hub
from ima.estimator.inputs import Samples, Views
from ima.estimator.parameters import ARGUMENTS, Parameters, check_parameters, seed_of
from ima.evaluation.represent import joint
from ima.evaluation.user.stability import over_folds
from ima.features.scaling import scale_of, standardize
from ima.models import checkpoints
from ima.models.autoencoder import Stage1
from ima.models.concordance import FUSIONS, ConcordanceModel, fusion_weights, pair_concordance
from ima.models.ima import Autoencoder, IMANetwork
from ima.models.importance import AUTO, Stage2
from ima.models.mixture import MixtureFit
from ima.models.shared import SharedPart, shared_parts_of
from ima.models.shared_encoders import SharedEncoders, check_comparable, fit_shared_encoders
from ima.models.stages import fit_stages
from ima.pairing.by_label import ABSENT
from ima.training import loop, sizes
from ima.training.callbacks import Callback
from ima.training.callbacks import callbacks as following
from ima.utils.errors import InputError
from ima.utils.progress import bars

#: Default settings of stage 1: the length of training follows from the number of pairs.
SIZED = Stage1(epochs=sizes.AUTO, batch_size=sizes.AUTO, patience=sizes.AUTO)
#: Default settings of stage 2. They need no rho and suit small data sets.
MIXTURE = Stage2(objective="mixture", steps=400, batch_size=256, learning_rate=1e-3)
#: Prior mean importance for objectives that cannot estimate it.
RHO = 0.8


class NotFitted(InputError, NotFittedError):
    """A method was called that requires `fit` or `load`."""


class IMA(Hub, Generation, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Importance-based Multimodal Autoencoder.

    IMA learns a joint representation z of several modalities and, for each item, an importance in
    [0, 1]: the probability that the item is informative about the items it is paired with. Training
    needs pairs but no labels. Stage 1 trains an autoencoder; stage 2 trains one importance network
    per modality. z is the importance-weighted mean of the latents (Eq. 1).

    X, the data of all methods, is a dict with one matrix (N, D_m) per modality, or a list of
    matrices, which are called `view_0`, `view_1` and so on. A matrix may be an array, a masked
    array or a DataFrame; row i of each belongs to sample i. Arrays may have more axes: items
    (N, *shape_m), such as images or sequences of equal length, have D_m values each. A sample may
    lack modalities (Section 3): its row is then all NaN, or all masked. A row that is only partly
    NaN is an error.

    Args:
        layers: settings by modality; None, or a modality left out, for the defaults. `hidden` is
            the width of the hidden layers (default 100), `loss` is `sse` (the default, for any
            values), `bce` (for values in [0, 1]), `poisson` (for counts) or `categorical` (for
            one-hot vectors or probabilities over the last axis), `activation` is `relu` (the
            default), `tanh` or `gelu`. `encoder` and `decoder` are modules of your own instead of
            these layers: an encoder maps items (B, *shape_m) to latents (B, L), a decoder maps
            (B, L) to what the loss expects (`ima.training.losses.reconstruction`), in the shape of
            the items or flat. Each training starts from a copy with the weights of the module as
            given; the module itself does not change, and `random_state` does not concern it. Either
            may be named instead (`ima.models.own.network`).
        latent: L, the size of the representation.
        rho: prior mean importance in [0, 1], one value or one per modality. `auto` estimates it
            from the data and requires the objective `mixture`. None means `auto` with `mixture`
            and .8 with other objectives.
        importance_hidden: width of the hidden layers of the importance networks.
        stage1: training settings of the autoencoder; None for `ima+` with epochs, batch size and
            patience that follow from the number of pairs (`ima.training.sizes`).
            `Stage1(objective="paper")` is Eq. 2.
        stage2: training settings of the importance networks; None for `ima.estimator.MIXTURE`, for
            which stage 1 is trained `folds` times. `Stage2(objective="paper")` is Eqs. 3 and 4.
        held_out: share of the pairs, in (0, 1), on which the autoencoder is not trained. They
            serve for early stopping and for learning importances. An item that occurs in several
            pairs may be in both parts.
        alternations: number of times that the two stages are trained in turn (Section 5).
        shared: what `transform(X, shared=True)` uses: `correlation`, a linear map of the latents
            (`ima.models.shared`), or `contrastive`, further encoders, which are trained with the
            settings of stage 1 (`ima.models.shared_encoders`).
        standardize: whether to standardize each dimension of the modalities with loss `sse` to
            mean 0 and standard deviation 1, computed on the items of the pairs given to `fit`;
            in items of more axes, each entry.
            Constant dimensions become 0. All other methods apply the same scaling.
        random_state: seed of the initial weights, of the choice of held-out pairs, and of their
            order; a RandomState, or None for another seed in each `fit`.
        verbose: whether to show progress bars.
        device: the device to train on, such as `cpu`; None for a GPU if there is one.
        threads: number of CPU threads in `fit`; None for torch's own. With one, the result does not
            depend on the machine's number of cores. More may pay for very wide layers, on an idle
            machine.

    Attributes:
        network_: the fitted `ima.models.ima.IMANetwork`, a torch module with the parts
            `autoencoder` and `importance`.
        n_features_in_: by modality, in order, the number D_m of its features. (scikit-learn's
            estimators of a single matrix have one number here.)
        shapes_: by modality, the shape of an item, (D_m,) for a matrix.
        feature_names_in_: by modality that was a DataFrame, the names of its columns.
        history_: rows (dicts) of the stages `autoencoder` and `importance`, one per epoch, with the
            losses; `history_frame` returns a DataFrame. Empty after `load`.
        scales_: by modality, the mean and standard deviation (2, D_m) used to standardize it, for
            flat items.
        concordance_: by modality, the concordance (N,) of each pair given to `fit`, in [0, 1]: the
            probability that the pair's item shares information with the rest of the pair. It is
            computed by models that were not trained on the pair; it is NaN if every model was.
            It is 0 for an item without partners. Unlike importance, it detects good items in the
            wrong pair. Requires the objective `mixture`; empty after `load`. For new pairs, use
            `pair_concordance`.
        concordance_models_: by modality, what `pair_concordance` needs; empty without `mixture`.
        folds_: by modality, how well the importances of items agree with those by networks that
            were not trained on them (`ima.evaluation.user.stability.over_folds`); empty without
            `mixture`.
        shared_parts_: by modality, the map to what other modalities share of its latents
            (`ima.models.shared`), for `transform`.
        shared_encoders_: with `shared="contrastive"`, the trained
            `ima.models.shared_encoders.SharedEncoders`; None otherwise.
        rho_: by modality, the prior mean importance used.
        seed_: the seed used.

    Examples:
        >>> import numpy as np
        >>> from ima import IMA
        >>> rng = np.random.default_rng(0)
        >>> shared = rng.normal(size=(500, 3))
        >>> x = {m: shared @ rng.normal(size=(3, 20)) for m in ("voice", "face")}
        >>> model = IMA(latent=5).fit(x)  # row i of each matrix is sample i
        >>> model.transform(x).shape
        (500, 5)
        >>> model.transform({"voice": x["voice"][:10]}).shape  # any subset of the modalities
        (10, 5)
        >>> model.predict({"voice": x["voice"][:10]}, to="face").shape
        (10, 20)
        >>> model.importance(x)["voice"].shape
        (500,)
        >>> model.save("model.safetensors")
    """

    network_: IMANetwork
    n_features_in_: dict[str, int]
    shapes_: dict[str, tuple[int, ...]]
    feature_names_in_: dict[str, list[str]]
    history_: dict[str, loop.History]
    scales_: dict[str, Tensor]
    concordance_: dict[str, np.ndarray]
    concordance_models_: dict[str, ConcordanceModel]
    folds_: dict[str, dict[str, float | None]]
    shared_parts_: dict[str, SharedPart]
    shared_encoders_: SharedEncoders | None
    rho_: dict[str, float | sizes.Auto]
    seed_: int

    def __init__(
        self,
        layers: Mapping[str, Mapping[str, Any]] | None = None,
        latent: int = 50,
        *,
        rho: float | sizes.Auto | Mapping[str, float | sizes.Auto] | None = None,
        importance_hidden: int = 100,
        stage1: Stage1 | None = None,
        stage2: Stage2 | None = None,
        held_out: float = 0.2,
        alternations: int = 1,
        shared: str = "correlation",
        standardize: bool = True,
        random_state: int | np.random.RandomState | None = 0,
        verbose: bool = False,
        device: str | torch.device | None = None,
        threads: int | None = 1,
    ):
        self.layers, self.latent = layers, latent
        self.rho, self.importance_hidden = rho, importance_hidden
        self.stage1, self.stage2 = stage1, stage2
        self.held_out, self.alternations = held_out, alternations
        self.shared = shared
        self.standardize, self.random_state = standardize, random_state
        self.verbose, self.device, self.threads = verbose, device, threads

    def fit(
        self,
        X: Views,
        y: object = None,
        *,
        pairs: Mapping[str, Any] | None = None,
        validation: Any = None,
        callbacks: Iterable[Callback] = (),
    ) -> "IMA":
        """Train the autoencoder and the importance networks.

        Args:
            X: items (n_m, D_m) or (n_m, *shape_m) of each modality, with values that suit its loss
                (`ima.estimator.inputs.VALUES`). An item that is all NaN counts as missing from its
                pairs.
            y: ignored; scikit-learn's pipelines pass labels here.
            pairs: by modality, row numbers (N,): pair i consists of row `pairs[m][i]` of each
                `X[m]`; -1 if it lacks modality m. If None, row i of each matrix forms pair i.
            validation: numbers of the held-out pairs; if None, the share `held_out` is drawn.
            callbacks: functions that are called after each epoch with the name of the stage and a
                dict of its losses (`ima.training.callbacks`), such as the writers of
                `ima.training.trackers`.

        Returns:
            The fitted estimator itself.

        Raises:
            InputError: X is not as described, a modality is absent from all pairs, a pair has no
                modality, a module in `layers` does not map items to latents or back, or any error
                of `ima.models.autoencoder.fit_autoencoder`.
        """
        if isinstance(y, Mapping):
            do = "Pass row numbers as pairs=."
            raise InputError("y", expected="labels or None", found="a mapping", do=do)
        layers = inputs.resolve_layers(X, self.layers)
        given, seed = check_parameters(self._arguments(), list(layers)), seed_of(self.random_state)
        views = inputs.by_name(X, list(layers))
        if pairs is None:
            inputs.check_index(views)
        device = _device(self.device)
        samples = inputs.read(views, device)
        shapes = inputs.shapes_of(views)
        inputs.check_values(samples, layers, shapes)
        for name, shape in shapes.items():
            layers[name]["shape"] = shape if len(shape) > 1 else None
        rows = inputs.row_by_row(samples.x) if pairs is None else pairs
        marked = inputs.mark_missing(rows, samples.present)
        sse = [m for m in marked if self.standardize and layers.get(m, {}).get("loss") == "sse"]
        scales = {m: scale_of(samples.x[m], marked[m]) for m in sse}
        inputs.warn_of_rounding(views, marked, scales)
        with loop.in_threads(given.threads, device), bars(self.verbose), following(callbacks):
            x = _scaled(samples.x, scales)
            fitted = self._train(x, layers, marked, validation, given, seed)
        columns = {name: inputs.column_names(values) for name, values in views.items()}
        fitted["feature_names_in_"] = {name: of for name, of in columns.items() if of}
        # All at once, or an error in a second fit would leave parts of both models.
        for name, value in {**fitted, "scales_": scales, "seed_": seed, "rho_": given.rho}.items():
            setattr(self, name, value)
        self._set_sizes()
        return self

    def fit_transform(self, X: Views, y: object = None, **of_fit: Any) -> np.ndarray:
        """Fit to X and return the joint representation z (N, L) of the pairs (Eq. 1).

        Arguments and exceptions are those of `fit`.
        """
        self.fit(X, y, **of_fit)
        pairs = of_fit.get("pairs")
        if pairs is None:
            return self.transform(X)
        x, present = self._items(X)
        rows = {m: torch.from_numpy(of) for m, of in inputs.mark_missing(pairs, present).items()}
        samples = Samples(
            {m: of[rows[m].clamp_min(0)] for m, of in x.items()},
            {m: (rows[m] != ABSENT).to(of.device) for m, of in x.items()},
        )
        with torch.no_grad():
            return self._joint(samples).cpu().numpy()

    def _arguments(self) -> dict[str, Any]:
        """Return the constructor arguments to check, with defaults instead of None."""
        given = {name: getattr(self, name) for name in ARGUMENTS}
        for name, default in (("stage1", SIZED), ("stage2", MIXTURE)):
            given[name] = default if given[name] is None else given[name]
        if given["rho"] is None:
            mixture = getattr(given["stage2"], "objective", "") == "mixture"
            given["rho"] = AUTO if mixture else RHO
        return given

    def _train(
        self,
        x: dict[str, Tensor],
        layers: Mapping[str, Mapping[str, Any]],
        pairs: Mapping[str, np.ndarray],
        validation: Any,
        given: Parameters,
        seed: int,
    ) -> dict[str, Any]:
        """Fit both stages to items x[m] (n_m, D_m) and pairs, and return the fitted attributes."""
        rows, held, order = inputs.split(pairs, given.held_out, seed, validation)
        inputs.warn_of_copies(x, rows, held)
        if self.shared == "contrastive":
            check_comparable(held)
        torch.manual_seed(seed)
        modalities = checkpoints.modalities_of(x, layers)
        autoencoder = Autoencoder(modalities, given.latent).to(next(iter(x.values())).device)
        stages = (given.rho, given.hidden, given.stage1, given.stage2, seed, given.alternations)
        networks, history, results = fit_stages(autoencoder, x, rows, held, *stages)
        network = IMANetwork(autoencoder, networks)
        fitted: dict[str, Any] = {"network_": network, "history_": history}
        fitted["shared_parts_"] = shared_parts_of(network, x, rows, held)
        fitted["shared_encoders_"] = None
        if self.shared == "contrastive":
            fitted["shared_encoders_"], history["shared encoders"] = fit_shared_encoders(
                network, x, rows, held, given.stage1, seed
            )
        found = results if given.stage2.objective == "mixture" else {}
        fitted["concordance_"] = {m: _in_order(result, order) for m, result in found.items()}
        fitted["concordance_models_"] = {m: result.model for m, result in found.items()}
        both = {m: torch.cat((rows[m], held[m])) for m in rows}
        fitted["folds_"] = over_folds(found, networks, x, both)
        return fitted

    def _set_sizes(self) -> None:
        """Set the attributes by which scikit-learn knows the widths of input and output."""
        modalities = self.network_.autoencoder.modalities
        self.n_features_in_ = {name: modality.dimension for name, modality in modalities.items()}
        self.shapes_ = {name: modality.item for name, modality in modalities.items()}
        self._n_features_out = self.network_.autoencoder.latent

    @torch.no_grad()
    def transform(
        self, X: Views, *, weights: str | Mapping[str, Any] = "importance", shared: bool = False
    ) -> np.ndarray:
        """Return the joint representation z (N, L) of samples (Eq. 1).

        Args:
            X: matrices (N, D_m) of one or more modalities (None in a list for one that is left
                out). If a sample has a single modality, its z is the latent of that modality.
            weights: weights of the latents: `importance` of each item, `concordance` of each pair,
                `both`, their product, or `equal`. A mapping sets importances by hand: by modality,
                one number or one per sample (N,), 0 or more; other modalities keep theirs. z is 0
                where all weights of several modalities are 0.
            shared: uses latents of what other modalities share, as the constructor's `shared`
                says. It helps where modalities share only a class.

        Returns:
            z, of shape (N, L).

        Raises:
            InputError: the model is not fitted, X is not as described, the matrices differ in
                length, a sample has no modality, weights are not of this form, or any error of
                `pair_concordance`.
        """
        return self._joint(self._samples(X), weights, shared).cpu().numpy()

    def _joint(
        self,
        samples: Samples,
        weights: str | Mapping[str, Any] = "importance",
        shared: bool = False,
    ) -> Tensor:
        """Return z (N, L) of samples that are already scaled."""
        y = self._weights(samples, weights)
        u = self._latents(samples.x, shared)
        if all(bool(rows.all()) for rows in samples.present.values()):
            return joint(u, y)
        mask = {name: rows.to(u[name]) for name, rows in samples.present.items()}
        u = {name: latents * mask[name].unsqueeze(-1) for name, latents in u.items()}
        return joint(u, y, mask)

    def _latents(self, x: Mapping[str, Tensor], shared: bool) -> dict[str, Tensor]:
        """Return the latents (N, L) of items by modality; with `shared`, of what others share."""
        if shared and self.shared_encoders_ is not None:
            return self.shared_encoders_.encode(x)
        u = self.network_.autoencoder.encode(x)
        if not shared:
            return u
        if not self.shared_parts_:
            raise InputError(
                "shared",
                expected="a model saved with shared parts",
                found="a file of an earlier version or of the workflow",
                do="Fit the model again, or leave out `shared`.",
            )
        return {name: self.shared_parts_[name].of(latents) for name, latents in u.items()}

    def _weights(
        self, samples: Samples, weights: str | Mapping[str, Any]
    ) -> dict[str, Tensor] | None:
        """Return the weight (N,) of each modality's latent, as in `transform`; None if equal."""
        known = isinstance(weights, str) and weights in (*FUSIONS, "equal")
        if not known and not isinstance(weights, Mapping):
            expected = f"one of {(*FUSIONS, 'equal')}, or weights by modality"
            raise InputError("weights", expected=expected, found=repr(weights))
        if weights == "equal":
            return None
        y = self._importances(samples.x)
        if isinstance(weights, Mapping):
            return inputs.given_weights(weights, y)
        if weights == "importance":
            return y
        return fusion_weights(weights, y, self._concordance(samples))

    def pair_concordance(self, X: Views) -> dict[str, np.ndarray]:
        """Return the concordance (N,) of new pairs, in [0, 1], by modality.

        For the pairs given to `fit`, use the attribute `concordance_`, which is computed out of
        fold; this method would be too optimistic for them.

        Args:
            X: as in `transform`, with at least two modalities.

        Returns:
            By modality, the concordance (N,). It is 0 if a sample lacks the modality or all
            others.

        Raises:
            InputError: the model was not fitted with the objective `mixture`, or any error of
                `transform`.
        """
        concordance = self._concordance(self._samples(X))
        return {name: values.numpy() for name, values in concordance.items()}

    def _concordance(self, samples: Samples) -> dict[str, Tensor]:
        """Return the concordance (N,) of pairs by modality, from x that is already scaled."""
        if not self.concordance_models_:
            raise InputError(
                "concordance",
                expected="a model fitted with the objective mixture",
                found="a model without concordance",
                do="Leave stage2 at its default and fit again.",
            )
        network = self.network_
        return pair_concordance(
            self.concordance_models_, network.autoencoder, network.importance, *samples
        )

    @torch.no_grad()
    def importance(self, X: Views) -> dict[str, np.ndarray]:
        """Return the importance (n_m,) of items by modality, in [0, 1].

        Args:
            X: as in `fit`: matrices may differ in length. A row of NaN is a missing item, whose
                importance is 0 (Section 3).

        Raises:
            InputError: the model is not fitted, or X is not as described.
        """
        x, present = self._items(X)
        y = self._importances(x)
        return {name: (values * present[name]).cpu().numpy() for name, values in y.items()}

    def _importances(self, x: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the importances (n_m,) of items that are already scaled."""
        return {name: values[0] for name, values in self.network_.importances(x).items()}

    def history_frame(self) -> Any:
        """Return `history_` as a pandas DataFrame; the column `stage` names the stage.

        Raises:
            ImportError: pandas is not installed (extra `plots`).
        """
        self._check_fitted()
        return plots.history_frame(self.history_)

    def plot_history(self) -> Any:
        """Return a matplotlib Figure of the losses of both stages over epochs.

        Raises:
            InputError: the model was not fitted in this process, or pickled, but loaded.
            ImportError: matplotlib is not installed (extra `plots`).
        """
        self._check_fitted()
        return plots.plot_history(self.history_)

    @torch.no_grad()
    def plot_importance(self, X: Views) -> Any:
        """Return a matplotlib Figure with the distribution of importances by modality.

        Args:
            X: as in `importance`; missing items are left out.

        Raises:
            InputError: as `importance`.
            ImportError: matplotlib is not installed (extra `plots`).
        """
        x, present = self._items(X)
        y = {m: of[present[m]].cpu().numpy() for m, of in self._importances(x).items()}
        return plots.plot_importance(y)

    def save(self, path: str | Path) -> None:
        """Write the fitted model to a safetensors file, which `load` reads.

        `history_`, `concordance_`, `verbose`, `threads` and `device` are not saved. Unlike a
        pickle, the file holds no code: of modules of your own it has the weights, and `load` needs
        the modules.

        Raises:
            InputError: the model is not fitted.
        """
        self._check_fitted()
        files.save(self, path)

    @classmethod
    def load(
        cls,
        path: str | Path,
        device: str | torch.device | None = None,
        *,
        layers: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> "IMA":
        """Return the fitted model from a file written by `save`.

        Args:
            path: the file.
            device: as in the constructor.
            layers: the argument with which the model was fitted, or the modules in it; needed only
                for modules of your own. They get the saved weights as copies. Their code cannot be
                checked, only that the weights and shapes fit.

        Raises:
            InputError: the file is not such a model, or its modules or settings are not those of
                `layers`.
        """
        given, fitted = files.load(path, _device(device), layers)
        model = cls(**given, device=device)
        for name, value in {**fitted, "history_": {}, "concordance_": {}}.items():
            setattr(model, name, value)
        model._set_sizes()
        with files.as_model(path):
            model._check_parts()
        return model

    @torch.no_grad()
    def _check_parts(self) -> None:
        """Map a sample with all parts of the model, which fails if their shapes differ."""
        modalities = self.network_.autoencoder.modalities
        device = next(self.network_.parameters()).device
        x = {name: torch.zeros(1, of.dimension, device=device) for name, of in modalities.items()}
        present = {name: torch.ones(1, dtype=torch.bool, device=device) for name in x}
        samples = Samples(_scaled(x, self.scales_), present)
        for shared in {False, bool(self.shared_parts_)}:
            self._joint(samples, shared=shared)
        if self.concordance_models_:
            self._concordance(samples)

    def _items(self, X: Views) -> Samples:
        """Return the items of X, scaled as in training."""
        self._check_fitted()
        views = inputs.by_name(X, list(self.n_features_in_))
        device = next(self.network_.parameters()).device
        x, present = inputs.read(views, device, self.shapes_, self.feature_names_in_)
        return Samples(_scaled(x, self.scales_), present)

    def _samples(self, X: Views) -> Samples:
        """Return the samples of X, of which each has an item of some modality."""
        samples = self._items(X)
        inputs.check_index(inputs.by_name(X, list(self.n_features_in_)))
        lengths = {name: len(values) for name, values in samples.x.items()}
        if len(set(lengths.values())) != 1:
            raise InputError("X", expected="matrices of equal length", found=lengths)
        empty = ~torch.stack([*samples.present.values()]).any(0)
        if empty.any():
            raise InputError(
                "X",
                expected="at least one modality in each row",
                found=f"{int(empty.sum())} rows of NaN, first {int(empty.int().argmax())}",
                do="Remove these rows.",
            )
        return samples

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise NotFitted("model", expected="a fitted model", found="none", do="Call fit first.")

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.dict, tags.input_tags.two_d_array = True, False
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _device(device: str | torch.device | None) -> torch.device:
    """Return the device of the constructor's argument.

    Raises:
        InputError: torch does not know it, or cannot use it on this machine.
    """
    if device is None:
        return loop.device()
    try:
        torch.empty(0, device=device)
        return torch.device(device)
    except (RuntimeError, TypeError, AssertionError, NotImplementedError) as error:
        expected = "a device that torch can use here, such as 'cpu', 'cuda' or 'cuda:0', or None"
        raise InputError("device", expected=expected, found=repr(device)) from error


def _scaled(x: Mapping[str, Tensor], scales: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Standardize the modalities of x that have a scale, in place, and return x."""
    return {m: standardize(of, scales[m]) if m in scales else of for m, of in x.items()}


def _in_order(result: MixtureFit, order: Tensor) -> np.ndarray:
    """Return the concordance (N,) of pairs in the order given to `fit`; NaN if there is none."""
    concordance = torch.full((len(order),), torch.nan, dtype=torch.double)
    concordance[order[result.pair]] = result.concordance
    return concordance.numpy()
