"""Time of the exact search behind Precision@K relative to scikit-learn's brute-force search.

    OMP_NUM_THREADS=1 python benchmarks/precision_at_k.py [--sizes 11000 30000] [--turns 5]

The script measures CPU seconds on one thread, on random representations in single precision, as
trained models give them: of `ima.evaluation.neighbours.neighbours`, of
`sklearn.neighbors.NearestNeighbors(algorithm="brute")`, and of the search for both choices of
neighbours at once, all and those that share no item, with items in three pairs on average. They
alternate, and medians are printed. The goal is a ratio of at most 1.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from ima.evaluation.neighbours import neighbours, neighbours_by_choice

GOAL = 1.0


def main() -> int:
    """Print the timings; return 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[11_000, 30_000])
    parser.add_argument("--latent", type=int, default=50)
    parser.add_argument("--k", type=int, default=50)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    with threadpool_limits(1):
        ratios = [compare(n, options) for n in options.sizes]
    print(f"goal: at most {GOAL:.2f} of scikit-learn's time")
    return int(max(ratios) > GOAL)


def compare(n: int, options: argparse.Namespace) -> float:
    """Print CPU seconds at one size, and return the ratio to scikit-learn."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(n, options.latent)).astype(np.float32)
    items = [rng.integers(0, n // 3, n) for _ in range(2)]
    sklearn = NearestNeighbors(n_neighbors=options.k, algorithm="brute").fit(z)
    ways = {
        "scikit-learn": lambda: sklearn.kneighbors(return_distance=False),
        "all others": lambda: neighbours(z, options.k),
        "both choices": lambda: neighbours_by_choice(z, options.k, items),
    }
    turns = [{name: cpu(way) for name, way in ways.items()} for _ in range(options.turns)]
    print(f"{n} x {options.latent}, K = {options.k}")
    ratios = {}
    for name in ways:
        ratios[name] = statistics.median(turn[name] / turn["scikit-learn"] for turn in turns)
        seconds = statistics.median(turn[name] for turn in turns)
        print(f"  {name:12} {seconds:7.2f} CPU s, {ratios[name]:.2f} of scikit-learn's")
    agree = (neighbours(z, options.k) == ways["scikit-learn"]()).mean()
    print(f"  {agree:.4%} of the neighbours and their order are scikit-learn's")
    return ratios["all others"]


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    raise SystemExit(main())
