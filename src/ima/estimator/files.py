"""Saving of a fitted `IMA` to a safetensors file, and loading."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ima.estimator.inputs import SETTINGS
from ima.models import checkpoints
from ima.models.autoencoder import Stage1
from ima.models.concordance import concordance_tensors, read_concordance
from ima.models.importance import Stage2
from ima.models.own import PARTS as OWN
from ima.models.shared import read_shared, shared_tensors
from ima.training.sizes import AUTO
from ima.utils.errors import InputError, reason_of
from ima.utils.io import read_tensors, write_tensors

if TYPE_CHECKING:
    from ima.estimator.model import IMA

#: Parts of the state, by the first word of the tensors' names.
PARTS = ("autoencoder", "importance", "scale", "concordance", "shared", "shared_encoders")
STAGES = {"stage1": Stage1, "stage2": Stage2}
#: Constructor arguments that belong to a session, not to a model.
NOT_SAVED = ("device", "threads", "verbose")


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
        yield
    except InputError:
        raise
    except (LookupError, TypeError, AttributeError, ValueError, RuntimeError) as error:
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
    autoencoder = checkpoints.build_autoencoder(config, parts["autoencoder"], modules)
    for name, of in (layers or {}).items():
        _check_same(name, of, vars(autoencoder.modalities[name]))
    network = checkpoints.build_ima(autoencoder, config, parts["importance"]).to(device)
    fitted = {
        "network_": network,
        "scales_": {name: scale.to(device) for name, scale in parts["scale"].items()},
        "concordance_models_": read_concordance(parts["concordance"]),
        "shared_parts_": read_shared({name: t.to(device) for name, t in parts["shared"].items()}),
        "shared_encoders_": checkpoints.build_shared_encoders(network, parts["shared_encoders"]),
        "rho_": config["rho"],
        "folds_": config.get("folds", {}),
        "seed_": config["seed"],
        "feature_names_in_": config.get("columns", {}),
    }
    given = _given(config)
    saved = given["layers"] or {}
    own = {name: {**saved.get(name, {}), **parts} for name, parts in modules.items() if parts}
    if own:
        given["layers"] = {**saved, **own}
    return given, fitted


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
