"""rho_sweep.parquet: every rho's networks at once, by `ima.sweep.sweep` (6.1)."""

from ima import data, job, told
from ima.importance import Stage2
from ima.io import read_tensors, write_parquet
from ima.pairing import is_noise, read_pairs
from ima.schema import RHO_SWEEP
from ima.sweep import sweep
from ima.train import device


def main(snakemake):
    state, config = read_tensors(snakemake.input.autoencoder)
    autoencoder = data.build_autoencoder(config, state)
    settings = Stage2(restarts=snakemake.params.restarts, **snakemake.params.settings)
    train, held_out, test = (
        data.load_pairs(snakemake.input[split]) for split in ("train", "validation", "test")
    )
    x = data.load_features({name: snakemake.input[name] for name in train}, device())
    table = sweep(
        snakemake.wildcards.variant,
        autoencoder.to(device()),
        x,
        train,
        test,
        is_noise(read_pairs(snakemake.input.test)),
        held_out,
        snakemake.params.rho,
        snakemake.params.hidden,
        settings,
        int(snakemake.wildcards.seed),
    )
    write_parquet(table, snakemake.output.sweep, RHO_SWEEP)
    print(f"{len(snakemake.params.rho)} rho; " + told.first(table, "f1_noise"))


if __name__ == "__main__":
    job.run(main, snakemake)
