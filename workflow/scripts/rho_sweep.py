"""rho_sweep.parquet of a model: every rho's networks at once, by `ima.sweep.sweep` (6.1)."""

import numpy as np

from ima import data, job
from ima.io import read_tensors, write_parquet
from ima.pairing import noise_kind, read_pairs
from ima.schema import RHO_SWEEP
from ima.sweep import sweep
from ima.train import Stage2, device


def main(snakemake):
    state, config = read_tensors(snakemake.input.autoencoder)
    autoencoder = data.build_autoencoder(config, state)
    given = dict(snakemake.params.settings)
    hidden = given.pop("hidden")
    train, test = (data.load_pairs(snakemake.input[split]) for split in ("train", "test"))
    x = data.load_features({name: snakemake.input[name] for name in train}, device())
    kinds = np.array(read_pairs(snakemake.input.test)["kind"].to_pylist())
    table = sweep(
        autoencoder.to(device()),
        x,
        train,
        test,
        {name: kinds == noise_kind(name) for name in test},
        snakemake.params.rho,
        hidden,
        Stage2(restarts=snakemake.params.restarts, **given),
        int(snakemake.wildcards.seed),
    )
    write_parquet(table, snakemake.output.sweep, RHO_SWEEP)


if __name__ == "__main__":
    job.run(main, snakemake)
