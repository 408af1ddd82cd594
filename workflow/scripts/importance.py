"""Stage 2 (Eqs. 3-4): importance_round<n>.safetensors, by
`ima.models.importance.train_importance`.
"""

import torch

from ima.evaluation.user.stability import over_folds
from ima.models import checkpoints
from ima.models.autoencoder import Stage1
from ima.models.concordance import Checkpoint
from ima.models.importance import Stage2, train_importance
from ima.models.stages import cross_fit
from ima.training.loop import device
from ima.utils.io import read_tensors, write_history, write_tensors
from ima.workflow import script


def main(snakemake):
    params = snakemake.params
    state, config = read_tensors(snakemake.input.autoencoder)
    autoencoder = checkpoints.build_autoencoder(config, state).to(device())
    settings = Stage2(restarts=params.restarts, **params.settings)
    seed = int(snakemake.wildcards.seed)
    names = list(autoencoder.modalities)
    x = checkpoints.load_features({name: snakemake.input[name] for name in names}, device())
    pairs, held_out = (
        checkpoints.load_pairs(snakemake.input[name]) for name in ("pairs", "validation")
    )
    folds = None
    if settings.objective == "mixture":
        stage1 = Stage1(**params.stage1)
        folds = cross_fit(autoencoder, x, pairs, held_out, stage1, seed, settings.folds)
    networks, history, found = train_importance(
        autoencoder, x, pairs, params.rho, params.hidden, settings, seed, held_out, folds
    )
    said = {}
    if settings.objective == "mixture":
        models = {name: of.model for name, of in found.items()}
        fitted = {name: of.concordance for name, of in found.items()}
        said = Checkpoint(models, found[names[0]].pair, fitted).tensors()
    config = {"hidden": params.hidden, "rho": params.rho, "seed": seed, "settings": vars(settings)}
    if settings.objective == "mixture":
        both = {m: torch.cat((pairs[m], held_out[m])) for m in names}
        config["folds"] = over_folds(found, networks, x, both)
    write_history(history, snakemake.output.history)
    write_tensors({**networks.state_dict(), **said}, snakemake.output.model, config)
    if settings.objective == "mixture":
        for name, of in found.items():
            print(f"{name}: {of.share:.2f} informative, {len(of.pair)} pairs in {len(folds)} folds")
    else:
        print(f"best of {settings.restarts} restarts, losses {found['loss'].tolist()}")


if __name__ == "__main__":
    script.run(main, snakemake)
