"""A small demo on a real SLURM of one node, with the profile's groups and without.

    python tests/slurm/cluster.py install            # as root: Debian's packages
    python -m benchmarks.slurm_groups --turns 2

Each turn runs the workflow from raw corpora to Table 1 twice, as profiles/slurm submits it and with
a submission per job, and prints seconds and submissions.
"""

import argparse
import re
import statistics
import tempfile
import time
from pathlib import Path

import yaml
from tests.checkout import ROOT, Checkout
from tests.slurm import cluster


def main() -> None:
    """Print what each run took, and medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--target", default="results/tables/table1.csv")
    options = parser.parse_args()
    given = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text()) | cluster.SITE
    alone = {key: value for key, value in given.items() if not key.startswith("group")}
    seconds: dict[str, list[float]] = {"groups": [], "no groups": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cluster.start(folder / "slurm", cpus=4)
        try:
            for turn in range(options.turns):
                for which, profile in zip(seconds, (given, alone), strict=True):
                    place = folder / f"{which} {turn}".replace(" ", "-")
                    seconds[which].append(run(place, profile, options.target, folder / "slurm"))
        finally:
            cluster.stop(folder / "slurm")
    for which, values in seconds.items():
        print(f"{which}: median {statistics.median(values):.0f} s")


def run(folder: Path, profile: dict, target: str, slurm: Path) -> float:
    """Run the workflow in a new checkout, print what it took, and return the seconds."""
    checkout = Checkout(folder)
    (folder / "profiles/site").mkdir()
    (folder / "profiles/site/config.yaml").write_text(yaml.safe_dump(profile))
    found = cluster.environment(slurm)
    environment = {name: found[name] for name in ("SLURM_CONF", "PATH")}
    start = time.perf_counter()
    done = checkout.snakemake(target, "--workflow-profile", "site", "--jobs", "8", **environment)
    took = time.perf_counter() - start
    submitted = set(re.findall(r"has been submitted with SLURM jobid (\d+)", done.stderr))
    print(f"{folder.name}: {took:.0f} s, {len(submitted)} submissions", flush=True)
    return took


if __name__ == "__main__":
    main()
