"""Compare the time of `ima.evaluation.tsne.embed` with that of openTSNE with the same settings.

    OMP_NUM_THREADS=1 python benchmarks/tsne.py [--points 5000] [--turns 3]

CPU seconds are measured on one thread; the two alternate, and the median of the turns' ratios is
printed. The goal is a ratio of at most 1.1: checks and conversion should cost nothing. The
coordinates must be identical to the last bit.
"""

import argparse
import statistics
import time

import numpy as np
from openTSNE import TSNE
from sklearn.datasets import make_blobs

from ima.evaluation.tsne import embed

GOAL = 1.1
PERPLEXITY, THETA = 10, 0.5


def main() -> int:
    """Print the timings; return 1 if the goal is missed or the coordinates differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=5_000)
    parser.add_argument("--dimensions", type=int, default=50)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    x, _ = make_blobs(options.points, options.dimensions, centers=10, random_state=0)
    x = x.astype(np.float32)
    bare(x[:200]), embed(x[:200], PERPLEXITY, THETA, 0)  # warm-up: work done once per process
    ratios, same = [], True
    for turn in range(options.turns):
        start = time.process_time()
        theirs = bare(x)
        middle = time.process_time()
        ours = embed(x, PERPLEXITY, THETA, 0)
        end = time.process_time()
        ratios.append((end - middle) / (middle - start))
        same &= np.array_equal(ours, theirs.astype(np.float32))
        print(f"turn {turn + 1}: openTSNE {middle - start:.2f} CPU s, ima {end - middle:.2f} CPU s")
    ratio = statistics.median(ratios)
    print(f"ima / openTSNE {ratio:.3f} (goal {GOAL}); coordinates {'' if same else 'not '}the same")
    return int(ratio > GOAL or not same)


def bare(x: np.ndarray) -> np.ndarray:
    """Return the coordinates computed by openTSNE itself."""
    tsne = TSNE(
        perplexity=PERPLEXITY,
        theta=THETA,
        negative_gradient_method="bh",
        neighbors="exact",
        initialization="pca",
        random_state=0,
        n_jobs=1,
    )
    return np.asarray(tsne.fit(x))


if __name__ == "__main__":
    raise SystemExit(main())
