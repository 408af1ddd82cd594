"""Saving of a fitted `IMA` to a safetensors file, and loading."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ima.estimator.inputs import SETTINGS, resolve_layers
from ima.estimator.parameters import ARGUMENTS, MAX_SEED, SHARED, check_parameters, seed_of
from ima.models import checkpoints
from ima.models.autoencoder import Stage1
from ima.models.concordance import ConcordanceModel, concordance_tensors, read_concordance
from ima.models.ima import Autoencoder, IMANetwork
from ima.models.importance import Stage2
from ima.models.own import PARTS as OWN
from ima.models.rank_density import CENTRES
from ima.models.shared import read_shared, shared_shapes, shared_tensors
from ima.training.sizes import AUTO
from ima.utils.errors import InputError, reason_of, within
from ima.utils.io import read_tensors, write_tensors
from ima.utils.numbers import whole

if TYPE_CHECKING:
    from ima.estimator.model import IMA

#: Parts of the state, by the first word of the tensors' names.
PARTS = ("autoencoder", "importance", "scale", "concordance", "shared", "shared_encoders")
STAGES = {"stage1": Stage1, "stage2": Stage2}
#: Constructor arguments that belong to a session, not to a model.
NOT_SAVED = ("device", "threads", "verbose")
#: The other constructor arguments.
SAVED = {*ARGUMENTS, "layers", "standardize", "random_state"}.difference(NOT_SAVED)
#: Valid values of arguments, to check a file in which they are missing or None.
VALID: dict[str, Any] = {"stage1": Stage1(), "stage2": Stage2(), "rho": AUTO, "alternations": 1}
VALID |= {"held_out": 0.2, "shared": SHARED[0], "threads": None}
#: Errors of what expects a model, if a file holds anything else.
FAULTS = (LookupError, TypeError, AttributeError, ValueError, RuntimeError, ArithmeticError)


def save(model: "IMA", path: str | Path) -> None:
    """Write a fitted model: its tensors, and its constructor arguments as metadata."""
    config = checkpoints.model_config(model.network_.autoencoder)
    hidden = next(iter(model.network_.importance.values())).w1.shape[-1]  # as fitted
    config |= {"hidden": hidden, "rho": model.rho_, "seed": model.seed_}
    config |= {"columns": model.feature_names_in_, "estimator": _parameters(model)}
    config["folds"] = model.folds_
    scales = {f"scale.{name}": scale for name, scale in model.scales_.items()}
    concordance = {
        f"concordance.{name}": t
        for name, t in concordance_tensors(model.concordance_models_).items()
    }
    shared = {f"shared.{name}": t for name, t in shared_tensors(model.shared_parts_).items()}
    if model.shared_encoders_ is not None:
        encoders = model.shared_encoders_.state_dict()
        shared |= {f"shared_encoders.{name}": t.clone() for name, t in encoders.items()}
    # A user's module may share weights among its layers, which safetensors refuses.
    network = {name: tensor.clone() for name, tensor in model.network_.state_dict().items()}
    write_tensors({**network, **scales, **concordance, **shared}, path, config)


def _parameters(model: "IMA") -> dict[str, Any]:
    """Return the constructor arguments in the form in which JSON keeps them."""
    given = {k: v for k, v in model.get_params(deep=False).items() if k not in NOT_SAVED}
    for stage in STAGES:
        given[stage] = None if given[stage] is None else asdict(given[stage])
    if given["layers"] is not None:  # a list keeps the order, which JSON sorted by key does not
        given["layers"] = [
            [name, {key: value for key, value in of.items() if key not in OWN}]
            for name, of in given["layers"].items()
        ]
    if isinstance(given["rho"], Mapping):
        given["rho"] = dict(given["rho"])
    if not isinstance(given["random_state"], int | None):
        given["random_state"] = model.seed_
    return given


def load(
    path: str | Path, device: torch.device, layers: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the constructor arguments and the fitted attributes that a file holds.

    Args:
        path: a file of `save`, or a `model.safetensors` of the workflow.
        device: the device of the tensors.
        layers: as in the constructor, with the user's own modules; None if there are none.

    Raises:
        InputError: the file is missing or not such a model, or `layers` are not those of its fit.
    """
    if not Path(path).exists():
        raise InputError(path, expected="a model of IMA.save", found="no file")
    state, config = read_tensors(path)
    with as_model(path):
        return _of_state(state, config, device, layers)


@contextlib.contextmanager
def as_model(path: str | Path) -> Iterator[None]:
    """Raise InputError if what is done with the content of a file shows that it is no model."""
    try:
        with within(path):
            yield
    except InputError:
        raise
    except FAULTS as error:
        found = f"something else ({reason_of(error)})"
        raise InputError(path, expected="a model of IMA.save", found=found) from error


def _of_state(
    state: Mapping[str, Tensor],
    config: Mapping[str, Any],
    device: torch.device,
    layers: Mapping[str, Mapping[str, Any]] | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what `load` does of the tensors and the config of a file."""
    parts: dict[str, dict[str, Tensor]] = {name: {} for name in PARTS}
    for name, value in state.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = value
    modules = {
        name: {part: of[part] for part in OWN if of.get(part) is not None}
        for name, of in (layers or {}).items()
    }
    # First, because all other sizes follow from the widths of inputs, which the file then has.
    widths = {name: of["dimension"] for name, of in config["modalities"]}
    networks = checkpoints.build_networks(widths, config, parts["importance"])
    autoencoder = checkpoints.build_autoencoder(config, parts["autoencoder"], modules)
    for name, of in (layers or {}).items():
        _check_same(name, of, vars(autoencoder.modalities[name]))
    network = IMANetwork(autoencoder, networks).to(device)
    concordance = read_concordance(parts["concordance"])
    shared = read_shared({name: t.to(device) for name, t in parts["shared"].items()})
    _check_tensors(state, autoencoder, parts["scale"], concordance, shared)
    fitted = {
        "network_": network,
        "scales_": {name: scale.to(device) for name, scale in parts["scale"].items()},
        "concordance_models_": concordance,
        "shared_parts_": shared,
        "shared_encoders_": checkpoints.build_shared_encoders(network, parts["shared_encoders"]),
        "rho_": dict(config["rho"]),
        "folds_": config.get("folds", {}),
        "seed_": config["seed"],
        "feature_names_in_": config.get("columns", {}),
    }
    given = _given(config)
    _check_settings(given, config, list(autoencoder.modalities))
    saved = given["layers"] or {}
    own = {name: {**saved.get(name, {}), **parts} for name, parts in modules.items() if parts}
    if own:
        given["layers"] = {**saved, **own}
    return given, fitted


def _check_tensors(
    state: Mapping[str, Tensor],
    autoencoder: Autoencoder,
    scales: Mapping[str, Tensor],
    concordance: Mapping[str, ConcordanceModel],
    shared: Mapping[str, Any],
) -> None:
    """Check the tensors beside the networks, as others may be broadcast to results of any size.

    Args:
        state: all tensors of the file by name.
        autoencoder: the model's.
        scales, concordance, shared: parts by modality, made of these tensors.

    Raises:
        InputError: a tensor has another shape than the model needs.
        ValueError: a part has other modalities than the model.
    """
    widths = {name: of.dimension for name, of in autoencoder.modalities.items()}
    if unknown := set(scales) - set(widths):
        raise ValueError(f"scales of {sorted(unknown)} in a model of {[*widths]}")
    for part, of in (("concordance", concordance), ("shared", shared)):
        if of and set(of) != set(widths):
            raise ValueError(f"{part} of {[*of]} in a model of {[*widths]}")
    for part, shapes in (
        ("scale", {name: (2, widths[name]) for name in scales}),
        ("shared", shared_shapes(shared, autoencoder.latent)),
        ("concordance", _values_shapes(concordance, widths, autoencoder.latent)),
    ):
        _check_part(state, part, shapes)
    # These follow from the shapes checked so far.
    _check_part(state, "concordance", _pairs_shapes(concordance))


def _check_part(
    state: Mapping[str, Tensor], part: str, shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Do `checkpoints.check_shapes` for one of PARTS."""
    checkpoints.check_shapes(state, {f"{part}.{name}": shape for name, shape in shapes.items()})


def _values_shapes(
    models: Mapping[str, ConcordanceModel], widths: Mapping[str, int], latent: int
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of what maps items to the values by which pairs are compared, by name.

    Args:
        models: concordance models by modality.
        widths: widths D of the modalities' inputs.
        latent: L, size of the latents.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for m, model in models.items():
        shapes |= {f"{m}.mean": (widths[m],), f"{m}.scale": (2, latent)}
        shapes[f"{m}.directions"] = (widths[m], model.directions.shape[-1])
    return shapes


def _pairs_shapes(models: Mapping[str, ConcordanceModel]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of what compares and ranks pairs, by name, from models by modality."""
    shapes: dict[str, tuple[int, ...]] = {}
    for m, model in models.items():
        compared = {n: of.width(model.kind, len(models)) for n, of in models.items()}
        own, others = compared[m], sum(compared.values()) - compared[m]
        pairs, count = model.reference.a.shape
        of: dict[str, tuple[int, ...]] = {"density": CENTRES.shape}
        of |= {"canonical.mean_z": (others,), "canonical.map_z": (others, count)}
        of |= {"canonical.mean_u": (own,), "canonical.map_u": (own, count)}
        of |= {"among.a": (pairs, count), "among.b": (pairs, count), "among.c": (count,)}
        of |= {f"among.{name}": (pairs,) for name in ("own", "partner", "number", "taken")}
        shapes |= {f"{m}.{name}": shape for name, shape in of.items()}
    return shapes


def _check_same(name: str, given: Mapping[str, Any], saved: Mapping[str, Any]) -> None:
    """Check that the settings given for a modality are those saved.

    Raises:
        InputError: one is not.
    """
    other = {
        key: saved.get(key) for key, value in given.items() if value not in (saved.get(key), AUTO)
    }
    if other:
        found = {key: given[key] for key in other}
        raise InputError(f"layers['{name}']", expected=f"{other}, as in fit", found=found)


def _given(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the constructor arguments; of a model of the workflow, those that it has."""
    if "estimator" not in config:
        layers = {n: {k: m[k] for k in m if k in SETTINGS} for n, m in config["modalities"]}
        return {
            "layers": layers,
            "latent": config["latent"],
            "rho": config["rho"],
            "importance_hidden": config["hidden"],
            "random_state": config["seed"],
        }
    given = dict(config["estimator"])
    for stage, settings in STAGES.items():
        given[stage] = None if given[stage] is None else settings(**given[stage])
    if given["layers"] is not None:
        given["layers"] = dict(given["layers"])
        for name, settings in given["layers"].items():
            checkpoints.forbid_code(name, settings)
    return given


def _check_settings(
    given: Mapping[str, Any], config: Mapping[str, Any], names: Sequence[str]
) -> None:
    """Check what a file says beside its tensors.

    Args:
        given: the constructor arguments in it.
        config: its config.
        names: the modalities.

    Raises:
        InputError: an argument is unknown, or anything is of another form than `save` writes.
        ValueError: `random_state` is none.
    """
    if unknown := set(given) - SAVED:
        raise InputError("arguments", expected=f"some of {sorted(SAVED)}", found=sorted(unknown))
    resolve_layers(dict.fromkeys(names), given["layers"])
    arguments = {**VALID, **{name: value for name, value in given.items() if value is not None}}
    for rho in (arguments["rho"], dict(config["rho"])):
        check_parameters({**arguments, "rho": rho}, names)
    if not isinstance(standardize := given.get("standardize", True), int):  # or a bool
        raise InputError("standardize", expected="true or false", found=repr(standardize))
    if given.get("random_state") is not None:
        seed_of(given["random_state"])
    whole("seed", config["seed"], 0, MAX_SEED)
    for key, valid, said in (
        ("columns", _are_names, "a list of names"),
        ("folds", _are_scores, "scores by name"),
    ):
        of = config.get(key, {})
        if not isinstance(of, dict) or set(of) - set(names) or not all(map(valid, of.values())):
            expected = f"{said}, by modality of {[*names]}"
            raise InputError(key, expected=expected, found=repr(of)[:100])


def _are_names(of: object) -> bool:
    return isinstance(of, list) and all(isinstance(name, str) for name in of)


def _are_scores(of: object) -> bool:
    return isinstance(of, dict) and all(isinstance(v, int | float | None) for v in of.values())
