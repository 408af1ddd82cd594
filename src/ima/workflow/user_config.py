"""Default values and checks of a config for user data, and what it says about the data."""

import re
from collections.abc import Collection, Mapping

from ima.training.sizes import AUTO
from ima.utils.errors import InputError
from ima.workflow.config import check_modalities

#: Default size of the latent space and default layers of a modality.
LATENT = 10
LAYERS = {"hidden": AUTO, "loss": "sse", "activation": "tanh"}
#: Names of other inputs of the rules that have an input per modality.
_INPUTS = """
autoencoder autoencoders baselines before classes code importance importances listed model models
networks pairs representations scales shared_encoders test train validation
"""
#: Attributes of a rule's inputs in Snakemake, besides those of a list and OF_MODULES.
_OF_INPUTS = """
get size size_files size_files_gb size_files_kb size_files_mb size_gb size_kb size_mb size_tempfiles
temp_size_mb
"""
#: Latents of IMA besides u_m, whose representations are named `<name>_<modality>` in tables.
OTHER_LATENTS = ("shared", "contrastive")
#: Reserved names: those above; columns of pairs; and other representations and subsets of pairs.
RESERVED = frozenset(
    (
        *_INPUTS.split(),
        *_OF_INPUTS.split(),
        *("label", "pair", "pair_type", "split"),
        *("joint", "oracle", "unweighted", "weighted", "importance", "concordance", "both"),
        *(f"{name}{end}" for name in OTHER_LATENTS for end in ("", "_unweighted")),
        *("all", "labels"),
    )
)

_OF_MODULES = """
add_module apply bfloat16 buffers call_super_init children clear compile cpu cuda double
dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule
half ipu items keys load_state_dict modules mtia named_buffers named_children named_modules
named_parameters parameters pop register_backward_hook register_buffer register_forward_hook
register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
set_extra_state set_submodule share_memory state_dict to to_empty train training type update values
xpu zero_grad
"""
#: Attributes of a torch module, whose submodules cannot have these names; written out because the
#: workflow checks its config without torch.
OF_MODULES = frozenset(_OF_MODULES.split())


def fill_defaults(config: dict, given: Mapping) -> None:
    """Fill in the defaults for user data that the user's config omits.

    They replace the demo's values for digits.

    Args:
        config: the demo's config, updated with the user's; changed in place.
        given: the user's config.

    Raises:
        InputError: `standardize` is set for digits.
    """
    own = config.get("own")
    if own is None:
        _check_digits(config.get("model") or {})
    if not isinstance(own, dict) or not isinstance(own.get("modalities"), dict):
        return  # digits, or a config that the schema rejects
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
    """Raise InputError if the config standardizes digits, whose features have a fixed scale."""
    standardized_layers = [
        name
        for name, options in layers.items()
        if isinstance(options, dict) and "standardize" in options
    ]
    if standardized_layers:
        raise InputError(
            f"config, model.{standardized_layers[0]}.standardize",
            expected="this key only with user data",
            found=layers[standardized_layers[0]]["standardize"],
            do="Omit it: the features of digits set their own scale (speech.mapping).",
        )


def _fill(section: dict, given: Mapping, values: Mapping) -> None:
    """Set those values of a config section that the user does not give."""
    section |= {name: value for name, value in values.items() if name not in given}


def check_config(own: Mapping, layers: Mapping, rho: Mapping, digits: Collection[str]) -> list[str]:
    """Check that a config is consistent with its modalities, and return their names.

    Args:
        own: `own` of the config.
        layers: `model` of the config, by modality.
        rho: `importance.rho` of the config, by modality.
        digits: additional modality names that the default config contains.

    Raises:
        InputError: there are fewer than two modalities, a modality has an invalid name or lacks
            layers or rho, layers or rho name an unknown modality, or keys of `own` conflict.
    """
    names = list(own["modalities"])
    if len(names) < 2:
        raise InputError(
            "config, own.modalities",
            expected="at least two modalities",
            found=names,
            do="IMA learns what modalities share: give one file for each modality.",
        )
    for name in names:
        check_name(name)
    check_modalities(names, {"model": layers, "importance.rho": rho}, digits)
    if len({"noise" in options for options in own["modalities"].values()}) > 1:
        raise InputError(
            "config, own.modalities",
            expected="a column `noise` for every modality or for none",
            found=[name for name in names if "noise" in own["modalities"][name]],
            do="Give the others a column of false values, or omit the key.",
        )
    _check_pairs(own)
    if own.get("compare") and not labels_known(own):
        raise InputError(
            "config, own.compare",
            expected="labels, by which methods are compared",
            found="no column `label`",
            do="Name it in own.modalities.<modality>.label, or omit own.compare.",
        )
    return names


def check_fusion(fusion: str, objective: str) -> None:
    """Raise InputError if `own.fusion` needs concordance that the objective does not provide."""
    if fusion != "importance" and objective != "mixture":
        raise InputError(
            "config, own.fusion",
            expected="importance, or the variant mixture, which estimates the concordance of pairs",
            found=f"{fusion} and the objective {objective}",
            do="Set variants: [mixture], or omit own.fusion.",
        )


def check_name(name: str) -> None:
    """Raise InputError unless a modality may have this name.

    It becomes a rule's input and a submodule of a torch module.
    """
    usable = re.fullmatch("[a-z][a-z0-9_]*", str(name)) and not str(name).endswith("_noise")
    of_view = str(name).startswith(tuple(f"{other}_" for other in OTHER_LATENTS))
    reserved = of_view or name in RESERVED or name in OF_MODULES or hasattr(list, name)
    if not usable or reserved:
        raise InputError(
            "config, own.modalities",
            expected="names of lower-case letters, digits and _ that start with a letter and are "
            "not reserved",
            found=repr(name),
            do="Rename the modality, e.g. `my_" + re.sub(r"\W", "_", str(name)) + "`.",
        )


def _check_pairs(own: Mapping) -> None:
    pairs, modalities = own["pairs"], own["modalities"]
    by_file = pairs["by"] == "file"
    of_file = {"file", "columns", "label", "split", "pair_type"} & set(pairs)
    if by_file != ("file" in pairs) or (of_file and not by_file):
        raise InputError(
            "config, own.pairs",
            expected="the keys file, columns, label, split and pair_type only with `by: file`, "
            "which requires `file`",
            found=f"by: {pairs['by']}, with {sorted(of_file)}",
            do="Set own.pairs.by to file, and own.pairs.file to its path, or omit these keys.",
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
            expected="a column `label` for every modality, to pair by label",
            found=f"none for {unlabelled}",
            do="Name it in own.modalities.<modality>.label, or pair by id or from a file.",
        )


def standardized(layers: Mapping) -> bool:
    """Return whether a modality's dimensions are standardized; by default, those with loss sse."""
    return layers["loss"] == "sse" and layers.get("standardize", True)


def noise_known(own: Mapping) -> bool:
    """Return whether a config names a column that marks known noise."""
    return "pair_type" in own["pairs"] or any("noise" in o for o in own["modalities"].values())


def labels_known(own: Mapping) -> bool:
    """Return whether a config names a column of labels."""
    return "label" in own["pairs"] or any("label" in o for o in own["modalities"].values())
