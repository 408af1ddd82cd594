"""A run as an RO-Crate: code, config, results, and the times of all jobs.

The crate follows the Workflow Run RO-Crate profiles (Process, Workflow and Provenance Run Crate,
version 0.5). Unlike a sidecar, it contains times and the name of the user who ran the workflow.
"""

import getpass
import hashlib
import json
import mimetypes
import platform
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import ima
from ima.utils.atomic_files import whole_file
from ima.utils.io import read_json
from ima.utils.values import portable
from ima.workflow.provenance import CODE, MANIFEST, ROOT, git, packages, revision
from ima.workflow.resources import measured

#: Profiles that a crate follows: name and version by address.
PROFILES = {
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
    **{
        f"https://w3id.org/ro/wfrun/{name.lower()}/0.5": (f"{name} Run Crate", "0.5")
        for name in ("Process", "Workflow", "Provenance")
    },
}
BIOSCHEMAS = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
#: Terms that RO-Crate's own context lacks.
TERMS = {
    name: f"https://w3id.org/ro/terms/workflow-run#{name}" for name in ("sha256", "resourceUsage")
}
#: Measurements of a job (`ima.workflow.resources.measured`): their units, by UN/CEFACT code.
UNITS = {"cpu_seconds": "SEC", "mem_mb": "4L"}
COMPLETED = "http://schema.org/CompletedActionStatus"


def write_crate(
    results: Iterable[str | Path],
    config: Mapping,
    corpora: Iterable[str | Path],
    benchmarks: str | Path,
    rules: Collection[str],
    path: str | Path,
    values: Mapping[str, Collection[str]] | None = None,
) -> None:
    """Write a run as an RO-Crate.

    Args:
        results: tables, sidecars and figures, by paths relative to the checkout.
        config: the whole config of the run.
        corpora: manifests of the corpora, named `<corpus>.json`; the corpora themselves are not
            included.
        benchmarks: folder of the jobs' benchmark files.
        rules: names of the rules.
        path: the crate, a zip file.
        values: those in names of jobs of the config, as `ima.workflow.resources.measured` has them.

    Raises:
        InputError: a manifest or a benchmark file cannot be read.
    """
    from rocrate.rocrate import ROCrate

    with tempfile.TemporaryDirectory() as folder:
        crate = ROCrate(version="1.1")  # that of the profiles
        _describe(crate, config["run"])
        workflow = _add_workflow(crate)
        settings = Path(folder, "config.json")
        settings.write_text(json.dumps(portable(config), indent=2) + "\n")
        used = [_add_file(crate, settings, "config.json", name="config of the run")]
        used += [_add_corpus(crate, Path(manifest)) for manifest in corpora]
        made = [_add_result(crate, Path(file)) for file in sorted(map(str, results))]
        for role, entities in (("input", used), ("output", made)):
            for entity in entities:
                _add_parameter(crate, workflow, role, entity)
        _add_runs(crate, workflow, used, made, list(measured(benchmarks, rules, values)))
        with whole_file(path) as temporary:
            archive = Path(crate.write_zip(Path(folder, "crate.zip")))
            temporary.write_bytes(archive.read_bytes())


def _describe(crate, run: str) -> None:
    """Set the name, licence and profiles of a crate."""
    crate.metadata.extra_terms.update(TERMS)
    crate.name = f"Importance-based Multimodal Autoencoder, run {run}"
    crate.description = "Tables and figures of a run, with the workflow that made them."
    crate.license = _add(
        crate,
        "https://spdx.org/licenses/Apache-2.0",
        "CreativeWork",
        name="Apache License 2.0",
        description="Licence of the code; corpora have their own.",
    )
    crate.root_dataset["conformsTo"] = [
        _add(crate, address, "CreativeWork", name=name, version=version)
        for address, (name, version) in PROFILES.items()
    ]


def _add(crate, identifier: str, kind: str, **properties):
    """Add an entity that is not a file, and return it."""
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))


def _add_values(crate, prefix: str, values: Mapping) -> list:
    """Add values by name, and return them."""
    return [
        _add(
            crate,
            f"#{prefix}-{name}",
            "PropertyValue",
            name=name,
            value=value,
            propertyID=name,
            **({"unitCode": UNITS[name]} if name in UNITS else {}),
        )
        for name, value in sorted(values.items())
        if value is not None
    ]


def _add_workflow(crate):
    """Add the code, file by file, with the Snakefile as the crate's main entity."""
    versions = packages(ROOT / "envs/requirements.lock")
    workflow = crate.add_workflow(
        ROOT / "Snakefile",
        "Snakefile",
        main=True,
        lang="snakemake",
        lang_version=versions["snakemake"],
        properties={
            "name": "IMA workflow",
            "version": ima.__version__,
            "encodingFormat": "text/plain",
            "conformsTo": {"@id": BIOSCHEMAS},
        },
    )
    facts = {**revision(ROOT), "python": platform.python_version()}
    workflow["additionalProperty"] = _add_values(crate, "code", facts)
    workflow["softwareRequirements"] = [
        _add(
            crate,
            f"pkg:pypi/{name.lower()}@{version}",
            "SoftwareApplication",
            name=name,
            softwareVersion=version,
            url=f"pkg:pypi/{name.lower()}",
        )
        for name, version in versions.items()
        if version
    ]
    for name in CODE[1:]:
        for file in sorted((ROOT / name).rglob("*")):
            if file.is_file() and not {"__pycache__", ".snakemake"} & set(file.parts):
                _add_file(crate, file, file.relative_to(ROOT).as_posix())
    return workflow


def _add_file(crate, file: Path, place: str, **properties):
    """Add a file at a path of the crate, and return it."""
    kind = mimetypes.guess_type(place)[0] or "text/plain"
    return crate.add_file(file, place, properties={"encodingFormat": kind, **properties})


def _add_corpus(crate, manifest: Path):
    facts = _add_values(crate, manifest.stem, read_json(manifest, MANIFEST))
    return _add(
        crate,
        f"#corpus-{manifest.stem}",
        "Dataset",
        name=f"{manifest.stem} (not in the crate)",
        additionalProperty=[{"@id": value.id} for value in facts],
    )


def _add_result(crate, file: Path):
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return _add_file(crate, file, file.as_posix(), name=file.name, sha256=digest)


def _add_parameter(crate, workflow, role: str, entity) -> None:
    """Add the formal parameter of the workflow whose value is a file or corpus."""
    parameter = crate.add_formal_parameter(
        entity.get("name"),
        "Dataset" if entity.type == "Dataset" else "File",
        f"#{role}-{entity.id.lstrip('#')}",
        properties={"workExample": {"@id": entity.id}},
    )
    entity["exampleOfWork"] = parameter
    workflow.append_to(role, parameter)


def _add_runs(crate, workflow, used: list, made: list, jobs: Sequence[tuple[str, Mapping]]) -> None:
    """Add the run of the workflow and of each job, with their times and who ran them."""
    who = _add(crate, "#agent", "Person", name=git(ROOT, "config", "user.name") or _login())
    times = [(job["end"] - job["seconds"], job["end"]) for _, job in jobs if job["seconds"]]
    starts, ends = zip(*times, strict=True) if times else ((), (datetime.now(UTC).timestamp(),))
    about = {"agent": who, "actionStatus": COMPLETED}
    run = crate.add_action(
        workflow,
        identifier="#run",
        object=used,
        result=made,
        properties={
            **about,
            "name": "run of the workflow",
            "description": f"snakemake on {platform.platform()}, {len(jobs)} jobs",
            "endTime": _iso(max(ends)),
            **({"startTime": _iso(min(starts))} if starts else {}),
        },
    )
    actions = [_add_job(crate, workflow, about, *job, n) for n, job in enumerate(jobs)]
    crate.root_dataset["mentions"] = [run, *actions]


def _add_job(crate, workflow, about: Mapping, rule: str, job: Mapping, number: int):
    """Add the run of a job, whose tool is its rule."""
    tool = crate.get(f"#rule-{rule}")
    if tool is None:
        tool = _add(crate, f"#rule-{rule}", "SoftwareSourceCode", name=f"rule {rule}")
        tool["version"] = ima.__version__
        workflow.append_to("hasPart", tool)
    start = {"startTime": _iso(job["end"] - job["seconds"])} if job["seconds"] else {}
    usage = _add_values(crate, f"job-{number}", {name: job[name] for name in UNITS})
    return crate.add_action(
        tool,
        identifier=f"#job-{number}",
        properties={
            **about,
            "name": job["job"],
            "description": f"job of rule {rule}",
            "endTime": _iso(job["end"]),
            **({"resourceUsage": [{"@id": value.id} for value in usage]} if usage else {}),
            **start,
        },
    )


def _iso(seconds: float) -> str:
    """Return a time in seconds since 1970 in ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _login() -> str:
    """Return the user's login name; `unknown` on machines without one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
