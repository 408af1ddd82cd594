"""Loading of checkpoints, feature matrices and pairs as models and tensors."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ima.models.ima import Autoencoder, Decoder, Encoder, IMANetwork, ImportanceNet, Modality
from ima.models.own import PARTS
from ima.models.shared_encoders import SharedEncoders
from ima.pairing.by_label import ABSENT, modalities, read_pairs, row_numbers
from ima.training.loop import check_pairs, pair_count
from ima.training.sizes import AUTO, HIDDEN
from ima.utils.errors import InputError, within
from ima.utils.io import read_tensors
from ima.utils.matrices import read_matrix
from ima.utils.numbers import whole

Paths = Sequence[str | Path]
#: The classes of encoders and decoders that are not the user's.
LAYERS: Mapping[str, type[Encoder | Decoder]] = {"encoder": Encoder, "decoder": Decoder}

logger = logging.getLogger(__name__)


def load_pairs(path: str | Path) -> dict[str, Tensor]:
    """Return, by modality, the row numbers (N,) of the items of pairs, -1 where a pair lacks one.

    Raises:
        InputError: as in `ima.pairing.by_label.read_pairs`.
    """
    pairs = read_pairs(path)
    return {name: torch.from_numpy(row_numbers(pairs, name)) for name in modalities(pairs)}


def load_first_pairs(path: str | Path, most: int | None) -> dict[str, Tensor]:
    """Return the first pairs of `load_pairs`, at random as pairs are in random order.

    Args:
        path: table of pairs.
        most: their number, or None for all; the log says if there are fewer.
    """
    pairs = load_pairs(path)
    if most and (found := pair_count(pairs)) < most:
        logger.warning("%s: all %d pairs are used, as there are no %d", path, found, most)
    return {name: rows[:most] for name, rows in pairs.items()}


def load_features(paths: Mapping[str, Paths], device: torch.device) -> dict[str, Tensor]:
    """Return the feature matrix (n_m, D_m) of each modality: its corpus, followed by its noise."""
    return {name: torch.from_numpy(read_matrix(files)).to(device) for name, files in paths.items()}


def only_paired(
    x: Mapping[str, Tensor], pairs: Sequence[Mapping[str, Tensor]]
) -> tuple[dict[str, Tensor], list[dict[str, Tensor]]]:
    """Return features of only the items that occur in pairs, and the pairs renumbered to match.

    Args:
        x: by modality, the matrix (n_m, D_m) of all items.
        pairs: for each split, by modality, row numbers (N,), ABSENT where a pair lacks it.
    """
    features: dict[str, Tensor] = {}
    renumbered: list[dict[str, Tensor]] = [{} for _ in pairs]
    for name, of in x.items():
        rows = torch.cat([split[name] for split in pairs])
        used = rows[rows != ABSENT].unique()
        features[name] = of[used]
        for split, new in zip(pairs, renumbered, strict=True):
            rows = split[name]
            new[name] = torch.where(rows == ABSENT, ABSENT, torch.searchsorted(used, rows))
    return features, renumbered


def load_data(
    inputs: Mapping[str, Any], splits: Sequence[str], device: torch.device
) -> tuple[dict[str, Tensor], list[dict[str, Tensor]]]:
    """Return the features of pairs, and the pairs of each split as row numbers.

    Args:
        inputs: by name, the path of the pairs of each split, and the paths of the features of each
            modality.
        splits: names of the files of pairs.
        device: where the features go.

    Returns:
        By modality, features as from `load_features`; and for each split, pairs as from
        `load_pairs`.

    Raises:
        InputError: an error of `load_pairs` or `load_features`, or a row number is beyond the
            features. As either file may be the wrong one, the message names both.
    """
    pairs = [load_pairs(inputs[split]) for split in splits]
    features = {name: inputs[name] for name in pairs[0]}
    x = load_features(features, device)
    files = ", ".join(str(file) for paths in features.values() for file in paths)
    for split, rows in zip(splits, pairs, strict=True):
        with within(f"{inputs[split]} (rows of {files})"):
            check_pairs(x, x, rows)
    return x, pairs


def modalities_of(
    x: Mapping[str, Tensor], layers: Mapping[str, Mapping[str, Any]]
) -> dict[str, Modality]:
    """Return a model's modalities, with dimensions from the data and layers from the config."""
    widths = {name: hidden_width(layers[name]) for name in x}
    return {
        name: Modality(x[name].shape[1], **{**layers[name], "hidden": widths[name]}) for name in x
    }


def hidden_width(layers: Mapping[str, Any]) -> int:
    """Return the width of a modality's hidden layers, or HIDDEN if the config leaves it open."""
    return HIDDEN if layers.get("hidden", AUTO) == AUTO else layers["hidden"]


def model_config(model: Autoencoder) -> dict[str, Any]:
    """Return the part of a checkpoint's config from which the autoencoder is built again.

    `own` lists the parts that are modules of the user, `networks` the names of those that have one.
    """
    # A list keeps the order of modalities, which JSON objects sorted by key do not.
    layers = []
    for name, modality in model.modalities.items():
        settings = {key: value for key, value in vars(modality).items() if value is not None}
        custom = {part: settings.pop(part) for part in PARTS if part in settings}
        names = {part: of for part, of in custom.items() if isinstance(of, str)}
        modules = {"own": [*custom]} | ({"networks": names} if names else {})
        layers.append([name, settings | modules if custom else settings])
    return {"latent": model.latent, "modalities": layers}


def build_autoencoder(
    config: Mapping[str, Any],
    state: Mapping[str, Tensor],
    modules: Mapping[str, Mapping[str, torch.nn.Module | str]] | None = None,
) -> Autoencoder:
    """Return the autoencoder of a checkpoint's config and tensors, in evaluation mode.

    Args:
        config: config of the checkpoint, as `model_config` returns it.
        state: weights by name.
        modules: by modality, the user's modules `encoder` and `decoder` or their names, as a
            checkpoint has only weights. None for those that the checkpoint names: this runs the
            code named there, so the file must come from this workflow.

    Raises:
        InputError: modules are missing or too many, the config names code in another place, or the
            tensors do not fit the model.
    """
    layers, unused = {}, dict(modules or {})
    for name, values in config["modalities"]:
        values = dict(values)
        forbid_code(name, values)
        custom, names = values.pop("own", []), values.pop("networks", {})
        parts = names if modules is None else unused.pop(name, {})
        if sorted(parts) != sorted(custom):
            raise InputError(
                f"layers['{name}']",
                expected=f"the modules with which it was fitted: {custom or 'none'}",
                found=sorted(parts) or "none",
                do="Pass them as to the constructor: IMA.load(path, layers=layers).",
            )
        sizes = tuple(whole("shape", size) for size in values.pop("shape", None) or ())
        layers[name] = Modality(**{**values, **parts}, shape=sizes or None)
    if unused:
        raise InputError("layers", expected=f"some of {list(layers)}", found=list(unused))
    for name, modality in layers.items():
        for part in PARTS:
            _check_layers(state, f"{part}s.{name}", part, modality, config["latent"])
    model = Autoencoder(layers, config["latent"])
    load_weights(model, state)
    return model.eval()


def forbid_code(name: str, layers: Mapping[str, Any]) -> None:
    """Check that the settings of a modality in a file name no code, which would be imported.

    Raises:
        InputError: they do.
    """
    named = [part for part in PARTS if layers.get(part) is not None]
    if named:
        where = f"layers['{name}']"
        raise InputError(where, expected="settings that name no code", found=named)


def check_shapes(state: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check that a file has the tensors that its config asks for, before any like them are made.

    A tensor without values is refused too: its other sizes take no space in a file.

    Args:
        state: the file's tensors by name.
        shapes: the shapes of some of them, by name.

    Raises:
        InputError: a tensor is missing or has another shape, or no values.
    """
    for name, shape in shapes.items():
        found = tuple(state[name].shape) if name in state else None
        if found != shape or 0 in shape:
            said = f"no {name}" if found is None else f"{name} of shape {found}"
            raise InputError(
                "checkpoint",
                expected="weights that fit its config",
                found=f"{said} where it needs {shape}",
            )


def _check_layers(
    state: Mapping[str, Tensor], prefix: str, part: str, modality: Modality, latent: int
) -> None:
    """Check by `check_shapes` that a file has an encoder or decoder, unless it is the user's.

    Args:
        state: the file's tensors by name.
        prefix: what the names of the part's tensors begin with.
        part: one of PARTS.
        modality, latent: what it is made of.

    Raises:
        InputError: as `check_shapes`.
    """
    if getattr(modality, part) is not None:
        return
    try:
        with torch.device("meta"):  # tensors have shapes, but no values
            tensors = LAYERS[part](modality, latent).state_dict()
    except (TypeError, RuntimeError) as error:  # sizes that are no numbers, or beyond 64 bits
        expected = "weights that fit its config"
        raise InputError("checkpoint", expected=expected, found=error) from error
    check_shapes(state, {f"{prefix}.{name}": tuple(t.shape) for name, t in tensors.items()})


def load_ima(autoencoder: str | Path, importance: str | Path, device: torch.device) -> IMANetwork:
    """Return the whole model from the checkpoints of both stages.

    Raises:
        InputError: a file is not a checkpoint, or its weights do not fit the model.
    """
    state, config = read_tensors(autoencoder)
    with within(autoencoder):
        stage1 = build_autoencoder(config, state)
    state, config = read_tensors(importance)
    with within(importance):
        return build_ima(stage1, config, state).to(device)


def load_shared_encoders(path: str | Path, model: IMANetwork) -> SharedEncoders | None:
    """Return the shared encoders of a model from their checkpoint, on the model's device.

    Raises:
        InputError: the file is not a checkpoint, or its weights do not fit the model.
    """
    state, _ = read_tensors(path)
    with within(path):
        return build_shared_encoders(model, state)


def build_shared_encoders(model: IMANetwork, state: Mapping[str, Tensor]) -> SharedEncoders | None:
    """Return the shared encoders of a model from their tensors; None if there are none."""
    if not state:
        return None
    modalities, latent = model.autoencoder.modalities, model.autoencoder.latent
    for name, modality in modalities.items():
        _check_layers(state, f"encoders.{name}", "encoder", modality, latent)
    encoders = SharedEncoders(modalities, latent)
    load_weights(encoders, state)
    return encoders.to(next(model.parameters()).device).eval()


def build_ima(
    autoencoder: Autoencoder, config: Mapping[str, Any], state: Mapping[str, Tensor]
) -> IMANetwork:
    """Return the whole model, from an autoencoder and a checkpoint of the importance networks."""
    widths = {name: modality.dimension for name, modality in autoencoder.modalities.items()}
    return IMANetwork(autoencoder, build_networks(widths, config, state))


def build_networks(
    widths: Mapping[str, int], config: Mapping[str, Any], state: Mapping[str, Tensor]
) -> torch.nn.ModuleDict:
    """Return, by modality, the importance networks of a checkpoint, given their input widths."""
    networks, hidden = torch.nn.ModuleDict(), config["hidden"]
    for m, width in widths.items():
        directions = state.get(f"{m}.summary.directions")
        components = None if directions is None else directions.shape[1]
        shapes: dict[str, tuple[int, ...]] = {}
        seen = width
        if components is not None:  # the network sees these, and perhaps the residual
            shapes = {"summary.mean": (width,), "summary.directions": (width, components)}
            seen = components + (components < width)
        shapes |= {"w1": (1, seen, hidden), "w2": (1, hidden, hidden)}
        check_shapes(state, {f"{m}.{name}": shape for name, shape in shapes.items()})
        networks[m] = ImportanceNet(width, hidden, [0.5], components)
    # Names with a slash are those of the pairs' scores (`ima.models.concordance.Checkpoint`).
    load_weights(networks, {name: value for name, value in state.items() if "/" not in name})
    return networks


def load_networks(path: str | Path, x: Mapping[str, Tensor]) -> torch.nn.ModuleDict:
    """Return the importance networks of a file, on the device of the features x (n_m, D_m)."""
    state, config = read_tensors(path)
    networks = build_networks({m: of.shape[1] for m, of in x.items()}, config, state)
    return networks.to(next(iter(x.values())).device)


def load_weights(module: torch.nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load the weights of a checkpoint into a model.

    Raises:
        InputError: the weights do not fit the model.
    """
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(
            "checkpoint",
            expected="weights that fit its config and the modules given, if any",
            found=error,
        ) from error
