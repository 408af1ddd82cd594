"""Saving of a fitted `IMA` to a safetensors file, and loading."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ima.models import checkpoints
from ima.models.autoencoder import Stage1
from ima.models.concordance import concordance_tensors, read_concordance
from ima.models.importance import Stage2
from ima.utils.io import read_tensors, write_tensors

if TYPE_CHECKING:
    from ima.estimator.model import IMA

#: Parts of the state, by the first word of the tensors' names.
PARTS = ("autoencoder", "importance", "scale", "concordance")
STAGES = {"stage1": Stage1, "stage2": Stage2}
#: Constructor arguments that belong to a session, not to a model.
NOT_SAVED = ("device", "verbose")


def save(model: "IMA", path: str | Path) -> None:
    """Write a fitted model: its tensors, and its constructor arguments as metadata."""
    config = checkpoints.model_config(model.network_.autoencoder)
    config |= {"hidden": model.importance_hidden, "rho": model.rho_, "seed": model.seed_}
    config |= {"columns": model.feature_names_in_, "estimator": _parameters(model)}
    config["folds"] = model.folds_
    scales = {f"scale.{name}": scale for name, scale in model.scales_.items()}
    concordance = {
        f"concordance.{name}": t
        for name, t in concordance_tensors(model.concordance_models_).items()
    }
    write_tensors({**model.network_.state_dict(), **scales, **concordance}, path, config)


def _parameters(model: "IMA") -> dict[str, Any]:
    """Return the constructor arguments in the form in which JSON keeps them."""
    given = {k: v for k, v in model.get_params(deep=False).items() if k not in NOT_SAVED}
    for stage in STAGES:
        given[stage] = None if given[stage] is None else asdict(given[stage])
    if given["layers"] is not None:  # a list keeps the order, which JSON sorted by key does not
        given["layers"] = [[name, dict(of)] for name, of in given["layers"].items()]
    if isinstance(given["rho"], Mapping):
        given["rho"] = dict(given["rho"])
    if not isinstance(given["random_state"], int | None):
        given["random_state"] = model.seed_
    return given


def load(path: str | Path, device: torch.device) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the constructor arguments and the fitted attributes that a file holds.

    Args:
        path: a file of `save`, or a `model.safetensors` of the workflow.
        device: the device of the tensors.

    Raises:
        InputError: the file is not such a model.
    """
    state, config = read_tensors(path)
    parts: dict[str, dict[str, Tensor]] = {name: {} for name in PARTS}
    for name, value in state.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = value
    autoencoder = checkpoints.build_autoencoder(config, parts["autoencoder"])
    network = checkpoints.build_ima(autoencoder, config, parts["importance"]).to(device)
    fitted = {
        "network_": network,
        "scales_": {name: scale.to(device) for name, scale in parts["scale"].items()},
        "concordance_models_": read_concordance(parts["concordance"]),
        "rho_": config["rho"],
        "folds_": config.get("folds", {}),
        "seed_": config["seed"],
        "feature_names_in_": config.get("columns", {}),
    }
    return _given(config), fitted


def _given(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the constructor arguments; of a model of the workflow, those that it has."""
    if "estimator" not in config:
        layers = {n: {k: m[k] for k in m if k != "dimension"} for n, m in config["modalities"]}
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
    return given
