"""Efficiency of stage 1 relative to its bare matrix products, at batch sizes of 64 and 256.

    OMP_NUM_THREADS=1 python benchmarks/stage1_speed.py [--objective paper] [--pairs 10240]
        [--turns 5] [--latent 50]

The script compares the CPU seconds of an epoch of `ima.models.autoencoder.fit_autoencoder`, on one
thread and at the paper's sizes on random data, with those of its matrix products alone (`torch.mm`
of the same shapes, forward and backward), and with the same number of multiply-adds at the rate of
large square products. They alternate in one run, and medians are printed. The goals are that the
products alone take 80 % of the time at a batch size of 256, and 65 % at 64.
"""

import argparse
import statistics
import time

import torch

from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.ima import Autoencoder, Modality

GOALS = {64: 0.65, 256: 0.8}
MODALITIES = {"image": Modality(784, 500), "speech": Modality(696, 100)}
SQUARE = 1024


def main() -> int:
    """Print the timings; return 1 if the a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=10_240)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--latent", type=int, default=50)
    parser.add_argument("--objective", choices=["ima+", "paper"], default="ima+")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    x = {name: torch.rand(4000, m.dimension) for name, m in MODALITIES.items()}
    items = {name: torch.randint(4000, (options.pairs,)) for name in x}
    shares = {}
    for batch in GOALS:
        turns = [turn(x, items, batch, options) for _ in range(options.turns + 1)][1:]
        epoch, products, square = (statistics.median(c) for c in zip(*turns, strict=True))
        shares[batch] = statistics.median(turn[1] / turn[0] for turn in turns)
        of_square = statistics.median(turn[2] / turn[0] for turn in turns)
        print(f"batch {batch}: {options.pairs / epoch:7.0f} pairs per CPU second")
        print(
            f"  an epoch {epoch:.3f} CPU s; its products alone {products:.3f}, {shares[batch]:.0%}"
        )
        print(f"  at the rate of {SQUARE} x {SQUARE} products {square:.3f}, {of_square:.0%}")
    print("goals:", ", ".join(f"{goal:.0%} at {batch}" for batch, goal in GOALS.items()))
    return int(any(shares[batch] < goal for batch, goal in GOALS.items()))


def turn(x, items, batch: int, options) -> tuple[float, float, float]:
    """Return CPU seconds of an epoch, of its products alone, and at the rate of square products."""
    model = Autoencoder(MODALITIES, options.latent)
    start = time.process_time()
    settings = Stage1(epochs=1, batch_size=batch, objective=options.objective)
    fit_autoencoder(model, x, items, settings, 0)
    epoch = time.process_time() - start
    steps = options.pairs // batch
    shapes = list(products(batch, options.latent, options.objective))
    factors = [(torch.rand(n, k), torch.rand(k, m)) for n, k, m in shapes]
    start = time.process_time()
    for _ in range(steps):
        for a, b in factors:
            a @ b
    alone = time.process_time() - start
    a, b = torch.rand(2, SQUARE, SQUARE)
    start = time.process_time()
    for _ in range(4):
        a @ b
    rate = 4 * SQUARE**3 / (time.process_time() - start)
    return epoch, alone, steps * sum(n * k * m for n, k, m in shapes) / rate


def products(batch: int, latent: int, objective: str):
    """Yield the shapes (n, k, m) of a step's products: one forward and two backward per layer."""
    for modality in MODALITIES.values():
        d, h = modality.dimension, modality.hidden
        encoder = [(batch, wide, narrow) for wide, narrow in ((d, h), (h, h), (h, latent))]
        # Eq. 2 decodes z; our objective decodes u and z, in one batch of twice the size.
        rows = batch * (1 + (objective == "ima+"))
        decoder = [(rows, wide, narrow) for wide, narrow in ((latent, h), (h, h), (h, d))]
        for i, (n, wide, narrow) in enumerate(encoder + decoder):
            yield n, wide, narrow
            yield narrow, n, wide  # gradient of the weights
            if i:  # the data need no gradient
                yield n, narrow, wide


if __name__ == "__main__":
    raise SystemExit(main())
