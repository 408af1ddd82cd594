"""What stage 1 memorises: contributions of training pairs compared with those of unseen pairs.

    python benchmarks/memorised.py results/open --latent 50 --seeds 0 1 2

The script reads features, pairs and autoencoders of a run. It fits canonical coordinates to the
training pairs, as for the objective `ima+`, and computes s (`ima.models.cca`) for training,
validation and test pairs. The mean of s over digits is 1; over pairs with noise in one modality it
is 0 if nothing is shared. If it is above 0 only in training pairs, the encoder has memorised those
pairs.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from ima.models import checkpoints
from ima.models.cca import canonical, contributions
from ima.pairing.by_label import read_pairs
from ima.utils.io import read_tensors

SPLITS = ("train", "validation", "test")


def main() -> None:
    """Print the mean of s by kind of pair, split and seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--variant", default="ima+")
    parser.add_argument("--latent", type=int, default=50)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    torch.set_num_threads(1)
    tables = {split: read_pairs(options.run / f"pairs/{split}.parquet") for split in SPLITS}
    items = {
        split: checkpoints.load_pairs(options.run / f"pairs/{split}.parquet") for split in SPLITS
    }
    first, second = items["train"]
    paths = {
        m: [options.run / f"features/{m}.parquet", options.run / f"features/{m}_noise.parquet"]
        for m in (first, second)
    }
    x = checkpoints.load_features(paths, torch.device("cpu"))
    for seed in options.seeds:
        folder = options.run / f"models/{options.variant}/latent{options.latent}/seed{seed}"
        state, config = read_tensors(folder / "autoencoder_round1.safetensors")
        model = checkpoints.build_autoencoder(config, state)
        with torch.no_grad():
            u = {m: of.double() for m, of in model.encode(x).items()}
        pairs = {s: {m: u[m][rows] for m, rows in of.items()} for s, of in items.items()}
        count = len(tables["train"])
        fitted = canonical(
            pairs["train"][first], pairs["train"][second], torch.ones(count).double()
        )
        for split in SPLITS:
            z, own = pairs[split][first], pairs[split][second]
            distinct = min(len(rows.unique()) for rows in items[split].values())
            s, _ = contributions(fitted, z, own, torch.ones(len(z)).double(), distinct)
            pair_types = np.array(tables[split]["pair_type"].to_pylist())
            means = {
                pair_type: s.numpy()[pair_types == pair_type].mean()
                for pair_type in np.unique(pair_types).tolist()
            }
            clean = means.pop("clean")
            told = ", ".join(f"{pair_type} {mean / clean:.3f}" for pair_type, mean in means.items())
            print(f"seed {seed}, {split}: relative to s of a clean pair, {told}")


if __name__ == "__main__":
    main()
