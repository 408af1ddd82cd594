"""Stage 1: training of IMA's encoders and decoders (Section 3, Eq. 2)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial

from torch import Tensor

from ima.models.ima import Autoencoder
from ima.models.objectives import AUTOENCODER
from ima.training.loop import Batch, History, Training, check_pairs, fit, mean_loss
from ima.utils.errors import InputError
from ima.utils.numbers import real

#: The kinds of constant importances in stage 1 (Section 5).
CONSTANT = ("ones", "untrained")


@dataclass(frozen=True)
class Stage1(Training):
    """Settings of stage 1: those of training, the objective, and the weights of its terms (Eq. 2).

    Args:
        objective: `paper`, which is Eq. 2, or `ima+` (`ima.models.objectives`).
        importances: the constant importances in this stage: `ones`, or those of `untrained`
            importance networks, which are near rho.
        lambda_rec, lambda_align: weights of terms in both objectives.
        lambda_glob: weight of a term in `paper`.
        lambda_self: weight of a term in `ima+`.
    """

    objective: str = "ima+"
    importances: str = "ones"
    lambda_rec: float = 1.0
    lambda_align: float = 1.0
    lambda_glob: float = 1.0
    lambda_self: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.objective not in AUTOENCODER:
            raise InputError("objective", expected=f"one of {[*AUTOENCODER]}", found=self.objective)
        if self.importances not in CONSTANT:
            raise InputError("importances", expected=f"one of {CONSTANT}", found=self.importances)
        for name in (field.name for field in fields(self) if field.name.startswith("lambda_")):
            object.__setattr__(self, name, real(name, getattr(self, name)))


def fit_autoencoder(
    model: Autoencoder,
    x: Mapping[str, Tensor],
    items: Mapping[str, Tensor],
    settings: Stage1,
    seed: int,
    validation: Mapping[str, Tensor] | None = None,
    y: Mapping[str, Tensor] | None = None,
    name: str = "stage 1",
) -> History:
    """Train the encoders and decoders (stage 1), by Eq. 2 or our objective `ima+`.

    Args:
        model: autoencoder, trained in place.
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (N,) of the pairs, ABSENT where a pair lacks it.
        settings: settings of stage 1, including the objective (`ima.models.objectives`).
        seed: seed of the order of the pairs.
        validation: validation pairs (V,) in the same form. If given, the weights of the epoch with
            the lowest validation loss are kept, and training may stop early.
        y: by modality, constant importances (n_m,) of its items; None for 1.
        name: name of this training, for callbacks, the progress bar and error messages.

    Returns:
        One row per epoch: `epoch`, the mean of every loss term, the mean of |u| by modality, and
        the loss on the validation pairs, `validation`.

    Raises:
        InputError: the pairs do not match the matrices, or the loss is no longer finite.
    """
    check_pairs(model.modalities, x, items)
    objective = AUTOENCODER[settings.objective]

    def compute_losses(batch: Batch) -> dict[str, Tensor]:
        """Return the terms of the objective, and their sum weighted by their lambdas as `loss`."""
        y_batch = None if y is None else {m: y[m][rows] for m, rows in batch.rows.items()}
        terms = objective(model, batch.x, y_batch, batch.present)
        lambdas = {t: getattr(settings, f"lambda_{t.split('_')[0]}", 0) for t in terms}
        return {**terms, "loss": sum(lambdas[t] * value for t, value in terms.items())}

    validate = None
    if validation is not None:
        check_pairs(model.modalities, x, validation)
        validate = partial(mean_loss, compute_losses, x, validation)
    return fit(model, compute_losses, x, items, settings, seed, name, validate, additive=True)
