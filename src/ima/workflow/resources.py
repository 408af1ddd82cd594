"""Time and memory used by the jobs of a run, from the rules' `benchmark:` files and logs."""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from ima.utils.errors import InputError
from ima.workflow import usage

#: One row per rule of a run. Times are in seconds, memory in MB (1e6 bytes); `mem_mb` is null if no
#: job of the rule lasted long enough to be measured.
RESOURCES = pa.schema(
    [
        *((name, pa.string()) for name in ("run", "stage", "rule")),
        ("jobs", pa.int32()),
        *((name, pa.float64()) for name in ("seconds", "seconds_longest", "cpu_seconds", "mem_mb")),
    ]
)
#: Our name of a measurement, its column in a benchmark file, and the unit there in ours: Snakemake
#: gives memory in MiB.
COLUMNS = (("seconds", "s", 1), ("cpu_seconds", "cpu_time", 1), ("mem_mb", "max_rss", 2**20 / 1e6))


def measured(
    folder: str | Path, rules: Iterable[str], values: Mapping[str, Collection[str]] | None = None
) -> Iterator[tuple[str, dict]]:
    """Yield the rule and the measurements of every job of a run.

    Args:
        folder: folder of the run's benchmark files, which are named `<rule>.tsv`,
            `<rule>_<wildcards>.tsv` or `<rule>/<wildcards>.tsv`. Logs of the same names are in the
            folder `logs` next to it.
        rules: names of the rules; files of other, former rules are ignored.
        values: of `latent`, `seed` and `seeds` (a batch such as `0-1-2`) in names of jobs, those of
            a config; jobs with others, which belong to earlier configs, are ignored.

    Yields:
        A rule's name, and its `seconds`, `cpu_seconds` and `mem_mb`, None if not measured; the name
        of the `job` and its `end`, in seconds since 1970. CPU seconds are those in the job's log,
        and memory is the larger of both: benchmark files have samples (`ima.workflow.usage`).

    Raises:
        InputError: a file is not a benchmark.
    """
    # Longest names first, so that `baseline_scores` is not taken for a job of `baseline`.
    names = sorted(rules, key=len, reverse=True)
    for path in sorted(Path(folder).glob("**/*.tsv")):
        job = path.relative_to(folder).as_posix().removesuffix(".tsv")
        rule = next((name for name in names if re.match(rf"{name}(_|$|/)", job)), None)
        if rule is None or not belongs_to_config(job, values or {}):
            continue
        with path.open(newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                try:
                    took = {name: _number(row[column], unit) for name, column, unit in COLUMNS}
                    if exact := usage.read(Path(folder).parent / "logs" / f"{job}.log"):
                        took["cpu_seconds"] = exact[0]
                        took["mem_mb"] = max(exact[1], took["mem_mb"] or 0)
                    yield rule, {**took, "job": job, "end": path.stat().st_mtime}
                except (KeyError, TypeError, ValueError) as error:
                    raise InputError(
                        path, expected="a Snakemake benchmark file", found=row, do="Delete it."
                    ) from error


def belongs_to_config(job: str, values: Mapping[str, Collection[str]]) -> bool:
    """Return whether a config has the latent size and the seeds in the name of a job."""
    named = re.findall(r"_(latent|seeds?)(\d[\d-]*)(?=_|$)", job)
    return all(value in values[name] for name, value in named if name in values)


def _number(text: str, unit: float) -> float | None:
    return None if text in ("-", "NA") else float(text) * unit


def total(jobs: Mapping[str, Mapping], names: Sequence[str]) -> dict[str, float]:
    """Return what jobs cost together: `seconds`, `cpu_seconds`, and the highest `mem_mb`.

    Args:
        jobs: measurements from `measured`, by the name of the job.
        names: names of the jobs. What was not measured of all of them is left out.
    """
    took = [jobs[name] for name in names if name in jobs]
    whole = {"seconds": sum, "cpu_seconds": sum, "mem_mb": max}
    known = {name: [job[name] for job in took] for name in whole}
    return {
        name: of(known[name])
        for name, of in whole.items()
        if len(took) == len(names) and None not in known[name]
    }


def resources(jobs: Iterable[tuple[str, Mapping]], stages: Mapping[str, str], run: str) -> pa.Table:
    """Return the resources used by each rule of a run as RESOURCES, in the order of `stages`.

    Args:
        jobs: results of `measured`.
        stages: stage of each rule.
        run: name of the run, for the first column.

    Raises:
        InputError: no job was measured.
    """
    by_rule: dict[str, list[Mapping]] = {}
    for rule, took in jobs:
        by_rule.setdefault(rule, []).append(took)
    if not by_rule:
        raise InputError(
            f"benchmarks of the run {run}",
            expected="at least one",
            found="none",
            do="Make the run's results first; use --forcerun to make them again.",
        )
    rows = [
        {"run": run, "stage": stage, "rule": rule, **_summary(by_rule[rule])}
        for rule, stage in stages.items()
        if rule in by_rule
    ]
    return pa.Table.from_pylist(rows, schema=RESOURCES)


def _summary(jobs: Sequence[Mapping]) -> dict[str, float | int | None]:
    def known(name: str) -> list[float]:
        """Return a measurement of all jobs that have it."""
        return [job[name] for job in jobs if job[name] is not None]

    return {
        "jobs": len(jobs),
        "seconds": sum(known("seconds")),
        "seconds_longest": max(known("seconds"), default=None),
        "cpu_seconds": sum(known("cpu_seconds")),
        "mem_mb": max(known("mem_mb"), default=None),
    }
