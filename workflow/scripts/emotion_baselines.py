"""Training of baselines on words and voices, by `ima.models.baselines.seeds.fit_seeds` (6.2)."""

from ima.models import checkpoints
from ima.models.baselines import baseline
from ima.models.baselines.seeds import checkpoint, fit_seeds
from ima.training import distributed
from ima.training.loop import Training, device
from ima.utils.io import write_tensors
from ima.workflow import script


def main(snakemake):
    trained = distributed.run(lambda: train(snakemake), snakemake.params.processes)
    for (name, saved), path in zip(trained.items(), snakemake.output.models, strict=True):
        (tensors, config), history = saved
        write_tensors(tensors, path, config)
        print(name, {term: round(value, 3) for term, value in history[-1].items()})


def train(snakemake):
    """Return, by baseline, its checkpoint of all seeds and the history of their training."""
    params, latent = snakemake.params, int(snakemake.wildcards.latent)
    pairs = checkpoints.load_pairs(snakemake.input.pairs)
    stopping = checkpoints.load_pairs(snakemake.input.validation)
    x = checkpoints.load_features({name: snakemake.input[name] for name in pairs}, device())
    modalities = checkpoints.modalities_of(x, params.layers)
    shared = {name: params.training[name] for name in vars(Training())}
    trained = {}
    for name, own in params.baselines.items():
        settings = baseline(name).settings(**{**shared, **own})
        models, history = fit_seeds(
            name, modalities, latent, settings, x, pairs, stopping, params.seeds
        )
        trained[name] = checkpoint(name, models, settings), history
    return trained


if __name__ == "__main__":
    script.run(main, snakemake)
