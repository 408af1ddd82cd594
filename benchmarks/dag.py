"""Time that Snakemake takes to plan a run of many jobs, next to a workflow of as many empty jobs.

    python benchmarks/dag.py
    python benchmarks/dag.py --jobs 2000 --turns 5 --config config/open.yaml

The config has as many seeds as it takes to plan at least `--jobs` jobs. The workflow of empty jobs
is a Snakefile of two rules: the part of the time that no workflow can change. Dry runs in empty
folders, by turns; wall-clock and CPU seconds, as medians.
"""

import argparse
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
#: As many jobs as `{n}`, without input, and one that needs them all.
EMPTY = """
rule all:
    input: expand("made/{{i}}", i=range({n}))
rule one:
    output: "made/{{i}}"
    shell: "touch {{output}}"
"""


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--config", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        arguments, jobs = grown(Path(folder), options)
        (Path(folder) / "Snakefile").write_text(EMPTY.format(n=jobs - 1))
        cases = {
            "this workflow": ["--snakefile", str(ROOT / "Snakefile"), *arguments],
            "empty jobs": [],
        }
        found: dict[str, list[tuple]] = {name: [] for name in cases}
        for _ in range(options.turns):
            for name, case in cases.items():
                *took, planned = dry_run(Path(folder), case)
                assert planned == jobs, (name, planned, jobs)
                found[name].append(took)
    for name, values in found.items():
        wall, cpu = map(statistics.median, zip(*values, strict=True))
        print(f"{name}: {jobs} jobs, {wall:.2f} s, {cpu:.2f} CPU s")


def grown(folder: Path, options: argparse.Namespace) -> tuple[list[str], int]:
    """Return the arguments of a run with enough seeds, and its number of jobs."""
    config = folder / "config.yaml"
    own = [str(options.config.resolve())] if options.config else []
    arguments = ["--configfile", *own, str(config)]

    def planned(seeds: int) -> int:
        """Return the number of jobs with so many seeds."""
        config.write_text(yaml.safe_dump({"seeds": list(range(seeds))}))
        return dry_run(folder, ["--snakefile", str(ROOT / "Snakefile"), *arguments])[2]

    few, more = planned(4), planned(8)
    seeds = 8 + max(0, -((more - options.jobs) * 4 // (more - few)))
    while (jobs := planned(seeds)) < options.jobs:
        seeds += 1
    print(f"{seeds} seeds, {few} jobs with 4")
    return arguments, jobs


def dry_run(folder: Path, arguments: list[str]) -> tuple[float, float, int]:
    """Return the seconds, the CPU seconds and the number of jobs of a dry run."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", "--cores", "1"]
    done = subprocess.run(
        [*command, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    took, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    jobs = re.findall(r"^total +(\d+)", done.stdout + done.stderr, re.M)
    return took, cpu, int(jobs[-1])


if __name__ == "__main__":
    main()
