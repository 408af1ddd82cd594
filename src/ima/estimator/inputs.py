"""From what the user passes to `IMA` to tensors: names of modalities, items, masks and pairs."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ima.models.ima import ACTIVATIONS, LOSSES, Modality
from ima.pairing.by_label import ABSENT
from ima.training.sizes import AUTO
from ima.utils import matrices
from ima.utils.errors import InputError, first_few
from ima.utils.matrices import blocks, empty
from ima.utils.numbers import whole

#: Items (N, D_m) or (N, *shape_m) by name, or in the order of the modalities (None for one that is
#: left out).
Views = Mapping[str, Any] | Sequence[Any]
#: What follows from the data; `layers` has the other settings of a modality.
FROM_DATA = ("dimension", "shape")
SETTINGS = tuple(field.name for field in fields(Modality) if field.name not in FROM_DATA)
#: Settings with few values.
CHOICES = {"loss": list(LOSSES), "activation": list(ACTIVATIONS)}
#: Default reconstruction loss: data are standardized, not scaled to [0, 1].
LOSS = "sse"
#: What values the other losses need.
VALUES = {
    "bce": "values in [0, 1]",
    "poisson": "counts of 0 or more",
    "categorical": "probabilities that sum to 1 over the last axis",
}
#: What separates parts of the names of tensors in a file; and what is no text in UTF-8.
_OF_TENSORS = re.compile("[./\ud800-\udfff]")
#: Kinds of dtypes that are dates and times.
_TIMES = ("m", "M")
#: Largest error of a sum of probabilities, which have 32 bits.
ROUNDING = 1e-3
#: Number of times that held-out pairs are drawn, until all modalities are in both parts.
DRAWS = 100
#: Share of the held-out pairs that may be copies of training pairs without a warning.
COPIES = 0.05


class Samples(NamedTuple):
    """Items of modalities.

    Attributes:
        x: by modality, items as vectors (n_m, D_m), 0 where an item is missing.
        present: by modality, whether each item is there (n_m,).
    """

    x: dict[str, Tensor]
    present: dict[str, Tensor]


def resolve_layers(
    X: Views, layers: Mapping[str, Mapping[str, Any]] | None
) -> dict[str, dict[str, Any]]:
    """Return the settings of each modality, in order: those of `layers`, then others of X.

    Args:
        X: as in `IMA.fit`. Matrices without names are called as in `layers` or, if it does not
            name as many, `view_0`, `view_1` and so on.
        layers: settings by modality; a modality that it leaves out has the defaults.

    Raises:
        InputError: X is neither a mapping nor a sequence of matrices, `layers` names a modality
            that X lacks, a name cannot be that of a modality, or a setting or its value is unknown.
    """
    if not isinstance(layers, Mapping | None):
        raise InputError("layers", expected="a dict by modality, or None", found=repr(layers))
    given = dict(layers or {})
    if isinstance(X, Mapping):
        names = list(X)
    else:
        do = "Pass a dict or a list of two or more matrices: {'name': X, 'other': Y} or [X, Y]."
        count = len(_sequence(X, do))
        names = list(given) if len(given) == count else [f"view_{i}" for i in range(count)]
    if not names:
        raise InputError("modalities", expected="at least one", found="none")
    if unknown := [repr(name) for name in given if name not in names]:
        expected = f"only modalities of X, {names}"
        raise InputError("layers", expected=expected, found=", ".join(unknown))
    _check_names(names)
    given = {name: _checked(f"layers['{name}']", settings) for name, settings in given.items()}
    # A list has its own order; a dict that of `layers`, in which models were trained before.
    order = dict.fromkeys([*given, *names] if isinstance(X, Mapping) else names)
    return {name: {"loss": LOSS, **given.get(name, {})} for name in order}


def _check_names(names: Sequence[Any]) -> None:
    """Raise InputError for a name that no modality can have."""
    for name in names:
        if not isinstance(name, str):
            do = "Name modalities by strings, such as {'left': X, 'right': Y}."
            raise InputError(
                "modalities", expected="names that are strings", found=repr(name), do=do
            )
        if not name or _OF_TENSORS.search(name) or _reserved(name):
            raise InputError(
                "modalities",
                expected="names without dots and slashes that are no attribute of "
                "torch.nn.ModuleDict",
                found=repr(name),
                do="Rename the modality.",
            )


def _reserved(name: str) -> bool:
    return hasattr(nn.ModuleDict(), name)


def _checked(where: str, settings: Any) -> dict[str, Any]:
    """Return the settings of a modality, with `hidden` as a number of Python."""
    if not isinstance(settings, Mapping):
        raise InputError(where, expected=f"a dict of some of {SETTINGS}", found=repr(settings))
    if unknown := [key for key in settings if key not in SETTINGS]:
        raise InputError(where, expected=f"some of {SETTINGS}", found=unknown)
    for key, choices in CHOICES.items():
        if key in settings and settings[key] not in choices:
            found = repr(settings[key])
            raise InputError(f"{where}['{key}']", expected=f"one of {choices}", found=found)
    if settings.get("hidden", AUTO) == AUTO:
        return dict(settings)
    return {**settings, "hidden": whole(f"{where}['hidden']", settings["hidden"])}


def _sequence(X: Any, do: str) -> Sequence[Any]:
    if isinstance(X, list | tuple):
        return X
    expected = "a dict or a list with one matrix per modality"
    found = f"{type(X).__name__} of shape {np.shape(X)}"
    raise InputError("X", expected=expected, found=found, do=do)


def by_name(X: Views, names: Sequence[str]) -> dict[str, Any]:
    """Return the matrices of X by modality, in the order of `names`.

    Args:
        X: as in `IMA.transform`.
        names: the modalities of the model. A sequence has one entry for each.

    Raises:
        InputError: X has an unknown modality, none, or a wrong number of entries.
    """
    if not isinstance(X, Mapping):
        do = f"Pass a dict, such as {{'{names[0]}': X}}, or a list with one entry for each of "
        views = _sequence(X, f"{do}{list(names)}.")
        if len(views) != len(names):
            raise InputError("X", expected=f"{len(names)} matrices, or None", found=len(views))
        X = {n: v for n, v in zip(names, views, strict=True) if v is not None}
    if set(X) - set(names) or not X:
        raise InputError("modalities", expected=f"some of {list(names)}", found=list(X))
    return {name: X[name] for name in names if name in X}


def read(
    X: Mapping[str, Any],
    device: torch.device,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    columns: Mapping[str, list[str]] | None = None,
) -> Samples:
    """Return the items as vectors on `device`, as a copy (`ima.utils.matrices.empty`).

    Args:
        X: by modality, a matrix or table (n_m, D_m) of numbers, or an array (n_m, *shape_m). A
            missing item is all NaN, or all masked in a masked array.
        device: the device of the tensors.
        shapes: by modality, the shape of an item of the fitted model; None to accept any.
        columns: by modality, the column names that a table must have.

    Raises:
        InputError: an array has less than two dimensions, other shapes or columns, values that are
            no numbers or not finite, or items of which a part is NaN.
    """
    x, present = {}, {}
    for name, given in X.items():
        where = f"X['{name}']"
        own = column_names(given)
        check_columns((columns or {}).get(name), own, where)
        values = _numbers(given, where)
        mask = _rows_present(values, where, own)
        if shapes and values.shape[1:] != shapes[name]:
            raise _other_shape(where, shapes[name], values.shape[1:])
        values = values.reshape(len(values), -1)
        copy = empty(*values.shape)
        for block in blocks(*values.shape):
            copy[block] = np.where(mask[block, None], values[block], np.float32(0))
        x[name] = torch.from_numpy(copy).to(device)
        present[name] = torch.from_numpy(mask).to(device)
    return Samples(x, present)


def _other_shape(where: str, fitted: tuple[int, ...], found: tuple[int, ...]) -> InputError:
    if len(fitted) == len(found) == 1:
        return InputError(where, expected=f"{fitted[0]} features, as in fit", found=found[0])
    return InputError(where, expected=f"items of shape {fitted}, as in fit", found=found)


def row_by_row(x: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Return pairs of the items in the same row.

    Raises:
        InputError: modalities have different numbers of rows.
    """
    counts = {name: len(values) for name, values in x.items()}
    if len(set(counts.values())) > 1:
        raise InputError(
            "X",
            expected="the same number of rows for every modality",
            found=counts,
            do="Give absent items rows of NaN (reindex of pandas), or pass pairs=. A transposed "
            "matrix has its features in rows.",
        )
    return {name: np.arange(count) for name, count in counts.items()}


def shapes_of(X: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shape of an item by modality, (D_m,) of a matrix."""
    return {name: tuple(np.shape(values)[1:]) for name, values in X.items()}


def _numbers(values: Any, where: str, kind: type[np.floating] = np.float32) -> np.ndarray:
    """Return an array of floating point numbers, with NaN for what is masked or null."""
    given = values
    try:
        if isinstance(values, np.ma.MaskedArray):
            values = np.ma.filled(values.astype(kind), np.nan)
        elif _is_frame(values):
            if times := [n for n, kind in values.dtypes.items() if kind.kind in _TIMES]:
                raise TypeError(f"dates or times in the columns {times[:5]}")
            with np.errstate(over="ignore"):
                values = values.to_numpy(kind, na_value=np.nan)
        elif isinstance(values, Tensor) and not values.is_complex():
            values = values.detach().cpu()
            values = (values.double() if kind is np.float64 else values.float()).numpy()
        if np.iscomplexobj(values):
            raise ValueError("Complex data not supported")
        if getattr(getattr(values, "dtype", None), "kind", None) in _TIMES:
            raise TypeError(f"dates or times, {values.dtype}")
        if hasattr(values, "toarray"):
            raise TypeError("a sparse matrix; sparse data are not supported, call toarray()")
        with np.errstate(over="ignore"):  # an overflow is infinite, which is reported
            return np.asarray(values, kind)
    except (TypeError, ValueError) as error:
        found, do = str(error).rstrip("."), ""
        if _is_frame(given) and (texts := _texts(given)):
            found, do = f"text in {first_few(texts)}", "Drop these columns, or make one the index."
        elif str(getattr(given, "dtype", "")) == "object" or "sequence" in found:
            do = "Stack vectors into a matrix (np.stack)."
        raise InputError(where, expected="a matrix of real numbers", found=found, do=do) from error


def _texts(frame: Any) -> list[object]:
    """Return the columns of a DataFrame that have text."""
    kinds = {name: frame[name].dtype.kind for name in frame.columns}
    return [n for n, k in kinds.items() if k in "OUS" and frame[n].map(type).eq(str).any()]


def warn_of_rounding(
    views: Mapping[str, Any], pairs: Mapping[str, np.ndarray], scales: Mapping[str, Tensor]
) -> None:
    """Warn of columns that vary, but not as 32-bit numbers: they have a large offset.

    Args:
        views: items of each modality, as given.
        pairs: row numbers (N,) by modality, ABSENT if a pair lacks it.
        scales: by modality that is standardized, its scale (2, D) over the items of the pairs.
    """
    for name, (_, deviation) in scales.items():
        constant = (deviation == 0).nonzero().ravel().tolist()
        rows = np.unique(pairs[name][pairs[name] != ABSENT])
        if not constant or not _may_lose(views[name]):
            continue
        varies = _varying(views[name], rows, name)
        if lost := [n for n in constant if varies[n]]:
            named = column_names(views[name])
            columns = first_few(named[n] if named else n for n in lost)
            said = (
                f"X['{name}']: columns that differ only beyond 7 digits are set to 0: {columns}. "
            )
            warnings.warn(said + "Subtract their means first.", UserWarning, stacklevel=3)


def _may_lose(values: Any) -> bool:
    """Return whether 32-bit numbers are less precise than the values, or their type is unknown."""
    exact = ("float32", "float16", "bfloat16", "int16", "int8", "uint16", "uint8", "bool")
    kind = str(getattr(values, "dtype", "")).rpartition(".")[2]
    return kind not in exact


def _varying(values: Any, rows: np.ndarray, name: str) -> np.ndarray:
    """Return whether each column (D,) has several values in some rows, in double precision."""
    values = np.asarray(values) if isinstance(values, list | tuple) else values
    low, high = np.array(np.inf), np.array(-np.inf)
    for block in blocks(len(rows), int(np.prod(np.shape(values)[1:]))):
        part = values.iloc[rows[block]] if _is_frame(values) else values[rows[block]]
        part = _numbers(part, f"X['{name}']", np.float64).reshape(len(part), -1)
        low = np.fmin(low, np.fmin.reduce(part))
        high = np.fmax(high, np.fmax.reduce(part))
    return np.less(low, high)


def _rows_present(values: np.ndarray, where: str, columns: Sequence[str] | None) -> np.ndarray:
    """Return whether each item (n,) of values (n, ...) is there; it is missing if it is all NaN.

    Raises:
        InputError: values are no matrix, or not finite in an item that is there; `columns` are
            their names.
    """
    found = f"shape {values.shape}"
    do = "" if values.ndim > 1 else "Reshape your data to one row per item."
    if values.ndim > 1 and 0 not in values.shape:
        flat = values.reshape(len(values), -1)
        present, wrong, first = np.ones(len(flat), bool), 0, None
        for block in blocks(*flat.shape):
            present[block] = ~np.isnan(flat[block]).all(1)
            bad = ~np.isfinite(flat[block]) & present[block, None]
            if first is None and bad.any():
                row, at = np.argwhere(bad)[0]
                first = block.start + int(row), int(at)
            wrong += int(bad.sum())
        if first is None:
            return present
        found += f", {wrong} not finite, the first {_place(values, first, columns)}"
        do = "Impute it, or make the whole row NaN, which marks a missing item."
    raise InputError(
        where,
        expected="a matrix (N, D), or (N, *shape), of finite numbers; a missing item is all NaN",
        found=found,
        do=do,
    )


def _place(values: np.ndarray, at: tuple[int, int], columns: Sequence[str] | None) -> str:
    """Return what is at a row and column of flat items, and where in the user's array."""
    row, column = at
    place = np.unravel_index(column, values.shape[1:])
    what = "NaN" if np.isnan(values[(row, *place)]) else "infinite"
    if len(place) > 1:
        return f"{what} at {(row, *map(int, place))}"
    return f"{what} in row {row}, column {column}" + (f" ('{columns[column]}')" if columns else "")


def _is_frame(values: Any) -> bool:
    """Return whether values are a pandas DataFrame, without importing pandas."""
    return hasattr(values, "columns") and hasattr(values, "iloc")


def column_names(values: Any) -> list[str] | None:
    """Return the column names of a table, or None if they are not all strings."""
    names = list(getattr(values, "columns", ()))
    return names if names and all(isinstance(name, str) for name in names) else None


def check_columns(fitted: Sequence[str] | None, own: Sequence[str] | None, where: object) -> None:
    """Check that a table has the columns of `fit` in their order; None or empty if not known.

    Raises:
        InputError: it has not.
    """
    if not fitted or not own or list(fitted) == list(own):
        return
    lacking, new = ([n for n in a if n not in b] for a, b in ((fitted, own), (own, fitted)))
    if not lacking and not new:
        at = next(i for i, names in enumerate(zip(fitted, own, strict=True)) if len(set(names)) > 1)
        expected = f"columns in the order of fit, column {at} '{fitted[at]}'"
        raise InputError(where, expected=expected, found=f"'{own[at]}'", do="Reorder them.")
    found = f"no {first_few(lacking)}" if lacking else ""
    found += (", but " if lacking else "also ") + first_few(new) if new else ""
    raise InputError(where, expected="the columns of fit", found=found)


def check_index(X: Mapping[str, Any]) -> None:
    """Check that DataFrames have the same index, because samples are matched by position.

    Raises:
        InputError: two of them differ.
    """
    frames = {name: values for name, values in X.items() if _is_frame(values)}
    first = next(iter(frames), "")
    for name, values in frames.items():
        if not values.index.equals(frames[first].index):
            raise InputError(
                f"index of X['{name}']",
                expected=f"that of X['{first}'], because row i of each is sample i",
                found="another one",
                do="Bring the DataFrames into one order by reindex, which fills gaps by NaN.",
            )


def check_values(
    samples: Samples,
    layers: Mapping[str, Mapping[str, Any]],
    shapes: Mapping[str, tuple[int, ...]],
) -> None:
    """Check that items have values that the loss of their modality is made for (VALUES).

    With `categorical`, the probabilities of one row of an item of several axes may all be 0, as
    where a sequence is padded; the row then adds nothing to the loss.

    Args:
        samples: the items.
        layers: settings by modality, of which `loss` is used.
        shapes: by modality, the shape of an item.

    Raises:
        InputError: a modality has other values.
    """
    for name, values in samples.x.items():
        loss, mask = layers[name]["loss"], samples.present[name]
        here = values if mask.all() else values[mask]
        if loss not in VALUES or not len(here):
            continue
        low, high = float(here.min()), float(here.max())
        wrong, found = low < 0 or (loss == "bce" and high > 1), f"{low:g} to {high:g}"
        if loss == "categorical" and not wrong:
            sums = here.unflatten(1, (-1, shapes[name][-1])).sum(-1)
            off = (sums - 1).abs() > ROUNDING
            off &= (sums > 0) | (len(shapes[name]) == 1)
            wrong, found = bool(off.any()), f"sums of {sums.min():g} to {sums.max():g}"
        if wrong:
            scale = "Scale them to [0, 1], or set" if loss == "bce" else "Set"
            raise InputError(
                f"X['{name}']",
                expected=f"{VALUES[loss]}, for the loss {loss}",
                found=found,
                do=f"{scale} layers['{name}']['loss'] to 'sse'.",
            )


def mark_missing(pairs: Mapping[str, Any], present: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Return pairs with ABSENT instead of row numbers of missing items.

    Raises:
        InputError: pairs are not row numbers of every modality, or out of range.
    """
    if not isinstance(pairs, Mapping) or set(pairs) != set(present):
        found = list(pairs) if isinstance(pairs, Mapping) else type(pairs).__name__
        raise InputError("pairs", expected=f"modalities {list(present)}", found=found)
    marked = {name: _row_numbers(name, pairs[name]) for name in present}
    for name, rows in marked.items():
        mask = present[name].cpu().numpy()
        outside = rows[(rows < ABSENT) | (rows >= len(mask))]
        if len(outside):
            expected = f"row numbers from 0 to {len(mask) - 1}, or {ABSENT} for none"
            raise InputError(f"pairs['{name}']", expected=expected, found=int(outside[0]))
        marked[name] = np.where(mask[rows], rows, ABSENT)
    return marked


def _row_numbers(name: str, rows: Any) -> np.ndarray:
    """Return the row numbers (N,) of a modality as integers.

    Raises:
        InputError: they are something else, such as a mask or fractions, which NumPy would convert.
    """
    values = np.asarray(rows)
    if values.dtype.kind == "f" and (np.isfinite(values) & (values == np.floor(values))).all():
        values = values.astype(np.int64)
    if values.dtype.kind not in "iu" or values.ndim != 1:
        raise InputError(
            f"pairs['{name}']",
            expected=f"row numbers (N,), {ABSENT} where a pair lacks the modality",
            found=f"shape {values.shape} of {values.dtype}, such as {values.ravel()[:3].tolist()}",
        )
    return values.astype(np.int64)


def split(
    pairs: Mapping[str, np.ndarray], held_out: float, seed: int, validation: Any = None
) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor]:
    """Return training pairs, held-out pairs, and the numbers (N,) of both in `pairs`.

    Pairs are row numbers by modality. `validation` are the numbers of the held-out pairs; if it is
    None, the share `held_out` of the pairs is drawn.

    Raises:
        InputError: there are fewer than two pairs, or `validation` are not numbers of some of the
            pairs, but not all.
    """
    rows = {m: torch.as_tensor(numbers) for m, numbers in pairs.items()}
    count = min(len(numbers) for numbers in rows.values())
    if count < 2:
        raise InputError("pairs", expected="at least two, of which one is held out", found=count)
    if len({len(numbers) for numbers in rows.values()}) > 1:
        return rows, rows, torch.arange(count)  # `fit_autoencoder` reports the error
    if validation is None:
        held = min(max(1, round(held_out * count)), count - 1)
        order = _drawn(rows, held, seed)
    else:
        order, held = _held_first(np.asarray(validation), count)
    return (
        {name: numbers[order[held:]] for name, numbers in rows.items()},
        {name: numbers[order[:held]] for name, numbers in rows.items()},
        torch.cat((order[held:], order[:held])),
    )


def _drawn(rows: Mapping[str, Tensor], held: int, seed: int) -> Tensor:
    """Return the numbers (N,) of pairs in random order, of which the first `held` are held out.

    Each modality of two items or more is in both parts, unless DRAWS orders have none like that.
    """
    rng = np.random.default_rng(seed)
    present = torch.stack([numbers != ABSENT for numbers in rows.values()])  # (M, N)
    enough = present[present.sum(1) >= 2]
    for _ in range(DRAWS):
        order = torch.from_numpy(rng.permutation(present.shape[1]))
        parts = enough[:, order[:held]], enough[:, order[held:]]
        if all(bool(part.any(1).all()) for part in parts):
            break
    return order


def warn_of_copies(
    x: Mapping[str, Tensor], pairs: Mapping[str, Tensor], held: Mapping[str, Tensor]
) -> None:
    """Warn if held-out pairs are the same as training pairs: networks may know them by heart.

    Only pairs of features that are small enough to be held in memory are compared.

    Args:
        x: items (n_m, D_m) by modality.
        pairs, held: row numbers (N,) of the training pairs and (H,) of the held-out pairs.
    """
    if any(of.numel() * of.element_size() > matrices.LIMIT for of in x.values()):
        return
    known = set(_digests(x, pairs))
    copies = sum(pair in known for pair in _digests(x, held))
    if copies > COPIES * len(next(iter(held.values()))):
        warnings.warn(
            f"{copies} of {len(next(iter(held.values())))} held-out pairs are copies of training "
            "pairs, so importances and concordance may be far too high: leave out repeated rows",
            stacklevel=4,
        )


def _digests(x: Mapping[str, Tensor], pairs: Mapping[str, Tensor]) -> list[tuple[int, ...]]:
    """Return numbers by which pairs are compared; those of equal items are equal."""
    of_items = {}
    for name, values in x.items():
        rows = values.detach().cpu().numpy()
        found = np.fromiter((hash(row.tobytes()) for row in rows), np.int64, len(rows))
        of_items[name] = np.append(found, 0)  # ABSENT
    rows = {name: numbers.cpu().numpy() for name, numbers in pairs.items()}
    return list(zip(*(of_items[name][rows[name]].tolist() for name in x), strict=True))


def _held_first(validation: np.ndarray, count: int) -> tuple[Tensor, int]:
    """Return the numbers of pairs, those in `validation` first, and how many these are."""
    held = np.unique(validation)
    numbers = validation.ndim == 1 and validation.dtype.kind in "iu" and 0 < len(held) < count
    if not numbers or len(held) != len(validation) or held[0] < 0 or held[-1] >= count:
        raise InputError(
            "validation",
            expected=f"distinct numbers of pairs, from 0 to {count - 1}, but not all of them",
            found=f"shape {validation.shape} of {validation.dtype}, {len(held)} distinct",
        )
    others = np.setdiff1d(np.arange(count), held)
    return torch.from_numpy(np.concatenate((validation.astype(np.int64), others))), len(held)


def given_weights(weights: Mapping[str, Any], y: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return importances y (N,) by modality, with those replaced that are set by hand.

    Args:
        weights: by modality, one number or one per sample (N,), 0 or more.
        y: importances of the modalities of the samples.

    Returns:
        Weights (N,) of which the highest of each sample is 1, unless all are 0. Eq. 1 depends on
        their ratios only.

    Raises:
        InputError: a modality is not among the samples', or weights are not of this form.
    """
    if set(weights) - set(y):
        raise InputError("weights", expected=f"modalities of X: {list(y)}", found=list(weights))
    replaced = {name: of.double() for name, of in y.items()}
    for name, given in weights.items():
        values = torch.from_numpy(_weights(name, given, len(y[name])))
        replaced[name] = values.to(y[name].device).expand(len(y[name]))
    highest = torch.stack(list(replaced.values())).amax(0).clamp_min(torch.finfo(torch.double).tiny)
    return {name: (of / highest).to(y[name].dtype) for name, of in replaced.items()}


def _weights(name: str, given: Any, count: int) -> np.ndarray:
    """Return the weights of a modality, () or (N,) for N = `count` samples, or raise InputError."""
    try:
        values = np.asarray(given, np.float64)
        found = f"shape {values.shape}"
    except (TypeError, ValueError):
        values, found = np.empty((0, 0)), repr(given)
    fits = values.shape in ((), (count,))
    if not fits or not np.isfinite(values).all() or (values < 0).any():
        if fits:
            found += f", minimum {values.min():g}"
        expected = f"one number or {count}, finite and not negative"
        raise InputError(f"weights['{name}']", expected=expected, found=found)
    return values
