"""Provenance: a sidecar file for each table, and an RO-Crate for a whole run.

A sidecar contains no time, host or path, so that the same code, config and data give the same
bytes. A crate contains them.
"""

import hashlib
import importlib.metadata
import json
import platform
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ima.utils.atomic_files import whole_file
from ima.utils.io import read_json

ROOT = Path(__file__).resolve().parents[3]
#: Keys of a corpus' manifest (`ima.datasets.manifest`).
MANIFEST = ("bytes", "files", "sha256")
#: Paths of the code, whose git revision and modifications are recorded.
CODE = ("Snakefile", "workflow", "rules", "profiles", "config", "envs", "src")


def write_sidecars(job, sidecars: Sequence[str] | str) -> None:
    """Write a sidecar for each table of a job, with what it was made from.

    Args:
        job: Snakemake's object for a script. Its input `corpora` are manifests of corpora
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
                "config": dict(job.config),
                "seeds": seeds(job.config),
                "corpora": corpora,
                "code": revision(ROOT),
                "python": platform.python_version(),
                "packages": packages(ROOT / "envs/requirements.lock"),
            },
            sidecar,
        )


def _write(facts: Mapping, path: str) -> None:
    """Write JSON with keys in the given order, which Snakemake considers part of a config."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(facts, indent=2, allow_nan=False) + "\n")


def as_list(files: object) -> list:
    """Return the files of a named input or output as a list; a single one is a string."""
    return [files] if isinstance(files, str) else list(files)


def seeds(config: Mapping, path: str = "") -> dict[str, object]:
    """Return every seed in a config by its key, such as `pairs.seed`."""
    found: dict[str, object] = {}
    for key, value in config.items():
        if key in ("seed", "seeds"):
            found[f"{path}{key}"] = value
        elif isinstance(value, Mapping):
            found |= seeds(value, f"{path}{key}.")
    return found


def revision(root: Path) -> dict[str, object]:
    """Return the git revision of a checkout, and whether its code has been edited since.

    Both are None if the folder is not the top of a git checkout, or git is not installed.
    """

    def git(*arguments: str) -> str:
        """Return the output of a git command; raise CalledProcessError if it fails."""
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")) != root:
            return {"revision": None, "dirty": None}
        return {
            "revision": git("rev-parse", "HEAD"),
            "dirty": bool(git("status", "--porcelain", "--", *CODE)),
        }
    except (subprocess.CalledProcessError, FileNotFoundError):
        return {"revision": None, "dirty": None}


def packages(lock: Path) -> dict[str, str | None]:
    """Return the installed versions of torch and of a lock's packages; None for missing ones."""
    names = ["torch", *re.findall(r"^([\w.-]+)==", lock.read_text(), re.M)]
    found: dict[str, str | None] = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def write_crate(
    results: Iterable[str | Path], config: Mapping, corpora: Iterable[str | Path], path: str | Path
) -> None:
    """Write a run as a Workflow Run RO-Crate: code, config, results and their relations.

    Args:
        results: tables, sidecars and figures, by paths relative to the checkout.
        config: the whole config of the run.
        corpora: manifests of the corpora, named `<corpus>.json`; the corpora themselves are not
            included.
        path: the crate, a zip file.
    """
    from rocrate.rocrate import ROCrate

    with tempfile.TemporaryDirectory() as folder:
        crate = ROCrate()
        crate.name = f"Importance-based Multimodal Autoencoder, run {config['run']}"
        crate.description = "Tables and figures of a run, with the workflow that made them."
        crate.license = "Apache-2.0"
        workflow = _add_workflow(crate)
        settings = Path(folder, "config.json")
        settings.write_text(json.dumps(dict(config), indent=2) + "\n")
        used = [crate.add_file(settings, "config.json", properties={"name": "config of the run"})]
        used += [_add_corpus(crate, Path(manifest)) for manifest in corpora]
        made = [_add_result(crate, Path(file)) for file in sorted(map(str, results))]
        _add_run(crate, workflow, used, made)
        with whole_file(path) as temporary:
            whole = Path(crate.write_zip(Path(folder, "crate.zip")))
            temporary.write_bytes(whole.read_bytes())


def _add_workflow(crate):
    """Add the code, file by file, with the Snakefile as the crate's main entity."""
    workflow = crate.add_workflow(
        ROOT / "Snakefile", "Snakefile", main=True, lang="snakemake", properties=revision(ROOT)
    )
    for name in CODE[1:]:
        for file in sorted((ROOT / name).rglob("*")):
            if file.is_file() and not {"__pycache__", ".snakemake"} & set(file.parts):
                crate.add_file(file, file.relative_to(ROOT).as_posix())
    return workflow


def _add_corpus(crate, manifest: Path):
    from rocrate.model.contextentity import ContextEntity

    facts = read_json(manifest, MANIFEST)
    values = [{"@type": "PropertyValue", "name": k, "value": v} for k, v in sorted(facts.items())]
    for value in values:
        value["@id"] = f"#{manifest.stem}-{value['name']}"
        crate.add(ContextEntity(crate, value["@id"], properties=value))
    properties = {
        "@type": "Dataset",
        "name": f"{manifest.stem} (not in the crate)",
        "additionalProperty": [{"@id": value["@id"]} for value in values],
    }
    return crate.add(ContextEntity(crate, f"#corpus-{manifest.stem}", properties=properties))


def _add_result(crate, file: Path):
    properties = {"sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "name": file.name}
    return crate.add_file(file, file.as_posix(), properties=properties)


def _add_run(crate, workflow, used: list, made: list) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    about = {"name": "run of the workflow", "endTime": now, "description": platform.platform()}
    crate.root_dataset["mentions"] = crate.add_action(
        workflow, identifier="#run", object=used, result=made, properties=about
    )
