"""Provenance: a sidecar file for each table.

A sidecar contains no time, host or folder, so that the same code, config and data give the same
bytes. The crate of a whole run contains them (`ima.workflow.crate`).
"""

import hashlib
import importlib.metadata
import json
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ima.utils.atomic_files import whole_file
from ima.utils.io import read_json
from ima.utils.values import portable

ROOT = Path(__file__).resolve().parents[3]
#: Keys of a corpus' manifest (`ima.datasets.manifest`).
MANIFEST = ("bytes", "files", "sha256")
#: Paths of the code, whose git revision and modifications are recorded.
CODE = ("Snakefile", "workflow", "rules", "profiles", "config", "envs", "src")


def write_sidecars(job, sidecars: Sequence[str] | str) -> None:
    """Write a sidecar for each table of a job, with what it was made from.

    Args:
        job: Snakemake's object for a script. Its input `corpora` are manifests of corpora and files
            (`ima.datasets.manifest`), named `<corpus>.json`.
        sidecars: files, `<table>.provenance.json` for `<table>.csv`.
    """
    corpora = {Path(file).stem: read_json(file, MANIFEST) for file in as_list(job.input.corpora)}
    for sidecar in as_list(sidecars):
        table = Path(str(sidecar).replace(".provenance.json", ".csv"))
        _write(
            {
                "table": table.as_posix(),
                "sha256": hashlib.sha256(table.read_bytes()).hexdigest(),
                "rule": job.rule,
                "command": f"snakemake {table.as_posix()} --configfile CONFIG, the config below",
                "config": portable(job.config),
                "seeds": seeds(job.config),
                "corpora": corpora,
                "code": revision(ROOT),
                "python": platform.python_version(),
                "packages": packages(ROOT / "envs/requirements.lock", ROOT / "envs/peers.lock"),
            },
            sidecar,
        )


def _write(facts: Mapping, path: str) -> None:
    """Write JSON with keys in the given order, which Snakemake considers part of a config."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(facts, indent=2, allow_nan=False) + "\n", "utf-8")


def as_list(files: object) -> list:
    """Return the files of a named input or output as a list; a single one is a string."""
    return [files] if isinstance(files, str) else list(files)


def seeds(config: Mapping, path: str = "") -> dict[str, object]:
    """Return every seed in a config by its key, such as `pairs.seed`."""
    by_key: dict[str, object] = {}
    for key, value in config.items():
        if key in ("seed", "seeds"):
            by_key[f"{path}{key}"] = value
        elif isinstance(value, Mapping):
            by_key |= seeds(value, f"{path}{key}.")
    return by_key


def revision(root: Path) -> dict[str, object]:
    """Return the git revision of a checkout, and whether its code has been edited since.

    Both are None if the folder is not the top of a git checkout, or git is not installed. The copy
    of a commit that a workflow imports as a module (rules/source_common.smk) names it in COMMIT.
    """
    if (root / "COMMIT").is_file():
        return {"revision": (root / "COMMIT").read_text("utf-8"), "dirty": False}
    top = git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top) != root:
        return {"revision": None, "dirty": None}
    head, changes = git(root, "rev-parse", "HEAD"), git(root, "status", "--porcelain", "--", *CODE)
    return {"revision": head, "dirty": None if head is None else bool(changes)}


def git(root: Path, *arguments: str) -> str | None:
    """Return the output of a git command in a folder; None if it fails or git is not installed."""
    command = ["git", "-C", str(root), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (subprocess.CalledProcessError, FileNotFoundError):
        return None


def packages(lock: Path, *optional: Path) -> dict[str, str | None]:
    """Return the installed versions of torch and of a lock's packages; None for missing ones.

    Packages of optional locks are left out if they are missing.
    """
    versions = {name: _version(name) for name in ("torch", *_locked(lock))}
    more = {name: _version(name) for of in optional for name in _locked(of)}
    return versions | {name: version for name, version in more.items() if version}


def _locked(lock: Path) -> list[str]:
    return re.findall(r"^([\w.-]+)==", lock.read_text("utf-8"), re.M)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
