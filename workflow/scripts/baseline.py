"""Training of a baseline for several seeds, by `ima.models.baselines.seeds.fit_seeds` (6.2)."""

from ima.models import checkpoints
from ima.models.baselines import baseline
from ima.models.baselines.seeds import checkpoint, fit_seeds
from ima.training import distributed
from ima.training.loop import device
from ima.utils.io import write_history, write_tensors
from ima.workflow import script


def main(snakemake):
    kind, latent = snakemake.params.kind, int(snakemake.wildcards.latent)
    seeds = [int(seed) for seed in snakemake.wildcards.seeds.split("-")]
    settings = baseline(kind).settings(**snakemake.params.training | snakemake.params.own)
    pairs, validation = (
        checkpoints.load_pairs(snakemake.input[name]) for name in ("pairs", "validation")
    )

    def train():
        """Return the models by seed, and the history of their training."""
        x = checkpoints.load_features({name: snakemake.input[name] for name in pairs}, device())
        modalities = checkpoints.modalities_of(x, snakemake.params.layers)
        return fit_seeds(kind, modalities, latent, settings, x, pairs, validation, seeds)

    models, history = distributed.run(train, snakemake.params.processes)
    write_history(history, snakemake.output.history)
    tensors, config = checkpoint(kind, models, settings)
    write_tensors(tensors, snakemake.output.model, config)
    for seed in seeds:
        own = [row for row in history if row["seed"] == seed]
        kept = min(own, key=lambda row: row["validation"])
        loss = kept["validation"]
        print(f"seed {seed}: epoch {kept['epoch']} of {len(own)}, validation loss {loss:.1f}")


if __name__ == "__main__":
    script.run(main, snakemake)
