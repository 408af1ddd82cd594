"""autoencoder.safetensors of a model: stage 1, by `ima.train.fit_autoencoder` (Eq. 2)."""

import torch

from ima import data, job
from ima.io import write_history, write_tensors
from ima.model import Autoencoder
from ima.train import Stage1, device, fit_autoencoder


def main(snakemake):
    layers = snakemake.params.layers
    seed, latent = int(snakemake.wildcards.seed), int(snakemake.wildcards.latent)
    torch.manual_seed(seed)
    pairs = data.load_pairs(snakemake.input.pairs)
    validation = data.load_pairs(snakemake.input.validation)
    x = data.load_features({name: snakemake.input[name] for name in pairs}, device())
    model = Autoencoder(data.modalities_of(x, layers), latent).to(device())
    settings = Stage1(**snakemake.params.settings)
    history = fit_autoencoder(model, x, pairs, settings, seed, validation)
    config = {**data.model_config(model), "seed": seed, "settings": vars(settings)}
    write_history(history, snakemake.output.history)
    write_tensors(model.state_dict(), snakemake.output.model, config)
    kept = min(history, key=lambda row: row["validation"])
    print(f"kept epoch {kept['epoch']} of {len(history)}, validation loss {kept['validation']:.1f}")


if __name__ == "__main__":
    job.run(main, snakemake)
