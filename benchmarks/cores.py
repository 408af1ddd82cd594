"""Time that a measured run would take on other numbers of cores.

    python benchmarks/cores.py --configfile config/paper.yaml config/rehearsal.yaml
    python benchmarks/cores.py --configfile ... five_seeds.yaml --longer autoencoder=20 --shared

A dry run of Snakemake says which jobs there are, which need which, and how many threads each may
have; the run's `benchmark:` files say how long each took. The jobs are then placed on the cores:
each as soon as what it needs exists and its threads are free, those first on which the longest
chain of other jobs waits. Ask for the measured run's number of cores too, to compare the prediction
with the time that it took.

A job of a seed that was not measured takes as long as that of seed 0, and a job of several seeds as
many times as long. `--longer` multiplies the times of a rule's jobs, as by the ratio of epochs.
With `--shared`, for a machine that did other work too, a job takes no longer than its CPU time,
plus the 30 s that samples may lack, and threads share all of it.
"""

import argparse
import math
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ima.workflow.resources import measured

ROOT = Path(__file__).parents[1]
#: Seconds from the start of a job's process to that of its benchmark's clock.
START = 2.0
#: Seconds at the end of a job of which benchmark files may know nothing.
SAMPLED = 30.0
#: Seeds in the name of a job: `seed3`, `seeds0-1-2`.
SEEDS = re.compile(r"(?<=_)(seeds?)(\d+(?:-\d+)*)(?=[_.])")


@dataclass(frozen=True)
class Job:
    """A planned job: its rule, benchmark file, inputs, outputs and threads."""

    rule: str
    name: str
    needs: tuple[str, ...]
    makes: tuple[str, ...]
    threads: int


def main() -> None:
    """Predict what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configfile", nargs="+", default=[])
    parser.add_argument("--config", nargs="+", default=[])
    parser.add_argument("--measured-on", type=int, default=2, metavar="CORES")
    parser.add_argument("--cores", type=int, nargs="+", default=[2, 8, 64])
    parser.add_argument("--longer", nargs="+", default=[], metavar="RULE=FACTOR")
    parser.add_argument("--shared", action="store_true")
    options = parser.parse_args()
    jobs = planned(options)
    lacking = SAMPLED if options.shared else math.inf
    costs = costs_of(jobs, options.measured_on, lacking)
    longer = {rule: float(factor) for rule, _, factor in (x.partition("=") for x in options.longer)}
    if unknown := longer.keys() - {job.rule for job in jobs}:
        parser.error(f"no job of the rules {', '.join(sorted(unknown))} is planned")
    for cores in options.cores:
        threads = [min(job.threads, cores) for job in jobs]
        times = [
            START + longer.get(job.rule, 1) * (serial + shared / n)
            for job, n, (serial, shared) in zip(jobs, threads, costs, strict=True)
        ]
        plan = Schedule(jobs, threads, times, cores)
        print(f"{cores} cores: {max(plan.ends) / 60:.1f} min; of these, one after the other:")
        print("    " + ", ".join(f"{jobs[n].rule} {times[n] / 60:.1f}" for n in plan.last_chain()))


def planned(options: argparse.Namespace) -> list[Job]:
    """Return the jobs of the whole run, as a dry run prints them."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "-n"]
    command += ["--forceall", "--cores", str(max(options.cores))]
    for name in ("configfile", "config"):
        if given := getattr(options, name):
            command += [f"--{name}", *given]
    done = subprocess.run([*command, "--", "all"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    paragraphs = re.split(r"^\[.*\]$", done.stdout + done.stderr, flags=re.M)
    return [_job(text) for text in paragraphs if "\n    benchmark: " in text]


def _job(paragraph: str) -> Job:
    values = dict(re.findall(r"^    (\w+): (.*)$", paragraph, re.M))
    return Job(
        rule=re.search(r"^(?:local)?rule (\w+):$", paragraph, re.M)[1],
        name=values["benchmark"],
        needs=tuple(values.get("input", "").split(", ")),
        makes=tuple(values["output"].split(", ")),
        threads=int(values.get("threads", 1)),
    )


def costs_of(jobs: Sequence[Job], cores: int, lacking: float) -> list[tuple[float, float]]:
    """Return the seconds of each job that one thread takes, and those that its threads share.

    Args:
        jobs: the jobs.
        cores: number of cores on which they were measured.
        lacking: seconds by which a job's time may exceed its CPU time.
    """
    folder = Path(re.match(r".*?/benchmarks(?=/)", jobs[0].name)[0])
    rows = measured(folder, {job.rule for job in jobs})
    found = {f"{folder}/{row['job']}.tsv": row for _, row in rows}
    costs, missing = [], []
    for job in jobs:
        row, times = found.get(job.name), 1
        if row is None:
            row = found.get(SEEDS.sub(r"\g<1>0", job.name))
            times = max((len(seeds.split("-")) for _, seeds in SEEDS.findall(job.name)), default=1)
        if row is None:
            missing.append(job.name)
        else:
            parts = _parts(row, min(job.threads, cores), lacking)
            costs.append(tuple(times * part for part in parts))
    if missing:
        sys.exit(f"not measured: {', '.join(missing)}")
    return costs


def _parts(row: Mapping, threads: int, lacking: float) -> tuple[float, float]:
    """Split a time: wall-clock = serial + shared / threads, and CPU = serial + shared."""
    cpu = row["cpu_seconds"] or 0.0
    wall = min(row["seconds"], cpu + lacking)
    if threads == 1 or cpu <= wall:
        return wall, 0.0
    if lacking < math.inf:
        return 0.0, cpu
    shared = min(threads * wall, (cpu - wall) * threads / (threads - 1))
    return wall - shared / threads, shared


class Schedule:
    """Jobs placed on cores; `ends` has the second at which each ends."""

    def __init__(
        self, jobs: Sequence[Job], threads: Sequence[int], times: Sequence[float], cores: int
    ) -> None:
        self.times = times
        maker = {file: number for number, job in enumerate(jobs) for file in job.makes}
        #: By job, those that must end before it starts.
        self.needs = [{maker[file] for file in job.needs if file in maker} for job in jobs]
        self.ends = [0.0] * len(jobs)
        self._place(threads, cores)

    @cached_property
    def rest(self) -> list[float]:
        """By job, the seconds of the longest chain of jobs that begins with it."""
        waiting: list[list[int]] = [[] for _ in self.needs]
        for number, needs in enumerate(self.needs):
            for other in needs:
                waiting[other].append(number)
        known: dict[int, float] = {}

        def rest(number: int) -> float:
            if number not in known:
                known[number] = self.times[number] + max(map(rest, waiting[number]), default=0.0)
            return known[number]

        return [rest(number) for number in range(len(self.needs))]

    def _place(self, threads: Sequence[int], cores: int) -> None:
        waiting = sorted(range(len(self.needs)), key=lambda number: -self.rest[number])
        running: set[int] = set()
        done: set[int] = set()
        free, now = cores, 0.0
        while waiting or running:
            for number in [number for number in waiting if self.needs[number] <= done]:
                if threads[number] <= free:
                    free -= threads[number]
                    waiting.remove(number)
                    running.add(number)
                    self.ends[number] = now + self.times[number]
            first = min(running, key=self.ends.__getitem__)
            now = self.ends[first]
            free += threads[first]
            running.remove(first)
            done.add(first)

    def last_chain(self) -> list[int]:
        """Return the jobs that lead to the last one: of what each needs, the last to end."""
        chain = [max(range(len(self.ends)), key=self.ends.__getitem__)]
        while needs := self.needs[chain[-1]]:
            chain.append(max(needs, key=self.ends.__getitem__))
        return chain[::-1]


if __name__ == "__main__":
    main()
