"""Time the importance networks of a sweep over rho: all at once and one pair after another.

    OMP_NUM_THREADS=1 python benchmarks/rho_sweep.py [--copies 19] [--pairs 10000] [--turns 3]

The script measures CPU seconds of `ima.models.importance.fit_importance` on one thread, at the
paper's sizes on random data: for one pair of networks (image and speech, one rho), for as many such
pairs one after another as the sweep has copies, and for all of them stacked. They alternate, and
medians of each turn's ratios are printed. The goal for the stack is 3 times one pair. The limiting
factor is printed too: the products with the first layer's weights alone (forward and for the
gradient), whose number stacking does not reduce.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from ima.models.ima import IMANetwork, Modality
from ima.models.importance import Stage2, fit_importance

GOAL = 3.0
MODALITIES = {"image": Modality(784, 500), "speech": Modality(696, 100)}
LATENT, HIDDEN = 50, 100


def main() -> int:
    """Print the timings; return 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--copies", type=int, default=19)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--objective", default="ima+")
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x = {name: torch.rand(options.items, m.dimension) for name, m in MODALITIES.items()}
    items = {name: torch.randint(options.items, (options.pairs,)) for name in x}
    settings = Stage2(options.objective, restarts=1, steps=options.steps, batch_size=options.batch)
    grid = [(i + 1) / (options.copies + 1) for i in range(options.copies)]

    def fit(rho: list[float]) -> float:
        model = IMANetwork.of(MODALITIES, LATENT, HIDDEN, dict.fromkeys(x, rho))
        return cpu(lambda: fit_importance(model, x, items, dict.fromkeys(x, rho), settings, 0))

    fit(grid[:1])  # warm-up: work done once per process
    turns = []
    for _ in range(options.turns):
        alone = [fit([rho]) for rho in grid]
        turns.append((statistics.median(alone), sum(alone), fit(grid), products(x, options)))
    pair, one_by_one, stacked, floor = (statistics.median(c) for c in zip(*turns, strict=True))
    against_pair = statistics.median(turn[2] / turn[0] for turn in turns)
    against_all = statistics.median(turn[1] / turn[2] for turn in turns)
    print(f"one pair of networks          {pair:7.2f} CPU s")
    print(f"{options.copies} pairs one after another    {one_by_one:7.2f} CPU s")
    print(f"{options.copies} pairs at once              {stacked:7.2f} CPU s")
    print(f"at once / one pair            {against_pair:7.2f} (goal {GOAL:g})")
    print(f"one after another / at once   {against_all:7.2f}")
    print(f"first layers' products alone  {floor:7.2f} CPU s, {floor / pair:.2f} times one pair")
    return int(against_pair > GOAL)


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of a function call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def products(x: dict[str, torch.Tensor], options: argparse.Namespace) -> float:
    """Return the CPU seconds of the sweep's first layers as bare matrix products."""
    steps = options.steps
    spent = 0.0
    for values in x.values():
        batch = values[: options.batch]
        weights = torch.rand(values.shape[1], options.copies * HIDDEN)
        gradient = torch.rand(options.batch, options.copies * HIDDEN)
        spent += (
            cpu(lambda b=batch, w=weights, g=gradient: [(b @ w, b.T @ g) for _ in range(4)]) / 4
        )
    return steps * spent


if __name__ == "__main__":
    raise SystemExit(main())
