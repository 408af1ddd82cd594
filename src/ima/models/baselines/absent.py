"""Handling of incomplete training pairs by baselines that need every modality.

MVAE does not need this: like IMA, it learns from incomplete pairs (`ima.models.baselines.mvae`).
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from ima.pairing.by_label import ABSENT
from ima.utils.errors import InputError

#: Exclude incomplete pairs, or replace an absent item by the mean of the training items.
HOW = ("drop", "impute")

Pairs = Mapping[str, Tensor]


def check_how(absent: str | None) -> None:
    """Raise InputError unless the setting is one of HOW or None, which rejects incomplete pairs."""
    if absent is not None and absent not in HOW:
        raise InputError("absent", expected=f"one of {HOW}, or none", found=absent)


def completed(
    x: Pairs, items: Pairs, validation: Pairs | None, absent: str | None
) -> tuple[Pairs, Pairs, Pairs | None]:
    """Return matrices, training and validation pairs in which no item is absent.

    Args:
        x: by modality, the matrix (n_m, D_m) of its items.
        items: by modality, the row numbers (N,) of the training pairs, ABSENT where one lacks it.
        validation: by modality, the row numbers (V,) of the validation pairs, or None.
        absent: one of HOW; None if all pairs are complete. `impute` appends one row to each
            matrix, the mean of the modality's distinct items in the training pairs.

    Returns:
        x, items and validation; the same objects if no item is absent.

    Raises:
        InputError: pairs are incomplete and `absent` is None, or no pair is left.
    """
    check_how(absent)
    lacking = {m: int((rows == ABSENT).sum()) for m, rows in items.items()}
    for m, rows in (validation or {}).items():
        lacking[m] = lacking.get(m, 0) + int((rows == ABSENT).sum())
    if not any(lacking.values()):
        return x, items, validation
    if absent is None:
        raise InputError(
            "pairs",
            expected="an item of every modality in each pair",
            found=f"pairs that lack one: { {m: n for m, n in lacking.items() if n} }",
            do="Set this baseline's `absent` to drop (exclude these pairs) or impute (use the "
            "mean of the training items).",
        )
    if absent == "drop":
        return x, dropped(items, "training"), validation and dropped(validation, "validation")
    means = {}
    for m, rows in items.items():
        known = rows[rows != ABSENT].unique()
        if not len(known):
            raise InputError(f"pairs of {m}", expected="items to compute a mean of", found="none")
        means[m] = x[m][known].mean(0, keepdim=True)
    longer = {**x, **{m: torch.cat((x[m], mean)) for m, mean in means.items()}}
    return longer, _filled(items, x), validation and _filled(validation, x)


def dropped(pairs: Pairs, name: str) -> Pairs:
    """Return the pairs without absent items."""
    complete = torch.stack([rows != ABSENT for rows in pairs.values()]).all(0)
    if not complete.any():
        raise InputError(
            f"{name} pairs",
            expected="some with items of all modalities",
            found=f"none of {len(complete)}",
            do="Set this baseline's `absent` to impute.",
        )
    return {m: rows[complete] for m, rows in pairs.items()}


def _filled(pairs: Pairs, x: Pairs) -> Pairs:
    """Return pairs in which absent items refer to the appended row with the mean."""
    return {m: torch.where(rows == ABSENT, len(x[m]), rows) for m, rows in pairs.items()}
