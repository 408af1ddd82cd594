"""Resource requests of the rules on a cluster, from the `benchmark:` files of local runs.

    python benchmarks/resources.py
    python benchmarks/resources.py results OTHER/results --longer rehearsal:emotion_baseline=30

The script writes profiles/slurm/measured.csv, the maximum memory and time of any job of each rule
in any run of the folders of results, and from it `set-resources` in profiles/slurm/config.yaml.
Rules that have not been run there keep their previous measurements. `--longer` multiplies the times
of a rule in a run that was shortened, by the ratio of epochs and seeds.
"""

import argparse
import csv
import math
import re
from pathlib import Path

from ima.workflow.resources import measured

ROOT = Path(__file__).parents[1]
PROFILE = ROOT / "profiles/slurm/config.yaml"
MEASURED = ROOT / "profiles/slurm/measured.csv"
COLUMNS = ("rule", "jobs", "seconds", "mem_mb", "runs")
#: Memory (MB) of the Snakemake process that SLURM starts for a job, and of its child in a job step.
OVERHEAD_MB = 400
BEGIN, END = "  # measured: begin\n", "  # measured: end\n"


def main() -> None:
    """Measure, then write the table and the profile."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="*", default=[ROOT / "results"])
    parser.add_argument("--longer", nargs="+", default=[], metavar="RUN:RULE=FACTOR")
    options = parser.parse_args()
    longer = {job: float(factor) for job, _, factor in (x.partition("=") for x in options.longer)}
    rules = {name: row for row in read(MEASURED) for name in [row["rule"]]}
    rules |= measure(options.results, names_of_rules(), longer)
    with MEASURED.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rules[name] for name in sorted(rules))
    text = PROFILE.read_text()
    before, after = text[: text.index(BEGIN)], text[text.index(END) :]
    PROFILE.write_text(before + BEGIN + "".join(request(rules[n]) for n in sorted(rules)) + after)


def read(path: Path) -> list[dict]:
    """Return the rows of the table, or none if it does not exist."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def names_of_rules() -> list[str]:
    """Return the names of all rules."""
    text = "".join(file.read_text() for file in (ROOT / "rules").glob("*.smk"))
    return sorted(re.findall(r"^ *rule (\w+):", text, re.M))


def measure(results: list[Path], rules: list[str], longer: dict[str, float]) -> dict[str, dict]:
    """Return, by rule, the maximum resources used by one of its jobs.

    Args:
        results: folders with one folder per run, each with `benchmarks/`.
        rules: names of the rules.
        longer: factors of time by `<run>:<rule>`.
    """
    found: dict[str, list[tuple[float, float, str]]] = {}
    for folder in sorted(folder for of in results for folder in of.glob("*/benchmarks")):
        run = folder.parent.name
        for rule, took in measured(folder, rules):
            seconds = took["seconds"] * longer.get(f"{run}:{rule}", 1)
            found.setdefault(rule, []).append((seconds, took["mem_mb"] or 0.0, run))
    return {
        rule: {
            "rule": rule,
            "jobs": len(rows),
            "seconds": round(max(seconds for seconds, _, _ in rows), 1),
            "mem_mb": round(max(memory for _, memory, _ in rows)),
            "runs": " ".join(sorted({run for _, _, run in rows})),
        }
        for rule, rows in found.items()
    }


def request(row: dict) -> str:
    """Return a rule's line of the profile: memory x 1.5 plus overhead, time x 4, 10 min or more."""
    memory = math.ceil((1.5 * float(row["mem_mb"]) + OVERHEAD_MB) / 100) * 100
    minutes = max(10, math.ceil(4 * float(row["seconds"]) / 60))
    values = f"mem_mb: {memory} * attempt, runtime: {minutes} * attempt"
    return f"  {row['rule']}: {{{values}}}\n"


if __name__ == "__main__":
    main()
