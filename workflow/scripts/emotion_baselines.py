"""Training of baselines on words and voices, by `ima.models.baselines.seeds.fit_seeds` (6.2)."""

from ima.models import checkpoints
from ima.models.baselines import baseline
from ima.models.baselines.seeds import checkpoint, fit_seeds
from ima.training.loop import Training, device
from ima.utils.io import write_tensors
from ima.workflow import script


def main(snakemake):
    params, latent = snakemake.params, int(snakemake.wildcards.latent)
    pairs = checkpoints.load_pairs(snakemake.input.pairs)
    stopping = checkpoints.load_pairs(snakemake.input.validation)
    x = checkpoints.load_features({name: snakemake.input[name] for name in pairs}, device())
    modalities = checkpoints.modalities_of(x, params.layers)
    shared = {name: params.training[name] for name in vars(Training())}
    for (name, own), path in zip(params.baselines.items(), snakemake.output.models, strict=True):
        settings = baseline(name).settings(**{**shared, **own})
        models, history = fit_seeds(
            name, modalities, latent, settings, x, pairs, stopping, params.seeds
        )
        tensors, config = checkpoint(name, models, settings)
        write_tensors(tensors, path, config)
        print(name, {term: round(value, 3) for term, value in history[-1].items()})


if __name__ == "__main__":
    script.run(main, snakemake)
