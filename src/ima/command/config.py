"""Read the config of the command `ima`: the keys of the workflow's config for user data."""

import copy
import logging
import tomllib
from collections.abc import Mapping
from pathlib import Path

from ima.command.schema import fill, read_schema
from ima.utils.errors import InputError
from ima.utils.io import read_json
from ima.workflow.config import check_variants, text_keys
from ima.workflow.schema_errors import check
from ima.workflow.user_config import check_config, fill_defaults, standardized

#: Name of the run and seeds, if the config leaves them out.
DEFAULTS = {"run": "own", "seeds": [0]}
#: Sections to which `fill_defaults` adds.
_SECTIONS = ("model", "autoencoder", "importance", "retrieval", "sweep", "figures")
#: The variants of IMA that the workflow's default config defines.
VARIANTS = ("paper", "ima+", "mixture")

logger = logging.getLogger(__name__)


def read_config(path: str | Path, new: bool = False) -> dict:
    """Read a config, check it and fill in its defaults.

    Args:
        path: a .toml, .json, .yaml or .yml file.
        new: whether the config names new data for a fitted model, which may be of one modality.

    Returns:
        The keys that the command uses, with all their defaults (docs/own_data.md).

    Raises:
        InputError: the file cannot be read, or violates `config.schema.json` or the rules of
            `ima.workflow.user_config.check_config`.
    """
    parsed, schema = _parsed(Path(path)), read_schema()
    if isinstance(parsed, dict):
        text_keys(parsed, str(path))
    check(parsed, schema, str(path))
    _check_variants(parsed)
    used = [name for name, node in schema["properties"].items() if "type" in node]
    unused = [name for name in parsed if name not in used]
    if unused:
        logger.warning("%s: used by the workflow only: %s", path, ", ".join(unused))
    given = {name: value for name, value in parsed.items() if name in used}
    sections = {name: dict(given.get(name, {})) for name in _SECTIONS}
    config = {**DEFAULTS, **copy.deepcopy(given), **sections}
    fill_defaults(config, given)
    config = {name: config[name] for name in used if name in config}
    fill(config, schema, schema)
    at_latent = config["autoencoder"].pop("by_latent").get(str(config["latents"][0]), {})
    config["autoencoder"] |= at_latent
    if not new or len(config["own"]["modalities"]) > 1:
        try:
            check_config(config["own"], config["model"], config["own"]["modalities"], ())
        except InputError as error:
            where = f"{path}, {str(error.where).removeprefix('config, ')}"
            raise InputError(
                where, expected=error.expected, found=error.found, do=error.do
            ) from error
    if config["own"]["compare"]:
        logger.warning("%s: used by the workflow only: own.compare", path)
    if config["latents"][1:]:
        logger.warning("%s: only the first of latents is used, %d", path, config["latents"][0])
    return config


def _check_variants(parsed: Mapping) -> None:
    """Raise InputError if a config names an unknown variant for the workflow."""
    names, defined = parsed.get("variants"), parsed.get("ima")
    if isinstance(names, list):
        known = dict.fromkeys([*VARIANTS, *(defined if isinstance(defined, dict) else ())])
        check_variants(list(map(str, names)), known, "")


def _parsed(path: Path) -> object:
    """Return the content of a config.

    Raises:
        InputError: the file is missing or not in its format, or PyYAML is missing.
    """
    kind = path.suffix.lower()
    if not path.is_file():
        do = "Write it with `ima init FILE FILE`, or name another config."
        raise InputError(path, expected="a config", found="no file", do=do)
    if kind == ".json":
        return read_json(path)
    try:
        if kind == ".toml":
            return tomllib.loads(path.read_text("utf-8"))
        if kind in (".yaml", ".yml"):
            return _yaml(path)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        found = " ".join(str(error).split())
        raise InputError(path, expected=f"{kind[1:].upper()}", found=found) from error
    raise InputError(path, expected="a .toml, .json or .yaml file", found=f"'{kind}'")


def _yaml(path: Path) -> object:
    try:
        import yaml
    except ImportError as error:
        raise InputError(
            path,
            expected="the package PyYAML, which reads this format",
            found=error,
            do="Install it (pip install PyYAML), or write the config as .toml or .json.",
        ) from error
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def standardizes(model: Mapping[str, Mapping]) -> bool:
    """Return whether modalities with loss `sse` are standardized, by `model` of the config.

    Raises:
        InputError: some are and others are not.
    """
    choices = {
        name: standardized(layers) for name, layers in model.items() if layers["loss"] == "sse"
    }
    if len(set(choices.values())) > 1:
        raise InputError(
            "model.<modality>.standardize",
            expected="the same value for all modalities with loss sse",
            found=choices,
            do="Only the workflow can standardize some of them: run it, or scale the data.",
        )
    return all(choices.values())
