"""Stage 1, autoencoder_round<n>.safetensors, by `ima.autoencoder.fit_autoencoder` (Eq. 2)."""

import torch

from ima import data, job
from ima.autoencoder import Stage1, fit_autoencoder
from ima.io import read_tensors, write_history, write_tensors
from ima.model import Autoencoder
from ima.stages import constant_importances
from ima.train import device


def main(snakemake):
    params, before = snakemake.params, snakemake.input.get("before")
    seed, latent = int(snakemake.wildcards.seed), int(snakemake.wildcards.latent)
    torch.manual_seed(seed)
    pairs = data.load_pairs(snakemake.input.pairs)
    validation = data.load_pairs(snakemake.input.validation)
    x = data.load_features({name: snakemake.input[name] for name in pairs}, device())
    networks = None
    if before:
        state, config = read_tensors(before)
        model = data.build_autoencoder(config, state)
        state, config = read_tensors(snakemake.input.importance)
        networks = data.build_networks(x, config, state)
    else:
        model = Autoencoder(data.modalities_of(x, params.layers), latent)
    settings = Stage1(**params.settings)
    y = constant_importances(x, networks, settings, params.hidden, params.rho, seed)
    history = fit_autoencoder(model.to(device()), x, pairs, settings, seed, validation, y)
    config = {**data.model_config(model), "seed": seed, "settings": vars(settings)}
    write_history(history, snakemake.output.history)
    write_tensors(model.state_dict(), snakemake.output.model, config)
    kept = min(history, key=lambda row: row["validation"])
    print(f"kept epoch {kept['epoch']} of {len(history)}, validation loss {kept['validation']:.1f}")


if __name__ == "__main__":
    job.run(main, snakemake)
