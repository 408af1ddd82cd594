"""What the config says of a user's own data: which modalities there are, what is known of them."""

import re
from collections.abc import Collection, Mapping

from ima.training.sizes import AUTO
from ima.utils.errors import InputError
from ima.workflow.config import check_modalities

#: Size of the latent space, and layers of a modality, where the config leaves them out.
LATENT = 10
LAYERS = {"hidden": AUTO, "loss": "sse", "activation": "tanh"}
#: Names of a rule's other inputs, of representations, and of subsets of the test pairs.
_TAKEN = {
    *("autoencoder", "code", "importance", "models", "pairs", "representations"),
    *("test", "train", "validation", "all", "joint", "labels", "unweighted", "weighted"),
}


def fill_defaults(config: dict, given: Mapping) -> None:
    """Give a config what data of the user's own need, where the user leaves it out.

    Keys of the demo's digits count for nothing then.

    Args:
        config: the demo's, with what the user gives over it; changed in place.
        given: what the user gives.

    Raises:
        InputError: `standardize` of digits.
    """
    own = config.get("own")
    if own is None:
        _check_digits(config.get("model") or {})
    if not isinstance(own, dict) or not isinstance(own.get("modalities"), dict):
        return  # digits, or nothing that the schema lets pass
    if isinstance(own.setdefault("pairs", {}), dict):
        own["pairs"].setdefault("by", "id")
    _fill(config, given, {"variants": ["mixture"], "latents": [LATENT]})
    first = config["latents"][0] if config["latents"] else LATENT
    defaults = {
        "autoencoder": {"epochs": AUTO, "batch_size": AUTO, "patience": AUTO, "by_latent": {}},
        "importance": {"latent": None},
        "retrieval": {"k": [10]},
        "sweep": {"latent": first},
        "figures": {"latent": first},
    }
    for section, values in defaults.items():
        _fill(config[section], given.get(section) or {}, values)
    for name in own["modalities"]:
        layers = (given.get("model") or {}).get(name) or {}
        config["model"][name] = {**LAYERS, **layers}


def _check_digits(layers: Mapping) -> None:
    """Raise InputError where digits are to be standardized, which their features forbid."""
    wanted = [name for name, of in layers.items() if isinstance(of, dict) and "standardize" in of]
    if wanted:
        raise InputError(
            f"config, model.{wanted[0]}.standardize",
            expected="the key with data of your own only",
            found=layers[wanted[0]]["standardize"],
            do="Leave it out: digits have their features' own scale (speech.mapping).",
        )


def _fill(section: dict, given: Mapping, values: Mapping) -> None:
    """Set the values of a section of the config that the user does not give."""
    section |= {name: value for name, value in values.items() if name not in given}


def check_config(own: Mapping, layers: Mapping, rho: Mapping, digits: Collection[str]) -> list[str]:
    """Return the names of a config's modalities, once the config is known to fit them.

    Args:
        own: `own` of the config.
        layers: `model` of the config, by modality.
        rho: `importance.rho` of the config, by modality.
        digits: names of modalities that the default config has beside them.

    Raises:
        InputError: fewer than two modalities, one with a name that cannot be used or without its
            layers or rho, layers or rho of a modality that there is not, or keys of `own` that do
            not go together.
    """
    names = list(own["modalities"])
    if len(names) < 2:
        raise InputError(
            "config, own.modalities",
            expected="two modalities or more",
            found=names,
            do="IMA learns what modalities share: give it a file for each of them.",
        )
    for name in names:
        _check_name(name)
    check_modalities(names, {"model": layers, "importance.rho": rho}, digits)
    if len({"noise" in options for options in own["modalities"].values()}) > 1:
        raise InputError(
            "config, own.modalities",
            expected="a column `noise` of every modality or of none",
            found=[name for name in names if "noise" in own["modalities"][name]],
            do="Give the others a column of false, or leave the key out.",
        )
    _check_pairs(own)
    return names


def check_fusion(fusion: str, objective: str) -> None:
    """Raise InputError if `own.fusion` needs concordance, and stage 2's objective gives none."""
    if fusion != "importance" and objective != "mixture":
        raise InputError(
            "config, own.fusion",
            expected="importance, or the variant mixture, which gives the concordance of pairs",
            found=f"{fusion} and the objective {objective}",
            do="Set variants: [mixture], or leave own.fusion out.",
        )


def _check_name(name: str) -> None:
    from torch import nn

    # A name is that of an input of a rule, and of a part of a torch module.
    usable = re.fullmatch("[a-z][a-z0-9_]*", str(name)) and not str(name).endswith("_noise")
    if not usable or name in _TAKEN or hasattr(list, name) or hasattr(nn.ModuleDict(), name):
        raise InputError(
            "config, own.modalities",
            expected="names of small letters, digits and _ that begin with a letter and mean "
            "nothing else here",
            found=repr(name),
            do="Give the modality another name, as `my_" + re.sub(r"\W", "_", str(name)) + "`.",
        )


def _check_pairs(own: Mapping) -> None:
    pairs, modalities = own["pairs"], own["modalities"]
    by_file = pairs["by"] == "file"
    of_file = {"file", "columns", "label", "split", "kind"} & set(pairs)
    if by_file != ("file" in pairs) or (of_file and not by_file):
        raise InputError(
            "config, own.pairs",
            expected="the keys file, columns, label, split and kind with `by: file`, and only then",
            found=f"by: {pairs['by']}, with {sorted(of_file)}",
            do="Set `by: file` and `file:`, or leave these keys out.",
        )
    if set(pairs.get("columns", modalities)) != set(modalities):
        raise InputError(
            "config, own.pairs.columns",
            expected=f"a column for each of {list(modalities)}",
            found=pairs["columns"],
        )
    unlabelled = [name for name, options in modalities.items() if "label" not in options]
    if pairs["by"] == "label" and unlabelled:
        raise InputError(
            "config, own.modalities",
            expected="a column `label` of every modality, to pair by label",
            found=f"none of {unlabelled}",
            do="Name it in own.modalities.<modality>.label, or pair by id or from a file.",
        )


def standardized(layers: Mapping) -> bool:
    """Tell whether a modality's dimensions are standardized: those of loss sse, unless said."""
    return layers["loss"] == "sse" and layers.get("standardize", True)


def noise_known(own: Mapping) -> bool:
    """Tell whether a config names a column that says what is noise."""
    return "kind" in own["pairs"] or any("noise" in o for o in own["modalities"].values())


def labels_known(own: Mapping) -> bool:
    """Tell whether a config names a column of labels."""
    return "label" in own["pairs"] or any("label" in o for o in own["modalities"].values())
