"""Stage 1 (Eq. 2): autoencoder_round<n>.safetensors, by
`ima.models.autoencoder.fit_autoencoder`.
"""

import torch

from ima.models import checkpoints
from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.ima import Autoencoder
from ima.models.stages import constant_importances
from ima.training import distributed
from ima.training.loop import device, pair_count
from ima.utils.io import read_tensors, write_history, write_tensors
from ima.workflow import script


def main(snakemake):
    processes = snakemake.params.processes
    model, config, history = distributed.run(lambda: train(snakemake), processes)
    write_history(history, snakemake.output.history)
    write_tensors(model.state_dict(), snakemake.output.model, config)
    kept = min(history, key=lambda row: row["validation"])
    print(f"kept epoch {kept['epoch']} of {len(history)}, validation loss {kept['validation']:.1f}")


def train(snakemake):
    """Return the trained autoencoder, its config and the history of its training."""
    params, before = snakemake.params, snakemake.input.get("before")
    seed, latent = int(snakemake.wildcards.seed), int(snakemake.wildcards.latent)
    torch.manual_seed(seed)
    pairs = checkpoints.load_pairs(snakemake.input.pairs)
    validation = checkpoints.load_pairs(snakemake.input.validation)
    x = checkpoints.load_features({name: snakemake.input[name] for name in pairs}, device())
    networks = None
    if before:
        state, config = read_tensors(before)
        model = checkpoints.build_autoencoder(config, state)
        networks = checkpoints.load_networks(snakemake.input.importance, x)
    else:
        model = Autoencoder(checkpoints.modalities_of(x, params.layers), latent)
    settings = Stage1(**params.settings).sized(pair_count(pairs))
    y = constant_importances(x, networks, settings, params.hidden, params.rho, seed)
    history = fit_autoencoder(model.to(device()), x, pairs, settings, seed, validation, y)
    config = {**checkpoints.model_config(model), "seed": seed, "settings": vars(settings)}
    return model, config, history


if __name__ == "__main__":
    script.run(main, snakemake)
