"""rho_sweep.parquet: networks for every rho at once, by `ima.evaluation.rho_sweep.sweep` (6.1)."""

from ima.evaluation.rho_sweep import sweep
from ima.models import checkpoints
from ima.models.importance import Stage2
from ima.pairing.by_label import is_noise, read_pairs
from ima.training.loop import device
from ima.utils.io import read_tensors, write_parquet
from ima.utils.schemas import RHO_SWEEP
from ima.workflow import script, summary


def main(snakemake):
    state, config = read_tensors(snakemake.input.autoencoder)
    autoencoder = checkpoints.build_autoencoder(config, state)
    settings = Stage2(restarts=snakemake.params.restarts, **snakemake.params.settings)
    train, held_out, test = (
        checkpoints.load_pairs(snakemake.input[split]) for split in ("train", "validation", "test")
    )
    x = checkpoints.load_features({name: snakemake.input[name] for name in train}, device())
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
    print(f"{len(snakemake.params.rho)} values of rho; " + summary.first(table, "f1_noise"))


if __name__ == "__main__":
    script.run(main, snakemake)
