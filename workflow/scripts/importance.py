"""Stage 2, importance_<objective>.safetensors, by `ima.importance.fit_importance` (Eqs. 3-4)."""

import torch

from ima import data, job
from ima.importance import Stage2, fit_importance, keep_copies, least
from ima.io import read_tensors, write_history, write_tensors
from ima.model import IMA
from ima.train import device


def main(snakemake):
    state, config = read_tensors(snakemake.input.autoencoder)
    autoencoder = data.build_autoencoder(config, state)
    names = list(autoencoder.modalities)
    given, rho = dict(snakemake.params.settings), snakemake.params.rho
    hidden, objective = given.pop("hidden"), snakemake.wildcards.objective
    settings = Stage2(objective=objective, restarts=snakemake.params.restarts, **given)
    seed = int(snakemake.wildcards.seed)
    torch.manual_seed(seed)
    copies = {name: [rho[name]] * settings.restarts for name in names}
    model = IMA.around(autoencoder, hidden, copies).to(device())
    x = data.load_features({name: snakemake.input[name] for name in names}, device())
    pairs, held_out = (data.load_pairs(snakemake.input[name]) for name in ("pairs", "validation"))
    history, final = fit_importance(model, x, pairs, copies, settings, seed, held_out)
    best = least(final, names, settings)
    config = {"hidden": hidden, "rho": rho, "seed": seed, "settings": vars(settings), "copy": best}
    write_history(history, snakemake.output.history)
    write_tensors(keep_copies(model, best).state_dict(), snakemake.output.model, config)
    print(f"restarts {best} of {settings.restarts}, losses {final['loss'].tolist()}")


if __name__ == "__main__":
    job.run(main, snakemake)
