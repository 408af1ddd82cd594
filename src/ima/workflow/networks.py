"""Encoders and decoders that a variant of IMA names in the config, checked without torch."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from ima.utils.errors import InputError

#: Keys that name a class or function.
PARTS = ("encoder", "decoder")


def with_networks(layers: Mapping[str, Mapping], variant: Mapping) -> dict[str, Mapping]:
    """Return the layers of a variant by modality: the shared ones and the networks it names."""
    own = variant.get("networks", {})
    return {name: {**of, **own.get(name, {})} for name, of in layers.items()}


def network_files(
    variants: Mapping[str, Mapping], modalities: Collection[str], section: str, source: Path
) -> dict[str, list[Path]]:
    """Return the files by variant that define its networks, and check the names.

    Networks of other installed packages have no file here; the job that trains them checks them.

    Args:
        variants: the trained variants of IMA, by name.
        modalities: their modalities.
        section: prefix of their keys, empty or `emotion.`.
        source: the folder that contains the package `ima`.

    Raises:
        InputError: a modality is unknown, or a file is missing or lacks the name.
    """
    files: dict[str, set[Path]] = {name: set() for name in variants}
    for variant, of in variants.items():
        key = f"config, {section}ima.{variant}.networks"
        for modality, networks in of.get("networks", {}).items():
            if modality not in modalities:
                raise InputError(key, expected=f"some of {list(modalities)}", found=modality)
            for part in set(networks) & set(PARTS):
                file = _file(networks[part], source, f"{key}.{modality}.{part}")
                files[variant] |= {file} - {None}
    return {name: sorted(found) for name, found in files.items()}


def _file(network: str, source: Path, key: str) -> Path | None:
    """Return the file that defines a network; None for that of another package."""
    place, _, name = network.rpartition(":")
    if not place.endswith(".py") and place.split(".")[0] != "ima":
        return None
    file = Path(place) if place.endswith(".py") else source / f"{place.replace('.', '/')}.py"
    if not file.is_file():
        raise InputError(key, expected="FILE.py:NAME or MODULE:NAME", found=f"no file {file}")
    if not re.search(rf"\b{name}\b", file.read_text("utf-8")):
        raise InputError(key, expected=f"the name of a class or function of {file}", found=name)
    return file
