"""Generation of modalities from others by a fitted `IMA`, and the score made of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from sklearn.metrics import r2_score
from torch import Tensor

from ima.estimator import inputs
from ima.estimator.inputs import Samples, Views
from ima.evaluation.represent import decode
from ima.features.scaling import unstandardized
from ima.models.ima import IMANetwork
from ima.utils.errors import InputError


class Generation:
    """The methods of `ima.IMA` that decode modalities from the joint representation."""

    network_: IMANetwork
    n_features_in_: dict[str, int]
    shapes_: dict[str, tuple[int, ...]]
    scales_: dict[str, Tensor]

    def _check_fitted(self) -> None:
        raise NotImplementedError

    def _samples(self, X: Views) -> Samples:
        raise NotImplementedError

    def _joint(self, samples: Samples, weights: str | Mapping[str, Any] = "importance") -> Tensor:
        raise NotImplementedError

    @torch.no_grad()
    def reconstruct(self, X: Views) -> dict[str, np.ndarray]:
        """Return reconstructions (N, *shape_m) of all modalities, including those a sample lacks.

        They are decoded from z (Section 3) and have the units of the data given to `fit`:
        probabilities with the losses `bce` and `categorical`, rates with `poisson`.

        Args:
            X: as in `transform`.

        Returns:
            By modality, an array (N, *shape_m).

        Raises:
            InputError: as `transform`.
        """
        z = self._joint(self._samples(X))
        return {name: self._generated(z, name) for name in self.n_features_in_}

    @torch.no_grad()
    def predict(self, X: Views, *, to: str) -> np.ndarray:
        """Return a modality (N, *shape_m), generated from the other modalities of each sample.

        It is decoded from the z of these others (Eq. 1), in the units of `reconstruct`, and is the
        same for every call: nothing is drawn at random.

        Args:
            X: as in `transform`. Items of `to` are not used, so predictions may be compared with
                them.
            to: the modality to generate.

        Returns:
            An array (N, *shape_m).

        Raises:
            InputError: the model does not have the modality `to`, X or a sample has no other
                modality, or any error of `transform`.
        """
        self._check_fitted()
        names = list(self.n_features_in_)
        if to not in names:
            raise InputError("to", expected=f"one of {names}", found=repr(to))
        given = inputs.by_name(X, names)
        given.pop(to, None)
        if not given:
            raise InputError("X", expected=f"a modality other than '{to}'", found=f"only '{to}'")
        return self._generated(self._joint(self._samples(given)), to)

    def _generated(self, z: Tensor, name: str) -> np.ndarray:
        """Return a modality (N, *shape_m), in the user's units, from z (N, L)."""
        items = decode(self.network_.autoencoder, z, name)
        if name in self.scales_:
            items = unstandardized(items, self.scales_[name])
        return items.cpu().numpy().reshape(-1, *self.shapes_[name])

    @torch.no_grad()
    def score(self, X: Views, y: object = None) -> float:
        """Return how well each modality is predicted from the others; higher is better.

        For each modality, the samples that also have another one are represented by the others
        alone, decoded, and compared with the item: R^2 is 1 minus the squared error relative to
        the variance, both summed over the dimensions as they are scaled in training. The score is
        the mean R^2 of the modalities. It is 1 if all are predicted without error, and 0 or less
        if the mean would predict as well. What is in a single modality cannot be predicted, so
        scores serve to compare models on the same samples, which should not be those of `fit`.

        Args:
            X: as in `transform`, with at least two modalities.
            y: ignored.

        Returns:
            A number of at most 1.

        Raises:
            InputError: no two samples have the same two modalities, or any error of `transform`.
        """
        samples, scores = self._samples(X), []
        for name, values in samples.x.items():
            others = [other for other in samples.x if other != name]
            both = torch.zeros_like(samples.present[name])
            for other in others:
                both |= samples.present[name] & samples.present[other]
            if int(both.sum()) < 2:
                continue
            parts = ({m: part[m][both] for m in others} for part in samples)
            predicted = decode(self.network_.autoencoder, self._joint(Samples(*parts)), name)
            pair = values[both].cpu().numpy(), predicted.cpu().numpy()
            scores.append(r2_score(*pair, multioutput="variance_weighted"))
        if not scores:
            expected = "two samples or more that have two modalities"
            raise InputError("X", expected=expected, found=f"modalities {list(samples.x)}")
        return float(np.mean(scores))
