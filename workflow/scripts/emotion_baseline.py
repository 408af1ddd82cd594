"""Training of a baseline on words and voices, by `ima.models.baselines.seeds.fit_seeds` (6.2)."""

from ima.models import checkpoints
from ima.models.baselines import baseline
from ima.models.baselines.seeds import checkpoint, fit_seeds
from ima.training import distributed
from ima.training.loop import Training, device
from ima.utils.io import write_tensors
from ima.workflow import script


def main(snakemake):
    params, kind = snakemake.params, snakemake.wildcards.kind
    seeds = [int(seed) for seed in snakemake.wildcards.seeds.split("-")]
    shared = {name: params.training[name] for name in vars(Training())}
    settings = baseline(kind).settings(**shared | params.own)
    pairs, stopping = (
        checkpoints.load_pairs(snakemake.input[name]) for name in ("pairs", "validation")
    )

    def train():
        """Return the models by seed, and the history of their training."""
        x = checkpoints.load_features({name: snakemake.input[name] for name in pairs}, device())
        modalities = checkpoints.modalities_of(x, params.layers)
        latent = int(snakemake.wildcards.latent)
        return fit_seeds(kind, modalities, latent, settings, x, pairs, stopping, seeds)

    models, history = distributed.run(train, params.processes)
    tensors, config = checkpoint(kind, models, settings)
    write_tensors(tensors, snakemake.output.model, config)
    for seed in seeds:
        last = [row for row in history if row["seed"] == seed][-1]
        print({term: round(value, 3) for term, value in last.items()})


if __name__ == "__main__":
    script.run(main, snakemake)
