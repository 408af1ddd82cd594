"""Exact neighbours beside those of an index of faiss: CPU time and recall.

    pip install faiss-cpu
    python benchmarks/neighbour_index.py --points 100000 --turns 3

Random points of ten clusters in 50 dimensions are searched for the 50 nearest others of each, on
one thread and by turns: by `ima.evaluation.neighbours`, which is exact; by faiss, exactly
(`IndexFlatL2`, single precision); and by an inverted file (`IndexIVFFlat`), which looks into some
of 400 cells. Recall is the share of the exact neighbours that are found.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import faiss
import numpy as np

from ima.evaluation.neighbours import neighbours

K, CELLS, DIMENSIONS = 50, 400, 50
PROBES = (8, 32, 64)


def main() -> None:
    """Print median CPU seconds, their ratio to the exact search, and recall."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    faiss.omp_set_num_threads(1)
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(10, DIMENSIONS))[rng.integers(0, 10, options.points)]
    z = (centres + rng.normal(size=centres.shape)).astype(np.float32)
    searches: dict[str, Callable[[], np.ndarray]] = {
        "ima": lambda: neighbours(z, K),
        "faiss, exact": lambda: found(faiss.IndexFlatL2(DIMENSIONS), z),
    }
    for probes in PROBES:
        searches[f"faiss, {probes} of {CELLS} cells"] = lambda probes=probes: in_cells(z, probes)
    seconds: dict[str, list[float]] = {name: [] for name in searches}
    results: dict[str, np.ndarray] = {}
    for _ in range(options.turns):
        for name, search in searches.items():
            start = time.process_time()
            results[name] = search()
            seconds[name].append(time.process_time() - start)
            pairs = zip(results["ima"][::100], results[name][::100], strict=True)
            recall = np.mean([np.isin(exact, those).mean() for exact, those in pairs])
            print(f"{name}: {seconds[name][-1]:.1f} CPU s, recall {recall:.4f}", flush=True)
    base = statistics.median(seconds["ima"])
    for name, values in seconds.items():
        print(f"{name}: median {statistics.median(values) / base:.2f} of ima's")


def found(index: faiss.Index, z: np.ndarray) -> np.ndarray:
    """Return the K nearest others (N, K) of each point, and itself, by an index to be filled."""
    index.add(z)
    return index.search(z, K + 1)[1]


def in_cells(z: np.ndarray, probes: int) -> np.ndarray:
    """Return what `found` does, by an inverted file that looks into some cells."""
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(DIMENSIONS), DIMENSIONS, CELLS)
    index.train(z[: 100 * CELLS])
    index.nprobe = probes
    return found(index, z)


if __name__ == "__main__":
    main()
