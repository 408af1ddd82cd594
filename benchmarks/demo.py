"""CPU time of the demo: from nothing, if all is up to date, and of its training's products alone.

    python benchmarks/demo.py from-nothing
    python benchmarks/demo.py up-to-date CHECKOUT ... --turns 5
    python benchmarks/demo.py products

`from-nothing` makes the target in a new folder. `up-to-date` starts Snakemake in checkouts in which
the target is up to date, by turns, and in a folder whose only rule is up to date: the part that no
workflow can change. It prints medians, and ratios to the first checkout. `products` counts the
floating-point operations of training all autoencoders and baselines of `config/config.yaml`, and
divides them by the speed of a product of the size of the demo's batches, on one thread.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.baselines import baseline
from ima.models.baselines.seeds import fit_seeds
from ima.models.ima import Autoencoder, Modality

ROOT = Path(__file__).parents[1]
DIMENSIONS = {"image": 784, "speech": 696}
ONE_RULE = 'rule all:\n    output: "made"\n    shell: "touch {output}"\n'


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["from-nothing", "up-to-date", "products"])
    parser.add_argument("checkouts", nargs="*", type=Path, default=[ROOT])
    parser.add_argument("--target", default="results/tables/table1.csv")
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    if options.what == "products":
        products(yaml.safe_load((ROOT / "config/config.yaml").read_text()))
    elif options.what == "up-to-date":
        up_to_date(options.checkouts, options.target, options.turns)
    else:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            cpu = snakemake(ROOT, options.target, "--directory", folder)
            print(f"{options.target}: {cpu:.0f} CPU s, {time.perf_counter() - start:.0f} s")


def snakemake(folder: Path, *arguments: str) -> float:
    """Return the CPU seconds of Snakemake and its jobs on two cores, started in a folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def up_to_date(checkouts: list[Path], target: str, turns: int) -> None:
    """Print the median CPU seconds of starts that find everything up to date."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Snakefile").write_text(ONE_RULE)
        cases = {str(path): (path, target) for path in checkouts} | {"one rule": (folder,)}
        for case in cases.values():
            snakemake(*case)  # compiles the sources, and makes what is missing
        found = {name: [] for name in cases}
        for _ in range(turns):
            for name, case in cases.items():
                found[name].append(snakemake(*case))
    medians = {name: statistics.median(values) for name, values in found.items()}
    for name, seconds in medians.items():
        print(f"{name}: {seconds:.2f} CPU s, {seconds / medians[str(checkouts[0])]:.2f}")


def products(config: dict) -> None:
    """Print the operations of all trainings, and the least CPU seconds that they take."""
    pairs = round(config["pairs"]["train"] * (1 + config["pairs"]["R"]))
    total = 0.0
    for latent in config["latents"]:
        epochs = config["autoencoder"]["by_latent"].get(str(latent), config["autoencoder"])[
            "epochs"
        ]
        for name in config["variants"]:
            objective = config["ima"][name]["autoencoder"]["objective"]
            total += operations(config, latent, objective) * pairs * epochs * len(config["seeds"])
        for own in config["baselines"]["models"].values():
            seeds = config["baselines"]["seeds"]
            total += operations(config, latent, own["kind"]) * pairs * epochs * len(seeds)
    torch.set_num_threads(1)
    batch = config["autoencoder"]["batch_size"]
    a, b = torch.rand(batch, DIMENSIONS["image"]), torch.rand(DIMENSIONS["image"], 500)
    start = time.process_time()
    for _ in range(1000):
        a @ b
    speed = 1000 * 2 * a.numel() * b.shape[1] / (time.process_time() - start)
    print(f"{total / 1e12:.1f}e12 operations, {speed / 1e9:.0f}e9 per s: {total / speed:.0f} CPU s")


def operations(config: dict, latent: int, name: str) -> float:
    """Return the operations per pair of a training step of an objective of IMA or a baseline."""
    layers = {
        m: Modality(DIMENSIONS[m], config["model"][m]["hidden"], "bce", "tanh") for m in DIMENSIONS
    }
    batch = config["autoencoder"]["batch_size"]
    x = {m: torch.rand(batch, width) for m, width in DIMENSIONS.items()}
    pairs = {m: torch.arange(batch) for m in x}
    budget = {"epochs": 1, "batch_size": batch}
    with FlopCounterMode(display=False) as counter:
        if name in config["baselines"]["models"]:
            settings = baseline(name).settings(**budget)
            fit_seeds(name, layers, latent, settings, x, pairs, None, [0])
        else:
            model = Autoencoder(layers, latent)
            fit_autoencoder(model, x, pairs, Stage1(objective=name, **budget), 0)
    return counter.get_total_flops() / batch


if __name__ == "__main__":
    main()
