"""Config checks that the schema cannot express: renamed keys, consistent names."""

import contextlib
import copy
import os
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ima.utils.errors import InputError
from ima.utils.labels import PAPER, is_ima
from ima.workflow.schema_errors import Violation, error_of, fits, is_type


def complete(config: dict, defaults: Mapping) -> dict:
    """Fill in the defaults that a config lacks, and return what it sets differently.

    Args:
        config: a config of any keys; changed in place.
        defaults: the complete config.
    """
    given = {name: value for name, value in config.items() if value != defaults.get(name)}
    for name, default in defaults.items():
        if name not in config:
            config[name] = copy.deepcopy(default)
        elif name in given and isinstance(default, dict) and isinstance(config[name], dict):
            given[name] = complete(config[name], default)
    return given


def text_keys(config: dict, where: str = "config", key: str = "") -> None:
    """Turn keys that are whole numbers into text, in place: YAML reads `2: {epochs: 3}` as 2.

    Args:
        config: a config, or a section of it. If two keys have the same text, the later one wins.
        where: the config's name in messages.
        key: the section's key in messages; empty for the whole config.

    Raises:
        InputError: a key is neither text nor a whole number.
    """
    entries = list(config.items())
    config.clear()
    for name, value in entries:
        if isinstance(name, bool) or not isinstance(name, str | int):
            raise InputError(
                f"{where}, {key}" if key else where,
                expected="keys that are text or whole numbers",
                found=name,
                do="Write the key in quotes.",
            )
        text = str(name)
        if isinstance(value, dict):
            text_keys(value, where, f"{key}.{text}".removeprefix("."))
            complete(value, config[text] if isinstance(config.get(text), dict) else {})
        config[text] = value


def strict_validator() -> Any:
    """Return a validator class of the package jsonschema that is as strict as `schema_errors`."""
    from jsonschema import Draft202012Validator, ValidationError, validators

    def check_pattern(validator, pattern, instance, node):
        """Yield an error if a text does not fit a pattern to its end."""
        if isinstance(instance, str) and not fits(pattern, instance):
            yield ValidationError(f"{instance!r} does not fit {pattern!r}")

    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda checker, value: is_type(value, "integer"),
            "number": lambda checker, value: is_type(value, "number"),
        }
    )
    return validators.extend(Draft202012Validator, {"pattern": check_pattern}, type_checker=types)


@cache
def _read_schema(path: str | Path) -> dict:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return loader(Path(path).read_text("utf-8")).get_single_data()


def check_schema(config: Mapping, path: str | Path, partial: bool = False) -> None:
    """Fill in a schema's defaults, in place, and raise InputError with the most relevant violation.

    Snakemake's `validate` does the same, but parses YAML in Python, which takes longer than the
    check, and its message repeats the whole schema.

    Args:
        config: the config; values that it lacks and that have a `default` are added.
        path: YAML file of the JSON schema.
        partial: whether required keys may be missing, because they are filled in later.
    """
    from jsonschema import validators
    from jsonschema.exceptions import best_match

    strict, schema = strict_validator(), _read_schema(path)
    check_properties = strict.VALIDATORS["properties"]

    def filled(validator, properties, instance, node):
        """Yield the errors of an object's properties, with its defaults filled in first."""
        for name, part in properties.items() if isinstance(instance, dict) else ():
            if "default" in part:
                instance.setdefault(name, copy.deepcopy(part["default"]))
        yield from check_properties(validator, properties, instance, node)

    errors = validators.extend(strict, {"properties": filled})(schema).iter_errors(config)
    error = best_match(e for e in errors if not partial or e.validator != "required")
    if error is not None:
        is_whole = error.parent is not None and not error.relative_path
        if is_whole and error.validator in ("type", "enum"):
            error = error.parent  # `anyOf`: another of its parts may be meant
        violation = Violation(
            tuple(error.absolute_path), error.validator, error.instance, error.schema
        )
        raise error_of(violation, "config", schema)


#: Keys of a config that are paths of the user; `*` stands for any name.
_PATHS = (
    *("raw", "roots.*", "own.modalities.*.file", "own.pairs.file"),
    *("emotion.words.glove", "emotion.words.lexicon"),
    *("ima.*.networks.*.encoder", "ima.*.networks.*.decoder"),
    *("emotion.ima.*.networks.*.encoder", "emotion.ima.*.networks.*.decoder"),
)
#: `raw` of the configs of this project: the folder may be missing, as corpora can be downloaded.
DEFAULT_RAW = "data"


def expand_paths(config: dict) -> None:
    """Expand `~` and variables such as `$HOME` in the paths of a config, in place.

    Args:
        config: a config that the schema accepts.

    Raises:
        InputError: a variable or the user of a `~name` does not exist, or `raw` is not a folder.
    """
    for key in _PATHS:
        *parents, name = key.split(".")
        sections = [config]
        for parent in parents:
            inside = [section for section in sections if section]
            sections = (
                [value for section in inside for value in section.values()]
                if parent == "*"
                else [section[parent] for section in inside if parent in section]
            )
        for section in filter(None, sections):
            for entry in list(section) if name == "*" else [name]:
                if section.get(entry):
                    section[entry] = _expanded(section[entry], key)
    raw = config.get("raw")
    if raw is not None and raw != DEFAULT_RAW and not Path(raw).is_dir():
        raise InputError(
            "config, raw",
            expected="a folder with a sub-folder for each corpus",
            found=f"{'a file' if Path(raw).exists() else 'no such folder'}, {raw}",
            do="Correct the path, or create the folder: corpora that it lacks are downloaded if "
            "they are freely available.",
        )


def _expanded(path: str, key: str) -> str:
    if Path(path).exists():  # a name that has a `$` or `~` in it
        return path
    expanded = os.path.expandvars(path)
    if expanded.startswith("~"):
        with contextlib.suppress(RuntimeError):  # no such user
            expanded = str(Path(expanded).expanduser())
    if re.search(r"^~|\$\w|\$\{", expanded):
        raise InputError(
            f"config, {key}",
            expected="a path whose variables are set",
            found=expanded,
            do="Set the variable in the shell that starts the run, or write the whole path.",
        )
    return expanded


#: Former names of keys; `*` stands for any name.
RENAMED = {
    "seeds_a_job": "seeds_per_job",
    "speech.mfcc.window_ms": "speech.mfcc.win_length_ms",
    "speech.mfcc.shift_ms": "speech.mfcc.hop_length_ms",
    "speech.mfcc.coefficients": "speech.mfcc.n_mfcc",
    "speech.mfcc.mels": "speech.mfcc.n_mels",
    "noise.image.zeroed": "noise.image.zero_fraction",
    "pairs.held_out": "pairs.validation_share",
    "baselines.models.*.rate": "baselines.models.*.corruption_prob",
    "baselines.models.*.sampled": "baselines.models.*.n_subsets",
    "noise_study.kinds": "noise_study.noise_types",
    "own.pairs.kind": "own.pairs.pair_type",
    "importance.objective": "ima.<variant>.importance.objective",
    "importance.scale_free": "importance.corr_scale",
    "importance.first": "importance.init",
    "ima.*.importance.first": "ima.*.importance.init",
    "emotion.words.minimum": "emotion.words.min_count",
    "emotion.pairs.stopping": "emotion.pairs.validation_share",
    "emotion.pairs.most": "emotion.pairs.max_pairs",
    "emotion.importance.objective": "emotion.ima.<variant>.importance.objective",
    "emotion.importance.scale_free": "emotion.ima.<variant>.importance.corr_scale",
    "emotion.importance.z": "emotion.ima.<variant>.importance.z",
    "emotion.importance.corr_scale": "emotion.ima.<variant>.importance.corr_scale",
    "emotion.importance.first": "emotion.importance.init",
    "emotion.ima.*.importance.first": "emotion.ima.*.importance.init",
    "emotion.baselines.*.rate": "emotion.baselines.*.corruption_prob",
    "emotion.baselines.*.sampled": "emotion.baselines.*.n_subsets",
}


def check_renamed(config: Mapping) -> None:
    """Raise InputError if a config has a key with a former name (see RENAMED)."""
    paths = "\n".join(_key_paths(config))
    for old, new in RENAMED.items():
        pattern = re.escape(old).replace(r"\*", r"([^.\n]+)")
        if match := re.search(f"^{pattern}$", paths, re.M):
            raise InputError(
                f"config, {match[0]}",
                expected=f"its new name, {new.replace('*', (*match.groups(), '')[0])}",
                found="a former name",
                do="Rename the key; CHANGELOG.md lists all changed names.",
            )


def _key_paths(config: Mapping, before: str = "") -> Iterator[str]:
    """Yield the path of every key, with its names joined by dots."""
    for name, value in config.items():
        yield f"{before}{name}"
        if isinstance(value, Mapping):
            yield from _key_paths(value, f"{before}{name}.")


def check_drawn(name: str | None, variants: Collection[str]) -> None:
    """Check that the variant of IMA shown in figures is one that the run trains, or is not set.

    Args:
        name: `figures.variant` of the config.
        variants: the variants that are trained on digits or on words and voices.

    Raises:
        InputError: the variant is not trained.
    """
    if name is not None and name not in variants:
        raise InputError(
            "config, figures.variant",
            expected=f"one of the trained variants, {sorted(set(variants))}, or null",
            found=name,
        )


def check_variants(names: Collection[str], known: Mapping[str, Mapping], section: str) -> None:
    """Check that a config defines each variant of IMA that it names.

    Args:
        names: `variants` of the config.
        known: `ima` of the config, by name.
        section: prefix of their keys, empty or `emotion.`.

    Raises:
        InputError: a variant is unknown.
    """
    do = f"Correct the name, or define {section}ima.<name> with its label and settings."
    _check_named(f"{section}variants", names, known, f"variants defined in {section}ima", do)


def check_trained(names: Collection[str], variants: Collection[str], key: str) -> None:
    """Check that variants that a key names are trained.

    Args:
        names: the names.
        variants: `variants` of the config.
        key: the key.

    Raises:
        InputError: a variant is not trained.
    """
    do = "Correct the name, or add it to variants."
    _check_named(key, names, variants, "trained variants of IMA", do)


def _check_named(
    key: str, names: Collection[str], known: Collection[str], what: str, do: str
) -> None:
    """Raise InputError if a key names what is not known."""
    if unknown := [name for name in names if name not in known]:
        expected = f"{what}, {sorted(known)}"
        raise InputError(f"config, {key}", expected=expected, found=unknown, do=do)


def check_labels(config: Mapping) -> None:
    """Check the labels of models, by which tables tell them apart, and IMA from others.

    Args:
        config: a config whose variants exist.

    Raises:
        InputError: two variants or baselines of an experiment have the same label, the label of a
            variant does not begin with IMA or that of a baseline does, or `paper` has another
            label than PAPER.
    """
    emotion = config["emotion"]
    digits = {f"ima.{name}": config["ima"][name] for name in config["variants"]}
    digits |= {f"baselines.models.{name}": of for name, of in config["baselines"]["models"].items()}
    for models in digits, {f"emotion.ima.{n}": emotion["ima"][n] for n in emotion["variants"]}:
        seen: dict[str, str] = {}
        for key, model in models.items():
            _check_label(key, model["label"])
            first = seen.setdefault(model["label"], key)
            if first != key:
                raise InputError(
                    f"config, {key}.label",
                    expected="a label that no other model has",
                    found=f"'{model['label']}', as of {first}",
                )


def _check_label(key: str, label: str) -> None:
    """Check that a label tells whether the model of a key is IMA."""
    expected = ""
    if key.endswith("ima.paper") and label != PAPER:
        expected = f"'{PAPER}', by which the paper's claims and values find it"
    elif key.startswith("baselines") and is_ima(label):
        expected = "a label that does not begin with IMA"
    elif not key.startswith("baselines") and not is_ima(label):
        expected = "a label that begins with IMA or IMA+, such as 'IMA+ (mine)'"
    if expected:
        raise InputError(f"config, {key}.label", expected=expected, found=f"'{label}'")


#: By experiment, the peers whose rows its tables have anyway, as references or baselines.
ANYWAY = {
    "digits": ("raw", "pca", "jmvae", "mvae", "denoising"),
    "emotion": ("raw", "jmvae", "mvae", "denoising"),
}


def check_peers(peers: Mapping[str, Collection[str]]) -> None:
    """Check that no peer would have the row of a model that a run's tables have anyway.

    Args:
        peers: `peers` of the config: names by experiment.

    Raises:
        InputError: there is such a peer.
    """
    for experiment, anyway in ANYWAY.items():
        if twice := [name for name in peers[experiment] if name in anyway]:
            raise InputError(
                f"config, peers.{experiment}",
                expected="methods other than those that the tables have anyway",
                found=twice,
                do="Leave them out.",
            )


def check_objectives(variants: Mapping[str, Mapping], section: str, own: bool) -> None:
    """Check that the run supports the objectives of its variants.

    Args:
        variants: the trained variants of IMA, by name.
        section: prefix of their keys, empty or `emotion.`.
        own: whether they are trained on user data.

    Raises:
        InputError: the objective is `mixture` on the paper's data (it has no sweep over rho and no
            row in Table 4), `rho: auto` is set for another objective, or `latent` for words and
            voices, whose models have one latent size.
    """
    for name, variant in variants.items():
        stage2 = variant["importance"]
        if section and "latent" in stage2:
            raise InputError(
                f"config, {section}ima.{name}.importance.latent",
                expected=f"no such key: models have the latent size {section}latent",
                found=stage2["latent"],
            )
        if stage2.get("rho") == "auto" and stage2["objective"] != "mixture":
            raise InputError(
                f"config, {section}ima.{name}.importance.rho",
                expected="a number in [0, 1] for each modality",
                found="auto",
                do="Only the objective mixture estimates rho, on data of your own.",
            )
    mixtures = [
        n for n, variant in variants.items() if variant["importance"]["objective"] == "mixture"
    ]
    if mixtures and not own:
        raise InputError(
            f"config, {section}variants",
            expected="the objectives paper or ima+, for the paper's tables and figures",
            found=f"mixture, of {mixtures}",
            do="Use it on data of your own (config/own.yaml), or remove the variant.",
        )


def check_rho(variants: Mapping[str, Mapping], modalities: Collection[str], section: str) -> None:
    """Check that variants set the prior mean importance of known modalities only.

    Args:
        variants: the trained variants of IMA, by name.
        modalities: the names that `rho` may have.
        section: prefix of the variants' keys, empty or `emotion.`.

    Raises:
        InputError: a modality is unknown.
    """
    for name, variant in variants.items():
        rho = variant["importance"].get("rho", {})
        unknown = [m for m in rho if m not in modalities] if rho != "auto" else []
        if unknown:
            raise InputError(
                f"config, {section}ima.{name}.importance.rho",
                expected=f"only the modalities {list(modalities)}",
                found=unknown[0],
            )


def check_modalities(
    names: Collection[str], given: Mapping[str, Collection[str]], others: Collection[str] = ()
) -> None:
    """Check that sections of a config have an entry for each modality, and no unknown entries.

    Args:
        names: names of the modalities.
        given: names of the entries, by section.
        others: names that a section may have in addition.

    Raises:
        InputError: a section lacks a modality or has an unknown entry.
    """
    for section, entries in given.items():
        unknown = sorted(set(entries) - {*names, *others})
        if unknown or set(names) - set(entries):
            raise InputError(
                f"config, {section}",
                expected=f"an entry for each of the modalities {list(names)}",
                found=f"an unknown modality, {unknown[0]}" if unknown else sorted(entries),
                do=f"Write {section}.<modality> for each of them, with the same spelling.",
            )


def layers_of(model: Mapping) -> dict:
    """Return a modality's layer settings from its entry in `model`, as for
    `ima.models.ima.Modality`.
    """
    return {name: value for name, value in model.items() if name != "standardize"}
