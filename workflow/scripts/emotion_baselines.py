"""Baselines on words and voices, of every seed, by `ima.baselines.seeds.fit_seeds` (6.2)."""

from ima import data, job
from ima.baselines import baseline
from ima.baselines.seeds import checkpoint, fit_seeds
from ima.io import write_tensors
from ima.train import Training, device


def main(snakemake):
    params, latent = snakemake.params, int(snakemake.wildcards.latent)
    pairs = data.load_pairs(snakemake.input.pairs)
    stopping = data.load_pairs(snakemake.input.validation)
    x = data.load_features({name: snakemake.input[name] for name in pairs}, device())
    modalities = data.modalities_of(x, params.layers)
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
    job.run(main, snakemake)
