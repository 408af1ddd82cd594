#!/usr/bin/env python3
"""List the locked packages with their licences, as a table or a bill of materials.

    python3.11 envs/run.py python envs/packages.py                       # writes envs/licences.csv
    python3.11 envs/run.py python envs/packages.py --sbom results/sbom.json   # CycloneDX 1.5

Licences are those that the installed packages state; nothing is downloaded.
"""

import argparse
import csv
import io
import json
import re
from importlib.metadata import distribution
from pathlib import Path

from run import LOCK, ROOT, TORCH

LICENCES = ROOT / "envs" / "licences.csv"
#: SPDX identifiers of classifiers and other words by which packages state their licence.
SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
#: Packages whose metadata are silent or wrong, by their licence files and sources.
BY_HAND = {
    "conda-inject": "MIT",
    "docutils": "BSD-2-Clause",  # and public domain; the part under the GPL is an editor's mode
    "empath": "LicenseRef-unstated",
    "espeakng-loader": "LicenseRef-unstated AND GPL-3.0-or-later",  # the wheel contains espeak-ng
    "nrclex": "MIT AND LicenseRef-NRC-Emotion-Lexicon",  # the lexicon: research only
    "opensmile": "LicenseRef-openSMILE",  # not for commercial products
    "openTSNE": "BSD-3-Clause",
    "packaging": "Apache-2.0 OR BSD-2-Clause",
    **{
        f"snakemake-interface-{name}": "MIT"
        for name in ("common", *(f"{n}-plugins" for n in ("logger", "report", "scheduler")))
    },
    "snakemake-interface-storage-plugins": "MIT",
}


def pins() -> dict[str, str]:
    """Return the versions of the locked packages by name."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", f"{TORCH}\n{LOCK.read_text()}", re.M))


def licence(name: str) -> str:
    """Return the licence that an installed package states, as an SPDX expression."""
    if name in BY_HAND:
        return BY_HAND[name]
    about = distribution(name).metadata
    classes = [c.split(" :: ")[-1] for c in about.get_all("Classifier", []) if "License ::" in c]
    stated = about.get("License-Expression") or " AND ".join(SPDX.get(c, c) for c in classes)
    stated = stated or about.get("License") or "unknown"
    return SPDX.get(stated, stated)


def table() -> str:
    """Return the packages, their versions and licences as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("package", "version", "licence"))
    writer.writerows((name, version, licence(name)) for name, version in pins().items())
    return text.getvalue()


def sbom() -> dict:
    """Return the bill of materials in CycloneDX's JSON; it has no time, so it is reproducible."""
    rows = list(csv.DictReader(io.StringIO(LICENCES.read_text())))
    for row in rows:
        name = re.sub(r"[-_.]+", "-", row["package"]).lower()
        row["purl"] = f"pkg:pypi/{name}@{row['version']}"
    components = [
        {
            "type": "library",
            "bom-ref": row["purl"],
            "name": row["package"],
            "version": row["version"],
            "licenses": [{"expression": row["licence"]}],
            "purl": row["purl"],
        }
        for row in rows
    ]
    version = re.search(r'__version__ = "(.+)"', (ROOT / "src/ima/__init__.py").read_text())[1]
    about = {"type": "application", "bom-ref": "ima", "name": "ima", "version": version}
    about["licenses"] = [{"license": {"id": "Apache-2.0"}}]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": about},
        "components": components,
        "dependencies": [{"ref": "ima", "dependsOn": [c["bom-ref"] for c in components]}],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sbom", type=Path, help="write the bill of materials to this file")
    options = parser.parse_args()
    if options.sbom:
        options.sbom.parent.mkdir(parents=True, exist_ok=True)
        options.sbom.write_text(json.dumps(sbom(), indent=1) + "\n")
    else:
        LICENCES.write_text(table())
