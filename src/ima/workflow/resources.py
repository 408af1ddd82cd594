"""What the jobs of a run took, from the files that the rules' `benchmark:` writes."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from ima.utils.errors import InputError

#: A rule of a run. Times in seconds, memory in MB (1e6 bytes); `mem_mb` is null where no job of it
#: lasted until it was measured.
RESOURCES = pa.schema(
    [
        *((name, pa.string()) for name in ("run", "stage", "rule")),
        ("jobs", pa.int32()),
        *((name, pa.float64()) for name in ("seconds", "seconds_longest", "cpu_seconds", "mem_mb")),
    ]
)


def measured(folder: str | Path, rules: Iterable[str]) -> Iterator[tuple[str, dict]]:
    """Yield the rule and the measurements of every job of a run.

    Args:
        folder: of the run's benchmarks; one is `<rule>.tsv`, `<rule>_<wildcards>.tsv` or
            `<rule>/<wildcards>.tsv`.
        rules: names; a file of none of them is left out, for it is of a rule that is no more.

    Yields:
        A rule's name, and its `seconds`, `cpu_seconds` and `mem_mb`, None where not measured.

    Raises:
        InputError: a file that is not a benchmark.
    """
    # The longest first: `baseline_scores` is no job of `baseline`.
    names = sorted(rules, key=len, reverse=True)
    for path in sorted(Path(folder).glob("**/*.tsv")):
        job = path.relative_to(folder).as_posix().removesuffix(".tsv")
        rule = next((name for name in names if re.match(rf"{name}(_|$|/)", job)), None)
        if rule is None:
            continue
        with path.open(newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                try:
                    columns = {"seconds": "s", "cpu_seconds": "cpu_time", "mem_mb": "max_rss"}
                    yield rule, {name: _number(row[column]) for name, column in columns.items()}
                except (KeyError, TypeError, ValueError) as error:
                    raise InputError(
                        path, expected="a benchmark of Snakemake", found=row, do="Delete it."
                    ) from error


def _number(text: str) -> float | None:
    return None if text in ("-", "NA") else float(text)


def resources(jobs: Iterable[tuple[str, Mapping]], stages: Mapping[str, str], run: str) -> pa.Table:
    """Return what each rule of a run took, in the order of `stages`, as RESOURCES.

    Args:
        jobs: of `measured`.
        stages: by rule, the stage it is of.
        run: name of the run, for the first column.

    Raises:
        InputError: no job was measured.
    """
    found: dict[str, list[Mapping]] = {}
    for rule, took in jobs:
        found.setdefault(rule, []).append(took)
    if not found:
        raise InputError(
            f"benchmarks of the run {run}",
            expected="one at least",
            found="none",
            do="Make the run's results first; --forcerun makes them again.",
        )
    rows = [
        {"run": run, "stage": stage, "rule": rule, **_summary(found[rule])}
        for rule, stage in stages.items()
        if rule in found
    ]
    return pa.Table.from_pylist(rows, schema=RESOURCES)


def _summary(jobs: Sequence[Mapping]) -> dict[str, float | int | None]:
    def known(name: str) -> list[float]:
        """Return a measure of every job that has it."""
        return [job[name] for job in jobs if job[name] is not None]

    return {
        "jobs": len(jobs),
        "seconds": sum(known("seconds")),
        "seconds_longest": max(known("seconds"), default=None),
        "cpu_seconds": sum(known("cpu_seconds")),
        "mem_mb": max(known("mem_mb"), default=None),
    }
