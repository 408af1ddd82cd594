"""importance.safetensors of a model: stage 2, by `ima.train.fit_importance` (Eqs. 3-4)."""

import torch

from ima import data, job
from ima.io import read_tensors, write_history, write_tensors
from ima.model import IMA
from ima.train import Stage2, device, fit_importance, keep_copy


def main(snakemake):
    state, config = read_tensors(snakemake.input.autoencoder)
    autoencoder = data.build_autoencoder(config, state)
    names = list(autoencoder.modalities)
    given = dict(snakemake.params.settings)
    hidden, rho = given.pop("hidden"), given.pop("rho")
    settings = Stage2(**given)
    seed = int(snakemake.wildcards.seed)
    torch.manual_seed(seed)
    copies = {name: [rho[name]] * settings.restarts for name in names}
    model = IMA.around(autoencoder, hidden, copies).to(device())
    x = data.load_features({name: snakemake.input[name] for name in names}, device())
    pairs = data.load_pairs(snakemake.input.pairs)
    history, final = fit_importance(model, x, pairs, copies, settings, seed)
    best = int(final["loss"].argmin())
    config = {"hidden": hidden, "rho": rho, "seed": seed, "settings": vars(settings), "copy": best}
    write_history(history, snakemake.output.history)
    write_tensors(keep_copy(model, best).state_dict(), snakemake.output.model, config)
    print(f"restart {best} of {settings.restarts}, losses {final['loss'].tolist()}")


if __name__ == "__main__":
    job.run(main, snakemake)
