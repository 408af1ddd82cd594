"""A crate of two results and three jobs: its profiles, times, agent and software."""

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from ima import __version__
from ima.utils.errors import InputError
from ima.workflow import crate as crates
from ima.workflow.provenance import git

HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
#: Jobs: seconds, memory in MB, CPU seconds, and the end in seconds since 1970.
JOBS = {
    "table1": ("60.0", "100.5", "55.0", 1_000_060),
    "scores_latent2_seed0": ("30.0", "80", "29.0", 1_000_000),
    "scores_latent2_seed1": ("10.0", "-", "NA", 999_990),
}
PROFILES = ("process", "workflow", "provenance")
RESULTS = ("results/tables/table1.csv", "results/tables/table1.provenance.json")


def benchmark(path: Path, seconds: str, memory: str, cpu: str, end: float) -> None:
    row = [seconds, "0:00:00", memory, "1", "1", "1", "0", "0", "90", cpu]
    path.write_text(HEAD + "\t".join(row) + "\n")
    os.utime(path, (end, end))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A crate."""
    folder = tmp_path_factory.mktemp("crate")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # The whole source has hundreds of files, which the crate's test of a run includes.
        patch.setattr(crates, "CODE", ("Snakefile", "rules"))
        for file in RESULTS:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).write_text("{}\n")
        Path("mnist.json").write_text(json.dumps({"bytes": 7, "files": 2, "sha256": "0" * 64}))
        Path("benchmarks").mkdir()
        for name, job in JOBS.items():
            benchmark(Path("benchmarks", f"{name}.tsv"), *job)
        crates.write_crate(
            *(RESULTS, {"run": "toy", "seeds": [0]}, ["mnist.json"]),
            *("benchmarks", ("table1", "scores"), "crate.zip"),
        )
    return folder / "crate.zip"


@pytest.fixture(scope="module")
def entities(made) -> dict[str, dict]:
    with zipfile.ZipFile(made) as file:
        metadata = json.loads(file.read("ro-crate-metadata.json"))
    return {entity["@id"]: entity for entity in metadata["@graph"]}


def ids(value) -> list[str]:
    return [one["@id"] for one in (value if isinstance(value, list) else [value])]


def test_it_follows_the_workflow_run_profiles(entities):
    root = entities["./"]
    assert ids(root["conformsTo"]) == [
        "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
        *(
            f"https://w3id.org/ro/wfrun/{name}/0.5"
            for name in ("process", "workflow", "provenance")
        ),
    ]
    assert all(entities[of]["@type"] == "CreativeWork" for of in ids(root["conformsTo"]))
    assert ids(root["mentions"]) == ["#run", "#job-0", "#job-1", "#job-2"]


def test_a_run_lasts_from_its_first_to_its_last_job(entities):
    run = entities["#run"]
    assert run["startTime"] == "1970-01-12T13:46:10+00:00"  # 999,970 s: 1,000,000 - 30
    assert run["endTime"] == "1970-01-12T13:47:40+00:00"  # 1,000,060 s
    assert run["actionStatus"] == "http://schema.org/CompletedActionStatus"
    assert ids(run["instrument"]) == ["Snakefile"] and ids(run["result"]) == [*RESULTS]
    assert ids(run["object"]) == ["config.json", "#corpus-mnist"]
    agent = entities[run["agent"]["@id"]]
    assert agent["@type"] == "Person" and agent["name"]


def test_jobs_have_a_rule_a_time_and_what_they_used(entities):
    jobs = {entities[f"#job-{n}"]["name"]: entities[f"#job-{n}"] for n in range(3)}
    assert set(jobs) == set(JOBS)
    assert ids(jobs["scores_latent2_seed1"]["instrument"]) == ["#rule-scores"]
    job = jobs["table1"]
    assert (job["startTime"], job["endTime"]) == (
        "1970-01-12T13:46:40+00:00",
        "1970-01-12T13:47:40+00:00",
    )
    used = [entities[of] for of in ids(job["resourceUsage"])]
    assert [(of["propertyID"], of["value"], of["unitCode"]) for of in used] == [
        ("cpu_seconds", 55.0, "SEC"),
        ("mem_mb", 100.5 * 1.048576, "4L"),
    ]
    assert "resourceUsage" not in jobs["scores_latent2_seed1"]  # not measured
    assert ids(entities["Snakefile"]["hasPart"]) == ["#rule-scores", "#rule-table1"]


def test_inputs_outputs_and_software_are_described(entities):
    workflow = entities["Snakefile"]
    assert workflow["version"] == __version__
    for role, kinds in (("input", ["File", "Dataset"]), ("output", ["File", "File"])):
        parameters = [entities[of] for of in ids(workflow[role])]
        assert [of["additionalType"] for of in parameters] == kinds
        for of in parameters:
            (example,) = ids(of["workExample"])
            assert ids(entities[example]["exampleOfWork"]) == [of["@id"]]
    software = {entities[of]["name"]: entities[of] for of in ids(workflow["softwareRequirements"])}
    assert {"torch", "numpy", "snakemake"} <= set(software)
    assert software["numpy"]["softwareVersion"] in software["numpy"]["@id"]


def test_a_file_that_is_no_benchmark_stops_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(crates, "CODE", ("Snakefile",))
    Path("b").mkdir()
    Path("b/table1.tsv").write_text("a\n1\n")
    with pytest.raises(InputError, match="expected a Snakemake benchmark file"):
        crates.write_crate((), {"run": "toy"}, (), "b", ("table1",), "crate.zip")
    assert not Path("crate.zip").exists()


def test_git_fails_quietly_outside_a_repository(tmp_path):
    assert git(tmp_path, "rev-parse", "HEAD") is None


@pytest.mark.parametrize(
    "profile",
    ["workflow-ro-crate", "process-run-crate", "workflow-run-crate", "provenance-run-crate"],
)
def test_the_validator_accepts_it(made, profile):
    """Offline: the validator needs RO-Crate's context in its cache (`cache warm`)."""
    if shutil.which("rocrate-validator") is None:
        pytest.skip("roc-validator is not installed")
    command = ["rocrate-validator", "-y", "--disable-color", "validate", "--offline", "--no-paging"]
    done = subprocess.run(
        [*command, "--verbose", "-p", profile, str(made)], capture_output=True, text=True
    )
    said = " ".join(f"{done.stdout} {done.stderr}".split())
    if "is not available in the HTTP cache" in said:
        pytest.skip("roc-validator has no RO-Crate context in its cache: cache warm --all-profiles")
    assert done.returncode == 0 and f"is a valid {profile}" in said, said
